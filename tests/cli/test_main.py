"""The command line as such: which commands there are, what is loaded, what an error ends in."""

import os
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


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["predict"], "missing argument 'SOURCE...'; see digitocr predict --help"),
        (
            ["--debug", "predict", "a.png", "--conf", "2"],
            "invalid value for '--conf': 2.0 is not in the range 0<=x<=1; see digitocr predict --help",
        ),
        (["frob"], "no such command 'frob'; see digitocr --help"),
        (["webcam", "--every"], "option '--every' requires an argument; see digitocr webcam --help"),
    ],
)
def test_a_usage_error_is_one_line_that_names_the_help(digitocr, words, error):
    done = digitocr(*words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines()[-1] == f"digitocr: {error}"
    assert "--debug" in words or done.stderr.count(b"\n") == 1


def test_without_a_command_the_help_is_shown(digitocr):
    done = digitocr()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.replace(b"\n\n\n", b"\n").strip() == digitocr("--help").stdout.strip()


def test_where_standard_error_is_closed_nothing_of_it_comes_out_elsewhere(pages):
    command = [sys.executable, "-m", "digitocr.cli.main", "predict", "c.png", "gone.png", "--threads"]
    for threads, code, out in (("1", 4, b"c.png\t\n"), ("0", 2, b"")):
        done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *command, threads], cwd=pages, stdout=subprocess.PIPE)
        assert (done.returncode, done.stdout) == (code, out)


def test_a_bug_is_told_as_one_unless_debug_shows_it():
    code = (
        "import sys; from digitocr.cli import main; from digitocr.cli.batch import sources; "
        "sources.is_single = lambda *_: 1 / 0; "
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


def test_memory_that_runs_out_is_no_bug():
    code = (
        "import sys; from digitocr.cli import main; from digitocr.cli.batch import sources; "
        "sources.is_single = lambda *_: bytearray(1 << 62); "
        "sys.argv[1:] = ['predict', '--jsonl', 'x.png']; main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "digitocr: there is no more memory; close other programs, or use fewer --jobs\n"


def test_a_name_that_is_too_long_is_no_bug():
    code = (
        "import sys; from pathlib import Path; from digitocr.cli import main; from digitocr.cli.batch import sources; "
        "sources.is_single = lambda *_: Path('a' * 300).is_dir(); "
        "sys.argv[1:] = ['predict', '--jsonl', 'x.png']; main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"digitocr: {'a' * 300}: the name is too long; give a shorter one\n"


def test_h_is_help(digitocr):
    for words in ([], ["predict"]):
        short, long = (digitocr(*words, option) for option in ("-h", "--help"))
        assert (short.returncode, short.stdout, short.stderr) == (0, long.stdout, b"")
        assert b"-h, --help" in short.stdout


ENDED = """
import atexit, sys, numpy
from digitocr.cli import main
from digitocr.cli.commands import info, predict

def end():
    {raised}

info.info = predict.predict = end
sys.argv[1:] = {words!r}
end.__name__ = sys.argv[-1]
atexit.register(print, "left normally")
main.main()
"""


@pytest.mark.parametrize(
    ("raised", "code", "error"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("sys.exit('a text')", 1, "a text\n"),
        ("raise KeyboardInterrupt", 130, ""),
    ],
)
def test_a_command_ends_as_python_does_and_only_predict_at_once(raised, code, error):
    for words, left in ((["info"], "left normally\n"), (["predict"], ""), (["--debug", "predict"], "")):
        script = ENDED.format(raised=raised, words=words)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (code, left, error)


def test_an_output_that_takes_nothing_is_told_once_whatever_the_command():
    with Path("/dev/full").open("w") as full:
        for word in ("--version", "--help"):
            command = [sys.executable, "-m", "digitocr.cli.main", word]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 9
            assert done.stderr == "digitocr: standard output cannot be written (No space left on device)\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(("words", "code"), [("predict --nope", 2), ("predict a.png --model b", 5), ("info a.onnx", 5)])
def test_an_error_that_cannot_be_told_has_its_exit_code(words, code):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "digitocr.cli.main", *words.split()], stderr=full)
    assert done.returncode == code


def test_importing_the_command_line_changes_nothing_of_the_process():
    code = "import gc; before = gc.get_threshold(); import digitocr.cli.main; assert gc.get_threshold() == before"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("digitocr pre", {"predict"}),
        ("digitocr predict --mo", {"--mode", "--model"}),
        ("digitocr predict --mode ", {"auto", "single", "line"}),
        ("digitocr export --f", {"--format", "--fonts", "--force"}),
    ],
)
def test_a_shell_completes_commands_options_and_their_values(typed, expected):
    environment = {
        **os.environ,
        "_DIGITOCR_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    command = [sys.executable, "-m", "digitocr.cli.main"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (set(done.stdout.split()), done.stderr) == (expected, "")


def test_the_script_for_completion_is_shown(digitocr):
    done = digitocr("--help")
    assert b"--install-completion" in done.stdout
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "digitocr.cli.main", "--show-completion", "bash"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_DIGITOCR_COMPLETE=complete_bash" in done.stdout


@pytest.mark.parametrize(
    ("command", "missing", "extra"),
    [
        ("search", "keras", "search"),
        ("study", "keras", "export"),
        ("train", "keras", "train"),
        ("export", "keras", "export"),
    ],
)
def test_a_missing_extra_is_named_that_brings_all_that_the_command_needs(tmp_path, command, missing, extra):
    code = f"import sys; sys.modules[{missing!r}] = None; from digitocr.cli.main import main; main()"
    words = ["--data", str(tmp_path)] if command != "export" else []
    done = subprocess.run([sys.executable, "-c", code, command, *words], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1].endswith(
        f"needs packages that are not installed; type: pip install 'digitocr[{extra}]'"
    )
