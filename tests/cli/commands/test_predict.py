"""The command predict, as a whole process."""

import json
import os
import re

import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.runtime.models import MODELS
from digitocr.train.sources.load import read_source


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
    broken, blank, left_out = done.stderr.decode().splitlines()
    assert broken.startswith("digitocr: broken.png: not a picture")
    assert blank.startswith("digitocr: c.png: ")
    assert left_out == "digitocr: .: left out 1 other file"
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


def test_only_the_numbers_that_are_wanted_are_printed(digitocr, pages):
    def read(*words):
        done = digitocr("predict", "a.png", "b.jpg", *words, cwd=pages)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(), done.stderr.decode()

    assert read("--digits", "3", "--quiet") == ("a.png\t407\nb.jpg\t\n", "")
    why = read("--digits", "3")[1].splitlines()[-1]
    assert why == "digitocr: b.jpg: 1 number was read, but none has 3 digits"
    assert read("--expect", "[1-4].", "--jobs", "2")[0] == "a.png\t12\nb.jpg\t38\n"
    assert read("--main")[0] == "a.png\t407\nb.jpg\t38\n"
    assert read("--main", "--digits", "2")[0] == "a.png\t12\nb.jpg\t38\n"
    none = digitocr("predict", "a.png", "--digits", "9", "--fail-on-empty", cwd=pages)
    assert (none.returncode, none.stdout) == (8, b"")
    assert none.stderr.splitlines()[-1] == b"digitocr: no number of the form of --digits was read in any picture"


def test_only_a_part_is_read_and_boxes_are_in_the_whole_picture(digitocr, pages):
    def numbers(*words):
        done = digitocr("predict", "a.png", "--jsonl", "--rotate", "0", *words, cwd=pages)
        return [number for line in json.loads(done.stdout)["lines"] for number in line["numbers"]]

    _, second = numbers()
    x, y, w, h = second["box"]
    (part,) = numbers("--roi", f"{x - 20},{y - 12},{w + 40},{h + 24}")
    assert part["text"] == second["text"] == "12"
    assert max(abs(one - other) for one, other in zip(part["box"], second["box"], strict=True)) <= 4
    outside = digitocr("predict", "a.png", "c.png", "--roi", "300,200,100,100", cwd=pages)
    assert outside.returncode == 4
    why = "digitocr: c.png: the part 300,200,100,100 is not inside its 200x100 pixels; choose another"
    assert why in outside.stderr.decode().splitlines()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--digits", "4", "--expect", r"\d{3}"], "matches no number of 4 digits"),
        (["--expect", "[a-z]+", "--jobs", "2"], "matches no number"),
        (["--expect", "("], "is not a regular expression"),
        (["--roi", "1,2,3"], "--roi is X,Y,WIDTH,HEIGHT"),
        (["--roi", "1,2,30,0"], "is none of a picture"),
    ],
)
def test_what_no_number_and_no_part_can_be_is_refused(digitocr, pages, words, why):
    done = digitocr("predict", "a.png", "b.jpg", *words, cwd=pages)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert why in done.stderr.decode()


def test_networks_may_be_one_s_own(digitocr, pages, tmp_path):
    for option, name in (
        ("--model", "digitocr-int8.onnx"),
        ("--detector", "detector-int8.onnx"),
        ("--recognizer", "recognizer-int8.onnx"),
    ):
        (tmp_path / "own.onnx").write_bytes((MODELS / name).read_bytes())
        done = digitocr("predict", option, tmp_path / "own.onnx", "a.png", cwd=pages)
        assert done.stdout == digitocr("predict", "a.png", cwd=pages).stdout
        if option != "--model":
            assert digitocr("predict", option, MODELS / "digitocr-int8.onnx", "a.png", cwd=pages).returncode == 5


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


@pytest.mark.parametrize(
    "words",
    [
        ["page", "page.png", "--save-image", "."],
        ["page", "page.png", "--save-image", ".", "--force", "--jobs", "2"],
        ["page", "*.png", "--save-image", ".", "--force"],
        ["page", "linked", "--save-image", ".", "--force"],
        [".", "--save-image", ".", "--force"],
        ["page.png", "page.png.html", "--explain", ".", "--force"],
        ["page.png", "--output", "page.png"],
        [".", "--output", "page.png", "--force"],
    ],
)
def test_no_picture_is_overwritten_with_what_is_read_in_it(digitocr, pages, tmp_path, words):
    names = ("page", "page.png", "page.png.png", "page.png.html")
    for name in names:
        (tmp_path / name).write_bytes((pages / "a.png").read_bytes())
    (tmp_path / "linked").symlink_to(".")
    done = digitocr("predict", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"would be overwritten" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "linked"])
    assert all((tmp_path / name).read_bytes() == (pages / "a.png").read_bytes() for name in names)


def test_drawings_may_lie_in_a_folder_that_is_read_with_its_subfolders(digitocr, pages, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("1.png", "sub/1.png"):
        (tmp_path / name).write_bytes((pages / "a.png").read_bytes())
    words = ["predict", ".", "-r", "--force", "--save-image", "sub/drawn"]
    for _ in range(2):
        done = digitocr(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"1.png\t407 12\nsub/1.png\t407 12\n", b"")
    assert sorted(path.name for path in (tmp_path / "sub" / "drawn").iterdir()) == ["1.png-2.png", "1.png.png"]


ODD = """
from digitocr.runtime import reader
read = reader.Reader.read

def odd(self, picture, **page):
    if isinstance(picture, bytes) and picture.endswith(b"odd"):
        raise MemoryError
    return read(self, picture, **page)

reader.Reader.read = odd
"""


@pytest.fixture
def odd_picture(pages, tmp_path, monkeypatch):
    """A folder in which reading the second of three pictures, odd.png, is given no memory, in every process."""
    (tmp_path / "in").mkdir()
    for name in ("a.png", "odd.png", "z.png"):
        content = (pages / "a.png").read_bytes()
        (tmp_path / "in" / name).write_bytes(content + b"odd" * (name == "odd.png"))
    (tmp_path / "sitecustomize.py").write_text(ODD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "in"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_odd_picture_does_not_end_a_batch(digitocr, odd_picture, jobs):
    error = "odd.png: there is not enough memory to read it; make it smaller, or read fewer at the same time"
    words = ["predict", ".", "--jobs", jobs]
    done = digitocr(*words, cwd=odd_picture)
    assert (done.returncode, done.stdout.decode()) == (1, "a.png\t407 12\nz.png\t407 12\n")
    assert done.stderr.decode() == f"digitocr: {error}\n"
    assert digitocr(*words, "gone.png", cwd=odd_picture).returncode == 1  # of 1 and 4 the lower
    for more in ([], ["--resume"]):
        assert digitocr(*words, "--jsonl", "--output", "../lines", *more, cwd=odd_picture).returncode == 1
        rows = list(map(json.loads, (odd_picture.parent / "lines").read_text().splitlines()))
        assert sorted((row["source"], row["error"]) for row in rows) == [
            ("a.png", None),
            ("odd.png", error),
            ("z.png", None),
        ]
    debug = digitocr("--debug", "predict", "odd.png", "z.png", cwd=odd_picture)
    assert (debug.returncode, debug.stdout.decode()) == (1, "z.png\t407 12\n")
    assert b"Traceback" in debug.stderr


@pytest.fixture(scope="module")
def scan(pages, tmp_path_factory):
    """A TIFF of a blank page, a.png and b.jpg."""
    path = tmp_path_factory.mktemp("scan") / "scan.tif"
    with Image.open(pages / "a.png") as a, Image.open(pages / "b.jpg") as b:
        Image.new("RGB", a.size, (180, 180, 180)).save(path, save_all=True, append_images=[a, b])
    return path


def test_every_page_of_a_document_is_read(digitocr, scan, tmp_path):
    for more in ([], ["--jobs", "2"]):
        done = digitocr("predict", "scan.tif", "--save-image", tmp_path / "drawn", "--force", *more, cwd=scan.parent)
        assert (done.returncode, done.stdout) == (0, b"scan.tif#1\t\nscan.tif#2\t407 12\nscan.tif#3\t38\n")
        assert done.stderr == b"digitocr: scan.tif#1: nothing in it looks like a digit\n"
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        f"scan.tif#{page}.png" for page in (1, 2, 3)
    ]
    done = digitocr("predict", "-", "--save-crops", tmp_path / "crops", stdin=scan.read_bytes())
    assert done.stdout == b"-#1\t\n-#2\t407 12\n-#3\t38\n"
    crops = [path.name.partition("-")[2] for path in (tmp_path / "crops").rglob("*.png")]
    assert sorted(crops) == [f"stdin#2-{place}.png" for place in range(1, 6)] + ["stdin#3-1.png", "stdin#3-2.png"]


def test_a_document_of_which_some_pages_were_read_is_read_again_and_a_whole_one_is_not(digitocr, scan, tmp_path):
    words = ["predict", "scan.tif", "--jsonl", "--output", tmp_path / "lines"]
    assert digitocr(*words, cwd=scan.parent).returncode == 0
    whole = (tmp_path / "lines").read_bytes()
    rows = list(map(json.loads, whole.splitlines()))
    assert [(row["source"], row["page"], row["pages"]) for row in rows] == [("scan.tif", page, 3) for page in (1, 2, 3)]
    assert digitocr(*words, "--resume", cwd=scan.parent).returncode == 0
    assert (tmp_path / "lines").read_bytes() == whole  # with the same times, so not read again
    (tmp_path / "lines").write_bytes(whole[:-9])
    assert digitocr(*words, "--resume", cwd=scan.parent).returncode == 0
    again = list(map(json.loads, (tmp_path / "lines").read_text().splitlines()))
    assert [(row["page"], row["text"]) for row in again] == [(1, ""), (2, "407\n12"), (3, "38")]


def test_subfolders_are_read_where_that_is_asked_for(digitocr, pages, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.jfif").write_bytes((pages / "b.jpg").read_bytes())
    (tmp_path / "scan.pdf").touch()
    done = digitocr("predict", ".", cwd=tmp_path)
    left_out = "left out 1 PDF (save the pages as PNG), 1 subfolder (add --recursive)"
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr.decode().endswith(f"; {left_out}\n")
    done = digitocr("predict", ".", "--recursive", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"sub/b.jfif\t38\n")
    assert done.stderr == b"digitocr: .: left out 1 PDF (save the pages as PNG)\n"
    assert digitocr("predict", ".", "-r", "--quiet", cwd=tmp_path).stderr == b""


def test_what_is_no_picture_points_to_what_reads_it(digitocr, pages, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"a video")
    done = digitocr("predict", "clip.mp4", "http://user:secret@host/a.jpg", pages / "b.jpg", cwd=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (4, f"{pages}/b.jpg\t38\n")
    video, address = done.stderr.decode().splitlines()
    assert video == "digitocr: clip.mp4: is a video; read it with: digitocr webcam --source clip.mp4"
    assert address.startswith("digitocr: http://host/a.jpg: is an address and not a file; download the picture first")


def test_confidences_of_other_networks_are_told_to_be_uncalibrated_once(digitocr, pages, monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "from digitocr.runtime import reader\n"
        "class Other(reader.Reader):\n    calibrated = property(lambda self: False, lambda self, value: None)\n"
        "reader.Reader = Other\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    for jobs in ("1", "2"):
        done = digitocr("predict", "a.png", "b.jpg", "--jobs", jobs, cwd=pages)
        assert done.stdout == b"a.png\t407 12\nb.jpg\t38\n"
        assert done.stderr.decode().splitlines() == [
            "digitocr: confidences are not calibrated for these networks: they do not say how many readings are right"
        ]
        assert digitocr("predict", "a.png", "b.jpg", "--jobs", jobs, "--quiet", cwd=pages).stderr == b""


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
    what = ["text", "confidence", "turned", "lines", "why", "ms", "model"]
    names = ["schema", "source", "page", "pages", *what, "error"]
    assert list(good) == list(broken) == names
    assert (good["page"], good["pages"]) == (None, 1)
    assert (good["schema"], good["source"], good["text"], good["error"]) == ("digitocr/2", "a.png", "407\n12", None)
    assert [line["text"] for line in good["lines"]] == ["407", "12"]
    number = good["lines"][0]["numbers"][0]
    assert (set(number), number["text"]) == ({"text", "confidence", "box", "digits"}, "407")
    digit = number["digits"][0]
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


def test_digits_are_saved_as_a_labelled_set(digitocr, pages, tmp_path):
    words = ["predict", pages / "a.png", pages / "b.jpg", "--save-crops", tmp_path / "crops"]
    assert digitocr(*words).returncode == 0
    saved = sorted(path.relative_to(tmp_path / "crops") for path in (tmp_path / "crops").rglob("*.png"))
    named = [re.fullmatch(r"(\d)/(\d{3})-(a.png|b.jpg)-(\d)\.png", path.as_posix()).groups() for path in saved]
    assert sorted((name, number, digit) for digit, _, name, number in named) == [
        *(("a.png", str(number), digit) for number, digit in enumerate("40712", 1)),
        *(("b.jpg", str(number), digit) for number, digit in enumerate("38", 1)),
    ]
    labelled = read_source(tmp_path / "crops")
    assert labelled.labels.tolist() == [int(digit) for digit, *_ in named]
    assert labelled.sizes == {(28, 28): 7}
    assert labelled.troubles == []
    with Image.open(tmp_path / "crops" / saved[0]) as crop:
        assert np.array_equal(labelled.images[0], np.asarray(crop))  # as the network saw it
    again = digitocr(*words)
    assert (again.returncode, b"--force" in again.stderr) == (9, True)
