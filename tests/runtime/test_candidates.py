import pickle

import numpy as np

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.candidates import Candidate, Mark, Span, strips_of
from digitocr.runtime.reading import Box
from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, DIGIT, OTHER, SIGN, WORD, Segment
from digitocr.runtime.strips import Place, ReadStrip


def candidate(image=0, **changes):
    fields = {"box": Box(1, 2, 3, 4), "score": 0.5, "probabilities": (0.25, 0.75), "confidence": 0.9, "kept": True}
    return Candidate(**{**fields, "image": np.full((28, 28), image, np.uint8), "why": "", **changes})


def test_equal_candidates_hash_alike_and_pass_between_processes():
    again = pickle.loads(pickle.dumps(candidate()))
    assert again == candidate()
    assert len({again, candidate()}) == 1


def test_the_content_makes_candidates_differ_and_no_image():
    assert candidate(image=1) == candidate(image=2)
    assert candidate(kept=False) != candidate()


def test_repr_of_a_candidate_is_one_line():
    assert repr(candidate()) == (
        "Candidate(box=Box(x=1, y=2, w=3, h=4), score=0.5, probabilities=(0.25, 0.75), confidence=0.9, kept=True, "
        "why='', begins='')"
    )


def segment(left, right, text, share, kind):
    """Columns in which the text is seen with that share; the rest of it is of a letter."""
    probabilities = np.zeros(CLASS_COUNT, np.float32)
    probabilities[OTHER] = 1 - share
    probabilities[CLASSES.index(text) if text else OTHER] = share
    return Segment(left, right, probabilities, kind, share)


def test_a_strip_has_what_is_read_and_the_candidates_in_its_pixels():
    boxes = np.array([[40, 90, 20, 20], [10, 92, 12, 16], [20, 10, 9, 9]], np.float32)  # the last is on another line
    place = Place(5, 100, 1.0, 0.0, 0.5, 160, (1, 0))
    marks = [
        segment(3, 14, "0", 0.25, DIGIT),
        segment(15, 16, ".", 0.25, SIGN),
        segment(16, 18, "/", 0.25, SIGN),
        segment(20, 40, "9", 0.75, DIGIT),
        segment(41, 60, "", 0.5, WORD),
    ]
    one = np.ones(3, np.float32)
    images = np.zeros((3, 28, 28), np.uint8)
    read = ReadStrip(place, np.zeros((32, 160), np.uint8), marks)
    attempt = Attempt(0, boxes, one, images, np.ones((3, 10), np.float32), one, strips=(read,))
    (strip,) = strips_of(attempt, [0, 2, 1])
    assert strip.marks == (
        Mark("0", 6, 28, 0.25),
        Mark(".", 30, 32, 0.25),
        Mark("/", 32, 36, 0.25),
        Mark("9", 40, 80, 0.75),
        Mark("*", 82, 120, 0.5),
    )
    assert strip.spans == (Span(2, 10.0, 34.0), Span(0, 70.0, 110.0))
