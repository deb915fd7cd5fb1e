"""Reading by several processes, as a function and as a whole command."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitocr.cli.batch.parallel import CHUNKS_PER_PROCESS, read_in_processes
from digitocr.cli.batch.sources import Source
from digitocr.cli.batch.task import CHUNK_PICTURES, Task
from digitocr.runtime.errors import ModelError

SETTINGS = (None, 1, 0.5, "auto", "auto", False, True, False, False)
DEADLY = """
import os, signal
from digitocr.cli.batch.task import Outcome, Task

class Deadly(Task):
    '''Reads nothing; the process dies of what is called deadly.'''
    def read_chunk(self, sources):
        if any("deadly" in source.name for source in sources):
            os.kill(os.getpid(), signal.SIGKILL)
        return [Outcome(source.name, source.name) for source in sources]
"""


@pytest.fixture
def deadly(tmp_path, monkeypatch):
    """A task that can be found by other processes, too."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "deadly", raising=False)
    return importlib.import_module("deadly").Deadly(*SETTINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """500 pictures of 28x28, bars of several heights, which are ones."""
    folder = tmp_path_factory.mktemp("crops")
    for number in range(500):
        crop = np.zeros((28, 28), np.uint8)
        crop[4 : 20 + number % 5, 13:16] = 250
        Image.fromarray(crop).save(folder / f"{number:03}.png")
    return folder


def test_a_picture_that_its_process_dies_of_is_an_error_and_the_others_are_read_in_order(deadly):
    names = [f"{'deadly' if number in (70, 71, 250) else 'a'}-{number}.png" for number in range(300)]
    outcomes = list(read_in_processes(deadly, (Source(name, name) for name in names), jobs=2))
    assert [outcome.name for outcome in outcomes] == names
    assert [outcome.name for outcome in outcomes if outcome.error] == [name for name in names if "deadly" in name]
    assert outcomes[70].error.startswith("deadly-70.png: the process that read it died")


def test_no_more_pictures_are_taken_than_are_soon_read(deadly):
    taken = []

    def endless():
        while True:
            taken.append(Source(f"{len(taken)}.png", b"bytes"))
            yield taken[-1]

    outcomes = read_in_processes(deadly, endless(), jobs=1)
    for place in range(3 * CHUNKS_PER_PROCESS * CHUNK_PICTURES):
        assert next(outcomes).name == f"{place}.png"
        assert len(taken) <= place + 1 + CHUNKS_PER_PROCESS * CHUNK_PICTURES
    outcomes.close()


def test_errors_of_the_settings_are_raised_as_what_they_are(tmp_path):
    with pytest.raises(ModelError, match="missing"):
        list(read_in_processes(Task(tmp_path / "missing.onnx", *SETTINGS[1:]), [Source("a.png", b"bytes")], jobs=2))


def start(folder):
    """The command on the folder, and the first line that it has printed.

    It cannot end before the other lines are read, however fast it is: together they are longer than the pipe.
    """
    command = [sys.executable, "-m", "digitocr.cli.main", "predict", ".", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=folder, stdout=-1, stderr=-1, bufsize=0, pipesize=4096)
    return process, process.stdout.readline()


def ended(process):
    out, err = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    return process.wait(), out, err


def children(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def gone(pids):
    """Whether all these processes end within some seconds."""
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_nothing_is_lost_or_twice_where_processes_are_killed_from_outside(folder):
    process, first = start(folder)
    for pid in children(process):
        os.kill(pid, signal.SIGKILL)
    code, rest, err = ended(process)
    assert (code, err) == (0, b"")
    assert (first + rest).decode().splitlines() == [f"{number:03}.png\t1" for number in range(500)]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_is_ended_leaves_no_process_and_no_traceback(folder, signal_, code):
    process, _ = start(folder)
    pids = children(process)
    assert pids
    process.send_signal(signal_)
    assert ended(process)[::2] == (code, b"")
    assert gone(pids)
