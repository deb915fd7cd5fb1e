import hashlib
import json

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.export import graph_to_onnx as graph_module
from digitocr.export import recognizer as module
from digitocr.export.recognizer import LABELS, export_recognizer
from digitocr.runtime.errors import GateError, ModelError, OutputError, UsageError
from digitocr.runtime.interpreter import PlanesNetwork
from digitocr.runtime.recognizer import CLASS_COUNT, GAP, OTHER, Recognizer, recognizer_input, softmax
from digitocr.runtime.selftest import selftest
from digitocr.train.quiet import silenced
from digitocr.train.recognizer.score import digits
from digitocr.train.synthesis.strips import Strip

with silenced():
    import keras

    from digitocr.train.recognizer.network import build_recognizer, columns

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

CALIBRATION = 4  # strips


def picture(seed, width=64):
    """(32, width) uint8: blocks of noise."""
    gray = np.random.default_rng(seed).integers(0, 256, (8, width // 4), np.uint8)
    return gray.repeat(4, 0).repeat(4, 1)


def given(image):
    """(1, 32, W, 2): what the network is given of a strip."""
    return recognizer_input(image).transpose(1, 2, 0)[None]


@pytest.fixture(scope="module")
def network(random_norms):
    """Random weights whose answers are mixed: each class is the best one now and then."""
    network = random_norms(build_recognizer)
    logits = np.concatenate([np.asarray(network(given(picture(seed)))) for seed in range(20)])
    kernel, bias = network.layers[-1].get_weights()
    spread = logits.std((0, 1, 2))
    network.layers[-1].set_weights([4 * kernel / spread, bias - 4 * logits.mean((0, 1, 2)) / spread])
    return network


@pytest.fixture(scope="module")
def strips(network):
    """Small strips in which what the network reads is true."""
    made = [strip(network, picture(seed)) for seed in range(30, 42)]
    assert sum(len(strip.text) for strip in made) > 24
    return made


def strip(network, image):
    (line,) = softmax(np.asarray(columns(network(given(image)))))
    none = np.zeros(len(line), np.float32)
    return Strip(image, none, none, none, none, none, digits(line), ())  # columns are not looked at


@pytest.fixture
def source(network, tmp_path):
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "recognizer.keras"
    network.save(path)
    (path.parent / "run.json").write_text(json.dumps({"command": "digitocr train", "settings": {"seed": 5}}))
    return path


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(module, "CALIBRATION_STRIPS", CALIBRATION)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("quantize", "name"), [("none", "recognizer-float32.onnx"), ("int8", "recognizer-int8.onnx")])
def test_a_file_is_proved_and_says_what_it_is(quantize, name, network, source, strips, tmp_path, monkeypatch):
    monkeypatch.setitem(module.RECOGNIZER_LIMITS, "int8", 200.0)  # of random weights int8 keeps less
    report = export_recognizer(source, quantize, tmp_path / "out", strips)
    beside = [f"{name}{end}" for end in ("", ".golden.h", ".golden.json", ".json", ".report.json")]
    assert names(tmp_path / "out") == beside
    content = (tmp_path / "out" / name).read_bytes()
    assert (report["passed"], report["failures"], report["strips"]) == (True, [], len(strips) - CALIBRATION)
    assert report["keras"] == {"digits": 1.0, "exact": 1.0}
    assert (report["sha256"], report["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    card = json.loads((tmp_path / "out" / f"{name}.json").read_text())
    recognizer = Recognizer(tmp_path / "out" / name)
    assert {key: card[key] for key in recognizer.card} == recognizer.card
    assert (card["sha256"], card["bytes"]) == (report["sha256"], len(content)) == (recognizer.sha256, len(content))
    assert (card["name"], card["quantization"], card["training"]["seed"]) == (name[:-5], quantize, 5)
    proof = json.loads((tmp_path / "out" / f"{name}.report.json").read_text())
    assert proof == {key: value for key, value in report.items() if key not in ("path", "bytes")}
    image = picture(7, 72)
    exact = softmax(np.asarray(columns(network(given(image)))))[0]
    away = np.abs(recognizer.columns([image])[0] - exact)
    if quantize == "none":
        assert report["digits"] == report["exact"] == report["same"] == 1
        assert report["largest difference"] < 1e-3
        assert away.max() < 1e-3
    else:
        assert report["largest difference"] > 1e-3
        assert 0 < away.mean() < 0.4 * exact.std()  # random weights keep less
        assert len(content) < 0.5 * 4 * network.count_params()


def test_a_tflite_file_takes_strips_of_one_size_and_reads_what_keras_reads(network, source, tmp_path):
    strips = [strip(network, picture(seed, 160)) for seed in range(8)]
    report = export_recognizer(source, "none", tmp_path, strips, tflite=True)
    assert (report["file"], report["passed"]) == ("recognizer-160x32-float32.tflite", True)
    assert (report["keras"]["digits"], report["digits"], report["same"]) == (1, 1, 1)
    assert report["largest difference"] < 1e-3
    card = json.loads((tmp_path / f"{report['file']}.json").read_text())
    assert card["tensors"]["image"] == {"shape": [1, 32, 160, 2], "dtype": "float32"}
    assert card["tensors"]["logits"] == {"shape": card["output"]["shape"], "dtype": "float32"}
    model = PlanesNetwork(tmp_path / report["file"])
    assert (model.card["tensors"], model.sha256) == (card["tensors"], report["sha256"])
    with pytest.raises(ModelError, match=r"is a \.onnx file: give that"):
        Recognizer(tmp_path / report["file"])
    assert json.loads(CliRunner().invoke(command_line(()), ["info", str(tmp_path / report["file"])]).stdout) == {
        **model.card,
        "sha256": model.sha256,
    }
    result = selftest(tmp_path / report["file"])
    assert (result["network"], result["passed"], result["same answers"]) == ("recognizer", True, 20)


def test_weights_keep_to_seven_bits(source, strips, tmp_path, monkeypatch):
    monkeypatch.setitem(module.RECOGNIZER_LIMITS, "int8", 200.0)
    export_recognizer(source, "int8", tmp_path, strips)
    stored = [
        onnx.numpy_helper.to_array(t) for t in onnx.load(str(tmp_path / "recognizer-int8.onnx")).graph.initializer
    ]
    kernels = [weight for weight in stored if weight.dtype == np.int8 and weight.ndim == 4]
    assert len(kernels) == sum(isinstance(layer, graph_module.CONVOLUTIONS) for layer in build_recognizer().layers)
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) == 64


@pytest.mark.parametrize(("damage", "why"), [(0.0, "of the digits are lost"), (np.nan, "not numbers")])
def test_damaged_weights_are_refused_and_leave_only_a_report(damage, why, source, strips, tmp_path, monkeypatch):
    right = graph_module._fused

    def wrong(layer):
        kernel, bias = right(layer)
        return (kernel * np.float32(damage), bias) if len(kernel) == 2 * CLASS_COUNT else (kernel, bias)

    monkeypatch.setattr(graph_module, "_fused", wrong)
    with pytest.raises(GateError, match=why) as caught:
        export_recognizer(source, "none", tmp_path / "out", strips)
    assert "\n" not in str(caught.value)
    assert names(tmp_path / "out") == ["recognizer-float32.onnx.report.json"]
    assert json.loads((tmp_path / "out" / "recognizer-float32.onnx.report.json").read_text())["passed"] is False


def test_labels_name_every_class():
    assert len(LABELS) == CLASS_COUNT
    assert (LABELS[7], LABELS[OTHER], LABELS[GAP]) == ("7", "other", "gap")


def test_nothing_is_overwritten_unasked(source, strips, tmp_path):
    (tmp_path / "recognizer-float32.onnx").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        export_recognizer(source, "none", tmp_path, strips)
    assert (tmp_path / "recognizer-float32.onnx").read_text() == "mine"
    export_recognizer(source, "none", tmp_path, strips, force=True)
    assert (tmp_path / "recognizer-float32.onnx").read_bytes() != b"mine"


def test_what_is_no_recognizer_or_no_mode_is_said_in_a_line(source, strips, tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    (tmp_path / "junk.keras").write_bytes(b"junk")
    for name in ("other.keras", "junk.keras", "missing.keras"):
        with pytest.raises(ModelError, match=rf"{name}: holds no recognizer") as caught:
            export_recognizer(tmp_path / name, "none", tmp_path / "out", strips)
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="float16"):
        export_recognizer(source, "float16", tmp_path / "out", strips)
    assert not (tmp_path / "out").exists()


def test_the_gate_s_strips_are_drawn_with_what_was_held_out_and_always_the_same(mnist, monkeypatch):
    monkeypatch.setattr(module, "GATE_STRIPS", 3)
    monkeypatch.setattr(module, "held_out", lambda fonts: fonts[1:])
    seen = []

    def watched(images, labels, fonts, seed):
        seen.append((images, labels, fonts, seed))
        return glyphs(images, labels, [], hands=2, seed=seed)

    glyphs = module.Glyphs
    monkeypatch.setattr(module, "Glyphs", watched)
    one, again = (module.held_out_strips(mnist, ("a", "b")) for _ in range(2))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    assert len(one) == 3
    _, held = module.split(mnist)
    images, labels, fonts, seed = seen[0]
    np.testing.assert_array_equal(images, mnist.train_images[held])
    np.testing.assert_array_equal(labels, mnist.train_labels[held])
    assert fonts == ["b"]
    assert seed != 0  # other hands than in training
    assert module.GATE_SEED >= 2**31  # which no training may have
