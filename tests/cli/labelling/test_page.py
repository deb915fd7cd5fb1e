"""The page of label: its answers, and in Chromium what each key does."""

import json
import os
import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitocr.cli.labelling.labels import Labels
from digitocr.cli.labelling.page import LabelPage
from digitocr.cli.labelling.pictures import Pictures, listed
from digitocr.runtime.errors import OutputError

BOXES = [[60, 60, 40, 80], [120, 60, 40, 80], [180, 60, 40, 80]]
KEY_MS = 50  # from a key to the next picture
BUSY = 6  # times what typing a digit takes, which asks the server for nothing; on a busy machine that is more


def drawn(path, text="407", size=(320, 200)):
    """A picture of a number in its boxes."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for digit, (x, y, w, h) in zip(text, BOXES, strict=True):
        pen.rectangle((x, y, x + w, y + h), None, "gray")
        pen.text((x + 5, y), digit, "black", font_size=h - 10)
    image.save(path)


def row(name, text="407", confidence=0.9, boxes=BOXES):
    """A line of predict --jsonl."""
    digits = [{"digit": int(one), "confidence": confidence, "box": box} for one, box in zip(text, boxes, strict=True)]
    numbers = [{"text": text, "confidence": confidence, "digits": digits}] if text else []
    return {"source": str(name), "page": None, "turned": 0, "lines": [{"numbers": numbers}], "error": None}


class Served:
    """The page of a folder's pictures, with what is read in them."""

    def __init__(self, folder):
        self.path = folder / "labels.jsonl"
        self._labels = Labels(self.path)
        self.pictures = Pictures(listed([str(folder)])[0], self._labels, "")
        self.page = LabelPage(self.pictures, 0)
        self.address = self.page.address

    def read(self, *confidences):
        for picture, confidence in zip(self.pictures.pictures, confidences, strict=True):
            self.pictures.take(row(picture.name, confidence=confidence))
        self.page.end_reading()

    def labels(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def ask(self, path, sent=None, run=None):
        """Status and content of an answer to the page of this run, or of another one."""
        content = None if sent is None else json.dumps(sent).encode()
        try:
            asked = Request(self.address + path, content, {"X-Run": run or self.page._run})
            with urlopen(asked, timeout=10) as answer:
                return answer.status, json.load(answer) if "json" in answer.headers["Content-Type"] else answer.read()
        except HTTPError as refused:
            with refused:
                kind = refused.headers["Content-Type"]
                return refused.code, json.load(refused) if "json" in kind else None

    def close(self):
        self.page.close()
        self._labels.close()


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        drawn(tmp_path / f"{name}.png")
    return tmp_path


@pytest.fixture
def served(folder):
    served = Served(folder)
    yield served
    served.close()


def test_the_page_may_load_nothing_from_elsewhere(served):
    with urlopen(served.address, timeout=5) as answer:
        page = answer.read().decode()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert served.address.startswith("http://127.0.0.1:")


def test_pictures_come_with_what_is_read_in_them(served):
    status, answer = served.ask("next?have=")
    assert (status, "id" in answer, answer["reading"]) == (200, False, True)
    served.read(0.9, 0.2, 0.7)
    _, item = served.ask("next?have=")
    assert (item["id"], item["name"][-5:], item["text"], item["boxes"]) == (1, "b.png", "407", BOXES)
    assert (item["size"], item["confidence"], item["reading"]) == ([320, 200], 0.2, False)
    assert served.ask("next?have=1,2")[1]["id"] == 0
    status, content = served.ask("picture/1?turned=90")
    assert (status, content[:4]) == (200, b"\x89PNG")


def test_a_label_is_written_before_the_answer(served):
    served.read(0.9, 0.2, 0.7)
    box = [[60, 60, 40, 80]]
    status, answer = served.ask("label", {"id": 1, "text": " 4 ", "boxes": box, "turned": 0})
    assert (status, answer["counts"]["labelled"]) == (200, 1)
    assert served.labels() == [{"file": "b.png", "text": "4", "boxes": box}]
    turned = [[200 - 60 - 80, 60, 80, 40]]  # the same box, where the picture is turned clockwise
    served.ask("label", {"id": 0, "text": "4", "boxes": turned, "turned": 90})
    assert served.labels()[1] == {"file": "a.png", "text": "4", "boxes": box, "turned": 90}
    assert served.ask("undo", {})[1]["boxes"] == turned
    assert len(served.labels()) == 1


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("label", {"id": 9, "text": "4", "boxes": None, "turned": 0}),
        ("label", {"id": -1, "text": "4", "boxes": None, "turned": 0}),
        ("label", {"id": "a", "text": "4", "boxes": None, "turned": 0}),
        ("label", {"id": 0, "text": "4<", "boxes": None, "turned": 0}),
        ("label", {"id": 0, "text": 4, "boxes": None, "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": [[1, 2, 3]], "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": [[1, 2, 3, "4"]], "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": [[900, 2, 3, 4]], "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": [[9, 2, 0, 4]], "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": [], "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": [[float("inf"), 2, 3, 4]], "turned": 0}),
        ("label", {"id": 0, "text": "4", "boxes": None, "turned": 45}),
        ("label", {"id": 0}),
        ("skip", {}),
        ("label", []),
        ("picture/7", None),
        ("picture/0?turned=x", None),
        ("next?have=x", None),
    ],
)
def test_what_makes_no_sense_is_refused(path, sent, served):
    served.read(0.9, 0.2, 0.7)
    status, answer = served.ask(path, sent)
    assert (status, list(answer)) == (400, ["error"])
    assert served.labels() == []


def test_other_addresses_are_not_found(served):
    for path, sent in (("labels.jsonl", None), ("picture/../a.png", None), ("label", None), ("next", {}), ("", {})):
        assert served.ask(path, sent) == (404, None)


def test_a_page_of_an_earlier_run_cannot_label(served):
    served.read(0.9, 0.2, 0.7)
    sent = {"id": 0, "text": "407", "boxes": BOXES, "turned": 0}
    for path, content in (("label", sent), ("skip", {"id": 0}), ("undo", {}), ("again", {}), ("next?have=", None)):
        assert served.ask(path, content, "0123") == (409, {"error": "this page is of an earlier run; load it again"})
    assert served.pictures.counts()["labelled"] == served.pictures.counts()["skipped"] == 0


def test_a_web_site_cannot_label(served):
    served.read(0.9, 0.2, 0.7)
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(served.address + "skip", b'{"id": 0}', headers), timeout=5)
        assert refused.value.code == 403
        refused.value.close()
    assert served.pictures.counts()["skipped"] == 0


def test_pictures_that_vanish_or_break_are_passed_over(served, folder):
    served.read(0.1, 0.2, 0.3)
    (folder / "a.png").unlink()
    (folder / "b.png").write_bytes(b"no picture")
    item = served.ask("next?have=")[1]
    assert (item["id"], item["counts"]["unreadable"]) == (2, 2)
    assert "a.png: cannot be read" in item["errors"][0]
    assert "b.png: not a picture" in item["errors"][1]


def test_what_cannot_be_written_is_said(served, monkeypatch):
    def refuse(*_):
        raise OutputError("labels.jsonl: cannot be written")

    served.read(0.1, 0.2, 0.3)
    monkeypatch.setattr(served.pictures, "label", refuse)
    answer = served.ask("label", {"id": 0, "text": "407", "boxes": BOXES, "turned": 0})
    assert answer == (500, {"error": "labels.jsonl: cannot be written"})


def test_many_may_ask_at_once(served):
    served.read(0.1, 0.2, 0.3)
    answers = []
    sent = {"id": 0, "text": "407", "boxes": BOXES, "turned": 0}
    jobs = [lambda: served.ask("next?have="), lambda: served.ask("label", sent), lambda: served.ask("undo", {})] * 4
    threads = [threading.Thread(target=lambda job=job: answers.append(job()[0])) for job in jobs]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [200] * len(jobs)
    assert len(served.labels()) <= 1


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    browser = chromium(tmp_path_factory.mktemp("browser"))
    browser("Emulation.setDeviceMetricsOverride", width=900, height=700, deviceScaleFactor=1, mobile=False)
    yield browser
    browser.close()


@pytest.fixture
def window(browser, served):
    """The page in Chromium, with three pictures of which the second is doubted most, then the third."""
    served.read(0.9, 0.2, 0.7)
    window = Window(browser, served)
    yield window
    for event in browser.events:
        assert event["method"] != "Runtime.exceptionThrown", event
        assert event["method"] != "Log.entryAdded" or event["params"]["entry"]["level"] != "error", event
    browser("Page.navigate", url="about:blank")  # asks the server for nothing more, which ends


class Window:
    """The page in a browser."""

    def __init__(self, browser, served):
        self.browser, self.served = browser, served
        browser.events.clear()
        browser("Page.navigate", url=served.address)
        self.shows("b.png")

    def of(self, name):
        return self.browser.run(f"document.getElementById('{name}').textContent")

    def shows(self, name):
        self.browser.until(f"document.getElementById('name')?.textContent.endsWith('{name}') && !busy")

    def press(self, *keys):
        for key in keys:
            self.browser.press(*key) if isinstance(key, tuple) else self.browser.press(key)
            self.browser.until("!busy")

    def boxes(self):
        return self.browser.run("now.boxes.map(box => [...box])")

    def digits(self):
        return self.browser.run("[...document.querySelectorAll('svg text')].map(one => one.textContent).join('')")

    def text(self):
        return self.browser.run("text.value")


def test_a_number_is_typed_and_the_next_picture_comes(window):
    assert (window.text(), window.digits()) == ("407", "407")
    assert window.of("message") == "read with a confidence of 20 %"
    window.press(*"401")
    assert window.digits() == "401"
    window.press("Enter")
    window.shows("c.png")
    assert window.served.labels() == [{"file": "b.png", "text": "401", "boxes": BOXES}]
    window.press("n")
    window.shows("a.png")
    assert window.served.labels()[1] == {"file": "c.png", "text": "", "boxes": BOXES}
    assert window.of("counts") == "2 labelled · 1 left"
    window.press("s")
    window.browser.until("at('message').textContent === 'No picture is left. Enter shows the 1 skipped ones again.'")
    window.press("u")
    window.shows("a.png")
    window.press("u", "u")
    window.shows("b.png")
    assert (window.text(), window.served.labels()) == ("401", [])
    window.press("Enter", "n", "s", "Enter")
    window.shows("a.png")
    assert [one["text"] for one in window.served.labels()] == ["401", ""]


def test_a_key_that_is_held_down_confirms_one_picture(window):
    held = {"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 13, "autoRepeat": True}
    for _ in range(3):
        window.browser("Input.dispatchKeyEvent", **held)
    assert window.served.labels() == []
    window.press("b", "ArrowRight")
    window.browser("Input.dispatchKeyEvent", **{**held, "key": "ArrowRight", "windowsVirtualKeyCode": 39})
    assert window.boxes()[0][0] == BOXES[0][0] + 8


def test_boxes_are_moved_sized_added_and_removed(window):
    window.press("b", "ArrowRight", "ArrowDown", ("ArrowRight", True), ("ArrowUp", True))
    assert window.boxes() == [[64, 64, 44, 76], *BOXES[1:]]
    window.press(" ", "9")
    assert (window.text(), window.browser.run("chosen")) == ("497", 2)
    window.press("x")
    assert (window.text(), window.boxes()) == ("49", [[64, 64, 44, 76], BOXES[1]])
    window.press("a")
    assert window.of("message") == "2 digits, 3 boxes: x removes one"
    assert window.boxes()[2][1:] == BOXES[1][1:]
    assert window.boxes()[2][0] > BOXES[1][0] + 40
    window.press("5", "Enter")
    window.shows("c.png")
    (label,) = window.served.labels()
    assert (label["text"], len(label["boxes"])) == ("495", 3)


def test_a_missing_digit_gets_a_box_in_the_gap(window):
    window.browser.run("now.boxes.push([300, 60, 15, 80])")
    window.press(*"40798", "a")
    assert window.digits() == "40798"
    assert 220 < window.boxes()[3][0] < 300


def test_one_box_is_divided_evenly(window):
    window.press("x", "x", *"123")
    assert window.of("message") == "4 digits, 1 box: a adds one, e divides evenly"
    window.browser.run("now.boxes = [[40, 50, 200, 80]]")
    window.press("e")
    assert window.boxes() == [[40 + 50 * number, 50, 50, 80] for number in range(4)]
    window.press("Enter")
    window.shows("c.png")
    assert window.served.labels()[0]["text"] == "4123"


def test_a_number_without_its_places_is_written_after_a_second_enter(window):
    window.press(*"40712", "Enter")
    assert "Enter again writes the number without its places" in window.of("message")
    assert window.served.labels() == []
    window.press("Enter")
    window.shows("c.png")
    assert window.served.labels() == [{"file": "b.png", "text": "40712"}]
    window.press("Backspace", "Enter")
    assert window.of("message") == "n says that the picture shows no digit"
    assert len(window.served.labels()) == 1


def test_one_digit_needs_no_box(window):
    window.press("x", "x", "x", "8")
    assert window.of("message") == "without a box, all ink is taken for the digit; a adds one"
    window.press("Enter")
    window.shows("c.png")
    assert window.served.labels() == [{"file": "b.png", "text": "8"}]
    window.press("x", "x", "x", "a")
    assert window.boxes() == [[145, 75, 30, 50]]  # in the middle
    assert window.digits() == "\u2013"


def test_a_picture_is_turned_and_shown_closer(window):
    width = "sheet.getBoundingClientRect().width"
    whole = window.browser.run(width)
    window.press("z")
    window.browser.run("now.boxes = now.boxes.map(([x, y]) => [x, y, 10, 20]); draw()")
    assert window.browser.run(width) > 1.3 * whole
    window.press("z")
    assert window.browser.run(width) == whole
    window.browser.run(f"now.boxes = {BOXES}")
    window.press("r")
    window.browser.until("now.image.naturalWidth === 200")
    assert window.boxes()[0] == [60, 60, 80, 40]
    window.press("Enter")
    window.shows("c.png")
    assert window.served.labels() == [{"file": "b.png", "text": "407", "boxes": BOXES, "turned": 90}]


def test_the_mouse_draws_and_moves_boxes(window):
    left, top, scale = window.browser.run(
        "(r => [r.left, r.top, r.width / now.size[0]])(sheet.getBoundingClientRect())"
    )

    def drag(*points):
        for kind, (x, y) in zip(("mousePressed", "mouseMoved", "mouseReleased"), (*points, points[-1]), strict=True):
            at = {"x": left + x * scale, "y": top + y * scale}
            window.browser("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **at)

    drag((80, 100), (70, 95))
    assert window.boxes()[0] == [50, 55, 40, 80]
    drag((240, 60), (280, 140))
    assert np.abs(np.subtract(window.boxes()[3], [240, 60, 40, 80])).max() <= 1
    window.press("3", "Enter")
    window.shows("c.png")
    assert window.served.labels()[0]["text"] == "4073"


def test_the_page_asks_nobody_else_and_says_when_digitocr_has_ended(window):
    window.browser.until("queue.length === 2 && !filling")
    asked = [
        one["params"]["request"]["url"] for one in window.browser.events if one["method"] == "Network.requestWillBeSent"
    ]
    assert len(asked) > 6
    assert {url for url in asked if not url.startswith((window.served.address, "data:"))} == set()
    window.served.page.close()
    window.press("Enter")
    window.browser.until("at('message').textContent.startsWith('digitocr has ended')")
    assert window.browser.run("at('name').textContent").endswith("b.png")
    window.browser.events.clear()


def test_a_key_is_answered_at_once_with_ten_thousand_pictures(browser, tmp_path):
    drawn(tmp_path / "a.png")
    for number in range(9_999):
        os.link(tmp_path / "a.png", tmp_path / f"b{number:05}.png")
    served = Served(tmp_path)
    served.read(*np.linspace(0.9, 0.1, 10_000))
    browser("Page.navigate", url=served.address)
    browser.until("document.readyState === 'complete' && queue.length === AHEAD")
    browser.run(
        "took = [], typed = [], began = 0; addEventListener('keydown', event => { began = event.timeStamp }, true); "
        "painted = list => requestAnimationFrame(() => setTimeout(() => list.push(performance.now() - began))); "
        "new MutationObserver(() => painted(took)).observe(at('name'), { childList: true }); "
        "text.addEventListener('input', () => painted(typed))"
    )
    for count in range(1, 13):
        browser.press("7")
        browser.until(f"typed.length === {count}")
        browser.run("text.value = now.text; edited()")
        browser.press("Enter")
        browser.until(f"took.length === {count} && !busy")
    served.close()
    assert len(served.labels()) == 12
    took, typed = (min(browser.run(name)) for name in ("took", "typed"))  # the others waited for other programs
    assert took < max(KEY_MS, BUSY * typed), (took, typed)
