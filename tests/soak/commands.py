"""The commands that are killed, each on data that are drawn and small; what each has promised, and its end result."""

import importlib
import json
import os
import re
import signal
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import adapting
import numpy as np
from attempts import DAMAGED, Attempt, aside
from drawn import bars

from digitocr.runtime import trial
from digitocr.runtime.errors import InputError
from digitocr.runtime.files import shown_files

IMAGES = 240  # drawn digits to train with
PICTURES = 40  # that predict reads
LABELLED = 12  # pictures that are labelled
FRAMES = 45  # of the video that is recorded
SIZES = {"classifier": "model.keras", "recognizer": "recognizer.keras", "detector": "detector.keras"}


class Command:
    """A command, and what is known of its folder.

    Attributes:
        modules: Loaded before the command is started, so that it is killed in its work.
        folder: Where it works.
    """

    modules: tuple[str, ...] = ()

    def __init__(self, folder: Path, inputs: Path) -> None:
        self.folder, self.inputs = folder, inputs
        folder.mkdir()

    @classmethod
    def load(cls, inputs: Path) -> None:
        """Loads the modules, and draws what the command reads into a folder that all runs share.

        What only takes time is left out: functions of TensorFlow are not traced, which takes longer than these few
        steps, and files that the command has just exported are not tried in a process of their own.
        """
        for name in cls.modules:
            importlib.import_module(name)
        if "tensorflow" in sys.modules:
            sys.modules["tensorflow"].config.run_functions_eagerly(True)
        trial.tried = lambda *_: None
        aside(lambda: cls.draw(inputs))
        cls.patch()

    @classmethod
    def draw(cls, inputs: Path) -> None:
        """Draws what the command reads."""

    @classmethod
    def patch(cls) -> None:
        """Makes the command do little work."""

    def words(self) -> list[str]:
        """The command line to begin with, or to go on with."""
        raise NotImplementedError

    def work(self, attempt: Attempt, seconds: float) -> None:
        """Waits until the command ends, and kills it after so many seconds."""
        attempt.wait(seconds)

    def ended(self, attempt: Attempt) -> bool:
        """Whether it has ended as it should; a later run may say that there is nothing left to do."""
        return attempt.code == 0

    def reported(self) -> dict[str, Any]:
        """What it has said to be done, by name: none of it may be lost later, or change."""
        return {}

    def halves(self) -> list[str]:
        """Files that have their name and are not whole."""
        found = []
        for path in self.folder.rglob("*"):
            if path.name.startswith(".") or not path.is_file() or path.name.endswith(("lock", "journal.log")):
                continue
            if DAMAGED in path.name:
                continue
            try:
                _whole(path)
            except Exception as error:
                found.append(f"{path.name} is not whole: {type(error).__name__}")
        return found

    def left(self) -> list[str]:
        """Names of what lies in the folder when all is done."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def result(self) -> Any:
        """The end result, the same for a run that was not killed."""
        raise NotImplementedError


def _whole(path: Path) -> None:
    """Raises an exception if a file is not whole."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():
                raise ValueError
    elif path.suffix == ".json":
        json.loads(path.read_text("utf-8"))
    elif path.suffix == ".onnx":
        import onnx

        onnx.checker.check_model(str(path))
    elif path.suffix == ".avi":
        if not frames_of(path):
            raise ValueError
    elif path.suffix in (".csv", ".md", ".h", ".html", ".svg"):
        if not path.read_text("utf-8").endswith(("\n", ">")):
            raise ValueError
    elif not path.stat().st_size:
        raise ValueError


def frames_of(path: Path) -> int:
    """How many frames a video has; 0 if it has not as many as it says."""
    import cv2

    video, count = cv2.VideoCapture(str(path)), 0
    while video.read()[0]:
        count += 1
    return count if count == video.get(cv2.CAP_PROP_FRAME_COUNT) else 0


def weights_of(path: Path) -> list[float]:
    """Sums over the weights of a .keras file, rounded to what the order of additions leaves the same."""
    import keras

    network = keras.saving.load_model(path, compile=False)
    return [float(f"{np.abs(weight).sum():.3g}") for weight in network.get_weights()]


class Predict(Command):
    """Pictures of one digit, read into a file of lines that is resumed."""

    modules = ("digitocr.cli.commands.predict", "digitocr.runtime.reader", "cv2", "onnxruntime", "multiprocessing")

    @classmethod
    def draw(cls, inputs: Path) -> None:
        from PIL import Image

        images, _ = bars(PICTURES)
        for number, image in enumerate(images):
            Image.fromarray(image).save(inputs / f"{number:03}.png")

    def words(self) -> list[str]:
        return [
            "predict",
            str(self.inputs),
            "--mode",
            "single",
            "--output",
            "out.jsonl",
            "--jsonl",
            "--resume",
            "--quiet",
        ]

    def reported(self) -> dict[str, Any]:
        path = self.folder / "out.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        rows = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return {row["source"]: row for row in rows}

    def halves(self) -> list[str]:
        return []  # the file is whole at every line, and the last line is taken back by --resume

    def result(self) -> Any:
        lines = (self.folder / "out.jsonl").read_text("utf-8").splitlines()
        return [{name: value for name, value in json.loads(line).items() if name != "ms"} for line in lines]


class Train(Command):
    """A classifier over three epochs."""

    modules = ("digitocr.cli.commands.train", "digitocr.train.adapt.fit", "digitocr.train.classifier.fit",
               "digitocr.train.detector.fit", "digitocr.train.recognizer.fit", "digitocr.train.sources.load",
               "matplotlib.backends.backend_agg", "digitocr.train.memory")  # fmt: skip

    @classmethod
    def draw(cls, inputs: Path) -> None:
        images, labels = bars(IMAGES)
        np.savez(inputs / "bars.npz", x=images, y=labels)

    def words(self) -> list[str]:
        data = ["--data", str(self.inputs / "bars.npz")]
        if (self.folder / "run" / "run.json").exists():
            return ["train", "--resume", "run", *data]
        return ["train", "--experiment", "1", "--epochs", "3", "--batch-size", "64", "--out", "run", *data]

    def ended(self, attempt: Attempt) -> bool:
        return attempt.code == 0 or (attempt.code == 2 and "is finished" in attempt.err)

    def reported(self) -> dict[str, Any]:
        path = self.folder / "run" / "history.csv"
        rows = [line.split(",") for line in path.read_text("utf-8").splitlines()[1:]] if path.exists() else []
        return {f"epoch {row[0]}": [f"{float(value):.3f}" for value in row[1:-1]] for row in rows}

    def result(self) -> Any:
        metrics = json.loads((self.folder / "run" / "metrics.json").read_text("utf-8"))
        return (
            self.left(),
            self.reported(),
            metrics["test"]["confusion"],
            weights_of(self.folder / "run" / "model.keras"),
        )


class Export(Command):
    """A classifier as int8 ONNX and TFLite, with cards, reports and golden vectors."""

    modules = ("digitocr.cli.commands.export", "digitocr.export.classifier", "digitocr.train.detector.network",
               "digitocr.train.recognizer.network", "digitocr.train.sources.load", "digitocr.train.synthesis.fonts",
               "onnx", "digitocr.export.graph_to_tflite", "digitocr.export.golden")  # fmt: skip

    @classmethod
    def draw(cls, inputs: Path) -> None:
        Train.draw(inputs)
        from digitocr.train.classifier.network import Experiment, build_network

        build_network(Experiment(1, 3, "max", False, False, filters=2, dense=8)).save(inputs / "model.keras")

    def words(self) -> list[str]:
        model, data = str(self.inputs / "model.keras"), str(self.inputs / "bars.npz")
        return ["export", "--model", model, "--data", data, "--max-changed", "10000", "--max-drop", "100",
                "--out", "out", "--force"]  # fmt: skip

    def result(self) -> Any:
        # a hidden part of a killed one is removed by an export that begins an hour later
        return {name: (self.folder / name).read_bytes() for name in self.left() if ".part" not in name}


class Study(Command):
    """Two networks, of which one is the paper's; the report is left out, which is made of what the runs have left."""

    modules = ("digitocr.cli.commands.study", "digitocr.export.classifier", "digitocr.train.paper.study",
               "digitocr.train.paper.report", "digitocr.train.paper.verdicts", "digitocr.train.sources.load",
               "onnx", "digitocr.export.golden")  # fmt: skip

    @classmethod
    def draw(cls, inputs: Path) -> None:
        Train.draw(inputs)

    @classmethod
    def patch(cls) -> None:
        from digitocr.train.classifier.network import EXPERIMENTS, Experiment
        from digitocr.train.paper import report, study, verdicts

        small = Experiment(1, 3, "max", False, False, filters=2, dense=8)
        EXPERIMENTS[1] = replace(small, dropout=True)
        study.cells = lambda _: [EXPERIMENTS[1], small]
        study.CORRUPTIONS = dict(list(study.CORRUPTIONS.items())[:2])
        verdicts.judge = lambda *_: []
        report.pages = lambda *_: None
        report.write = lambda *_: Path("report.html")

    def words(self) -> list[str]:
        data = str(self.inputs / "bars.npz")
        return ["study", "--data", data, "--images", "120", "--epochs", "1", "--seeds", "1", "--out", "study"]

    def reported(self) -> dict[str, Any]:
        return {path.name: path.read_bytes() for path in shown_files(self.folder / "study" / "runs", "*.json")}

    def result(self) -> Any:
        rows = [json.loads(content) for _, content in sorted(self.reported().items())]
        return self.left(), [(row["cell"], row["seed"], row["test"]["errors"]) for row in rows]


class Search(Command):
    """A grid of two networks."""

    modules = ("digitocr.cli.commands.search", "digitocr.export.classifier", "digitocr.train.paper.report",
               "digitocr.train.search.search", "digitocr.train.sources.load", "onnx",
               "digitocr.export.golden")  # fmt: skip

    @classmethod
    def draw(cls, inputs: Path) -> None:
        Train.draw(inputs)

    @classmethod
    def patch(cls) -> None:
        from digitocr.train.paper import report
        from digitocr.train.search import search, space

        search.MAX_TRIES = 100  # a trial that kills its process again and again is given up, which is no loss
        every = {"conv_layers": (1,), "kernel": (3,), "stride": (2,), "pooling": ("max",), "batch_norm": (False,)}
        space.SPACES["paper"] = {**every, "dropout": (False, True), "filters": (4,), "dense": (16,)}
        report.search_pages = lambda *_: None
        report.write = lambda *_: Path("report.html")

    def words(self) -> list[str]:
        data = str(self.inputs / "bars.npz")
        plan = ["--space", "paper", "--sampler", "grid", "--epochs", "1"]
        return ["search", "--data", data, *plan, "--out", "search"]

    def _trials(self) -> list[dict[str, Any]]:
        from digitocr.train.search.search import read_results

        if not (self.folder / "search" / "id").exists():
            return []
        try:
            return read_results(self.folder / "search")["trials"]
        except InputError as error:
            if isinstance(error.__cause__, KeyError):  # the study has no plan yet
                return []
            raise

    def reported(self) -> dict[str, Any]:
        done = [trial for trial in self._trials() if trial["state"] in ("complete", "pruned")]
        return {str(trial["number"]): trial for trial in done}

    def halves(self) -> list[str]:
        models = {trial["number"] for trial in self._trials() if trial["state"] == "complete"}
        lacking = [number for number in models if not (self.folder / f"search/models/{number}.keras").exists()]
        return super().halves() + [f"trial {number} has no network" for number in lacking]

    def result(self) -> Any:
        done = self.reported().values()
        named = [name for name in self.left() if not re.search(r"models/\d+\.keras", name)]
        return named, sorted(json.dumps(trial["params"], sort_keys=True) for trial in done)


class Record(Command):
    """A drawn video, read and recorded."""

    modules = ("digitocr.cli.commands.webcam", "digitocr.cli.live.webcam", "digitocr.runtime.reader")

    @classmethod
    def draw(cls, inputs: Path) -> None:
        import cv2

        from digitocr.train.synthesis.pages import Style, draw_page

        page = draw_page(["407"], np.random.default_rng(5), Style((320, 240), digit_height=80)).image
        writer = cv2.VideoWriter(str(inputs / "clip.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 30, (320, 240))
        for _ in range(FRAMES):
            writer.write(np.ascontiguousarray(page[:, :, ::-1]))
        writer.release()

    def words(self) -> list[str]:
        clip = str(self.inputs / "clip.avi")
        return ["webcam", "--source", clip, "--view", "none", "--record", "record.avi", "--force"]

    def result(self) -> Any:
        named = [name for name in self.left() if ".part" not in name and DAMAGED not in name]
        return named, frames_of(self.folder / "record.avi")


class Label(Command):
    """Pictures of one digit, labelled on the page by a program."""

    modules = ("digitocr.cli.commands.label", "digitocr.cli.labelling.run")

    def __init__(self, folder: Path, inputs: Path) -> None:
        super().__init__(folder, inputs)
        self._said: dict[str, Any] = {}

    @classmethod
    def draw(cls, inputs: Path) -> None:
        from PIL import Image

        for number, image in enumerate(bars(LABELLED)[0]):
            Image.fromarray(image).save(inputs / f"{number:03}.png")

    def words(self) -> list[str]:
        return ["label", str(self.inputs), "--output", "labels.jsonl", "--port", "0", "--mode", "single"]

    def work(self, attempt: Attempt, seconds: float) -> None:
        end, address, run, seen = time.monotonic() + seconds, "", "", set[str]()
        while attempt.is_running() and time.monotonic() < end:
            try:
                if not address:
                    found = re.search(r"open (http\S+)", attempt.err)
                    address = found[1] if found else ""
                    time.sleep(0.002)
                elif not run:
                    run = re.search(r'const RUN = "(\w+)"', _asked(address, "").decode())[1]
                else:
                    item = json.loads(_asked(f"{address}next?have=", run))
                    if "id" in item:
                        name = Path(item["name"]).name
                        text = str(int(name[:3]) % 10)
                        # the boxes are those that it has read, as many as the text has digits, or none
                        sent = {"id": item["id"], "text": text, "boxes": [[6, 4, 16, 20]], "turned": 0}
                        _asked(f"{address}label", run, sent)
                        self._said[name] = text
                        seen.add(name)
                    elif not item["reading"]:
                        os.kill(attempt.pid, signal.SIGINT)
                        attempt.wait(max(0.0, end - time.monotonic()))
                        return
            except (URLError, OSError, ValueError):
                time.sleep(0.002)  # it was killed, or is not there yet
        attempt.kill()

    def reported(self) -> dict[str, Any]:
        return {**self._labels(), **self._said}

    def _labels(self) -> dict[str, Any]:
        path = self.folder / "labels.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        rows = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return {Path(row["file"]).name: str(row.get("text", row.get("label"))) for row in rows}

    def halves(self) -> list[str]:
        labels = self._labels()
        return [f"the label of {name} is lost" for name, text in self._said.items() if labels.get(name) != text]

    def result(self) -> Any:
        return self.left(), self._labels()


def _asked(address: str, run: str, sent: Any = None) -> bytes:
    content = None if sent is None else json.dumps(sent).encode()
    with urlopen(Request(address, content, {"X-Run": run}), timeout=5) as answer:
        return answer.read()


class Adapt(Command):
    """The networks that own pictures are taught, small ones that learn for a few steps; each run begins anew.

    What a gate finds is not asked here: it passes all.
    """

    modules = (*Train.modules, "digitocr.train.adapt.gate", "digitocr.train.adapt.own")

    def __init__(self, folder: Path, inputs: Path) -> None:
        super().__init__(folder, inputs)
        self._run = 0

    @classmethod
    def draw(cls, inputs: Path) -> None:
        Train.draw(inputs)

    @classmethod
    def patch(cls) -> None:
        adapting.make_small()

    def words(self) -> list[str]:
        self._run += 1
        return ["train", "--recipe", "adapt", "--data", str(self.inputs / "bars.npz"), "--out", f"run-{self._run}"]

    def reported(self) -> dict[str, Any]:
        runs = [path for path in self.folder.glob("run-*") if self._has_ended(path)]
        return {f"{run.name}/{path.name}": path.read_bytes() for run in runs for path in run.iterdir()}

    @staticmethod
    def _has_ended(run: Path) -> bool:
        record = run / "run.json"
        return record.exists() and json.loads(record.read_text("utf-8"))["ended"] is not None

    def result(self) -> Any:
        (run,) = [path for path in self.folder.glob("run-*") if self._has_ended(path)]
        networks = {name: weights_of(run / file) for name, file in SIZES.items() if (run / file).exists()}
        return sorted(path.name for path in run.iterdir()), networks


COMMANDS: dict[str, type[Command]] = {
    "predict --output --resume": Predict,
    "train": Train,
    "train --recipe adapt": Adapt,
    "study": Study,
    "search": Search,
    "export": Export,
    "label": Label,
    "webcam --record": Record,
}
