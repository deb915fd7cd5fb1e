"""digitocr train: trains a network in the folder of a run."""

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from digitocr.cli import options
from digitocr.runtime.errors import UsageError

if TYPE_CHECKING:
    from digitocr.train import AdaptSettings, DetectorSettings, RecognizerSettings, Settings

EXAMPLES = "For example: digitocr train --recipe robust --seed 1    digitocr train --resume runs/robust-4-1"


def train(
    context: typer.Context,
    experiment: Annotated[int, typer.Option(min=1, max=4, help="Network of the paper, 1 to 4; 4 is its best.")] = 4,
    recipe: Annotated[
        Literal["paper", "best", "robust", "detector", "recognizer", "adapt"],
        typer.Option(
            help="paper: as in the paper, 4 minutes on two cores. best: for MNIST, 15 minutes. robust: for digits in "
            "real pictures, 25 minutes. detector: the network that finds digits in a picture, 40 minutes. "
            "recognizer: the network that reads lines, 45 minutes. adapt: the shipped networks learn the pictures of "
            "--data, in some minutes."
        ),
    ] = "paper",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Number of epochs; default: paper 10, best, robust 30, detector 11, recognizer 12."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images per step; default: the recipe's.")] = None,
    seed: options.Seed = 0,
    images: Annotated[
        int | None,
        typer.Option(
            min=options.MIN_IMAGES,
            help="Training images, for a lesson: 2000 with --epochs 3 take less than a minute. Default: all.",
        ),
    ] = None,
    data: options.Data = None,
    fonts: options.Fonts = None,
    start: Annotated[
        Path | None,
        typer.Option(metavar="FILE.keras", help="First weights of a detector or recognizer; default: random ones."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder for the run; default: a folder in runs/.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Continue an interrupted run from its last full epoch.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Train one of the paper's networks on MNIST, the detector on synthetic scenes, or the recognizer on drawn lines.

    Or teach all three own pictures (adapt): 40 of a meter that is misread, say. A third of them is kept back and read
    before and after. If they are not read better, or MNIST or drawn scenes are read worse, no network is written, and
    the exit code is 6.

    A run is a folder with the network, its metrics and its history; after Ctrl-C it can be resumed, but for adapt,
    which is begun again. 5,000 training images, or drawn scenes or lines, are held out and measured after each epoch;
    the test images are used once, at the end. Prints the accuracy with its 95 % interval. On stderr there is a bar for
    each epoch, or without a terminal a line.
    """
    if resume:  # before the libraries of training are loaded, which takes seconds
        fixed = ("experiment", "recipe", "epochs", "batch_size", "seed", "images", "fonts", "start", "out")
        options.refuse(
            context, fixed, "does not apply to --resume, which continues a run as it was begun; leave it out"
        )
    from digitocr import train as training
    from digitocr.train import runs
    from digitocr.train.memory import keep_freed
    from digitocr.train.sources.load import load_data

    settings: Settings | DetectorSettings | RecognizerSettings | AdaptSettings | None = None
    if resume:
        folder = resume
    elif recipe == "adapt":
        options.refuse(
            context,
            ("experiment", "batch_size", "epochs", "images", "start"),
            "does not apply to --recipe adapt; leave it out",
        )
        if data is None:
            raise UsageError("--recipe adapt learns own pictures; name them with --data")
        settings = training.AdaptSettings(**_typed({"data": data, "seed": seed, "fonts": fonts}))
        folder = out or Path("runs") / f"adapt-{seed}"
        data = None  # MNIST, which is learned beside them
    elif recipe in ("detector", "recognizer"):
        options.refuse(
            context, ("experiment", "batch_size", "images"), f"does not apply to --recipe {recipe}; leave it out"
        )
        given = {"epochs": epochs, "seed": seed, "fonts": fonts, "start": start}
        kind = training.DetectorSettings if recipe == "detector" else training.RecognizerSettings
        settings = kind(**_typed(given))
        folder = out or Path("runs") / f"{recipe}-{seed}"
    else:
        options.refuse(
            context, ("start",), "is for --recipe detector or recognizer; the others start with random weights"
        )
        if recipe != "robust":
            options.refuse(
                context, ("fonts",), f"is for --recipe robust, detector or recognizer; {recipe} draws nothing"
            )
        given = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "fonts": fonts, "images": images}
        settings = training.Settings(experiment, recipe, **_typed(given))
        folder = out or Path("runs") / f"{recipe}-{experiment}-{seed}"
    if resume:
        runs.read_record(folder)  # raises before data is loaded
    mnist = load_data(data, quiet, complete=True)
    if recipe != "adapt":  # three networks one after the other leave pieces, and each comes on top
        keep_freed()
    with _stoppable("" if recipe == "adapt" else runs.resume_command(folder, data)):
        result = _run(mnist, settings, folder, quiet)
    _say(result, folder, quiet, data)


def _typed(given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; paths as text, as the settings of a run hold them."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in given.items() if value is not None
    }


def _run(mnist: Any, settings: Any, folder: Path, quiet: bool) -> dict[str, Any]:
    """Begins a run, or without settings resumes one; returns what the training returns."""
    from digitocr import train as training

    if settings is None:
        return training.resume(folder, mnist, quiet)
    return training.fit(mnist, settings, folder, quiet)


@contextmanager
def _stoppable(command: str) -> Iterator[None]:
    """Names the command to continue the run with, if there is one, when Ctrl-C or SIGTERM ends the training.

    SIGTERM unwinds the stack as Ctrl-C does, so that the processes that draw end and leave no semaphores behind.
    """
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if command:
            print(f"digitocr: interrupted; continue with: {command}", file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  # signal's arguments
    raise SystemExit(128 + number)


def _say(result: dict[str, Any], folder: Path, quiet: bool, data: Path | None) -> None:
    """Prints the result and, unless quiet, what to do next with such a network."""
    from digitocr.train.classifier.recipes import RECIPES
    from digitocr.train.runs import read_record

    record = read_record(folder)
    if record["kind"] == "adapt":
        own, mnist = result["own"], result["mnist"]
        print(f"own       {own['before']} of {own['pictures']} pictures right before, {own['after']} now")
        print(f"          {own['mended']} mended, {own['broken']} broken; by chance with p = {own['p']:.2g}")
        print(f"MNIST     {mnist['before']:.2%} before, {mnist['after']:.2%} now")
        print(f"run       {folder}")
        if not quiet:
            print(f"next      {_command('report', folder)}")
            print(f"          {_command('export', '--model', folder)}")
        return
    if record["kind"] == "detector":
        print(
            f"found     {result['found']:.2%} of the digits in synthetic scenes; "
            f"{result['right']:.2%} of what it finds is a digit"
        )
        print(f"run       {folder}")
        if not quiet:
            print(f"next      {_command('export', '--model', folder / 'detector.keras')}")
        return
    if record["kind"] == "recognizer":
        print(f"digits    {result['digits']:.2%} right in drawn lines; {result['exact']:.2%} of the lines")
        print(f"run       {folder}")
        if not quiet:
            print(f"next      {_command('export', '--model', folder / 'recognizer.keras')}")
        return
    test, held = result["test"], result["held_out"]
    low, high = test["interval"]
    print(f"test      {test['accuracy']:.2%} of {test['images']} ({low:.2%} to {high:.2%})")
    print(f"held out  {held['accuracy']:.2%} of {held['images']}")
    print(f"run       {folder}")
    if not quiet:
        print(f"good for  {RECIPES[record['settings']['recipe']].good_for}")
        source = ["--data", data] if data else []  # which also judges the files
        print(f"next      {_command('export', '--model', folder / 'model.keras', *source)}")


def _command(*words: object) -> str:
    """A command of digitocr, quoted for a shell."""
    return shlex.join(["digitocr", *map(str, words)])
