"""Any picture -> GrayImage: decoding, EXIF orientation, alpha, 16 bit, size limits.

GrayImage: (H, W) uint8, 0 to 255, of either polarity, upright by EXIF.
"""

import io
import os
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from digitocr.runtime.errors import InputError
from digitocr.runtime.opencv import cv2

GrayImage: TypeAlias = npt.NDArray[np.uint8]
Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[Any]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
MAX_PIXELS = 52_000_000  # a phone's largest photo (8192 x 6144); decoded in colour it takes 208 MB
DEEP = ("I", "F")  # Pillow's modes of more than 8 bits
ENOUGH = 1536  # pixels of the longer side; a JPEG of twice as many is decoded at half its size, and so on
MIN_SIDE = 5  # pixels; nothing narrower can show a digit

_EXIF_TURNS = {  # EXIF orientation (tag 0x0112) -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load(picture: Picture) -> GrayImage:
    """The picture as a GrayImage.

    picture: a path, the bytes of a file, a PIL image, or an array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA;
    uint8, uint16, bool, or float in [0, 1]. Of several frames or pages the first is taken. A transparent picture is
    laid on black or white, whichever its ink stands out from. Grey levels deeper than 8 bits are stretched from the
    picture's own darkest to its brightest.

    Raises InputError for whatever is no picture or is damaged, and, before anything is decoded, for over MAX_PIXELS
    pixels or under MIN_SIDE a side.
    """
    return load_reduced(picture, MAX_PIXELS)[0]


def load_reduced(picture: Picture, enough: int = ENOUGH, *, page: int = 0) -> tuple[GrayImage, float]:
    """The picture as a GrayImage, and how many times larger it is as shown. Takes and raises what load does.

    A JPEG whose longer side has at least twice `enough` pixels is decoded at a half, a quarter or an eighth of its
    size, which takes as much less time; its longer side keeps `enough` pixels. The factor of any other picture is 1.
    """
    if isinstance(picture, np.ndarray):
        return _gray_of_array(np.asarray(picture)), 1.0  # of a masked array or a matrix its plain array
    if isinstance(picture, Image.Image):
        _check_size(picture.size, "the PIL image")
        return _gray_of_image(picture, "the PIL image"), 1.0
    if isinstance(picture, (bytes, str, os.PathLike)):
        with _opened(picture) as opened:
            if page:
                opened.seek(page)
            whole = max(opened.size)
            share = min(1.0, enough / whole)
            # a JPEG is decoded to grey at once, without its colour
            opened.draft("L", (max(1, int(opened.width * share)), max(1, int(opened.height * share))))
            return _gray_of_image(opened, _name(picture)), whole / max(opened.size)
    raise InputError(f"a picture is a path, bytes, a PIL image or an array, not {type(picture).__name__}")


def show(picture: Path | bytes) -> Image.Image:
    """The picture as a person sees it, RGB, in load's pixels, for drawing on. Raises what load raises."""
    with _opened(picture) as opened:
        if opened.has_transparency_data or opened.mode.startswith(DEEP):
            return Image.fromarray(_gray_of_image(opened, _name(picture))).convert("RGB")
        try:
            shown = opened.convert("RGB")
        except Exception as error:  # a damaged file: Pillow's decoders raise many types
            raise InputError(_damaged(_name(picture), error)) from error
        turn = _turn(opened)
    return shown if turn is None else shown.transpose(turn)


def _name(picture: str | os.PathLike[str] | bytes) -> str:
    return "the bytes given" if isinstance(picture, bytes) else str(picture)


def _opened(picture: str | os.PathLike[str] | bytes) -> Image.Image:
    """The picture with only its header read, its size checked. Raises InputError."""
    name = _name(picture)
    try:
        if not isinstance(picture, bytes) and not S_ISREG(Path(picture).stat().st_mode):
            raise InputError(f"{name}: is a folder or a device, not the file of a picture")  # a pipe might hang
        opened = Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=FORMATS)
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(_too_large(name)) from None
    except Exception as error:  # Pillow's parsers raise many types on bytes that are no picture
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"{name}: cannot be read ({os.strerror(error.errno)})") from None
        raise InputError(f"{name}: not a picture that can be read; formats: {', '.join(FORMATS)}") from None
    try:
        _check_size(opened.size, name)
    except InputError:
        opened.close()
        raise
    return opened


def _gray_of_image(image: Image.Image, name: str) -> GrayImage:
    try:
        if image.mode.startswith(DEEP):
            gray = _stretched(np.asarray(image))
        elif image.has_transparency_data:
            layered = image if "A" in image.getbands() else image.convert("RGBA")
            gray = _over_contrast(np.asarray(layered.convert("L")), np.asarray(layered.getchannel("A")))
        else:
            gray = np.asarray(image if image.mode == "L" else image.convert("L"))
    except Exception as error:  # a damaged file: Pillow's decoders raise many types
        raise InputError(_damaged(name, error)) from error
    turn = _turn(image)
    return gray if turn is None else np.asarray(Image.fromarray(gray).transpose(turn))


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes a decoded picture upright, if anything, by its EXIF orientation."""
    try:
        return _EXIF_TURNS.get(image.getexif().get(0x0112, 1))
    except Exception:  # broken EXIF says nothing of the picture; Pillow raises many types for it
        return None


def _gray_of_array(array: npt.NDArray[Any]) -> GrayImage:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise InputError(f"an array must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {array.shape}")
    _check_size((array.shape[1], array.shape[0]), "the array")
    if array.dtype != np.uint8:
        array = _eight_bit(array)
    if array.ndim == 2:
        return array
    if array.shape[2] == 1:
        return array[:, :, 0]
    if array.shape[2] == 4:
        return _over_contrast(cv2.cvtColor(array, cv2.COLOR_RGBA2GRAY), array[:, :, 3])
    gray: GrayImage = cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)
    return gray


def _eight_bit(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.uint16):
        return _stretched(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"an array must be uint8, uint16, bool or float in [0, 1], not {array.dtype}")
    if not (array.min() >= 0 and array.max() <= 1):  # False for NaN, too
        raise InputError("an array of floats must hold numbers from 0 to 1, and no NaN; scale it first")
    return (array * 255).round().astype(np.uint8)


def _over_contrast(gray: GrayImage, alpha: npt.NDArray[np.uint8]) -> GrayImage:
    """(H, W) grey levels and opacity, laid on white where what is opaque is dark, on black where it is bright."""
    on_black: GrayImage = cv2.multiply(gray, alpha, scale=1 / 255)
    if cv2.mean(on_black)[0] > cv2.mean(alpha)[0] / 2:
        return on_black
    on_white: GrayImage = cv2.add(on_black, cv2.bitwise_not(alpha))
    return on_white


def _stretched(levels: npt.NDArray[Any]) -> GrayImage:
    """Levels of any depth, the darkest to 0 and the brightest to 255."""
    low, high = float(levels.min()), float(levels.max())
    if not np.isfinite(high - low):
        raise ValueError("levels that are no finite numbers")
    factor = 255 / (high - low) if high > low else 0.0
    native = levels.astype(levels.dtype.newbyteorder("="), copy=False)
    stretched: GrayImage = cv2.convertScaleAbs(native, alpha=factor, beta=-low * factor)
    return stretched


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(_too_large(name, f" {width}x{height}"))
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name}: {width}x{height} pixels are too few; {MIN_SIDE} a side is the least")


def _damaged(name: str, error: Exception) -> str:
    return f"{name}: damaged or cut short ({error}); save or copy it again"


def _too_large(name: str, size: str = "") -> str:
    return f"{name}:{size} is over {MAX_PIXELS // 1_000_000} megapixels; make it smaller first"
