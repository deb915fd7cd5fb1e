"""Counters: digits on wheels behind windows, each wheel at a turn of its own.

    look = random_look(rng, fonts)
    wheel = draw_wheel(look, digit=4, turn=0.5, height=20, rng=rng)   # half way from 4 to 5
    wheel.ink                                                         # (H, W) the window
    wheel.seen                                                        # ((4, 0.41), (5, 0.38)): how much of each is seen

A wheel is a drum with ten digits. Its middle is near the window; what is above and below turns away, so that digits
there are flattened and darker. All lengths of a look are in digit heights.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.glyphs import Font, Glyph
from digitocr.train.synthesis.strokes import Bytes, Reals

_DIGITS = 10  # on a drum
_NEAR = 0.15  # turns; most wheels stand as near to a digit as that
_TRIES = 8  # fonts, to find one whose digits are all as high
_UNEVEN = 0.12  # digit heights; of two digits that count as equally high
_NEIGHBOURS = (-1, 0, 1, 2)  # digits on the drum around the one that was passed last


class Look(NamedTuple):
    """How a counter looks.

    Attributes:
        digits: The glyphs of 0 to 9.
        window: Width and height of the window.
        pitch: From a digit to the next one on the drum.
        wide: The digits' width, as a factor.
        below: Whether the next digit comes from below; from above otherwise.
        shade: How much darker the drum is at the window's upper and lower edge, 0 to 1.
        frame: Thickness of the window's frame.
        framed: Brightness of the frame, 0 to 255.
        teeth: Width of the teeth at the right side; 0 for none.
        toothed: Brightness of the teeth, 0 to 255.
        space: Between two windows; at 0 they are one.
        drum: Brightness of the drum, 0 to 255; the digits are 255.
        case: Brightness of what is around the windows, 0 to 255.
    """

    digits: tuple[Glyph, ...]
    window: tuple[float, float]
    pitch: float
    wide: float
    below: bool
    shade: float
    frame: float
    framed: int
    teeth: float
    toothed: int
    space: float
    drum: int
    case: int


class Wheel(NamedTuple):
    """One window as it is seen.

    Attributes:
        ink: (H, W) uint8, the drum with its digits, frame and teeth.
        seen: For each digit of which something is seen its value and the share of its height in the window, the
            uppermost first.
        left: From the ink's left edge to the digits' middle, pixels.
        top: Row of the upper edge of a digit that stands straight, pixels.
    """

    ink: Bytes
    seen: tuple[tuple[int, float], ...]
    left: float
    top: float


def random_look(rng: Generator, fonts: Sequence[Font]) -> Look:
    """A random counter with the digits of one of the fonts, of which there is at least one."""
    for _ in range(_TRIES):
        font = fonts[int(rng.integers(len(fonts)))]
        digits = tuple(font.glyph(str(digit)) for digit in range(_DIGITS))
        if all(abs(glyph.top + 1) < _UNEVEN and abs(glyph.height - 1) < _UNEVEN for glyph in digits):
            break
    broadest, wide = max(glyph.width for glyph in digits), float(np.exp(rng.normal(0, 0.12)))
    framed = rng.random() < 0.7
    drum = int(rng.uniform(0, 70))
    return Look(
        digits=digits,
        window=(broadest * wide + float(rng.uniform(0.08, 0.5)), float(rng.uniform(1.15, 2.1))),
        pitch=float(rng.uniform(1.2, 1.9)),
        wide=wide,
        below=bool(rng.random() < 0.7),
        shade=float(rng.uniform(0.1, 0.9)),
        frame=float(rng.uniform(0.02, 0.14)) if framed else 0.0,
        framed=int(rng.integers(0, 256)),
        teeth=float(rng.uniform(0.08, 0.22)) if rng.random() < 0.25 else 0.0,
        toothed=int(rng.integers(60, 256)),
        space=float(rng.choice([0.0, rng.uniform(0.02, 0.12), rng.uniform(0.1, 0.5)], p=[0.3, 0.4, 0.3])),
        drum=drum,
        case=drum if rng.random() < 0.5 else int(rng.integers(0, 256)),
    )


def random_turns(count: int, rng: Generator) -> Reals:
    """(count,) the turn of each wheel of a counter, 0 to 1: most near a digit, the last anywhere."""
    turns = np.clip(rng.normal(0, _NEAR / 2, count), -_NEAR, _NEAR)
    turns[-1] = rng.uniform(-_NEAR, 1 - _NEAR) if rng.random() < 0.7 else turns[-1]
    if rng.random() < 0.15:  # the last but one is taken along
        turns[-2:] = rng.uniform(-_NEAR, 1 - _NEAR)
    return turns


def draw_wheel(look: Look, digit: int, turn: float, height: float, rng: Generator) -> Wheel:
    """One window.

    Args:
        look: The counter.
        digit: 0 to 9, the digit that stands in the window at turn 0.
        turn: -0.5 to 1; at 1 the next digit stands in the window.
        height: Of a digit, in pixels.
        rng: Determines where the teeth are.
    """
    wide, high = (max(4, round(length * height)) for length in look.window)
    radius = look.pitch * _DIGITS / (2 * np.pi)  # of the drum
    drum = _unrolled(look, digit, height, wide)
    # rows of the window as heights above and below its middle, and how far these are along the drum
    rows = (np.arange(high) + 0.5 - high / 2) / height
    angle = np.arcsin(np.clip(rows / radius, -0.999, 0.999))
    moved = turn if look.below else -turn
    along = (angle * radius + moved * look.pitch + _middle(look)) * height
    at = np.clip(along - 0.5, 0, len(drum) - 1.001)
    upper = at.astype(int)
    share = (at - upper)[:, None]
    face = drum[upper] * (1 - share) + drum[upper + 1] * share
    light = np.cos(angle)
    light = 1 - look.shade * (1 - (light - light.min()) / max(1 - light.min(), 1e-6)) * 0.8
    face = face * light[:, None]
    if look.teeth:
        _add_teeth(face, look, height, moved, rng)
    if look.frame:
        thick = max(1, round(look.frame * height))
        cv2.rectangle(face, (0, 0), (wide - 1, high - 1), float(look.framed), thick)
    ink = np.clip(face, 0, 255).astype(np.uint8)
    return Wheel(ink, _seen(look, digit, moved, radius), wide / 2, high / 2 - height / 2)


def _middle(look: Look) -> float:
    """Where the digit of turn 0 has its middle on the unrolled drum, in digit heights."""
    return (-_NEIGHBOURS[0] if look.below else _NEIGHBOURS[-1]) * look.pitch + look.pitch / 2


def _unrolled(look: Look, digit: int, height: float, wide: int) -> Reals:
    """(h, wide) float64 of the drum's face around a digit, unrolled: the neighbours one below the other."""
    face = np.full((int(np.ceil(len(_NEIGHBOURS) * look.pitch * height)) + 1, wide), float(look.drum))
    order = _NEIGHBOURS if look.below else _NEIGHBOURS[::-1]
    for place, step in enumerate(order):
        glyph = look.digits[(digit + step) % _DIGITS]
        w, h = max(1, round(glyph.width * look.wide * height)), max(1, round(glyph.height * height))
        w = min(w, wide)
        ink = cv2.resize(glyph.ink, (w, h), interpolation=cv2.INTER_AREA) / 255
        left = (wide - w) // 2
        # a digit of unit height has its middle in the middle of its place; one of another height its foot
        top = round(((place + 0.5) * look.pitch + 0.5 + glyph.top) * height)
        cut = ink[max(0, -top) : len(face) - top]
        part = face[max(0, top) : max(0, top) + len(cut), left : left + w]
        part += (255 - part) * cut
    return face


def _add_teeth(face: Reals, look: Look, height: float, moved: float, rng: Generator) -> None:
    """Adds the teeth of the drum at the right side, which move with it."""
    wide, step = max(2, round(look.teeth * height)), max(3.0, look.pitch * height / 5)
    first = (-moved * look.pitch * height + rng.uniform(0, 1)) % step
    for y in np.arange(first - step, len(face), step):
        top, bottom = max(0, round(y)), max(0, round(y + step / 2))
        face[top:bottom, -wide:] = look.toothed


def _seen(look: Look, digit: int, moved: float, radius: float) -> tuple[tuple[int, float], ...]:
    """The digits in the window from above, each with the share of its height that is seen."""
    half = look.window[1] / 2 - look.frame
    reach = float(np.arcsin(min(half / radius, 0.999))) * radius  # of the window along the drum, up and down
    order = _NEIGHBOURS if look.below else _NEIGHBOURS[::-1]
    seen = []
    for step in order:
        middle = (step if look.below else -step) * look.pitch - moved * look.pitch
        share = min(middle + 0.5, reach) - max(middle - 0.5, -reach)
        if share > 0:
            seen.append(((digit + step) % _DIGITS, float(min(share, 1.0))))
    return tuple(seen)
