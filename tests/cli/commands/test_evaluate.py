"""The command evaluate, on MNIST cut short, as a whole process."""

import json
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from matplotlib import get_data_path

from digitocr.runtime.models import MODELS

FEW = """
import sys
from dataclasses import replace
from digitocr.cli import main
from digitocr.train import data
from digitocr.train.evaluation import evaluate
whole = data.load_mnist
def few(*words):
    mnist = whole(*words)
    return replace(mnist, test_images=mnist.test_images[:100], test_labels=mnist.test_labels[:100])
data.load_mnist, evaluate.NON_DIGITS, evaluate.PAGES = few, 30, 2
leave = main._leave
heavy = {"tensorflow", "keras", "matplotlib"}
main._leave = lambda words, code: leave(words, 99 if heavy & set(sys.modules) else code)
main.main()
"""


@pytest.fixture
def fonts(tmp_path):
    (tmp_path / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    return tmp_path


def evaluate(*words, **environment):
    command = [sys.executable, "-c", FEW, "evaluate", *map(str, words)]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.mark.usefixtures("mnist")
def test_evaluate_prints_a_table_or_the_same_as_json_without_the_libraries_of_training(fonts):
    table = evaluate("--fonts", fonts, "--conf", "0.25")
    assert (table.returncode, table.stderr) == (0, "")
    assert table.stdout.startswith("model         digitocr-int8")
    assert "accepted at 0.25" in table.stdout
    done = evaluate("--fonts", fonts, "--conf", "0.25", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["mnist"]["images"] == 100
    assert (report["seed"], report["conf"], report["fonts"]) == (0, 0.25, ["sans.ttf"])
    assert f"{report['corruptions']['mean']:.2%} on average (made after MNIST-C's fifteen kinds)" in table.stdout
    assert report["mnist_c"] is None
    gate = evaluate("--fonts", fonts, "--images", 50, "--min-accuracy", "1.0")
    assert (gate.returncode, "MNIST         100.00% of 50" in gate.stdout) == (0, True)


@pytest.mark.usefixtures("mnist")
def test_a_network_of_others_is_judged_and_refused_by_its_accuracy(fonts, tmp_path):
    model = onnx.load(MODELS / "digitocr-int8.onnx")
    del model.metadata_props[:]
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.full(1, 50, np.float32), "noise"))
    last = model.graph.output[0].name
    model.graph.node.append(onnx.helper.make_node("Mod", [last, "noise"], ["rest"], fmod=1))  # of logits above 50
    model.graph.node.append(onnx.helper.make_node("Sin", ["rest"], ["wrong"]))
    model.graph.output[0].name = "wrong"
    onnx.save(model, tmp_path / "other.onnx")
    done = evaluate("--fonts", fonts, "--model", tmp_path / "other.onnx", "--images", 50, "--min-accuracy", "0.999")
    assert done.returncode == 6
    assert "other reads " in done.stderr
    assert "levels        " in done.stdout
    assert "output        " in done.stdout


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--model", "missing.onnx"], 5, "missing.onnx"),
        (["--conf", "1.5"], 2, "--conf"),
        (["--seed", "-1"], 2, "--seed"),
        (["--fonts", os.devnull], 4, "--fonts DIR"),
        (["--data", os.devnull], 4, "is a pipe or a device"),
        (["--mnist-c", os.devnull], 4, "mnist_c.zip"),
    ],
)
def test_errors_are_a_line_and_an_exit_code(words, code, message, fonts):
    done = evaluate("--fonts", fonts, *words)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr
