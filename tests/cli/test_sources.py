import pytest

from digitocr.cli.sources import is_single, read_all
from digitocr.runtime.errors import InputError


class Echo:
    """Stands in for a Reader: reads everything but what is called bad."""

    def read(self, picture):
        if "bad" in str(picture):
            raise InputError(f"{picture}: bad")
        return picture


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("b.JPG", "a.png", "bad.png", "x.txt"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "odd[1].png").touch()
    return tmp_path


def names(*sources):
    return [(name, isinstance(result, InputError)) for (name, _), result in read_all(Echo(), sources)]


def test_folders_globs_and_files_in_order(folder):
    assert names("in") == [("in/a.png", False), ("in/b.JPG", False), ("in/bad.png", True)]
    assert names("in/*.png", "in/x.txt") == [("in/a.png", False), ("in/bad.png", True), ("in/x.txt", False)]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    assert names("odd[1].png") == [("odd[1].png", False)]
    assert is_single(["odd[1].png"])


def test_what_names_nothing_is_an_error_and_the_rest_is_read(folder):
    (folder / "empty").mkdir()
    assert names("empty", "*.gif", "in/a.png") == [("empty", True), ("*.gif", True), ("in/a.png", False)]


def test_only_one_named_picture_is_single(folder):
    assert is_single(["in/a.png"])
    assert is_single(["-"])
    assert not is_single(["in"])
    assert not is_single(["*.png"])
    assert not is_single(["in/a.png", "in/b.JPG"])
