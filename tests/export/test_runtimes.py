import runpy
from importlib.util import find_spec

import numpy as np
import pytest

from digitocr.export import runtimes as module
from digitocr.export.runtimes import RUNTIMES, Opened, Runtime
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import MissingLibraryError, ModelError, UsageError
from digitocr.runtime.models import shipped_model


@pytest.fixture
def tensors():
    """Three pictures of noise."""
    return np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.float32) / np.float32(255)


@pytest.fixture
def script(monkeypatch, tmp_path):
    """A function that makes a model file of Python code, which the runtime "script" runs when it opens it."""
    monkeypatch.setitem(RUNTIMES, "script", Runtime(runpy.run_path, (".onnx",), ("nothere", "it-too")))

    def make(code):
        path = tmp_path / "n.onnx"
        path.write_text(code)
        return path

    return make


@pytest.mark.parametrize("name", ["digitocr-int8.onnx", "digitocr-int8.tflite"])
def test_our_own_interpreters_answer_as_the_classifier_does(name, tensors):
    if name.endswith(".tflite"):
        pytest.importorskip("ai_edge_litert")
    path = shipped_model(name)
    with Opened(path) as model:
        interface = model.interface(None)  # its card says all
        outputs, seconds = model.run(interface.inputs(tensors), 1)
        batch, _ = model.run(interface.inputs(tensors), 3)
        assert model.version[0].isdigit()
        assert model.exported
    np.testing.assert_allclose(interface.numbers(outputs, 3), Classifier(path).logits(tensors), atol=1e-5)
    np.testing.assert_array_equal(batch, outputs)
    assert seconds > 0


def test_opencv_s_own_reader_answers_nearly_the_same(tensors):
    path = shipped_model("digitocr-float32.onnx")
    with Opened(path, "opencv") as model:
        np.testing.assert_allclose(model.run(tensors, 1)[0], Classifier(path).logits(tensors), atol=1e-3)


@pytest.mark.parametrize(
    ("code", "kind", "why"),
    [
        ("import os; os.abort()", ModelError, r"n\.onnx: script ends its process \(signal 6\)"),
        ("import os; os._exit(0)", ModelError, r"ends its process \(exit code 0\)"),
        ("import nothere", MissingLibraryError, "script is not installed .*; type: pip install nothere it-too"),
        ("raise RuntimeError('first\\nsecond')", ModelError, r"n\.onnx: script refuses it \(first\)"),
    ],
)
def test_what_a_file_or_a_runtime_does_ends_as_one_error(code, kind, why, script):
    with pytest.raises(kind, match=why) as error:
        Opened(script(code), "script")
    assert "\n" not in str(error.value)


def test_a_failure_in_the_middle_is_an_error_too(script, tensors):
    with Opened(script("pass"), "script") as model, pytest.raises(ModelError, match="refuses it"):
        model.run(tensors, 1)


def test_a_runtime_that_never_answers_is_ended(script, monkeypatch):
    monkeypatch.setattr(module, "REPLY_SECONDS", 0.5)
    with pytest.raises(ModelError, match="has not answered"):
        Opened(script("import time; time.sleep(60)"), "script")


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "n.onnx").write_bytes(shipped_model("digitocr-int8.onnx").read_bytes()[:5000])
    with pytest.raises(ModelError, match="onnxruntime refuses it"):
        Opened(tmp_path / "n.onnx")


@pytest.mark.parametrize(
    ("name", "runtime", "why"),
    [
        ("digitocr-int8.onnx", "none", "runtime is none; it must be one of onnxruntime, "),
        ("digitocr-int8.onnx", "litert", r"litert reads \.tflite files"),
        ("digitocr-int8.tflite", "tract", r"tract reads \.onnx files"),
    ],
)
def test_what_does_not_go_together(name, runtime, why):
    with pytest.raises(UsageError, match=why):
        Opened(shipped_model(name), runtime)


@pytest.mark.parametrize("name", [name for name in RUNTIMES if RUNTIMES[name].packages[0] in ("openvino", "tract")])
def test_a_runtime_that_is_missing_is_named_with_what_to_install(name):
    package = RUNTIMES[name].packages[0]
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    with pytest.raises(MissingLibraryError, match=f"pip install {package}"):
        Opened(shipped_model("digitocr-int8.onnx"), name)
