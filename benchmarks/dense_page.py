"""Time and memory of a page of small print: both must grow linearly with the digits on it, up to a ceiling.

    python benchmarks/dense_page.py

Takes a minute. Each page is read in its own process, since peak memory is counted per process. Exits with 1 if the
largest page takes more than SECONDS or MEGABYTES.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from timing import argument_parser, report

from digitocr import Reader

COUNTS = (500, 1000, 2000, 4000)  # digits on a page of 1000x1000 pixels; the last are as many as are ever read
HEIGHT = 14  # pixels; of the font
PITCH = (9, 16)  # pixels from digit to digit and from line to line
ROUNDS = 3
SECONDS = 5.0  # of the largest page, on two cores
MEGABYTES = 200  # of the largest page, beside what a small picture takes


def page(count: int) -> np.ndarray:
    """(1000, 1000) uint8: that many digits of DejaVu Sans, dark on light, in lines from the top."""
    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), HEIGHT)
    rng, drawn = np.random.default_rng(0), Image.new("L", (1000, 1000), 235)
    columns = 1000 // PITCH[0] - 1
    for start in range(0, count, columns):
        text = "".join(rng.choice(list("0123456789"), min(columns, count - start)))
        ImageDraw.Draw(drawn).text((5, start // columns * PITCH[1]), text, 20, font)
    return np.asarray(drawn)


def measure(count: int) -> dict[str, float]:
    """Digits read, median seconds and megabytes beside those of a small picture, in this process."""
    reader, picture = Reader(), page(count)
    reader.read(picture[:100, :100])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(ROUNDS):
        began = perf_counter()
        digits = len(reader.read(picture).digits)
        seconds.append(perf_counter() - began)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"digits": digits, "seconds": statistics.median(seconds), "megabytes": more}


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--measure", type=int, metavar="DIGITS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    rows = []
    for count in COUNTS:
        done = subprocess.run(
            [sys.executable, __file__, "--measure", str(count)], stdout=subprocess.PIPE, text=True, check=True
        )
        taken = json.loads(done.stdout)
        rows.append(
            {
                "digits on the page": count,
                "digits read": taken["digits"],
                "seconds": round(taken["seconds"], 2),
                "ms a digit": round(1000 * taken["seconds"] / taken["digits"], 2),
                "MB beside a small picture": round(taken["megabytes"]),
            }
        )
    notes = [
        f"1000x1000 pixels, {HEIGHT} pixel print, one thread, median of {ROUNDS}; `python benchmarks/dense_page.py`",
        f"ceiling of the largest page: {SECONDS:g} s and {MEGABYTES} MB",
    ]
    report("dense-page", "A page of small print", rows, notes, arguments.save)
    if taken["seconds"] > SECONDS or taken["megabytes"] > MEGABYTES:
        sys.exit("dense_page.py: over the ceiling")


if __name__ == "__main__":
    main()
