import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from digitocr.runtime import formats, image

WRITERS = {
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".pbm": "PPM",
    ".pgm": "PPM",
    ".ppm": "PPM",
    ".pnm": "PPM",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".gif": "GIF",
}


@pytest.mark.parametrize("suffix", sorted(formats.SUFFIXES))
def test_files_of_every_listed_suffix_are_readable(suffix):
    file = io.BytesIO()
    stored = Image.fromarray(np.eye(40, dtype=np.uint8) * 255)
    stored.convert("1" if suffix == ".pbm" else "L").save(file, WRITERS[suffix])
    assert formats.is_readable(suffix)
    assert formats.is_readable(suffix.upper())
    assert image.load(file.getvalue()).shape == (40, 40)


@pytest.mark.parametrize("suffix", ["", ".", "png", ".pdf", ".mp4", ".svg", ".txt"])
def test_other_suffixes_are_not(suffix):
    assert not formats.is_readable(suffix)


@pytest.mark.parametrize("there", [True, False])
def test_avif_and_heif_are_readable_where_their_library_is_there(monkeypatch, there):
    monkeypatch.setattr(formats, "has_avif", lambda: there)
    monkeypatch.setattr(formats, "has_heif", lambda: not there)
    assert formats.is_readable(".AVIF") == there
    assert formats.is_readable(".heic") == formats.is_readable(".HIF") == (not there)


def test_no_library_is_loaded_for_a_list_of_files():
    code = (
        "import sys; from digitocr.runtime.formats import is_readable; is_readable('.avif'), is_readable('.heic'); "
        "assert not {'numpy', 'cv2', 'PIL.Image', 'pillow_heif'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
