import os
from pathlib import Path

import pytest

from digitocr.cli.batch import folder as module
from digitocr.cli.batch.folder import Folder
from digitocr.runtime.errors import InputError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A function that makes files of these names, and subfolders where a name ends in a slash."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir() if name.endswith("/") else path.touch()

    return make


def listed(path, recursive=False, skip=frozenset()):
    """What is in the folder, errors as text, and what was left out."""
    folder = Folder(path, recursive, skip)
    return list(map(str, folder)), folder.left_out


def test_pictures_of_every_suffix_come_by_name(tree):
    pictures = [f"in/{number:02}{suffix}" for number, suffix in enumerate(sorted(module.SUFFIXES))]
    tree(*pictures)
    assert listed("in") == (pictures, "")
    assert {".jpg", ".jpeg", ".jfif", ".jpe", ".tif", ".png"} <= module.SUFFIXES


def test_what_is_left_out_is_counted_with_what_to_do(tree, monkeypatch):
    monkeypatch.setattr(module, "_is_readable", lambda suffix: suffix in module.SUFFIXES)  # without HEIF and AVIF
    tree("in/a.png", "in/b.HEIC", "in/c.heif", "in/d.avif", "in/e.pdf", "in/f.mp4", "in/g.mov", "in/h.txt", "in/i/")
    tree("in/.j.png", "in/.DS_Store", "in/.git/")
    Path("in/k").symlink_to("i")
    assert listed("in") == (
        ["in/a.png"],
        "left out 2 HEIC (type: pip install 'digitocr[heif]'), 1 AVIF (type: pip install --upgrade pillow), "
        "1 PDF (save the pages as PNG), 2 videos (use digitocr webcam --source FILE), "
        "1 hidden picture (name them one by one), 1 other file, 1 subfolder (add --recursive), "
        "1 linked folder (to read one, name it as well)",
    )


def test_what_can_be_read_is_not_left_out(tree, monkeypatch):
    monkeypatch.setattr(module, "_is_readable", lambda _: True)
    tree("in/a.heic", "in/b.avif")
    assert listed("in") == (["in/a.heic", "in/b.avif"], "")


def test_subfolders_are_read_behind_the_files_and_links_to_folders_are_not_followed(tree):
    tree("in/b/2.png", "in/b/1.png", "in/a/deep/er/3.png", "in/z.png", "in/notes.txt", "in/.hidden/5.png", "out/4.png")
    Path("in/b/up").symlink_to("..")
    names = ["in/z.png", "in/a/deep/er/3.png", "in/b/1.png", "in/b/2.png"]
    assert listed("in", recursive=True) == (
        names,
        "left out 1 other file, 1 linked folder (to read one, name it as well)",
    )
    assert listed(".", recursive=True, skip={os.path.realpath("in")}) == (["out/4.png"], "")


def test_a_folder_without_pictures_is_an_error_that_says_what_it_holds(tree):
    tree("empty/", "in/notes.txt", "in/sub/a.png")
    with pytest.raises(InputError, match=r"^empty: the folder holds no pictures \(\.bmp, .*\.webp\)$"):
        listed("empty")
    with pytest.raises(InputError, match=r"; left out 1 other file, 1 subfolder \(add --recursive\)$"):
        listed("in")
    assert listed("in", recursive=True)[0] == ["in/sub/a.png"]


def test_what_only_looks_like_a_picture_is_left_to_the_reader_and_a_folder_is_none(tree):
    tree("in/folder.png/")
    Path("in/broken.png").symlink_to("nowhere")
    os.mkfifo("in/pipe.png")
    assert listed("in")[0] == ["in/broken.png", "in/pipe.png"]


def test_a_link_that_leads_to_itself_hides_nothing_else(tree):
    tree("in/a.png")
    Path("in/b.png").symlink_to("b.png")
    Path("in/c").symlink_to("c")
    assert listed("in", recursive=True) == (["in/a.png", "in/b.png"], "left out 1 other file")


def test_a_folder_that_cannot_be_read_is_an_error_and_of_a_subfolder_one_of_many(tree, monkeypatch):
    tree("in/a.png", "in/locked/b.png", "in/open/c.png")
    scandir = os.scandir

    def refuse(path):
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match=r"in/locked: the folder cannot be read \(Permission denied\)"):
        listed("in/locked")
    error = "in/locked: the folder cannot be read (Permission denied)"
    assert listed("in", recursive=True)[0] == ["in/a.png", error, "in/open/c.png"]
