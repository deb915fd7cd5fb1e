import importlib
import json
import logging
import shutil
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest

from digitocr.export import classifier as module
from digitocr.export.classifier import default_source, export, int8_file, load
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import GateError, InputError, ModelError, OutputError, UsageError
from digitocr.runtime.models import MODELS
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.selftest import selftest


@pytest.fixture(scope="module")
def tenth(mnist):
    """Every tenth test image: enough where only the gate's workings are looked at."""
    return replace(mnist, test_images=mnist.test_images[::10], test_labels=mnist.test_labels[::10])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_file_is_proved_on_all_test_images(source, mnist, tmp_path):
    reports = export(source, ["onnx", "tflite"], ["none", "float16", "dynamic", "int8"], tmp_path / "new", mnist)
    files = ["float32.onnx", "float32.tflite", "float16.tflite", "dynamic.tflite", "int8.onnx", "int8.tflite"]
    assert [report["file"] for report in reports] == [f"digitocr-{name}" for name in files]
    expected = [
        f"digitocr-{name}{beside}"
        for name in files
        for beside in ("", ".golden.h", ".golden.json", ".json", ".report.json")
    ]
    assert names(tmp_path / "new") == sorted(expected)
    for report in reports:
        path = tmp_path / "new" / report["file"]
        assert report["passed"] is True
        assert report["images"] == 10_000
        assert report["bytes"] == path.stat().st_size
        classifier = Classifier(path)
        assert report["sha256"] == classifier.sha256
        assert classifier.card["accuracy"] == report["accuracy"]["file"] > 0.985
        assert classifier.card["name"] == path.stem
        beside = json.loads(path.with_name(f"{path.name}.json").read_text())
        assert {**classifier.card, "sha256": classifier.sha256, "bytes": report["bytes"]} == beside
        proof = json.loads(path.with_name(f"{path.name}.report.json").read_text())
        assert proof == {key: value for key, value in report.items() if key not in ("path", "bytes")}
    sizes = {report["file"]: report["bytes"] for report in reports}
    assert max(sizes["digitocr-int8.onnx"], sizes["digitocr-int8.tflite"]) <= 165_000


def test_damaged_weights_are_refused_and_leave_only_a_report(source, tenth, tmp_path, monkeypatch):
    right = module.to_tflite

    def damaged(network, *rest):
        kernel, bias = network.layers[1].get_weights()
        kernel[0] = 0
        network.layers[1].set_weights([kernel, bias])
        right(network, *rest)

    monkeypatch.setattr(module, "to_tflite", damaged)
    with pytest.raises(GateError) as error:
        export(source, ["tflite"], ["none"], tmp_path, tenth)
    assert error.value.exit_code == 6
    assert "values: " in str(error.value)
    assert "\n" not in str(error.value)
    assert names(tmp_path) == ["digitocr-float32.tflite.report.json"]
    report = json.loads((tmp_path / "digitocr-float32.tflite.report.json").read_text())
    assert report["passed"] is False
    assert len(report["changed"]) > 0
    monkeypatch.undo()
    assert export(source, ["tflite"], ["none"], tmp_path, tenth)[0]["passed"] is True  # the old report is no hindrance


def test_tighter_limits_are_kept(source, tenth, tmp_path):
    with pytest.raises(GateError, match=r"at most 0 may|at most -1\.00 allowed"):
        export(source, ["onnx"], ["int8"], tmp_path, tenth, max_drop=-1, max_changed=0)
    assert names(tmp_path) == ["digitocr-int8.onnx.report.json"]


def test_a_wrong_fusion_is_refused_before_anything_is_written(source, tenth, tmp_path, monkeypatch):
    right = module.fuse

    def wrong(network, interface):
        fused = right(network, interface)
        kernel, bias = fused.layers[2].get_weights()
        fused.layers[2].set_weights([kernel, bias + 0.001])
        return fused

    monkeypatch.setattr(module, "fuse", wrong)
    with pytest.raises(GateError, match="fusing changed"):
        export(source, ["onnx"], ["none"], tmp_path / "new", tenth)
    assert not (tmp_path / "new").exists()


def test_without_verification_it_says_so_everywhere(source, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        (report,) = export(source, ["onnx"], ["none"], tmp_path, verify=False)
    assert "NOT VERIFIED" in caplog.text
    assert report["passed"] is None
    assert json.loads((tmp_path / "digitocr-float32.onnx.report.json").read_text())["passed"] is None
    assert Classifier(tmp_path / "digitocr-float32.onnx").card["accuracy"] is None


def test_a_run_gives_its_name_away_and_its_training_to_the_card(source, tmp_path):
    (tmp_path / "run").mkdir()
    shutil.copy(source, tmp_path / "run" / "model.keras")
    (tmp_path / "run" / "run.json").write_text(json.dumps({"command": "digitocr train", "settings": {"seed": 7}}))
    shutil.copy(source, tmp_path / "mine.keras")
    for model, stem in (("run/model.keras", "digitocr"), ("mine.keras", "mine")):
        (report,) = export(tmp_path / model, ["onnx"], ["none"], tmp_path / "out", verify=False)
        assert report["file"] == f"{stem}-float32.onnx"
    assert Classifier(tmp_path / "out" / "digitocr-float32.onnx").card["training"]["seed"] == 7


@pytest.mark.parametrize("there", ["digitocr-float32.onnx", "digitocr-float32.onnx.json"])
def test_nothing_is_overwritten_unasked(there, source, tmp_path):
    (tmp_path / there).write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        export(source, ["onnx"], ["none"], tmp_path, verify=False)
    assert (tmp_path / there).read_text() == "mine"
    export(source, ["onnx"], ["none"], tmp_path, verify=False, force=True)
    assert (tmp_path / there).read_bytes() != b"mine"


def test_a_folder_that_cannot_be_made_is_said(source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export(source, ["onnx"], ["none"], tmp_path / "file" / "out", verify=False)


@pytest.mark.parametrize(
    ("formats", "quantize", "why"),
    [
        (["onnx"], ["float16"], "float16 is for tflite"),
        (["onnx"], ["dynamic"], "dynamic is for tflite"),
        (["coreml"], ["none"], "format is coreml"),
        (["onnx"], ["int4"], "quantize is int4"),
    ],
)
def test_what_does_not_go_together(formats, quantize, why, source, tmp_path):
    with pytest.raises(UsageError, match=why):
        export(source, formats, quantize, tmp_path, verify=False)


def test_edges_and_channels_stand_in_the_names_of_the_tflite_files(tmp_path):
    def files(io, channels):
        targets = module._targets(
            tmp_path / "model.keras", ["onnx", "tflite"], ["none", "int8"], tmp_path, io, channels
        )
        return [path.name.removeprefix("digitocr-") for path, _ in targets]

    assert files("int8", 1) == ["float32.onnx", "float32.tflite", "int8.onnx", "int8.tflite"]
    assert files("uint8", 1) == ["float32.onnx", "float32.tflite", "int8.onnx", "int8-io-uint8.tflite"]
    assert files("float", 3) == ["float32.onnx", "float32-rgb.tflite", "int8.onnx", "int8-io-float-rgb.tflite"]
    with pytest.raises(UsageError, match="io is int4"):
        files("int4", 1)
    with pytest.raises(UsageError, match="channels is 2; it must be 1 or 3"):
        files("int8", 2)


def test_a_file_with_uint8_and_three_channels_passes_its_gate_and_says_what_it_takes(source, tenth, tmp_path):
    (report,) = export(source, ["tflite"], ["int8"], tmp_path, tenth, io="uint8", channels=3)
    assert report["passed"]
    card = Classifier(tmp_path / "digitocr-int8-io-uint8-rgb.tflite").card
    assert card["input"] | {"dtype": "uint8", "zero_point": 0, "shape": [1, 28, 28, 3]} == card["input"]
    assert card["output"]["dtype"] == "uint8"
    assert selftest(tmp_path / "digitocr-int8-io-uint8-rgb.tflite")["passed"]


def test_float16_of_all_formats_is_for_tflite_alone(source, tmp_path):
    reports = export(source, ["onnx", "tflite"], ["float16"], tmp_path, verify=False)
    assert [report["file"] for report in reports] == ["digitocr-float16.tflite"]


def test_what_is_no_keras_file_is_said_in_a_line(source, tmp_path):
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "model.h5").write_bytes(b"")
    shutil.copy(source, tmp_path / "cut.keras")
    with (tmp_path / "cut.keras").open("r+b") as file:
        file.truncate(1000)
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x)])
    network.save(tmp_path / "code.keras")
    for name in ("missing.keras", "empty.keras", "model.h5", "cut.keras", "zip.keras", "code.keras"):
        with pytest.raises(ModelError) as error:
            load(tmp_path / name)
        assert name in str(error.value)
        assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(ModelError, match=r"nothere\.keras: does not exist"):
        load(tmp_path / "nothere.keras")


def test_an_int8_file_to_measure_answers_as_the_shipped_one_and_needs_no_test_image(mnist, tmp_path, caplog):
    training = replace(mnist, test_images=None, test_labels=None)
    path = int8_file(MODELS / "digitocr.keras", tmp_path, training)
    assert path.parent == tmp_path
    digits = scale(mnist.train_images[:500])
    answers = [Classifier(one).predict(digits).argmax(axis=1) for one in (path, MODELS / "digitocr-int8.onnx")]
    assert np.array_equal(*answers)
    assert not caplog.records


def test_another_backend_of_keras_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="KERAS_BACKEND is jax; leave it out"):
        importlib.reload(module)  # it is refused before anything is defined anew


def test_an_interrupted_export_leaves_nothing(source, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export(source, ["onnx"], ["none"], tmp_path, verify=False)
    assert names(tmp_path) == []


def test_the_default_is_the_newest_finished_run_and_damaged_records_are_no_runs(tmp_path):
    assert default_source(tmp_path) == MODELS / "digitocr.keras"
    for name, record in (
        ("old", '{"ended": "2026-01-01"}'),
        ("new", '{"ended": "2026-02-01"}'),
        ("unfinished", '{"ended": null}'),
        ("damaged", '{"ended": '),
        ("list", "[1, 2]"),
        ("deep", "[" * 100_000),
        ("binary", "\udcff"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes(record.encode("utf-8", "surrogateescape"))
        (tmp_path / name / "model.keras").touch()
    (tmp_path / "detector").mkdir()
    (tmp_path / "detector" / "run.json").write_text('{"ended": "2026-03-01"}')
    assert default_source(tmp_path) == tmp_path / "new" / "model.keras"


@pytest.mark.parametrize("other", ["detector.keras", "recognizer.keras"])
def test_networks_that_were_taught_together_are_the_default_together(tmp_path, other):
    (tmp_path / "adapted").mkdir()
    (tmp_path / "adapted" / "run.json").write_text('{"ended": "2026-02-01"}')
    for name in ("model.keras", other):
        (tmp_path / "adapted" / name).touch()
    assert default_source(tmp_path) == tmp_path / "adapted"


def test_own_data_calibrate_and_judge(source, mnist, tmp_path, monkeypatch):
    """The ranges come from other data where these are given; limits are in proportion to the test images."""
    few = replace(mnist, test_images=mnist.test_images[:50], test_labels=mnist.test_labels[:50])
    own = replace(mnist, train_images=mnist.train_images[:60], train_labels=mnist.train_labels[:60])
    given = []
    right = module.to_onnx
    monkeypatch.setattr(
        module, "to_onnx", lambda fused, path, ranges: (given.append(ranges), right(fused, path, ranges))
    )
    (report,) = export(source, ["onnx"], ["int8"], tmp_path, few, calibration=own)
    assert given[0].shape == (55, 28, 28, 1)  # five are held out
    assert (report["images"], report["limits"]) == (50, {"max_drop": 2.0, "max_changed": 1})


def test_data_without_training_images_calibrate_nothing(source, mnist, tmp_path):
    few = replace(mnist, test_images=mnist.test_images[:5], test_labels=mnist.test_labels[:5])
    empty = replace(few, train_images=mnist.train_images[:0], train_labels=mnist.train_labels[:0])
    with pytest.raises(InputError, match="no training images to calibrate"):
        export(source, ["onnx"], ["int8"], tmp_path, empty)
    assert names(tmp_path) == []
