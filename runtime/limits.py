"""Limits on what decoding a picture may cost, checked before it is decoded, by what its header says.

A few bytes can claim many pixels, tiles larger than the picture, or thousands of passes over it. The limits hold what
is refused below 300 MB of memory and 2 s of one processor, and what is decoded below MAX_MEMORY.
"""

import struct
from typing import Any, BinaryIO

MAX_MEMORY = 300_000_000  # bytes, of decoding; a phone's largest photo as JPEG (8192 x 6144) takes 110 million
MAX_SCANNED = 360_000_000  # coefficients that the scans of a JPEG go over, at 160 million a second where all are noise
LEAST_SCANNED = 4096  # of these that a scan counts for, however small the picture: it has tables to be made
MEANS = 0.25  # of them in a scan of means alone, one of each 64, which are not as quick as they are few
MAX_PYTHON_PIXELS = 2_100_000  # of formats that Pillow decodes in Python, at 1.1 million a second
MAX_PYTHON_VALUES = 4_000_000  # of all channels of these, at 2.4 million a second
MAX_COMMENTS = 1000  # between the values of a plain PPM, for each of which its decoder copies what it has read
MAX_READS = 500_000  # of the parts of a file, at half a million a second; a PNG of 52 megapixels has 100,000 at most
MAX_PYTHON_READS = 4_300_000  # of a PPM or BMP, whose decoders read the bytes one by one, at 2.5 million a second
MAX_LZMA_BYTES = 48_000_000  # as decoded, of a TIFF with LZMA, at 25 million a second where bytes are hardly alike
MAX_VIDEO_BYTES = 16_000_000  # of a HEIC or AVIF, a frame of a video, at 12 million a second; a phone's has 10 at most
MAX_TILE_PIXELS = 4_200_000  # of a tile of a TIFF that is larger than the picture
MAX_TIFF_BYTES = 50_000_000  # of the parts of a TIFF, which may overlap, where these are longer than the file
MAX_TIFF_PAGES = 10_001  # of which the tags are looked at
PYTHON_DECODERS = ("bmp_rle", "ppm", "ppm_plain")  # Pillow's names

# Bytes of a pixel while it is decoded, as measured: of Pillow's image, the grey levels, and what a format needs beside
MODE_BYTES = {"1": 2, "L": 2, "P": 2, "I;16": 6, "I;16B": 6, "I;16L": 6, "I;16N": 6, "I": 11, "F": 11}
OTHER_MODES = 5  # colours
OPACITY_BYTES = 2  # beside them
FORMAT_BYTES = {"WEBP": 18, "AVIF": 3, "HEIF": 1}  # the libraries' own copies
COEFFICIENT = 2  # bytes; a JPEG in several scans is held as coefficients

MARKER, START_OF_SCAN, SCAN, END_OF_IMAGE = 0xFF, 0xDA, b"\xff\xda", b"\xff\xd9"  # of a JPEG
SEQUENTIAL = (0xC0, 0xC1)  # markers of a frame that is not progressive

TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, ROWS = 258, 259, 262, 277, 278  # tags of a TIFF
TILE_WIDTH, TILE_LENGTH = 322, 323
CHUNK_BYTES = (279, 325)  # the tags of how many bytes each strip or tile has
LZMA = 34925  # of COMPRESSION
YCBCR = 6  # of PHOTOMETRIC; libtiff converts such a strip to colours as a whole


class TooManyReads(Exception):
    """A file of so many small parts that going through them takes too long."""


class CountedFile:
    """A file that can be read so often. It limits whatever loops over parts of a file, before decoding and while."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_PYTHON_READS if file.read(2)[:1] in (b"P", b"B") else MAX_READS
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Reads as a file does. Raises TooManyReads."""
        self._left -= 1
        if self._left < 0:
            raise TooManyReads("of too many small parts")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def video_trouble(container: str, file: BinaryIO) -> str:
    """Why a HEIC or AVIF is not decoded, by its size; empty where it may be. The file is left at its start."""
    size = file.seek(0, 2)
    file.seek(0)
    if size <= MAX_VIDEO_BYTES:
        return ""
    return f"{container} may have {MAX_VIDEO_BYTES // 1_000_000} MB, or decoding takes too long; save it as JPEG first"


def why_not(opened: Any, file: BinaryIO, size: int) -> str:
    """Why a picture is not decoded, to put behind its name; empty for one that may be.

    Args:
        opened: A PIL image of which only the header is read; its draft mode counts.
        file: Its file; its position does not change.
        size: Bytes of the file that are held in memory; 0 where it is read from the disk.
    """
    pixels = opened.width * opened.height
    tile = opened.tile[0] if getattr(opened, "tile", None) else None
    if tile and tile[0] in PYTHON_DECODERS:
        most = min(MAX_PYTHON_PIXELS, MAX_PYTHON_VALUES // len(opened.getbands()))
        if pixels > most:
            return f"a picture of this kind ({tile[0]}) may have {most / 1e6:.1f} megapixels; save it as PNG first"
        if tile[0] == "ppm_plain" and _rest(file).count(b"#") > MAX_COMMENTS:
            return f"has over {MAX_COMMENTS} comments; save it as PNG first"
    form = "JPEG" if opened.format == "MPO" else opened.format
    opacity = OPACITY_BYTES if opened.has_transparency_data else 0
    memory = size + pixels * (MODE_BYTES.get(opened.mode, OTHER_MODES) + opacity + FORMAT_BYTES.get(form, 0))
    if form == "JPEG":
        whole_size = getattr(opened, "full_size", opened.size)
        whole = whole_size[0] * whole_size[1]
        parts = _components(opened)
        scans, scanned = _scans(file, {name: int(whole * part) for name, part in parts.items()})
        if scanned > MAX_SCANNED:
            return "is a JPEG of too many scans for its size, which take too long to decode; save it again without them"
        if scans > 1:
            memory += int(COEFFICIENT * whole * sum(parts.values()))
    if form == "TIFF":
        wrong, chunk = _chunk(opened, pixels)
        if wrong:
            return wrong
        memory += chunk
    if memory > MAX_MEMORY:
        return f"takes over {MAX_MEMORY // 1_000_000} MB to decode; make it smaller, or save it as JPEG first"
    return ""


def _rest(file: BinaryIO) -> bytes:
    """What follows in a file, whose position stays the same."""
    before = file.tell()
    content = file.read()
    file.seek(before)
    return content


def _scans(file: BinaryIO, coefficients: dict[int, int]) -> tuple[int, int]:
    """How many scans the picture at the start of a JPEG has that are kept until all are read; what they go over.

    (1, 0) for a picture whose first scan holds all its colours at once: its decoder reads no other. Scans beyond
    MAX_SCANNED are not counted.

    Args:
        file: Its position stays the same.
        coefficients: How many each component has, by its name.
    """
    before = file.tell()
    try:
        colours = 0
        place = 2
        while True:
            file.seek(place)
            head = file.read(10)
            if len(head) < 5 or head[0] != MARKER:
                return 1, 0
            if head[1] == START_OF_SCAN:
                if head[4] == colours:
                    return 1, 0
                file.seek(place)
                return _scanned(file.read(), coefficients)
            if head[1] in SEQUENTIAL:
                colours = head[9] if len(head) > 9 else 0
            place += 1 if head[1] == MARKER else 2 + int.from_bytes(head[2:4], "big")
    finally:
        file.seek(before)


def _scanned(content: bytes, coefficients: dict[int, int]) -> tuple[int, int]:
    """As _scans, from the first scan on."""
    end, at = content.find(END_OF_IMAGE), content.find(SCAN)
    scans = scanned = 0
    most = max(coefficients.values())
    while 0 <= at < (end if end >= 0 else len(content)) and scanned <= MAX_SCANNED:
        scans += 1
        # how many components, the name and the tables of each, the first and the last coefficient
        head = content[at + 4 : at + 16] or b"\0"
        names, last = head[1 : 1 + 2 * head[0] : 2], head[2 + 2 * head[0] : 3 + 2 * head[0]]
        here = sum(coefficients.get(name, most) for name in names)
        scanned += max(here if last != b"\0" else int(here * MEANS), LEAST_SCANNED)
        at = content.find(SCAN, at + 2)
    return scans, scanned


def _components(opened: Any) -> dict[int, float]:
    """The coefficients of each component of a JPEG for a pixel, by its name: 1, or less where colours are reduced."""
    layers = getattr(opened, "layer", []) or [(0, 1, 1, 0)]
    largest = max(h for _, h, *_ in layers) * max(v for _, _, v, *_ in layers)
    return {name: h * v / max(largest, 1) for name, h, v, *_ in layers}


def _chunk(opened: Any, pixels: int) -> tuple[str, int]:
    """Why the tiles or strips of a TIFF are not decoded, and the bytes that one of them takes."""
    tags = opened.tag_v2
    width, length = _number(tags, TILE_WIDTH, 0), _number(tags, TILE_LENGTH, 0)
    tile = width * length or opened.width * min(_number(tags, ROWS, opened.height), opened.height)
    if tile > max(pixels, MAX_TILE_PIXELS):
        return f"has tiles of {width}x{length} pixels, larger than the picture; save it again", 0
    bits = _number(tags, BITS, 8) * _number(tags, SAMPLES, 1)
    if _number(tags, COMPRESSION, 1) == LZMA and pixels * bits / 8 > MAX_LZMA_BYTES:
        return (
            f"may have {MAX_LZMA_BYTES // 1_000_000} MB of pixels compressed by LZMA; save it as PNG first",
            0,
        )
    return "", int(tile * max(bits / 8, 4 if tags.get(PHOTOMETRIC) == YCBCR else 0))


def _number(tags: Any, tag: int, default: int) -> int:
    """The number that a tag holds, the largest of several; the default where it holds none."""
    value = tags.get(tag, default)
    try:
        return max(0, int(max(value) if isinstance(value, tuple) else value))
    except (TypeError, ValueError, OverflowError):
        return default


def tiff_trouble(file: BinaryIO) -> str:
    """Why the tags of a TIFF are not read: those of all pages, and their strips, may not overlap without end.

    Empty where they may be, and for what is no TIFF. The file is left at its start.
    """
    try:
        return _tiff_trouble(file)
    except (struct.error, OverflowError, OSError, ValueError):
        return ""  # damaged, which the decoder says better
    finally:
        file.seek(0)


def _tiff_trouble(file: BinaryIO) -> str:
    size = file.seek(0, 2)
    file.seek(0)
    header = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(header[:2])
    if order is None:
        return ""
    is_big = struct.unpack(order + "H", header[2:4])[0] == 43
    count_form, entry_form, next_form = ("Q", "HHQQ", "Q") if is_big else ("H", "HHII", "I")
    most = max(2 * size, MAX_TIFF_BYTES)
    tags = chunks = 0
    place = struct.unpack(order + "Q", header[8:16])[0] if is_big else struct.unpack(order + "I", header[4:8])[0]
    entry_size, inside = struct.calcsize(order + entry_form), 8 if is_big else 4
    seen: set[int] = set()
    while place and place not in seen and len(seen) < MAX_TIFF_PAGES:
        seen.add(place)
        file.seek(place)
        (count,) = struct.unpack(order + count_form, file.read(struct.calcsize(count_form if is_big else "H")))
        content = file.read(min(count, 65_536) * entry_size)
        for at in range(0, len(content) - entry_size + 1, entry_size):
            tag, kind, number, offset = struct.unpack_from(order + entry_form, content, at)
            length = TIFF_SIZES.get(kind, 0) * number
            if length <= inside:
                chunks += offset if tag in CHUNK_BYTES and number == 1 else 0
                continue
            tags += length
            if tags > most:
                return "has tags that overlap; save it again"
            if tag in CHUNK_BYTES and kind in (3, 4, 16) and length <= size:
                after = file.tell()
                file.seek(offset)
                letter = {3: "H", 4: "I", 16: "Q"}[kind]
                chunks += sum(struct.unpack(f"{order}{number}{letter}", file.read(length)))
                file.seek(after)
        if len(content) < count * entry_size:
            return ""
        (place,) = struct.unpack(order + next_form, file.read(struct.calcsize(order + next_form)))
    # some writers give the last strip more bytes than the file has; only strips that are the same bytes give so many
    return "has strips or tiles that overlap; save it again" if chunks > 4 * most else ""
