import io
import struct

import numpy as np
import PIL
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from digitocr.runtime import formats, image
from digitocr.runtime.errors import InputError, MissingExtraError, UsageError
from digitocr.runtime.opencv import cv2


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
def test_every_listed_format_is_read(form):
    gray = image.load(encoded(Image.fromarray(page()), form))
    assert gray.dtype == np.uint8
    assert gray.shape == (60, 90)
    assert abs(gray[20, 14] - 30.0) < 10
    assert abs(gray[50, 80] - 220.0) < 10


def test_polarity_is_left_as_it_is():
    np.testing.assert_array_equal(image.load(page()), page())
    np.testing.assert_array_equal(image.load(255 - page()), 255 - page())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_gives_the_picture_as_shown(orientation):
    stored = Image.fromarray(page())
    exif = stored.getexif()
    exif[0x0112] = orientation
    content = encoded(stored, "JPEG", exif=exif, quality=95)
    shown = image.load_rgb(content)
    gray = image.load(content)
    assert gray.shape == shown.size[::-1] == ((60, 90) if orientation < 5 else (90, 60))
    assert np.abs(gray.astype(int) - np.asarray(shown.convert("L"))).mean() < 2


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_pictures_are_laid_on_what_their_ink_stands_out_from(ink):
    rgba = np.full((60, 90, 4), ink, np.uint8)
    rgba[:, :, 3] = 255 - np.where(page() > 100, 255, 0)
    for picture in (rgba, encoded(Image.fromarray(rgba))):
        gray = image.load(picture)
        assert gray[20, 14] == ink
        assert gray[50, 80] == 255 - ink


def test_the_gamma_that_a_png_names_does_not_change_its_grey_levels():
    picture = np.zeros((30, 90, 3), np.uint8)
    picture[:, :30, 0] = picture[:, 30:60, 1] = picture[:, 60:, 2] = 255
    gamma = PngInfo()
    gamma.add(b"gAMA", struct.pack(">I", 45455))
    plain, named = (image.load(encoded(Image.fromarray(picture), pnginfo=info)) for info in (None, gamma))
    assert plain[15, 15::30].tolist() == [76, 150, 29]
    np.testing.assert_array_equal(named, plain)


def test_sixteen_bits_use_their_own_range():
    deep = (page().astype(np.uint16) * 4) + 100
    np.testing.assert_allclose(image.load(deep), image.load(encoded(Image.fromarray(deep))), atol=1)
    gray = image.load(deep)
    assert (gray.min(), gray.max()) == (0, 255)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F"])
def test_modes_of_pillow(mode):
    gray = image.load(Image.fromarray(page()).convert(mode))
    assert int(gray[20, 14]) < int(gray[50, 80]) - 100


def test_a_picture_of_one_bit():
    gray = image.load(Image.fromarray(page()).point(lambda level: 255 * (level > 100)).convert("1"))
    assert gray[20, 14] == 0
    assert gray[50, 80] == 255


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
    assert int(gray[20, 14]) < int(gray[50, 80]) - 100


@pytest.mark.parametrize("shape", [(5, 5000), (5000, 5), (5, 5), (28, 6), (4000, 13)])
def test_the_narrowest_pictures_are_loaded(shape):
    for array in (np.full(shape, 200, np.uint8), np.random.default_rng(0).integers(0, 256, shape, np.uint8)):
        assert image.load(array).shape == shape


def test_the_first_frame_of_several_is_read(tmp_path):
    first, second = Image.fromarray(page()), Image.fromarray(page()[:, ::-1].copy())
    for form in ("GIF", "TIFF", "WEBP", "MPO", "PNG"):
        content = encoded(first, form, save_all=True, append_images=[second])
        gray = image.load(content)
        assert int(gray[20, 14]) < int(gray[20, 75]) - 100, form


def test_a_key_colour_counts_as_transparent():
    deep = Image.fromarray(page().astype(np.uint16) * 257)
    for content in (encoded(Image.fromarray(page()), transparency=220), encoded(deep, transparency=220 * 257)):
        gray = image.load(content)
        assert gray[20, 14] < 60
        assert gray[50, 80] > 200


def test_a_picture_of_pillow_stays_as_it_was():
    opened = Image.open(io.BytesIO(encoded(Image.fromarray(page()).convert("RGB"), "JPEG")))
    image.load(opened)
    assert opened.mode == "RGB"
    opened.getpixel((1, 1))


def jpeg_with(*segments):
    """A good JPEG with these APP1 segments put in."""
    content = encoded(Image.fromarray(page()), "JPEG")
    return content[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in segments) + content[2:]


@pytest.mark.filterwarnings("ignore")  # Pillow's, of the EXIF
@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"garbage" * 9,
        b"II*\0\x08\0\0\0\x50\0\x12\x01\x03\0\x01",
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 9, 0) + bytes(4),
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 2, 6, 6) + bytes(4),
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI", 0x0112, 2, 4) + b"abc\0" + bytes(4),
    ],
)
def test_broken_exif_does_not_hide_the_picture(exif):
    content = jpeg_with(b"Exif\0\0" + exif)
    gray = image.load(content)
    assert sorted(gray.shape) == [60, 90]
    assert gray.max() > 200
    assert image.load_rgb(content).size == gray.shape[::-1]


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "P", "I", "F", "1"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_is_shown_in_the_pixels_it_is_loaded_in(mode, orientation):
    stored = Image.fromarray(page()).convert(mode)
    exif = stored.getexif()
    exif[0x0112] = orientation
    content = encoded(stored, "TIFF", exif=exif)
    shown, gray = image.load_rgb(content), image.load(content)
    assert shown.mode == "RGB"
    assert shown.size == gray.shape[::-1]
    dark = np.asarray(shown.convert("L")) < 128
    assert dark.any()
    assert gray[dark].max() < gray[~dark].min()


def photo(width, height, form="JPEG", **options):
    """The bytes of a colour picture of that size, and its grey levels."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    colour = np.stack([250 * x, 250 * y, 120 + 100 * np.sin(9 * x * y)], axis=2).astype(np.uint8)
    return encoded(Image.fromarray(colour), form, **options), cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize(
    ("enough", "factor"), [(10, 8), (79, 8), (80, 8), (81, 4), (160, 4), (161, 2), (320, 2), (321, 1), (9999, 1)]
)
@pytest.mark.parametrize(("width", "height"), [(640, 480), (320, 640)])
def test_a_large_jpeg_is_decoded_smaller_down_to_enough(enough, factor, width, height):
    content, gray = photo(width, height, quality=95)
    reduced, times = image.load_reduced(content, enough)
    assert times == factor
    assert reduced.shape == (height // factor, width // factor)
    expected = cv2.resize(gray, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - expected).mean() < 3


def test_a_jpeg_is_decoded_whole_by_load_and_a_phone_s_photo_at_half_its_size_by_the_reader():
    content, _ = photo(3072, 1536)
    assert image.load(content).shape == (1536, 3072)
    reduced, times = image.load_reduced(content)
    assert (reduced.shape, times) == ((768, 1536), 2)
    content, _ = photo(3071, 1536)
    assert image.load_reduced(content)[0].shape == (1536, 3071)


def test_a_long_jpeg_keeps_as_many_pixels_as_its_part_of_normal_aspect():
    for width, times in ((640, 2), (800, 2), (1600, 2), (3200, 2)):  # aspects 2, 2.5, 5 and 10
        assert image.load_reduced(photo(width, 320)[0], 320)[1] == times


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})])
def test_colours_of_one_brightness_are_told_apart(form, options, tmp_path):
    colours = np.full((60, 90, 3), (20, 110, 20), np.uint8)
    ink = page() < 100
    colours[ink] = (200, 22, 20)
    pictures = [Image.fromarray(colours), Image.fromarray(np.dstack([colours, np.full((60, 90), 255, np.uint8)]))]
    for picture in pictures if form == "PNG" else pictures[:1]:
        content = encoded(picture, form, **options)
        (tmp_path / "picture").write_bytes(content)
        for given in (content, tmp_path / "picture", Image.open(io.BytesIO(content))):
            gray = image.load(given).astype(int)
            assert abs(gray[ink].mean() - gray[~ink].mean()) > 120


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_mask_of_0_and_1_is_black_and_white(mode):
    mask = Image.fromarray((page() < 100).astype(np.uint8)).convert(mode)
    np.testing.assert_array_equal(image.load(encoded(mask)), np.where(page() < 100, 255, 0))


def test_the_factor_is_that_of_the_longer_side_where_sides_do_not_divide():
    reduced, times = image.load_reduced(photo(643, 477)[0], 100)
    assert reduced.shape == (120, 161)
    assert times == 643 / 161


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_picture_is_upright_as_the_whole_one(orientation):
    stored = Image.fromarray(page(480, 720))
    exif = stored.getexif()
    exif[0x0112] = orientation
    content = encoded(stored, "JPEG", exif=exif, quality=95)
    reduced, times = image.load_reduced(content, 360)
    whole = image.load(content)
    assert times == 2
    assert reduced.shape == (whole.shape[0] // 2, whole.shape[1] // 2)
    assert np.abs(reduced.astype(int) - cv2.resize(whole, None, fx=0.5, fy=0.5)).mean() < 2


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"subsampling": 2}])
def test_every_kind_of_jpeg_is_reduced(options):
    content, gray = photo(640, 480, quality=90, **options)
    reduced, times = image.load_reduced(content, 100)
    assert times == 4
    assert np.abs(reduced.astype(int) - cv2.resize(gray, (160, 120), interpolation=cv2.INTER_AREA)).mean() < 3


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_without_three_colours_is_reduced_as_well(mode):
    large = Image.fromarray(page().repeat(8, 0).repeat(8, 1)).convert(mode)
    reduced, times = image.load_reduced(encoded(large, "JPEG", quality=95), 180)
    assert times == 4
    assert reduced.shape == (120, 180)
    assert reduced[40, 28] < 60
    assert reduced[100, 160] > 200


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "BMP"])
def test_no_other_picture_is_reduced(form):
    content, gray = photo(640, 480, form)
    for picture in (content, Image.open(io.BytesIO(content)), gray):
        reduced, times = image.load_reduced(picture, 100)
        assert times == 1
        assert reduced.shape == (480, 640)


@pytest.mark.parametrize(("width", "height"), [(20_000, 5), (5, 20_000)])
def test_the_narrowest_jpeg_keeps_a_pixel(width, height):
    reduced, times = image.load_reduced(encoded(Image.new("L", (width, height), 90), "JPEG"), 1000)
    assert max(reduced.shape) == 20_000 / times >= 1000
    assert min(reduced.shape) >= 1
    assert abs(int(reduced.min()) - 90) < 5


def test_what_is_too_large_is_refused_however_little_is_enough(monkeypatch):
    content, _ = photo(640, 480)
    monkeypatch.setattr(image, "MAX_PIXELS", 640 * 480 - 1)
    with pytest.raises(InputError, match="640x480"):
        image.load_reduced(content, 100)


ORIENTATION, SUBFILE_TYPE = 0x0112, 0x00FE  # tags of TIFF


def tiff(*pages, kinds=None):
    """The bytes of an uncompressed TIFF of those (H, W) uint8 pages; kinds: the SUBFILE_TYPE of each, by default 0."""
    content = b"II*\0" + struct.pack("<I", 8)
    for place, (gray, kind) in enumerate(zip(pages, kinds or [0] * len(pages), strict=True), 1):
        height, width = gray.shape
        end = len(content) + 2 + 9 * 12 + 4  # of this directory, where its pixels begin
        tags = [(SUBFILE_TYPE, kind), (256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, end)]
        tags += [(278, height), (279, gray.size)]
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        following = end + gray.size if place < len(pages) else 0
        content += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + gray.tobytes()
    return content


def numbered(number):
    """A page of its own size with `number` dark strokes."""
    gray = np.full((60, 90 + number), 220, np.uint8)
    for stroke in range(number):
        gray[10:50, 10 + 10 * stroke : 14 + 10 * stroke] = 30
    return gray


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "packbits"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_a_tiff_of_any_orientation_is_read_alike_by_path_and_by_bytes(tmp_path, orientation, compression, mode):
    deep = Image.fromarray(page().astype(np.uint16) * 257)
    stored = deep if mode == "I;16" else Image.fromarray(page()).convert(mode)
    content = encoded(stored, "TIFF", tiffinfo={ORIENTATION: orientation}, compression=compression)
    path = tmp_path / "scan.tif"
    path.write_bytes(content)
    turns = {2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose}
    turns |= {6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T, 8: np.rot90}
    upright = turns.get(orientation, np.asarray)(page())
    for decode in (image.load, image.load_rgb):
        for picture in (path, str(path), content, Image.open(path), Image.open(io.BytesIO(content))):
            levels = np.asarray(Image.fromarray(np.asarray(decode(picture))).convert("L"))
            np.testing.assert_array_equal(levels > 125, upright > 125)


def test_every_page_of_a_tiff_is_read(tmp_path):
    content = tiff(*[numbered(number) for number in (1, 2, 3)])
    (tmp_path / "scan.tif").write_bytes(content)
    for picture in (content, tmp_path / "scan.tif", str(tmp_path / "scan.tif")):
        assert image.page_count(picture) == 3
        for place in range(3):
            np.testing.assert_array_equal(image.load(picture, page=place), numbered(place + 1))
            assert image.load_rgb(picture, page=place).size == (91 + place, 60)
            assert image.load_reduced(picture, page=place)[1] == 1


@pytest.mark.parametrize("wrong", [3, 99, -1])
def test_a_page_that_is_not_there_is_an_error(wrong):
    content = tiff(*[numbered(number) for number in (1, 2, 3)])
    for picture in (content, encoded(Image.fromarray(page())), page(), Image.fromarray(page())):
        for decode in (image.load, image.load_rgb):
            with pytest.raises(InputError, match=f"has no page {wrong}, counted from 0"):
                decode(picture, page=wrong)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "MPO", "JPEG", "BMP"])
def test_an_animation_has_one_page(form):
    several = {"save_all": True, "append_images": [Image.fromarray(numbered(2))]} if form not in ("JPEG", "BMP") else {}
    assert image.page_count(encoded(Image.fromarray(numbered(2)[:, ::-1].copy()), form, **several)) == 1


@pytest.mark.skipif(
    tuple(map(int, PIL.__version__.split(".")[:2])) < (11, 2), reason="older Pillows write one set of tags on all pages"
)
def test_thumbnails_and_masks_in_a_tiff_are_no_pages():
    content = tiff(*[numbered(number) for number in (1, 2, 3, 4, 5)], kinds=(0, 1, 2, 4, 0))
    assert image.page_count(content) == 3
    assert [image.load(content, page=place).shape[1] for place in range(3)] == [91, 93, 95]


def page_or_none(content, place):
    """That page of a TIFF; None where it is damaged."""
    try:
        return image.load(content, page=place)
    except InputError:
        return None


@pytest.mark.filterwarnings("ignore")  # Pillow's, of the damage
def test_a_damaged_page_counts_and_the_others_are_read():
    content = tiff(*[numbered(number) for number in (1, 2, 3)])
    whole = [image.load(content, page=place) for place in range(3)]
    for length in range(len(content) - 100, len(content) // 3, -997):
        cut = content[:length]
        pages = [page_or_none(cut, place) for place in range(image.page_count(cut))]
        assert any(one is None for one in pages)
        assert all(one is None or (one == whole[place]).all() for place, one in enumerate(pages))


def test_a_tiff_of_endless_pages_is_refused(monkeypatch):
    monkeypatch.setattr(image, "MAX_PAGES", 2)
    assert image.page_count(tiff(numbered(1), numbered(2))) == 2
    with pytest.raises(InputError, match="over 2 pages"):
        image.page_count(tiff(*[numbered(number) for number in (1, 2, 3)]))


def test_a_page_of_a_tiff_may_not_be_too_large(monkeypatch):
    content = tiff(numbered(1), np.full((100, 200), 220, np.uint8))
    monkeypatch.setattr(image, "MAX_PIXELS", 91 * 60)
    assert image.load(content).shape == (60, 91)
    with pytest.raises(InputError, match="200x100"):
        image.load(content, page=1)


@pytest.mark.parametrize("mode", ["LAB", "HSV", "YCbCr", "RGBX", "RGBa", "La", "PA", "I;16", "I;16B"])
def test_rarer_modes_of_pillow(mode):
    through = {"RGBa": "RGBA", "La": "LA"}.get(mode, "RGB")
    if mode.startswith("I;16"):
        stored = Image.fromarray(page().astype(np.uint16)).convert(mode)
    elif mode == "LAB":
        stored = Image.merge("LAB", [Image.fromarray(page()), *[Image.new("L", (90, 60), 128)] * 2])
    else:
        stored = Image.fromarray(page()).convert(through).convert(mode)
    gray, shown = image.load(stored), np.asarray(image.load_rgb(stored).convert("L"))
    for levels in (gray, shown):
        assert int(levels[20, 14]) < int(levels[50, 80]) - 100


def test_a_tiff_in_lab_is_read():
    lab = Image.merge("LAB", [Image.fromarray(page()), *[Image.new("L", (90, 60), 128)] * 2])
    np.testing.assert_array_equal(image.load(encoded(lab, "TIFF")), page())
    assert image.load_rgb(encoded(lab, "TIFF")).getpixel((14, 20))[0] < 60


def test_load_rgb_takes_what_load_takes(tmp_path):
    colour = np.random.default_rng(3).integers(100, 256, (50, 70, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(colour)))
    for picture in (colour, Image.fromarray(colour), tmp_path / "a.png", str(tmp_path / "a.png")):
        shown = image.load_rgb(picture)
        np.testing.assert_array_equal(np.asarray(shown), colour)
        shown.putpixel((0, 0), (1, 2, 3))
    assert colour[0, 0].min() >= 100
    assert image.load_rgb(page() > 100).getpixel((80, 50)) == (255, 255, 255)


def test_exif_that_pillow_cannot_write_turns_the_picture_all_the_same():
    width = struct.pack("<HHI4s", 0x0100, 2, 4, b"abc\0")  # a text where a number belongs
    content = jpeg_with(
        b"Exif\0\0II*\0\x08\0\0\0\x02\0" + width + struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0) + bytes(4)
    )
    assert image.load(content).shape == (90, 60)
    assert image.load_rgb(content).size == (60, 90)


def brands(*names):
    """The first box of a file in an ISO container."""
    box = b"ftyp" + names[0] + bytes(4) + b"".join(names[1:])
    return struct.pack(">I", len(box) + 4) + box + bytes(100)


@pytest.mark.skipif(not formats.has_avif(), reason="this Pillow is built without AVIF")
def test_avif_is_read(monkeypatch):
    content = encoded(Image.fromarray(page()).convert("RGB"), "AVIF", quality=95)
    gray = image.load(content)
    assert gray.shape == (60, 90)
    assert int(gray[20, 14]) < int(gray[50, 80]) - 150
    assert image.page_count(content) == 1
    with pytest.raises(InputError, match="damaged"):
        image.load(content[:60])
    monkeypatch.setattr(image, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match="90x60"):
        image.load(content)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_avif_and_heif_are_upright(form, orientation):
    if form == "HEIF":
        pytest.importorskip("pillow_heif", reason="the extra heif is not installed").register_heif_opener()
    elif not formats.has_avif():
        pytest.skip("this Pillow is built without AVIF")
    stored = Image.fromarray(page()).convert("RGB")
    exif = stored.getexif()
    exif[ORIENTATION] = orientation
    content = encoded(stored, form, exif=exif.tobytes(), quality=95)
    expected = image.load(encoded(stored, "PNG", exif=exif.tobytes()))
    for gray in (image.load(content), np.asarray(image.load_rgb(content).convert("L"))):
        np.testing.assert_array_equal(gray > 125, expected > 125)


def test_pages_are_counted_of_pictures_only(tmp_path):
    for wrong in (b"II", b"MM*\0 and so on", b"II*\0", tmp_path, tmp_path / "none.tif"):
        with pytest.raises(InputError):
            image.page_count(wrong)


def test_avif_without_a_pillow_that_reads_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(image, "has_avif", lambda: False)
    for content in (brands(b"avif", b"mif1"), brands(b"mif1", b"avif")):
        with pytest.raises(InputError, match=r"needs Pillow 11.3 or later; type: pip install --upgrade pillow"):
            image.load(content)


def test_heif_is_read_with_its_extra(monkeypatch):
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(page()).convert("RGB")).save(file, quality=95)
    content = file.getvalue()
    gray = image.load(content)
    assert gray.shape == (60, 90)
    assert int(gray[20, 14]) < int(gray[50, 80]) - 150
    assert image.load_rgb(content).size == (90, 60)
    assert image.page_count(content) == 1
    with pytest.raises(InputError, match="damaged"):
        image.load(content[:80])
    monkeypatch.setattr(image, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match="90x60"):
        image.load(content)


def test_heif_without_its_extra_says_what_to_type(monkeypatch, tmp_path):
    monkeypatch.setattr(image, "has_heif", lambda: False)
    path = tmp_path / "photo.heic"
    for names in ((b"heic", b"mif1"), (b"mif1", b"heic"), (b"heix",), (b"msf1", b"hevc")):
        path.write_bytes(brands(*names))
        with pytest.raises(MissingExtraError, match=r"photo.heic.*'digitocr\[heif\]'"):
            image.load(path)


def test_a_video_is_no_picture():
    with pytest.raises(InputError, match="not a picture that can be read; formats: JPEG"):
        image.load(brands(b"isom", b"mp41"))


def test_want_of_memory_is_not_taken_for_damage(monkeypatch):
    def refuse(*_):
        raise MemoryError

    content = encoded(Image.fromarray(page()).convert("RGB"))
    monkeypatch.setattr(Image.Image, "convert", refuse)
    for decode in (image.load, image.load_rgb):
        with pytest.raises(MemoryError):
            decode(encoded(Image.fromarray(page()), "GIF") if decode is image.load_rgb else content)


def test_a_part_is_given_in_the_pixels_of_the_picture_as_shown():
    np.testing.assert_array_equal(image.load_part(page(), (10, 5, 30, 20)), page()[5:25, 10:40])
    turned = Image.fromarray(np.rot90(page()).copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # to be turned clockwise to be seen
    stored = encoded(turned, exif=exif)
    np.testing.assert_array_equal(image.load_part(stored, (10, 5, 30, 20)), page()[5:25, 10:40])
    np.testing.assert_array_equal(image.load_part(page(), (0, 0, 90, 60)), page())


def test_a_part_outside_the_picture_is_an_error_of_the_picture_and_one_of_no_picture_is_not():
    for roi in ((80, 0, 11, 20), (0, 50, 10, 11), (1000, 1000, 5, 5)):
        with pytest.raises(InputError, match="is not inside its 90x60 pixels"):
            image.load_part(page(), roi)
    with pytest.raises(InputError, match="the bytes given: the part"):
        image.load_part(encoded(Image.fromarray(page())), (80, 0, 11, 20))
    for roi in ((-1, 0, 20, 20), (0, 0, 4, 20), (0, 0, 20, 0)):
        with pytest.raises(UsageError, match="is none of a picture"):
            image.load_part(page(), roi)


@pytest.mark.parametrize(("mode", "form"), [("CMYK", "TIFF"), ("RGB", "PNG"), ("RGBA", "PNG"), ("RGB", "JPEG")])
def test_colours_of_a_large_picture_are_looked_at_in_bands(mode, form, monkeypatch):
    pixels = np.full((40, 50, 3), (200, 30, 30), np.uint8)
    pixels[10:30, 20:25] = (20, 107, 30)  # as bright
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, form)
    whole = image.load(file.getvalue())
    monkeypatch.setattr(image, "BAND_PIXELS", 170)
    np.testing.assert_array_equal(image.load(file.getvalue()), whole)
    assert np.ptp(whole) > 100  # told apart by colour


def test_an_error_of_a_decoder_is_one_line():
    assert (
        image._damaged("a.heic", ValueError("no\n end\n"))
        == "a.heic: damaged or cut short (no end); save or copy it again"
    )
