"""digitocr compare: two model files, or one file in two runtimes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

SHOWN = 20  # lines on pictures that are answered differently
NONE = 10  # the class "no digit"
EXAMPLES = "For example: digitocr compare exports/digitocr-int8.tflite --runtime openvino-f32"


@libraries_silenced()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A network that reads a digit, .onnx, .tflite or .keras.")],
    b: Annotated[
        Path | None, typer.Argument(metavar="[B]", help="Another one; default: the same file.", show_default=False)
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What B runs in: onnxruntime, litert, litert-builtin, litert-reference, openvino, openvino-f32, "
            "opencv, tract, iree, mediapipe, tflite-micro or keras; default: that of its format, as A does.",
        ),
    ] = None,
    data: options.Data = None,
    images: Annotated[int, typer.Option(min=1, max=10_000, help="Test images.")] = 10_000,
    max_changed: Annotated[
        int | None,
        typer.Option(min=0, help="Answers that may differ; with more the exit code is 6.", show_default=False),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Also draw the pictures that are answered differently.")
    ] = None,
    force: options.Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Compare two model files, or one file in two runtimes, on MNIST's test images or on those of --data.

    Says how many answers are equal and which are not, the largest difference of a probability, the time of B for each
    of A's, and whether 64 images may be given at once. Each file runs in a process of its own, in turns, on one thread;
    times are of the processor. A runtime must be installed; digitocr installs none.
    """
    from digitocr.export.compare import compare_files
    from digitocr.export.compare import sheet as drawn
    from digitocr.runtime.errors import GateError
    from digitocr.train.sources.load import load_data

    options.refuse_other_endings("--sheet", sheet, (".png",))
    options.refuse_overwriting(sheet, force)
    tests = load_data(data)
    result = compare_files(a, b or a, runtime, tests, images)
    if sheet is not None:
        page = drawn(tests, result["changed"])
        options.write(sheet, lambda beside: page.save(beside, "PNG"))
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
    changed = [
        f"{one['name']} is {one['truth']}: A answers {_answer(one['a'])}, B {_answer(one['b'])}"
        for one in result["changed"][:SHOWN]
    ]
    if len(result["changed"]) > SHOWN:
        changed.append(f"and {len(result['changed']) - SHOWN} more; --json lists all, --sheet shows them")
    found = [
        f"{place.upper()}: {line}"
        for place in "ab"
        for line in (result[place]["interface"] or {"findings": []})["findings"]
    ]
    return "\n".join([*found, *lines, f"{equal}, {difference}, {result['time ratio']:.2f} of the time", *changed])


def _answer(one: dict[str, Any]) -> str:
    return f"{'no digit' if one['answer'] == NONE else one['answer']} ({one['confidence']:.2f})"


def _batch(batch: str) -> str:
    return "64 at once: " + ("same answers" if batch == "yes" else batch)
