import os

import pytest

from digitocr.runtime.files import replacing


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
