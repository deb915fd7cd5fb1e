"""The benchmark of digitocr.wasm: its inputs, and what it says of times."""

import numpy as np
import pytest


@pytest.fixture
def web(benchmark_module):
    return benchmark_module("web")


@pytest.mark.parametrize("name", ["a digit", "the detector's network, 128x96", "the recognizer's network, 320x32"])
def test_both_get_the_same_noise_each_in_its_order(web, tmp_path, name):
    step = web.step(tmp_path, name, *web.RUNS[name])
    floats = np.fromfile(tmp_path / step["floats"], np.float32).reshape(step["shape"])[0]
    pixels = np.fromfile(tmp_path / step["bytes"], np.uint8).reshape(step["rows"], step["columns"], -1)
    if name == "a digit":
        assert np.array_equal(pixels, np.rint(floats * 255))
        return
    channels_last = floats.transpose(2, 1, 0) if "recognizer" in name else floats.transpose(1, 2, 0)
    assert np.array_equal(np.argsort(channels_last, None, "stable"), np.argsort(pixels, None, "stable"))
    assert np.unique(pixels).size == np.unique(floats).size == 256


def test_the_least_and_the_middle_time_count(web):
    row = web.row("a digit", {"differ": 0, "ms": [[4, 2, 30], [3, 1, 1]]})
    assert (row["onnxruntime-web, ms"], row["digitocr.wasm, ms"]) == ("2", "1")
    assert (row["ratio"], row["ratio of medians"], row["values that differ"]) == ("0.50", "0.25", 0)


def test_the_runs_of_a_reading_are_listed(web):
    from digitocr import Reader

    digit = np.full((60, 60), 230, np.uint8)
    digit[10:50, 28:33] = 20
    runs = web.runs_of(Reader(), digit)
    assert {network for network, _ in runs} == {0, web.DETECTOR, web.RECOGNIZER}
    assert all(len(shape) == 4 for _, shape in runs)
