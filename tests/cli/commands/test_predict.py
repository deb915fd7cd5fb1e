"""The command predict, as a whole process."""

import json

import pytest
from PIL import Image

from digitocr import Reader
from digitocr.runtime.models import MODELS


def test_one_picture_prints_its_lines(digitocr, pages):
    done = digitocr("predict", pages / "a.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"407\n12\n", b"")


def test_standard_input_is_a_picture(digitocr, pages):
    done = digitocr("predict", "-", stdin=(pages / "b.jpg").read_bytes())
    assert (done.returncode, done.stdout) == (0, b"38\n")


def test_many_pictures_print_their_names_and_a_bad_one_does_not_stop_the_others(digitocr, pages):
    done = digitocr("predict", ".", cwd=pages)
    assert done.stdout.decode() == "a.png\t407 12\nb.jpg\t38\nc.png\t\n"
    assert done.returncode == 4
    broken, blank = done.stderr.decode().splitlines()
    assert broken.startswith("digitocr: broken.png: not a picture")
    assert blank.startswith("digitocr: c.png: ")
    quiet = digitocr("predict", ".", "--quiet", cwd=pages)
    assert (quiet.stdout, quiet.stderr.decode()) == (done.stdout, broken + "\n")


def test_where_nothing_was_read_stderr_says_why(digitocr, pages):
    done = digitocr("predict", "c.png", cwd=pages)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"digitocr: {Reader().read(pages / 'c.png').why}\n"
    assert digitocr("predict", "c.png", "--quiet", cwd=pages).stderr == b""


def test_several_processes_print_what_one_prints(digitocr, pages):
    for words in (["predict", "."], ["predict", "a.png"], ["predict", "-", "gone.png"]):
        one, two = (digitocr(*words, *more, cwd=pages, stdin=b"no picture") for more in ([], ["--jobs", "2"]))
        assert (two.returncode, two.stdout, two.stderr) == (one.returncode, one.stdout, one.stderr)


def test_a_picture_is_read_as_it_is_said_to_be(digitocr, pages):
    def turned(*words):
        done = digitocr("predict", "--jsonl", "a.png", *words, cwd=pages)
        return json.loads(done.stdout)["turned"]

    assert turned("--rotate", "0") == 0
    assert turned("--rotate", "180") == 180
    assert digitocr("predict", "a.png", "--mode", "line", "--rotate", "0", cwd=pages).stdout.count(b"\n") == 1


def test_networks_may_be_one_s_own(digitocr, pages, tmp_path):
    for option, name in (("--model", "digitocr-int8.onnx"), ("--detector", "detector-int8.onnx")):
        (tmp_path / "own.onnx").write_bytes((MODELS / name).read_bytes())
        done = digitocr("predict", option, tmp_path / "own.onnx", "a.png", cwd=pages)
        assert done.stdout == digitocr("predict", "a.png", cwd=pages).stdout
    assert digitocr("predict", "--detector", MODELS / "digitocr-int8.onnx", "a.png", cwd=pages).returncode == 5


def test_a_run_is_resumed_behind_what_it_wrote(digitocr, pages, tmp_path):
    words = ["predict", pages, "--jsonl", "--output", tmp_path / "lines"]

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


def test_what_an_earlier_run_read_counts_when_it_is_gone_on_with(digitocr, pages, tmp_path):
    for name, code in (("a.png", 0), ("c.png", 8)):
        words = ["predict", pages / name, "--jsonl", "--output", tmp_path / name, "--fail-on-empty"]
        assert [digitocr(*words, *more).returncode for more in ([], ["--resume"])] == [code, code]


def test_a_picture_is_not_overwritten_with_what_is_read_in_it(digitocr, pages, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes((pages / "a.png").read_bytes())
    done = digitocr("predict", picture, "--output", picture, "--force")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert picture.read_bytes() == (pages / "a.png").read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--jobs", "2", "--conf", "7"],
        ["--jobs", "2", "--model", "notes.txt"],
        ["--cluster", "tcp://host:1", "--conf", "7"],
        ["--model", "notes.txt"],
    ],
)
def test_settings_that_make_no_sense_cost_no_earlier_output(digitocr, wrong, pages, tmp_path):
    if "--cluster" in wrong:
        pytest.importorskip("distributed")
    (tmp_path / "old").write_text("read before\n")
    for name in ("old", "new"):
        words = ["predict", "a.png", "--jsonl", "--output", tmp_path / name, "--force", *wrong]
        assert digitocr(*words, cwd=pages).returncode in (2, 5)
    assert (tmp_path / "old").read_text() == "read before\n"
    assert not (tmp_path / "new").exists()


def test_jsonl_is_the_documented_object(digitocr, pages):
    done = digitocr("predict", "--jsonl", "a.png", "broken.png", "missing.png", cwd=pages)
    good, broken, missing = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 4
    assert list(good) == ["schema", "source", "text", "confidence", "turned", "lines", "why", "ms", "model", "error"]
    assert (good["schema"], good["source"], good["text"], good["error"]) == ("digitocr/1", "a.png", "407\n12", None)
    assert [line["text"] for line in good["lines"]] == ["407", "12"]
    digit = good["lines"][0]["digits"][0]
    assert set(digit) == {"digit", "confidence", "box", "topk"}
    assert all(isinstance(side, int) for side in digit["box"])
    assert digit["topk"][0][0] == digit["digit"] == 4
    assert 0.5 < digit["confidence"] <= 1
    assert set(good["ms"]) == {"decode", "detect", "classify"}
    assert set(good["model"]) == {"name", "sha256"}
    for row, name in ((broken, "broken.png"), (missing, "missing.png")):
        assert (row["source"], row["text"], row["lines"]) == (name, "", [])
        assert row["error"].startswith(name)


def test_pictures_of_what_was_read_and_seen_are_saved_once(digitocr, pages, tmp_path):
    words = ["predict", pages / "a.png", "--save-image", tmp_path / "drawn", "--explain", tmp_path / "seen"]
    assert digitocr(*words).returncode == 0
    with Image.open(tmp_path / "drawn" / "a.png.png") as drawn:
        assert drawn.size == (480, 360)
    assert (tmp_path / "seen" / "a.png.html").read_text().count('class="seen"') >= 5  # a row for each digit
    again = digitocr(*words)
    assert again.returncode == 9
    assert b"--force" in again.stderr
    assert digitocr(*words, "--force").returncode == 0
