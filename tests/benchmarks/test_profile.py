"""The steps of a read are measured without those inside them, and nothing stays replaced."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from digitocr import Reader
from digitocr.runtime import detector

ROOT = Path(__file__).parents[2]


@pytest.fixture
def floor(benchmark_module):
    return benchmark_module("floor")


@pytest.fixture
def profile(benchmark_module):
    """The script, under a name that is not that of a module of Python."""
    benchmark_module("timing")
    spec = importlib.util.spec_from_file_location("profile_of_a_read", ROOT / "benchmarks" / "profile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_products_of_a_network_are_counted(floor):
    weights = [
        numpy_helper.from_array(np.zeros(shape, np.float32), name)
        for name, shape in (("a", (8, 3, 3, 3)), ("b", (8, 1, 3, 3)), ("c", (8, 5)))
    ]
    nodes = [
        helper.make_node("Conv", ["image", "a"], ["x"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Conv", ["x", "b"], ["y"], pads=[1, 1, 1, 1], group=8),
        helper.make_node("GlobalAveragePool", ["y"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "c"], ["out"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 5])
    model = helper.make_model(
        helper.make_graph(nodes, "net", [image], [out], weights), opset_imports=[helper.make_opsetid("", 17)]
    )
    each = 10 * 20 * 8 * 27 + 10 * 20 * 8 * 9
    assert floor.multiply_accumulates(model, (1, 3, 20, 40)) == each + 8 * 5


def test_a_step_s_time_is_without_that_of_the_steps_inside_it(profile, monkeypatch):
    clock, spent = profile.Clock(), 0.0
    monkeypatch.setattr(time, "thread_time", lambda: spent)

    def busy(seconds):
        nonlocal spent
        spent += seconds

    inner = clock.timed("inner", lambda: busy(2))

    def outer():
        busy(1)
        inner()

    clock.timed("outer", outer)()
    assert clock.calls == {"inner": 1, "outer": 1}
    assert clock.seconds == {"inner": 2, "outer": 1}


def test_every_step_of_a_read_is_in_the_table_and_everything_is_put_back(profile):
    before = Reader.read, detector.detector_input
    rows = {row["step"]: row for row in profile.steps([ROOT / "examples" / "marker.jpg"])}
    assert (Reader.read, detector.detector_input) == before
    assert list(rows) == [*profile.STEPS, "all"]
    for step, row in rows.items():
        assert step == "the rest" or row["calls a picture"] != 0, step
    parts = sum(row["ms a picture"] for step, row in rows.items() if step != "all")
    assert parts == pytest.approx(rows["all"]["ms a picture"], abs=0.1)
    assert rows["detector"]["times the floor"] > 0.5
