import math
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import get_data_path
from PIL import ImageFont

from digitocr.runtime.characters import DOUBT, OTHER, SIGNS, Character
from digitocr.runtime.numbers import FEATURES, grouped, why_apart

HEIGHT = 24.0  # pixels of the digits
FACES = ["DejaVuSans", "DejaVuSerif", "DejaVuSansMono"]  # proportional signs and a narrow 1; one room for all


@cache
def font(face):
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"), 40)


def printed(text, face="DejaVuSans"):
    """The characters of a printed text; letters are OTHER."""
    found, x = [], 0.0
    for character in text:
        if character != " ":
            mask, (left, top) = font(face).getmask2(character, mode="L", anchor="ls")
            inner = mask.getbbox()
            box = (x + left + inner[0], top + inner[1], inner[2] - inner[0], inner[3] - inner[1])
            known = character if character in f"0123456789{DOUBT}{SIGNS}" else OTHER
            found.append(Character(known, tuple(map(float, box)), 0.9, len(found)))
        x += font(face).getlength(character)
    return found


def spaced(text, *gaps, width=14.0):
    """Characters with gaps between them in digit heights, the last one again and again; a 1 and signs are narrow."""
    found, x = [], 0.0
    for place, character in enumerate(text):
        wide = width if character not in f"1{SIGNS}|" else 4.0
        known = OTHER if character == "|" else character
        found.append(Character(known, (x, 0.0, wide, HEIGHT), 0.9, place))
        x += wide + HEIGHT * gaps[min(place, len(gaps) - 1)]
    return found


def sized(text, *heights):
    """Digits of these heights in pixels, close to each other."""
    found, x = [], 0.0
    for place, (character, height) in enumerate(zip(text, heights, strict=True)):
        found.append(Character(character, (x, 0.0, 0.6 * height, height), 0.9, place))
        x += 0.75 * height
    return found


def cells(text, pitch):
    """Digits with their centres at even distances, in digit heights."""
    return [
        Character(one, (HEIGHT * pitch * place - width / 2, 0.0, width, HEIGHT), 0.9, place)
        for place, one in enumerate(text)
        for width in (4.0 if one == "1" else 14.0,)
    ]


def texts(characters):
    return " ".join(group.text for group in grouped(characters))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    "text",
    [
        "7",
        "4831 0762 9415",
        "1 250 14 3",
        "111 111",
        "1711",
        "14.09",
        "-12.5",
        "1,250",
        "15/08/2026 09:41",
        "20:16",
        "16/9",
        "15-08-2026",
        "2026-08-15 20:16",
        "192.168.0.1",
        "+49 170 1111",
        "00372?1",
    ],
)
def test_print_is_grouped_as_it_is_written(text, face):
    assert texts(printed(text, face)) == text


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ""),
        ("kg", ""),
        ("12 kg", "12"),
        ("a12b3", "12 3"),
        ("(12)", "12"),
        (".5", "5"),
        ("12.", "12"),
        ("12..3", "12 3"),
        ("1. 250", "1 250"),
        ("189-82", "189 82"),
        ("x=-3", "-3"),
        ("1-2-3", "1 2 3"),
        ("978-3-16-148410-0", "978 3 16 148410 0"),
        ("3+4", "3 4"),
        ("- 5", "5"),
    ],
)
def test_what_belongs_to_no_number_is_left_out(text, numbers):
    assert texts(printed(text)) == numbers


@pytest.mark.parametrize("text", ["4 - 2 / 3", "16 : 9", "3 + 4"])
def test_signs_with_space_around_them_are_between_numbers(text):
    assert texts(printed(text, "DejaVuSansMono")) == "".join(one for one in text if one not in "-/:+").replace(
        "  ", " "
    )


def test_a_minus_is_one_only_where_a_space_or_nothing_is_in_front():
    assert texts(spaced("5-3", 0.6, 0.1)) == "5 -3"
    assert texts(spaced("5-3", 0.1, 0.1)) == "5 3"
    assert texts(spaced("5-3", 0.6, 0.6)) == "5 3"
    assert texts(spaced("-3", 0.1)) == "-3"
    assert texts(spaced("5+3", 0.6, 0.1)) == "5 3"


@pytest.mark.parametrize("pitch", [0.7, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("text", ["176289", "111", "10112"])
def test_evenly_spaced_digits_are_one_number(text, pitch):
    assert texts(cells(text, pitch)) == text


def test_an_empty_cell_is_between_two_numbers():
    assert texts([one for place, one in enumerate(cells("1762894", 1.5)) if place != 3]) == "176 894"


def test_digits_far_apart_are_numbers_of_their_own():
    assert texts(cells("1234", 4)) == "1 2 3 4"
    assert texts(spaced("42", 1.2)) == "4 2"


def test_uneven_gaps_by_hand_are_no_spaces():
    heights = [24.0, 20.0, 27.0, 22.0, 25.0]
    uneven = [
        one._replace(box=(*one.box[:3], height))
        for one, height in zip(spaced("48307", 0.1, 0.35, 0.0, 0.2), heights, strict=True)
    ]
    assert texts(uneven) == "48307"


def test_digits_that_touch_or_lie_over_each_other_are_one_number():
    assert texts(spaced("4830", 0.0, -0.2, 0.05)) == "4830"


def test_cells_with_rules_between_them_are_one_number_and_columns_of_a_table_are_not():
    assert texts(spaced("7|6|2|8", 0.3)) == "7628"
    assert texts(spaced("7|6|2|8", 0.3, 0.3, 0.9, 0.9, 0.3)) == "7 6 2 8"
    assert texts(spaced("7|6", 0.3)) == "7 6"
    assert texts(spaced("7|25|3", 0.3, 0.3, 0.1, 0.3)) == "7 25 3"


def test_what_lies_on_a_digit_separates_nothing():
    digits = spaced("407", 0.1)
    on = Character(OTHER, (digits[1].box[0] + 2.0, 0.0, 6.0, HEIGHT), 0.9, -1)
    beside = Character(OTHER, (digits[1].box[0] - 2.0, 0.0, 1.0, HEIGHT), 0.9, -1)
    assert [(group.text, group.places) for group in grouped([digits[0], on, *digits[1:]])] == [("407", (0, 2, 3))]
    assert texts([digits[0], beside, *digits[1:]]) == "4 07"


ANY = st.lists(
    st.tuples(
        st.sampled_from(f"0123456789{DOUBT}{SIGNS}{OTHER}"),
        st.floats(-0.5, 3, width=32),  # from the last one, in pixels / 16
        st.integers(1, 20),
        st.integers(8, 30),
        st.floats(0, 1),
    ),
    max_size=12,
)


def line(drawn):
    found, x = [], 0.0
    for place, (text, gap, width, height, confidence) in enumerate(drawn):
        x += 16 * round(4 * gap) / 4
        found.append(Character(text, (x, 0.0, float(width), float(height)), confidence, place))
        x += width
    return found


@settings(derandomize=True, deadline=None, max_examples=60)
@given(ANY)
def test_each_digit_is_in_one_number_and_all_keep_their_order(drawn):
    characters = line(drawn)
    groups = grouped(characters)
    assert [place for group in groups for place in group.places] == [
        place for place, one in enumerate(characters) if one.is_place
    ]
    for group in groups:
        digits = "".join(characters[place].text for place in group.places)
        assert "".join(one for one in group.text if one not in SIGNS) == digits
        assert group.text[-1] not in SIGNS
        assert not any(one in SIGNS and other in SIGNS for one, other in zip(group.text, group.text[1:], strict=False))
        assert len(group.features) == len(FEATURES)
        assert all(map(math.isfinite, group.features))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(ANY, st.sampled_from([0.25, 0.5, 2.0, 8.0]), st.sampled_from([-64.0, 0.0, 256.0]))
def test_size_and_place_of_a_line_change_nothing(drawn, scale, shift):
    characters = line(drawn)
    moved = [
        one._replace(
            box=(scale * one.box[0] + shift, scale * one.box[1] + shift, scale * one.box[2], scale * one.box[3])
        )
        for one in characters
    ]
    assert grouped(moved) == grouped(characters)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(ANY, ANY)
def test_nothing_is_joined_across_a_word(left, right):
    first = line(left)
    end = max([one.box[0] + one.box[2] for one in first], default=0.0)
    word = Character(OTHER, (end + 20.0, 0.0, 60.0, 20.0), 0.9, -1)
    after = [one._replace(box=(one.box[0] + end + 100.0, *one.box[1:])) for one in line(right)]
    for group in grouped([*first, word, *after]):
        assert group.places[-1] < len(first) or group.places[0] > len(first)


def test_the_features_tell_holes_and_what_touches_a_number():
    def feature(name, characters):
        return grouped(characters)[0].features[FEATURES.index(name)]

    assert feature("digits", printed("4071")) == 4
    assert feature("hole", printed("4071")) < 0.1
    holed = spaced("40786", 0.1, 0.1, 0.25, 0.1)
    assert feature("hole", holed) == pytest.approx(0.15, abs=0.02)
    assert [feature("touched", printed(text)) for text in ("12", "12k", "k12k", "12 k")] == [0, 1, 2, 0]
    assert [feature("near", printed(text)) for text in ("12", "12 345", "12     345")] == [0, 1, 0]
    sure = [one._replace(confidence=0.99) for one in printed("12")]
    assert feature("least", sure) == pytest.approx(math.log(0.99 / 0.01))
    assert feature("all", sure) == pytest.approx(math.log(0.99**2 / (1 - 0.99**2)))


@pytest.mark.parametrize(
    ("characters", "why"),
    [
        (spaced("12", 1.5), "the gap before it is 1.5 digit heights"),
        (spaced("1-2", 0.3), "the sign - before it belongs to no number"),
        (spaced("1|2", 0.3), "a letter or another sign stands before it"),
        (spaced("1-|2", 0.3), "a letter or another sign stands before it"),
        (sized("12", 40, 8), "it is 0.2 times as high as the digit before it"),
    ],
)
def test_why_two_digits_are_of_two_numbers(characters, why):
    assert why_apart(characters, 0, len(characters) - 1) == why


@pytest.mark.parametrize(
    ("characters", "numbers"),
    [
        (sized("105135", 40, 40, 40, 5, 5, 5), "105 135"),
        (sized("13512", 5, 5, 5, 40, 40), "135 12"),
        (sized("1459", 40, 40, 40, 18), "1459"),  # the last digit of a price at a petrol station
    ],
)
def test_digits_of_other_sizes_are_of_other_numbers(characters, numbers):
    assert texts(characters) == numbers


def test_what_is_seen_where_there_is_no_room_for_a_letter_separates_nothing():
    framed = spaced("0|0391", 0.1, 0.1, 0.37)  # the frame of a wheel, between digits at the usual distance
    assert texts(framed) == "00391"
    assert texts(spaced("00|391", 0.37, 0.45, 0.45, 0.37)) == "00 391"  # there is room for a letter
    assert texts(spaced("0|03", 0.1, 0.1, 0.37)) == "0 03"  # too few digits to know their distance


def test_a_mark_on_a_digit_does_not_change_what_stands_between_others():
    plain = spaced("0-0391", 0.1, 0.1, 0.37)
    x, y, w, h = plain[0].box
    marked = [plain[0], Character(OTHER, (x + w / 2, y, 1.0, h), 0.9, -1), *plain[1:]]
    assert texts(marked) == texts(plain) == "0 0391"


def segment_cells(text, pitch=0.8, width=12.0):
    """Digits of seven segments, whose 1 stands at the right of its cell."""
    return [
        Character(one, (HEIGHT * pitch * place + width - wide, 0.0, wide, HEIGHT), 0.9, place)
        for place, one in enumerate(text)
        for wide in (3.0 if one == "1" else width,)
    ]


@pytest.mark.parametrize("text", ["71158", "19021310", "84157", "2913540"])
def test_the_1_of_seven_segments_is_no_space(text):
    assert texts(segment_cells(text)) == text


def test_gaps_beside_a_narrow_1_by_hand_are_not_compared_with_a_single_wide_one():
    digits, x = [], 0.0
    for place, (one, width, gap) in enumerate(zip("1781", (3.0, 12.0, 13.0, 3.0), (9.0, 14.0, 8.5, 0.0), strict=True)):
        digits.append(Character(one, (x, 0.0, width, HEIGHT), 0.9, place))
        x += width + gap
    assert texts(digits) == "1781"


def test_a_minus_that_begins_a_line_may_stand_farther_from_its_number():
    assert texts(spaced("-8", 0.42)) == "-8"
    assert texts(spaced("5-8", 1.0, 0.42)) == "5 8"
    assert texts(spaced("-8", 0.7)) == "8"


def test_slashes_of_a_date_by_hand_may_stand_farther_from_its_digits():
    gaps = (0.15, 0.6, 0.65)
    assert texts(spaced("79/85/99", *gaps, *gaps, 0.15)) == "79/85/99"
    assert texts(spaced("79/85", *gaps, 0.15)) == "79 85"
    assert texts(spaced("79/85/99", *gaps, 0.15, 0.9, 0.9, 0.15)) == "79 85 99"
    assert texts(spaced("79/85/99", 0.15, 0.2, 0.2, 0.15, 0.6, 0.6, 0.15)) == "79/85/99"


def framed(text):
    """Digits at even distances, with each colon in the gap between two."""
    digits = cells("".join(one for one in text if one != ":"), 1.0)
    ends = [(left.box[0] + left.box[2] + right.box[0]) / 2 for left, right in pairwise(digits)]
    counts = [sum(one != ":" for one in text[:place]) for place, one in enumerate(text) if one == ":"]
    colons = [Character(":", (ends[count - 1] - 1.0, 0.0, 2.0, HEIGHT), 0.9, -1) for count in counts]
    return sorted([*digits, *colons], key=lambda one: one.box[0] + one.box[2] / 2)


def test_colons_between_wheels_are_no_signs_but_those_of_a_time_are():
    assert texts(framed("7:6795:02")) == "7679502"
    assert texts(framed("02:546")) == "02546"
    assert texts(framed("20:46")) == "20:46"
    assert texts(framed("20:46:53")) == "20:46:53"
    assert texts(printed("1920:1080", "DejaVuSansMono")) == "1920:1080"
