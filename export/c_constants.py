"""The numbers that the C library shares with the Python files: digitocr_constants.h.

    text = constants(load_confidence())   # the header

Python owns them: a threshold that changes there, or weights that are fitted anew, are in the next header. Weights are
written for the names of the features, so that a new order of them needs no change of the C code.
"""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from digitocr.runtime import (
    attempt,
    background,
    boxes,
    characters,
    confidence,
    detector,
    levels,
    lines,
    numbers,
    orientation,
    preprocessing,
    reader,
    recognition,
    recognizer,
    resampling,
    strips,
)
from digitocr.runtime.confidence import ConfidenceModel

# of each file, the constants that reading.c uses: DG_LINES_MAX_LINK is lines.MAX_LINK
SHARED: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (
        attempt,
        ("MAX_RISE", "MIN_OTHER_HEIGHT", "EDGE", "SAME_PLACE", "READ_CONFIDENCE"),
    ),
    (
        background,
        (
            "MEDIAN_SIDE",
            "MEDIAN_WINDOW",
            "EVEN_LEVEL",
            "INK_SHARE",
            "BORDER_SHARE",
            "FRAMED_SIDE",
            "FRAMED_SHORTER",
            "FULL_SHARE",
            "EDGE_SHARE",
            "QUIET_SHARE",
            "CLOSE_UP",
        ),
    ),
    (boxes, ("MAX_DETECTIONS", "MIN_ASPECT", "MAX_IOU", "MAX_SHARE_OF_SMALLER")),
    (confidence, ("MAX_CERTAINTY", "MAX_LONE_CERTAINTY", "ELSEWHERE")),
    (
        detector,
        (
            "STRIDE",
            "COARSE",
            "MIDDLE",
            "FINE",
            "SURE_SCORE",
            "FINE_BELOW",
            "FEW_SMALL",
            "FINE_GAIN",
            "MIN_COARSE_SIDE",
            "MIN_MIDDLE_SIDE",
            "NORMAL_ASPECT",
            "TINY",
            "MOSTLY",
            "EMPTY_GAIN",
            "FINER_GAIN",
            "PIECE",
            "OVERLAP",
            "MULTIPLE",
            "MARGIN",
            "MIN_SCORE",
            "MAX_CELLS",
            "MAX_LOG_SIDE",
            "MIN_LOG_SIDE",
            "WINDOWS",
            "INK_QUANTILE",
            "INK_STEP",
            "MIN_SPREAD",
            "MAX_CONTRAST",
        ),
    ),
    (levels, ("MASK_RANGE",)),
    (
        lines,
        (
            "MIN_LINE_OVERLAP",
            "MAX_HEIGHT_RATIO",
            "MIN_NEIGHBOUR_OVERLAP",
            "MAX_NEIGHBOUR_GAP",
            "MAX_NEIGHBOUR_INTRUSION",
            "MAX_LINK",
            "MAX_LINK_SLOPE",
            "MAX_SLOPE_SPREAD",
        ),
    ),
    (
        numbers,
        (
            "ROOM",
            "NARROW",
            "ROOM_SHARES",
            "SPLIT_COST",
            "MORE_COST",
            "SHIFT_COST",
            "EVEN_SPREAD",
            "SPREAD_OF_HEIGHTS",
            "SPREAD_WEIGHT",
            "MAX_DEVIATION",
            "MIN_WIDE",
            "MIN_JUMP",
            "JUMP_OF_SPREAD",
            "FEW_GAPS",
            "MAX_GAP",
            "MAX_EVEN_GAP",
            "EVEN_RANGE",
            "TIGHT",
            "SIGN_GAP",
            "SLASH_GAP",
            "DATE_SLASH_GAP",
            "MINUS_GAP",
            "SIGN_PITCH",
            "OFF_MIDDLE",
            "RULE_WIDTH",
            "MIN_CELLS",
            "MAX_CELL",
            "CELL_RATIO",
            "MIN_CROWD",
            "MAX_CROWDED",
            "MAX_DATE_GROUP",
            "NEAR",
            "MAX_CERTAINTY",
        ),
    ),
    (
        orientation,
        (
            "MIN_DIGITS",
            "MIN_TILT",
            "MAX_GROWTH",
            "SURE_CONFIDENCE",
            "MANY_DIGITS",
            "SURE_OF_MANY",
            "SIDE_LOOK",
            "TURNED_CONFIDENCE",
            "MIN_GAIN",
            "ROUNDING",
        ),
    ),
    (
        preprocessing,
        (
            "DIGIT_SIDE",
            "POLARITY_MARGIN",
            "FULL_INK_QUANTILE",
            "MAX_LIT_SHARE",
            "BLANK_BELOW",
            "MIN_CONTRAST",
        ),
    ),
    (resampling, ("CUBIC_BITS", "PLACE_BITS", "FRACTION_BITS")),
    (reader, ("CROP_SCALES",)),
    (
        recognition,
        (
            "SEED_CONFIDENCE",
            "MAX_OFFSET",
            "HELD",
            "REACH",
            "SURE_OTHER",
            "USUAL_WIDTH",
            "BAND",
            "MAX_OFF",
            "MAX_HEIGHT",
            "MIN_HEIGHT",
            "CLEAR_DIGIT",
            "POSSIBLE_DIGIT",
            "SURE_PLACE",
            "UNSURE_DIGIT",
            "UNDECIDED",
            "NEW_SCORE",
            "SAME_SHARE",
            "FLOOR",
        ),
    ),
    (recognizer, ("SURE", "SLASH", "LOW", "HIGH", "MIN_CONTRAST", "WINDOW", "MIN_SPREAD", "MAX_SPREADS")),
    (
        strips,
        (
            "MAX_GAP",
            "MAX_HEIGHT_RATIO",
            "CONTEXT",
            "MAX_WIDTH",
            "MIN_SLOPE_BOXES",
            "LEVEL_SAMPLES",
            "MAX_RATIO",
            "MAX_SHIFT",
            "CLOSER",
            "SHRINK",
        ),
    ),
)


def constants(model: ConfidenceModel) -> str:
    """The content of digitocr_constants.h. model: the confidence for the networks that are exported."""
    made = ["/* Written by digitocr export: thresholds and weights of the Python files of that name. */"]
    made += ["#ifndef DIGITOCR_CONSTANTS_H", "#define DIGITOCR_CONSTANTS_H", ""]
    for module, names in SHARED:
        prefix = module.__name__.rsplit(".", 1)[-1].upper()
        made += [f"#define DG_{prefix}_{name} {_literal(getattr(module, name))}" for name in names]
    low, high = attempt.PART_HEIGHTS
    made += [
        f"#define DG_ATTEMPT_PART_HEIGHT_LOW {_literal(low)}",
        f"#define DG_ATTEMPT_PART_HEIGHT_HIGH {_literal(high)}",
        f"#define DG_ORIENTATION_COSINES {_literal([orientation.cos_sin(degrees)[0] for degrees in range(91)])}",
        "",
        "/* classes of a line's columns */",
        f'#define DG_CLASSES "{recognizer.CLASSES}"',
        f"#define DG_OTHER {recognizer.OTHER}",
        f"#define DG_GAP {recognizer.GAP}",
        f"#define DG_CLASS_COUNT {recognizer.CLASS_COUNT}",
        f"#define DG_KIND_DIGIT {recognizer.DIGIT}",
        f"#define DG_KIND_SIGN {recognizer.SIGN}",
        f"#define DG_KIND_OTHER {recognizer.WORD}",
        f"#define DG_KIND_GAP {recognizer.NOTHING}",
        f"#define DG_DOUBT '{characters.DOUBT}'",
        f"#define DG_OTHER_TEXT '{characters.OTHER}'",
        "",
        "/* pixels of a strip */",
        f"#define DG_STRIP_HEIGHT {recognizer.STRIP_HEIGHT}",
        f"#define DG_DIGIT_HEIGHT {recognizer.DIGIT_HEIGHT}",
        f"#define DG_COLUMN {recognizer.COLUMN}",
        f"#define DG_MULTIPLE {recognizer.MULTIPLE}",
        "",
        "/* the confidence: places of the features, and their weights */",
    ]
    made += _features("DG_CONFIDENCE", confidence.FEATURES)
    made += _features("DG_CHARACTER", confidence.CHARACTER_FEATURES)
    made += _features("DG_NUMBER", numbers.FEATURES)
    made += [
        f"#define DG_CONFIDENCE_WEIGHTS {_literal(_exact(model.weights))}",
        f"#define DG_CONFIDENCE_RIGHT_WEIGHTS {_literal(_exact(model.right_weights))}",
        f"#define DG_CONFIDENCE_PLACE_WEIGHTS {_literal(_exact(model.place_weights))}",
        f"#define DG_CONFIDENCE_LONE_WEIGHTS {_literal(model.lone_weights)}",
        f"#define DG_CONFIDENCE_NUMBER_WEIGHTS {_literal(model.number_weights)}",
        "",
        "#endif",
        "",
    ]
    return "\n".join(made)


def _features(prefix: str, names: Sequence[str]) -> list[str]:
    """How many features there are, and the place of each."""
    places = [
        f"#define {prefix}_{name.upper().replace(' ', '_')} {place}"
        for place, name in enumerate(names)
        if not name.startswith("digit ") or not name[6:].isdigit() or name == "digit 0"
    ]
    return [f"#define {prefix}_FEATURES {len(names)}", *places]


def _exact(weights: Iterable[np.float32]) -> tuple[float, ...]:
    return tuple(float(weight) for weight in weights)


def _literal(value: float | Sequence[Any]) -> str:
    """A number in C; several of them, or rows of them, as the initialiser of an array."""
    if isinstance(value, int | float):
        return repr(value)
    return "{" + ", ".join(map(_literal, value)) + "}"
