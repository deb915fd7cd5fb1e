"""The commands predict and info, as whole processes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.runtime.interpreter import MODELS
from digitocr.train.scenes import draw_page, random_style


def digitocr(*words, cwd=None, stdin=None):
    command = [sys.executable, "-m", "digitocr.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two drawn pages, a blank one, a file that is no picture, and one that is nothing of all that."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, lines in (("a.png", ["407", "12"]), ("b.jpg", ["38"])):
        rng = np.random.default_rng(2)
        style = random_style(rng, (480, 360), light_on_dark=False)
        Image.fromarray(draw_page(lines, rng, style).image).save(folder / name)
    Image.new("L", (200, 100), 180).save(folder / "c.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("nothing")
    return folder


def test_one_picture_prints_its_lines(folder):
    done = digitocr("predict", folder / "a.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"407\n12\n", b"")


def test_standard_input_is_a_picture(folder):
    done = digitocr("predict", "-", stdin=(folder / "b.jpg").read_bytes())
    assert (done.returncode, done.stdout) == (0, b"38\n")


def test_many_pictures_print_their_names_and_a_bad_one_does_not_stop_the_others(folder):
    done = digitocr("predict", ".", cwd=folder)
    assert done.stdout.decode() == "a.png\t407 12\nb.jpg\t38\nc.png\t\n"
    assert done.returncode == 4
    broken, blank = done.stderr.decode().splitlines()
    assert broken.startswith("digitocr: broken.png: not a picture")
    assert blank.startswith("digitocr: c.png: ")
    quiet = digitocr("predict", ".", "--quiet", cwd=folder)
    assert (quiet.stdout, quiet.stderr.decode()) == (done.stdout, broken + "\n")


def test_where_nothing_was_read_stderr_says_why(folder):
    done = digitocr("predict", "c.png", cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"digitocr: {Reader().read(folder / 'c.png').why}\n"
    assert digitocr("predict", "c.png", "--quiet", cwd=folder).stderr == b""


def test_several_processes_print_what_one_prints(folder):
    for words in (["predict", "."], ["predict", "a.png"], ["predict", "-", "gone.png"]):
        one, two = (digitocr(*words, *more, cwd=folder, stdin=b"no picture") for more in ([], ["--jobs", "2"]))
        assert (two.returncode, two.stdout, two.stderr) == (one.returncode, one.stdout, one.stderr)


def test_a_picture_is_read_as_it_is_said_to_be(folder):
    def turned(*words):
        done = digitocr("predict", "--jsonl", "a.png", *words, cwd=folder)
        return json.loads(done.stdout)["turned"]

    assert turned("--rotate", "0") == 0
    assert turned("--rotate", "180") == 180
    assert digitocr("predict", "a.png", "--mode", "line", "--rotate", "0", cwd=folder).stdout.count(b"\n") == 1


def test_networks_may_be_one_s_own(folder, tmp_path):
    for option, name in (("--model", "digitocr-int8.onnx"), ("--finder", "finder-int8.onnx")):
        (tmp_path / "own.onnx").write_bytes((MODELS / name).read_bytes())
        done = digitocr("predict", option, tmp_path / "own.onnx", "a.png", cwd=folder)
        assert done.stdout == digitocr("predict", "a.png", cwd=folder).stdout
    assert digitocr("predict", "--finder", MODELS / "digitocr-int8.onnx", "a.png", cwd=folder).returncode == 5


def test_a_run_is_resumed_behind_what_it_wrote(folder, tmp_path):
    words = ["predict", folder, "--jsonl", "--output", tmp_path / "lines"]

    def lines():
        return [
            (row["source"], row["error"] is None)
            for row in map(json.loads, (tmp_path / "lines").read_text().splitlines())
        ]

    assert digitocr(*words).stdout == b""
    whole = lines()
    assert len(whole) == 4
    again = digitocr(*words)
    assert (again.returncode, again.stderr.count(b"--resume")) == (9, 1)
    (tmp_path / "lines").write_bytes((tmp_path / "lines").read_bytes()[:-100])  # the last line is left unfinished
    done = digitocr(*words, "--resume", "--jobs", "2")
    assert (done.returncode, done.stdout) == (4, b"")
    good = [row for row in whole if row[1]]
    assert [row for row in lines() if row[1]] == good
    assert sorted(lines()) == sorted(whole)  # the bad one was tried again
    assert digitocr(*words, "--force").returncode == 4
    assert lines() == whole


@pytest.mark.parametrize(
    "wrong",
    [
        ["--jobs", "2", "--conf", "7"],
        ["--jobs", "2", "--model", "notes.txt"],
        ["--cluster", "tcp://host:1", "--conf", "7"],
        ["--model", "notes.txt"],
    ],
)
def test_settings_that_make_no_sense_cost_no_earlier_output(wrong, folder, tmp_path):
    if "--cluster" in wrong:
        pytest.importorskip("distributed")
    (tmp_path / "old").write_text("read before\n")
    for name in ("old", "new"):
        words = ["predict", "a.png", "--jsonl", "--output", tmp_path / name, "--force", *wrong]
        assert digitocr(*words, cwd=folder).returncode in (2, 5)
    assert (tmp_path / "old").read_text() == "read before\n"
    assert not (tmp_path / "new").exists()


def test_jsonl_is_the_documented_object(folder):
    done = digitocr("predict", "--jsonl", "a.png", "broken.png", "missing.png", cwd=folder)
    good, broken, missing = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 4
    assert list(good) == ["schema", "source", "text", "confidence", "turned", "lines", "ms", "model", "error"]
    assert (good["schema"], good["source"], good["text"], good["error"]) == ("digitocr/1", "a.png", "407\n12", None)
    assert [line["text"] for line in good["lines"]] == ["407", "12"]
    digit = good["lines"][0]["digits"][0]
    assert set(digit) == {"digit", "confidence", "box", "topk"}
    assert all(isinstance(side, int) for side in digit["box"])
    assert digit["topk"][0][0] == digit["digit"] == 4
    assert 0.5 < digit["confidence"] <= 1
    assert set(good["ms"]) == {"decode", "find", "classify"}
    assert set(good["model"]) == {"name", "sha256"}
    for row, name in ((broken, "broken.png"), (missing, "missing.png")):
        assert (row["source"], row["text"], row["lines"]) == (name, "", [])
        assert row["error"].startswith(name)


def test_pictures_of_what_was_read_and_seen_are_saved_once(folder, tmp_path):
    words = ["predict", folder / "a.png", "--save-image", tmp_path / "drawn", "--explain", tmp_path / "seen"]
    assert digitocr(*words).returncode == 0
    with Image.open(tmp_path / "drawn" / "a.png.png") as drawn:
        assert drawn.size == (480, 360)
    assert (tmp_path / "seen" / "a.png.html").read_text().count('class="seen"') >= 5  # a row for each digit
    again = digitocr(*words)
    assert again.returncode == 9
    assert b"--force" in again.stderr
    assert digitocr(*words, "--force").returncode == 0


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
def test_exit_codes(words, code, folder):
    done = digitocr(*words, cwd=folder)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["digitocr-int8.onnx", "digitocr-int8.tflite", "finder-int8.onnx"])
def test_info_prints_the_card(name):
    done = digitocr("info", MODELS / name)
    card = json.loads(done.stdout)
    assert done.stderr == b""
    assert card["quantization"] == "int8"
    assert len(card["sha256"]) == 64


def test_a_finder_is_known_by_what_is_in_its_file_and_not_by_its_name(tmp_path):
    for name, copy in (("finder-int8.onnx", "f.onnx"), ("digitocr-int8.onnx", "finder.onnx")):
        (tmp_path / copy).write_bytes((MODELS / name).read_bytes())
        assert json.loads(digitocr("info", tmp_path / copy).stdout)["name"] == name.removesuffix(".onnx")


def test_where_standard_error_is_closed_nothing_of_it_comes_out_elsewhere(folder):
    command = [sys.executable, "-m", "digitocr.cli.main", "predict", "c.png", "gone.png", "--threads"]
    for threads, code, out in (("1", 4, b"c.png\t\n"), ("0", 2, b"")):
        done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *command, threads], cwd=folder, stdout=subprocess.PIPE)
        assert (done.returncode, done.stdout) == (code, out)


def test_a_bug_is_told_as_one_unless_debug_shows_it():
    code = (
        "import sys; from digitocr.cli import main, render; render.json_line = lambda *_: 1 / 0; "
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
