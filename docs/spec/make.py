"""Writes the golden files of docs/preprocessing.md. Run by hand, for a new version or other weights of the networks.

    python docs/spec/make.py

page.png and lone.png are inputs; everything else follows from them. Only "reading", "confidence" and the confidences
of "characters" depend on shipped weights. No test writes these files.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitocr.runtime import (
    background,
    boxes,
    confidence,
    detector,
    lines,
    numbers,
    orientation,
    preprocessing,
    recognition,
    recognizer,
    strips,
)
from digitocr.runtime.attempt import Attempt
from digitocr.runtime.characters import Character
from digitocr.runtime.reader import CROP_SCALES, Reader

SPEC = Path(__file__).parent
SHAPES = ((480, 640), (3000, 4000), (100, 90), (33, 2000), (7, 5))  # (H, W)
BOXES = (  # of page.png: a digit, the same wider, beyond each edge, wholly outside, thin, tiny
    (199.4, 81.7, 57.0, 84.3),
    (190.5, 75.5, 75.0, 100.0),
    (-20.0, -12.5, 60.0, 70.0),
    (610.0, 440.0, 50.0, 60.0),
    (700.0, 500.0, 30.0, 40.0),
    (300.0, 200.0, 4.0, 90.0),
    (320.2, 240.8, 0.4, 0.9),
)
SUPPRESSED = (  # x, y, width, height, score: a digit found three times, its neighbour, a part of it, a thin 1 beside it
    (10, 10, 20, 30, 0.9),
    (12, 11, 20, 30, 0.95),
    (9, 12, 22, 28, 0.5),
    (31, 10, 20, 30, 0.8),
    (33, 14, 8, 10, 0.7),
    (52, 10, 3, 30, 0.6),
    (55, 10, 3, 30, 0.65),
)
ORDERED = (  # two lines of a page that slopes, and a lone box
    (10, 10, 20, 30),
    (70, 16, 20, 30),
    (40, 13, 20, 30),
    (12, 60, 18, 28),
    (45, 63, 18, 28),
    (300, 200, 20, 30),
)
LINED = (  # of page.png: the digits of both lines, and one that is too far away and one that is too large for them
    (201, 83, 54, 81),
    (299, 77, 53, 76),
    (389, 71, 48, 84),
    (222, 211, 42, 91),
    (306, 206, 53, 84),
    (388, 202, 48, 81),
    (487, 196, 47, 71),
    (20, 20, 12, 15),
    (545, 40, 40, 150),
)
UNIT = (  # two digits, two letters that hang lower, and the digits of another line
    (100, 60, 24, 40),
    (130, 60, 24, 40),
    (160, 80, 24, 30),
    (190, 80, 24, 30),
    (100, 200, 24, 40),
    (130, 202, 24, 40),
    (160, 204, 24, 40),
    (190, 206, 24, 40),
)
FITS = ((0, 1), (1,), (0, 1, 2), (0, 1, 2, 3), (4, 5, 7), (2, 3))  # boxes of UNIT that are clear digits of their line
READ = (  # columns of a strip: how many, the class of each and its probability; the rest goes to the gap, that of a gap
    (20, "gap", 0.9),  # to "other"
    (4, "4", 0.9),
    (1, "1", 0.55),
    (4, "1", 0.8),
    (3, "gap", 0.7),
    (2, ".", 0.6),
    (2, "gap", 0.5),
    (3, "other", 0.9),
    (4, "0", 0.7),
    (1, "gap", 0.9),
    (3, "0", 0.9),
    (30, "gap", 0.9),
)
CANDIDATES = (  # of a line that READ is of: x, y, width, height, confidence, likeliest digit, its probability
    (100, 60, 20, 40, 0.9, 4, 0.9),
    (134, 62, 12, 40, 0.4, 7, 0.5),
    (196, 60, 24, 40, 0.7, 0, 0.6),  # on a word, with the digit beside it
    (500, 60, 24, 40, 0.02, 3, 0.3),  # too unsure for a line
)
WRITTEN = (  # the characters of lines: text, x and width of each; all are 40 high
    (("1", 0, 20), ("2", 30, 20), (".", 54, 4), ("5", 62, 20), ("3", 140, 20), ("0", 170, 20)),
    (("-", 0, 12), ("7", 20, 20), ("?", 50, 20), ("*", 90, 30), ("8", 125, 20)),
    (("1", 0, 20), ("5", 30, 20), ("/", 54, 8), ("0", 66, 20), ("8", 96, 20)),
    (("3", 0, 20), ("*", 40, 2), ("6", 62, 20), ("*", 102, 2), ("9", 124, 20)),
)
DIMMED = 0.8  # times READ's probabilities of digits: some are doubtful then


def golden() -> dict[str, Any]:
    """Every step's inputs and outputs, but for the pictures."""
    page = picture("page")
    rows = np.array(BOXES, np.float32)
    suppressed = np.array(SUPPRESSED, np.float32)
    ordered = np.array(ORDERED, np.float32)
    kept, scores = boxes.non_maximum_suppression(suppressed[:, :4], suppressed[:, 4])
    probabilities, detected = _probabilities(len(ordered)), np.linspace(0.3, 0.99, len(ordered), dtype=np.float32)
    network_output = _network_output()
    decoded, decoded_scores = detector.decoded(network_output)
    reader = Reader(rotate=0)
    reading = reader.read(page)
    return {
        "preprocessing": preprocessing.VERSION,
        "sizes": [_sizes(shape) for shape in SHAPES],
        "planes": _samples(detector.detector_input(page[100:260, 60:340]), 100, 60),
        "decoded": {
            "output": _rounded(network_output),
            "boxes": _rounded(decoded),
            "scores": _rounded(decoded_scores),
        },
        "suppression": {
            "boxes": _rounded(suppressed[:, :4]),
            "scores": _rounded(suppressed[:, 4]),
            "kept": _rounded(kept),
            "kept scores": _rounded(scores),
        },
        "crops": {
            "boxes": _rounded(rows),
            "scaled": [_rounded(boxes.scaled(rows[:2], factor)) for factor in CROP_SCALES],
        },
        "turned": [
            {
                "degrees": degrees,
                "shape": list(orientation.turned(page, degrees).shape),
                "boxes": _rounded(rows[:2]),
                "back": _rounded(orientation.turned_back(rows[:2], page.shape, degrees)),
            }
            for degrees in (90, 180, 270, 20)
        ],
        "lines": {
            "boxes": _rounded(ordered),
            "slope": round(lines.slope(ordered), 5),
            "order": lines.reading_order(ordered),
            "scores": _rounded(detected),
            "best neighbour": _rounded(lines.best_neighbour(ordered, detected)),
        },
        "confidence": {
            "probabilities": _rounded(probabilities),
            "features": _rounded(confidence.confidence_features(ordered, detected, probabilities)),
            "confidence": _rounded(confidence.load_confidence().of_candidates(ordered, detected, probabilities)),
        },
        "strips": [{**place._asdict(), "rows": list(place.rows), **_corners(place)} for place in _places()],
        "recognizer planes": _samples(recognizer.recognizer_input(picture("strip-2")), 0, 0),
        "segments": {
            "columns": [list(one) for one in READ],
            "found": [
                {"left": part.left, "right": part.right, "probabilities": _rounded(part.probabilities)}
                for part in recognizer.segments(_columns())
            ],
        },
        "fitted": _fitted(),
        "closer": {
            "places": [place.closer()._asdict() for place in _places()],
            "doubtful": [recognition.is_doubtful(part) for part in recognizer.segments(_dimmed())],
            "columns": _rounded(recognition.mean_of_looks(_columns()[:20], _columns()[:24])),
        },
        "characters": _characters(),
        "numbers": [
            {
                "characters": [list(one) for one in line],
                "found": [{"text": group.text, "places": list(group.places)} for group in _grouped(line)],
            }
            for line in WRITTEN
        ],
        "reading": {
            "text": reading.text,
            "numbers": [number.text for number in reading.numbers],
            "boxes": [[box.x, box.y, box.w, box.h] for box in (digit.box for digit in reading.digits)],
            "confidence": [round(digit.confidence, 3) for digit in reading.digits],
        },
    }


def pictures() -> dict[str, NDArray[np.uint8]]:
    """The pictures that follow from others, by name; those of 28x28 below each other."""
    page, lone, crops = picture("page"), *(picture(name).reshape(-1, 28, 28) for name in ("lone", "crops"))
    return {
        "coarse": background.shrunk(background.shrunk(page, detector.MIDDLE), detector.COARSE),
        "even": background.evened(page),
        "crops": preprocessing.crops(page, np.array(BOXES, np.float32)).reshape(-1, 28),
        "normalised": preprocessing.normalised(crops).reshape(-1, 28),
        "lone-normalised": np.concatenate([preprocessing.lone(one)[0] for one in lone]),
        "turned": orientation.turned(picture("coarse"), 20),
        **{f"strip-{number}": strips.cut(page, place) for number, place in enumerate(_places(), 1)},
    }


def picture(name: str) -> NDArray[np.uint8]:
    """(H, W): a golden picture."""
    return np.asarray(cv2.imread(str(SPEC / f"{name}.png"), cv2.IMREAD_GRAYSCALE), np.uint8)


def _sizes(shape: tuple[int, int]) -> dict[str, Any]:
    """How a picture of that shape is resized for the detector at each size, and how a piece of it is framed."""
    longer = max(shape)
    times = longer / min(longer, detector.NORMAL_ASPECT * min(shape))
    seen = []
    for size in (detector.COARSE, detector.MIDDLE, detector.FINE):
        side = round(size * times)
        width, height = background.fitted(shape, side) if longer > side else shape[::-1]
        pieces = [[[start, end] for start, end, *_ in detector._pieces(length)] for length in (height, width)]
        framed = [
            detector.MARGIN + length + detector.MARGIN + -(length + 2 * detector.MARGIN) % detector.MULTIPLE
            for length in (end - start for (start, end), *_ in pieces)
        ]
        seen.append({"longer side": side, "resized": [height, width], "pieces": pieces, "framed": framed})
    return {"shape": list(shape), "seen": seen}


def _places() -> list[strips.Place]:
    """The lines of LINED."""
    return strips.find_lines(np.array(LINED, np.float32), np.arange(len(LINED)))


def _fitted() -> dict[str, Any]:
    """The places of the lines of UNIT by some of their boxes, and the boxes of a line that are clear digits in READ."""
    rows, every = np.array(UNIT, np.float32), np.arange(len(UNIT))
    above, below = strips.find_lines(rows, every)
    found = [strips.fitted(rows, below if fit[0] > 3 else above, list(fit), every) for fit in FITS]
    candidates = np.array([row[:4] for row in CANDIDATES if row[4] >= recognition.SEED_CONFIDENCE], np.float32)
    (place,) = strips.find_lines(candidates, np.arange(len(candidates)))
    return {
        "places": [{**place._asdict(), "rows": list(place.rows)} for place in found],
        "clear": recognition.clear_digits(candidates, place, recognizer.segments(_columns()[: place.width // 2])),
    }


def _corners(place: strips.Place) -> dict[str, Any]:
    """Where the strip of a line lies in the picture."""
    return {"corners": [_rounded(place.to_picture(u, v)) for u in (0, place.width) for v in (0, 32)]}


def _columns() -> NDArray[np.float32]:
    """(n, 18): READ."""
    names = {"other": recognizer.OTHER, "gap": recognizer.GAP}
    made = []
    for count, name, share in READ:
        column = np.zeros(recognizer.CLASS_COUNT, np.float32)
        column[recognizer.OTHER if name == "gap" else recognizer.GAP] = 1 - share
        column[names[name] if name in names else recognizer.CLASSES.index(name)] = share
        made += [column] * count
    return np.stack(made)


def _dimmed() -> NDArray[np.float32]:
    """(n, 18): READ with less sure digits."""
    columns = _columns()
    columns[:, recognizer.GAP] += columns[:, :10].sum(1) * (1 - DIMMED)
    columns[:, :10] *= DIMMED
    return columns


def _characters() -> dict[str, Any]:
    """What becomes of CANDIDATES with READ as the strip of their line, and of which confidence it is."""
    rows = np.array(CANDIDATES, np.float32)
    probabilities = np.repeat((1 - rows[:, 6:]) / 10, 11, 1)
    probabilities[np.arange(len(rows)), rows[:, 5].astype(int)] = rows[:, 6]
    given = Attempt(
        0, rows[:, :4], rows[:, 4], np.zeros((len(rows), 28, 28), np.uint8), probabilities, rows[:, 4]
    )  # the detector's scores are none of what is compared

    class Read:
        def columns(self, seen: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
            return [_columns()[: -(-strip.shape[1] // recognizer.COLUMN)] for strip in seen]

    def crop(new: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        return np.zeros((len(new), 28, 28), np.uint8), np.full((len(new), 11), 1 / 11, np.float32)

    model = confidence.load_confidence()
    gray = np.zeros((200, 600), np.uint8)
    found = recognition.recognition(gray, given, Read(), crop, model)  # type: ignore[arg-type]  # a stand-in
    candidates = np.concatenate([given.confidence, np.full(len(found.boxes) - len(rows), 0.3, np.float32)])
    classifier = np.concatenate([given.probabilities, crop(found.boxes[len(rows) :])[1]])
    is_found = np.arange(len(found.boxes)) < len(rows)
    first = confidence.CHARACTER_FEATURES.index("other beside")
    beside = found.features[:, first : first + 2]
    elsewhere = recognition.elsewhere(found.strips, found.lined)
    heights = found.boxes[:, 3] / np.float32(gray.shape[0])
    features = confidence.character_features(
        candidates, is_found, classifier, found.lined, found.digits, beside, elsewhere, heights
    )
    right, place = model.of_characters(features)
    return {
        "candidates": [list(one) for one in CANDIDATES],
        "boxes": _rounded(found.boxes),
        "lined": _rounded(found.lined),
        "digits": _rounded(found.digits),
        "others": [[one.text, _rounded(one.box), round(one.confidence, 5)] for one in found.others],
        "features": _rounded(features),
        "right": _rounded(right),
        "place": _rounded(place),
    }


def _grouped(line: tuple[tuple[str, int, int], ...]) -> list[numbers.Group]:
    return numbers.grouped([Character(text, (x, 0, w, 40), 0.9, -1) for text, x, w in line])


def _samples(planes: NDArray[np.float32], top: int, left: int) -> dict[str, Any]:
    """Some values of (n, H, W) planes of a part of a picture from `top` and `left` on: [plane, row, column, value]."""
    count, height, width = planes.shape
    places = [
        (y, x) for y in (0, 1, height // 3, height // 2, height - 1) for x in (0, 2, width // 3, width // 2, width - 1)
    ]
    return {
        "rows": [top, top + height],
        "columns": [left, left + width],
        "values": [[plane, y, x, round(float(planes[plane, y, x]), 4)] for plane in range(count) for y, x in places],
        "means": _rounded(planes.mean((1, 2))),
        "deviations": _rounded(planes.std((1, 2))),
    }


def _network_output() -> NDArray[np.float32]:
    """(5, 2, 3): an output of the detector with one clear digit, one weak one, one below the least score."""
    output = np.zeros((5, 2, 3), np.float32)
    output[0] = [[-6, 2.5, -5], [-1.0, -6, -1.5]]
    output[1:, 0, 1] = [0.1, -0.2, 1.5, 2.0]
    output[1:, 1, 0] = [-0.05, 0.0, 6.0, -4.0]
    return output


def _probabilities(count: int) -> NDArray[np.float32]:
    """(count, 10), each row sums to 1: rows whose likeliest digits are 0, 1, 2 and so on."""
    made = np.full((count, 10), 0.01, np.float32)
    for row in range(count):
        made[row, row % 10] = 0.91
    return made


def _rounded(values: Any) -> Any:
    return np.round(np.asarray(values, np.float64), 5).tolist()


def _draw_inputs() -> None:
    from digitocr.train.synthesis.pages import draw_page, random_style

    rng = np.random.default_rng(11)
    page = draw_page(["407", "1358"], rng, random_style(rng, (640, 480), light_on_dark=False)).image
    cv2.imwrite(str(SPEC / "page.png"), cv2.cvtColor(page, cv2.COLOR_RGB2GRAY))
    lone = np.zeros((3, 28, 28), np.uint8)
    cv2.putText(lone[0], "5", (6, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2, cv2.LINE_AA)
    lone[1] = 255 - lone[0]  # the other polarity
    lone[2] = 90 + lone[0] // 4  # a background that is not black
    cv2.imwrite(str(SPEC / "lone.png"), lone.reshape(-1, 28))


if __name__ == "__main__":
    _draw_inputs()
    for _ in range(2):  # some of the pictures are inputs of others
        for name, made in pictures().items():
            cv2.imwrite(str(SPEC / f"{name}.png"), made)
    (SPEC / "golden.json").write_text(json.dumps(golden(), indent=1) + "\n", "utf-8")
