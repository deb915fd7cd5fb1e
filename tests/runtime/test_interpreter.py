import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import ModelError, UsageError
from digitocr.runtime.interpreter import PlanesNetwork, _share_arena, first_line, onnx_session
from digitocr.runtime.models import shipped_model

DETECTOR = "detector-int8.onnx"
PEAK = """
import re, sys
from pathlib import Path
import numpy as np
from digitocr.runtime import interpreter
from digitocr.runtime.models import shipped_model
if sys.argv[1] == "own":
    interpreter._share_arena = lambda: None
path = shipped_model("detector-int8.onnx")
session = interpreter.onnx_session(path.read_bytes(), path, 1)
for height, width in ((272, 208), (432, 528), (640, 640), (768, 784), (864, 912), (1056, 1056)):
    session.run(None, {"image": np.zeros((1, 3, height, width), np.float32)})
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def refused(what, path, *words):
    """Calls it; the message of its ModelError must be one line that names the path."""
    with pytest.raises(ModelError) as caught:
        what()
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("threads", [1, 3])
def test_a_session_runs_on_the_processor_in_so_many_threads_and_does_not_spin(threads):
    path = shipped_model(DETECTOR)
    session = onnx_session(path.read_bytes(), path, threads)
    options = session.get_session_options()
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_pictures_of_other_sizes_take_the_same_memory():
    peaks = {
        arena: int(subprocess.run([sys.executable, "-c", PEAK, arena], check=True, capture_output=True).stdout)
        for arena in ("own", "shared")
    }
    assert peaks["shared"] < peaks["own"] - 2048, peaks  # KB


def test_an_arena_of_the_process_is_shared_where_there_is_one():
    onnx_session(shipped_model(DETECTOR).read_bytes(), shipped_model(DETECTOR), 1)
    _share_arena.cache_clear()  # the arena is there already
    session = onnx_session(shipped_model(DETECTOR).read_bytes(), shipped_model(DETECTOR), 1)
    assert session.run(None, {"image": np.zeros((1, 3, 32, 32), np.float32)})[0].shape == (1, 1, 8, 8)


@pytest.mark.parametrize("content", [b"", b"no model", bytes(5000)])
def test_what_onnx_runtime_cannot_load_is_a_line_and_nothing_on_stderr(content, tmp_path, capfd):
    path = tmp_path / "m.onnx"
    refused(lambda: onnx_session(content, path, 1), path, "ONNX Runtime cannot load it")
    assert capfd.readouterr() == ("", "")


def test_weights_in_a_file_of_their_own_are_found_beside_the_model(tmp_path, monkeypatch):
    onnx = pytest.importorskip("onnx")
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 19):
        pytest.skip("are looked for where one works")
    whole = shipped_model("digitocr-int8.onnx")
    path = tmp_path / "model" / "m.onnx"
    path.parent.mkdir()
    onnx.save_model(onnx.load(whole), path, save_as_external_data=True, location="m.onnx.data", size_threshold=1024)
    picture = {"image": np.random.default_rng(0).random((1, 28, 28, 1), np.float32)}
    wanted = onnx_session(whole.read_bytes(), whole, 1).run(None, picture)
    for folder, name in ((tmp_path, "model/m.onnx"), (path.parent, "m.onnx")):
        monkeypatch.chdir(folder)
        given = onnx_session(path.read_bytes(), Path(name), 1).run(None, picture)
        np.testing.assert_array_equal(given, wanted)


def test_of_a_long_error_the_first_line_is_kept():
    assert first_line(ValueError("\n what \nand why")) == "what "
    assert len(first_line(ValueError("x" * 5000))) == 200


def test_providers_are_onnx_runtime_s_and_those_that_are_not_there_are_usage_errors():
    path = shipped_model(DETECTOR)
    for providers in (["NoSuchProvider"], ["CPUExecutionProvider", "NoSuchProvider"], []):
        with pytest.raises(UsageError, match="CPUExecutionProvider") as caught:
            onnx_session(path.read_bytes(), path, 1, providers)
        assert "\n" not in str(caught.value)


def test_a_provider_that_does_not_start_is_not_replaced_by_the_processor_in_silence(monkeypatch):
    path, real = shipped_model(DETECTOR), pytest.importorskip("onnxruntime").InferenceSession
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: available)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda content, options, **_: real(content, options))
    with pytest.raises(UsageError, match="CUDAExecutionProvider does not start"):
        onnx_session(path.read_bytes(), path, 1, ["CUDAExecutionProvider"])


@pytest.mark.parametrize("name", ["digitocr-int8.tflite", "digitocr-int8.onnx"])
def test_threads_may_share_an_interpreter(name):
    if name.endswith(".tflite"):
        pytest.importorskip("ai_edge_litert")
    classifier, count = Classifier(shipped_model(name)), 4
    tensors = np.random.default_rng(0).random((count, 28, 28, 1), np.float32)
    expected = [classifier.predict(one[None]) for one in tensors]
    start = threading.Barrier(count)

    def work(number):
        start.wait()
        return [classifier.predict(tensors[number : number + 1]) for _ in range(200)]

    with ThreadPoolExecutor(count) as pool:
        for answers, right in zip(pool.map(work, range(count)), expected, strict=True):
            for answer in answers:
                np.testing.assert_array_equal(answer, right)


def test_planes_give_the_outputs_by_their_names(tmp_path):
    model = PlanesNetwork(shipped_model(DETECTOR))
    assert model.sides == (None, None)
    outputs = model.outputs(np.zeros((1, 3, 16, 24), np.float32))
    assert {name: values.shape for name, values in outputs.items()} == {"centres": (1, 1, 4, 6), "boxes": (1, 4, 4, 6)}
    (tmp_path / "m.tflite").write_bytes(b"no model")
    pytest.importorskip("ai_edge_litert")
    refused(lambda: PlanesNetwork(tmp_path / "m.tflite"), tmp_path / "m.tflite", "LiteRT cannot load it")
