"""Any picture -> GrayImage: decoding, EXIF orientation, alpha, 16 bit, size limits, polarity.

GrayImage: (H, W) uint8, 0 to 255, ink bright on a dark ground, in the pixels of the picture as shown (EXIF applied).
"""

import io
import os
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from digitocr.runtime.errors import InputError
from digitocr.runtime.opencv import cv2

GrayImage: TypeAlias = npt.NDArray[np.uint8]
Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[Any]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm", ".pnm"))
MAX_PIXELS = 52_000_000  # a phone's largest photo (8192 x 6144); decoded in colour it takes 208 MB
DEEP = ("I", "F")  # Pillow's modes of more than 8 bits
ICON_SIDE = 32  # pixels
NOISE_VARIANCE = 3.0  # squared grey levels; differences this small say nothing of polarity
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

    Raises InputError for whatever is no picture, is damaged, or has over MAX_PIXELS pixels (told before decoding).
    """
    if isinstance(picture, np.ndarray):
        gray = _gray_of_array(picture)
    elif isinstance(picture, Image.Image):
        if picture.width * picture.height > MAX_PIXELS:
            raise InputError(_too_large("the PIL image"))
        gray = _gray_of_image(picture, "the PIL image")
    elif isinstance(picture, (bytes, str, os.PathLike)):
        with _opened(picture) as opened:
            gray = _gray_of_image(opened, _name(picture))
    else:
        raise InputError(f"a picture is a path, bytes, a PIL image or an array, not {type(picture).__name__}")
    return ink_bright(gray)


def show(picture: Path | bytes) -> Image.Image:
    """The picture as a person sees it, RGB, in load's pixels, for drawing on. Raises what load raises."""
    with _opened(picture) as opened:
        if opened.has_transparency_data or opened.mode.startswith(DEEP):
            return Image.fromarray(_gray_of_image(opened, _name(picture))).convert("RGB")
        return ImageOps.exif_transpose(opened).convert("RGB")


def ink_bright(gray: GrayImage) -> GrayImage:
    """The same (H, W) uint8 picture, inverted where its ink is darker than its ground.

    Ink covers less than its ground, so differences from a local median are skewed to the side of the ink. Of three
    sizes of neighbourhood the most skewed one decides: small ones see thin strokes through shadows, large ones thick
    strokes. In an icon, too small for that, the top row is ground.
    """
    if max(gray.shape) <= ICON_SIDE:
        return gray if cv2.mean(gray)[0] >= cv2.mean(gray[0])[0] else 255 - gray
    shrink = min(1.0, 192 / max(gray.shape))
    small = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else gray
    skews = []
    for share in (16, 5, 1):
        lean = small.astype(np.float32) - cv2.medianBlur(small, max(3, min(small.shape) // share // 2 * 2 - 1))
        skews.append(float((lean**3).mean()) / (float((lean**2).mean()) + NOISE_VARIANCE) ** 1.5)
    return gray if max(skews, key=abs) > 0 else 255 - gray


def _name(picture: str | os.PathLike[str] | bytes) -> str:
    return "the bytes given" if isinstance(picture, bytes) else str(picture)


def _opened(picture: str | os.PathLike[str] | bytes) -> Image.Image:
    """The picture with only its header read. Raises InputError."""
    name = _name(picture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is stricter
            opened = Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=FORMATS)
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{name}: is a folder, not a picture") from None
    except PermissionError:
        raise InputError(f"{name}: may not be read (permission denied)") from None
    except Image.DecompressionBombError:
        raise InputError(_too_large(name)) from None
    except Exception:  # Pillow's parsers raise many types on bytes that are no picture
        raise InputError(f"{name}: not a picture that can be read; formats: {', '.join(FORMATS)}") from None
    if opened.width * opened.height > MAX_PIXELS:
        opened.close()
        raise InputError(_too_large(name, f" {opened.width}x{opened.height}"))
    return opened


def _gray_of_image(image: Image.Image, name: str) -> GrayImage:
    try:
        image.draft("L", image.size)  # a JPEG is decoded to grey at once, without its colour
        if image.has_transparency_data:
            gray = _over_contrast(np.asarray(image.convert("RGBA")))
        elif image.mode.startswith(DEEP):
            gray = _stretched(np.asarray(image))
        else:
            gray = np.asarray(image.convert("L"))
        turns = _EXIF_TURNS.get(image.getexif().get(0x0112, 1))
    except Exception as error:  # a damaged file: Pillow's decoders raise many types
        raise InputError(f"{name}: damaged or cut short ({error}); save or copy it again") from error
    upright = np.asarray(Image.fromarray(gray).transpose(turns)) if turns is not None else gray
    return _checked_sides(upright, name)


def _gray_of_array(array: npt.NDArray[Any]) -> GrayImage:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise InputError(f"an array must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {array.shape}")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise InputError(_too_large("the array", f" {array.shape[1]}x{array.shape[0]}"))
    _checked_sides(array, "the array")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype == np.uint16:
        array = _stretched(array)
    elif np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):  # False for NaN, too
            raise InputError("an array of floats must hold numbers from 0 to 1, and no NaN; scale it first")
        array = (array * 255).round().astype(np.uint8)
    elif array.dtype != np.uint8:
        raise InputError(f"an array must be uint8, uint16, bool or float in [0, 1], not {array.dtype}")
    if array.ndim == 2:
        return array
    if array.shape[2] == 4:
        return _over_contrast(array)
    gray: GrayImage = cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)
    return gray


def _over_contrast(rgba: npt.NDArray[np.uint8]) -> GrayImage:
    """Grey levels of an RGBA picture laid on white where what is opaque is dark, on black where it is bright."""
    gray = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY).astype(np.float32)
    alpha = rgba[:, :, 3].astype(np.float32) / 255
    covered = float(alpha.sum())
    ground = 255.0 if covered == 0 or float((gray * alpha).sum()) / covered < 128 else 0.0
    laid: GrayImage = (ground + (gray - ground) * alpha).round().astype(np.uint8)
    return laid


def _stretched(levels: npt.NDArray[Any]) -> GrayImage:
    wide = levels.astype(np.float32)
    low, high = float(wide.min()), float(wide.max())
    if not np.isfinite(high - low):
        raise InputError("a picture with levels that are no finite numbers cannot be read")
    return ((wide - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8)


def _checked_sides(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    if min(array.shape[:2]) < MIN_SIDE:
        raise InputError(
            f"{name}: {array.shape[1]}x{array.shape[0]} pixels are too few; {MIN_SIDE} a side is the least"
        )
    return array


def _too_large(name: str, size: str = "") -> str:
    return f"{name}:{size} has over {MAX_PIXELS // 1_000_000} megapixels; make it smaller first"
