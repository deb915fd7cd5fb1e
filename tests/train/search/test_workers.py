import importlib
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from digitocr.runtime.errors import DigitocrError, UsageError
from digitocr.train.search.workers import MAX_IDLE_DEATHS, run_workers

STAND_IN = """
import os
from digitocr.runtime.errors import UsageError

def count(folder):
    number = len(os.listdir(folder))
    open(os.path.join(folder, f"{number}-{os.getpid()}"), "x").close()
    return number

def die(folder, busy):
    count(folder)
    os._exit(7)

def fail(folder, busy):
    count(folder)
    raise ConnectionError("the storage is gone")

def be_killed(folder, busy):
    count(folder)
    os.kill(os.getpid(), 9)

def die_at_work(folder, busy):
    number = count(folder)
    busy()
    if number < 5:
        os._exit(7)

def stop(folder, busy):
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
        ("die", "exit code 7; what they wrote on stderr"),
        ("fail", "ConnectionError: the storage is gone"),
        ("be_killed", "killed by signal 9, perhaps because memory ran out"),
    ],
)
def test_workers_that_die_before_they_begin_end_the_search_and_say_why(
    name: str, why: str, stand_in: ModuleType, tmp_path: Path
) -> None:
    lines: list[str] = []
    with pytest.raises(
        DigitocrError, match=f"{MAX_IDLE_DEATHS} worker processes died before they began a trial: {why}"
    ):
        run_workers(partial(getattr(stand_in, name), tmp_path / "counted"), 1, lines.append)
    assert len(list((tmp_path / "counted").iterdir())) == MAX_IDLE_DEATHS
    assert lines == ["a worker process died"] * (MAX_IDLE_DEATHS - 1)


def test_workers_that_die_at_work_are_replaced_as_long_as_there_is_work(stand_in: ModuleType, tmp_path: Path) -> None:
    lines: list[str] = []
    run_workers(partial(stand_in.die_at_work, tmp_path / "counted"), 1, lines.append)
    assert lines == ["a worker process died; its trial is repeated"] * 5


def test_an_error_of_a_worker_ends_all_of_them(stand_in: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the storage is no storage"):
        run_workers(partial(stand_in.stop, tmp_path / "counted"), 2, print)
