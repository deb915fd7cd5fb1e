import io
import logging
import os
import sys
import warnings

import pytest

from digitocr.train.quiet import progress_line, progress_stream, remaining, silenced


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_goes_to_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress_stream() is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert progress_stream(quiet=True) is None
    assert progress_stream() is terminal


def test_progress_has_no_colour_where_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    stream = progress_stream()
    assert stream is not None
    assert stream.isatty()
    stream.write("\r\x1b[1m3/9\x1b[0m \x1b[32m━━\x1b[0m")
    assert terminal.getvalue() == "\r3/9 ━━"


def test_a_line_comes_out_unless_quiet(capsys):
    progress_line("epoch 1")
    progress_line("epoch 2", quiet=True)
    assert capsys.readouterr() == ("", "epoch 1\n")


@pytest.mark.parametrize(
    ("seconds", "epochs", "said"),
    [(35.2, 9, "35 s, about 6 min left"), (35.2, 0, "35 s"), (0.2, 1, "0 s, about 1 min left")],
)
def test_how_long_it_takes_is_said(seconds, epochs, said):
    assert remaining(seconds, epochs) == said
