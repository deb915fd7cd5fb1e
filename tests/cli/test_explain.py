import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from digitocr.cli.explain import PICTURE_SIDE, explained
from digitocr.runtime.reading import Box, Candidate, Digit, Line, ModelId, Number, Reading, Timing

SEEN = np.arange(784, dtype=np.uint8).reshape(28, 28)
BOX = Box(30, 50, 20, 40)
MODEL = ModelId("digitocr-int8", "75e2dbde5656ec95")
FOUR = Number("4", (Digit(4, 0.9, BOX, ((4, 0.9), (9, 0.1))),), 0.9)
READING = Reading((Line((FOUR,)),), Timing(1.25, 2.0, 0.5), MODEL)


def candidate(kept, why="", box=BOX, found=0.8, classes=10):
    probabilities = [0.0] * classes
    probabilities[4], probabilities[9] = 0.9, 0.1
    return Candidate(box, found, SEEN, tuple(probabilities), 0.9, kept, why)


class Elements(HTMLParser):
    """All elements of a page as (tag, attributes); fails where one is left open."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open, self.text = [], [], ""
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
        self.text += data if self.open and self.open[-1] != "style" else ""

    def all(self, tag, **wanted):
        return [
            attributes
            for one, attributes in self.found
            if one == tag and all(attributes.get(name) == value for name, value in wanted.items())
        ]


def picture(size):
    return Image.new("RGB", size, (200, 180, 160))


def page_of(*candidates, name="a.png", reading=READING, size=(100, 200)):
    return Elements(explained(name, picture(size), reading, candidates).decode())


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
    boxes = [tuple(int(box[side]) for side in ("x", "y", "width", "height")) for box in page.all("rect")]
    assert boxes == [(30, 50, 20, 40), (60, 20, 30, 35)]
    assert "4 90%" in page.text
    assert "looks like no digit (0.93)" in page.text
    assert "1 kept, 1 rejected of 2 regions" in page.text


def test_a_region_and_its_row_lead_to_each_other():
    page = page_of(candidate(True), candidate(False, "below --conf 0.95", found=0.1), candidate(False, "why"))
    for number, state in ((1, "kept"), (2, "rejected"), (3, "rejected")):
        assert page.all("a", id=f"b{number}", href=f"#r{number}")[0]["class"] == state
        assert page.all("tr", id=f"r{number}")[0]["class"] == state
        assert page.all("a", href=f"#b{number}")
    labels = [one["aria-label"] for one in page.all("a") if one.get("id")]
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


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.png", 'a"b&c$name.png', "new\nline.png", "\udcff.png"])
def test_a_name_of_any_kind_is_text(name):
    page = page_of(candidate(True), name=name)
    assert not page.all("script")
    assert name.replace("\n", "\\n").replace("\udcff", "\\udcff") in page.text


def test_a_page_needs_nothing_from_elsewhere_and_no_script():
    raw = explained("a.png", picture((50, 60)), READING, [candidate(True)]).decode()
    assert "://" not in raw
    assert "<script" not in raw
    assert "prefers-color-scheme: dark" in raw
