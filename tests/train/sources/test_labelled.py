import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.background import shadeless
from digitocr.runtime.preprocessing import images
from digitocr.train.idx import TEST, TRAIN
from digitocr.train.sources.labelled import NONE, Gathered, digit_image, is_bright, label_of, part_of


@pytest.mark.parametrize(
    ("value", "label"),
    [
        *(("7", 7), (0, 0), (" 3 ", 3), ("none", NONE), ("No digit", NONE), (10, NONE)),
        *(("7.0", 7), (0.0, 0), ("10.0", NONE)),
        *((wrong, None) for wrong in ("11", "-1", "", None, "x", "²", "\u0663", True, 7.5, ".0", "7.", float("nan"))),
    ],
)
def test_labels(value, label):
    assert label_of(value) == label


def test_parts():
    assert [part_of(word) for word in ("train", "Validation", "TEST", "", None)] == [TRAIN, TRAIN, TEST, "", ""]
    assert part_of("holdout") is None


def test_a_picture_in_mnist_s_form_stays_as_it_is(draw):
    assert np.array_equal(digit_image(draw(3)), draw(3))
    assert np.array_equal(digit_image(255 - draw(3)), draw(3))
    assert is_bright(draw(3))
    assert not is_bright(255 - draw(3))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(29, 90), st.integers(20, 90), st.integers(30, 220), st.sampled_from([-1, 1]), st.floats(0.2, 0.9))
def test_a_picture_of_any_size_and_polarity_becomes_what_the_reader_sees_in_the_box_of_its_ink(
    height, width, level, sign, share
):
    gray = np.full((height, width), level, np.uint8)
    ink = level + sign * (level - 1 if sign < 0 else 255 - level)
    high, wide = max(2, int(height * share * 0.6)), max(2, int(width * share * 0.4))
    top, left = (height - high) // 2, (width - wide) // 2
    gray[top : top + high, left : left + wide] = ink
    made = digit_image(gray)
    box = np.array([[left, top, wide, high]], np.float32)
    assert np.array_equal(made, images(shadeless(gray, box), box)[0])
    assert made.max() == 255


def test_what_is_added_is_what_comes_out(draw):
    gathered = Gathered("here")
    gathered.add(draw(3), 3, "a", "meter", TEST)
    gathered.add(255 - draw(NONE), NONE, "b")
    gathered.trouble("unreadable", "c", "is damaged")
    labelled = gathered.labelled()
    assert np.array_equal(labelled.images, [draw(3), draw(NONE)])
    assert labelled.labels.tolist() == [3, NONE]
    assert (labelled.names, labelled.groups, labelled.parts) == (["a", "b"], ["meter", ""], [TEST, ""])
    assert labelled.sizes == {(28, 28): 2}
    assert labelled.bright == 1
    assert [str(trouble) for trouble in labelled.troubles] == ["c: is damaged"]
    second = labelled.only(np.array([1]))
    assert (second.labels.tolist(), second.names, len(second)) == ([NONE], ["b"], 1)


def test_nothing_is_an_empty_set():
    assert len(Gathered("here").labelled()) == 0
