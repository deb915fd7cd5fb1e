"""The ONNX file of a detector or a recognizer, with its card inside, published once it has passed its gate.

path = planned("detector", "int8", ["none", "int8"], Path("exports"), force=False)
report = published(model, path, "int8", source, described, compared)
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx

from digitocr import __version__
from digitocr.export.card import CARD_SCHEMA, LICENCE, Card, training_of
from digitocr.export.parity import Report
from digitocr.export.publish import publish, refuse_existing
from digitocr.runtime.errors import UsageError


def planned(kind: str, quantize: str, quantizations: Iterable[str], out: Path, force: bool) -> Path:
    """Where the file of such a network is written, as detector-int8.onnx in `out`.

    Args:
        kind: "detector" or "recognizer".
        quantize: One of the quantizations.
        quantizations: Those that there are.
        out: The folder.
        force: Whether a file of an earlier export may be there.

    Raises:
        UsageError: The quantization does not exist.
        OutputError: The file exists already.
    """
    allowed = list(quantizations)
    if quantize not in allowed:
        raise UsageError(f"quantize is {quantize}; for a {kind} it must be {' or '.join(allowed)}")
    path = out / f"{kind}-{'float32' if quantize == 'none' else quantize}.onnx"
    if not force:
        refuse_existing([path])
    return path


def published(
    model: onnx.ModelProto,
    path: Path,
    quantize: str,
    source: Path,
    described: Mapping[str, Any],
    compared: Callable[[Path], Report],
) -> Report:
    """Writes the model with its card; returns the gate's report.

    Args:
        model: The network.
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
        "format": "onnx",
        "quantization": quantize,
        **described,
        "training": training_of(source),
        "licence": LICENCE,
        "digitocr": __version__,
    }
    del model.graph.value_info[:]  # the quantizer's names of free sides, which contradict a side that a program fixes
    onnx.helper.set_model_props(model, {"digitocr": json.dumps(card)})
    onnx.checker.check_model(model, full_check=True)
    return publish(
        path, lambda beside: beside.write_bytes(model.SerializeToString()), lambda written: (card, compared(written))
    )
