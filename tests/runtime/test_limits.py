"""Limits on decoding: harmless pictures that are just within or beyond them, and headers that claim more."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from digitocr.runtime import image, limits
from digitocr.runtime.errors import InputError


def picture(height=60, width=90):
    """A PIL image with dark strokes on light paper, in colours."""
    levels = np.full((height, width, 3), 220, np.uint8)
    levels[8:40, 12:17] = 30
    return Image.fromarray(levels)


def encoded(pil, form, **options):
    file = io.BytesIO()
    pil.save(file, form, **options)
    return file.getvalue()


def refused(content, words):
    with pytest.raises(InputError, match=words) as caught:
        image.load(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "mode", "bytes_a_pixel"),
    [
        ("PNG", "L", 2),
        ("PNG", "RGB", 5),
        ("PNG", "RGBA", 7),
        ("PNG", "LA", 7),
        ("TIFF", "F", 15),  # with the whole strip
        ("WEBP", "RGB", 23),
        ("JPEG", "RGB", 2),  # decoded to grey
    ],
)
def test_memory_is_limited_by_the_mode_and_the_format(form, mode, bytes_a_pixel, monkeypatch):
    content = encoded(picture().convert(mode), form)
    needed = len(content) + 60 * 90 * bytes_a_pixel
    monkeypatch.setattr(limits, "MAX_MEMORY", needed)
    assert image.load(content).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_MEMORY", needed - 1)
    refused(content, "takes over 0 MB to decode; make it smaller")


def test_opacity_by_a_level_counts_as_well(monkeypatch):
    content = encoded(picture().convert("L"), "PNG", transparency=220)
    monkeypatch.setattr(limits, "MAX_MEMORY", len(content) + 60 * 90 * 4 - 1)
    refused(content, "takes over")


def test_a_jpeg_of_many_scans_is_refused_by_the_coefficients_that_they_go_over(monkeypatch):
    monkeypatch.setattr(limits, "LEAST_SCANNED", 1)
    grey, colour = 60 * 90, 30 * 45
    means = (grey + 2 * colour) // 4
    for options, scanned in (({}, 0), ({"progressive": True}, 4 * grey + 4 * colour + 2 * means)):
        content = encoded(picture(), "JPEG", exif=b"Exif\0\0" + b"\xff\xda" * 9, **options)
        monkeypatch.setattr(limits, "MAX_SCANNED", scanned)
        assert image.load(content).shape == (60, 90)
        monkeypatch.setattr(limits, "MAX_SCANNED", scanned - 1)
        if scanned:
            refused(content, "is a JPEG of too many scans for its size, which take too long")


def test_a_scan_counts_however_small_the_picture_and_damaged_its_header(monkeypatch):
    content = encoded(picture(), "JPEG", progressive=True)
    monkeypatch.setattr(limits, "MAX_SCANNED", 30 * limits.LEAST_SCANNED)
    assert image.load(content).shape == (60, 90)
    refused(content.removesuffix(b"\xff\xd9") + b"\xff\xda" * 40, "is a JPEG of too many scans")


def test_a_frame_of_a_video_is_refused_by_its_bytes(monkeypatch):
    pytest.importorskip("pillow_heif").register_heif_opener()
    content = encoded(picture(), "HEIF")
    monkeypatch.setattr(limits, "MAX_VIDEO_BYTES", len(content))
    assert image.load(content).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_VIDEO_BYTES", len(content) - 1)
    refused(content, "HEIF may have 0 MB, or decoding takes too long; save it as JPEG first")


def test_a_tiff_with_lzma_is_refused_by_its_bytes_as_decoded(monkeypatch):
    content = encoded(picture(), "TIFF", compression="lzma")
    monkeypatch.setattr(limits, "MAX_LZMA_BYTES", 60 * 90 * 3)
    assert image.load(content).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_LZMA_BYTES", 60 * 90 * 3 - 1)
    refused(content, "may have 0 MB of pixels compressed by LZMA; save it as PNG first")
    assert image.load(encoded(picture(), "TIFF", compression="tiff_deflate")).shape == (60, 90)


def test_a_jpeg_in_several_scans_is_kept_as_coefficients(monkeypatch):
    content = encoded(picture(), "JPEG", progressive=True, subsampling=0)
    monkeypatch.setattr(limits, "MAX_MEMORY", len(content) + 60 * 90 * (2 + 6))
    image.load(content)
    monkeypatch.setattr(limits, "MAX_MEMORY", len(content) + 60 * 90 * (2 + 6) - 1)
    refused(content, "takes over")


@pytest.mark.parametrize("header", [b"P5 90 60 200\n", b"P2 90 60 255\n"])
def test_what_is_decoded_in_python_has_a_lower_limit(header, monkeypatch):
    content = header + (b"7 " * 5400 if header[1:2] == b"2" else bytes(5400))
    assert image.load(content).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_PYTHON_PIXELS", 5399)
    refused(content, "a picture of this kind")


def test_what_is_decoded_in_python_is_limited_by_its_values_and_its_comments(monkeypatch):
    content = b"P3 90 60 255\n" + b"7 8 9 # a comment\n" * 5400
    monkeypatch.setattr(limits, "MAX_COMMENTS", 5400)
    assert image.load(content).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_COMMENTS", 5399)
    refused(content, "has over 5399 comments; save it as PNG")
    monkeypatch.setattr(limits, "MAX_PYTHON_VALUES", 3 * 5400 - 1)
    refused(content, "a picture of this kind")


def test_a_file_of_many_small_parts_is_refused(monkeypatch):
    png, gif, jpeg = (encoded(picture().convert("L"), form) for form in ("PNG", "GIF", "JPEG"))
    chunk = struct.pack(">I4sI", 0, b"teSt", zlib.crc32(b"teSt"))
    first = 13 + 3 * 2 ** ((gif[10] & 7) + 1)  # behind the header and its colours
    parts = [
        png[:33] + chunk * 50 + png[33:],
        png[:-12] + chunk * 50 + png[-12:],
        gif[:first] + b"\x21\xfe\x01a\0" * 50 + gif[first:],
        jpeg[:2] + b"\xff\xfe\0\2" * 50 + jpeg[2:],
        b"P5" + b" " * 200 + b"90 60 200\n" + bytes(5400),
    ]
    for content in parts:
        assert image.load(content).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_READS", 60)
    monkeypatch.setattr(limits, "MAX_PYTHON_READS", 5500)
    for content in parts:
        refused(content, "of too many small parts")
    assert image.load(png).shape == (60, 90)


def tiff(tags, strip=bytes(5400), more=b""):
    """A TIFF of 90x60 grey levels with these tags beside or in place of its own; `more` lies behind its directory."""
    own = {256: 90, 257: 60, 258: 8, 259: 1, 262: 1, 273: 500, 277: 1, 278: 60, 279: len(strip)}
    rows = [
        (tag, *(value if isinstance(value, tuple) else (4, 1, value))) for tag, value in sorted((own | tags).items())
    ]
    entries = b"".join(struct.pack("<HHII", *row) for row in rows)
    content = b"II*\0" + struct.pack("<IH", 8, len(rows)) + entries + bytes(4) + more
    return content.ljust(500, b"\0") + strip


def test_tiles_larger_than_the_picture_are_refused(monkeypatch):
    tiles = {273: 0, 279: 0, 324: 500, 325: 5400, 322: 96, 323: 64}
    monkeypatch.setattr(limits, "MAX_TILE_PIXELS", 96 * 64)
    assert image.load(tiff(tiles, bytes(96 * 64))).shape == (60, 90)
    monkeypatch.setattr(limits, "MAX_TILE_PIXELS", 96 * 64 - 1)
    refused(tiff(tiles, bytes(96 * 64)), "has tiles of 96x64 pixels, larger than the picture")


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_that_overlap_are_refused_before_they_are_read(order, monkeypatch):
    monkeypatch.setattr(limits, "MAX_TIFF_BYTES", 40_000)
    text = dict.fromkeys(range(50000, 50007), (2, 5000, 500))
    assert limits.tiff_trouble(io.BytesIO(tiff(text))) == ""
    text |= dict.fromkeys(range(50007, 50009), (2, 5000, 500))
    content = tiff(text)
    if order == ">":
        rows = struct.unpack_from("<H", content, 8)[0]
        swapped = b"MM\0*" + struct.pack(">IH", 8, rows)
        for at in range(10, 10 + 12 * rows, 12):
            swapped += struct.pack(">HHII", *struct.unpack_from("<HHII", content, at))
        content = swapped + content[len(swapped) :]
    refused(content, "has tags that overlap")


def test_strips_that_overlap_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_TIFF_BYTES", 5000)
    for share, good in ((0.5, True), (20, False)):
        counts = struct.pack("<60I", *[int(share * 90)] * 60)
        place = 10 + 12 * 9 + 4
        content = tiff({278: 1, 279: (4, 60, place), 273: (4, 60, place)}, more=counts)
        assert ("overlap" in limits.tiff_trouble(io.BytesIO(content))) is not good


def test_directories_that_lead_to_each_other_end():
    content = bytearray(tiff({}))
    content[10 + 12 * 9 : 14 + 12 * 9] = struct.pack("<I", 8)
    assert limits.tiff_trouble(io.BytesIO(bytes(content))) == ""


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_tiff_that_is_cut_short_is_left_to_its_decoder(cut):
    assert limits.tiff_trouble(io.BytesIO(tiff({})[:cut])) == ""


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "MAX_BYTES", 10)
    (tmp_path / "a.png").write_bytes(bytes(11))
    for large in (tmp_path / "a.png", bytes(11)):
        with pytest.raises(InputError, match="over 0 MB, too large for a picture"):
            image.load(large)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "LA", "CMYK", "1"])
def test_bands_give_what_the_whole_gives(mode, monkeypatch):
    rng = np.random.default_rng(4)
    pil = Image.fromarray(rng.integers(0, 256, (37, 53, 4), np.uint8), "RGBA" if mode in ("RGBA", "LA") else "CMYK")
    pil = pil.convert(mode) if mode != "CMYK" else pil
    whole = image.load(pil)
    monkeypatch.setattr(image, "BAND_PIXELS", 5 * 53)
    np.testing.assert_array_equal(image.load(pil), whole)


@pytest.mark.parametrize("turn", list(image.FLIPS))
def test_a_turn_is_that_of_pillow(turn):
    gray = np.random.default_rng(5).integers(0, 256, (7, 11), np.uint8)
    np.testing.assert_array_equal(image._turned(gray, turn), np.asarray(Image.fromarray(gray).transpose(turn)))
