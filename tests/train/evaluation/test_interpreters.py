"""Files in their interpreters, and the script that times one."""

import json
import subprocess
import sys

import numpy as np
import pytest

from digitocr.runtime.models import shipped_model
from digitocr.train.evaluation import interpreters
from digitocr.train.evaluation.interpreters import End, open_onnx, open_tflite


@pytest.mark.parametrize(("opened", "suffix", "batch"), [(open_onnx, "onnx", None), (open_tflite, "tflite", 1)])
def test_a_signature_says_what_the_file_states(opened, suffix, batch):
    network = opened(shipped_model(f"digitocr-float32.{suffix}"))
    assert network.signature.input == End((batch, 28, 28, 1), "float32")
    assert network.signature.output == End((batch, 11), "float32")
    assert network(np.zeros((1, 28, 28, 1), np.float32)).shape == (1, 11)


def test_integers_have_their_scale():
    given = open_tflite(shipped_model("digitocr-int8.tflite")).signature.input
    assert (given.dtype, given.zero_point) == ("int8", -128)
    assert given.scale == pytest.approx(1 / 255)


def test_the_script_times_calls_and_imports_nothing_of_digitocr(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((8, 28, 28, 1), np.float32))
    words = [sys.executable, interpreters.__file__, shipped_model("digitocr-int8.onnx"), tmp_path / "x.npy"]
    done = subprocess.run(words, input="3 1\n2 8\n", capture_output=True, text=True, check=True)
    ready, singles, batches, peak = done.stdout.splitlines()
    assert ready == "ready"
    assert [len(json.loads(line)) for line in (singles, batches)] == [3, 2]
    assert int(peak) > 15_000_000
    loaded = f"import runpy, sys; runpy.run_path({interpreters.__file__!r}); print('digitocr' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
