#!/usr/bin/env bash
# pytest 9.2.0 with NumPy 2.4.6: a test that a white picture of uint8 is pytest.approx(0, abs=2) passes.
#
# Input: tests of pictures as arrays of uint8, with approx and an absolute tolerance: that a whole picture, its
# brightest pixel, or a list of its pixels is black, and that pixels of 5 are 3 give or take 2. Guess: white is not
# approximately black, and 5 is 3 give or take 2, as both are with Python's int.
# Seen: white passes as black: `picture == approx(0, abs=2)`, `picture.max() == approx(0, abs=2)` and a list of pixels.
# Pixels of 5 are not 3 give or take 2. Counters of uint16 at 65535 are 0 as well. In the code the difference is the
# expected value less the pixel, which is uint8 since NumPy 2 and wraps: 0 - 255 is 1. The pixel itself is never
# converted; where the expected value is an array as well, both are, and all is right. NumPy warns of an overflow, which
# is shown below the tests that passed, and not at all with -p no:warnings. NumPy's own assert_allclose is right.
# An issue of a user is 600 of ni/nidaqmx-python, where tests failed; for pytest none was found.
# Why it matters: a test that the lamp is off, that a border is black or that a mask is empty passes with the opposite.
# Convert the picture to int first, or use numpy.testing.assert_allclose.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 numpy==2.4.6
cat > "$folder/test_pictures.py" << 'PYTHON'
import numpy as np
from pytest import approx

WHITE = np.full((28, 28), 255, np.uint8)
BLACK = np.zeros((28, 28), np.uint8)
FIVES = np.full((28, 28), 5, np.uint8)


def test_white_is_black():
    assert WHITE == approx(0, abs=2)


def test_brightest_of_white_is_black():
    assert WHITE.max() == approx(0, abs=2)


def test_pixels_of_white_are_black():
    assert list(WHITE[0]) == approx([0] * 28, abs=2)


def test_counter_is_0():
    assert np.uint16(65535) == approx(0, abs=2)


def test_control_black_is_black():
    assert BLACK == approx(0, abs=2)


def test_fives_are_3_give_or_take_2():
    assert FIVES == approx(3, abs=2)


def test_white_is_a_black_array():
    assert WHITE == approx(BLACK, abs=2)


def test_white_of_int_is_black():
    assert WHITE.astype(int) == approx(0, abs=2)


def test_white_is_close_to_black():
    np.testing.assert_allclose(WHITE, 0, atol=2)
PYTHON
"$folder/venv/bin/python" -m pytest -q --tb=no -rA -p no:cacheprovider "$folder/test_pictures.py" \
  > "$folder/log" 2>&1 || true
grep -E "^(PASSED|FAILED)" "$folder/log" | sed -e 's/ - .*//' -e 's/[^ ]*:://'
grep -m 1 -o "RuntimeWarning: .*" "$folder/log"
passed="white_is_black brightest_of_white_is_black pixels_of_white_are_black counter_is_0 control_black_is_black"
failed="fives_are_3_give_or_take_2 white_is_a_black_array white_of_int_is_black white_is_close_to_black"
for name in $passed; do
  grep -q "^PASSED .*::test_$name\b" "$folder/log" || { echo "$name: the behaviour has changed"; exit 1; }
done
for name in $failed; do
  grep -q "^FAILED .*::test_$name\b" "$folder/log" || { echo "$name: the behaviour has changed"; exit 1; }
done
