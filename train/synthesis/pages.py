r"""Drawn pages of handwritten digits, from a seed: the project's own strokes, hands, pens, paper, light and camera.

    rng = np.random.default_rng(7)
    page = draw_page(["407", "12"], rng, random_style(rng))
    page.image   # (H, W, 3) uint8 RGB: what a phone would have taken
    page.text    # "407\n12"
    page.boxes   # (5, 4) int32: x, y, width, height of each digit's ink, in reading order

The digits come from strokes.py. The points of their curves are mapped by the page's homography before they are drawn,
so perspective costs no sharpness and the boxes fit the ink. Paper, ink, light and camera follow, in that order. No
data set is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.strokes import Bytes, Floats, Hand, Reals, drawn, random_hand, write

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255


_FIT_ROUNDS = 8  # at most, to fit the writing to the picture; perspective makes it not quite linear, 2 or 3 suffice
_ROOM = 0.88  # share of the picture that writing may take up
_ROOM_ON_DESK = 0.6  # the same where a desk shows round the sheet
_FORESHORTENING = 0.4  # of a page that is seen at an angle, as a share of its perspective
_NOISE_MEAN = 127.5  # of _noise, grey levels
_NOISE_STD = 24.6  # of _noise, grey levels: of the mean of nine random bytes
_LIGHT_SIDE = 48  # pixels; the light varies slowly, so it is computed small and enlarged
_DIGIT_INK = 48  # of 255; pixels with more ink belong to the digit's box


@dataclass(frozen=True)
class Medium:
    """The mark that a pen leaves on paper.

    Attributes:
        stroke: Range of the stroke's width, in digit heights.
        opacity: Of a full stroke, 0 to 1.
        tooth: How much the paper's grain breaks the stroke up, 0 to 1.
        taper: How much thinner a stroke's ends are, as a share of its width; below 0 the ends are wider.
        inks: Its colours.
    """

    stroke: tuple[float, float]
    opacity: float
    tooth: float
    taper: float
    inks: tuple[Colour, ...]


MEDIA: Mapping[str, Medium] = {  # by the name of the pen
    "ballpoint": Medium((0.045, 0.08), 0.9, 0.12, 0.1, ((34, 48, 128), (28, 36, 96), (38, 38, 46), (150, 32, 48))),
    "pencil": Medium((0.05, 0.085), 0.75, 0.55, 0.25, ((72, 72, 78), (90, 90, 94))),
    "felt": Medium((0.08, 0.12), 0.97, 0.08, -0.12, ((24, 24, 28), (26, 44, 120), (170, 28, 36), (20, 100, 62))),
    "marker": Medium((0.11, 0.17), 0.96, 0.12, -0.05, ((26, 26, 30), (28, 62, 170), (16, 110, 66), (196, 30, 34))),
    "chalk": Medium((0.08, 0.12), 0.92, 0.8, 0.05, ((236, 236, 228), (240, 226, 160), (238, 200, 206))),
}
_LIGHT_PAPERS: tuple[Colour, ...] = (
    (232, 231, 226),
    (214, 216, 218),
    (196, 195, 190),
    (240, 234, 214),
    (244, 222, 110),
)
_DESKS: tuple[Colour, ...] = ((128, 116, 104), (74, 56, 46), (66, 70, 78))
_DARK_PAPERS: tuple[Colour, ...] = ((30, 30, 32), (46, 66, 58), (58, 62, 66))


@dataclass(frozen=True)
class Style:
    """The look of a page: all but its digits.

    Attributes:
        size: Width and height of the picture, pixels.
        digit_height: Pixels; less where the lines would not fit.
        hand: The writer.
        medium: A key of MEDIA.
        ink: Colour of the ink.
        paper: Colour of the paper.
        stroke: Width of the strokes, in digit heights.
        gap: Between two digits, in digit heights.
        angle: Rotation, degrees clockwise.
        perspective: 0 is a view from straight above; with 0.3 one side is a third nearer than the other; at most 0.8.
        facing: Direction of the near side, degrees: 0 right, 90 bottom.
        desk: Colour of what shows round the sheet; None where the sheet fills the picture.
        light: Share of the light that is lost from the brightest to the darkest place.
        shadow: Share of the light that a soft-edged shadow takes.
        grain: Unevenness of the paper, grey levels.
        mottle: Unevenness of the paper in large clouds, grey levels.
        blur: Standard deviation of the blur, pixels.
        noise: Of the sensor, grey levels.
        jpeg: Quality of the compression; None for none.
    """

    size: tuple[int, int] = (512, 512)
    digit_height: float = 64
    hand: Hand = field(default_factory=Hand)
    medium: str = "ballpoint"
    ink: Colour = (34, 48, 128)
    paper: Colour = (232, 231, 226)
    stroke: float = 0.07
    gap: float = 0.3
    angle: float = 0.0
    perspective: float = 0.0
    facing: float = 0.0
    desk: Colour | None = None
    light: float = 0.2
    shadow: float = 0.0
    grain: float = 2.0
    mottle: float = 1.5
    blur: float = 0.7
    noise: float = 2.0
    jpeg: int | None = 85

    @property
    def light_on_dark(self) -> bool:
        """Whether the ink is brighter than the paper."""
        return sum(self.ink) > sum(self.paper)


def random_style(rng: Generator, size: tuple[int, int] = (512, 512), light_on_dark: bool | None = None) -> Style:
    """A random writer, pen, paper and camera. Digits are a twelfth to a third of the picture's height.

    Args:
        rng: Determines the style.
        size: Width and height in pixels.
        light_on_dark: Whether the ink is brighter than the paper; None leaves that to chance, one in eight.
    """
    dark_page = rng.random() < 0.125 if light_on_dark is None else light_on_dark
    names = ["chalk", "felt"] if dark_page else ["ballpoint", "pencil", "felt", "marker"]
    name = names[int(rng.integers(len(names)))]
    medium = MEDIA[name]
    inks = MEDIA["chalk"].inks if dark_page else medium.inks
    papers = _DARK_PAPERS if dark_page else _LIGHT_PAPERS
    return Style(
        size=size,
        digit_height=size[1] * float(np.exp(rng.uniform(np.log(1 / 12), np.log(1 / 3)))),
        hand=random_hand(rng),
        medium=name,
        ink=_vary(inks[int(rng.integers(len(inks)))], rng),
        paper=_vary(papers[int(rng.integers(len(papers)))], rng),
        stroke=float(rng.uniform(*medium.stroke)),
        gap=float(rng.uniform(0.2, 0.6)),
        angle=float(rng.normal(0, 3)),
        perspective=float(rng.beta(1, 4)) * 0.4,
        facing=float(rng.uniform(0, 360)),
        desk=_vary(_DESKS[int(rng.integers(len(_DESKS)))], rng) if rng.random() < 0.15 else None,
        light=float(rng.beta(1.5, 3)) * 0.6,
        shadow=float(rng.uniform(0.15, 0.45)) if rng.random() < 0.3 else 0.0,
        grain=float(rng.uniform(0.5, 4)),
        mottle=float(rng.uniform(0.5, 3)),
        blur=float(rng.gamma(2, 0.4)),
        noise=float(rng.gamma(2, 1.2)),
        jpeg=int(rng.integers(60, 96)),
    )


def _vary(colour: Colour, rng: Generator) -> Colour:
    """The colour with a little noise."""
    red, green, blue = (int(np.clip(c + rng.normal(0, 5), 0, 255)) for c in colour)
    return red, green, blue


@dataclass(frozen=True)
class Page:
    """A picture and its digits.

    Attributes:
        image: (H, W, 3) RGB.
        text: The digits in reading order, lines joined by a newline.
        boxes: (n, 4) x, y, width, height of each digit's ink in pixels, in reading order.
        ink: (H, W) how much of each pixel the pen has covered, 255 for all of it.
    """

    image: Bytes
    text: str
    boxes: NDArray[np.int32]
    ink: Bytes

    @property
    def digits(self) -> NDArray[np.int64]:
        """(n,) the digit in each box."""
        return np.array([int(c) for c in self.text if c != "\n"], np.int64)


def draw_page(lines: Sequence[str], rng: Generator, style: Style) -> Page:
    """A page with these lines of digits, photographed. A space in a line is a wider gap and no part of the text.

    The same lines, style and state of `rng` give the same page. Raises ValueError for a line that holds anything but
    digits and spaces or has no digit, and where there is no line.
    """
    text = [line.replace(" ", "") for line in lines]
    if not all(text) or not "".join(text).isdecimal() or not "".join(text).isascii():
        raise ValueError(f"a page needs lines of the digits 0 to 9 and spaces, each with a digit, got {list(lines)!r}")
    digits = _set(lines, rng, style)
    view = _view(digits, rng, style)
    ink, boxes = _inked(digits, view, style)
    image = _photograph(ink, view, rng, style)
    return Page(image, "\n".join(text), boxes, ink)


def _set(lines: Sequence[str], rng: Generator, style: Style) -> list[list[Reals]]:
    """The strokes of each digit on the flat page, each (n, 3): x, y in digit heights and the width in stroke widths."""
    digits = []
    pitch = rng.uniform(1.55, 1.9)  # digit heights from line to line
    for row, line in enumerate(lines):
        x, drift = rng.normal(0, 0.15), rng.normal(0, 0.012)
        for c in line:
            if c == " ":
                x += 2 * style.gap + 0.2
                continue
            strokes = write(int(c), style.hand, rng, MEDIA[style.medium].taper)
            left = min(stroke[:, 0].min() for stroke in strokes)
            lift = row * pitch + drift * x + rng.normal(0, style.hand.unevenness / 2)
            for stroke in strokes:
                stroke[:, :2] += x - left, lift
            x = max(stroke[:, 0].max() for stroke in strokes) + style.stroke + style.gap * rng.uniform(0.75, 1.25)
            digits.append(strokes)
    return digits


def _view(digits: Sequence[list[Reals]], rng: Generator, style: Style) -> Reals:
    """The homography (3, 3) from digit heights on the flat page to pixels: rotated, tilted, fitted to the picture."""
    size = np.array(style.size)
    points = np.vstack([stroke[:, :2] for strokes in digits for stroke in strokes])
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2
    turn, facing = np.deg2rad(style.angle), np.deg2rad(style.facing)
    near = np.array([np.cos(facing), np.sin(facing)])
    tilt = np.eye(3)
    tilt[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    tilt[:2, :2] -= _FORESHORTENING * style.perspective * np.outer(near, near) @ tilt[:2, :2]
    tilt[2, :2] = -style.perspective / size.max() * near

    room = size * (_ROOM if style.desk is None else _ROOM_ON_DESK)
    height = style.digit_height
    for _ in range(_FIT_ROUNDS):
        view = tilt @ np.array([[height, 0, -height * x], [0, height, -height * y], [0, 0, 1]])
        placed = _project(view, points)
        extent = placed.max(axis=0) - placed.min(axis=0) + 2 * style.stroke * height
        if (extent <= room).all():
            break
        height *= 0.99 * float((room / extent).min())
    shift = size / 2 - (placed.max(axis=0) + placed.min(axis=0)) / 2
    shift += rng.uniform(-0.35, 0.35, 2) * np.maximum(room - extent, 0)
    return np.asarray(np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]]) @ view)


def _inked(digits: Sequence[list[Reals]], view: Reals, style: Style) -> tuple[Bytes, NDArray[np.int32]]:
    """The ink in the picture, (H, W) uint8 coverage, and the boxes of the digits, (n, 4)."""
    ink = np.zeros((style.size[1], style.size[0]), np.uint8)
    boxes = []
    for strokes in digits:
        digit, left, top = drawn(
            [(_project(view, line[:, :2]), line[:, 2] * style.stroke * _scale(view, line[:, :2])) for line in strokes]
        )
        h, w = digit.shape
        window = ink[top : top + h, left : left + w]
        np.maximum(window, digit, out=window)
        boxes.append((left, top, w, h))
    return ink, np.array(boxes, np.int32)


def _project(homography: Reals, points: Reals) -> Reals:
    """(n, 2) points of the flat page in the picture."""
    moved = points @ homography[:, :2].T + homography[:, 2]
    return np.asarray(moved[:, :2] / moved[:, 2:])


def _scale(homography: Reals, points: Reals) -> Reals:
    """(n,) pixels per digit height at points of the flat page: the root of the change of area."""
    depth = points @ homography[2, :2] + homography[2, 2]
    return np.asarray(np.sqrt(np.linalg.det(homography) / depth**3))


def _photograph(ink: Bytes, view: Reals, rng: Generator, style: Style) -> Bytes:
    """Paper under the ink, light on both, and the camera: (H, W, 3) uint8."""
    light = _light(rng, style)
    image = _ground(light, view, rng, style)
    _write_on(image, ink, light, view, rng, style)
    if style.blur > 0:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), style.blur), np.uint8)
    image = _add(image, _noise(rng, style.size, channels=3), style.noise)
    if style.jpeg is None:
        return image
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, style.jpeg))
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _ground(light: Floats, view: Reals, rng: Generator, style: Style) -> Bytes:
    """The paper in its light, and the desk round it where the style has one: (H, W, 3) uint8."""
    size = style.size
    image = _lit(style.paper, light, size)
    image = _add(image, _noise(rng, size), style.grain)
    image = _add(image, _noise(rng, size, cell=max(size) / 12), style.mottle)
    if style.desk is None:
        return image
    sheet, shade = _sheet(view, size)
    desk = _add(_lit(style.desk, light, size), _noise(rng, size, cell=max(size) / 40), 3)
    return (image * sheet + desk * (shade * (1 - sheet))).astype(np.uint8)


def _write_on(image: Bytes, ink: Bytes, light: Floats, view: Reals, rng: Generator, style: Style) -> None:
    """Draws the ink on the image, in place.

    The pen misses the paper's hollows: at a stroke's edges, where it presses least, and here and there along it.
    """
    medium = MEDIA[style.medium]
    thick = style.stroke * float(_scale(view, np.zeros((1, 2)))[0])  # pixels
    x, y, w, h = cv2.boundingRect(ink)
    left, top, right, bottom = max(0, x - int(thick)), max(0, y - int(thick)), x + w + int(thick), y + h + int(thick)
    window = np.s_[top:bottom, left:right]
    h, w = ink[window].shape
    hollows = _noise(rng, (w, h), cell=float(np.clip(thick / 12, 1, 2.5))).astype(np.float32)
    hollows += 0.5 * _noise(rng, (w, h), cell=max(4.0, 3 * thick)).astype(np.float32) - (1.5 * _NOISE_MEAN - 12)
    soft = cv2.GaussianBlur(ink[window], (0, 0), max(0.1, 0.2 * medium.tooth * thick)).astype(np.float32) / 255
    cover = soft * (1 + 0.6 * medium.tooth) - medium.tooth / 45 * np.maximum(hollows, 0) * (soft > 0)
    cover = np.clip(cover, 0, 1) * medium.opacity
    image[window] = cv2.blendLinear(image[window], _lit(style.ink, light, style.size)[window], 1 - cover, cover)


def _lit(colour: Colour, light: Floats, size: tuple[int, int]) -> Bytes:
    """A surface of one colour in this light: (H, W, 3) uint8; size: width and height."""
    return np.asarray(cv2.resize(np.clip(light * colour + 0.5, 0, 255).astype(np.uint8), size), np.uint8)


def _light(rng: Generator, style: Style) -> Floats:
    """The light on the page: (48, 48, 3) float32, about 1 at the brightest place."""
    y, x = np.mgrid[-1 : 1 : _LIGHT_SIDE * 1j, -1 : 1 : _LIGHT_SIDE * 1j]
    toward, at = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4, 2)
    fall = np.cos(toward) * x + np.sin(toward) * y + rng.uniform(0, 1) * ((x - at[0]) ** 2 + (y - at[1]) ** 2)
    fall = (fall - fall.min()) / np.ptp(fall)
    light = 1 - style.light * fall
    if style.shadow > 0:
        toward = rng.uniform(0, 2 * np.pi)
        edge = np.cos(toward) * x + np.sin(toward) * y + 0.15 * np.sin(2 * x + 3 * y + toward) - rng.uniform(-0.3, 0.5)
        light *= 1 - style.shadow / (1 + np.exp(-edge / rng.uniform(0.04, 0.15)))
    tint = 1 + rng.normal(0, 0.012, 3) + rng.normal(0, 0.018, 3) * fall[:, :, None]
    return np.asarray(light[:, :, None] * tint, np.float32)


def _sheet(view: Reals, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """The sheet's coverage of the picture, and what its shadow leaves of the desk's light: both (H, W, 1) in [0, 1]."""
    middle = _project(np.asarray(np.linalg.inv(view), np.float64), np.array([size]) / 2)
    corners = middle + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size * 0.4 / _scale(view, middle)
    fixed = np.rint(_project(view, corners) * 16).astype(np.int32)
    masks = np.zeros((2, size[1], size[0], 1), np.uint8)
    cv2.fillConvexPoly(masks[0], fixed, 255, cv2.LINE_AA, 4)
    cv2.fillConvexPoly(masks[1], fixed + np.int32(16 * max(size) // 120), 255, cv2.LINE_AA, 4)
    cast = cv2.blur(masks[1], (max(size) // 60,) * 2)[:, :, None]
    return masks[0] * np.float32(1 / 255), 1 - cast * np.float32(0.45 / 255)


def _noise(rng: Generator, size: tuple[int, int], cell: float = 1, channels: int = 1) -> Bytes:
    """(H, W, channels) uint8, (H, W) for one channel, in grains of `cell` pixels; size: width and height.

    Random bytes averaged over 3x3 pixels: fast, nearly normal, and correlated between neighbours as the noise of a
    camera is. Its mean is _NOISE_MEAN and its standard deviation about _NOISE_STD.
    """
    columns, rows = (max(2, round(side / cell)) for side in size)
    shape = (rows, columns) if channels == 1 else (rows, columns, channels)
    noise = cv2.blur(rng.integers(0, 256, shape, np.uint8), (3, 3))
    return np.asarray(noise if cell == 1 else cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _add(image: Bytes, noise: Bytes, levels: float) -> Bytes:
    """The (H, W, 3) image with noise, of _noise, added; levels: its standard deviation in grey levels."""
    if noise.ndim == 2:
        noise = np.asarray(cv2.cvtColor(noise, cv2.COLOR_GRAY2BGR), np.uint8)
    gain = levels / _NOISE_STD
    return np.asarray(cv2.addWeighted(image, 1, noise, gain, -gain * _NOISE_MEAN), np.uint8)


def paste_page(images: Bytes, labels: NDArray[np.uint8], columns: int, scale: int, rng: Generator) -> Page:
    """Given digits as dark ink on plain, bright paper, in straight lines and well apart.

    The paper is even except for noise of one grey level.

    Args:
        images: (n, 28, 28) uint8, ink bright, as MNIST's.
        labels: (n,) uint8, the digits of the images.
        columns: Digits in a line.
        scale: How many times as large they become, by cubic interpolation.
        rng: Determines the levels and the noise.
    """
    cell = 28 * scale
    rows = -(-len(images) // columns)
    pitch_x, pitch_y, margin = cell + 4 * scale, cell + 12 * scale, 8 * scale
    ink = np.zeros((2 * margin + rows * pitch_y, 2 * margin + columns * pitch_x), np.uint8)
    boxes = []
    for i, image in enumerate(images):
        y, x = margin + i // columns * pitch_y, margin + i % columns * pitch_x
        large = cv2.resize(image, (cell, cell), interpolation=cv2.INTER_CUBIC)
        ink[y : y + cell, x : x + cell] = large
        left, top, w, h = cv2.boundingRect((large > _DIGIT_INK).astype(np.uint8))
        boxes.append((x + left, y + top, w, h))
    paper, dark = rng.uniform(225, 245), rng.uniform(20, 60)
    page = np.rint(paper - (paper - dark) / 255 * ink).astype(np.uint8)
    image = _add(np.repeat(page[:, :, None], 3, axis=2), _noise(rng, (ink.shape[1], ink.shape[0])), 1)
    text = "".join(str(label) for label in labels)
    lines = [text[i : i + columns] for i in range(0, len(text), columns)]
    return Page(image, "\n".join(lines), np.array(boxes, np.int32).reshape(-1, 4), ink)
