"""image.py on what is no picture, or a damaged one, or one that is made to fill the memory."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from digitocr.runtime import image
from digitocr.runtime.errors import InputError


def page(height=60, width=90):
    """(height, width) uint8: dark strokes on light paper."""
    gray = np.full((height, width), 220, np.uint8)
    gray[8:40, 12:17] = 30
    gray[36:40, 12:40] = 30
    return gray


def encoded(picture, form="PNG"):
    file = io.BytesIO()
    picture.save(file, form)
    return file.getvalue()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width, height):
    """A small PNG that declares a large picture."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(5000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"no picture",
        encoded(Image.fromarray(page()))[:80],
        encoded(Image.fromarray(page()), "JPEG")[:200],
        png_of(30_000, 30_000),
        png_of(1, 5000),
        encoded(Image.fromarray(page()[:1, :1])),
        np.zeros((1, 5000), np.uint8),
        np.zeros((0, 10), np.uint8),
        np.zeros((10, 10, 2), np.uint8),
        np.zeros(10, np.uint8),
        np.full((20, 20), np.nan),
        np.full((20, 20), 2.0),
        np.zeros((20, 20), np.int64),
        np.zeros((20, 20), complex),
        np.zeros((20, 20), object),
        42,
        None,
    ],
)
def test_bad_pictures_are_one_line_errors(picture):
    with pytest.raises(InputError) as caught:
        image.load(picture)
    assert "\n" not in str(caught.value)


def test_bad_paths_are_one_line_errors_that_name_the_path(tmp_path):
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(InputError, match=str(path)):
            image.load(path)


def png_with(*chunks):
    """A good PNG with these chunks put in."""
    content = encoded(Image.fromarray(page()))
    return content[:33] + b"".join(chunks) + content[33:]


def tiff_of(width, height, bits=8, sample=1, strip=b""):
    """A TIFF of one strip, whatever its header says of its size."""
    tags = ((256, width), (257, height), (258, bits), (262, 1), (273, 150), (278, height), (279, len(strip)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in (*tags, (339, sample)))
    return (b"II*\0" + struct.pack("<IH", 8, 8) + entries + bytes(4)).ljust(150, b"\0") + strip


BOMBS = {
    "text": png_with(chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(30_000_000), 9))),
    "international text": png_with(chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(30_000_000), 9))),
    "profile": png_with(chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(30_000_000), 9))),
    "png": png_of(30_000, 30_000),
    "narrow png": png_of(1, 50_000_000),
    "tiff": tiff_of(100_000, 100_000),
    "tiff of finite size": tiff_of(7000, 7000, strip=b"none"),
    "nan": tiff_of(40, 40, 32, 3, np.full((40, 40), np.nan, "<f4").tobytes()),
    "infinity": tiff_of(40, 40, 32, 3, np.full((40, 40), np.inf, "<f4").tobytes()),
    "gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6) + b";",
    "bmp": b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 10**5, 10**5, 1, 24, *[0] * 6),
    "ppm": b"P6 100000 100000 255\n",
    "ppm of finite size": b"P6 7000 7000 255\n",
    "webp": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<IBI", 10, 0x2F, 0x0FFFFFFF) + bytes(5),
    "loop": b"II*\0" + struct.pack("<IHI", 8, 0, 8),
}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in BOMBS.items()])
def test_bombs_are_refused_in_one_line(content):
    assert len(content) < 100_000
    with pytest.raises(InputError) as caught:
        image.load(content)
    assert "\n" not in str(caught.value)


def refusal(content, seen=image.load):
    """What the InputError says; nothing for bytes that are read."""
    try:
        seen(content)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore")  # Pillow's, of damaged headers
@pytest.mark.parametrize("seen", [image.load, image.load_rgb])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_files_that_were_cut_or_damaged_never_raise_anything_else(form, seen):
    rng = np.random.default_rng(7)
    whole = encoded(Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)), form)
    assert all(refusal(whole[: int(share * len(whole))], seen) for share in (0, 0.02, 0.3, 0.8))
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 300), 3):
            damaged[place] = rng.integers(256)
        assert "\n" not in refusal(bytes(damaged), seen)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")  # which nobody writes to
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "broken.png").symlink_to("nowhere.png")
    for name in ("pipe.png", "loop.png", "broken.png", "x" * 300 + ".png", "nul\0.png"):
        with pytest.raises(InputError) as caught:
            image.load(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="a folder or a device"):
        image.load("/dev/zero")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(Image.fromarray(page())))
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        image.load(path)
