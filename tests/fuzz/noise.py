"""What the slowest pictures that are admitted cost: each format filled with noise, at its limit; prints a table.

python tests/fuzz/noise.py

Small pictures are decoded, and their seconds of the processor are multiplied to the limit of pixels, or of bytes.
"""

import io
import time
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageFile
from pillow_heif import register_heif_opener

from digitocr.runtime import image
from digitocr.runtime.limits import MAX_LZMA_BYTES, MAX_VIDEO_BYTES

SIDE = 1000
REPEATS = 3  # the least counts
NOISE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4), dtype=np.uint8)
PICTURES = {
    "colour": NOISE[:, :, :3],
    "grey": NOISE[:, :, 0],
    "opacity": NOISE,
    "bits": NOISE[:, :, 0] > 127,
    # bytes that have to be coded are slower than those that are stored as they are
    "16 levels": NOISE[:, :, :3] // 16 * 16,
    "16 levels, opacity": NOISE // 16 * 16,
}
BEST = {"quality": 100}
CASES = (  # format, options, picture, and the limit in megapixels
    ("JPEG", {**BEST, "subsampling": 0}, "colour", 52),
    ("JPEG", {**BEST, "subsampling": 0, "progressive": True}, "colour", 37),
    ("JPEG", {**BEST, "subsampling": 2, "progressive": True}, "colour", 52),
    ("JPEG", {**BEST, "progressive": True}, "grey", 52),
    ("PNG", {}, "16 levels", 52),
    ("PNG", {}, "16 levels, opacity", 42),
    ("TIFF", {"compression": "tiff_lzw"}, "colour", 49),
    ("TIFF", {"compression": "tiff_deflate"}, "16 levels", 49),
    ("TIFF", {"compression": "jpeg", **BEST}, "colour", 49),
    ("TIFF", {"compression": "group4"}, "bits", 52),
    ("WEBP", BEST, "colour", 13),
    ("WEBP", {"lossless": True}, "colour", 13),
    ("GIF", {}, "grey", 52),
    ("BMP", {}, "colour", 37),
)
OF_BYTES = (  # format, options, picture, the limit in bytes of the file, and that in megapixels
    ("TIFF", {"compression": "lzma"}, "16 levels", MAX_LZMA_BYTES, 16),
    ("AVIF", {**BEST, "speed": 10}, "colour", MAX_VIDEO_BYTES, 37),
    ("HEIF", BEST, "colour", MAX_VIDEO_BYTES, 50),
)


def main() -> None:
    register_heif_opener()
    ImageFile.MAXBLOCK = 1 << 26  # of Pillow's encoder
    pixels = SIDE * SIDE / 1e6
    print("| format | options | noise | limit | seconds |\n|---|---|---|---|---|")
    for form, options, name, limit in CASES:
        seconds, _ = decoded(form, options, PICTURES[name])
        row(form, options, name, f"{limit} megapixels", limit / pixels * seconds)
    for form, options, name, most, limit in OF_BYTES:
        seconds, size = decoded(form, options, PICTURES[name])
        even, _ = decoded(form, options, np.full_like(PICTURES[name], 200))  # what is left of the pixels
        noisy = min(most / size * pixels, limit)
        row(form, options, name, f"{most // 10**6} MB", (noisy * seconds + (limit - noisy) * even) / pixels)


def decoded(form: str, options: Mapping[str, object], levels: np.ndarray) -> tuple[float, int]:
    """The seconds that the picture takes in that format, and the bytes of its file."""
    file = io.BytesIO()
    Image.fromarray(levels).save(file, form, **options)
    seconds = []
    for _ in range(REPEATS):
        began = time.process_time()
        image.load_reduced(file.getvalue())
        seconds.append(time.process_time() - began)
    return min(seconds), file.tell()


def row(form: str, options: Mapping[str, object], name: str, limit: str, seconds: float) -> None:
    words = ", ".join(str(value) if key == "compression" else f"{key} {value}" for key, value in options.items())
    print(f"| {form} | {words} | {name} | {limit} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
