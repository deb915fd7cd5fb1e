import base64
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from digitocr.cli.drawing.page import PAPER, DrawPage, find_networks, prepared
from digitocr.runtime.errors import ModelError, UsageError
from digitocr.train.classifier.layers import PATCH, PLACES, load_network

BAR = np.zeros((PAPER, PAPER), np.uint8)  # a 1
BAR[30:110, 65:75] = 255
SEVEN = [(0.3 + 0.05 * n, 0.2) for n in range(9)] + [(0.7 - 0.04 * n, 0.2 + 0.09 * n) for n in range(1, 8)]


def encoded(drawing):
    return base64.b64encode(drawing.tobytes()).decode()


def decoded(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The page of the shipped network, and of a file that is damaged."""
    damaged = tmp_path_factory.mktemp("run") / "model.keras"
    damaged.write_bytes(b"nothing")
    page = DrawPage({**find_networks([]), "<my  damaged>": damaged}, "127.0.0.1", 0)
    yield page.server.address
    page.server.close()


def ask(address, what, **sent):
    request = Request(address + what, json.dumps(sent).encode(), method="POST")
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_a_drawing_is_prepared_as_pictures_are():
    digit = prepared(encoded(BAR))
    assert digit.shape == (28, 28)
    rows, columns = np.flatnonzero(digit.max(axis=1) > 127), np.flatnonzero(digit.max(axis=0) > 127)
    assert (rows[0], rows[-1]) == (4, 23)  # 20 pixels high, in the middle
    assert columns[0] + columns[-1] == 27
    assert prepared(encoded(np.zeros_like(BAR))) is None


def test_the_page_names_the_networks_and_loads_nothing_else(served):
    with urlopen(served, timeout=5) as answer:
        content = answer.read().decode()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert '<option value="digitocr.keras">digitocr.keras</option>' in content
    assert '<option value="&lt;my  damaged&gt;">' in content
    assert "http" not in content


def test_it_answers_with_the_layers_and_with_what_would_change_the_answer(served):
    sent = {"network": "digitocr.keras", "ink": encoded(BAR)}
    seen = ask(served, "look", **sent)
    assert (decoded(seen["image"], np.uint8).reshape(28, 28) == prepared(sent["ink"])).all()
    assert np.argmax(seen["probabilities"]) == 1
    assert sum(seen["probabilities"]) == pytest.approx(1, abs=1e-3)
    first, last = seen["layers"][0], seen["layers"][-1]
    assert (first["kind"], first["window"], first["shape"]) == ("Conv2D", 3, [32, 26, 26])
    maps = decoded(first["maps"], np.int8)
    assert (len(maps), maps.max()) == (32 * 26 * 26, 127)
    shares = decoded(last["maps"], np.int8) * (last["greatest"] / 127)
    np.testing.assert_allclose(shares, seen["probabilities"], atol=1 / 127)
    known = ask(served, "changes", **sent)
    assert (known["answer"], known["patch"], known["places"]) == (1, PATCH, list(PLACES))
    assert known["share"] == pytest.approx(seen["probabilities"][1], abs=1e-3)
    for name, row, column in (("erased", 0, 0), ("inked", 6, 6)):  # no ink is there, and full ink is there
        other, chance, left = known[name][row * len(PLACES) + column]
        assert other == 1
        assert chance == left == pytest.approx(known["share"], abs=0.05)
    assert min(left for _, _, left in known["inked"]) < known["share"] - 0.1


def test_an_empty_paper_has_no_answer(served):
    for what in ("look", "changes"):
        assert ask(served, what, network="digitocr.keras", ink=encoded(np.zeros_like(BAR))) == {}


def test_a_damaged_network_is_said_on_the_page(served):
    assert "cannot be loaded" in ask(served, "look", network="<my  damaged>", ink=encoded(BAR))["error"]


@pytest.mark.parametrize(
    "sent", [{}, {"network": "none", "ink": encoded(BAR)}, {"network": "digitocr.keras", "ink": "AAAA"}, {"ink": 7}]
)
def test_what_is_no_drawing_is_refused(served, sent):
    with pytest.raises(HTTPError, match="400"):
        ask(served, "look", **sent)
    with pytest.raises(HTTPError, match="404"):
        ask(served, "paint", **sent)


def test_networks_are_found_in_the_folders_of_runs_studies_and_searches(tmp_path):
    for name in ("run/model.keras", "run/checkpoint.keras", "study/runs/a-seed0.keras", "search/models/10.keras"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "search/models/9.keras").touch()
    found = find_networks([tmp_path / "run", tmp_path / "study", tmp_path / "search", tmp_path / "x.keras"])
    names = [
        "run/model.keras",
        "study/runs/a-seed0.keras",
        "search/models/9.keras",
        "search/models/10.keras",
        "x.keras",
    ]
    assert list(found) == [str(tmp_path / name) for name in names]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no network that reads digits"):
        find_networks([tmp_path / "empty"])


def test_a_detector_is_refused_before_anything_is_served():
    with pytest.raises(ModelError, match=r"detector\.keras: is no network that reads a digit"):
        DrawPage({"detector": find_networks([])["digitocr.keras"].with_name("detector.keras")}, "127.0.0.1", 0)


def test_a_drawn_digit_is_seen_through_all_layers(served, chromium, tmp_path):
    browser = chromium(tmp_path)
    try:
        browser("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
        browser("Page.navigate", url=served)
        browser.until("document.readyState === 'complete'")
        area = json.loads(browser.run("JSON.stringify(paper.getBoundingClientRect())"))
        for number, (x, y) in enumerate(SEVEN):
            place = {"x": area["left"] + x * area["width"], "y": area["top"] + y * area["height"]}
            kind = "mousePressed" if number == 0 else "mouseMoved"
            browser("Input.dispatchMouseEvent", type=kind, **place, button="left", buttons=1, clickCount=1)
        browser("Input.dispatchMouseEvent", type="mouseReleased", **place, button="left", clickCount=1)
        browser.until("document.querySelectorAll('#hints li').length === 2")  # after the last stroke
        assert browser.run("at('answer').textContent") == "7"
        assert browser.run("document.querySelectorAll('#chances tr').length") == 11
        kinds = browser.run("[...document.querySelectorAll('#layers h3')].map(one => one.textContent)")
        assert kinds == [type(one).__name__ for one in load_network(find_networks([])["digitocr.keras"]).layers]
        assert browser.run("[...document.querySelectorAll('.layer')].every(one => one.children[2].textContent)")
        levels = "[...getContext('2d').getImageData(0, 0, width, height).data].filter((_, place) => place % 4 === 0)"
        for canvas in ("at('input')", "document.querySelector('.maps')"):
            assert browser.run(f"(function () {{ with ({canvas}) return Math.max(...{levels}) }})()") == 255
        browser.run("paper.focus()")
        browser.press("Delete")
        browser.until("at('answer').textContent === ''")
        for key in ["ArrowDown"] * 12:
            browser.press(key, shift=True)
        browser.until("at('answer').textContent === '1'")
        browser.press("Delete")
        for kind, places in (
            ("touchStart", [(0.2, 0.3)]),
            ("touchStart", [(0.2, 0.3), (0.8, 0.3)]),  # a second finger, which draws nothing
            ("touchMove", [(0.2, 0.7), (0.8, 0.6)]),
            ("touchEnd", []),
        ):
            points = [
                {"x": area["left"] + x * area["width"], "y": area["top"] + y * area["height"], "id": number}
                for number, (x, y) in enumerate(places)
            ]
            browser("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        levels = "[[56, 140], [140, 112], [224, 140]].map(at => pen.getImageData(...at, 1, 1).data[0])"
        assert browser.run(levels) == [0, 255, 255]
        browser.run("at('network').value = '<my  damaged>'; at('network').onchange()")
        browser.until("/cannot be loaded/.test(at('state').textContent)")
        for event in browser.events:
            assert event["method"] != "Runtime.exceptionThrown", event
            assert event["method"] != "Log.entryAdded" or event["params"]["entry"]["level"] != "error", event
    finally:
        browser.close()
