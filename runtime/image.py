"""Decodes any picture to a GrayImage: formats, pages, EXIF orientation, alpha, 16 bit, size limits.

GrayImage: (H, W) uint8, 0 to 255, of either polarity, upright by EXIF.
"""

import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from itertools import islice
from operator import index
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from digitocr.runtime.errors import InputError, MissingExtraError, UsageError
from digitocr.runtime.files import NotRegularError, TooLargeError, open_regular
from digitocr.runtime.formats import MAX_BYTES, has_avif, has_heif
from digitocr.runtime.levels import GrayImage as GrayImage
from digitocr.runtime.levels import Rgb, gray_of_array, over_contrast, stretched, told_apart_by_colour, unmasked
from digitocr.runtime.limits import CountedFile, TooManyReads, tiff_trouble, video_trouble, why_not
from digitocr.runtime.opencv import cv2

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[Any]
Roi: TypeAlias = tuple[int, int, int, int]  # x, y, width, height in pixels of a picture as shown

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")  # Pillow's names; AVIF and HEIF are recognised before
MAX_PIXELS = 52_000_000  # a phone's largest photo (8192 x 6144); decoded in colour it takes 208 MB
BAND_PIXELS = 1_000_000  # of the rows that are converted at once
MAX_PAGES = 10_000  # of a TIFF; finding the pages of a crafted file with more takes minutes
DEEP_MODES = ("I", "F")  # how the names of Pillow's modes of more than 8 bits begin
READER_SIDE = 1536  # pixels of the longer side; a JPEG with twice this side is decoded at half its size, and so on
NORMAL_ASPECT = 2.5  # a longer picture keeps as many pixels as its part of that aspect would
MIN_SIDE = 5  # pixels; nothing narrower can show a digit
JPEG_START = b"\xff\xd8\xff"
HEADER_BYTES = 64  # bytes at the start of a file by which AVIF and HEIF are recognised

ORIENTATION = 0x0112  # the tag of EXIF and TIFF
SUBFILE_TYPE = 0x00FE  # the tag of a TIFF's page
NO_PAGE = 1 | 4  # bits of SUBFILE_TYPE: a smaller copy of another page (a thumbnail), a transparency mask

AVIF_BRANDS = frozenset((b"avif", b"avis"))  # of the box "ftyp", as HEIF_BRANDS
HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"))

# EXIF orientation -> what makes the picture upright. ImageOps.exif_transpose also rewrites the EXIF, and raises an
# exception where a tag cannot be written, as those of some cameras cannot.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# of OpenCV, after a transposition of TRANSPOSED
FLIPS = {
    Image.Transpose.FLIP_LEFT_RIGHT: 1,
    Image.Transpose.ROTATE_180: -1,
    Image.Transpose.FLIP_TOP_BOTTOM: 0,
    Image.Transpose.TRANSPOSE: None,
    Image.Transpose.ROTATE_270: 1,
    Image.Transpose.TRANSVERSE: -1,
    Image.Transpose.ROTATE_90: 0,
}
TRANSPOSED = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


def load(picture: Picture, *, page: int = 0) -> GrayImage:
    """Decodes a picture to grey levels.

    A transparent picture is laid on black or white, whichever its ink stands out from. Grey levels deeper than 8 bits
    are stretched from the picture's own darkest to its brightest.

    Args:
        picture: A path, the bytes of a file, a PIL image, or an array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4)
            RGBA; uint8, uint16, bool, or float in [0, 1]. Of an animation the first frame is decoded.
        page: Which page of a TIFF to decode, from 0; `page_count` says how many there are.

    Returns:
        (H, W) uint8, 0 to 255, upright by EXIF.

    Raises:
        InputError: `picture` is not a picture, is damaged, or has no such page; or, before anything is decoded, it has
            more than MAX_PIXELS pixels or a side below MIN_SIDE.
        MissingExtraError: The picture is HEIF (.heic), and the extra "heif" is not installed.
    """
    return load_reduced(picture, MAX_PIXELS, page=page)[0]


def load_part(picture: Picture, roi: Roi, *, page: int = 0) -> GrayImage:
    """Decodes a part of a picture to grey levels.

    Args:
        picture: What `load` takes.
        roi: x, y, width, height in pixels of the picture as shown.
        page: Which page of a TIFF to decode, from 0.

    Returns:
        (height, width) uint8.

    Raises:
        InputError: As `load` does, or the part is not inside the picture.
        UsageError: The part is none of any picture, or too small to show a digit.
        MissingExtraError: As `load` does.
    """
    x, y, w, h = checked_roi(roi)
    gray = load(picture, page=page)
    height, width = gray.shape
    if x + w > width or y + h > height:
        name = _name(picture) if isinstance(picture, (str, os.PathLike, bytes)) else "the picture given"
        raise InputError(f"{name}: the part {x},{y},{w},{h} is not inside its {width}x{height} pixels; choose another")
    return np.ascontiguousarray(gray[y : y + h, x : x + w])


def checked_roi(roi: Any) -> Roi:
    """The part as four ints. Raises UsageError where it is none of any picture, or too small to show a digit."""
    try:
        x, y, w, h = map(index, roi)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the part {roi!r} is not x, y, width and height in whole pixels") from error
    if min(x, y) < 0 or min(w, h) < MIN_SIDE:
        raise UsageError(
            f"the part {x},{y},{w},{h} is none of a picture; each side must have {MIN_SIDE} pixels or more"
        )
    return x, y, w, h


def load_reduced(picture: Picture, enough: int = READER_SIDE, *, page: int = 0) -> tuple[GrayImage, float]:
    """Decodes a picture to grey levels, a large JPEG at a part of its size, which takes as much less time.

    A JPEG whose longer side has at least twice `enough` pixels is decoded at a half, a quarter or an eighth of its
    size; its longer side keeps `enough` pixels. Other pictures keep their size.

    Args:
        picture: What `load` takes.
        enough: The least length in pixels of the longer side, or of the part of a long picture that has NORMAL_ASPECT.
        page: Which page of a TIFF to decode, from 0.

    Returns:
        The GrayImage, and how many times larger the picture is as shown, at least 1.

    Raises:
        InputError: As `load` does.
        MissingExtraError: As `load` does.
    """
    if isinstance(picture, np.ndarray):
        _check_only_page(page, "the array")
        _check_array(picture)
        return gray_of_array(np.asarray(picture)), 1.0  # of a masked array or a matrix its plain array
    if isinstance(picture, Image.Image):
        _check_only_page(page, "the PIL image")
        _check_size(picture.size, "the PIL image")
        _load_unmapped(picture)
        return _gray_of_image(picture, "the PIL image"), 1.0
    if isinstance(picture, (bytes, str, os.PathLike)):
        with _opened(picture, page) as opened:
            whole, has_colour = max(opened.size), opened.mode != "L"
            if opened.format in ("JPEG", "MPO"):
                aspect = whole / min(opened.size)
                share = min(1.0, enough * max(1.0, aspect / NORMAL_ASPECT) / whole)
                # decodes to grey at once, without the colour
                size = (max(1, int(opened.width * share)), max(1, int(opened.height * share)))
                opened.draft("L", size)
                _check_cost(opened, picture)
                if has_colour:
                    colours = partial(_colours, picture, page, size)
                    return _gray_of_image(opened, _name(picture), colours), whole / max(opened.size)
            _check_cost(opened, picture)
            return _gray_of_image(opened, _name(picture)), whole / max(opened.size)
    raise InputError(f"a picture is a path, bytes, a PIL image or an array, not {type(picture).__name__}")


def load_rgb(picture: Picture, *, page: int = 0) -> Image.Image:
    """Decodes a picture as a person sees it, in the pixels of `load`, for drawing on.

    Transparent pictures and those of more than 8 bits come in grey, as `load` decodes them.

    Args:
        picture: What `load` takes.
        page: Which page of a TIFF to decode, from 0.

    Returns:
        A new PIL image of mode RGB.

    Raises:
        InputError: As `load` does.
        MissingExtraError: As `load` does.
    """
    if isinstance(picture, (bytes, str, os.PathLike)):
        with _opened(picture, page) as opened:
            _check_cost(opened, picture)
            return _rgb_of_image(opened, _name(picture))
    if isinstance(picture, Image.Image):
        _check_only_page(page, "the PIL image")
        _check_size(picture.size, "the PIL image")
        _load_unmapped(picture)
        return _rgb_of_image(picture, "the PIL image")
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3:
        _check_only_page(page, "the array")
        _check_array(picture)
        return Image.fromarray(np.array(picture))
    return Image.fromarray(load(picture, page=page)).convert("RGB")


def page_count(picture: str | os.PathLike[str] | bytes) -> int:
    """How many pages a picture has: those of a TIFF, else 1, also for an animation.

    Thumbnails and transparency masks in a TIFF are no pages. A damaged page counts, and decoding it raises InputError.
    Of other formats no more than the first bytes are read.

    Args:
        picture: A path or the bytes of a file.

    Raises:
        InputError: The file cannot be opened, is a damaged TIFF, or has more than MAX_PAGES pages.
    """
    with _file(picture) as file:
        if file.read(2) not in (b"II", b"MM"):  # a TIFF begins with its byte order
            return 1
    with _opened(picture) as opened:
        if opened.format != "TIFF":
            return 1
        count = sum(1 for _ in islice(_pages(opened), MAX_PAGES + 1))
    if count > MAX_PAGES:
        raise InputError(f"{_name(picture)}: has over {MAX_PAGES:,} pages; split the file")
    return count


def _name(picture: str | os.PathLike[str] | bytes) -> str:
    return "the bytes given" if isinstance(picture, bytes) else str(picture)


def _file(picture: str | os.PathLike[str] | bytes) -> BinaryIO:
    """The content of the picture, to read from. Raises InputError where there is no such file."""
    if isinstance(picture, bytes):
        if len(picture) > MAX_BYTES:
            raise InputError(f"the bytes given: over {MAX_BYTES // 1_000_000} MB, too large for a picture")
        return io.BytesIO(picture)
    try:
        return open_regular(picture, MAX_BYTES)
    except NotRegularError:
        raise InputError(f"{picture}: is a folder or a device, not the file of a picture") from None
    except TooLargeError:
        raise InputError(f"{picture}: over {MAX_BYTES // 1_000_000} MB, too large for a picture") from None
    except OSError as error:
        raise InputError(f"{picture}: cannot be read ({error.strerror})") from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{picture!r}: cannot be the name of a file ({error})") from None


@contextmanager
def _opened(picture: str | os.PathLike[str] | bytes, page: int = 0) -> Iterator[Image.Image]:
    """The page with only its header read, and its size checked. Raises InputError or MissingExtraError.

    Pillow gets an open file, never a path: it maps a file whose path it knows into memory, by the size that the
    picture has as shown, which scrambles an uncompressed TIFF that is stored on its side.
    """
    name = _name(picture)
    with _file(picture) as file:
        container = _container(file.read(HEADER_BYTES))
        wrong = video_trouble(container, file) if container else tiff_trouble(file)
        if wrong:
            raise InputError(f"{name}: {wrong}")
        try:
            opened = _open(cast(BinaryIO, CountedFile(file)), container, name)
        except (InputError, MissingExtraError, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise InputError(_too_large(name)) from None
        except Exception as error:  # Pillow's parsers raise many types on bytes that are no picture
            if isinstance(error, OSError) and error.errno is not None:
                raise InputError(f"{name}: cannot be read ({os.strerror(error.errno)})") from None
            if container or isinstance(error, TooManyReads):
                raise InputError(_damaged(name, error)) from error
            raise InputError(f"{name}: not a picture that can be read; formats: {', '.join(_formats())}") from None
        with opened:
            if page:
                _turn_to(opened, page, name)
            _check_size(opened.size, name)
            yield opened


def _check_cost(opened: Image.Image, picture: str | os.PathLike[str] | bytes) -> None:
    """Raises InputError where decoding the picture as it is opened would take too much memory or time."""
    file = getattr(opened, "fp", None)
    size = len(picture) if isinstance(picture, bytes) else 0
    with _reporting_damage(_name(picture)):
        wrong = why_not(opened, io.BytesIO() if file is None else file, size)
    if wrong:
        raise InputError(f"{_name(picture)}: {wrong}")


def _open(file: BinaryIO, container: str, name: str) -> Image.Image:
    """The picture by Pillow or pillow-heif. Raises whatever they raise, InputError or MissingExtraError."""
    if container == "AVIF":
        if not has_avif():
            raise InputError(f"{name}: AVIF needs Pillow 11.3 or later; type: pip install --upgrade pillow")
        return Image.open(file, formats=("AVIF",))
    if container == "HEIF":
        if not has_heif():
            raise MissingExtraError("heif", f"{name}: a HEIF picture")
        opened: Image.Image = import_module("pillow_heif").HeifImageFile(file)
        return opened
    if file.read(len(JPEG_START)) == JPEG_START:
        from PIL import JpegImagePlugin  # alone: Image.open imports four more formats

        file.seek(0)
        with suppress(SyntaxError, IndexError, TypeError, struct.error):  # other formats are tried then
            return JpegImagePlugin.jpeg_factory(file)
    return Image.open(file, formats=FORMATS)


def _container(header: bytes) -> str:
    """AVIF or HEIF by the brands of the first bytes of a file (ISO/IEC 14496-12, box "ftyp"); else empty."""
    if header[4:8] != b"ftyp":
        return ""
    end = min(len(header), int.from_bytes(header[:4], "big"))
    brands = {header[8:12], *(header[at : at + 4] for at in range(16, end, 4))}
    return "AVIF" if brands & AVIF_BRANDS else "HEIF" if brands & HEIF_BRANDS else ""


def _formats() -> list[str]:
    """The names of the formats that can be read here."""
    return [*FORMATS, *(["AVIF"] if has_avif() else []), *(["HEIF"] if has_heif() else [])]


def _turn_to(opened: Image.Image, page: int, name: str) -> None:
    """Makes that page of a TIFF, from 1 on, the one to decode. Raises InputError."""
    frame = next(islice(_pages(opened), page, None), None) if page > 0 and opened.format == "TIFF" else None
    if frame is None:
        raise InputError(f"{name}: has no page {page}, counted from 0")
    with _reporting_damage(f"{name}, page {page + 1}"):
        opened.seek(0)  # a page that Pillow has failed to turn to counts as the current one, and is not tried again
        opened.seek(frame)


def _pages(opened: Image.Image) -> Iterator[int]:
    """The numbers of a TIFF's images that are pages. The first always is; one that is damaged is taken for a page."""
    yield 0
    for frame in range(1, MAX_PAGES + 1):
        try:
            opened.seek(frame)
        except EOFError:
            return
        except Exception:  # Pillow's parsers raise many types
            if opened.tell() != frame:  # the chain of pages is broken here
                yield frame
                return
        kind = opened.tag_v2.get(SUBFILE_TYPE, 0)  # type: ignore[attr-defined]  # a TIFF has it
        if not (isinstance(kind, int) and kind & NO_PAGE):
            yield frame


def _check_only_page(page: int, name: str) -> None:
    if page:
        raise InputError(f"{name}: has no page {page}, counted from 0")


def _load_unmapped(image: Image.Image) -> None:
    """Decodes a PIL image that was opened by path, without the path, for the reason that _opened gives.

    Raises InputError where it is damaged.
    """
    path = getattr(image, "filename", "")
    if not path:
        return
    try:
        image.filename = ""  # type: ignore[attr-defined]  # an attribute of opened files alone
        with _reporting_damage("the PIL image"):
            image.load()
    finally:
        image.filename = path  # type: ignore[attr-defined]


def _colours(picture: str | os.PathLike[str] | bytes, page: int, size: tuple[int, int]) -> Rgb:
    """The (H, W, 3) colours of a JPEG, as it is stored, reduced to `size` or more as its grey levels are."""
    with _opened(picture, page) as opened:
        opened.draft("RGB", size)
        _check_cost(opened, picture)
        return _rgb(opened)


def _gray_of_image(image: Image.Image, name: str, colours: Callable[[], Rgb] | None = None) -> GrayImage:
    """The grey levels, upright. Raises InputError.

    Args:
        image: The picture.
        name: Its name in errors.
        colours: Gives the (H, W, 3) colours of a picture that is decoded without them.
    """
    with _reporting_damage(name):
        image.load()
        if image.mode.startswith(DEEP_MODES):
            gray = stretched(np.asarray(image))
        elif image.mode == "LAB":
            gray = _in_bands(image, lambda band: band.getchannel("L"))
        elif image.has_transparency_data:
            mode = "" if "A" in image.getbands() else "LA" if image.mode == "La" else "RGBA"
            layered = partial(_layered, mode=mode)
            alpha = _in_bands(image, lambda band: layered(band).getchannel("A"))
            gray = over_contrast(_in_bands(image, lambda band: layered(band).convert("L")), alpha)
            if alpha.min() == 255:
                gray = told_apart_by_colour(
                    gray, lambda: _in_bands(image, lambda band: layered(band).convert("RGB"), (3,))
                )
        else:
            gray = np.asarray(image) if image.mode == "L" else _in_bands(image, lambda band: band.convert("L"))
            if colours or image.mode not in ("L", "1"):
                gray = told_apart_by_colour(gray, colours or (lambda: _rgb(image)))
            gray = unmasked(gray)
    turn = _turn(image)
    return gray if turn is None else _turned(gray, turn)


def _layered(image: Image.Image, mode: str) -> Image.Image:
    return image.convert(mode) if mode else image


def _in_bands(
    image: Image.Image, converted: Callable[[Image.Image], Image.Image], channels: tuple[int, ...] = ()
) -> npt.NDArray[np.uint8]:
    """(H, W, *channels) uint8: what each band of rows is converted to, since all rows at once take more memory."""
    if image.width * image.height <= BAND_PIXELS:
        return np.asarray(converted(image))
    made = np.empty((image.height, image.width, *channels), np.uint8)
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        made[top:bottom] = np.asarray(converted(image.crop((0, top, image.width, bottom))))
    return made


def _rgb(image: Image.Image) -> Rgb:
    """The (H, W, 3) colours of a decoded picture."""
    return _in_bands(image, lambda band: band.convert("RGB"), (3,))


def _rgb_of_image(image: Image.Image, name: str) -> Image.Image:
    if image.has_transparency_data or image.mode.startswith(DEEP_MODES):
        return Image.fromarray(_gray_of_image(image, name)).convert("RGB")
    with _reporting_damage(name):
        shown = image.copy() if image.mode == "RGB" else image.convert("RGB")
    turn = _turn(image)
    if turn is not None:
        shown = shown.transpose(turn)
    # without the EXIF, by which it would be turned once more; a profile of inks or of grey is none of RGB
    shown.info = {key: value for key, value in image.info.items() if key == "icc_profile" and image.mode == "RGB"}
    return shown


@contextmanager
def _reporting_damage(name: str) -> Iterator[None]:
    """Raises InputError for whatever Pillow's parsers and decoders raise, which are many types."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(_damaged(name, error)) from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes a decoded picture upright, if anything, by its EXIF orientation."""
    try:
        return UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # broken EXIF says nothing of the picture; Pillow raises many types for it
        return None


def _turned(gray: GrayImage, turn: Image.Transpose) -> GrayImage:
    """The (H, W) picture as Pillow turns it; Pillow would take a copy more."""
    flip = FLIPS[turn]
    gray = cv2.transpose(gray) if turn in TRANSPOSED else gray
    return gray if flip is None else cv2.flip(gray, flip)


def _check_array(array: npt.NDArray[Any]) -> None:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise InputError(f"an array must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {array.shape}")
    _check_size((array.shape[1], array.shape[0]), "the array")


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(_too_large(name, f" {width}x{height}"))
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name}: {width}x{height} pixels are too few; each side must have at least {MIN_SIDE}")


def _damaged(name: str, error: Exception) -> str:
    return f"{name}: damaged or cut short ({' '.join(str(error).split())}); save or copy it again"


def _too_large(name: str, size: str = "") -> str:
    return f"{name}:{size} is over {MAX_PIXELS // 1_000_000} megapixels; make it smaller first"
