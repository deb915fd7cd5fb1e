import gzip
import json
import re
import subprocess
from base64 import b64decode, b64encode
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

import digitocr
from digitocr.export import to_web
from digitocr.export.to_web import export_web, page_of
from digitocr.runtime import image
from digitocr.runtime.errors import MissingExtraError, ModelError, OutputError
from digitocr.runtime.interpreter import onnx_session
from digitocr.runtime.models import model_content, shipped_model

MAX_PAGE = 900_000  # bytes of the page
MAX_PACKED = 600_000  # bytes of the page as a server sends it

# Reads pictures from a file, which begins with [[width, height, bytes of a pixel], ...]; prints what `work` makes
NODE = """
import {{ readFileSync }} from "node:fs"
import * as digitocr from {library}
const content = readFileSync({pictures})
const end = content.indexOf("\\n")
let at = end + 1
const answers = []
const reader = await digitocr.load()
for (const [width, height, depth] of JSON.parse(content.subarray(0, end))) {{
  const data = new Uint8ClampedArray(content.subarray(at, at += width * height * depth))
  const picture = {{ data, width, height }}
  answers.push(({work})(reader, picture, digitocr))
}}
console.log(JSON.stringify(answers))
"""


@pytest.fixture
def node(needs, web_folder, tmp_path):
    """A function: what an arrow function, (reader, picture, digitocr) => ..., makes of (H, W) or (H, W, 4) arrays."""
    needs("node")

    def run(pictures, work):
        sizes = [[one.shape[1], one.shape[0], one.shape[2] if one.ndim == 3 else 1] for one in pictures]
        file = tmp_path / "pictures.bin"
        file.write_bytes(json.dumps(sizes).encode() + b"\n" + b"".join(one.tobytes() for one in pictures))
        library = json.dumps((web_folder / "digitocr.js").as_uri())
        script = NODE.format(library=library, pictures=json.dumps(str(file)), work=work)
        command = ["node", "--input-type=module", "-e", script]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def opaque(rgb):
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def test_node_classifies_as_onnx_runtime_does(node):
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (40, 28, 28)).astype(np.uint8)
    digits[20:] = np.where(digits[20:] > 200, 255, 0)
    content = model_content(shipped_model("digitocr-int8.onnx"))
    session = onnx_session(content, shipped_model("digitocr-int8.onnx"), threads=1)
    (expected,) = session.run(None, {"image": (digits / np.float32(255)).astype(np.float32)[..., None]})
    answers = node(list(digits), "(reader, picture) => reader.classify(picture)")
    assert np.array([answer["logits"] for answer in answers], np.float32).tolist() == expected.tolist()
    for answer, logits in zip(answers, expected, strict=True):
        assert answer["digit"] == logits[:10].argmax()
        assert answer["probability"] == answer["probabilities"][answer["digit"]]
        assert sum(answer["probabilities"]) == pytest.approx(1)


def test_examples_are_read_as_python_reads_them(node, request):
    paths = sorted((request.config.rootpath / "examples").glob("*.[jp][pn]g"))
    assert len(paths) == 9
    pictures = [np.ascontiguousarray(image.load_reduced(path)[0]) for path in paths]
    reader = digitocr.Reader()
    answers = node(pictures, "(reader, picture) => reader.read(picture)")
    for picture, answer in zip(pictures, answers, strict=True):
        expected = reader.read(picture)
        assert (answer["text"], answer["turned"]) == (expected.text, expected.turned)
        numbers = [number for line in answer["lines"] for number in line["numbers"]]
        assert [(one["text"], tuple(one["box"])) for one in numbers] == [
            (one.text, one.box) for one in expected.numbers
        ]
        digits = [digit for number in numbers for digit in number["digits"]]
        assert [(one["digit"], tuple(one["box"])) for one in digits] == [
            (one.digit, one.box) for one in expected.digits
        ]
        assert [[digit for digit, _ in one["topk"]] for one in digits] == [
            [digit for digit, _ in one.topk] for one in expected.digits
        ]
        for found, wanted in ((numbers, expected.numbers), (digits, expected.digits)):
            sure = [one.confidence for one in wanted]
            assert [one["confidence"] for one in found] == pytest.approx(sure, abs=1e-6)


def test_grey_levels_are_those_of_the_runtime(node):
    rng = np.random.default_rng(1)
    colours = [rng.integers(0, 256, (7, 11, 3)).astype(np.uint8) for _ in range(5)]
    levels = ([0, 1], [200, 218], [200, 219])
    masks = [np.repeat(rng.choice(two, (9, 5, 1)), 3, axis=2).astype(np.uint8) for two in levels]
    masks += [np.full((6, 6, 3), 80, np.uint8)]
    pictures = [*colours, *masks]
    expected = [image.load(Image.fromarray(one)) for one in pictures]
    clear = [rng.integers(0, 256, (8, 9, 4)).astype(np.uint8) for _ in range(6)]
    clear[0][:, :, :3] //= 8  # dark ink
    clear[1][:, :, :3] |= 224  # bright ink
    expected += [image.load(Image.fromarray(one)) for one in clear]
    grey = [rng.integers(0, 256, (5, 6)).astype(np.uint8), rng.integers(0, 2, (5, 6)).astype(np.uint8)]
    expected += [image.load(one) for one in grey]
    answers = node([*map(opaque, pictures), *clear, *grey], "(_, picture, { grey }) => [...grey(picture).data]")
    assert answers == [one.ravel().tolist() for one in expected]


@pytest.mark.parametrize("size", [(40, 60), (600, 530)])
def test_colours_of_one_brightness_are_told_apart(node, size):
    rng = np.random.default_rng(2)
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[:] = (90, 140, 60)
    rgb[size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2] = (200, 85, 62)
    rgb += rng.integers(0, 6, rgb.shape).astype(np.uint8)
    expected = image.load(Image.fromarray(rgb))
    (answer,) = node([opaque(rgb)], "(_, picture, { grey }) => [...grey(picture).data]")
    assert np.ptp(expected) > 200
    assert np.abs(np.array(answer) - expected.ravel()).max() <= 1  # float64 here, float32 there


def test_what_is_no_picture_or_option_is_an_error_with_a_name(node):
    works = {
        "reader.read({ data: new Uint8Array(0), width: 0, height: 5 })": "a picture has 1 to 65535 pixels a side",
        "reader.read({ data: new Uint8Array(65536), width: 65536, height: 1 })": "1 to 65535 pixels a side",
        "reader.read({ data: new Uint8Array(5), width: 2, height: 2 })": "2x2 bytes of grey levels",
        "reader.read(null)": "1 to 65535 pixels a side",
        "reader.read(picture, { conf: NaN })": "conf is 0 to 1",
        "reader.read(picture, { conf: null })": "conf is 0 to 1",
        "reader.read(picture, { conf: '0.5' })": "conf is 0 to 1",
        "reader.read(picture, { rotate: 45 })": "rotate 0, 90",
        "reader.read(picture, { mode: 'all' })": "mode",
        "reader.read(picture, null)": "options are an object, as { conf: 0.5 }, not null",
        "reader.read(picture, 'line')": "options are an object, as { conf: 0.5 }, not line",
        "reader.read({ data: [1, 2, 3, 4], width: 2, height: 2 })": "2x2 bytes of grey levels",
        "reader.read({ width: 2, height: 2 })": "2x2 bytes of grey levels",
        "reader.crops(picture, null)": "a reading is what read() returned",
        "reader.crops(picture, { lines: [] }, NaN)": "most is a number of digits, not NaN",
        "reader.crops(picture, { lines: [] }, -1)": "most is a number of digits, not -1",
        "reader.classify(picture)": "1 to 65535",
        "reader.classifyBox(picture, [0, 0, 0, 3])": "a box has no area",
        "reader.classifyBox(picture, [NaN, 0, 3, 3])": "a box has no area",
    }
    tries = ", ".join(f"() => {work}" for work in works)
    caught = "one => { try { return one() } catch (error) { return String(error) } }"
    work = f"(reader, picture) => [{tries}].map({caught})"
    (answers,) = node([np.zeros((20, 30), np.uint8)], work)
    for answer, why in zip(answers, works.values(), strict=True):
        assert isinstance(answer, str), answer
        assert why in answer


def test_a_picture_of_another_realm_is_a_picture(node):
    """An array of a frame, or of a test in Jest, is no instance of this page's Uint8Array."""
    array = "process.getBuiltinModule('node:vm').runInNewContext('Uint8Array.of(9, 80, 200, 90)')"
    work = f"(_, picture, {{ grey }}) => [...grey({{ data: {array}, width: 2, height: 2 }}).data]"
    assert node([np.zeros((5, 5), np.uint8)], work) == [[9, 80, 200, 90]]


def test_the_page_holds_the_same_wasm_and_is_small(web_folder):
    content = (web_folder / "digitocr.html").read_bytes()
    assert len(content) <= MAX_PAGE
    assert len(gzip.compress(content, 9)) <= MAX_PACKED
    page = content.decode()
    (packed,) = re.findall(r'id="packed">([^<]*)<', page)
    worker, _, inside = gzip.decompress(b64decode(packed)).partition(b"\0")
    wasm = (web_folder / "digitocr.wasm").read_bytes()
    assert inside == wasm
    assert b"self.onmessage" in worker
    assert page_of(wasm) == page


def test_the_page_of_the_docs_is_current(web_folder, request):
    page = (request.config.rootpath / "docs" / "demo.html").read_bytes()
    is_current = page == (web_folder / "digitocr.html").read_bytes()  # pytest would compare the pages for minutes
    assert is_current, "run: python docs/generate.py"


def test_the_policy_of_the_page_names_its_own_scripts_alone(web_folder):
    page = (web_folder / "digitocr.html").read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    for element in (r"<style>(.*?)</style>", r'<script type="module">(.*?)</script>'):
        (content,) = re.findall(element, page, re.S)
        assert f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"https?:|connect-src|img-src", policy)


def test_the_package_names_files_that_are_there(web_folder):
    package = json.loads((web_folder / "package.json").read_text("utf-8"))
    entries = package["exports"]["."]
    assert (package["main"], package["types"]) == (entries["default"], entries["types"])
    for name in [*package["files"], *entries.values()]:
        assert (web_folder / name).is_file()
    types = (web_folder / "digitocr.d.ts").read_text("utf-8")
    library = (web_folder / "digitocr.js").read_text("utf-8")
    exported = re.findall(r"^export (?:async )?(?:class|function) (\w+)", library, re.M)
    assert sorted(exported) == sorted(re.findall(r"^export declare (?:class|function) (\w+)", types, re.M))


def test_the_library_can_be_bundled_and_needs_no_address_where_it_is_given_bytes(needs, web_folder, tmp_path):
    needs("node")
    library = (web_folder / "digitocr.js").read_text("utf-8")
    assert not re.search(r"\bimport\b(?!\.meta\.url\))", re.sub(r"/\*.*?\*/|//.*", "", library, flags=re.S))
    # a bundle in CommonJS, where bundlers leave import.meta empty
    script = re.sub(r"^export ", "", library, flags=re.M).replace("import.meta", "({})")
    wasm = json.dumps(str(web_folder / "digitocr.wasm"))
    script += f'\nload(require("fs").readFileSync({wasm})).then(reader => console.log(reader.classes))\n'
    (tmp_path / "bundle.cjs").write_text(script, "utf-8")
    command = ["node", str(tmp_path / "bundle.cjs")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.stderr) == ("11\n", "")


@pytest.mark.parametrize("name", ["digitocr.html", "package.json", "README.md"])
def test_a_file_that_is_there_is_kept_without_force(web_folder, c_folder, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name}: exists already"):
        export_web(c_folder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_that_is_no_export_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"digitocr\.h: is missing"):
        export_web(tmp_path, tmp_path / "out")
    monkeypatch.setattr(to_web.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'digitocr\[device\]'"):
        export_web(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
