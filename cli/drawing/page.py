"""The page on which one draws a digit and sees what each layer of a network makes of it.

GET / is the page, page.html. POST /look and /changes take the drawing, {"network": NAME, "ink": BASE64}: PAPER times
PAPER bytes, row by row, 0 for paper and 255 for ink. The first one answers with what the layers make of it, the second
one with what would change the answer.
"""

import base64
import threading
from collections.abc import Mapping, Sequence
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from digitocr.cli.serving import PageServer, Request
from digitocr.runtime.errors import DigitocrError, UsageError
from digitocr.runtime.files import is_folder, shown_files
from digitocr.runtime.models import shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import Images, images
from digitocr.train.classifier.layers import ERASED, INK, PATCH, PLACES, Layers, load_network

PAPER = 140  # pixels; the side of the drawing as it is sent
PAGE = Path(__file__).with_name("page.html")
SHIPPED = "digitocr.keras"  # the network that is looked into if none is named
RUN_FILES = ("model.keras", "runs/*.keras", "models/*.keras")  # in the folder of a training run, a study, a search
FULL = 127  # the greatest value of a map as it is sent


def find_networks(sources: Sequence[Path]) -> dict[str, Path]:
    """The files of networks by the names that the page shows; without a source, of the shipped one.

    A source is a file, or the folder of a run, a study or a search. Raises UsageError where it holds no network.
    """
    if not sources:
        return {SHIPPED: shipped_model(SHIPPED)}
    found: list[Path] = []
    for source in sources:
        files = (
            [path for pattern in RUN_FILES for path in shown_files(source, pattern)] if is_folder(source) else [source]
        )
        if not files:
            raise UsageError(
                f"{source}: holds no network that reads digits; name the folder of a run, a study or a search, or a "
                ".keras file"
            )
        found += sorted(files, key=lambda path: (len(path.name), path.name))  # 2.keras before 10.keras
    return {str(path): path for path in found}


class DrawPage:
    """Serves the page, and answers what it asks.

    Attributes:
        server: The server.
    """

    def __init__(self, networks: Mapping[str, Path], host: str, port: int) -> None:
        """Loads the first network and starts the server.

        Args:
            networks: Files by names; the others are loaded when they are chosen.
            host: The address to serve at.
            port: 0 for any free one.

        Raises:
            ModelError: The first network cannot be used.
            DeviceError: The port is taken or may not be used.
            UsageError: The address is not one of this machine.
        """
        self._networks = networks
        self._loaded: dict[str, Layers] = {}
        self._one_at_a_time = threading.Lock()  # Keras may be called from any thread, by one at a time
        self._layers(next(iter(networks)))
        # an option's text loses spaces, its value does not
        options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in networks)
        self._page = PAGE.read_text("utf-8").replace("<!-- networks -->", options)
        self.server = PageServer(self._answer, host, port)

    def _layers(self, name: str) -> Layers:
        if name not in self._loaded:
            self._loaded[name] = Layers(load_network(self._networks[name]))
        return self._loaded[name]

    def _answer(self, request: Request) -> None:
        if (request.method, request.path) == ("GET", "/"):
            request.send_page(self._page)
            return
        ask = {("POST", "/look"): look, ("POST", "/changes"): changes}.get((request.method, request.path))
        if ask is None:
            request.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            sent = request.json()
            digit = prepared(sent["ink"])
            with self._one_at_a_time:
                request.send_json({} if digit is None else ask(self._layers(sent["network"]), digit))
        except DigitocrError as error:  # a network that is chosen later may be damaged
            request.send_json({"error": str(error)})
        except (KeyError, TypeError, ValueError):
            request.send_error(HTTPStatus.BAD_REQUEST, "This is no drawing of the page, or of a network that it has")


def prepared(ink: str) -> Images | None:
    """(28, 28) uint8: the drawing, in base64, as the networks get it; None for an empty one. Raises ValueError."""
    drawing = np.frombuffer(base64.b64decode(ink, validate=True), np.uint8).reshape(PAPER, PAPER)
    box = cv2.boundingRect(drawing)
    return images(drawing, np.array([box]))[0] if box[2] else None


def look(network: Layers, digit: Images) -> dict[str, Any]:
    """What a network makes of a (28, 28) uint8 digit.

    Keys: image (base64, 28 times 28 bytes), probabilities, layers: each with name, kind, weights, window, shape (maps,
    height, width), greatest (the greatest absolute value) and maps (base64, int8: the values with FULL for greatest).
    """
    layers = []
    for layer in network.of(digit):
        greatest = float(np.abs(layer.maps).max())
        levels = np.round(layer.maps * (FULL / (greatest or 1))).astype(np.int8)
        layers.append(
            {
                "name": layer.name,
                "kind": layer.kind,
                "weights": layer.weights,
                "window": layer.window,
                "shape": layer.maps.shape,
                "greatest": greatest,
                "maps": _base64(levels.tobytes()),
            }
        )
    shares = [float(share) for share in network.probabilities(digit[None])[0]]
    return {"image": _base64(digit.tobytes()), "probabilities": shares, "layers": layers}


def changes(network: Layers, digit: Images) -> dict[str, Any]:
    """What a network would answer if one patch of a (28, 28) uint8 digit was without ink, or full of it.

    Keys: answer, the class that it answers now; share, its probability; patch, the side in pixels; places, the left
    edges of the columns of patches and the upper edges of the rows; erased and inked: for each patch, row by row, the
    class that it would answer, the probability of that one, and the probability that is left of the answer.
    """
    now = network.probabilities(digit[None])[0]
    answer = int(now.argmax())
    known: dict[str, Any] = {
        "answer": answer,
        "share": float(now[answer]),
        "patch": PATCH,
        "places": list(PLACES),
    }
    for name, level in (("erased", ERASED), ("inked", INK)):
        given = network.changed(digit, level).reshape(len(PLACES) ** 2, -1)
        known[name] = [
            [int(shares.argmax()), round(float(shares.max()), 4), round(float(shares[answer]), 4)] for shares in given
        ]
    return known


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
