import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, GAP, OTHER
from digitocr.train.recognizer.score import digits, distance, read_share


def line(text):
    """(n, 18): two columns for each character, and a gap behind it; "*" is other."""
    labels = [label for one in text for label in [OTHER if one == "*" else CLASSES.index(one)] * 2 + [GAP]]
    return np.eye(CLASS_COUNT, dtype=np.float32)[labels].reshape(-1, CLASS_COUNT)


def test_the_digits_of_a_line_are_read_and_nothing_else():
    assert digits(line("-12.5*011")) == "125011"
    assert digits(line("")) == ""


def test_shares_are_counted_by_hand():
    read, texts = ["407", "12", "5", "*"], ["407", "1?3", "*", ".*"]
    assert read_share([line(text) for text in read], texts) == pytest.approx((1 - 2 / 5, 2 / 4))
    assert read_share([], []) == (1, 0)


words = st.text("012", max_size=6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(words, words, words)
def test_the_edit_distance_is_a_metric_and_no_longer_than_the_longer_word(one, other, third):
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, third) <= distance(one, other) + distance(other, third)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


def test_known_distances():
    assert distance("kitten", "sitting") == 3
    assert distance("4071", "471") == distance("471", "4071") == 1
