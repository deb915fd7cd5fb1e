"""Files measured beside each other, with few images and rounds."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from PIL import Image

from digitocr.export import benchmark as module
from digitocr.export.benchmark import as_text, benchmark, plot, started
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import shipped_model


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """An ONNX file that no export wrote, random weights beside it: channels first, a batch of 4, 11 classes."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, 0.01, (784, 11)).astype(np.float32), np.zeros(11, np.float32)]
    value = onnx.helper.make_tensor_value_info
    nodes = [onnx.helper.make_node("Flatten", ["x"], ["f"]), onnx.helper.make_node("Gemm", ["f", "w", "b"], ["y"])]
    ends = [value("x", 1, [4, 1, 28, 28]), value("y", 1, [4, 11])]
    weights = [onnx.numpy_helper.from_array(part, name) for part, name in zip(parts, "wb", strict=True)]
    graph = onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    path = tmp_path_factory.mktemp("foreign") / "foreign.onnx"
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    onnx.save(model, path, save_as_external_data=True, location="foreign.onnx.data")
    return path


@pytest.fixture(scope="module")
def few(mnist):
    return replace(mnist, test_images=mnist.test_images[:70], test_labels=mnist.test_labels[:70])


@pytest.fixture(scope="module")
def result(few, foreign):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COLD_STARTS", 1)
        patch.setattr(module, "TURN_SECONDS", 0.001)
        return benchmark([shipped_model("digitocr-int8.onnx"), foreign], few, rounds=2)


def test_each_file_has_a_row_with_all_numbers(result):
    assert json.loads(json.dumps(result)) == result
    ours, theirs = result["models"]
    assert (ours["file"], ours["runtime"], ours["changed"], ours["findings"]) == (
        "digitocr-int8.onnx",
        "onnxruntime",
        0,
        [],
    )
    assert ours["accuracy"] == 1
    assert (ours["least"], ours["batch"], theirs["least"], theirs["batch"]) == (1, 64, 4, 4)
    assert theirs["changed"] > 40  # random weights
    assert any("unknown" in line for line in theirs["findings"])
    assert ours["kb"] == round(shipped_model("digitocr-int8.onnx").stat().st_size / 1000, 1)
    assert theirs["kb"] > 4 * 784 * 11 / 1000  # with the weights
    for row in result["models"]:
        assert 0 < row["p50_us"] <= row["p95_us"]
        assert row["cold_ms"] > 10
        assert row["memory_mb"] > 15
        assert row["per_second"] > 0


def test_the_table_has_a_line_for_each_file_and_for_each_finding(result):
    lines = as_text(result).splitlines()
    assert lines[0].split() == [
        "file",
        "KB",
        "accuracy",
        "changed",
        "p50",
        "us",
        "p95",
        "us",
        "digits/s",
        "cold",
        "ms",
        "MB",
    ]
    assert [line.split()[0] for line in lines[1:3]] == ["digitocr-int8.onnx", "foreign.onnx"]
    assert lines[3].startswith("70 test images; one thread, 2 rounds")
    assert lines[4].startswith("foreign.onnx  input: (4, 1, 28, 28) float32")


def test_the_plot_is_a_picture(result, tmp_path):
    plot(result, tmp_path / "a", "png")
    with Image.open(tmp_path / "a") as drawn:
        assert drawn.size == (800, 500)
    plot(result, tmp_path / "b", "svg")
    assert b"<svg" in (tmp_path / "b").read_bytes()


def test_a_file_that_ends_its_process_is_one_error(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    np.save(tmp_path / "x.npy", np.zeros((1, 28, 28, 1), np.float32))
    with (
        pytest.raises(ModelError, match=r"broken\.onnx: ends its process \(exit code 1\)"),
        started(tmp_path / "broken.onnx", tmp_path / "x.npy"),
    ):
        pass
