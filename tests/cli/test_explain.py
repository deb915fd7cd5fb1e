import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from digitocr.cli.explain import MAX_STRIPS, PICTURE_SIDE, explained
from digitocr.runtime.candidates import Candidate, Mark, Span, Strip
from digitocr.runtime.reading import Box, Digit, Line, ModelId, Number, Reading, Timing
from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, OTHER

SEEN = np.arange(784, dtype=np.uint8).reshape(28, 28)
BOX = Box(30, 50, 20, 40)
MODEL = ModelId("digitocr-int8", "75e2dbde5656ec95")
FOUR = Number("4", (Digit(4, 0.9, BOX, ((4, 0.9), (9, 0.1))),), 0.9)
READING = Reading((Line((FOUR,)),), Timing(1.25, 2.0, 0.5), MODEL)


LINE_IMAGE = np.arange(32 * 120).astype(np.uint8).reshape(32, 120)


def candidate(kept, why="", box=BOX, found=0.8, classes=10, lined=None, begins=""):
    """A region that looks like a 4. lined: the class that its line shows there; None for a region on no line."""
    probabilities = [0.0] * classes
    probabilities[4], probabilities[9] = 0.9, 0.1
    seen = () if lined is None else tuple(0.75 if label == lined else 0.25 / 17 for label in range(CLASS_COUNT))
    return Candidate(box, found, SEEN, tuple(probabilities), 0.9, kept, why, seen, begins)


def strip(*marks, spans=()):
    return Strip(LINE_IMAGE, marks, spans)


class Elements(HTMLParser):
    """All elements of a page as (tag, attributes); fails where one is left open."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open, self.text, self.titles = [], [], "", []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if self.open and self.open[-1] not in ("style", "title") else ""
        self.titles += [data] if self.open and self.open[-1] == "title" else []

    def all(self, tag, **wanted):
        return [
            attributes
            for one, attributes in self.found
            if one == tag and all(attributes.get(name) == value for name, value in wanted.items())
        ]


def picture(size):
    return Image.new("RGB", size, (200, 180, 160))


def page_of(*candidates, name="a.png", reading=READING, size=(100, 200), strips=()):
    return Elements(explained(name, picture(size), reading, candidates, strips).decode())


def decoded(source):
    kind, data = re.fullmatch(r"data:image/(\w+);base64,(.*)", source).groups()
    opened = Image.open(io.BytesIO(base64.b64decode(data)))
    assert opened.format.lower() == kind
    return opened


def test_the_picture_is_within_the_page_with_a_box_for_each_region():
    rejected = candidate(False, "looks like no digit (0.93)", Box(60, 20, 30, 35))
    page = page_of(rejected, candidate(True))
    (svg,), (shown,) = page.all("svg"), page.all("image")
    assert svg["viewbox"] == "0 0 100 200"
    assert decoded(shown["href"]).size == (100, 200)
    *boxes, frame = [tuple(float(box[side]) for side in ("x", "y", "width", "height")) for box in page.all("rect")]
    assert boxes == [(60, 20, 30, 35), (30, 50, 20, 40)]  # what was read is drawn over what was not
    assert frame[0] < 30
    assert frame[0] + frame[2] > 30 + 20
    assert "4 90%" in page.text
    assert "looks like no digit (0.93)" in page.text
    assert "2 regions: 1 read, 1 left out for other reasons" in page.text


def test_a_region_and_its_row_lead_to_each_other():
    page = page_of(candidate(True), candidate(False, "below --conf 0.95", found=0.1), candidate(False, "why"))
    for number, state in ((1, "kept"), (2, "rejected"), (3, "rejected")):
        assert page.all("a", id=f"b{number}", href=f"#r{number}")[0]["class"] == state
        assert page.all("tr", id=f"r{number}")[0]["class"] == state
        assert page.all("a", href=f"#b{number}")
    labels = sorted(one["aria-label"] for one in page.all("a") if one.get("id"))
    assert labels == ["Region 1: 4 90%", "Region 2: why", "Region 3: below --conf 0.95"]  # what was surest found first


def test_a_row_shows_what_the_classifier_got_and_gave():
    page = page_of(candidate(True, classes=11))
    (crop,), (seen,) = page.all("img", **{"class": "crop"}), page.all("img", **{"class": "seen"})
    assert np.array_equal(np.asarray(decoded(seen["src"])), SEEN)
    assert decoded(crop["src"]).size == (30, 50)  # the box with some margin
    heights = [one["style"] for one in page.all("i")]
    assert heights == ["height:0.0%"] * 4 + ["height:90.0%"] + ["height:0.0%"] * 4 + ["height:10.0%", "height:0.0%"]
    assert "4 0.900, 9 0.100" in page.text
    assert "stands for “no digit”" in page.text
    assert "stands for “no digit”" not in page_of(candidate(True)).text


BEYOND = [(140, 50, 9, 9), (30, 260, 9, 9), (-30, 50, 9, 9), (30, -30, 9, 9), (-30, -30, 300, 300)]


@pytest.mark.parametrize("box", BEYOND)
def test_a_region_beyond_the_edge_has_a_row(box):
    page = page_of(candidate(False, "below --conf 0.5", Box(*box)))
    (crop,) = page.all("img", **{"class": "crop"})
    assert min(decoded(crop["src"]).size) >= 1


def test_a_picture_that_was_turned_shows_its_regions_turned():
    turned = Reading(READING.lines, READING.ms, MODEL, turned=90)
    page = page_of(candidate(True), reading=turned)
    (crop,) = page.all("img", **{"class": "crop"})
    assert decoded(crop["src"]).size == (50, 30)
    assert "turned by 90° clockwise before it was read" in page.text


def test_where_nothing_was_read_the_page_says_why():
    page = page_of(reading=Reading((), Timing(), MODEL, why="nothing in it looks like a digit"))
    assert "Nothing was read: nothing in it looks like a digit." in page.text
    assert not page.all("table")


def test_a_large_picture_is_made_smaller_and_its_boxes_stay_in_its_pixels():
    page = page_of(candidate(True, box=Box(3000, 100, 200, 300)), size=(3200, 800))
    assert decoded(page.all("image")[0]["href"]).size == (PICTURE_SIDE, 400)
    assert page.all("svg")[0]["viewbox"] == "0 0 3200 800"
    assert page.all("rect")[0]["x"] == "3000"


ROW = [Box(left, 50, 20, 40) for left in (10, 40, 70)]
TOPK = ((6, 0.5), (7, 0.3), (1, 0.1))
DOUBTFUL = Reading(
    (
        Line(
            (
                Number("1.?", (Digit(1, 0.9, ROW[0], TOPK), Digit(None, 0.4, ROW[1], TOPK)), 0.0),
                Number("4", (Digit(4, 0.9, ROW[2], TOPK),), 0.8),
            )
        ),
    ),
    model=MODEL,
)
REGIONS = (
    candidate(True, box=ROW[0], lined=1),
    candidate(True, box=ROW[1], lined=7),
    candidate(True, box=ROW[2], begins="the gap before it is 1.2 digit heights"),
    candidate(False, "is a letter", Box(1, 1, 2, 2), lined=OTHER),
    candidate(False, "is the sign . in its line (0.75)", Box(5, 1, 2, 2), lined=CLASSES.index(".")),
    candidate(False, "below --conf 0.5", Box(9, 1, 2, 2), 0.05, lined=3),
)


def test_numbers_have_their_confidence_the_digit_in_doubt_and_why_they_are_split_off():
    page = page_of(*REGIONS, reading=DOUBTFUL)
    assert "1.?0.000? is 6 or 7" in page.text
    assert "40.8004 0.900the gap before it is 1.2 digit heights" in page.text
    assert "a digit, but which cannot be told: 6 or 7" in page.text
    assert len(page.all("g", **{"class": "number"})) == 2


def test_regions_are_told_apart_by_why_they_are_left_out():
    page = page_of(*REGIONS, reading=DOUBTFUL)
    states = [one["class"] for number in range(1, 7) for one in page.all("tr", id=f"r{number}")]
    assert states == ["kept", "doubt", "kept", "rejected", "other", "other"]
    assert "6 regions: 2 read, 1 cannot be told, 2 letters, signs or nothing, 1 left out for other reasons" in page.text
    assert "in its line: letter or other sign 0.75" in page.text
    assert page.text.count("found by the line reader alone") == 1


def test_what_is_in_no_number_that_was_asked_for_says_so():
    page = page_of(candidate(True), reading=Reading((), model=MODEL, why="no number has 5 digits"))
    assert page.all("tr", id="r1")[0]["class"] == "rejected"
    assert "its number is not of the form that was asked for" in page.text


def test_a_line_is_shown_with_what_is_read_there_and_what_became_of_it():
    spans = tuple(Span(place, 20.0 * place, 20.0 * place + 12) for place in range(6))
    marks = (Mark("1", 0, 12, 0.9), Mark(".", 14, 18, 0.5), Mark("*", 60, 90, 0.75))
    page = page_of(*REGIONS, reading=DOUBTFUL, strips=[strip(*marks, spans=spans)])
    *_, image = page.all("image")
    assert np.array_equal(np.asarray(decoded(image["href"])), LINE_IMAGE)
    assert page.all("svg", **{"aria-label": "Line: 1 . *"})
    (words,) = page.all("rect", **{"class": "words"})
    assert (words["x"], words["width"]) == ("60", "30")
    assert "a letter, a word or another sign (0.75)" in page.titles
    links = [one["href"] for one in page.all("a") if one["href"].startswith("#r") and "id" not in one]
    assert sorted(links) == [f"#r{number}" for number in range(1, 7)]
    assert [one["d"].split()[0] for one in page.all("path", **{"class": "brace"})] == ["M0.0", "M40.0"]


def test_a_line_without_a_region_is_shown_if_anything_is_read_in_it():
    nothing = Reading((), model=MODEL, why="nothing in it looks like a digit")
    assert page_of(reading=nothing, strips=[strip(Mark("*", 4, 30, 0.9))]).all("svg", **{"aria-label": "Line: *"})
    assert "Lines" not in page_of(reading=nothing, strips=[strip()]).text


def test_lines_are_in_the_order_of_their_regions_and_only_the_first_are_shown():
    boxes = [Box(2 * place, 0, 2, 2) for place in range(MAX_STRIPS + 2)]
    regions = [candidate(False, "why", box, 1 - place / 100) for place, box in enumerate(boxes)]
    strips = [strip(Mark(str(place % 10), 2, 9, 1), spans=(Span(place, 2, 9),)) for place in range(len(boxes))]
    page = page_of(*regions, strips=[*strips[:MAX_STRIPS][::-1], *strips[MAX_STRIPS:]])
    labels = [one["aria-label"] for one in page.all("svg")][1:]
    assert labels == [f"Line: {place % 10}" for place in range(MAX_STRIPS)]
    assert "2 lines with smaller or fewer digits are not shown" in page.text
    assert "not shown" not in page_of(*regions, strips=strips[:MAX_STRIPS]).text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.png", 'a"b&c$name.png', "new\nline.png", "\udcff.png"])
def test_a_name_of_any_kind_is_text(name):
    page = page_of(candidate(True), name=name)
    assert not page.all("script")
    assert name.replace("\n", "\\n").replace("\udcff", "\\udcff") in page.text


def test_a_page_needs_nothing_from_elsewhere_and_no_script():
    seen = strip(Mark("4", 40, 60, 0.9), spans=(Span(0, 40, 60),))
    raw = explained("a.png", picture((50, 60)), READING, [candidate(True)], [seen]).decode()
    assert "://" not in raw
    assert "<script" not in raw
    assert "prefers-color-scheme: dark" in raw
