"""digitocr selftest: whether a model file gives on this machine what it gave where it was exported."""

import json
from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr selftest  digitocr selftest exports/digitocr-int8.tflite"


@libraries_silenced()
def selftest(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="A .onnx or .tflite file, with FILE.golden.json beside it; default: the shipped networks together.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Check that a model file gives on this machine what it gave where it was exported.

    Runs twenty pictures that lie beside the file through the installed interpreter, and compares what comes out with
    what the export wrote: crops and logits of a classifier, cells of a detector, columns of a recognizer. Without FILE
    the shipped networks read whole pictures. The exit code is 6 if results differ by more than the vectors allow.
    """
    from digitocr.runtime.errors import GateError
    from digitocr.runtime.selftest import selftest as run

    result = run(file)
    what = file or "shipped networks"
    differences = "  ".join(
        f"{one['of']} differs by {one['largest']:.2g}, at most {one['tolerance']:.2g} may"
        for one in result["differences"]
    )
    say(
        json.dumps(result, indent=2)
        if as_json
        else f"{what}  {result['interpreter']} (written by {result['written by']})  {result['same answers']} of "
        f"{result['pictures']} answers equal  {differences}"
    )
    if not result["passed"]:
        raise GateError(f"{what}: {'; '.join(result['failures'])}; see docs/runtimes.md")
