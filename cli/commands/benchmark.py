"""digitocr benchmark: model files beside each other on this machine."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced
from digitocr.runtime.errors import UsageError

EXAMPLES = (
    "For example: digitocr benchmark exports/digitocr-int8.onnx other.tflite    "
    "digitocr benchmark model.keras --formats all --plot models.svg"
)
PLOTS = (".svg", ".png")
ANY_DROP, ANY_CHANGED = 100.0, 1_000_000  # what a file may lose that is only measured


@libraries_silenced()
def benchmark(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL...", help="Networks that read a digit, .onnx, .tflite or .keras."),
    ],
    formats: Annotated[
        Literal["none", "onnx", "tflite", "all"],
        typer.Option(help="Of each .keras file also the files that export makes of it, in each quantization."),
    ] = "none",
    data: options.Data = None,
    images: Annotated[
        int | None, typer.Option(min=1, help="Test images at most, for a slow network.", show_default=False)
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.svg|png", help="Also draw accuracy over latency.")] = None,
    force: options.Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Measure model files beside each other on this machine.

    For each file: KB, accuracy on the test images, answers that differ from the first file's, the time of a call with
    one digit (median and 95th percentile, one thread, interpreter alone), digits a second in larger calls, milliseconds
    from the start of a process to its first answer, and the peak of that process's memory. The files take turns.
    """
    from digitocr.export.benchmark import as_text
    from digitocr.export.benchmark import benchmark as measured
    from digitocr.export.benchmark import plot as drawn
    from digitocr.train.data import fewer_tests
    from digitocr.train.sources.load import load_data

    options.refuse_other_endings("--plot", plot, PLOTS)
    options.refuse_overwriting(plot, force)
    if formats != "none" and not any(model.suffix == ".keras" for model in models):
        raise UsageError("--formats is for .keras files; name one, or leave it out")
    tests = fewer_tests(load_data(data), images)
    with tempfile.TemporaryDirectory() as folder:
        result = measured(_with_exports(models, formats, Path(folder), tests), tests)
    if plot is not None:
        options.write(plot, lambda beside: drawn(result, beside, plot.suffix[1:]))
    say(json.dumps(result, indent=2) if as_json else as_text(result))


def _with_exports(models: list[Path], formats: str, folder: Path, data: Any) -> list[Path]:
    """The files, and behind each .keras file what export makes of it, in a folder for each."""
    paths = []
    for number, model in enumerate(models):
        paths.append(model)
        if model.suffix != ".keras" or formats == "none":
            continue
        from digitocr.export.classifier import MODES, export

        for form in ("onnx", "tflite") if formats == "all" else (formats,):
            reports = export(
                model,
                [form],
                MODES[form],
                folder / str(number),
                data,
                max_drop=ANY_DROP,
                max_changed=ANY_CHANGED,
            )
            paths += [Path(report["path"]) for report in reports]
    return paths
