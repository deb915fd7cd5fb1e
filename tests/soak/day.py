"""A day of `digitocr webcam` in minutes: a meter in front of a camera that sends as fast as frames are taken.

    row = day(frames=2_160_000, seed=0)
    row["lost"], row["invented"], row["growth"]      # 0, 0, 0.4 MB

All is the command's own but the camera and the networks: what these would read comes from the seed. Numbers hold for
some seconds and rise by 1 to 3; while they turn, a digit cannot be told; some frames are read wrong, or show nothing
since somebody stands there.
"""

import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from digitocr.cli.live import webcam
from digitocr.cli.live.heartbeat import HEARTBEAT_SCHEMA
from digitocr.cli.live.settings import WebcamSettings
from digitocr.runtime.live import video
from digitocr.runtime.live.capture import Frame
from digitocr.runtime.live.frames import checked
from digitocr.runtime.reading import Box, Digit, Line, Number, Reading

FPS = 25
DAY = 24 * 3600 * FPS  # frames
HOLDS = (60, 200)  # frames for which a number stays
TURNS = 6  # frames in which the last digit cannot be told
WRONG = 0.01  # share of frames that are read wrong
HIDDEN = 0.02  # share of the numbers before which somebody hides the meter, for less time than it is remembered
SETTLED = 0.2  # share of the frames after which no more memory should be taken
KEPT = 20  # doubtful frames at most


class Meter:
    """The numbers of a meter, frame by frame.

    Attributes:
        shown: Every number that it has shown so far.
    """

    def __init__(self, frames: int, seed: int) -> None:
        self.shown: list[str] = []
        self._rng = random.Random(seed)
        self._frames, self._left, self._value = frames, frames, 12_345

    def readings(self) -> Iterator[Reading]:
        """What is read in each frame."""
        rng = self._rng
        while self._left > HOLDS[1] + 100:
            text = f"{self._value:08}"
            self.shown.append(text)
            right, turning = _reading(text), _reading(f"{text[:-1]}?")
            holds = rng.randint(*HOLDS)
            if rng.random() < HIDDEN:
                yield from self._taken([Reading(())] * rng.randint(1, 30))
            yield from self._taken([turning] * TURNS)
            yield from self._taken([self._misread(text) if rng.random() < WRONG else right for _ in range(holds)])
            self._value += rng.randint(1, 3)
        yield from self._taken([right] * self._left)

    def _taken(self, readings: list[Reading]) -> list[Reading]:
        self._left -= len(readings)
        return readings

    def _misread(self, text: str) -> Reading:
        place = self._rng.randrange(len(text))
        return _reading(text[:place] + self._rng.choice("0123456789") + text[place + 1 :], 0.75)


def _reading(text: str, confidence: float = 0.98) -> Reading:
    digits = tuple(
        Digit(None if char == "?" else int(char), confidence, Box(20 * place, 20, 16, 30), ())
        for place, char in enumerate(text)
    )
    return Reading((Line((Number(text, digits, 0.0 if "?" in text else confidence),)),))


class _Reader:
    """Stands for the networks."""

    def __init__(self, readings: Iterator[Reading]) -> None:
        self._readings = readings

    def read(self, _: Any) -> Reading:
        return next(self._readings)


class _Grabber:
    """Stands for the thread that reads a camera: gives a picture at once, and another one now and then."""

    live, continuous, fps, size = False, False, float(FPS), (64, 48)
    lost = note = ""

    def __init__(self, frames: int) -> None:
        rng = np.random.default_rng(0)
        self._pictures = [checked(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), "day") for _ in range(7)]
        self._frames, self._index = frames, 0

    @property
    def ended(self) -> bool:
        return self._index == self._frames

    def next(self, _: float) -> Frame:
        index, self._index = self._index, self._index + 1
        return Frame(index, index / FPS, self._pictures[index // 1000 % 7], time.perf_counter())

    def close(self) -> None:
        """There is nothing to close."""


class _Lines(io.TextIOBase):
    """Takes what the command prints, and keeps little of it."""

    def __init__(self, frames: int) -> None:
        self.announced: list[str] = []
        self.beats = self.began = 0
        self._settled = SETTLED * frames

    def write(self, text: str) -> int:
        if text.strip():
            row = json.loads(text)
            if row["schema"] == HEARTBEAT_SCHEMA:
                self.beats += 1
            else:
                self.announced.append(row["lines"][0]["text"])
                if not self.began and row["frame"] > self._settled:
                    self.began = _memory()
        return len(text)


def _memory() -> int:
    """What this process has in memory, in kilobytes."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0])


def day(frames: int, seed: int) -> dict[str, float]:
    """Watches so many frames.

    Returns:
        frames; announced: how many numbers were printed; lost: of those that were shown; invented: which were not, or
        came again; growth: megabytes, from SETTLED of the frames to the end; kept: doubtful frames; beats; seconds.
    """
    meter, lines, out = Meter(frames, seed), _Lines(frames), sys.stdout
    readings = meter.readings()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, patch.object(webcam, "Reader", lambda *_, **__: _Reader(readings)):
        with patch.object(video, "Grabber", lambda *_, **__: _Grabber(frames)):
            sys.stdout = lines  # type: ignore[assignment]  # not all of a TextIO is used
            try:
                webcam.run(settings(Path(folder, "kept")))
            finally:
                sys.stdout = out
        kept = len(list(Path(folder, "kept").iterdir()))
    after = _memory()
    shown, announced = set(meter.shown), set(lines.announced)
    return {
        "frames": frames,
        "announced": len(lines.announced),
        "lost": len(shown - announced),
        "invented": len(announced - shown) + len(lines.announced) - len(announced),
        "growth": round((after - (lines.began or after)) / 1000, 1),
        "kept": kept,
        "beats": lines.beats,
        "seconds": round(time.monotonic() - began, 1),
    }


def settings(kept: Path) -> WebcamSettings:
    """The options of the command: a meter of eight digits that rises, JSON, heartbeats, doubtful frames kept."""
    return WebcamSettings(
        source="0", view="none", host="", port=0, model=None, detector=None, recognizer=None, mode="auto",
        conf=0.5, rotate="0", every=1, roi="", expect="", digits=8, rising=10, jsonl=True, all_frames=False, once=False,
        max_seconds=0, record=None, force=False, mirror=False, width=0, height=0, fps=0, reconnect=10, heartbeat=1,
        keep_doubtful=kept, keep_below=0.8, keep_most=KEPT, quiet=True,
    )  # fmt: skip
