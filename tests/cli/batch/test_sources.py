import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digitocr.cli.batch.sources import Source, expanded, is_single, loaded, paths
from digitocr.runtime.errors import InputError


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
    assert (none, good) == ("*.gif: no file matches the pattern", "in/a.png")


def test_only_one_named_picture_is_single(folder):
    assert is_single(["in/a.png"])
    assert is_single(["-"])
    assert not is_single(["in"])
    assert not is_single(["*.png"])
    assert not is_single(["in/a.png", "in/b.JPG"])


@pytest.mark.parametrize("named", ["", "x" * 5000, "nul*" + "y" * 5000])
def test_names_that_cannot_be(folder, named):
    is_single([named])
    assert names(named, "in/a.png")[1:] == ["in/a.png"]


def test_an_empty_name_is_not_the_folder_that_one_is_in(folder):
    assert names("") == ["an empty name names no picture; name a file, a folder, a glob, or - for standard input"]


def test_standard_input(monkeypatch):
    for content, error in (
        (b"some bytes", None),
        (b"", "standard input: is empty; pipe a picture into it"),
        (b"12345678901", "standard input: over 0 MB, too large for a picture"),
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


NAMES = st.text(st.characters() | st.sampled_from("*?[]./-:\0\udcff"), max_size=40)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(named=NAMES.filter(lambda named: ".." not in named and not named.startswith("/")))
@example(named="nul\0.png")
@example(named="nul*\0.png")
@example(named="[!")
@example(named="lone \ud800.png")
@example(named="~")
@example(named="http://[")
def test_any_string_is_a_picture_or_one_line_that_says_why_not(folder, monkeypatch, named):
    monkeypatch.setattr("sys.stdin", None)
    is_single([named])
    sources = list(expanded([named]))
    assert sources
    for source in map(loaded, sources):
        if not isinstance(source.picture, bytes):
            assert isinstance(source.picture, InputError)
            assert str(source.picture)
    assert list(paths([named])) == [source.picture for source in sources if isinstance(source.picture, str)]


def test_a_video_a_pdf_and_an_address_are_told_with_what_reads_them(folder):
    for name in ("clip.MP4", "my clip.avi", "scan.pdf"):
        (folder / name).write_bytes(b"no picture")
    for named, why in (
        ("clip.MP4", "clip.MP4: is a video; read it with: digitocr webcam --source clip.MP4"),
        ("my clip.avi", "my clip.avi: is a video; read it with: digitocr webcam --source 'my clip.avi'"),
        ("scan.pdf", "scan.pdf: is a PDF; save its pages as PNG first"),
        ("gone.mp4", "gone.mp4: cannot be read (No such file"),
        ("http://host/a.jpg?b=[1]", "http://host/a.jpg?b=[1]: is an address and not a file; download the picture"),
        ("rtsp://user:secret@cam/1", "rtsp://cam/1: is an address and not a file"),
    ):
        (source,) = map(loaded, expanded([named]))
        assert str(source.picture).startswith(why)
        assert "secret" not in source.name


def test_what_is_left_out_of_folders_is_noted_and_subfolders_can_be_read(folder):
    (folder / "in" / "sub").mkdir()
    (folder / "in" / "sub" / "d.png").touch()
    notes = []
    assert [source.name for source in expanded(["in", "in/*"], note=notes.append)][:3] == names("in")
    assert notes == ["in: left out 1 other file, 1 subfolder (add --recursive)"]
    everything = [source.name for source in expanded(["in"], recursive=True, note=notes.append)]
    assert everything == [*names("in"), "in/sub/d.png"]
    assert notes[1:] == ["in: left out 1 other file"]
    skip = {os.path.realpath("in/sub")}
    assert [source.name for source in expanded(["in"], True, skip, notes.append)] == names("in")
    assert list(paths(["in", "-"], True, skip)) == names("in")


def test_stars_stand_for_folders_and_links_that_lead_back_are_not_followed(folder):
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "deep.png").write_bytes(b"x")
    (folder / "a" / "b" / "back").symlink_to(folder)
    (folder / "a" / "again").symlink_to(folder)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "no.png").write_bytes(b"x")
    inside = [str(folder / "a" / "b" / "deep.png")]
    for pattern in ("a/**/*.png", "**/deep.png", "**/b/**/d*.png", "a/**", "**/**/deep.png", "?/**/deep.png"):
        assert [one.name for one in expanded([str(folder / pattern)])] == inside, pattern


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps the folder that it is in")
def test_in_a_folder_that_was_deleted_a_pattern_matches_nothing(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert names("**/*.png") == ["**/*.png: no file matches the pattern"]
