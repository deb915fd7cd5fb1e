"""The int8 file of a network that is measured rather than handed out: what a study and a search ask for."""

from pathlib import Path

from digitocr.export.convert import export
from digitocr.train.data import Mnist
from digitocr.train.quiet import silenced


def int8_file(model: Path, folder: Path, data: Mnist) -> Path:
    """Writes the int8 ONNX file of a .keras file into a folder and returns its path.

    It is calibrated on training images and not proved: no test image is read. Raises what export raises.
    """
    with silenced():  # that nobody has looked what the file answers
        (report,) = export(model, ["onnx"], ["int8"], folder, data, verify=False, force=True)
    return Path(report["path"])
