import io
import os
from pathlib import Path

import pytest

from digitocr.cli.batch.sources import SUFFIXES, Source, expanded, is_single, loaded
from digitocr.runtime.errors import InputError
from digitocr.runtime.live import sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("b.JPG", "a.png", "c.png", "x.txt"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "odd[1].png").touch()
    return tmp_path


def names(*named):
    """The names of what is named; of what is no picture, its error."""
    return [str(one.picture) if isinstance(one.picture, InputError) else one.name for one in expanded(named)]


def test_predict_and_webcam_take_the_same_files_for_pictures():
    assert set(sources.SUFFIXES) == SUFFIXES  # two lists: what names pictures does without the libraries


def test_folders_globs_and_files_in_order(folder):
    assert names("in") == names("in/") == names("./in") == ["in/a.png", "in/b.JPG", "in/c.png"]
    assert names("in/*.png", "in/x.txt") == ["in/a.png", "in/c.png", "in/x.txt"]
    assert names(".") == ["odd[1].png"]
    assert names(str(folder)) == [str(folder / "odd[1].png")]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    assert names("odd[1].png") == names("./odd[1].png") == ["odd[1].png"]
    assert is_single(["odd[1].png"])


def test_what_names_nothing_is_an_error_and_the_rest_is_read(folder):
    (folder / "empty").mkdir()
    empty, none, good = names("empty", "*.gif", "in/a.png")
    assert empty.startswith("empty: the folder holds no pictures")
    assert (none, good) == ("*.gif: no file is named like that", "in/a.png")


def test_only_one_named_picture_is_single(folder):
    assert is_single(["in/a.png"])
    assert is_single(["-"])
    assert not is_single(["in"])
    assert not is_single(["*.png"])
    assert not is_single(["in/a.png", "in/b.JPG"])


def test_what_lies_in_a_folder_under_a_picture_s_name(folder):
    (folder / "odd").mkdir()
    (folder / "odd" / "folder.png").mkdir()
    (folder / "odd" / "broken.png").symlink_to("nowhere")
    assert names("odd") == ["odd/broken.png"]  # for the reader to refuse; a folder is left out


@pytest.mark.parametrize("named", ["", "x" * 5000, "nul*" + "y" * 5000])
def test_names_that_cannot_be(folder, named):
    is_single([named])
    assert names(named, "in/a.png")[1:] == ["in/a.png"]


def test_an_empty_name_is_not_the_folder_that_one_is_in(folder):
    assert names("") == ["an empty name is no picture; name a file, a folder, a glob, or - for standard input"]


def test_a_folder_that_cannot_be_read_is_an_error(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    assert names("in") == ["in: the folder cannot be read (Permission denied)"]


def test_standard_input(monkeypatch):
    for content, error in (
        (b"some bytes", None),
        (b"", "standard input: is empty; pipe a picture into it"),
        (b"12345678901", "standard input: over 0 MB, which is no picture"),
    ):
        monkeypatch.setattr("digitocr.cli.batch.sources.MAX_BYTES", 10)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        ((name, picture),) = expanded(["-"])
        assert name == "-"
        assert str(picture) == (error or str(content))
    monkeypatch.setattr("sys.stdin", None)
    assert names("-") == ["standard input: is a terminal or closed; pipe a picture into it"]


def test_the_content_is_loaded_and_what_has_none_is_its_error(folder, monkeypatch):
    os.mkfifo("pipe.png")
    Path("a.png").write_bytes(b"bytes")
    Path("large.png").write_bytes(bytes(11))
    monkeypatch.setattr("digitocr.cli.batch.sources.MAX_BYTES", 10)
    assert loaded(Source("name.png", "a.png")) == Source("name.png", b"bytes")
    for name, why in (
        ("pipe.png", "is a folder or a device"),
        ("gone.png", "cannot be read (No such file"),
        ("large.png", "over 0 MB"),
        ("in", "is a folder or a device"),
    ):
        error = loaded(Source(name, name)).picture
        assert isinstance(error, InputError)
        assert str(error).startswith(f"{name}: {why}")
    unchanged = Source("b.png", InputError("b.png: why"))
    assert loaded(unchanged) is unchanged
