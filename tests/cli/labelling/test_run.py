"""The command label, as whole processes."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from digitocr.cli.batch.task import Task
from digitocr.cli.labelling import run
from digitocr.cli.labelling.labels import Labels
from digitocr.runtime.errors import DeviceError, InputError, ModelError, OutputError, UsageError
from digitocr.train.sources.load import read_source
from digitocr.train.synthesis.pages import draw_page, random_style

COMMAND = [sys.executable, "-m", "digitocr.cli.main", "label"]


class Run:
    """A run of the command whose page is asked."""

    def __init__(self, *words):
        command = [*COMMAND, *map(str, words), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = []
        while not self.said or "open http" not in self.said[-1]:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said.append(line.rstrip())
        self.address = self.said[-1].split()[-1]
        with urlopen(self.address, timeout=60) as page:
            self._run = re.search(r'const RUN = "(\w+)"', page.read().decode())[1]

    def ask(self, path, sent=None):
        content = None if sent is None else json.dumps(sent).encode()
        with urlopen(Request(self.address + path, content, {"X-Run": self._run}), timeout=60) as answer:
            return json.load(answer)

    def next(self, seconds=120):
        """The next picture, once it is read, or the counts when there is none."""
        end = time.monotonic() + seconds
        while "id" not in (item := self.ask("next?have=")) and item["reading"]:
            assert time.monotonic() < end
            time.sleep(0.05)
        return item

    def end(self, number):
        """Exit code and standard error, after a signal."""
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=60)
        assert out == ""
        return self.process.returncode, error


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my meter"
    folder.mkdir()
    for name, text in (("a.png", "407"), ("b.png", "38")):
        rng = np.random.default_rng(2)
        style = random_style(rng, (320, 240), light_on_dark=False)
        Image.fromarray(draw_page([text], rng, style).image).save(folder / name)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_what_was_labelled_survives_a_kill_and_the_next_run_goes_on(folder):
    page = Run(folder)
    first = page.next()
    sent = {"id": first["id"], "text": "12", "boxes": first["boxes"][:2], "turned": 0}
    page.ask("label", sent)
    assert page.end(signal.SIGKILL)[0] == -signal.SIGKILL
    labels = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    assert [label["text"] for label in labels] == ["12"]

    page = Run(folder)
    second = page.next()
    assert {Path(first["name"]).name, Path(second["name"]).name} == {"a.png", "b.png"}
    page.ask("skip", {"id": second["id"]})
    while "id" not in (last := page.next()) and not last["counts"]["unreadable"]:
        time.sleep(0.05)
    with pytest.raises(OutputError, match="another digitocr label is writing it"):
        Labels(folder / "labels.jsonl")
    code, error = page.end(signal.SIGINT)
    assert code == 0
    assert f"{folder}/broken.png: not a picture that can be read" in error
    assert "digitocr: 1 of 3 pictures labelled, 1 skipped, 1 unreadable\n" in error
    assert error.endswith(f"digitocr: look at the labels by: digitocr data check '{folder}/labels.jsonl'\n")
    assert read_source(folder).labels.tolist() == [1, 2]


def task(model=None, mode="auto"):
    return Task(model, 1, 0.5, mode, "auto", True, True, False, False)


@pytest.mark.parametrize(
    ("words", "output", "error", "why"),
    [
        (["empty"], None, InputError, "the folder holds no pictures"),
        (["nothing.png"], None, InputError, "nothing.png: does not exist"),
        (["-"], None, UsageError, "standard input"),
        (["a.png"], "none/labels.jsonl", OutputError, "cannot be written"),
        (["a.png"], "notes.txt", OutputError, "is not a line of digitocr label"),
    ],
)
def test_what_cannot_be_done_is_an_error(words, output, error, why, folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("notes\n")
    with pytest.raises(error, match=why):
        run.run(words, False, output and Path(output), 0, task(), 1, True)


def test_a_network_that_cannot_be_used_ends_the_run(folder):
    with pytest.raises(ModelError, match=r"broken.png"):
        run.run([str(folder)], False, None, 0, task(folder / "broken.png"), 1, True)


def test_other_labels_in_the_folder_are_named(folder):
    path = folder / "labels.jsonl"
    assert run.rival_of(path) == ""
    (folder / "labels.csv").write_text("file,label\n")
    assert run.rival_of(path) == f"labels.jsonl comes before {folder}/labels.csv where the folder is given as --data"
    for first in ("none", "7", "labels.json"):
        (folder / first).mkdir()
        assert run.rival_of(path).startswith(f"{folder / first} comes before labels.jsonl where the folder is given")


def test_a_reading_counts_as_long_as_its_networks_and_settings_do(tmp_path):
    network = tmp_path / "own.onnx"
    network.write_bytes(b"1")
    plain, own, other = (
        run.settings_of(task(model, mode)) for model, mode in ((None, "auto"), (network, "auto"), (network, "line"))
    )
    network.write_bytes(b"22")
    again = run.settings_of(task(network))
    assert len({plain, own, other, again}) == 4


def test_labels_are_closed_where_a_run_does_not_begin(folder, monkeypatch):
    def refuse(*_):
        raise DeviceError("port 1 is taken")

    monkeypatch.setattr(run, "LabelPage", refuse)
    with pytest.raises(DeviceError):
        run.run([str(folder)], False, None, 1, task(), 1, True)
    Labels(folder / "labels.jsonl").close()
