import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.cli.labelling import labels as module
from digitocr.cli.labelling.labels import Labels
from digitocr.runtime.errors import OutputError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.jsonl"


@pytest.fixture
def labels(path):
    labels = Labels(path)
    yield labels
    labels.close()


def again(labels):
    """The file as the next run finds it."""
    labels.close()
    return Labels(labels.path)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def key(folder, name="a.jpg", page=0):
    return str(folder / name), page


def test_a_label_is_a_line_at_once(labels, path, tmp_path):
    labels.put(key(tmp_path), {"text": "407", "boxes": [[1, 2, 3, 4]]})
    assert path.read_bytes() == b'{"file": "a.jpg", "text": "407", "boxes": [[1, 2, 3, 4]]}\n'
    labels.put(key(tmp_path, "b.tif", 2), {"text": "", "boxes": []})
    assert lines(path)[1] == {"file": "b.tif", "page": 3, "text": "", "boxes": []}


@pytest.mark.parametrize("name", [".", "/", "made", "a" * 300])
def test_a_folder_or_a_name_that_is_too_long_is_no_file_of_labels(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made").mkdir()
    with pytest.raises(OutputError, match=r"cannot be written .*; name a file that can be by --output"):
        Labels(Path(name))
    assert [one.name for one in tmp_path.iterdir()] == ["made"]


def test_pictures_of_a_subfolder_are_a_group_and_those_elsewhere_have_their_whole_path(labels, path, tmp_path):
    for one in (tmp_path / "meter 3" / "a.jpg", tmp_path.parent / "b.jpg"):
        labels.put((str(one), 0), {"label": 7})
    assert lines(path) == [
        {"file": os.path.join("meter 3", "a.jpg"), "group": "meter 3", "label": 7},  # noqa: PTH118
        {"file": str(tmp_path.parent / "b.jpg"), "label": 7},
    ]


def test_a_label_that_is_changed_or_removed_leaves_the_others(labels, path, tmp_path):
    for name in "abc":
        labels.put(key(tmp_path, name), {"text": name})
    labels.put(key(tmp_path, "b"), {"label": 7})
    assert [(row["file"], row.get("text")) for row in lines(path)] == [("a", "a"), ("b", None), ("c", "c")]
    assert labels.remove(key(tmp_path, "b")) == {"file": "b", "label": 7}
    assert [row["file"] for row in lines(path)] == ["a", "c"]
    assert sorted(one.name for one in tmp_path.iterdir()) == [".labels.jsonl.notes", "labels.jsonl"]


def test_the_next_run_goes_on_and_keeps_what_others_wrote(path, tmp_path):
    path.write_text(
        '{"file": "a.jpg", "text": "1", "group": "ann", "part": "test"}\n\n{"file": "gone.jpg", "text": "2"}'
    )
    labels = Labels(path)
    assert list(labels.rows) == [key(tmp_path), key(tmp_path, "gone.jpg")]
    labels.put(key(tmp_path), {"text": "3", "boxes": []})
    labels.put(key(tmp_path, "c.jpg"), {"text": "4"})
    assert lines(path) == [
        {"file": "a.jpg", "group": "ann", "part": "test", "text": "3", "boxes": []},
        {"file": "gone.jpg", "text": "2"},
        {"file": "c.jpg", "text": "4"},
    ]
    rows = labels.rows
    labels = again(labels)
    assert labels.rows == rows
    labels.close()


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.integers(1, 60))
def test_a_line_that_a_power_cut_left_unfinished_is_removed(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "labels.jsonl"
    whole, half = b'{"file": "a.jpg", "text": "407"}\n', b'{"file": "b.jpg", "text": "12", "boxes": [[1, 2, 3, 4]]}\n'
    path.write_bytes(whole + half[:cut])
    labels = Labels(path)
    labels.put(key(path.parent, "c.jpg"), {"text": "5"})
    labels.close()
    files = [row["file"] for row in lines(path)]
    assert files == (["a.jpg", "b.jpg", "c.jpg"] if cut >= len(half) - 1 else ["a.jpg", "c.jpg"])


@pytest.mark.parametrize(
    "content",
    [
        '[\n {"file": "a.jpg", "text": "1"}\n]\n',
        '{"schema": "digitocr/2", "source": "a.jpg", "text": "1"}\n',
        "notes\n",
        '{"file": 7}\n',
        '{"file": "a", "page": "b"}\n',
    ],
)
def test_another_file_is_left_as_it_is(content, path):
    path.write_text(content)
    with pytest.raises(OutputError, match=r"labels.jsonl:1: is not a line of digitocr label; name another file"):
        Labels(path)
    assert path.read_text() == content
    path.unlink()
    Labels(path).close()  # and is not locked


def test_one_process_writes_a_file(labels, path):
    with pytest.raises(OutputError, match="another digitocr label is writing it"):
        Labels(path)
    again(labels).close()


def test_what_cannot_be_written_is_told(tmp_path, path):
    for wrong in (tmp_path / "none" / "labels.jsonl", tmp_path):
        with pytest.raises(OutputError, match="cannot be written"):
            Labels(wrong)
    (tmp_path / "labels.jsonl").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        Labels(path)


def test_where_the_disk_is_full_the_file_is_as_before(labels, path, tmp_path, monkeypatch):
    labels.put(key(tmp_path), {"text": "407"})
    before = path.read_bytes()
    written = os.write
    monkeypatch.setattr(module.os, "write", lambda descriptor, line: written(descriptor, line[:9]))
    with pytest.raises(OutputError, match="No space left on device"):
        labels.put(key(tmp_path, "b.jpg"), {"text": "1"})
    monkeypatch.undo()
    assert path.read_bytes() == before
    monkeypatch.setattr(labels, "_rewrite", lambda: (_ for _ in ()).throw(OSError(errno.EROFS, "Read-only")))
    for change in (lambda: labels.put(key(tmp_path), {"text": "2"}), lambda: labels.remove(key(tmp_path))):
        with pytest.raises(OutputError, match="Read-only"):
            change()
    monkeypatch.undo()
    assert path.read_bytes() == before
    labels.put(key(tmp_path, "b.jpg"), {"text": "1"})
    assert [row["text"] for row in lines(path)] == ["407", "1"]


def test_notes_are_kept_for_the_next_run(labels, tmp_path):
    labels.note({"file": "a.jpg", "skipped": True})
    labels = again(labels)
    labels.note({"file": "b.jpg", "skipped": True})
    with (tmp_path / ".labels.jsonl.notes").open("ab") as notes:
        notes.write(b'{"file": "c.')
    labels = again(labels)
    assert [note["file"] for note in labels.notes()] == ["a.jpg", "b.jpg"]
    labels.close()
    labels.note({"file": "d.jpg"})  # a reading that comes too late is no error


@pytest.mark.parametrize("name", [" a.jpg", "ä\u2028\n.jpg", os.fsdecode(b"\xff.jpg"), '"\\.jpg', "#1?.jpg"])
def test_any_name_comes_back(name, labels, path, tmp_path):
    labels.put(key(tmp_path, name), {"text": "1"})
    assert len(path.read_bytes().splitlines()) == 1
    labels = again(labels)
    assert list(labels.rows) == [key(tmp_path, name)]
    labels.close()
