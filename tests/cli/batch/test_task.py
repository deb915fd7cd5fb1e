import dataclasses
import io
import json
import platform
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.cli.batch import render
from digitocr.cli.batch.sources import Source
from digitocr.cli.batch.task import CHUNK_BYTES, CHUNK_PICTURES, Outcome, Task, chunks
from digitocr.runtime import drawing, image
from digitocr.runtime.detector import Detector
from digitocr.runtime.errors import DigitocrError, InputError, MissingExtraError, ModelError, UsageError

TEXT = Task(None, 1, 0.5, "auto", "auto", jsonl=False, named=True, draw=False, explain=False)


@pytest.fixture
def drawn(tmp_path):
    """A picture of a four and a seven."""
    page = np.full((80, 120), 230, np.uint8)
    for digit, left in (("4", 30), ("7", 70)):
        cv2.putText(page, digit, (left, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 20, 3, cv2.LINE_AA)
    Image.fromarray(page).save(tmp_path / "drawn.png")
    return str(tmp_path / "drawn.png")


def test_a_picture_becomes_a_line_of_the_kind_that_is_wanted(drawn):
    source = Source("drawn.png", drawn)
    assert TEXT.read(source) == [Outcome("drawn.png", "drawn.png\t47", 2)]
    (alone,) = dataclasses.replace(TEXT, named=False).read(source)
    assert (alone.line, alone.digits) == ("47", 2)
    row = json.loads(dataclasses.replace(TEXT, jsonl=True).read(source)[0].line)
    assert (row["source"], row["text"], row["error"]) == ("drawn.png", "47", None)


def test_drawings_are_made_where_they_are_asked_for(drawn):
    (made,) = dataclasses.replace(TEXT, draw=True, explain=True).read(Source("drawn.png", drawn))
    assert made.drawn.startswith(b"\x89PNG")
    assert made.explanation.startswith(b"<!doctype html>")


def test_digits_are_cut_out_where_they_are_asked_for(drawn):
    (made,) = dataclasses.replace(TEXT, crop=True).read(Source("drawn.png", drawn))
    assert [str(crop.digit) for crop in made.crops] == list("47")
    with Image.open(io.BytesIO(made.crops[0].png)) as crop:
        assert (crop.size, crop.mode, crop.getpixel((0, 14)) < 128) == ((28, 28), "L", True)  # ink is bright
    (main,) = dataclasses.replace(TEXT, crop=True, digits=3).read(Source("drawn.png", drawn))
    assert main.crops == ()


def test_a_picture_that_is_explained_is_read_once(monkeypatch, drawn):
    detected = []
    detect = Detector.detect
    monkeypatch.setattr(Detector, "detect", lambda *words: detected.append(words) or detect(*words))
    decoded = []
    load_reduced, load_rgb = image.load_reduced, image.load_rgb
    monkeypatch.setattr(image, "load_reduced", lambda *words, **more: decoded.append(1) or load_reduced(*words, **more))
    monkeypatch.setattr(image, "load_rgb", lambda *words, **more: decoded.append(1) or load_rgb(*words, **more))
    source = Source("drawn.png", drawn)
    task = dataclasses.replace(TEXT, rotate="0", draw=True, explain=True)
    (made,) = task.read(source)
    assert made.explanation.count(b'class="seen"') == 2
    assert len(detected) == 1
    assert len(decoded) == 3  # to be read, to be shown, and the shown picture once more as the copy that is drawn on


def test_where_nothing_was_read_there_is_a_reason(tmp_path):
    Image.new("L", (200, 100), 180).save(tmp_path / "blank.png")
    blank = Source("blank.png", str(tmp_path / "blank.png"))
    why = Reader().read(blank.picture).why
    assert why
    assert TEXT.read(blank) == [Outcome("blank.png", "blank.png\t", why=f"blank.png: {why}")]
    assert dataclasses.replace(TEXT, named=False).read(blank) == [Outcome("blank.png", None, why=why)]


def test_what_cannot_be_read_is_an_outcome_with_its_name(tmp_path):
    named = "a.png: is gone"
    for source, error, code in (
        (Source("a.png", InputError(named)), named, 4),
        (Source("a.png", DigitocrError(named)), named, 1),
        (Source(str(tmp_path / "b.png"), str(tmp_path / "b.png")), f"{tmp_path}/b.png: cannot be read", 4),
        (Source("c.png", b"no picture"), "c.png: not a picture", 4),
        (Source("-", b"no picture"), "standard input: not a picture", 4),
    ):
        (outcome,) = TEXT.read(source)
        assert (outcome.name, outcome.line, outcome.digits, outcome.exit_code) == (source.name, None, 0, code)
        assert outcome.error.startswith(error)
        row = json.loads(dataclasses.replace(TEXT, jsonl=True).read(source)[0].line)
        assert (row["source"], row["error"]) == (source.name, outcome.error)


def test_a_chunk_is_read_as_its_pictures_are_one_by_one(drawn, tmp_path):
    crop = np.zeros((28, 28), np.uint8)
    crop[4:24, 13:16] = 250
    Image.fromarray(crop).save(tmp_path / "crop.png")
    Image.new("1", (3000, 2000)).save(tmp_path / "blank.png")  # a small file of a large picture
    content = (tmp_path / "crop.png").read_bytes()
    pictures = [
        drawn,
        str(tmp_path / "crop.png"),
        str(tmp_path / "blank.png"),
        content,
        content[:60],
        InputError("why"),
    ]
    sources = [Source(f"{number}.png", picture) for number, picture in enumerate(pictures)]
    assert TEXT.read_chunk(sources) == [outcome for source in sources for outcome in TEXT.read(source)]
    drawing = dataclasses.replace(TEXT, draw=True, explain=True)
    assert drawing.read_chunk(sources[1:2])[0].drawn == drawing.read(sources[1])[0].drawn != b""
    (outcome,) = dataclasses.replace(TEXT, jsonl=True).read_chunk(sources[1:2])
    assert json.loads(outcome.line)["ms"]["decode"] > 0.005


def test_settings_are_the_reader_s(drawn):
    reader = dataclasses.replace(TEXT, conf=0.25, mode="line", rotate="90").reader()
    assert (reader.conf, reader.mode) == (0.25, "line")
    (turned,) = dataclasses.replace(TEXT, rotate="90", jsonl=True).read(Source("a.png", drawn))
    assert json.loads(turned.line)["turned"] == 90
    with pytest.raises(UsageError):
        dataclasses.replace(TEXT, conf=2).read_all([])


@pytest.mark.parametrize(
    ("error", "code", "why"),
    [
        (MemoryError(), 1, "a.png: there is not enough memory to read it"),
        (
            cv2.error("OpenCV: Insufficient memory"),
            1,
            "a.png: there is not enough memory to read it",
        ),
        (ZeroDivisionError("by zero"), 1, "a.png: an unexpected error: ZeroDivisionError('by zero')"),
        (MissingExtraError("heif", "a.png: a HEIF picture"), 3, "a.png: a HEIF picture needs packages"),
        (InputError("the bytes given: damaged"), 4, "a.png: damaged"),
    ],
)
@pytest.mark.parametrize("where", ["page_count", "read", "png", "json_line"])
def test_any_error_of_one_picture_is_its_outcome_and_the_others_are_read(monkeypatch, drawn, where, error, code, why):
    content = Path(drawn).read_bytes()

    def odd(function):
        def call(*words, **more):
            if remaining.pop(0):
                return function(*words, **more)
            raise error

        return call

    owner = {"page_count": image, "read": Reader, "png": drawing, "json_line": render}[where]
    monkeypatch.setattr(owner, where, odd(getattr(owner, where)))
    task = dataclasses.replace(TEXT, jsonl=True, draw=True)
    sources = [Source(name, content) for name in ("first.png", "a.png", "last.png")]
    for outcomes in (lambda: task.read_chunk(sources), lambda: list(task.read_all(sources))):
        remaining = [True, False, True, True]
        first, failed, last = outcomes()
        assert (first.digits, first.error, last.digits, last.error) == (2, "", 2, "")
        assert (failed.name, failed.exit_code) == ("a.png", code)
        assert failed.error.startswith(why)
        row = json.loads(failed.line)
        assert (row["source"], row["error"]) == ("a.png", failed.error)


@pytest.mark.parametrize("error", [ModelError("own.onnx: gives no probabilities"), UsageError("wrong")])
def test_an_error_of_the_networks_is_not_of_one_picture(monkeypatch, drawn, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(Reader, "read", fail)
    with pytest.raises(type(error)):
        TEXT.read(Source("a.png", drawn))


def test_a_small_picture_that_is_decoded_ahead_may_be_odd_too(monkeypatch):
    crop = np.zeros((28, 28), np.uint8)
    content = cv2.imencode(".png", crop)[1].tobytes()

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(image, "load", fail)
    monkeypatch.setattr(Reader, "read", fail)
    assert [one.exit_code for one in TEXT.read_chunk([Source("a.png", content)] * 2)] == [1, 1]


@pytest.fixture
def document(tmp_path):
    """A TIFF of four pages: a blank one, a four and a seven, a damaged one, an eight."""
    pages = [np.full((80, 120), 230, np.uint8) for _ in range(4)]
    for page, digits in zip(pages, ("", "47", "1", "8"), strict=True):
        for place, digit in enumerate(digits):
            cv2.putText(page, digit, (30 + 40 * place, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 20, 3, cv2.LINE_AA)
    path = tmp_path / "scan.tif"
    first, *rest = map(Image.fromarray, pages)
    first.save(path, save_all=True, append_images=rest, compression="tiff_deflate")
    content = bytearray(path.read_bytes())
    with Image.open(path) as opened:
        opened.seek(2)
        start, length = opened.tag_v2[273][0], opened.tag_v2[279][0]
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    return str(path)


def test_every_page_of_a_document_is_an_outcome(document):
    source = Source("scan.tif", document)
    blank, good, damaged, last = TEXT.read(source)
    assert [page.name for page in (blank, good, damaged, last)] == [f"scan.tif#{number}" for number in (1, 2, 3, 4)]
    assert (blank.line, good.line, damaged.line, last.line) == ("scan.tif#1\t", "scan.tif#2\t47", None, "scan.tif#4\t8")
    assert blank.why.startswith("scan.tif#1: ")
    assert damaged.error.startswith("scan.tif#3")
    assert damaged.exit_code == 4
    alone = dataclasses.replace(TEXT, named=False).read(source)
    assert [page.line for page in alone] == [blank.line, good.line, None, last.line]
    rows = [json.loads(page.line) for page in dataclasses.replace(TEXT, jsonl=True).read_chunk([source])]
    assert [(row["source"], row["page"], row["pages"]) for row in rows] == [("scan.tif", n, 4) for n in (1, 2, 3, 4)]
    assert [row["text"] for row in rows] == ["", "47", "", "8"]
    assert [row["error"] is None for row in rows] == [True, True, False, True]


def test_drawings_of_a_document_are_of_each_page(document):
    pages = dataclasses.replace(TEXT, draw=True, explain=True).read(Source("scan.tif", document))
    assert len({page.drawn for page in pages}) == 4
    assert "scan.tif#2" in pages[1].explanation.decode()


def test_it_is_told_whether_confidences_are_calibrated(drawn):
    assert TEXT.read(Source("a.png", drawn))[0].calibrated
    reader = TEXT.reader()
    calibrated, reader.calibrated = reader.calibrated, False
    try:
        assert not TEXT.read(Source("a.png", drawn))[0].calibrated
    finally:
        reader.calibrated = calibrated


def test_a_thread_has_one_reader_and_another_thread_another_one():
    readers = [TEXT.reader(), TEXT.reader()]
    thread = threading.Thread(target=lambda: readers.append(TEXT.reader()))
    thread.start()
    thread.join()
    assert readers[0] is readers[1] is not readers[2]


def test_chunks_are_of_many_small_pictures_or_a_large_one(tmp_path):
    assert list(chunks([])) == []
    (tmp_path / "large").write_bytes(bytes(CHUNK_BYTES))
    large = Source("large", str(tmp_path / "large"))
    small = [Source(f"{number}.png", b"bytes") for number in range(2 * CHUNK_PICTURES + 1)]
    assert [len(chunk) for chunk in chunks(small)] == [CHUNK_PICTURES, CHUNK_PICTURES, 1]
    assert list(chunks([small[0], large, large, small[1]])) == [[small[0], large], [large], [small[1]]]
    assert [source for chunk in chunks(small) for source in chunk] == small


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such settings")
def test_memory_of_freed_arrays_goes_back_to_the_system():
    kept = []
    for first in ("pass", "task.return_memory()"):
        child = f"""
import os
import numpy as np
from digitocr.cli.batch import task

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

{first}
np.ones(30_000_000, np.uint8)  # freed at once; of its own accord the C library keeps such blocks from now on
before = resident()
blocks = [np.ones(6_000_000, np.uint8) for _ in range(4)]
del blocks
print(resident() - before)
"""
        made = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
        kept.append(int(made.stdout))
    assert kept[0] > 20_000_000
    assert kept[1] < 4_000_000
