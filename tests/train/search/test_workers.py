import importlib
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from digitocr.runtime.errors import DigitocrError, UsageError
from digitocr.train.search.workers import MAX_DEATHS, run_workers

STAND_IN = """
import os
from digitocr.runtime.errors import UsageError

def count(folder):
    number = len(os.listdir(folder))
    open(os.path.join(folder, f"{number}-{os.getpid()}"), "x").close()
    return number

def die(folder, progress):
    count(folder)
    os._exit(7)

def fail(folder, progress):
    count(folder)
    raise ConnectionError("the storage is gone")

def be_killed(folder, progress):
    count(folder)
    os.kill(os.getpid(), 9)

def die_now_and_then(folder, progress):
    number = count(folder)
    if number % 2:
        progress()
    if number < 11:
        os._exit(7)

def stop(folder, progress):
    raise UsageError("the storage is no storage")
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module whose functions worker processes find as well."""
    (tmp_path / "worker_stand_in.py").write_text(STAND_IN)
    (tmp_path / "counted").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("worker_stand_in")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("die", "exit code 7; what it wrote on stderr"),
        ("fail", "ConnectionError: the storage is gone"),
        ("be_killed", "killed by signal 9, perhaps because memory ran out"),
    ],
)
def test_workers_that_die_without_progress_end_the_search_and_say_why(
    name: str, why: str, stand_in: ModuleType, tmp_path: Path
) -> None:
    lines: list[str] = []
    with pytest.raises(DigitocrError, match=f"^{MAX_DEATHS} worker processes died one after the other: {why}"):
        run_workers(partial(getattr(stand_in, name), tmp_path / "counted"), 1, lines.append)
    assert len(list((tmp_path / "counted").iterdir())) == MAX_DEATHS
    assert len(lines) == MAX_DEATHS - 1
    assert all(line.startswith(f"a worker process died and is replaced: {why}") for line in lines)


def test_workers_that_die_are_replaced_as_long_as_there_is_progress(stand_in: ModuleType, tmp_path: Path) -> None:
    lines: list[str] = []
    run_workers(partial(stand_in.die_now_and_then, tmp_path / "counted"), 1, lines.append)
    assert len(lines) == 11 > MAX_DEATHS


def test_an_error_of_a_worker_ends_all_of_them(stand_in: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the storage is no storage"):
        run_workers(partial(stand_in.stop, tmp_path / "counted"), 2, print)
