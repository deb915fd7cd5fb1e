import os

import pytest

from digitocr.runtime import files
from digitocr.runtime.files import (
    NotRegularError,
    TooLargeError,
    is_folder,
    is_there,
    read_json,
    read_regular,
    remove_abandoned,
    replacing,
    shown_files,
)


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_what_is_written_beside_gets_the_name_at_the_end(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with replacing(path) as beside:
        beside.write_text("new")
        assert beside.suffix == ".json"
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
def test_whatever_goes_wrong_leaves_the_old_file_and_nothing_else(error, tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as beside:  # noqa: PT012  # the block is what is tested
        beside.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_nothing_written_is_an_error_and_no_empty_file(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.json"):
        pass
    assert not names(tmp_path)


def test_content_is_synced_before_the_rename(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr("os.fsync", lambda descriptor: calls.append("sync") or sync(descriptor))
    monkeypatch.setattr("pathlib.Path.replace", lambda one, other: calls.append("rename") or replace(one, other))
    with replacing(tmp_path / "a.json") as beside:
        beside.write_text("new")
    assert calls[:2] == ["sync", "rename"]


def test_a_file_that_is_replaced_keeps_its_permissions_and_a_link_is_not_followed(tmp_path):
    path, target = tmp_path / "a.json", tmp_path / "target"
    path.write_text("old")
    path.chmod(0o604)
    with replacing(path) as beside:
        beside.write_text("new")
    assert path.stat().st_mode & 0o777 == 0o604
    target.write_text("kept")
    path.unlink()
    path.symlink_to(target)
    with replacing(path) as beside:
        beside.write_text("new")
    assert (path.read_text(), target.read_text(), path.is_symlink()) == ("new", "kept", False)


def test_the_longest_name_can_be_replaced(tmp_path):
    for name in ("a" * 250 + ".json", "\u00e4" * 125 + ".json"):
        with replacing(tmp_path / name) as beside:
            beside.write_text("new")
        assert (tmp_path / name).read_text() == "new"


def test_what_killed_processes_left_is_removed_when_it_is_old(tmp_path):
    with replacing(tmp_path / "a.json") as beside:
        beside.touch()
        left, young, other = beside, beside.with_name(".b.01234567.part.json"), tmp_path / ".a.json"
    for path in (left, young, other):
        path.write_text("half")
    for path in (left, other):
        os.utime(path, (0, 0))
    remove_abandoned(tmp_path)
    assert sorted(names(tmp_path)) == sorted(["a.json", young.name, other.name])
    remove_abandoned(tmp_path, alone=True, name="c")
    assert young.exists()
    remove_abandoned(tmp_path, alone=True)  # where nobody else writes, all
    assert sorted(names(tmp_path)) == sorted(["a.json", other.name])


def test_pipes_devices_folders_and_large_files_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # which nobody writes to
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(NotRegularError):
            read_regular(path, 10)
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_regular(tmp_path / "a", 10) == b"0123456789"
    with pytest.raises(TooLargeError):
        read_regular(tmp_path / "a", 9)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 9)


def test_a_file_that_is_longer_than_it_says_is_read_as_far_as_it_may_be():
    assert b"VmData" in read_regular("/proc/self/status", 100_000)  # says that it is empty
    with pytest.raises(TooLargeError):
        read_regular("/proc/self/status", 20)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"\0", b"1" * 5000, b'{"a": 1}\0'])
def test_json_of_any_content_is_a_value_error_or_is_read(content, tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011  # whichever says best what is wrong
        read_json(path)
    path.write_text('{"a": ["\u00e4"]}', "utf-8")
    assert read_json(path) == {"a": ["\u00e4"]}


def test_json_that_no_record_is_as_large_as_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 3)
    (tmp_path / "a.json").write_text("[12]")
    with pytest.raises(OSError, match="File too large"):
        read_json(tmp_path / "a.json")


def test_hidden_files_are_not_shown(tmp_path):
    for name in ("b.npz", "a.npz", "._a.npz", ".c.0123abcd.part.npz", "a.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in shown_files(tmp_path, "*.npz")] == ["a.npz", "b.npz"]


def test_what_may_not_be_looked_at_is_neither_there_nor_a_folder(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / ("a" * 300), tmp_path / "none" / "a", str(tmp_path / "a\0")):
        assert not is_there(path)
        assert not is_folder(path)
    assert is_there(tmp_path)
    assert is_folder(tmp_path)
