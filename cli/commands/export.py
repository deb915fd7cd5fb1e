"""digitocr export: TFLite and ONNX, proven."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.runtime.errors import UsageError

EXAMPLES = "For example: digitocr export --format all --quantize none --quantize int8 --out models/"


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
    data: options.Data = None,
    max_drop: Annotated[
        float | None, typer.Option(help="Points of accuracy that may be lost.  [default: 0; int8, dynamic: 0.05]")
    ] = None,
    max_changed: Annotated[
        int | None, typer.Option(help="Answers of 10,000 that may change.  [default: 0; int8, dynamic: 20]")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Hold each file against the network.")] = True,
    fonts: options.Fonts = None,
    force: options.Force = False,
) -> None:
    """Write a trained network as TFLite and ONNX, and prove that nothing was lost.

    Every file is run in its own interpreter on MNIST's 10,000 test images, against the Keras network. One that changes
    more answers than allowed is not left under its name; its report says which images changed, and the exit code is 6.
    A detector.keras becomes ONNX, none or int8, and is held against Keras on drawn scenes.
    """
    from digitocr.export.convert import default_source
    from digitocr.export.convert import export as convert
    from digitocr.train.data import load_mnist
    from digitocr.train.detector.network import holds_detector

    if model is None:
        model = default_source(Path("runs"))
        print(f"digitocr: exporting {model}", file=sys.stderr)
    if holds_detector(model):
        from digitocr.export.detector import export_detector, held_out_scenes
        from digitocr.train.synthesis.fonts import find_fonts

        options.refuse(
            context, ("max_drop", "max_changed", "verify"), "is not for a detector, which has a gate of its own"
        )
        if format == "tflite":
            raise UsageError("a detector is written as ONNX alone; leave out --format tflite")
        scenes = held_out_scenes(load_mnist(data), find_fonts(fonts))
        for mode in quantize:
            report = export_detector(model, mode, out, scenes, force)
            print(
                f"{report['path']}  {report['bytes'] / 1000:.0f} KB  finds {report['found']:.2%} of the digits "
                f"(Keras {report['keras']['found']:.2%}), {report['same']:.2%} of its boxes are those of Keras"
            )
        return
    options.refuse(context, ("fonts",), "is for the network of a detector; leave it out")
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
