"""digitocr selftest: whether a model file gives on this machine what it gave where it was exported."""

import json
from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr selftest exports/digitocr-int8.tflite"


@libraries_silenced()
def selftest(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .onnx or .tflite file, with FILE.golden.json beside it.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Check that a model file gives on this machine what it gave where it was exported.

    Cuts twenty pictures that lie beside the file, reads them with the installed interpreter, and compares crops and
    logits with those that the export wrote. The exit code is 6 if they differ by more than the file allows.
    """
    from digitocr.runtime.errors import GateError
    from digitocr.runtime.selftest import selftest as run

    result = run(file)
    say(
        json.dumps(result, indent=2)
        if as_json
        else f"{file}  {result['interpreter']} (written by {result['written by']})  {result['same answers']} of "
        f"{result['pictures']} answers equal  crops differ by {result['crop difference']}, at most "
        f"{result['crop tolerance']:.0f} may  logits by {result['largest difference']:.2g}, at most "
        f"{result['tolerance']:.2g} may"
    )
    if not result["passed"]:
        raise GateError(f"{file}: {'; '.join(result['failures'])}; see docs/runtimes.md")
