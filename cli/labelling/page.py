"""The page of `digitocr label`, and what it asks for.

/ is the page, /next?have=3,7 a picture that it does not have yet, with what is read in it, /picture/3?turned=90 its
pixels. /label, /skip, /undo and /again are what a key does. Boxes are in pixels of the picture as it is turned.
"""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Set
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from digitocr.cli.labelling.pictures import Pictures, Shown, boxes_turned, shown
from digitocr.cli.serving import PageServer, Request
from digitocr.runtime.errors import DigitocrError, InputError, MissingExtraError, OutputError, UsageError

HOST = "127.0.0.1"  # what is typed is for this machine alone
PAGE = Path(__file__).with_name("page.html")
QUESTIONS = ("/next", "/label", "/skip", "/undo", "/again")  # of a page; what all but the first ask for is done
PREPARED = 16  # pictures that are kept as they are sent; the page asks for a few in advance
TEXT = re.compile(r"[0-9?.,\-+:/ \n]*")  # what a number is written with
MAX_TEXT = 10_000  # characters of a picture


class LabelPage:
    """Serves the page. Each request is answered in a thread of its own.

    Attributes:
        address: The page's address.
    """

    def __init__(self, pictures: Pictures, port: int) -> None:
        """Starts the server. Raises DeviceError or UsageError, as PageServer does."""
        self._pictures = pictures
        self._run = secrets.token_hex(8)
        self._page = PAGE.read_text("utf-8").replace('const RUN = ""', f'const RUN = "{self._run}"')
        self._reading = True
        self._prepared: OrderedDict[tuple[int, int], Shown] = OrderedDict()
        self._lock = threading.Lock()
        self._server = PageServer(self._answer, HOST, port)
        self.address = self._server.address

    def end_reading(self) -> None:
        """Notes that nothing more will be read."""
        self._reading = False

    def close(self) -> None:
        """Ends the server."""
        self._server.close()

    def _answer(self, request: Request) -> None:
        address = urlsplit(request.path)
        asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
        try:
            if (request.method, address.path) == ("GET", "/"):
                request.send_page(self._page)
            elif address.path in QUESTIONS and request.headers.get("X-Run") != self._run:
                # the page of an earlier run, still open, numbers its pictures otherwise
                request.send_json({"error": "this page is of an earlier run; load it again"}, HTTPStatus.CONFLICT)
            elif (request.method, address.path) == ("GET", "/next"):
                request.send_json(self._next(_indices(asked.get("have", ""))))
            elif request.method == "GET" and (number := re.fullmatch(r"/picture/(\d{1,9})", address.path)):
                picture = self._shown(self._checked(int(number[1])), _turned(asked.get("turned", "0")))
                request.send(picture.kind, picture.content)
            elif request.method == "POST" and address.path in QUESTIONS[1:]:
                self._change(request, address.path)
            else:
                request.send_error(HTTPStatus.NOT_FOUND)
        except OutputError as error:
            request.send_json({"error": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)
        except (DigitocrError, ValueError, KeyError, TypeError, OverflowError) as error:
            request.send_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    def _change(self, request: Request, what: str) -> None:
        """Does what a key asks for. The answer is sent when a killed process would not lose it any more."""
        sent = request.json()
        if what == "/undo":
            index = self._pictures.undo()
            request.send_json(self._state() if index is None else self._item(index))
        elif what == "/again":
            self._pictures.show_skipped()
            request.send_json(self._state())
        elif what == "/skip":
            self._pictures.skip(self._checked(sent["id"]))
            request.send_json(self._state())
        else:
            self._label(sent)
            request.send_json(self._state())
        self._pictures.sync()

    def _label(self, sent: dict[str, Any]) -> None:
        index, text, turned = self._checked(sent["id"]), sent["text"], _turned(sent["turned"])
        if not isinstance(text, str) or len(text) > MAX_TEXT or not TEXT.fullmatch(text):
            raise UsageError("a number is written with digits, ? and . , - + : /")
        size = self._shown(index, turned).size
        boxes = None if sent["boxes"] is None else [[round(side) for side in box] for box in sent["boxes"]]
        if boxes is not None:
            boxes = boxes_turned(boxes, size, turned, back=True)
            if not all(_is_inside(box, size) for box in boxes):
                raise UsageError("a box is not inside the picture")
        self._pictures.label(index, "\n".join(line.strip() for line in text.strip().split("\n")), boxes, turned, size)

    def _next(self, have: Set[int]) -> dict[str, Any]:
        """The next picture that can be shown; one that cannot any more is noted, and passed over."""
        while (index := self._pictures.next(have)) is not None:
            try:
                return self._item(index)
            except (InputError, MissingExtraError) as error:
                self._pictures.lose(index, str(error))
        return self._state()

    def _item(self, index: int) -> dict[str, Any]:
        """A picture with what is read in it, as the page shows it."""
        picture, guess = self._pictures.pictures[index], self._pictures.guess(index)
        size = self._shown(index, guess.turned).size
        return {
            "id": index,
            "name": picture.name,
            "text": guess.text,
            "boxes": boxes_turned(guess.boxes, size, guess.turned),
            "sure": guess.sure,
            "confidence": guess.confidence,
            "turned": guess.turned,
            "size": size[::-1] if guess.turned % 180 else size,
            **self._state(),
        }

    def _state(self) -> dict[str, Any]:
        return {"counts": self._pictures.counts(), "reading": self._reading, "errors": self._pictures.errors()[-5:]}

    def _shown(self, index: int, turned: int) -> Shown:
        """The picture as it is sent; those asked for last are kept. Raises InputError or MissingExtraError."""
        with self._lock:
            if (index, turned) in self._prepared:
                self._prepared.move_to_end((index, turned))
                return self._prepared[index, turned]
        made = shown(self._pictures.pictures[index], turned)
        with self._lock:
            self._prepared[index, turned] = made
            while len(self._prepared) > PREPARED:
                self._prepared.popitem(last=False)
        return made

    def _checked(self, index: int) -> int:
        if not isinstance(index, int) or not 0 <= index < len(self._pictures.pictures):
            raise UsageError(f"there is no picture {index}")
        return index


def _indices(text: str) -> Set[int]:
    return {int(one) for one in text.split(",") if one}


def _turned(value: Any) -> int:
    if (degrees := int(value)) not in (0, 90, 180, 270):
        raise UsageError(f"a picture is turned by 0, 90, 180 or 270 degrees, not {degrees}")
    return degrees


def _is_inside(box: list[int], size: tuple[int, int]) -> bool:
    """Whether it is a box and meets the picture."""
    if len(box) != 4:
        return False
    x, y, w, h = box
    return w > 0 and h > 0 and -w < x < size[0] and -h < y < size[1]
