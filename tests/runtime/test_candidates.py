import pickle

import numpy as np

from digitocr.runtime.candidates import Candidate
from digitocr.runtime.reading import Box


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
