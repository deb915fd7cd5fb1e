import logging
import os
import warnings

import pytest

from digitocr.train.quiet import silenced


def test_nothing_comes_out_and_all_is_as_before(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced():
        os.write(2, b"from C++")
        print("printed")
        logging.getLogger("tf2onnx").error("logged")
        warnings.warn("warned", stacklevel=1)
    assert capfd.readouterr() == ("", "")
    os.write(2, b"heard")
    print("again")
    assert capfd.readouterr() == ("again\n", "heard")
    with pytest.warns(UserWarning, match="warned"):
        warnings.warn("warned", stacklevel=1)


def test_exceptions_come_out(capfd):
    with pytest.raises(ValueError, match="that"), silenced():
        raise ValueError("that")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_person_can_ask_for_the_chatter(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with silenced():
        print("printed")
    assert capfd.readouterr().out == "printed\n"
