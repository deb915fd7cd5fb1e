"""Confidence: of the readings with a confidence of 0.8, eight in ten are right.

    model = load_confidence()
    model.of_candidates(boxes, scores, digits)  # (n,) float32, 0 to 1
    model.of_lone(0.98)                         # 0.97
    model.of_number(group)                      # 0.95, of numbers.Group

The log-odds of a right reading are a weighted sum of confidence_features (J. Platt, "Probabilistic outputs for support
vector machines", 1999). The weights are fitted to two networks by train/classifier/calibrate.py and lie in
models/confidence.json.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime import lines, numbers
from digitocr.runtime.boxes import Boxes, Scores
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import CONFIDENCE, shipped_model
from digitocr.runtime.numbers import Group
from digitocr.runtime.recognizer import OTHER

Features: TypeAlias = npt.NDArray[np.float32]  # (n, 15), columns as in FEATURES

CONFIDENCE_SCHEMA = "digitocr-confidence/2"
FEATURES = (
    "detector",  # log-odds of the detector's score
    "digit",  # log-odds of the digit's probability
    "detector x digit",  # a sure reading counts for little where the detector found hardly anything
    "neighbour",  # the best score of a neighbour on the line
    "neighbour of a zero",  # holes and rings stand alone, zeros rarely do
    *(f"digit {digit}" for digit in range(10)),  # 1 for the digit that is read; some are misread more often than others
)
CHARACTER_FEATURES = (
    "candidate",  # log-odds of the confidence without the recognizer
    "digit",  # log-odds of the classifier's probability of the digit that both networks together find likeliest
    "line digit",  # log-odds of the recognizer's probability of that digit
    "line place",  # log-odds of the recognizer's probability of any digit
    "no digit",  # log-odds of the classifier's probability of no digit
    "found",  # 1 where the detector has found it
    "found x line place",  # a place that the detector has not found is judged by the line alone
    "least",  # the least of candidate, line digit and line place: all of them have to be sure
    "line other",  # log-odds of the recognizer's probability of a letter or another sign
    "line sign",  # log-odds of the recognizer's probability of a sign
    "other beside",  # the share of letters and other signs right beside it
    "digit beside",  # the probability of a digit right beside it
    "agreement",  # 1 where both networks find the same digit likeliest
    "alone",  # near 1 where the picture shows no other character, near 0 where it does
    "alone x height",  # a mark that fills a picture by itself is meant as a digit, a speck on a blank page is not
    "digits elsewhere",  # logarithm of the number of other digits in the picture
    "others elsewhere",  # as before, of letters and other signs
    *(f"digit {digit}" for digit in range(10)),  # 1 for the digit that is read
)
LONE_FEATURES = ("digit", "constant")  # log-odds of the digit's probability, and 1
ELSEWHERE = 0.5  # added to a number of characters before its logarithm is taken
MAX_CERTAINTY = 0.99  # probabilities are limited to this and to 1 minus this; their log-odds stay finite
MAX_LONE_CERTAINTY = 0.99999  # as MAX_CERTAINTY, for pictures of one digit


@dataclass(frozen=True, eq=False)
class ConfidenceModel:
    """The fitted weights of the confidence, and the networks that they belong to.

    Attributes:
        classifier: The models.network_id of the classifier that they were fitted to.
        detector: The models.network_id of the detector.
        recognizer: The models.network_id of the recognizer.
        weights: (15,) float32, of FEATURES.
        right_weights: (27,) float32, of CHARACTER_FEATURES: that a digit stands there and is read right.
        place_weights: (27,) float32, of CHARACTER_FEATURES: that a digit stands there.
        lone_weights: Two numbers, of LONE_FEATURES: for pictures of one digit that the detector does not look at.
        number_weights: One for each of numbers.FEATURES: that a whole number is right.
        calibration_error: The expected calibration error on what the weights were not fitted on, by its name.
    """

    classifier: str
    detector: str
    recognizer: str
    weights: npt.NDArray[np.float32]
    right_weights: npt.NDArray[np.float32]
    place_weights: npt.NDArray[np.float32]
    lone_weights: tuple[float, float]
    number_weights: tuple[float, ...]
    calibration_error: dict[str, float]

    @property
    def networks(self) -> tuple[str, str, str]:
        """The networks that the weights were fitted to: classifier, detector, recognizer."""
        return self.classifier, self.detector, self.recognizer

    def of_candidates(self, boxes: Boxes, scores: Scores, digits: Probabilities) -> Scores:
        """(n,) confidences: of (n, 4) boxes, the detector's (n,) scores, and (n, 10) probabilities of the digits."""
        log_odds = confidence_features(boxes, scores, digits) @ self.weights.astype(np.float64)
        return np.asarray(1 / (1 + np.exp(-log_odds)), np.float32)

    def of_characters(self, features: Features) -> tuple[Scores, Scores]:
        """(n,) confidences in the digits, and (n,) that a digit stands there, of (n, 27) character_features."""
        weights = np.stack([self.right_weights, self.place_weights], 1, dtype=np.float64)
        right, place = (1 / (1 + np.exp(-(features @ weights)))).T
        return right.astype(np.float32), np.maximum(right, place).astype(np.float32)

    def of_lone(self, probability: float) -> float:
        """The confidence in a picture of one digit, from the network's probability of that digit, 0 to 1."""
        slope, constant = self.lone_weights
        return 1 / (1 + math.exp(-(slope * lone_log_odds(probability) + constant)))

    def of_number(self, group: Group) -> float:
        """The confidence that all of a number is right: its digits, its signs, and where it begins and ends.

        It is 0 where a digit cannot be told.
        """
        if DOUBT in group.text:
            return 0.0
        weighted = zip(self.number_weights, group.features, strict=True)
        return 1 / (1 + math.exp(-sum(weight * feature for weight, feature in weighted)))

    def as_json(self) -> str:
        """The content of a file that load_confidence reads."""
        content = {
            "schema": CONFIDENCE_SCHEMA,
            "networks": {
                "classifier": self.classifier,
                "detector": self.detector,
                "recognizer": self.recognizer,
            },
            "weights": dict(zip(FEATURES, (round(weight, 4) for weight in self.weights.tolist()), strict=True)),
            "characters": {
                kind: dict(zip(CHARACTER_FEATURES, (round(weight, 4) for weight in weights.tolist()), strict=True))
                for kind, weights in (("right", self.right_weights), ("place", self.place_weights))
            },
            "lone": dict(zip(LONE_FEATURES, (round(weight, 4) for weight in self.lone_weights), strict=True)),
            "number": dict(zip(numbers.FEATURES, (round(weight, 4) for weight in self.number_weights), strict=True)),
            "calibration error": {name: round(error, 4) for name, error in self.calibration_error.items()},
        }
        return json.dumps(content, indent=1) + "\n"


def character_features(
    candidates: Scores,
    is_found: npt.NDArray[np.bool_],
    classifier: Probabilities,
    recognizer: Probabilities,
    digits: Probabilities,
    beside: npt.NDArray[np.float32],
    elsewhere: npt.NDArray[np.float32],
    heights: npt.NDArray[np.float32],
) -> Features:
    """(n, 27) CHARACTER_FEATURES.

    Args:
        candidates: (n,) confidences of ConfidenceModel.of_candidates.
        is_found: (n,) whether the detector has found them.
        classifier: (n, 10 or 11) its probabilities.
        recognizer: (n, 18) its probabilities.
        digits: (n, 10 or 11) those of both together.
        beside: (n, 2) the shares of other writing and of digits right beside it.
        elsewhere: (n, 2) the numbers of digits and of other characters in the rest of the picture, 0 or more.
        heights: (n,) of their boxes, as a share of the picture's height.
    """
    rows, best = np.arange(len(digits)), digits[:, :10].argmax(1)
    none = 1 - classifier[:, :10].sum(1)
    place, sign = recognizer[:, :10].sum(1), recognizer[:, 10:OTHER].sum(1)
    shares = np.stack(
        [candidates, classifier[rows, best], recognizer[rows, best], place, none, recognizer[:, OTHER], sign]
    )
    shares = np.clip(shares.astype(np.float64), 1 - MAX_CERTAINTY, MAX_CERTAINTY)
    candidate, digit, line, place, none, other, sign = np.log(shares / (1 - shares))
    least = np.minimum(np.minimum(candidate, line), place)
    agreement = classifier[:, :10].argmax(1) == recognizer[:, :10].argmax(1)
    alone = np.exp(-elsewhere.sum(1))
    picture = [alone, alone * np.minimum(heights, 1), np.log(elsewhere + ELSEWHERE)]
    columns = [candidate, digit, line, place, none, is_found, is_found * place, least, other, sign, beside, agreement]
    columns += picture
    return np.column_stack([*columns, np.eye(10, dtype=np.float32)[best]]).astype(np.float32)


def lone_log_odds(probability: float) -> float:
    """The feature "digit" of LONE_FEATURES."""
    share = min(max(probability, 1 - MAX_LONE_CERTAINTY), MAX_LONE_CERTAINTY)
    return math.log(share / (1 - share))


def confidence_features(boxes: Boxes, scores: Scores, digits: Probabilities) -> Features:
    """(n, 15) FEATURES of (n, 4) boxes, the detector's (n,) scores and the (n, 10) probabilities of the digits."""
    best = digits.max(1, initial=0.0)
    shares = np.clip(np.stack([scores, best], dtype=np.float64), 1 - MAX_CERTAINTY, MAX_CERTAINTY)
    detector, digit = np.log(shares / (1 - shares))
    is_digit = np.eye(10, dtype=np.float32)[digits.argmax(1)]
    neighbour = lines.best_neighbour(boxes, scores * best)
    columns = [detector, digit, detector * digit, neighbour, neighbour * is_digit[:, 0], is_digit]
    return np.column_stack(columns).astype(np.float32)


def load_confidence(path: str | os.PathLike[str] | None = None) -> ConfidenceModel:
    """The weights of a file of calibrate.py, by default the shipped ones. Raises ModelError."""
    return _loaded(shipped_model(CONFIDENCE) if path is None else Path(path))


def _weights(content: dict[str, Any], names: Sequence[str]) -> npt.NDArray[np.float32]:
    return np.array([float(content[name]) for name in names], np.float32)


@lru_cache(maxsize=4)
def _loaded(path: Path) -> ConfidenceModel:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if content["schema"] != CONFIDENCE_SCHEMA:
            raise ModelError(
                f"{path}: has the schema {content['schema']}, not {CONFIDENCE_SCHEMA}; make it with this version"
            )
        return ConfidenceModel(
            str(content["networks"]["classifier"]),
            str(content["networks"]["detector"]),
            str(content["networks"]["recognizer"]),
            _weights(content["weights"], FEATURES),
            _weights(content["characters"]["right"], CHARACTER_FEATURES),
            _weights(content["characters"]["place"], CHARACTER_FEATURES),
            (float(content["lone"]["digit"]), float(content["lone"]["constant"])),
            tuple(float(content["number"][name]) for name in numbers.FEATURES),
            {name: float(error) for name, error in content["calibration error"].items()},
        )
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelError(
            f"{path}: is no file of confidence weights; make one with: "
            "python -m digitocr.train.classifier.calibrate --out confidence.json"
        ) from error
