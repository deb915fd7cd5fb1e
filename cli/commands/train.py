"""digitocr train: a run."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.runtime.errors import UsageError

EXAMPLES = "For example: digitocr train --recipe robust --seed 1    digitocr train --resume runs/robust-4-1"


def train(
    context: typer.Context,
    experiment: Annotated[int, typer.Option(min=1, max=4, help="The paper's network, 1 to 4; 4 is its best.")] = 4,
    recipe: Annotated[
        Literal["paper", "best", "robust", "detector"],
        typer.Option(
            help="paper: its way. best: for MNIST. robust: for real pictures. detector: finds digits in them."
        ),
    ] = "paper",
    epochs: Annotated[int | None, typer.Option(min=1, help="By default as many as the recipe needs.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images a step; by default the recipe's.")] = None,
    seed: options.Seed = 0,
    data: options.Data = None,
    fonts: options.Fonts = None,
    start: Annotated[
        Path | None, typer.Option(metavar="FILE.keras", help="Begin with a detector's weights instead of fresh ones.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The new run folder; by default under runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with an interrupted run.")] = None,
    quiet: options.Quiet = False,
) -> None:
    """Train one of the paper's networks on MNIST, or the detector on drawn scenes; a run is a folder.

    5,000 training images are held out and watched; the test images are read once, at the end. Prints the accuracy with
    its 95 % interval. The folder holds the model, its metrics, the history and pictures of them.
    """
    from digitocr.train.classifier import fit
    from digitocr.train.data import load_mnist
    from digitocr.train.detector import fit as detector_fit

    if resume:
        fixed = ("experiment", "recipe", "epochs", "batch_size", "seed", "fonts", "start", "out")
        options.refuse(context, fixed, "is not for --resume: a run is gone on with as it was begun; leave it out")
    if start and recipe != "detector":
        raise UsageError("--start is for --recipe detector; the other recipes begin afresh")
    if recipe == "detector":
        options.refuse(context, ("experiment", "batch_size"), "is not for --recipe detector; leave it out")
    if recipe in ("paper", "best"):
        options.refuse(context, ("fonts",), f"is for --recipe robust or detector; {recipe} draws nothing")
    mnist = load_mnist(data, quiet)
    drawn_with = str(fonts or "")
    if detector_fit.is_detector(resume) if resume else recipe == "detector":
        folder = resume or out or Path("runs") / f"detector-{seed}"
        detector_settings = detector_fit.DetectorSettings(
            epochs or detector_fit.EPOCHS, seed, drawn_with, str(start or "")
        )
        try:
            if resume:
                row = detector_fit.resume(folder, mnist, quiet)
            else:
                row = detector_fit.fit(mnist, detector_settings, folder, quiet)
        except KeyboardInterrupt:
            print(f"digitocr: interrupted; go on with: digitocr train --resume {folder}", file=sys.stderr)
            raise
        print(f"found     {row['found']:.2%} of the digits in drawn scenes, {row['right']:.2%} of what is found is one")
        print(f"run       {folder}")
        print(f"next      digitocr export --model {folder / 'detector.keras'}")
        return
    if resume:
        folder = resume
    else:
        own = fit.RECIPES[recipe]
        settings = fit.Settings(
            experiment, recipe, epochs or own.epochs, batch_size or own.batch_size, seed, drawn_with
        )
        folder = out or Path("runs") / f"{recipe}-{experiment}-{seed}"
    try:
        metrics = fit.resume(folder, mnist, quiet) if resume else fit.fit(mnist, settings, folder, quiet)
    except KeyboardInterrupt:
        print(f"digitocr: interrupted; go on with: digitocr train --resume {folder}", file=sys.stderr)
        raise
    test, held = metrics["test"], metrics["held_out"]
    low, high = test["interval"]
    print(f"test      {test['accuracy']:.2%} of {test['images']} ({low:.2%} to {high:.2%})")
    print(f"held out  {held['accuracy']:.2%} of {held['images']}")
    print(f"run       {folder}")
    print(f"next      digitocr export --model {folder / 'model.keras'}")
