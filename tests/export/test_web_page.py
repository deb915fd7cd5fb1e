"""The page of `digitocr export --format web` in Chromium, opened from the disk."""

import base64
import json

import cv2
import numpy as np
import pytest
from PIL import Image

import digitocr
from digitocr.train.synthesis.pages import Style, draw_page

EXAMPLES = "three-lines.jpg", "transparent.png"
FILMED = "407", "82"
FRAMES = 40  # of each number in the film


class Page:
    """The page in a browser."""

    def __init__(self, browser, address):
        self.browser, self.run, self.until = browser, browser.run, browser.until
        self.size(1000, 800)
        browser.events.clear()
        browser("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && document.getElementById('state').textContent === ''")

    def size(self, width, height):
        self.browser(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def take(self, way):
        self.run(f"document.querySelector('[name=way][value={way}]').click()")

    def of(self, name):
        return self.run(f"document.getElementById('{name}').textContent")

    def read(self):
        """The numbers, once some are shown."""
        return self.until("document.getElementById('text').textContent")

    def open(self, path):
        """Chooses a file; what the page says of it, and the numbers."""
        self.take("picture")
        root = self.browser("DOM.getDocument")["root"]["nodeId"]
        node = self.browser("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.browser("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
        self.until(
            "!/^Reading/.test(document.getElementById('state').textContent) && (state.textContent || text.textContent)"
        )
        return self.of("state"), self.of("text")

    def copied(self, kind):
        self.run("navigator.clipboard.writeText = async content => { window.copied = content }")
        self.run(f"document.getElementById('copy-{kind}').click()")
        return self.until("window.copied")

    def refuse_camera(self, name):
        self.run(f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}') }}")
        self.take("draw")
        self.take("camera")
        return self.until("!/^Waiting/.test(state.textContent) && state.textContent")


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    """Chromium, with a camera that films numbers in turn."""
    folder, rng = tmp_path_factory.mktemp("browser"), np.random.default_rng(5)
    film = b""
    for number in FILMED:
        picture = draw_page([number], rng, Style((640, 480), digit_height=150)).image
        film += cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]))[1].tobytes() * FRAMES
    (folder / "film.mjpeg").write_bytes(film)
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = chromium(folder, *camera, f"--use-file-for-fake-video-capture={folder / 'film.mjpeg'}")
    yield browser
    browser.close()


@pytest.fixture
def page(browser, web_folder):
    page = Page(browser, (web_folder / "digitocr.html").as_uri())
    yield page
    for event in browser.events:
        assert event["method"] != "Runtime.exceptionThrown", event
        assert event["method"] != "Log.entryAdded" or event["params"]["entry"]["level"] != "error", event


def draw(page, points):
    """Draws with the mouse; points are in shares of the drawing area."""
    area = json.loads(page.run("JSON.stringify(document.getElementById('base').getBoundingClientRect())"))
    for index, (x, y) in enumerate(points):
        kind = "mousePressed" if index == 0 else "mouseMoved"
        x, y = area["left"] + x * area["width"], area["top"] + y * area["height"]
        page.browser("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
    page.browser("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)


def seven():
    """The points of a 7."""
    return [(0.42 + 0.02 * n, 0.25) for n in range(9)] + [(0.58 - 0.013 * n, 0.25 + 0.06 * n) for n in range(1, 9)]


def test_a_drawn_digit_is_read(page):
    draw(page, seven())
    page.until("document.getElementById('text').textContent === '7'")
    assert page.of("said") == "7"
    assert "least certain digit" in page.of("facts")
    assert page.run("document.querySelectorAll('#digits canvas').length") == 1
    ink = page.run("[...document.querySelector('#digits canvas').getContext('2d').getImageData(0, 0, 28, 28).data]")
    levels = np.array(ink).reshape(28, 28, 4)[:, :, 0]
    assert levels.max() == 255  # the crop that the network saw: bright ink on dark
    assert np.median(levels) < 20
    page.run("document.getElementById('clear').click()")
    assert page.of("text") == page.of("facts") == ""


def test_a_second_finger_draws_no_line(page):
    area = json.loads(page.run("JSON.stringify(document.getElementById('base').getBoundingClientRect())"))
    for kind, places in (
        ("touchStart", [(0.2, 0.3)]),
        ("touchMove", [(0.2, 0.4)]),
        ("touchStart", [(0.2, 0.4), (0.8, 0.3)]),
        ("touchMove", [(0.2, 0.4), (0.8, 0.6)]),
        ("touchMove", [(0.2, 0.7), (0.8, 0.6)]),
        ("touchEnd", []),
    ):
        points = [
            {"x": area["left"] + x * area["width"], "y": area["top"] + y * area["height"], "id": number}
            for number, (x, y) in enumerate(places)
        ]
        page.browser("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    levels = "[[0.2, 0.6], [0.5, 0.35], [0.8, 0.5]].map(([x, y]) => [640 * x, 400 * y, 1, 1])"
    pixels = page.run(f"{levels}.map(at => base.getContext('2d').getImageData(...at).data[0])")
    assert pixels[0] < 50  # the first finger goes on
    assert pixels[1:] == [255, 255]


def test_keys_draw_and_clear(page):
    page.run("document.getElementById('base').focus()")
    for _ in range(9):
        page.browser.press("ArrowUp")
    for _ in range(16):
        page.browser.press("ArrowDown", shift=True)
    page.until("document.getElementById('text').textContent === '1'")
    page.browser.press("Delete")
    assert page.of("text") == ""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_read_as_python_reads_it(page, request, name):
    path = request.config.rootpath / "examples" / name
    state, _ = page.open(path)
    assert state == ""
    expected = digitocr.Reader().read(path)
    copied = json.loads(page.copied("json"))
    assert copied["source"] == name
    assert copied["text"] == expected.text
    numbers = [number for line in copied["lines"] for number in line["numbers"]]
    assert [number["text"] for number in numbers] == [number.text for number in expected.numbers]
    for number, wanted in zip(numbers, expected.numbers, strict=True):
        assert np.abs(np.subtract(number["box"], wanted.box)).max() <= 3  # JPEG is decoded by other libraries
    assert page.copied("text") == "\n".join(" ".join(n.text for n in line.numbers) for line in expected.lines)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ink", [0, 255])
def test_the_ink_of_a_transparent_picture_is_seen(page, tmp_path, ink, scheme):
    page.browser("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[10:50, 25:35] = (ink, ink, ink, 255)
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    page.open(tmp_path / "clear.png")
    levels = page.run("[[30, 30], [5, 5]].map(at => [...base.getContext('2d').getImageData(...at, 1, 1).data])")
    assert levels[0] == [ink, ink, ink, 255]
    assert levels[1][3] == 255
    assert abs(levels[1][0] - ink) > 100


def test_the_camera_is_read_until_it_is_held(page):
    page.take("camera")
    seen = {page.until(f"['{FILMED[0]}', '{FILMED[1]}'].includes(text.textContent) && text.textContent")}
    other = FILMED[FILMED[0] in seen]
    page.until(f"text.textContent === '{other}'")
    page.run("document.getElementById('hold').click()")
    assert page.run("video.paused")
    page.run("document.getElementById('hold').click()")
    page.until("!video.paused")
    page.run("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.run("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.of("state") == "Paused while the page is in the background."
    assert page.run("video.paused")
    page.run("Object.defineProperty(document, 'hidden', { value: false })")
    page.run("document.dispatchEvent(new Event('visibilitychange'))")
    page.until("!video.paused")
    page.take("draw")
    assert page.run("video.srcObject") is None


def test_what_cannot_be_read_is_said_in_a_sentence(page, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    Image.new("L", (10000, 10000)).save(tmp_path / "large.png")
    Image.new("L", (4, 9)).save(tmp_path / "tiny.png")
    frames = [Image.new("L", (64, 48), level) for level in (0, 255)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "still.gif")
    for name, sentence in {
        "text.png": "text.png is not a picture, is damaged, or is of a kind that this browser cannot show.",
        "large.png": "large.png has 100 megapixels; up to 52 can be read. Make it smaller first.",
        "tiny.png": "tiny.png has 4 × 9 pixels, too few to show a digit.",
        "moving.gif": "moving.gif is animated; its first picture is read.",
        "still.gif": "No number was found.",
    }.items():
        assert page.open(tmp_path / name) == (sentence, "")
    for name, sentence in {
        "NotAllowedError": "The camera was refused. Allow it for this page in the browser, then choose Camera again.",
        "NotFoundError": "There is no camera that the browser can use.",
        "NotReadableError": "The camera cannot be opened; another program may be using it.",
    }.items():
        assert page.refuse_camera(name) == sentence
    page.run("document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    assert page.of("state") == "There is no picture to paste."


def test_pictures_are_dropped_and_pasted(page, request):
    content = base64.b64encode((request.config.rootpath / "examples" / "phone-number.jpg").read_bytes()).decode()
    page.run(
        "window.given = () => { const data = new DataTransfer(); "
        f"const bytes = Uint8Array.from(atob('{content}'), one => one.charCodeAt(0)); "
        "data.items.add(new File([bytes], 'phone.jpg', { type: 'image/jpeg' })); return data }"
    )
    for event in (
        "new DragEvent('drop', { dataTransfer: given(), bubbles: true })",
        "new ClipboardEvent('paste', { clipboardData: given(), bubbles: true })",
    ):
        page.take("draw")
        page.run(f"document.body.dispatchEvent({event})")
        assert page.read()
        assert page.run("document.querySelector('[name=way]:checked').value") == "picture"


def test_the_page_asks_nobody_for_anything(page, stream):
    draw(page, seven())
    page.read()
    asked = [
        one["params"]["request"]["url"] for one in page.browser.events if one["method"] == "Network.requestWillBeSent"
    ]
    assert [url.partition(":")[0] for url in asked] == ["file", "blob"]  # the page and its worker
    served = stream(np.zeros((20, 20, 3), np.uint8), serves=0)
    answer = page.run(f"fetch('{served}').then(() => 'sent', error => String(error))")
    assert answer == "TypeError: Failed to fetch"
    refusals = [one["params"]["entry"]["text"] for one in page.browser.events if one["method"] == "Log.entryAdded"]
    assert any("Content Security Policy" in text for text in refusals)
    page.browser.events.clear()


def test_a_browser_that_is_too_old_is_told_so(browser, web_folder):
    added = browser("Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream")
    browser("Page.navigate", url=(web_folder / "digitocr.html").as_uri())
    said = browser.until("document.getElementById('state')?.textContent.startsWith('This') && state.textContent")
    assert said == "This browser is too old for this page: it needs DecompressionStream."
    browser("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_a_page_that_lost_a_part_of_its_content_says_so(browser, web_folder, tmp_path):
    whole = (web_folder / "digitocr.html").read_text("utf-8")
    middle = whole.index('id="packed"') + 9000
    (tmp_path / "cut.html").write_text(whole[:middle] + whole[middle + 5000 :], "utf-8")
    browser("Page.navigate", url=(tmp_path / "cut.html").as_uri())
    said = browser.until("document.getElementById('state')?.textContent.startsWith('This') && state.textContent")
    assert said == "This file is damaged, or was changed when it was saved. Copy it again."


def test_the_page_fits_a_phone_and_both_colour_schemes(page):
    page.size(360, 700)
    assert page.run("document.documentElement.scrollWidth") == 360
    assert (
        page.run("Math.min(...[...document.querySelectorAll('button:not([hidden])')].map(one => one.offsetHeight))")
        >= 44
    )
    shades = []
    for scheme in ("light", "dark"):
        page.browser("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colours = page.run("['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])")
        ink, paper = (np.mean([int(part) for part in one[4:-1].split(",")]) for one in colours)
        assert abs(ink - paper) > 180
        shades.append(paper)
    assert shades[0] > 200 > 60 > shades[1]


def test_a_screen_reader_hears_names_and_readings(page):
    draw(page, seven())
    page.read()
    nodes = page.browser("Accessibility.getFullAXTree")["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]}
    area = "Draw digits here. The arrow keys move the pen, with Shift they draw, Delete clears."
    assert {("radio", "Draw"), ("radio", "Picture"), ("radio", "Camera"), ("button", "Clear")} <= named
    assert {("application", area), ("button", "Copy text"), ("list", "What the network saw")} <= named
    assert not {role for role, name in named if role in ("button", "image", "combobox") and not name}
    assert page.run("document.getElementById('said').getAttribute('role')") == "status"
    for way in ("draw", "picture", "camera"):  # the choice is one stop of the Tab key
        page.run(f"document.querySelector('[value={way}]').focus()")
        assert page.run("document.activeElement.name") == "way"
