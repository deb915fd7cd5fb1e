"""Drawn videos of a page under a camera that shakes, loses focus and is noisy, while a hand passes over the page.

    for frame in frames(page(rng), rng): ...      # (H, W, 3) uint8 RGB

The hand moves over the page in the second third of the frames.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from digitocr.train.synthesis.pages import Page, draw_page, random_style

SIZE = (1280, 720)  # width and height of a frame
MARGIN = 40  # pixels by which the page is larger on each side, so that the camera can shake
FRAMES = 75  # of a sequence, 2.5 seconds

Pixels = npt.NDArray[np.uint8]


def page(rng: np.random.Generator) -> Page:
    """Two lines of four digits, in any hand, on any paper."""
    digits = "".join(map(str, rng.integers(0, 10, 8)))
    size = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
    return draw_page([digits[:4], digits[4:]], rng, random_style(rng, size))


def frames(scene: Page, rng: np.random.Generator, count: int = FRAMES) -> Iterator[Pixels]:
    """Yields the page as a hand-held camera sees it. In the second third of the frames a hand moves across it."""
    still = scene.image
    shake = _smooth(rng, count, 3) * (5.0, 5.0, 0.4)  # pixels, pixels, degrees
    focus = np.abs(_smooth(rng, count, 1)[:, 0]) * 1.2  # standard deviation of the blur, pixels
    light = 1 + 0.04 * _smooth(rng, count, 1)[:, 0]
    noise = rng.uniform(2, 8)  # standard deviation, grey levels
    speckles = rng.normal(0, noise, (4, SIZE[1], SIZE[0], 1)).astype(np.float32)
    start, end = rng.uniform(0, SIZE[0], 2)
    for number in range(count):
        x, y, angle = shake[number]
        view = cv2.getRotationMatrix2D((still.shape[1] / 2, still.shape[0] / 2), angle, 1)
        view[:, 2] += np.clip((x, y), -MARGIN, MARGIN) - MARGIN
        frame = cv2.warpAffine(still, view, SIZE, borderMode=cv2.BORDER_REPLICATE)
        along = (3 * number - count) / count  # 0 to 1 while the hand is there
        if 0 < along < 1:
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
