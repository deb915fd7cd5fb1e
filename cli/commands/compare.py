"""digitocr compare: two model files, or one file in two runtimes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr compare exports/digitocr-int8.tflite --runtime openvino-f32"


@libraries_silenced()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A .onnx or .tflite file of the network that reads a digit.")],
    b: Annotated[
        Path | None, typer.Argument(metavar="[B]", help="Another one; default: the same file.", show_default=False)
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What B runs in: onnxruntime, litert, litert-builtin, litert-reference, openvino, openvino-f32, "
            "opencv, tract, iree, mediapipe or tflite-micro; default: onnxruntime or litert, in which A runs as well.",
        ),
    ] = None,
    data: options.Data = None,
    images: Annotated[int, typer.Option(min=1, max=10_000, help="Test images of MNIST.")] = 10_000,
    max_changed: Annotated[
        int | None,
        typer.Option(min=0, help="Answers that may differ; with more the exit code is 6.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Compare two model files, or one file in two runtimes, on MNIST's test images.

    Says how many answers are equal, the largest difference of a probability, the time of B for each of A's, and whether
    64 images may be given at once. Each file runs in a process of its own, in turns, on one thread; times are of the
    processor. A runtime must be installed; digitocr installs none.
    """
    from digitocr.export.compare import compare_files
    from digitocr.runtime.errors import GateError
    from digitocr.train.data import load_mnist

    result = compare_files(a, b or a, runtime, load_mnist(data), images)
    say(json.dumps(result, indent=2) if as_json else _as_text(result))
    changed = result["images"] - result["equal"]
    if max_changed is not None and changed > max_changed:
        raise GateError(f"{changed} of {result['images']:,} answers differ, at most {max_changed} may")


def _as_text(result: dict[str, Any]) -> str:
    lines = [
        f"{one['file']}  {one['runtime']} {one['version']}  {one['accuracy']:.2%}  "
        f"{one['microseconds']:.0f} us a digit  {one['load seconds']:.1f} s to load  {_batch(one['batch'])}"
        for one in (result["a"], result["b"])
    ]
    difference = "same bits" if result["same bits"] else f"probabilities differ by {result['largest difference']:.1e}"
    equal = f"{result['equal']:,} of {result['images']:,} answers equal"
    return "\n".join([*lines, f"{equal}, {difference}, {result['time ratio']:.2f} of the time"])


def _batch(batch: str) -> str:
    return "64 at once: " + ("same answers" if batch == "yes" else batch)
