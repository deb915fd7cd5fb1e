import math

import jinja2
import pytest

from digitocr.train.paper.rendering import between, difference, p_value, percent, render
from digitocr.train.paper.statistics import paired

RESULTS = {
    "plan": {"space": "<paper>", "sampler": "tpe", "epochs": 6},
    "trials": [],
}
CONTEXT = {"results": RESULTS, "counts": {"complete": 0, "pruned": 0, "fail": 0}, "front": [], "smallest": []}


def test_numbers_are_printed_with_what_is_known_of_them() -> None:
    assert percent((99.314, 99.25, 99.371)) == "99.31 % (99.25 to 99.37)"
    assert percent((99.314, math.nan, math.nan)) == "99.31 %"
    assert (between((98.9, 99.1)), between((math.nan, math.nan))) == ("98.90 to 99.10", "unknown")
    assert [p_value(p) for p in (0.0004, 0.0123, 1.0, None)] == ["< 0.001", "0.012", "1.000", "none"]
    assert difference(paired("", [2, 3, 5], [1, 1, 1])) == "+2.333 points (-1.461 to +6.128)"
    assert difference(paired("", [2, 3], [3, 4], "images")) == "-1.000 images"


def test_both_forms_have_the_same_text_and_html_is_escaped() -> None:
    made = render("search.j2", CONTEXT, {"size": "<svg/>", "products": "<svg/>"}, None)
    assert "Space: <paper>; sampler: tpe." in made.markdown
    assert "Space: &lt;paper&gt;; sampler: tpe." in made.html
    assert "](figures/size.svg)" in made.markdown
    assert 'src="data:image/svg+xml;base64,' in made.html
    assert "\n\n\n" not in made.markdown


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'results' is undefined"):
        render("search.j2", {}, {}, None)
