"""The command line as such: which commands there are, what is loaded, what an error ends in."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from digitocr.cli import commands
from digitocr.cli.main import COMMANDS


def test_only_the_command_that_was_typed_is_loaded():
    code = "import sys; from digitocr.cli.main import command_line; command_line(sys.argv[1:]); print(*sys.modules)"
    for words, expected in (
        (["--debug", "info", "predict"], {"info"}),
        (["predict", "--help"], {"predict"}),
        (["--help", "predict"], set(COMMANDS)),
        (["predct"], set(COMMANDS)),
        ([], set(COMMANDS)),
    ):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
        loaded = {name.rpartition(".")[2] for name in done.stdout.split() if name.startswith("digitocr.cli.commands.")}
        assert loaded == expected, words


def test_each_command_has_a_file_and_is_listed_by_help(digitocr):
    files = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}
    listed = re.findall(r"^  (\w+)  ", digitocr("--help").stdout.decode().partition("Commands:")[2], re.M)
    assert listed == list(COMMANDS)
    assert set(listed) == files


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["predict", "c.png", "--fail-on-empty"], 8),
        (["predict", "missing.png"], 4),
        (["predict", "*.gif"], 4),
        (["predict", "a.png", "--conf", "2"], 2),
        (["predict", "a.png", "--threads", "0"], 2),
        (["predict", "a.png", "--threads", "99999999999"], 2),
        (["predict", "a.png", "--mode", "none"], 2),
        (["predict", "a.png", "--rotate", "45"], 2),
        (["predict", "a.png", "--jobs", "0"], 2),
        (["predict", "a.png", "--jobs", "2", "--conf", "2"], 2),
        (["predict", "a.png", "--jobs", "2", "--cluster", "tcp://host:1"], 2),
        (["predict", "a.png", "--resume"], 2),
        (["predict", "a.png", "--resume", "--output", "lines"], 2),
        (["predict", "a.png", "--resume", "--jsonl", "--output", "lines", "--explain", "seen"], 2),
        (["predict", "a.png", "--resume", "--jsonl", "--output", "notes.txt"], 9),
        (["predict", "a.png", "--output", "notes.txt"], 9),
        (["predict", "a.png", "--output", "none/lines"], 9),
        (["predict", "a.png", "--output", "/dev/full", "--force"], 9),
        (["predict", "a.png", "--model", "notes.txt"], 5),
        (["predict", "a.png", "--save-image", "notes.txt"], 9),
        (["predict"], 2),
        (["info", "broken.png"], 5),
    ],
)
def test_exit_codes(digitocr, words, code, pages):
    done = digitocr(*words, cwd=pages)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_where_standard_error_is_closed_nothing_of_it_comes_out_elsewhere(pages):
    command = [sys.executable, "-m", "digitocr.cli.main", "predict", "c.png", "gone.png", "--threads"]
    for threads, code, out in (("1", 4, b"c.png\t\n"), ("0", 2, b"")):
        done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *command, threads], cwd=pages, stdout=subprocess.PIPE)
        assert (done.returncode, done.stdout) == (code, out)


def test_a_bug_is_told_as_one_unless_debug_shows_it():
    code = (
        "import sys; from digitocr.cli import main; from digitocr.cli.batch import render; "
        "render.json_line = lambda *_: 1 / 0; "
        "sys.argv[1:] = WORDS; main.main()"
    )
    for words, traceback in (
        (["predict", "--jsonl", "x.png"], False),
        (["--debug", "predict", "--jsonl", "x.png"], True),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.replace("WORDS", repr(words))], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert "digitocr: a bug: ZeroDivisionError" in done.stderr
        assert ("Traceback" in done.stderr) is traceback
