"""The command line: parse, one library call, print. Heavy imports happen inside the command that needs them."""

import io
import json
import os
import sys
import traceback
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from digitocr import __version__
from digitocr.cli.output import opened, plain, save, say, taken_up
from digitocr.cli.stderr import libraries_hushed
from digitocr.runtime.errors import DigitocrError, InputError, NothingReadError, OutputError, UsageError

app = typer.Typer(
    help="Train a digit-reading network, export it to quantized TFLite and ONNX, read digits from real pictures.",
    epilog="Exit codes: 0 ok, 1 a bug, 2 usage, 3 an extra is missing, 4 an input could not be read, 5 model unusable, "
    "6 accuracy or parity gate failed, 7 camera or display unavailable, 8 nothing recognised (where asked for), "
    "9 output not writable, 10 cluster unavailable, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich would double the time of --help
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Runs the command line; an error ends as one line on stderr and the exit code of its class."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file may be anything
    if sys.stderr is None:  # closed: what print() writes there would come out on standard output
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as the process lives
        os.dup2(sys.stderr.fileno(), 2)
    try:
        app(prog_name="digitocr")
    except SystemExit as ended:  # typer's way to end
        _leave(ended.code)
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        if isinstance(error, DigitocrError):
            print(f"digitocr: {plain(str(error))}", file=sys.stderr)
            _leave(error.exit_code)
        print(f"digitocr: a bug: {error!r}; please report what `digitocr --debug ...` prints", file=sys.stderr)
        _leave(1)


def _leave(code: str | int | None) -> NoReturn:
    """Ends the process without taking the libraries down, which would be a fifth of the time of a cold `predict`."""
    status = code if isinstance(code, int) else 0
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            status = OutputError.exit_code
    os._exit(status)


def _refuse(context: typer.Context, names: Iterable[str], why: str) -> None:
    """Raises UsageError where one of these parameters was typed: what would do nothing is not passed over."""
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if name in names and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{'/'.join([*option.opts, *option.secondary_opts])} {why}")


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


@app.command(
    epilog="For example: digitocr predict page.jpg    digitocr predict --mode single --rotate 0 crop.png    "
    "digitocr predict photos/ --jobs 4 --jsonl --output readings.jsonl --resume"
)
@libraries_hushed()
def predict(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders, globs; - for stdin.")],
    model: Annotated[
        Path | None, typer.Option(help="A .onnx or .tflite file; by default the shipped int8 one.")
    ] = None,
    finder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A finder's .onnx file; by default the shipped one.")
    ] = None,
    mode: Annotated[
        Literal["auto", "single", "line"],
        typer.Option(help="single: the picture is one digit. line: it is one line of digits. auto: any, anywhere."),
    ] = "auto",
    rotate: Annotated[
        Literal["auto", "0", "90", "180", "270"],
        typer.Option(help="Degrees clockwise to turn the picture by before it is read; auto: as it reads best."),
    ] = "auto",
    conf: Annotated[float, typer.Option(help="Leave out digits of a lower confidence, 0 to 1.")] = 0.5,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object for each picture.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the lines there, and nothing to stdout.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="With --jsonl, go on with the --output of a run that was ended: skip what it read."
        ),
    ] = False,
    save_image: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save each picture with boxes, digits and confidence.")
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save a page for each picture: what was found, seen and refused.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that read at the same time.")] = 1,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Read on the workers of a Dask scheduler, tcp://HOST:8786.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of the interpreter.")] = 1,
    fail_on_empty: Annotated[bool, typer.Option("--fail-on-empty", help="Exit with 8 if no digit was read.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files of an earlier run.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not say why nothing was read in a picture.")] = False,
) -> None:
    """Read the digits in pictures.

    Prints the digits, one line for each line in the picture; for many pictures PATH<TAB>DIGITS. A picture in which
    nothing was read is told on stderr, with why. One that cannot be read is told there as well, the others are read,
    and the exit code is 4; --resume tries it again.
    """
    from digitocr.cli.sources import expanded, is_single
    from digitocr.cli.task import Task

    if cluster and jobs > 1:
        raise UsageError("--cluster has as many processes as it has workers; leave out --jobs")
    todo = expanded(sources)
    if resume:
        if not jsonl or output is None:
            raise UsageError("--resume goes on with a file of lines of JSON; add --jsonl --output FILE")
        if save_image or explain or force:
            raise UsageError("--resume goes on with lines alone; leave out --save-image, --explain and --force")
        done = taken_up(output)
        todo = (source for source in todo if source.name not in done)
    single = is_single(sources)
    task = Task(
        model, threads, conf, mode, rotate, jsonl, not single, save_image is not None, explain is not None, finder
    )
    if cluster:
        from digitocr.cli.cluster import read_on_cluster

        outcomes = read_on_cluster(task, todo, cluster)
    elif jobs > 1:
        from digitocr.cli.parallel import read_in_processes

        outcomes = read_in_processes(task, todo, jobs)
    else:
        outcomes = task.read_all(todo)
    first = list(islice(outcomes, 1))  # what is wrong with the settings is raised before the output is opened
    unreadable, digits = 0, 0
    used: set[Path] = set()
    with opened(output, resume, force) if output else nullcontext() as file:
        for outcome in chain(first, outcomes):
            name = outcome.name
            if outcome.line is not None:
                say(outcome.line, file)
            if outcome.error:
                unreadable += 1
                print(f"digitocr: {plain(outcome.error)}", file=sys.stderr)
                continue
            digits += outcome.digits
            if outcome.why and not quiet:
                print(f"digitocr: {'' if single else f'{plain(name)}: '}{plain(outcome.why)}", file=sys.stderr)
            if save_image:
                save(outcome.drawn, save_image, name, ".png", used, force)
            if explain:
                save(outcome.page, explain, name, ".html", used, force)
    if unreadable:
        raise typer.Exit(InputError.exit_code)
    if fail_on_empty and not digits:
        raise NothingReadError("no digit was recognised in any picture")


@app.command(
    epilog="For example: digitocr webcam    digitocr webcam --source clip.avi --view none --jsonl    "
    "digitocr webcam --source rtsp://camera/ --view web    digitocr webcam --once --digits 5 --max-seconds 60"
)
@libraries_hushed()
def webcam(
    source: Annotated[
        str,
        typer.Option(help="A camera's number or name, a video file, a folder or glob of pictures, rtsp:// or http://."),
    ] = "0",
    list_: Annotated[
        bool, typer.Option("--list", help="Print the cameras there are, NUMBER<TAB>NAME, and end.")
    ] = False,
    view: Annotated[
        Literal["window", "web", "none"],
        typer.Option(help="window: on this screen; h shows its keys. web: a page for a browser. none: readings alone."),
    ] = "window",
    port: Annotated[int, typer.Option(help="Of the page.")] = 8000,
    host: Annotated[str, typer.Option(help="The page's address; 0.0.0.0 lets other machines watch.")] = "127.0.0.1",
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object for each reading.")] = False,
    all_frames: Annotated[
        bool, typer.Option("--all-frames", help="Print what is read in every frame, not only what holds.")
    ] = False,
    expect: Annotated[str, typer.Option(metavar="REGEX", help="Only announce lines that match it as a whole.")] = "",
    digits: Annotated[int, typer.Option(min=0, help="Only announce lines of so many digits.", show_default=False)] = 0,
    roi: Annotated[
        str, typer.Option(metavar="X,Y,W,H", help="Read only that part, in pixels; or draw it with the mouse.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="End at the first announced reading.")] = False,
    max_seconds: Annotated[
        float, typer.Option(min=0, help="End after so long; exit code 8 if nothing was announced.", show_default=False)
    ] = 0.0,
    every: Annotated[int, typer.Option(min=1, help="Of a recording, read each so many-th frame.")] = 1,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the video as shown, as .avi or .mp4.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the recording of an earlier run.")] = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Show it as a mirror does; it is read as it is.")] = False,
    width: Annotated[int, typer.Option(min=0, help="Asked of a camera, pixels.", show_default=False)] = 0,
    height: Annotated[int, typer.Option(min=0, help="Asked of a camera, pixels.", show_default=False)] = 0,
    fps: Annotated[float, typer.Option(min=0, help="Asked of a camera, frames a second.", show_default=False)] = 0.0,
    reconnect: Annotated[
        float, typer.Option(min=0, help="Seconds that a lost camera or stream is tried again for.")
    ] = 10.0,
    model: Annotated[
        Path | None, typer.Option(help="A .onnx or .tflite file; by default the shipped int8 one.")
    ] = None,
    finder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A finder's .onnx file; by default the shipped one.")
    ] = None,
    conf: Annotated[float, typer.Option(help="Leave out digits of a lower confidence, 0 to 1.")] = 0.5,
    rotate: Annotated[
        Literal["auto", "0", "90", "180", "270"],
        typer.Option(
            help="Degrees clockwise to turn frames by before they are read; auto takes up to four times as long."
        ),
    ] = "0",
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not say what the source is and how fast it was.")] = False,
) -> None:
    """Read digits live from a camera, a video or a stream.

    A number is announced on stdout when it has held over several frames, and once, as long as it stays. Of a camera or
    a stream only the newest frame is read, so what is shown is never old; of a recording every frame is.
    """
    if list_:
        from digitocr.runtime.capture import cameras

        found = cameras()
        for number, name in found:
            say(f"{number}\t{plain(name)}")
        if not found:
            print("digitocr: there is no camera; plug one in, or name a file or a stream by --source", file=sys.stderr)
        return
    from digitocr.cli.webcam import Settings, run

    run(
        Settings(
            source=source,
            view=view,
            host=host,
            port=port,
            model=model,
            finder=finder,
            conf=conf,
            rotate=rotate,
            every=every,
            roi=roi,
            expect=expect,
            digits=digits,
            jsonl=jsonl,
            all_frames=all_frames,
            once=once,
            max_seconds=max_seconds,
            record=record,
            force=force,
            mirror=mirror,
            width=width,
            height=height,
            fps=fps,
            reconnect=reconnect,
            quiet=quiet,
        )
    )


@app.command(epilog="For example: digitocr train --recipe robust --seed 1    digitocr train --resume runs/robust-4-1")
def train(
    context: typer.Context,
    experiment: Annotated[int, typer.Option(min=1, max=4, help="The paper's network, 1 to 4; 4 is its best.")] = 4,
    recipe: Annotated[
        Literal["paper", "robust", "finder"],
        typer.Option(help="paper: its way. robust: for pictures from outside MNIST. finder: what finds digits there."),
    ] = "paper",
    epochs: Annotated[int | None, typer.Option(min=1, help="By default as many as the recipe needs.")] = None,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 128,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    fonts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Fonts to draw with (robust, finder); by default this machine's.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(metavar="FILE.keras", help="Begin with a finder's weights instead of fresh ones.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The new run folder; by default under runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with an interrupted run.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Train one of the paper's networks on MNIST, or the finder on drawn scenes; a run is a folder.

    5,000 training images are held out and watched; the test images are read once, at the end. Prints the accuracy with
    its 95 % interval. The folder holds the model, its metrics, the history and pictures of them.
    """
    from digitocr.train import finder_fit, fit
    from digitocr.train.data import load_mnist

    if resume:
        fixed = ("experiment", "recipe", "epochs", "batch_size", "seed", "fonts", "start", "out")
        _refuse(context, fixed, "is not for --resume: a run is gone on with as it was begun; leave it out")
    if start and recipe != "finder":
        raise UsageError("--start is for --recipe finder; the other recipes begin afresh")
    if recipe == "finder":
        _refuse(context, ("experiment", "batch_size"), "is not for --recipe finder; leave it out")
    if recipe == "paper":
        _refuse(context, ("fonts",), "is for --recipe robust or finder; paper draws nothing")
    mnist = load_mnist(data, quiet)
    drawn_with = str(fonts or "")
    if finder_fit.is_finder(resume) if resume else recipe == "finder":
        folder = resume or out or Path("runs") / f"finder-{seed}"
        finder_settings = finder_fit.FinderSettings(epochs or finder_fit.EPOCHS, seed, drawn_with, str(start or ""))
        try:
            if resume:
                row = finder_fit.resume(folder, mnist, quiet)
            else:
                row = finder_fit.fit(mnist, finder_settings, folder, quiet)
        except KeyboardInterrupt:
            print(f"digitocr: interrupted; go on with: digitocr train --resume {folder}", file=sys.stderr)
            raise
        print(f"found     {row['found']:.2%} of the digits in drawn scenes, {row['right']:.2%} of what is found is one")
        print(f"run       {folder}")
        print(f"next      digitocr export --model {folder / 'finder.keras'}")
        return
    if resume:
        folder = resume
    else:
        settings = fit.Settings(experiment, recipe, epochs or fit.RECIPES[recipe].epochs, batch_size, seed, drawn_with)
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


@app.command(epilog="For example: digitocr export --format all --quantize none --quantize int8 --out models/")
def export(
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.keras", help="By default of the newest run, else the shipped weights.")
    ] = None,
    format: Annotated[Literal["tflite", "onnx", "all"], typer.Option(help="What to write.")] = "all",
    quantize: Annotated[
        list[str],
        typer.Option(
            metavar="none|float16|dynamic|int8", help="May be given several times; float16 and dynamic are for TFLite."
        ),
    ] = ["int8"],  # noqa: B006  # typer reads it and never changes it
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path("exports"),
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    max_drop: Annotated[
        float | None, typer.Option(help="Points of accuracy that may be lost.  [default: 0; int8, dynamic: 0.05]")
    ] = None,
    max_changed: Annotated[
        int | None, typer.Option(help="Answers of 10,000 that may change.  [default: 0; int8, dynamic: 20]")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Hold each file against the network.")] = True,
    fonts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="For a finder.keras: fonts of the scenes it is proven on.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files of an earlier export.")] = False,
) -> None:
    """Write a trained network as TFLite and ONNX, and prove that nothing was lost.

    Every file is run in its own interpreter on MNIST's 10,000 test images, against the Keras network. One that changes
    more answers than allowed is not left under its name; its report says which images changed, and the exit code is 6.
    A finder.keras becomes ONNX, none or int8, and is held against Keras on drawn scenes.
    """
    from digitocr.export.convert import default_source
    from digitocr.export.convert import export as convert
    from digitocr.train.data import load_mnist
    from digitocr.train.finder import holds_finder

    if model is None:
        model = default_source(Path("runs"))
        print(f"digitocr: exporting {model}", file=sys.stderr)
    if holds_finder(model):
        from digitocr.export.finder import export_finder, held_out_tiles
        from digitocr.train.fonts import find_fonts

        _refuse(context, ("max_drop", "max_changed", "verify"), "is not for a finder, which has a gate of its own")
        if format == "tflite":
            raise UsageError("a finder is written as ONNX alone; leave out --format tflite")
        tiles = held_out_tiles(load_mnist(data), find_fonts(fonts))
        for mode in quantize:
            report = export_finder(model, mode, out, tiles, force)
            print(
                f"{report['path']}  {report['bytes'] / 1000:.0f} KB  finds {report['found']:.2%} of the digits "
                f"(Keras {report['keras']['found']:.2%}), {report['same']:.2%} of its boxes are those of Keras"
            )
        return
    _refuse(context, ("fonts",), "is for the network of a finder; leave it out")
    formats = ["tflite", "onnx"] if format == "all" else [format]
    mnist = load_mnist(data) if verify or "int8" in quantize else None
    reports = convert(
        model, formats, quantize, out, mnist, verify=verify, max_drop=max_drop, max_changed=max_changed, force=force
    )
    for report in reports:
        proof = "NOT VERIFIED"
        if report["passed"]:
            changed, accuracy = len(report["changed"]), report["accuracy"]
            proof = f"{accuracy['file']:.2%} (Keras {accuracy['keras']:.2%}), {changed} of {report['images']} changed"
        print(f"{report['path']}  {report['bytes'] / 1000:.0f} KB  {proof}")
    print(f"next: digitocr predict --model {reports[-1]['path']} PICTURE")


@app.command(epilog="For example: digitocr study --seeds 5    digitocr study --cells table --seeds 3 --jobs 4")
def study(
    cells: Annotated[
        Literal["paper", "table", "padding", "all"],
        typer.Option(
            help="paper: its four networks. table: those between them, one thing changed at a time. padding: 1 to 3 "
            "without it."
        ),
    ] = "paper",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each network; those that are there are kept.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Of every run.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 128,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at the same time.")] = 1,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder; one that is there is gone on with.")] = Path(
        "runs/study"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not say on stderr which runs are over.")] = False,
) -> None:
    """Run the paper's experiments over several seeds, and say which of its claims hold.

    What is ended goes on when the same is typed again; more seeds and other cells can be added. Prints the verdicts and
    leaves the report, with every figure of the paper, in the folder.
    """
    from digitocr.export.int8 import int8_file
    from digitocr.train import study as studies
    from digitocr.train.data import load_mnist
    from digitocr.train.report import pages, write
    from digitocr.train.verdicts import judge

    mnist = load_mnist(data, quiet)
    work = studies.Study(out, mnist, studies.Plan(epochs, batch_size), int8_file)
    try:
        work.run(studies.cells(cells), seeds, jobs, lambda line: None if quiet else print(line, file=sys.stderr))
    except KeyboardInterrupt:
        print("digitocr: interrupted; type the same again to go on", file=sys.stderr)
        raise
    for verdict in judge(studies.read_results(out), mnist.test_labels):
        print(f"{verdict.finding:<14}  {verdict.claim}")
    print(f"report          {write(pages(out, mnist), out / 'report')}")


@app.command(
    epilog="For example: digitocr search --trials 200 --jobs 2    digitocr search --space paper --sampler grid    "
    "digitocr search --storage postgresql://HOST/trials    digitocr search --storage grpc://HOST:13000"
)
def search(
    space: Annotated[
        Literal["paper", "recipe", "all"],
        typer.Option(help="paper: layers, kernel, stride, pooling, sizes. recipe: how experiment 4 is trained."),
    ] = "all",
    sampler: Annotated[Literal["tpe", "grid"], typer.Option(help="tpe: Bayesian. grid: every point.")] = "tpe",
    trials: Annotated[int, typer.Option(min=1, help="Go on until so many are over, pruned ones among them.")] = 100,
    epochs: Annotated[int, typer.Option(min=1, help="Of every trial.")] = 6,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that try at the same time.")] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Share the search with other machines: a database, or Optuna's proxy, grpc://HOST:PORT."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder; one that is there is gone on with.")] = Path(
        "runs/search"
    ),
) -> None:
    """Search for networks that are right, small and quick at once, as int8.

    Accuracy is that of the int8 file on held-out training images; no test image is read. What is ended goes on when the
    same is typed again, in as many terminals as there are cores to spare; the trial of a process that was killed is
    taken up again. Prints the front, smallest file first, and leaves a report in the folder.
    """
    from digitocr.export.int8 import int8_file
    from digitocr.train.data import load_mnist
    from digitocr.train.report import search_pages, write
    from digitocr.train.search import Plan, Search, front

    work = Search(out, load_mnist(data), Plan(space, sampler, epochs), int8_file, storage)
    try:
        work.run(trials, jobs, _progress)
    except KeyboardInterrupt:
        print("digitocr: interrupted; type the same again to go on", file=sys.stderr)
        raise
    results = work.results()
    for trial in front(results["trials"]):
        print(
            f"{trial['bytes'] / 1000:6.1f} KB  {trial['multiply_accumulates'] / 1e6:6.3f} M  {trial['accuracy']:.2%}  "
            f"{out / 'models' / str(trial['number'])}.keras"
        )
    print(f"report  {write(search_pages(results), out / 'report')}")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@app.command(epilog="For example: digitocr report runs/paper-4-0    digitocr report runs/study --out docs/paper")
def report(
    source: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run of digitocr train, study or search.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; by default the folder report in RUN.")
    ] = None,
) -> None:
    """Write a report of a run: one HTML file, and the same in Markdown with its figures beside it.

    It shows what the paper shows of its best network: filters, feature maps, classification report, confusion,
    misclassified images with their probabilities; and more.
    """
    from digitocr.train.data import load_mnist
    from digitocr.train.report import pages, write

    print(write(pages(source, load_mnist(data)), out or (source if source.is_dir() else source.parent) / "report"))


@app.command(epilog="For example: digitocr info exports/digitocr-int8.tflite")
@libraries_hushed()
def info(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .onnx or .tflite file.")]) -> None:
    """Print what a model file says of itself, as JSON: labels, input, preprocessing, accuracy, training."""
    from digitocr.runtime.classifier import Classifier
    from digitocr.runtime.errors import ModelError
    from digitocr.runtime.regions import Finder

    try:
        model: Finder | Classifier = Finder(file)
    except ModelError:  # reads a digit, or is no model at all, which Classifier says
        model = Classifier(file)
    say(json.dumps({**model.card, "sha256": model.sha256}, indent=2))


@app.command(epilog="For example: digitocr evaluate --model exports/digitocr-int8.tflite --json > report.json")
@libraries_hushed()
def evaluate(
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .onnx or .tflite file; by default the shipped int8 one.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    fonts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Fonts to draw letters with; by default this machine's.")
    ] = None,
    conf: Annotated[float, typer.Option(min=0, max=1, help="The confidence that makes a picture a digit.")] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="All numbers as one JSON object.")] = False,
) -> None:
    """Say what a model file is worth.

    On MNIST's test images, as they are and in the fifteen corruptions of MNIST-C; on letters, textures, noise and
    halves of digits, which it should refuse; on drawn pages; and whether its confidence can be believed.
    """
    from digitocr.train.data import load_mnist
    from digitocr.train.evaluate import as_text
    from digitocr.train.evaluate import evaluate as report_on
    from digitocr.train.fonts import find_fonts

    report = report_on(model, load_mnist(data), find_fonts(fonts), conf, seed)
    say(json.dumps(report, indent=2) if as_json else as_text(report))


if __name__ == "__main__":
    main()
