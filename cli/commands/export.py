"""digitocr export: a trained network as TFLite and ONNX files or as C, compared with the original."""

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from digitocr.cli import options
from digitocr.runtime.errors import ModelError, UsageError
from digitocr.runtime.files import is_folder

EXAMPLES = (
    "For example: digitocr export --format all --quantize none --quantize int8 --out models/  "
    "digitocr export --format c --out digitocr-c/  digitocr export --format web --out web/"
)


def export(
    context: typer.Context,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.keras",
            help="The trained network, or a run with several; for c and web also an int8 .onnx, or the folder that an "
            "export of a run wrote; default: of the newest run, else the shipped.",
        ),
    ] = None,
    format: Annotated[
        Literal["tflite", "onnx", "all", "c", "web"],
        typer.Option(help="all is tflite and onnx; c is a folder of C files; web is a page that reads pictures."),
    ] = "all",
    quantize: Annotated[
        list[str],
        typer.Option(
            metavar="none|float16|dynamic|int8",
            help="The quantization; repeat for several. float16 and dynamic are for TFLite only.",
        ),
    ] = ["int8"],  # noqa: B006  # typer reads it and never changes it
    io: Annotated[
        Literal["int8", "uint8", "float"],
        typer.Option(
            help="Input and output of int8 TFLite files. MediaPipe takes uint8 and float, LiteRT.js not int8."
        ),
    ] = "int8",
    channels: Annotated[
        int, typer.Option(min=1, max=3, help="Channels of the input of TFLite files: 1, or 3 for MediaPipe.")
    ] = 1,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WIDTHxHEIGHT",
            help="Input of TFLite files of a detector; repeat for several.  [default: 512x384, 128x96]",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path("exports"),
    data: options.Data = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="SOURCE", help="Pictures by which int8 ranges are set; default: training images of --data."
        ),
    ] = None,
    max_drop: Annotated[
        float | None, typer.Option(help="Points of accuracy that a file may lose.  [default: 0; int8, dynamic: 0.05]")
    ] = None,
    max_changed: Annotated[
        int | None, typer.Option(help="Answers of 10,000 that a file may change.  [default: 0; int8, dynamic: 20]")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Compare each file with the network.")] = True,
    fonts: options.Fonts = None,
    detector: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For c and web: the int8 .onnx that finds digits."),
    ] = None,
    recognizer: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For c and web: the int8 .onnx that reads lines."),
    ] = None,
    force: options.Force = False,
) -> None:
    """Write a trained network as TFLite and ONNX, or as C, and check that nothing was lost.

    Each file runs in its own interpreter on MNIST's 10,000 test images, or on those of --data, and is compared with the
    Keras network. A file that changes more answers than allowed is not kept: its report lists the images, and the exit
    code is 6. A detector.keras or recognizer.keras (none or int8) is compared with Keras on drawn scenes or lines;
    TFLite files of these take one size. C is int8: --out gets the sources of a library that reads pictures with all
    three networks. They are compiled and compared with ONNX Runtime bit for bit, and with Reader on drawn pages. The
    web page has that library inside as WebAssembly, and needs no server. Takes about a minute.
    """
    from digitocr.export.card import training_of
    from digitocr.export.classifier import check_source, default_source
    from digitocr.export.classifier import export as convert
    from digitocr.train.detector.network import holds_detector
    from digitocr.train.recognizer.network import holds_recognizer
    from digitocr.train.sources.load import load_data
    from digitocr.train.synthesis.fonts import find_fonts

    if format in ("c", "web"):
        from digitocr.export.to_web import check_out, export_web

        limits = {"max_drop": max_drop, "max_changed": max_changed}
        with tempfile.TemporaryDirectory() as folder:
            c_folder = out if format == "c" else Path(folder) / "c"
            if format == "web":
                check_out(out, force)  # before the C files are made and compared
            written, proof = _c_folder(
                context, model, quantize, c_folder, data, verify, limits, detector, recognizer, force
            )
            path, next_step = out, f"make -C {shlex.quote(str(out))}"
            if format == "web":
                made = export_web(c_folder, out, force=force)
                path, written, next_step = Path(made["path"]), made["bytes"], f"open {made['path']} in a browser"
        print(f"{path}  {written / 1000:.0f} KB  {proof}\nnext: {next_step}")
        return
    options.refuse(context, ("detector", "recognizer"), "is for --format c and web; leave it out")
    if model is None:
        model = default_source(Path("runs"))
        print(f"digitocr: exporting {model}", file=sys.stderr)
    model = _named(model)
    if is_folder(model):
        options.refuse(
            context,
            ("io", "channels", "verify", "max_drop", "max_changed", "calibration"),
            "is for one .keras file; leave it out",
        )
        for line in _run_written(model, format, quantize, out, load_data(data), find_fonts(fonts), force):
            print(line)
        print(f"next: digitocr predict --model {shlex.quote(str(out))} PICTURE")
        return
    check_source(model)  # before MNIST is loaded, which may be a download
    kind = "detector" if holds_detector(model) else "recognizer" if holds_recognizer(model) else None
    if kind:
        options.refuse(
            context,
            ("max_drop", "max_changed", "verify", "calibration"),
            f"does not apply to a {kind}'s own gate; leave it out",
        )
        options.refuse(context, ("io", "channels"), f"does not apply to a {kind}; leave it out")
        if kind == "recognizer" or format == "onnx":
            options.refuse(context, ("size",), "is for TFLite files of a detector; leave it out")
        forms = ["onnx", "tflite"] if format == "all" else [str(format)]
        sides = [_sides(text) for text in size] if size else None
        for line in _written(kind, model, forms, quantize, sides, out, load_data(data), find_fonts(fonts), force):
            print(line)
        return
    options.refuse(context, ("fonts", "size"), "is for a detector.keras or recognizer.keras; leave it out")
    if format == "onnx":
        options.refuse(context, ("io", "channels"), "is for TFLite files; leave it out")
    if "int8" not in quantize:
        options.refuse(context, ("io",), "is for int8 files; leave it out")
    formats = ["tflite", "onnx"] if format == "all" else [format]
    if "int8" not in quantize:
        options.refuse(context, ("calibration",), "is for --quantize int8; leave it out")
    mnist = load_data(data) if verify or "int8" in quantize else None
    ranges = load_data(calibration) if calibration else None
    reports = convert(
        model,
        formats,
        quantize,
        out,
        mnist,
        calibration=ranges,
        verify=verify,
        max_drop=max_drop,
        max_changed=max_changed,
        io=io,
        channels=channels,
        force=force,
    )
    for report in reports:
        proof = "NOT VERIFIED"
        if report["passed"]:
            changed, accuracy = len(report["changed"]), report["accuracy"]
            proof = f"{accuracy['file']:.2%} (Keras {accuracy['keras']:.2%}), {changed} of {report['images']} changed"
        print(f"{report['path']}  {report['bytes'] / 1000:.0f} KB  {proof}")
    file = shlex.quote(reports[-1]["path"])
    if training_of(model)["recipe"] == "robust":
        print(f"next: digitocr predict --model {file} PICTURE")
    else:
        print(f"next: digitocr evaluate --model {file}")
        print("      (not trained with --recipe robust: for digits as MNIST has them; pictures need the robust recipe)")


def _c_folder(
    context: typer.Context,
    model: Path | None,
    quantize: list[str],
    out: Path,
    data: Path | None,
    verify: bool,
    limits: dict[str, Any],
    detector: Path | None,
    recognizer: Path | None,
    force: bool,
) -> tuple[int, str]:
    """Writes the C files; a .keras network becomes int8 ONNX first, with the gate of that. Their bytes, and proof."""
    from digitocr.export.classifier import check_source, default_source
    from digitocr.export.classifier import export as convert
    from digitocr.export.to_c import Networks, export_c
    from digitocr.runtime.models import exported_networks, shipped_model
    from digitocr.train.detector.network import holds_detector
    from digitocr.train.recognizer.network import holds_recognizer
    from digitocr.train.sources.load import load_data

    options.refuse(context, ("fonts",), "is for a detector.keras or recognizer.keras; leave it out")
    options.refuse(context, ("io", "channels", "size"), "is for TFLite files; leave it out")
    options.refuse(context, ("calibration",), "is for --format onnx, whose int8 file --model then takes; leave it out")
    if set(quantize) != {"int8"}:
        raise UsageError("C files are int8; leave out --quantize")
    if model is None:
        model = default_source(Path("runs"))
        if model == shipped_model("digitocr.keras"):
            model = shipped_model("digitocr-int8.onnx")
        print(f"digitocr: exporting {model}", file=sys.stderr)
    model = _named(model)
    named = exported_networks(model) if is_folder(model) else {}
    model = named.get("model", model)
    is_keras = model.suffix != ".onnx"
    if is_keras:
        check_source(model)
        kind = "detector" if holds_detector(model) else "recognizer" if holds_recognizer(model) else None
        if kind:
            raise UsageError(f"{model}: is a {kind}; export it by --format onnx, and give that file to --{kind}")
    else:
        options.refuse(context, ("max_drop", "max_changed"), "is for a .keras file; leave it out")
    mnist = load_data(data) if verify or is_keras else None
    with tempfile.TemporaryDirectory() as folder:
        if is_keras:
            (written,) = convert(model, ["onnx"], quantize, Path(folder), mnist, verify=verify, **limits)
            model = Path(written["path"])
        detector = detector or named.get("detector", shipped_model("detector-int8.onnx"))
        recognizer = recognizer or named.get("recognizer", shipped_model("recognizer-int8.onnx"))
        networks = Networks(model, detector, recognizer, named.get("confidence"))
        report = export_c(out, networks, mnist, verify=verify, force=force)
    proof = "NOT VERIFIED"
    if report["passed"]:
        pages = report["pages"]["pages"]
        proof = f"{report['images']:,} digits have ONNX Runtime's logits, {pages} pages are read as Reader reads them"
    return report["bytes"], proof


def _sides(size: str) -> tuple[int, int]:
    """Height and width of WIDTHxHEIGHT."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if not found:
        raise UsageError(f"size is {size}; it must be WIDTHxHEIGHT, as 512x384")
    return int(found[2]), int(found[1])


def _named(model: Path) -> Path:
    """The file of a run's network as if it had been named, where there is no other one; else the path as it is.

    Raises ModelError for an adaptation without networks.
    """
    from digitocr.export.card import read_json_object

    kind = read_json_object(model / "run.json").get("kind")
    if kind == "adapt" and not (model / "model.keras").exists():
        look = shlex.join(["digitocr", "report", str(model)])
        raise ModelError(f"{model}: holds no networks, as its gate refused them or it is not finished; see: {look}")
    return model / "model.keras" if kind == "classifier" else model


def _run_written(
    run: Path, format: str, quantize: list[str], out: Path, mnist: Any, fonts: list[Path], force: bool
) -> Iterator[str]:
    """Exports all networks of a run's folder, and their confidence; a line for each file."""
    from digitocr.export.card import read_json_object
    from digitocr.export.classifier import MODES, check_source
    from digitocr.export.classifier import export as convert
    from digitocr.runtime.files import replacing
    from digitocr.runtime.models import CONFIDENCE

    check_source(run / "model.keras")
    if read_json_object(run / "run.json").get("ended", "") is None:
        raise ModelError(f"{run}: was ended before all its networks were written; train again, in a new folder")
    formats = ["tflite", "onnx"] if format == "all" else [format]
    for report in convert(run / "model.keras", formats, quantize, out, mnist, force=force):
        yield (
            f"{report['path']}  {report['bytes'] / 1000:.0f} KB  {report['accuracy']['file']:.2%} "
            f"(Keras {report['accuracy']['keras']:.2%}), {len(report['changed'])} of {report['images']} changed"
        )
    for kind in ("recognizer", "detector"):
        modes = [mode for mode in quantize if mode in MODES["onnx"]]
        if "onnx" in formats and (run / f"{kind}.keras").exists():
            yield from _written(kind, run / f"{kind}.keras", ["onnx"], modes, None, out, mnist, fonts, force)
    if (run / CONFIDENCE).exists():
        with replacing(out / CONFIDENCE) as beside:
            beside.write_bytes((run / CONFIDENCE).read_bytes())


def _written(
    kind: str,
    model: Path,
    formats: list[str],
    quantize: list[str],
    sizes: list[tuple[int, int]] | None,
    out: Path,
    mnist: Any,
    fonts: list[Path],
    force: bool,
) -> Iterator[str]:
    """Exports a detector or a recognizer, comparing it with Keras on what is drawn for it; a line for each file."""
    if kind == "detector":
        from digitocr.export.detector import TFLITE_SIDES, export_detector, held_out_scenes

        scenes = held_out_scenes(mnist, fonts)
        targets: list[tuple[int, int] | None] = [None] if "onnx" in formats else []
        targets += (sizes or TFLITE_SIDES) if "tflite" in formats else []
        for mode, sides in product(dict.fromkeys(quantize), dict.fromkeys(targets)):
            report = export_detector(model, mode, out, scenes, force, sides)
            yield (
                f"{report['path']}  {report['bytes'] / 1000:.0f} KB  finds {report['found']:.2%} of the digits "
                f"(Keras {report['keras']['found']:.2%}), {report['same']:.2%} of its boxes are those of Keras"
            )
        return
    from digitocr.export.recognizer import export_recognizer, held_out_strips

    strips = held_out_strips(mnist, fonts)
    for mode, form in product(dict.fromkeys(quantize), formats):
        report = export_recognizer(model, mode, out, strips, force, form == "tflite")
        yield (
            f"{report['path']}  {report['bytes'] / 1000:.0f} KB  reads {report['digits']:.2%} of the digits "
            f"(Keras {report['keras']['digits']:.2%}), {report['same']:.2%} of its lines are those of Keras"
        )
