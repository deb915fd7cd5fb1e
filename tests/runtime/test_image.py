import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from digitocr.runtime import image
from digitocr.runtime.errors import InputError


def page(height=60, width=90):
    """(height, width) uint8: dark strokes on light paper, different at every corner."""
    gray = np.full((height, width), 220, np.uint8)
    gray[8:40, 12:17] = 30
    gray[36:40, 12:40] = 30
    return gray


def encoded(picture, form="PNG", **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_every_listed_format_is_read_ink_bright(form):
    gray = image.load(encoded(Image.fromarray(page()), form))
    assert gray.dtype == np.uint8
    assert gray.shape == (60, 90)
    assert gray[20, 14] > 200
    assert gray[50, 80] < 60


def test_light_on_dark_is_left_and_dark_on_light_inverted():
    np.testing.assert_array_equal(image.load(page()), 255 - page())
    np.testing.assert_array_equal(image.load(255 - page()), 255 - page())


@pytest.mark.parametrize("gradient", [-120, 120])
def test_polarity_survives_uneven_light(gradient):
    light = np.linspace(0, gradient, 320)[None, :] + (0 if gradient > 0 else 120)
    paper = np.clip(100 + light + np.zeros((240, 1)), 0, 255)
    paper[40:200, 100:106] -= 60
    paper[40:46, 100:180] -= 60
    gray = image.load(np.clip(paper, 0, 255).astype(np.uint8))
    assert gray[100, 102] > gray[100, 95]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_gives_the_picture_as_shown(orientation):
    stored = Image.fromarray(page())
    exif = stored.getexif()
    exif[0x0112] = orientation
    content = encoded(stored, "JPEG", exif=exif, quality=95)
    shown = image.show(content)
    gray = image.load(content)
    assert gray.shape == shown.size[::-1] == ((60, 90) if orientation < 5 else (90, 60))
    assert np.abs((255 - gray).astype(int) - np.asarray(shown.convert("L"))).mean() < 2


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_pictures_are_laid_on_what_their_ink_stands_out_from(ink):
    rgba = np.full((60, 90, 4), ink, np.uint8)
    rgba[:, :, 3] = 255 - np.where(page() > 100, 255, 0)
    for picture in (rgba, encoded(Image.fromarray(rgba))):
        gray = image.load(picture)
        assert gray[20, 14] == 255
        assert gray[50, 80] == 0


def test_sixteen_bits_use_their_own_range():
    deep = (page().astype(np.uint16) * 4) + 100
    np.testing.assert_allclose(image.load(deep), image.load(encoded(Image.fromarray(deep))), atol=1)
    gray = image.load(deep)
    assert (gray.min(), gray.max()) == (0, 255)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F"])
def test_modes_of_pillow(mode):
    gray = image.load(Image.fromarray(page()).convert(mode))
    assert int(gray[20, 14]) > int(gray[50, 80]) + 100


def test_a_picture_of_one_bit():
    gray = image.load(Image.fromarray(page()).point(lambda level: 255 * (level > 100)).convert("1"))
    assert gray[20, 14] == 255
    assert gray[50, 80] == 0


@pytest.mark.parametrize(
    "array",
    [
        page()[:, :, None],
        np.repeat(page()[:, :, None], 3, 2),
        page() / 255,
        page() > 100,
        page()[::-1, ::-1][::-1, ::-1],
    ],
)
def test_arrays(array):
    gray = image.load(array)
    assert gray.shape == (60, 90)
    assert int(gray[20, 14]) > int(gray[50, 80]) + 100


def png_of(width, height):
    """A small PNG that declares a large picture."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

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
