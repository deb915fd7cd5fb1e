"""The command line: parse, one library call, print. Heavy imports happen inside the command that needs them."""

import json
import sys
import traceback
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr import __version__
from digitocr.runtime.errors import DigitocrError, InputError, NothingReadError

app = typer.Typer(
    help="Train a digit-reading network, export it to quantized TFLite and ONNX, read digits from real pictures.",
    epilog="Exit codes: 0 ok, 1 a bug, 2 usage, 3 an extra is missing, 4 an input could not be read, 5 model unusable, "
    "6 accuracy or parity gate failed, 7 camera or display unavailable, 8 nothing recognised (--fail-on-empty), "
    "9 output not writable, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich would double the time of --help
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Runs the command line; an error ends as one line on stderr and the exit code of its class."""
    try:
        app(prog_name="digitocr")
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        if isinstance(error, DigitocrError):
            print(f"digitocr: {error}", file=sys.stderr)
            sys.exit(error.exit_code)
        print(f"digitocr: a bug: {error!r}; please report what `digitocr --debug ...` prints", file=sys.stderr)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"digitocr {__version__}")
        raise typer.Exit


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="For example: digitocr predict page.jpg    digitocr predict --jsonl photos/ > readings.jsonl")
def predict(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders, globs; - for stdin.")],
    model: Annotated[
        Path | None, typer.Option(help="A .onnx or .tflite file; by default the shipped int8 one.")
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object for each picture.")] = False,
    save_image: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save each picture with boxes, digits and confidence.")
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save what the network saw: the 28x28 beside each region.")
    ] = None,
    conf: Annotated[float, typer.Option(help="Leave out digits of a lower confidence, 0 to 1.")] = 0.5,
    threads: Annotated[int, typer.Option(help="Threads of the interpreter.")] = 1,
    fail_on_empty: Annotated[bool, typer.Option("--fail-on-empty", help="Exit with 8 if no digit was read.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite pictures of an earlier run.")] = False,
) -> None:
    """Read the digits in pictures.

    Prints the digits, one line for each line in the picture; for many pictures PATH<TAB>DIGITS. A picture that cannot
    be read is told on stderr, the others are read, and the exit code is 4.
    """
    from digitocr.cli import render
    from digitocr.cli.sources import is_single, read_all
    from digitocr.runtime.opencv import cv2
    from digitocr.runtime.reader import Reader

    cv2.setNumThreads(threads)
    reader = Reader(model, threads=threads, conf=conf)
    single = is_single(sources)
    unreadable, digits = 0, 0
    used: set[Path] = set()
    for (name, picture), reading in read_all(reader, sources):
        if isinstance(reading, InputError):
            unreadable += 1
            print(f"digitocr: {reading}", file=sys.stderr)
            if jsonl:
                print(render.json_line(name, None, str(reading)), flush=True)
            continue
        digits += len(reading.digits)
        if jsonl:
            print(render.json_line(name, reading, None), flush=True)
        elif not single:
            print(f"{name}\t{reading.text.replace(chr(10), ' ')}", flush=True)
        elif reading.digits:
            print(reading.text)
        if save_image:
            render.save(render.annotated(picture, reading), save_image, name, used, force)
        if explain:
            render.save(render.explained(picture, reader), explain, name, used, force)
    if unreadable:
        raise typer.Exit(InputError.exit_code)
    if fail_on_empty and not digits:
        raise NothingReadError("no digit was recognised in any picture")


@app.command(epilog="For example: digitocr train --recipe robust --seed 1    digitocr train --resume runs/robust-4-1")
def train(
    experiment: Annotated[int, typer.Option(min=1, max=4, help="The paper's network, 1 to 4; 4 is its best.")] = 4,
    recipe: Annotated[
        Literal["paper", "robust"],
        typer.Option(help="paper: the paper's way. robust: for pictures from outside MNIST."),
    ] = "paper",
    epochs: Annotated[int | None, typer.Option(help="By default as many as the recipe needs.")] = None,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 128,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The new run folder; by default under runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with an interrupted run.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train one of the paper's networks on MNIST; a run is a folder.

    5,000 training images are held out and watched; the test images are read once, at the end. Prints the accuracy with
    its 95 % interval. The folder holds the model, its metrics, the history and pictures of them.
    """
    from digitocr.train import fit
    from digitocr.train.data import load_mnist

    mnist = load_mnist(data, quiet)
    if resume:
        folder = resume
    else:
        settings = fit.Settings(experiment, recipe, epochs or fit.RECIPES[recipe].epochs, batch_size, seed)
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


@app.command(epilog="For example: digitocr info exports/digitocr-int8.tflite")
def info(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .onnx or .tflite file.")]) -> None:
    """Print what a model file says of itself, as JSON: labels, input, preprocessing, accuracy, training."""
    from digitocr.runtime.classifier import Classifier

    classifier = Classifier(file)
    print(json.dumps({**classifier.card, "sha256": classifier.sha256}, indent=2))


if __name__ == "__main__":
    main()
