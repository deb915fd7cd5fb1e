"""The drawn videos of the live benchmark."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def _sequences() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "sequences.py"
    spec = importlib.util.spec_from_file_location("sequences", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sequences"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


sequences = _sequences()


@pytest.mark.parametrize(
    ("value", "wheels"),
    [
        (4812.0, [0, 4, 8, 1, 2]),
        (4812.25, [0, 4, 8, 1, 2.25]),
        (4819.5, [0, 4, 8, 1.5, 9.5]),
        (9999.75, [0.75, 9.75, 9.75, 9.75, 9.75]),
        (199.25, [0, 0, 1.25, 9.25, 9.25]),
    ],
)
def test_a_wheel_is_taken_along_while_the_lower_ones_turn_from_9_to_0(value, wheels):
    assert sequences.positions(value, 5) == wheels


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(0, 99_999))
def test_a_whole_number_stands_on_the_wheels(number):
    assert sequences.positions(float(number), 5) == [int(digit) for digit in f"{number:05d}"]


def test_a_counter_shows_a_number_only_while_its_last_wheel_is_near_a_digit():
    counter = sequences.random_counter(np.random.default_rng(0))
    start = 10 ** (counter.wheels - 1) - 1  # 0999
    values = [start + share for share in (0, 0.34, 0.36, 0.64, 0.66, 1)]
    shown = replace(counter, values=tuple(values)).shown
    before, after = f"{start:0{counter.wheels}d}", f"{start + 1:0{counter.wheels}d}"
    assert shown == [before, before, "", "", after, after]


@pytest.mark.parametrize("seed", range(2))
def test_a_seed_always_gives_the_same_frames_and_they_move(seed):
    def first_two():
        rng = np.random.default_rng(seed)
        counter = sequences.random_counter(rng)
        assert len(counter.shown) == sequences.COUNTED
        frames = counter.frames(rng)
        return next(frames), next(frames)

    first, second = first_two()
    assert (first.shape, first.dtype) == ((720, 1280, 3), np.uint8)
    assert (first != second).any()
    assert (first == first_two()[0]).all()


def test_between_two_digits_the_middle_of_a_wheel_is_empty():
    counter = sequences.random_counter(np.random.default_rng(1))
    still = replace(counter, inks=((255, 255, 255),) * counter.wheels, wheel=(0, 0, 0))
    middle = sequences.SIZE[1] // 2 + sequences.MARGIN
    left = (sequences.SIZE[0] + still.wheels * still.width) // 2 + sequences.MARGIN - still.width  # of the last wheel

    def ink(value):
        """How many pixels of ink there are in the last wheel's middle rows."""
        rows = slice(middle - still.height // 8, middle + still.height // 8)
        return (still.drawn(value)[rows, left:, 0] > 200).sum()

    assert ink(8.0) > 0
    assert ink(8.5) == 0
