"""Time of Reader beside the bare interpreter, one thread: a 28x28 crop, and a one-megapixel page with ten digits.

    python benchmarks/reader.py --save

Half a minute. Target: Reader on a crop at most 1.5 times the bare interpreter call.
"""

import io
import statistics
from functools import partial

import numpy as np
import onnxruntime
from PIL import Image
from timing import argument_parser, interleaved, report, spread

from digitocr import Reader
from digitocr.runtime import preprocessing
from digitocr.runtime.classifier import DEFAULT_MODEL
from digitocr.runtime.models import shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.pages import draw_page, random_style
from digitocr.train.synthesis.strokes import draw_digit, random_hand

CALLS = 200  # in a measurement of the crop, so that a clock's tick does not count


def crop() -> np.ndarray:
    """A drawn digit in MNIST's form, (28, 28) uint8."""
    rng = np.random.default_rng(0)
    ink = draw_digit(3, random_hand(rng), rng, height=18, stroke=0.12)
    field = np.zeros((preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    top, left = 14 - ink.shape[0] // 2, 14 - ink.shape[1] // 2
    field[top : top + ink.shape[0], left : left + ink.shape[1]] = ink * 255
    return field


def page() -> bytes:
    """A drawn page of one megapixel with ten digits, as the bytes of a JPEG."""
    rng = np.random.default_rng(1)
    scene = draw_page(["40712", "89563"], rng, random_style(rng, (1000, 1000), light_on_dark=False))
    file = io.BytesIO()
    Image.fromarray(scene.image).save(file, "JPEG", quality=90)
    return file.getvalue()


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    cv2.setNumThreads(1)
    reader, digit, photo = Reader(), crop(), page()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(shipped_model(DEFAULT_MODEL), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: preprocessing.scale(digit[None])}

    def repeated(call) -> None:
        for _ in range(CALLS):
            call()

    bare, read = "bare interpreter call", "Reader.read"
    seconds = interleaved(
        {
            bare: partial(repeated, partial(session.run, None, feed)),
            read: partial(repeated, partial(reader.read, digit)),
        },
        repeats=50,
    )
    rows = []
    for name, taken in seconds.items():
        us = spread(taken, CALLS * 1e-6)
        ratio = statistics.median(one / base for one, base in zip(taken, seconds[bare], strict=True))
        rows.append(
            {
                "what": f"{name}, 28x28 crop",
                "median": f"{us['median']:.0f} us",
                "quartiles": f"{us['low']:.0f} to {us['high']:.0f} us",
                "of the bare call": round(ratio, 2),
            }
        )
    taken = interleaved({"page": partial(reader.read, photo)}, repeats=50)["page"]
    ms, steps = spread(taken, 1e-3), reader.read(photo).ms
    rows.append(
        {
            "what": f"{read}, JPEG page of one megapixel, {len(reader.read(photo).digits)} digits",
            "median": f"{ms['median']:.1f} ms",
            "quartiles": f"{ms['low']:.1f} to {ms['high']:.1f} ms",
            "of the bare call": "",
        }
    )
    share = ", ".join(f"{step} {spent:.1f} ms" for step, spent in steps._asdict().items())
    notes = [f"the page, once: {share}", "50 rounds in turn, one thread; `python benchmarks/reader.py`"]
    report("reader", "What the Python around the interpreter costs", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
