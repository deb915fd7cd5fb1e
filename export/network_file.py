"""The ONNX or TFLite file of a detector or a recognizer, with its card inside, published once it has passed its gate.

path = planned("detector", "int8", ["none", "int8"], Path("exports"), force=False)
report = published(model, path, "int8", source, described, compared)

Golden vectors are written beside it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx

from digitocr import __version__
from digitocr.export.card import CARD_FILE, CARD_SCHEMA, LICENCE, Card, pack, tensors_of, training_of
from digitocr.export.golden import write_golden
from digitocr.export.parity import Report
from digitocr.export.publish import publish, refuse_existing
from digitocr.runtime.errors import UsageError


def planned(
    kind: str,
    quantize: str,
    quantizations: Iterable[str],
    out: Path,
    force: bool,
    sides: tuple[int, int] | None = None,
) -> Path:
    """Where the file of such a network is written: detector-int8.onnx or detector-512x384-int8.tflite in `out`.

    Args:
        kind: "detector" or "recognizer".
        quantize: One of the quantizations.
        quantizations: Those that there are.
        out: The folder.
        force: Whether a file of an earlier export may be there.
        sides: Height and width of the input of a TFLite file; None: ONNX.

    Raises:
        UsageError: The quantization does not exist.
        OutputError: The file exists already.
    """
    allowed = list(quantizations)
    if quantize not in allowed:
        raise UsageError(f"quantize is {quantize}; for a {kind} it must be {' or '.join(allowed)}")
    mode = "float32" if quantize == "none" else quantize
    path = out / (f"{kind}-{sides[1]}x{sides[0]}-{mode}.tflite" if sides else f"{kind}-{mode}.onnx")
    if not force:
        refuse_existing([path])
    return path


def published(
    model: onnx.ModelProto | bytes,
    path: Path,
    quantize: str,
    source: Path,
    described: Mapping[str, Any],
    compared: Callable[[Path], Report],
) -> Report:
    """Writes the model with its card; returns the gate's report.

    Args:
        model: The network; bytes are those of a TFLite file.
        path: What `planned` returns.
        quantize: How it was quantized.
        source: The .keras file of the network.
        described: The entries of the card on labels, input, output and weights.
        compared: Makes the gate's report on the file that was written.

    Raises:
        OutputError: A file cannot be written.
        GateError: The report lists failures. It is kept, the file is not.
    """
    card: Card = {
        "schema": CARD_SCHEMA,
        "name": path.stem,
        "format": path.suffix[1:],
        "quantization": quantize,
        **described,
        "training": training_of(source),
        "licence": LICENCE,
        "digitocr": __version__,
    }
    if isinstance(model, bytes):
        tensors = tensors_of(model)
        dtype = tensors["image"]["dtype"]  # all of them have it
        card |= {side: {**card[side], "dtype": dtype} for side in ("input", "output")} | {"tensors": tensors}

    def write(beside: Path) -> None:
        if isinstance(model, bytes):
            beside.write_bytes(model)
            pack(beside, {CARD_FILE: json.dumps(card)})
            return
        del model.graph.value_info[:]  # the quantizer's names of free sides contradict a side that a program fixes
        onnx.helper.set_model_props(model, {"digitocr": json.dumps(card)})
        onnx.checker.check_model(model, full_check=True)
        beside.write_bytes(model.SerializeToString())

    report = publish(path, write, lambda written: (card, compared(written)))
    write_golden(path)
    return report
