"""Drawn sets: bars whose height says the digit, so that labels can be told from the pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest


def bar(label: int, number: int = 0) -> Any:
    """A (28, 28) picture in MNIST's form; others for each label, 0 to 10, and number, below 1000."""
    image = np.zeros((28, 28), np.uint8)
    image[4 + label : 8 + label, 5 : 10 + number % 10] = 255
    image[22:24, 4 : 4 + number // 10 % 10 + 1] = 200
    image[25, 4 : 4 + number // 100 + 1] = 150
    return image


@pytest.fixture
def write() -> Callable[..., str]:
    """A function that writes a picture to a path and returns the path."""

    def to(path: Path, image: Any) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image)
        return str(path)

    return to


@pytest.fixture
def folder(tmp_path: Path, write: Callable[..., str]) -> Path:
    """A folder for each class, with 6 pictures each."""
    for label in range(10):
        for number in range(6):
            write(tmp_path / "digits" / str(label) / f"{number}.png", bar(label, number))
    return tmp_path / "digits"


@pytest.fixture
def draw() -> Callable[..., Any]:
    """The function bar."""
    return bar
