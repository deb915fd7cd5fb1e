"""Any .onnx, .tflite or .keras file of a network that reads a digit, whoever made it, as a Classifier.

model = ModelFile(Path("model.onnx"), load_mnist())
model.predict(tensors)          # (N, classes) probabilities for (N, 28, 28, 1) tensors, 0 to 1, ink bright
model.interface.findings        # what was found out about its input and output
"""

from pathlib import Path
from typing import Any

import numpy as np

from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.errors import MissingExtraError, ModelError
from digitocr.runtime.files import is_folder
from digitocr.runtime.interpreter import first_line, zipped_card
from digitocr.runtime.models import check_shipped, exported_networks, model_content, parsed_card
from digitocr.runtime.preprocessing import Tensors
from digitocr.train.data import Mnist
from digitocr.train.evaluation.interface import Interface, find_interface, known_interface, trial_of
from digitocr.train.evaluation.interpreters import OPENERS, Network
from digitocr.train.keras_backend import keras_needed
from digitocr.train.quiet import silenced


class ModelFile:
    """A network that reads a digit, in the interpreter that its file is made for, on one thread.

    Args:
        path: A .onnx, .tflite or .keras file.
        data: What its input and output are found out with, unless `digitocr export` wrote the file.

    Attributes:
        name: The file's name without its suffix.
        sha256: The digest of the file.
        card: What `digitocr export` wrote into the file; {} for other files.
        interface: What it takes and puts out.
        classes: 10, or 11 where the last one is "no digit".
        outputs: What the file itself puts out.

    Raises:
        ModelError: The file cannot be used.
        MissingExtraError: Its interpreter is not installed.
    """

    def __init__(self, path: Path, data: Mnist) -> None:
        self.name, self._path = path.stem, path
        self._network, self.sha256 = open_file(path)
        self.card = card_of(path, self._network)
        self.interface = self._interface(data)
        self.classes, self.outputs = self.interface.classes, self.interface.output

    def _interface(self, data: Mnist) -> Interface:
        if len(self.card.get("labels", ())) in (10, 11):  # a detector and a recognizer have cards as well
            return known_interface(self._network.signature)
        try:
            return find_interface(self._network.signature, self._network, trial_of(data))
        except ModelError as error:
            raise ModelError(f"{self._path}: {error}; give a network that reads a digit") from error

    def predict(self, tensors: Tensors) -> Probabilities:
        """Probabilities, (N, classes) float32, of (N, 28, 28, 1) float32 in [0, 1]; N may be 0.

        Raises ModelError where the interpreter cannot run the network, or an answer is no number.
        """
        if len(tensors) == 0:
            return np.zeros((0, self.classes), np.float32)
        try:
            probabilities = self.interface.probabilities(self.interface.run(self._network, tensors))
        except Exception as error:  # the interpreters' exceptions share no base
            raise ModelError(f"{self._path}: fails where it is run ({first_line(error)})") from error
        if np.isnan(probabilities).any():  # which argmax would take for a 0
            raise ModelError(
                f"{self._path}: its answers are no numbers (NaN), as weights are after a training that failed, "
                "or float16 where numbers grow too large; train it again, or convert it in float32"
            )
        return probabilities


def network_file(path: Path) -> Path:
    """The file of a network: of a run's folder its model.keras, of a folder of exports the int8 file, else the path.

    Raises ModelError where a folder has neither.
    """
    if not is_folder(path):
        return path
    return kept if (kept := path / "model.keras").is_file() else exported_networks(path)["model"]


def open_file(path: Path) -> tuple[Network, str]:
    """The network in an .onnx, .tflite or .keras file, and the SHA-256 of the file.

    Raises:
        ModelError: It is no such file, or its interpreter cannot open it.
        MissingLibraryError: Its interpreter, or the backend of Keras, is not installed.
    """
    if path.suffix not in OPENERS:
        raise ModelError(f"{path}: a model file ends in {', '.join(OPENERS)}")
    sha256 = check_shipped(path, model_content(path))
    if path.suffix == ".keras":
        with keras_needed("train", "reading a .keras model"):
            import keras  # noqa: F401
    try:
        with silenced():
            return OPENERS[path.suffix](path), sha256
    except ImportError as error:
        raise MissingExtraError("tflite", f"reading a {path.suffix} model") from error
    except Exception as error:  # the interpreters' exceptions share no base
        reason = first_line(error) or type(error).__name__
        raise ModelError(f"{path}: cannot be used ({reason}); give a network that reads a digit") from error


def card_of(path: Path, network: Network) -> dict[str, Any]:
    """What `digitocr export` wrote into an .onnx or .tflite file; {} for others."""
    return parsed_card(zipped_card(model_content(path)) if path.suffix == ".tflite" else network.card)
