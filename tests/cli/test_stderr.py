import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import os, sys, warnings
from digitocr.cli.stderr import libraries_silenced
sys.argv[1:] = {words!r}
try:
    with libraries_silenced():
        os.write(2, b"from C\\n")
        warnings.warn("from a library")
        print("ours", file=sys.stderr)
        1 / 0
except ZeroDivisionError:
    os.write(2, b"after\\n")
    print("ours again", file=sys.stderr)
"""


def written(*words):
    done = subprocess.run([sys.executable, "-c", CODE.format(words=words)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


def test_only_what_python_prints_comes_out():
    assert written() == "ours\nafter\nours again\n"


def test_with_debug_everything_comes_out():
    stderr = written("--debug")
    assert "from C\n" in stderr
    assert "UserWarning: from a library" in stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_message_that_cannot_be_written_ends_nothing():
    code = (
        "import sys; from digitocr.cli.stderr import libraries_silenced\n"
        "with libraries_silenced():\n    print('ours', file=sys.stderr)\n    print('a result')"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, text=True)
    assert (done.returncode, done.stdout) == (0, "a result\n")


def test_it_leaves_no_file_open():
    code = (
        "import os; from digitocr.cli.stderr import libraries_silenced\n"
        "before = len(os.listdir('/dev/fd'))\n"
        "for _ in range(5):\n    with libraries_silenced(): pass\n"
        "print(len(os.listdir('/dev/fd')) - before)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
