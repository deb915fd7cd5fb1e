"""Export: Keras networks fused, quantized, written as TFLite and ONNX, and compared with the original.

    from pathlib import Path

    from digitocr.export import export
    from digitocr.train import load_mnist

    source = Path("runs/robust-4-0/model.keras")
    for report in export(source, ["onnx", "tflite"], ["int8"], Path("exports"), load_mnist()):
        print(report["path"], report["bytes"], len(report["changed"]), "of", report["images"], "answers changed")

Needs the extra `export`. The names below are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitocr.export.classifier import export
    from digitocr.export.detector import export_detector, held_out_scenes
    from digitocr.export.recognizer import export_recognizer, held_out_strips

__all__ = ["export", "export_detector", "export_recognizer", "held_out_scenes", "held_out_strips"]

_HOMES = {
    "export": "classifier",
    "export_detector": "detector",
    "export_recognizer": "recognizer",
    "held_out_scenes": "detector",
    "held_out_strips": "recognizer",
}


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'digitocr.export' has no attribute {name!r}")
    return getattr(import_module(f"digitocr.export.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
