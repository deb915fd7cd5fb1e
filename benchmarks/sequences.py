"""Drawn videos from a camera that shakes, loses focus and is noisy: of a page, and of a counter whose wheels turn.

    for frame in frames(page(rng), rng): ...      # (H, W, 3) uint8 RGB
    counter = random_counter(rng)
    for frame, shown in zip(counter.frames(rng), counter.shown): ...     # shown: "04813", or "" between two numbers

A hand moves over the page in the second third of the frames.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from digitocr.train.synthesis.pages import Page, draw_page, random_style

SIZE = (1280, 720)  # width and height of a frame
MARGIN = 40  # pixels by which the page is larger on each side, so that the camera can shake
FRAMES = 75  # of a page, 2.5 seconds

COUNTED = 150  # frames of a counter, 5 seconds
RATE = 30  # frames a second
SPEEDS = (0.1, 2.0)  # numbers a second of a counter that runs
STANDING = 0.3  # share of the counters that stand still, many of them between two numbers
CARRYING = 0.5  # share of the counters whose last wheel passes from 9 to 0
SHOWN = 0.35  # of the way from one digit to the next; a wheel nearer to a digit than that shows it
PITCH = 1.45  # from one digit to the next on a wheel's rim, in digit heights
AROUND = 10  # digits on a wheel

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]  # red, green, blue, 0 to 255


def page(rng: np.random.Generator) -> Page:
    """Two lines of four digits, in any hand, on any paper."""
    digits = "".join(map(str, rng.integers(0, 10, 8)))
    size = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
    return draw_page([digits[:4], digits[4:]], rng, random_style(rng, size))


def frames(scene: Page, rng: np.random.Generator, count: int = FRAMES) -> Iterator[Pixels]:
    """Yields the page as a hand-held camera sees it. In the second third of the frames a hand moves across it."""
    return _filmed(repeat(scene.image, count), count, rng, hand=True)


@dataclass(frozen=True)
class Counter:
    """A counter whose wheels turn, in a window of its housing.

    Attributes:
        values: The number in each frame, in units of the last digit; 4812.5 is half-way from 4812 to 4813.
        wheels: How many there are; the number has leading zeros.
        height: Of a digit in pixels.
        width: From one wheel to the next in pixels.
        opening: Height of the window in digit heights.
        inks: The colour of each wheel's digits.
        wheel: The colour of the wheels.
        housing: The colour around the window.
        bold: Width of the strokes that are added to the digits, in pixels.
    """

    values: tuple[float, ...]
    wheels: int
    height: int
    width: int
    opening: float
    inks: tuple[Colour, ...]
    wheel: Colour
    housing: Colour
    bold: int

    @property
    def shown(self) -> list[str]:
        """The number that stands in the window in each frame; empty while the last wheel is between two digits."""
        return [
            f"{round(value) % 10**self.wheels:0{self.wheels}d}" if abs(value - round(value)) <= SHOWN else ""
            for value in self.values
        ]

    def frames(self, rng: np.random.Generator) -> Iterator[Pixels]:
        """Yields the counter as a hand-held camera sees it."""
        return _filmed(map(self.drawn, self.values), len(self.values), rng, hand=False)

    def drawn(self, value: float) -> Pixels:
        """The counter at that number, (H, W, 3) uint8 RGB, MARGIN larger on each side than a frame."""
        still = np.empty((SIZE[1] + 2 * MARGIN, SIZE[0] + 2 * MARGIN, 3), np.uint8)
        still[:] = self.housing
        high = round(self.opening * self.height)
        left, top = (still.shape[1] - self.wheels * self.width) // 2, (still.shape[0] - high) // 2
        edge = self.height // 6
        outer = (left - edge, top - edge, left + self.wheels * self.width + edge, top + high + edge)
        cv2.rectangle(still, outer[:2], outer[2:], tuple(round(0.5 * level) for level in self.housing), -1)
        for place, at in enumerate(positions(value, self.wheels)):
            wheel = self._wheel(at, high, self.width - edge // 2, place)
            x = left + place * self.width
            still[top : top + high, x : x + wheel.shape[1]] = wheel
        return still

    def _wheel(self, at: float, high: int, wide: int, place: int) -> Pixels:
        """The part of a wheel in the window, (high, wide, 3) uint8 RGB, turned to the digit `at`, a share included."""
        pitch = round(PITCH * self.height)
        radius = AROUND * pitch / (2 * np.pi)
        strip = _strip(self.height, wide, pitch, self.bold)
        angle = np.arcsin((np.arange(high) + 0.5 - high / 2) / radius)  # of each row, from the middle of the window
        rows = ((at + 0.5) * pitch + angle * radius) % (AROUND * pitch)
        y, x = np.broadcast_arrays(rows[:, None], np.arange(wide)[None])
        ink = cv2.remap(
            strip, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        share = ink[:, :, None] / np.float32(255)
        light = np.cos(angle)[:, None, None]  # the rim turns away from the light
        colour = (1 - share) * np.float32(self.wheel) + share * np.float32(self.inks[place])
        return (colour * light).astype(np.uint8)


def random_counter(rng: np.random.Generator) -> Counter:
    """A counter of four to eight wheels that runs at any of SPEEDS, or stands still, also between two numbers."""
    wheels = int(rng.integers(4, 9))
    speed = 0.0 if rng.random() < STANDING else float(np.exp(rng.uniform(*np.log(SPEEDS))))
    start = float(rng.integers(10 ** (wheels - 1))) + float(rng.random())
    if rng.random() < CARRYING:  # the carry comes while the counter is seen
        start = 10 * (start // 10) + 9.5 - speed * float(rng.uniform(0, COUNTED / RATE)) + float(rng.uniform(-0.4, 0.4))
    white, black, red = (235, 235, 228), (28, 28, 30), (190, 40, 40)
    dark = rng.random() < 0.6
    decimals = int(rng.integers(0, 4))  # wheels in another colour
    ink = white if dark else black
    height = int(rng.integers(60, 130))
    return Counter(
        values=tuple(start + speed * np.arange(COUNTED) / RATE),
        wheels=wheels,
        height=height,
        width=min(round(height * rng.uniform(0.85, 1.3)), (SIZE[0] - 2 * MARGIN) // wheels),
        opening=float(rng.uniform(1.25, 1.7)),
        inks=(ink,) * (wheels - decimals) + ((235, 120, 110) if dark else red,) * decimals,
        wheel=black if dark else white,
        housing=tuple(int(level) for level in rng.integers(90, 220, 3)),
        bold=int(rng.integers(0, height // 20)),
    )


def positions(value: float, wheels: int) -> list[float]:
    """The digit to which each wheel is turned, with the share of its way to the next, at that value.

    >>> positions(199.25, 4)
    [0.0, 1.25, 9.25, 9.25]
    """
    turned = []
    for unit in (10**place for place in reversed(range(wheels))):
        whole, rest = divmod(value, unit)
        along = max(0.0, rest - (unit - 1))  # the lower wheels take it along only on their last step, from 9 to 0
        turned.append((whole + along) % AROUND)
    return turned


@lru_cache(maxsize=8)
def _strip(height: int, wide: int, pitch: int, bold: int) -> Pixels:
    """The rim of a wheel unrolled, (AROUND * pitch, wide) uint8: its digits' ink, 0 above 1."""
    strip = Image.new("L", (wide, AROUND * pitch))
    font = ImageFont.load_default(height / 0.71)  # of the type size, as high as its digits are
    for digit in range(AROUND):
        place = (wide / 2, (digit + 0.5) * pitch)
        ImageDraw.Draw(strip).text(place, str(digit), 255, font, anchor="mm", stroke_width=bold)
    return np.asarray(strip)


def _filmed(stills: Iterable[Pixels], count: int, rng: np.random.Generator, hand: bool) -> Iterator[Pixels]:
    """Yields each still as a hand-held camera sees it; in the second third a hand may move across."""
    shake = _smooth(rng, count, 3) * (5.0, 5.0, 0.4)  # pixels, pixels, degrees
    focus = np.abs(_smooth(rng, count, 1)[:, 0]) * 1.2  # standard deviation of the blur, pixels
    light = 1 + 0.04 * _smooth(rng, count, 1)[:, 0]
    noise = rng.uniform(2, 8)  # standard deviation, grey levels
    speckles = rng.normal(0, noise, (4, SIZE[1], SIZE[0], 1)).astype(np.float32)
    start, end = rng.uniform(0, SIZE[0], 2)
    for number, still in enumerate(stills):
        x, y, angle = shake[number]
        view = cv2.getRotationMatrix2D((still.shape[1] / 2, still.shape[0] / 2), angle, 1)
        view[:, 2] += np.clip((x, y), -MARGIN, MARGIN) - MARGIN
        frame = cv2.warpAffine(still, view, SIZE, borderMode=cv2.BORDER_REPLICATE)
        along = (3 * number - count) / count  # 0 to 1 while the hand is there
        if hand and 0 < along < 1:
            reach = SIZE[1] * (1 - 1.1 * np.sin(np.pi * along))
            frame = _with_hand(frame, start + (end - start) * along, reach)
        if focus[number] > 0.3:
            frame = cv2.GaussianBlur(frame, (0, 0), focus[number])
        speckle = np.roll(speckles[rng.integers(4)], tuple(rng.integers(0, 700, 2)), (0, 1))
        yield np.clip(frame * light[number] + speckle, 0, 255).astype(np.uint8)


def _smooth(rng: np.random.Generator, count: int, columns: int) -> npt.NDArray[np.float64]:
    """(count, columns) random walks without steps: mean 0, standard deviation 1."""
    waves = [cv2.GaussianBlur(rng.normal(size=(count + 60, 1)), (1, 61), 6)[30:-30, 0] for _ in range(columns)]
    return np.stack([wave / wave.std() for wave in waves], 1)


def _with_hand(frame: Pixels, x: float, y: float) -> Pixels:
    """A forearm from below and a fist, soft-edged, whose top is at (x, y)."""
    mask = np.zeros(frame.shape[:2], np.uint8)
    centre = (int(x), int(y) + 130)
    cv2.line(mask, centre, (int(x) + 120, SIZE[1] + 200), 255, 130)
    cv2.ellipse(mask, centre, (100, 130), 15, 0, 360, 255, -1)
    for finger in range(4):
        cv2.line(
            mask,
            (centre[0] - 60 + 40 * finger, centre[1] - 60),
            (centre[0] - 70 + 42 * finger, centre[1] - 130),
            255,
            34,
        )
    share = cv2.GaussianBlur(mask, (0, 0), 4)[:, :, None] / np.float32(255)
    return (frame * (1 - share) + np.float32((200, 150, 120)) * share).astype(np.uint8)
