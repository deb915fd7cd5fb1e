import contextlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from digitocr import DigitocrError, InputError, Line, ModelError, Reader, Reading, UsageError
from digitocr.runtime.many import PICTURES_PER_PROCESS, read_many


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Lets the processes import the test module, whose classes they are sent."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


class Echo:
    """Reads a picture's name, and does what it says: "die" ends the process, "odd" raises what cannot be pickled."""

    def read(self, picture):
        if picture == "die":
            os._exit(9)
        if picture == "odd":
            raise Odd(1, 2)
        if picture == "bad":
            raise InputError("bad: cannot be read")
        if picture == "memory":
            raise MemoryError
        return Reading((), why=str(picture))


class Odd(Exception):
    """Cannot be pickled."""

    def __init__(self, one, two):
        super().__init__(f"odd {one} {two}")


class Broken(Echo):
    """Cannot be loaded in another process."""

    def __reduce__(self):
        return broken, ()


def broken():
    raise ModelError("mine.onnx: is not there")


def outcomes(pictures, jobs, reader=None):
    """What comes back for each picture: what the echo says, or the exception's text."""
    return [
        one.why if isinstance(one, Reading) else f"{type(one).__name__}: {one}"
        for one in read_many(reader or Echo(), pictures, jobs, "return")
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_readings_come_in_order_and_an_exception_in_the_place_of_its_picture(jobs):
    names = [str(place) for place in range(30)]
    names[7:7] = ["bad", "memory", "odd"]
    expected = list(names)
    expected[7:10] = ["InputError: bad: cannot be read", "MemoryError: ", "Odd: odd 1 2"]
    came = outcomes(names, jobs)
    assert [one.removeprefix("DigitocrError: ") for one in came] == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_by_default_the_exception_is_raised_in_its_turn(jobs):
    came = read_many(Echo(), ["1", "2", "bad", "3"], jobs, "raise")
    assert [next(came).why, next(came).why] == ["1", "2"]
    with pytest.raises(InputError, match="bad"):
        next(came)


def test_a_process_that_dies_is_the_error_of_its_picture_and_the_others_are_read():
    names = [str(place) for place in range(9)]
    names[2] = names[7] = "die"
    came = outcomes(names, 2)
    for place, one in enumerate(came):
        if names[place] == "die":
            assert one.startswith("InputError: die: the process that read it died")
        else:
            assert one == names[place]
    assert len(came) == 9
    with pytest.raises(InputError, match="picture 1: the process"):
        list(read_many(DiesOfArrays(), [np.zeros((9, 9), np.uint8)], 2, "raise"))


class DiesOfArrays:
    def read(self, _):
        os._exit(9)


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_pictures_are_taken_ahead_than_are_under_way(jobs):
    taken = []

    def pictures():
        for place in range(1000):
            taken.append(place)
            yield str(place)

    came = read_many(Echo(), pictures(), jobs, "return")
    next(came)
    assert len(taken) <= 1 + PICTURES_PER_PROCESS * jobs
    came.close()


def test_no_pictures_are_no_readings():
    assert outcomes([], 1) == outcomes([], 2) == []


def test_what_makes_no_sense_is_refused_at_once():
    with pytest.raises(UsageError, match="jobs must be 1 or more, not 0"):
        read_many(Echo(), [], 0, "raise")
    for jobs in ("2", 2.5, None):
        with pytest.raises(UsageError, match="jobs must be a whole number, not"):
            read_many(Echo(), [], jobs, "raise")
    for single in ("page.png", b"content", Path("page.png")):
        with pytest.raises(UsageError, match="pictures must be several"):
            read_many(Echo(), single, 1, "raise")
    with pytest.raises(UsageError, match="errors must be raise or return, not ignore"):
        read_many(Echo(), [], 1, "ignore")


def test_a_reader_that_cannot_be_loaded_in_a_process_says_why():
    with pytest.raises(ModelError, match=r"mine.onnx: is not there"):
        next(read_many(Broken(), ["1"], 2, "return"))


def test_a_script_that_is_not_guarded_is_told_what_to_do(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            from digitocr import Reader, UsageError
            try:
                list(Reader().read_many(["a.png"], jobs=2))
            except UsageError as error:
                print(error)
            """
        )
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert 'below `if __name__ == "__main__":`' in done.stdout


def page(digits):
    """(60, 40 * digits) uint8 of ones."""
    gray = np.full((60, 40 * digits + 40), 230, np.uint8)
    for place in range(digits):
        gray[12:48, 40 + 40 * place : 45 + 40 * place] = 20
    return gray


def test_several_processes_read_as_one_does(tmp_path):
    reader = Reader(conf=0.4, mode="line")
    pictures = [page(2), page(4), tmp_path / "none.png", page(3)]
    alone = list(reader.read_many(pictures, errors="return"))
    together = list(reader.read_many(pictures, jobs=2, errors="return"))
    assert [type(one) for one in alone] == [Reading, Reading, InputError, Reading]
    assert [str(one) if isinstance(one, DigitocrError) else one for one in together] == [
        str(one) if isinstance(one, DigitocrError) else one for one in alone
    ]
    assert isinstance(alone[0].lines[0], Line)
    with pytest.raises(InputError, match=r"none.png"):
        list(reader.read_many(pictures, jobs=2))


def processes():
    """The processes of pools that this one has, by their ids.

    A process may end between the list and the look at its command line.
    """
    found = set()
    for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                found.add(child)
    return found


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="this system has no such list")
@pytest.mark.parametrize("ended", ["closed", "raised"])
def test_processes_end_with_the_reading(ended):
    others = processes()  # of tests before this one
    came = read_many(Echo(), ["1", "bad", *["2"] * 20], 2, "raise")
    next(came)
    assert processes() - others
    if ended == "closed":
        came.close()
    else:
        with pytest.raises(InputError):
            next(came)
    deadline = time.monotonic() + 20
    while processes() - others and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes() - others
