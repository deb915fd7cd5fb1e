"""Small drawn pictures, and the hashes of what the Python runtime makes of them: golden vectors of the C library.

    text = golden_pictures(Reader(classifier, detector=detector, recognizer=recognizer))

selftest.c computes the same hashes on the machine where it runs: of the boxes that the detector finds, of their crops,
of the logits of these, and of the numbers that are read.
"""

import struct
from collections.abc import Iterable

import numpy as np

from digitocr.runtime.background import shadeless
from digitocr.runtime.image import GrayImage
from digitocr.runtime.preprocessing import images, scale
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Reading
from digitocr.train.synthesis.pages import Style, draw_page

FNV_START, FNV_PRIME = 2166136261, 16777619
TOPK_NONE = -1  # where a place has fewer likely digits than others


def fnv(parts: Iterable[bytes]) -> int:
    """FNV-1a, 32 bits, as selftest.c computes it."""
    value = FNV_START
    for part in parts:
        for byte in part:
            value = ((value ^ byte) * FNV_PRIME) & 0xFFFFFFFF
    return value


def golden_pictures(reader: Reader) -> str:
    """The part of digitocr_golden.h with the pictures. The reader has the networks of the folder."""
    pixels, rows = [], []
    for number, gray in enumerate(pictures()):
        boxes, scores = reader.detector.detect(gray)
        crops = images(shadeless(gray, boxes), boxes)
        logits = reader.classifier.logits(scale(crops))
        hashes = [
            fnv([boxes.astype("<f4").tobytes(), scores.astype("<f4").tobytes()]),
            fnv([crops.tobytes()]),
            fnv([logits.astype("<f4").tobytes()]),
            fnv(_parts(reader.read(gray))),
        ]
        height, width = gray.shape
        pixels.append(
            f"static const uint8_t golden_picture_{number}[{gray.size}] = {{{','.join(map(str, gray.ravel()))}}};"
        )
        rows.append(
            f"    {{golden_picture_{number}, {width}, {height}, {{{', '.join(f'0x{one:08x}u' for one in hashes)}}}}},"
        )
    return (
        "\n".join(pixels)
        + "\n\nstatic const struct golden_picture {\n    const uint8_t *pixels;\n    int32_t width, height;\n"
        + "    uint32_t hashes[4]; /* of boxes and scores, crops, logits, numbers */\n} golden_pictures[] = {\n"
        + "\n".join(rows)
        + "\n};\n"
    )


def pictures() -> list[GrayImage]:
    """Two lines in uneven light, bright digits on dark, and a picture on its side."""

    def page(lines: list[str], size: tuple[int, int], digit_height: int, seed: int) -> GrayImage:
        style = Style(size, digit_height=digit_height, light=0.4, noise=3.0)
        return np.ascontiguousarray(draw_page(lines, np.random.default_rng(seed), style).image[:, :, 1])

    return [
        page(["4071", "82"], (128, 96), 26, 0),
        255 - page(["5296"], (104, 64), 30, 1),
        np.rot90(page(["3864"], (128, 64), 30, 2)).copy(),
    ]


def _parts(reading: Reading) -> Iterable[bytes]:
    """A reading but for its confidences, which are the same to 1e-6 only."""
    yield struct.pack("<i", reading.turned)
    for index, line in enumerate(reading.lines):
        for number in line.numbers:
            yield number.text.encode() + struct.pack("<xii", index, len(number.digits))
            for digit in number.digits:
                likely = [value for value, _ in digit.topk]
                likely += [TOPK_NONE] * (3 - len(likely))
                value = -1 if digit.digit is None else digit.digit
                yield struct.pack("<8i", value, *digit.box, *likely)
