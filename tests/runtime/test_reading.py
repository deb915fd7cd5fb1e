import json
from dataclasses import FrozenInstanceError

import pytest

from digitocr.runtime.reading import Box, Digit, Line, Reading


def digit(value, confidence):
    return Digit(value, confidence, Box(1, 2, 3, 4), ((value, confidence), (9, 1 - confidence)))


READING = Reading(
    (Line((digit(4, 0.75), digit(0, 0.5))), Line((digit(1, 0.875),))), {"find": 1.25}, {"name": "n", "sha256": "s"}
)
EMPTY = Reading((), {}, {})


def test_text_digits_and_confidence():
    assert READING.text == "40\n1"
    assert [one.digit for one in READING.digits] == [4, 0, 1]
    assert READING.confidence == 0.5
    assert (EMPTY.text, EMPTY.digits, EMPTY.confidence) == ("", (), 0.0)


def test_to_dict_is_the_documented_object():
    assert json.loads(json.dumps(READING.to_dict())) == {
        "text": "40\n1",
        "confidence": 0.5,
        "turned": 0,
        "lines": [
            {
                "text": "40",
                "digits": [
                    {"digit": 4, "confidence": 0.75, "box": [1, 2, 3, 4], "topk": [[4, 0.75], [9, 0.25]]},
                    {"digit": 0, "confidence": 0.5, "box": [1, 2, 3, 4], "topk": [[0, 0.5], [9, 0.5]]},
                ],
            },
            {
                "text": "1",
                "digits": [{"digit": 1, "confidence": 0.875, "box": [1, 2, 3, 4], "topk": [[1, 0.875], [9, 0.125]]}],
            },
        ],
        "ms": {"find": 1.25},
        "model": {"name": "n", "sha256": "s"},
    }


def test_a_reading_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        READING.lines = ()
