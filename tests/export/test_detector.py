import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest

from digitocr.export import detector as module
from digitocr.export import graph_to_onnx as graph_module
from digitocr.export.detector import DetectorLimits, export_detector
from digitocr.runtime.boxes import non_maximum_suppression
from digitocr.runtime.detector import decoded, detector_input
from digitocr.runtime.errors import GateError, ModelError, OutputError, UsageError
from digitocr.runtime.selftest import selftest
from digitocr.train.quiet import silenced
from digitocr.train.synthesis.scenes import Scene

with silenced():
    import keras

    from digitocr.train.detector.network import build_detector

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(scope="module")
def network(random_norms):
    """Random weights, batch norms that turn some channels around, and a centre in one cell of twenty."""
    network = random_norms(build_detector)
    cells = np.asarray(network(image()))
    kernel, bias = network.layers[-1].get_weights()
    kernel = kernel / cells.std((0, 1, 2)) * np.array([2, *[0.1] * 14], np.float32)
    network.layers[-1].set_weights([kernel, bias * 0])
    heat = np.asarray(network(image()))[..., 0]
    bias[0] = -np.quantile(heat, 0.95)
    bias[3:5] = 1
    network.layers[-1].set_weights([kernel, bias])
    return network


def image(height=64, width=64, seed=0):
    """(1, H, W, 3): what a network is given of noise."""
    gray = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4), np.uint8)
    return detector_input(gray.repeat(4, 0).repeat(4, 1))[None].transpose(0, 2, 3, 1)


@pytest.fixture(scope="module")
def scenes(network):
    """Twelve small scenes, in which what the network finds is true."""
    made = []
    none = np.zeros((0, 4), np.float32)
    for seed in range(12):
        gray = np.random.default_rng(seed).integers(0, 256, (16, 16), np.uint8).repeat(4, 0).repeat(4, 1)
        cells = np.asarray(network(detector_input(gray)[None].transpose(0, 2, 3, 1)))[0, ..., :5].transpose(2, 0, 1)
        boxes, scores = non_maximum_suppression(*decoded(cells))
        boxes = boxes[scores >= 0.5]
        made.append(Scene(gray, boxes, np.zeros(len(boxes), np.uint8), none, none, none))
    assert sum(len(scene.boxes) for scene in made) > 12
    return made


@pytest.fixture
def source(network, tmp_path):
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "detector.keras"
    network.save(path)
    (path.parent / "run.json").write_text(json.dumps({"command": "digitocr train", "settings": {"seed": 5}}))
    return path


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(module, "CALIBRATION_SCENES", 4)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(content, given):
    """(N, 5, H/4, W/4): centres and boxes together."""
    session = onnxruntime.InferenceSession(content)
    assert [value.name for value in session.get_outputs()] == ["centres", "boxes"]
    return np.concatenate(session.run(None, {"image": given.transpose(0, 3, 1, 2)}), 1)


@pytest.mark.parametrize(("quantize", "name"), [("none", "detector-float32.onnx"), ("int8", "detector-int8.onnx")])
def test_a_file_is_proved_and_says_what_it_is(quantize, name, source, scenes, tmp_path, monkeypatch):
    monkeypatch.setitem(module.DETECTOR_LIMITS, "int8", DetectorLimits(60.0, 0.4))  # of random weights int8 keeps less
    report = export_detector(source, quantize, tmp_path / "out", scenes)
    beside = [f"{name}{end}" for end in ("", ".golden.h", ".golden.json", ".json", ".report.json")]
    assert names(tmp_path / "out") == beside
    content = (tmp_path / "out" / name).read_bytes()
    assert report["passed"] is True
    assert report["failures"] == []
    assert (report["scenes"], report["digits"]) == (8, sum(len(scene.boxes) for scene in scenes[4:]))
    assert report["keras"] == {"found": 1.0, "right": 1.0}
    assert report["sha256"] == hashlib.sha256(content).hexdigest()
    assert report["bytes"] == len(content)
    card = json.loads((tmp_path / "out" / f"{name}.json").read_text())
    inside = json.loads(onnx.load_from_string(content).metadata_props[0].value)
    assert {key: card[key] for key in inside} == inside
    assert (card["sha256"], card["bytes"]) == (report["sha256"], len(content))
    assert (card["name"], card["quantization"], card["training"]["seed"]) == (name[:-5], quantize, 5)
    proof = json.loads((tmp_path / "out" / f"{name}.report.json").read_text())
    assert proof == {key: value for key, value in report.items() if key not in ("path", "bytes")}
    if quantize == "none":
        assert report["found"] == report["right"] == report["same"] == 1
        assert report["largest difference"] < 1e-3
    else:
        assert report["largest difference"] > 1e-3
        assert len(content) < 0.5 * 4 * 250_000


def test_a_tflite_file_takes_one_size_and_finds_what_keras_finds(source, scenes, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "DETECTED_SCORE", 0.3)
    report = export_detector(source, "none", tmp_path, scenes, sides=(80, 96))
    assert (report["file"], report["passed"]) == ("detector-96x80-float32.tflite", True)
    assert report["scenes"] == 2  # each of four scenes
    assert report["same"] == 1
    assert report["drop"] == 0
    assert report["largest difference"] < 1e-3
    card = json.loads((tmp_path / f"{report['file']}.json").read_text())
    assert card["tensors"] == {
        "image": {"shape": [1, 80, 96, 3], "dtype": "float32"},
        "centres": {"shape": [1, 20, 24, 1], "dtype": "float32"},
        "boxes": {"shape": [1, 20, 24, 4], "dtype": "float32"},
    }
    result = selftest(tmp_path / report["file"])
    assert (result["network"], result["passed"]) == ("detector", True)


@pytest.mark.parametrize("sides", [(72, 96), (96, 100), (1032, 96)])
def test_a_size_that_is_not_possible_is_said(sides, tmp_path):
    with pytest.raises(UsageError, match=rf"size is {sides[1]}x{sides[0]}; both sides must be multiples of 8"):
        export_detector(tmp_path / "none.keras", "none", tmp_path, [], sides=sides)


def test_joined_scenes_have_whole_digits_and_ignore_parts(scenes):
    none = np.zeros((0, 4), np.float32)
    boxes = np.array([[4, 4, 10, 10], [30, 4, 10, 10]], np.float32)
    labels = np.array([3, 8], np.uint8)
    made = [Scene(np.full((64, 64), level, np.uint8), boxes, labels, none, none, none) for level in range(5)]
    (one,) = module.joined(made, (80, 96))
    assert one.image.shape == (80, 96)
    assert [one.image[0, 0], one.image[0, 95], one.image[79, 0], one.image[79, 95]] == [0, 1, 2, 3]
    assert one.boxes.tolist() == [
        [4, 4, 10, 10],
        [30, 4, 10, 10],
        [68, 4, 10, 10],
        [4, 68, 10, 10],
        [30, 68, 10, 10],
        [68, 68, 10, 10],
    ]
    assert one.labels.tolist() == [3, 8, 3, 3, 8, 3]
    assert one.ignored.tolist() == [[94, 4, 10, 10], [94, 68, 10, 10]]


def test_int8_comes_near(network, source, scenes, tmp_path, monkeypatch):
    monkeypatch.setitem(module.DETECTOR_LIMITS, "int8", DetectorLimits(100.0, 0.0))
    export_detector(source, "int8", tmp_path, scenes)
    given = image(seed=3)
    exact = np.asarray(network(given))[..., :5].transpose(0, 3, 1, 2)
    away = run((tmp_path / "detector-int8.onnx").read_bytes(), given) - exact
    for channel in range(5):
        assert np.abs(away[:, channel]).mean() < 0.25 * exact[:, channel].std()


def test_weights_keep_to_seven_bits(source, scenes, tmp_path, monkeypatch):
    monkeypatch.setitem(module.DETECTOR_LIMITS, "int8", DetectorLimits(100.0, 0.0))
    export_detector(source, "int8", tmp_path, scenes)
    stored = [onnx.numpy_helper.to_array(t) for t in onnx.load(str(tmp_path / "detector-int8.onnx")).graph.initializer]
    kernels = [weight for weight in stored if weight.dtype == np.int8 and weight.ndim == 4]
    assert len(kernels) >= 12
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) == 64


@pytest.mark.parametrize(
    ("damage", "why"), [(0.0, "of the boxes are those of Keras"), (-2.0, "F1 drops by"), (np.nan, "not numbers")]
)
def test_damaged_weights_are_refused_and_leave_only_a_report(damage, why, source, scenes, tmp_path, monkeypatch):
    right = graph_module._fused

    def wrong(layer):
        kernel, bias = right(layer)
        return (kernel * np.float32(damage), bias) if len(kernel) == 48 else (kernel, bias)

    monkeypatch.setattr(graph_module, "_fused", wrong)
    with pytest.raises(GateError, match=why) as caught:
        export_detector(source, "none", tmp_path / "out", scenes)
    assert "\n" not in str(caught.value)
    assert names(tmp_path / "out") == ["detector-float32.onnx.report.json"]
    assert json.loads((tmp_path / "out" / "detector-float32.onnx.report.json").read_text())["passed"] is False


def test_the_score_is_counted_by_hand(scenes):
    none = np.zeros((0, 4), np.float32)
    truth = np.array([[0, 0, 10, 10], [20, 0, 10, 10]], np.float32)
    lost = np.array([[40, 0, 10, 10]], np.float32)
    scene = Scene(scenes[0].image, truth, np.zeros(2, np.uint8), lost, none, none)
    hit, ignored, wrong = [1, 0, 10, 10], [41, 0, 10, 10], [60, 0, 10, 10]
    found, right = module._score([np.array([hit, ignored, wrong], np.float32), none], [scene, scene])
    assert (found, right) == (1 / 4, 1 / 2)
    assert module._score([none], [scene]) == (0, 0)
    assert module._f1((0.5, 1.0)) == pytest.approx(2 / 3)
    assert module._f1((0, 0)) == 0


def test_nothing_is_overwritten_unasked(source, scenes, tmp_path):
    (tmp_path / "detector-float32.onnx").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        export_detector(source, "none", tmp_path, scenes)
    assert (tmp_path / "detector-float32.onnx").read_text() == "mine"
    (tmp_path / "detector-float32.onnx").rename(tmp_path / "detector-float32.onnx.json")
    with pytest.raises(OutputError, match=r"json: exists already.*--force"):
        export_detector(source, "none", tmp_path, scenes)
    assert names(tmp_path) == ["detector-float32.onnx.json", "run"]
    (tmp_path / "detector-float32.onnx").write_text("mine")
    export_detector(source, "none", tmp_path, scenes, force=True)
    assert (tmp_path / "detector-float32.onnx").read_bytes() != b"mine"


def test_a_folder_that_cannot_be_written_is_said(source, scenes, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        export_detector(source, "none", tmp_path / "file" / "out", scenes)


def test_what_is_no_detector_or_no_mode_is_said_in_a_line(source, scenes, tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    (tmp_path / "junk.keras").write_bytes(b"junk")
    for name in ("other.keras", "junk.keras", "missing.keras"):
        with pytest.raises(ModelError, match=rf"{name}: holds no detector") as caught:
            export_detector(tmp_path / name, "none", tmp_path / "out", scenes)
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="float16"):
        export_detector(source, "float16", tmp_path / "out", scenes)
    assert not (tmp_path / "out").exists()


def test_the_gate_s_scenes_are_drawn_with_what_was_held_out_and_always_the_same(mnist, monkeypatch):
    monkeypatch.setattr(module, "GATE_SCENES", 3)
    given = []

    def watched(images, labels, fonts, seed):
        given.append((images, labels, seed))
        return glyphs(images, labels, fonts, hands=2, seed=seed)

    glyphs = module.Glyphs
    monkeypatch.setattr(module, "Glyphs", watched)
    one, again = (module.held_out_scenes(mnist, []) for _ in range(2))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    assert len(one) == 3
    _, held = module.split(mnist)
    images, labels, seed = given[0]
    np.testing.assert_array_equal(images, mnist.train_images[held])
    np.testing.assert_array_equal(labels, mnist.train_labels[held])
    assert seed != 0  # other hands than in training
    assert module.GATE_SEED >= 2**31  # which no training may have
