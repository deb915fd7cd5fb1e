"""Teaching the shipped networks own pictures, as a run: a folder with the networks, and what was read before and after.

    report = fit(load_mnist(), AdaptSettings("meters/labels.json"), Path("runs/meters"))
    report["own"]["mended"], report["own"]["broken"]    # 12, 1

The folder has run.json and split.csv as every run, and

    history.csv         a row for each measurement while a network learned
    adapt.json          the report of the gate (gate.py), picture by picture
    model.keras         the classifier; recognizer.keras and detector.keras, if there were pictures to teach them
    confidence.json     the weights of the confidence, for these networks

Networks that the gate refuses are not written. Keras is imported when all is drawn: with TensorFlow this process takes
500 MB more, and the processes that draw take as much.
"""

import csv
import hashlib
import io
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import typer

from digitocr.runtime.confidence import load_confidence
from digitocr.runtime.errors import GateError, InputError, MissingExtraError, UsageError
from digitocr.runtime.models import CONFIDENCE
from digitocr.runtime.reader import Reader
from digitocr.train.adapt.drawing import DRAWN_SCENES, DRAWN_STRIPS, draw
from digitocr.train.adapt.lessons import Placed
from digitocr.train.adapt.own import Own, Picture, placed, read_own
from digitocr.train.data import Mnist, split
from digitocr.train.memory import give_back
from digitocr.train.quiet import progress_line, progress_stream
from digitocr.train.runs import ADAPTED, HISTORY, RECORD, SPLIT, Run, begin, now, train_command, versions
from digitocr.train.synthesis.fonts import find_fonts, seen
from digitocr.train.synthesis.scripts import script_fonts

if TYPE_CHECKING:
    from digitocr.train.adapt.teach import Say

FILES = {"classifier": "model.keras", "recognizer": "recognizer.keras", "detector": "detector.keras"}  # of a run
BAR_WIDTH = 20  # characters


@dataclass(frozen=True)
class AdaptSettings:
    """What an adaptation depends on besides MNIST. Raises UsageError for a seed outside its range.

    Attributes:
        data: The own pictures: a file or folder.
        seed: 0 to 2**31 - 1, of what is drawn and of the order.
        fonts: Folder of the fonts that are drawn with; empty for those of this machine.
        recipe: For the cards of exported files.
    """

    kind: ClassVar[str] = "adapt"
    model_file: ClassVar[str] = FILES["classifier"]
    epochs: ClassVar[int] = 1

    data: str
    seed: int = 0
    fonts: str = ""
    recipe: str = "adapt"

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"seed is {self.seed}; it must be 0 to 2147483647")

    @property
    def command(self) -> str:
        """The command line that repeats the run."""
        return train_command({"recipe": self.recipe, **asdict(self)})

    def font_files(self) -> list[Path]:
        """The fonts that are drawn with; those that are held out judge. Raises InputError."""
        return seen(self.all_fonts())

    def all_fonts(self) -> list[Path]:
        """The fonts that are drawn with, and those that are held out. Raises InputError."""
        return find_fonts(Path(self.fonts) if self.fonts else None)


def fit(data: Mnist, settings: AdaptSettings, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Teaches own pictures into a new folder; returns the report of the gate. Takes minutes.

    Args:
        data: MNIST, which must not be forgotten.
        settings: The settings.
        folder: The run's folder; it must not exist.
        quiet: Whether to write no progress on stderr.

    Raises:
        OutputError: The folder exists or cannot be written.
        InputError: There are no fonts, or the own pictures cannot be used.
        GateError: Own pictures are not read better, or others worse than allowed. The folder has the report, and no
            networks.
        MissingExtraError: Keras is not installed.
    """
    if find_spec("keras") is None:  # said before minutes have been spent
        raise MissingExtraError("train", "training")
    own = read_own(Path(settings.data))  # before the folder is made
    run = begin(folder, settings, data, with_versions=False)
    run.record["own"] = {
        "source": own.source,
        "digest": own.digest,
        "split": own.split,
        **{name: len(some) for name, some in (("taught", own.taught), ("held", own.held), ("test", own.test))},
    }
    run.write_json(RECORD, run.record)
    _write_split(run, own)
    taught, held = (_placed(some, Reader()) for some in (own.taught, own.held))
    if not taught:
        raise InputError(f"{own.source}: in none of its pictures it is known where the digits are; state their boxes")
    held = held or taught  # rather than not to stop at all
    progress_line(
        f"{len(taught)} of {len(own.taught)} pictures to learn from have known places of digits; "
        f"drawing {DRAWN_SCENES:,} scenes and {DRAWN_STRIPS:,} lines to learn beside them",
        quiet,
    )
    training, _ = split(data)
    drawn = draw(
        settings.seed,
        data.train_images[training],
        data.train_labels[training],
        run.fonts,
        script_fonts(settings.fonts),
        DRAWN_SCENES,
        DRAWN_STRIPS,
    )
    give_back()  # what drawing and reading have freed; TensorFlow comes on top
    from digitocr.train.adapt.gate import go_back, judged
    from digitocr.train.adapt.teach import COURSES, LOAD, is_taught, teach

    run.record["versions"] = versions()
    names = [name for name in COURSES if all(any(is_taught(one, name) for one in some) for some in (taught, held))]
    with _bar(names, quiet) as say:
        networks, history = teach(names, taught, held, drawn, data, settings.seed, say)
    del drawn  # 70 MB, which the gate does not need
    with run.writing(HISTORY) as path, path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, list(history[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows(history)

    def say_line(words: str) -> None:
        progress_line(words, quiet)

    first: dict[str, Any] = {
        name: LOAD[name]().get_weights() for name in ("recognizer", "detector") if name in networks
    }
    if first:
        go_back(networks, first, data, settings.all_fonts(), say_line)
    report = judged(networks, own.test, data, settings.all_fonts(), say_line)
    run.write_json(ADAPTED, report)
    if report["passed"]:
        _write_networks(run, networks)
    run.record["ended"] = now()
    run.record["seconds"] = history[-1]["seconds"]
    run.write_json(RECORD, run.record)
    if not report["passed"]:
        why = "; ".join(report["failures"])
        look = shlex.join(["digitocr", "report", str(folder)])
        raise GateError(f"{folder}: the networks are refused and not written: {why}; see each picture by: {look}")
    return report


def resume(folder: Path, data: Mnist, quiet: bool = False) -> dict[str, Any]:  # noqa: ARG001  # as the other kinds
    """Raises UsageError: an adaptation takes minutes, and is begun again."""
    raise UsageError(f"{folder}: an adaptation is not resumed; begin it again in a new folder")


def _placed(pictures: list[Picture], reader: Reader) -> list[Placed]:
    """The pictures whose digits have known places."""
    return [made for picture in pictures if (made := placed(picture, reader)) is not None]


@contextmanager
def _bar(names: Sequence[str], quiet: bool) -> Iterator["Say"]:
    """Shows the steps of all networks as one bar on a terminal, and elsewhere a line for each measurement."""
    from digitocr.train.adapt.teach import CHECK, COURSES

    starts = dict(zip(names, accumulate((COURSES[name].steps for name in names), initial=0), strict=False))
    stream = progress_stream(quiet)
    whole = sum(COURSES[name].steps for name in names)
    with typer.progressbar(
        length=whole, file=stream or io.StringIO(), bar_template="%(bar)s %(label)s %(info)s", width=BAR_WIDTH
    ) as bar:

        def say(name: str, step: int, steps: int, words: str) -> None:
            bar.label = f"{name}: loss {words}"
            bar.update(starts[name] + step - bar.pos)
            if step % CHECK == 0 and stream is None:
                progress_line(f"{name}: step {step} of {steps} at most, loss {words}", quiet)

        yield say
        bar.update(whole - bar.pos)


def _write_split(run: Run[AdaptSettings], own: Own) -> None:
    with run.writing(SPLIT) as path, path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("file", "text", "group", "part"))
        lines.writerows(own.rows)


def _write_networks(run: Run[AdaptSettings], networks: dict[str, Any]) -> None:
    """The networks, and the confidence for them: its weights stay, which the gate has measured with these networks."""
    ids = {}
    for name, network in networks.items():
        with run.writing(FILES[name]) as path:
            network.save(path)
            ids[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    shipped = load_confidence()
    names = zip(("classifier", "detector", "recognizer"), shipped.networks, strict=True)
    classifier, detector, recognizer = (ids.get(name, known) for name, known in names)
    whole = replace(shipped, classifier=classifier, detector=detector, recognizer=recognizer)
    with run.writing(CONFIDENCE) as path:
        path.write_text(whole.as_json(), "utf-8")
