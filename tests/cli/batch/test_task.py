import dataclasses
import json
import threading

import cv2
import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.cli.batch.sources import Source
from digitocr.cli.batch.task import CHUNK, CHUNK_BYTES, Outcome, Task, chunks
from digitocr.runtime.errors import InputError, UsageError

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
    assert TEXT.read(Source("drawn.png", drawn)) == Outcome("drawn.png", "drawn.png\t47", 2)
    alone = dataclasses.replace(TEXT, named=False).read(Source("drawn.png", drawn))
    assert (alone.line, alone.digits) == ("47", 2)
    row = json.loads(dataclasses.replace(TEXT, jsonl=True).read(Source("drawn.png", drawn)).line)
    assert (row["source"], row["text"], row["error"]) == ("drawn.png", "47", None)


def test_drawings_are_made_where_they_are_asked_for(drawn):
    made = dataclasses.replace(TEXT, draw=True, explain=True).read(Source("drawn.png", drawn))
    assert made.drawn.startswith(b"\x89PNG")
    assert made.page.startswith(b"<!doctype html>")


def test_where_nothing_was_read_there_is_a_reason(tmp_path):
    Image.new("L", (200, 100), 180).save(tmp_path / "blank.png")
    blank = Source("blank.png", str(tmp_path / "blank.png"))
    outcome = TEXT.read(blank)
    assert (outcome.line, outcome.digits, outcome.error) == ("blank.png\t", 0, "")
    assert outcome.why == Reader().read(blank.picture).why != ""
    assert dataclasses.replace(TEXT, named=False).read(blank).line is None


def test_what_cannot_be_read_is_an_outcome_with_its_name(tmp_path):
    named = "a.png: is gone"
    for source, error in (
        (Source("a.png", InputError(named)), named),
        (Source(str(tmp_path / "b.png"), str(tmp_path / "b.png")), f"{tmp_path}/b.png: cannot be read"),
        (Source("c.png", b"no picture"), "c.png: not a picture"),
        (Source("-", b"no picture"), "standard input: not a picture"),
    ):
        outcome = TEXT.read(source)
        assert (outcome.name, outcome.line, outcome.digits) == (source.name, None, 0)
        assert outcome.error.startswith(error)
        row = json.loads(dataclasses.replace(TEXT, jsonl=True).read(source).line)
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
    assert TEXT.read_chunk(sources) == [TEXT.read(source) for source in sources]
    drawing = dataclasses.replace(TEXT, draw=True, explain=True)
    assert drawing.read_chunk(sources[1:2])[0].drawn == drawing.read(sources[1]).drawn != b""
    (outcome,) = dataclasses.replace(TEXT, jsonl=True).read_chunk(sources[1:2])
    assert json.loads(outcome.line)["ms"]["decode"] > 0.005


def test_settings_are_the_reader_s(drawn):
    reader = dataclasses.replace(TEXT, conf=0.25, mode="line", rotate="90").reader()
    assert (reader.conf, reader.mode) == (0.25, "line")
    assert (
        dataclasses.replace(TEXT, rotate="90", jsonl=True).read(Source("a.png", drawn)).line.count('"turned": 90') == 1
    )
    with pytest.raises(UsageError):
        dataclasses.replace(TEXT, conf=2).read_all([])


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
    small = [Source(f"{number}.png", b"bytes") for number in range(2 * CHUNK + 1)]
    assert [len(chunk) for chunk in chunks(small)] == [CHUNK, CHUNK, 1]
    assert list(chunks([small[0], large, large, small[1]])) == [[small[0], large], [large], [small[1]]]
    assert [source for chunk in chunks(small) for source in chunk] == small
