import numpy as np
import onnx
import pytest

from digitocr.export import parity
from digitocr.export.fuse import fuse
from digitocr.export.parity import LIMITS, Limits, compare, unverified
from digitocr.export.to_onnx import to_onnx
from digitocr.export.to_tflite import to_tflite
from digitocr.runtime.preprocessing import scale
from digitocr.train.data import Mnist

WRITE = {"onnx": to_onnx, "tflite": to_tflite}


@pytest.fixture(scope="module")
def few():
    """120 drawn images in the place of MNIST's test images; the truth is arbitrary."""
    rng = np.random.default_rng(1)
    images = np.zeros((120, 28, 28), np.uint8)
    for image in images:
        top, left = rng.integers(0, 14, 2)
        image[top : top + 14, left : left + 12] = rng.integers(0, 256, (14, 12))
    labels = np.arange(120, dtype=np.uint8) % 10
    return Mnist(images, labels, images, labels, "none")


@pytest.fixture(scope="module")
def network(make_network, few):
    return make_network(4, scale(few.test_images))


@pytest.fixture(scope="module")
def reference(network, few):
    return np.asarray(network(scale(few.test_images)))


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_a_good_export_passes(form, network, reference, few, tmp_path):
    WRITE[form](fuse(network), tmp_path / f"n.{form}")
    report = compare(tmp_path / f"n.{form}", "none", reference, few, LIMITS["none"])
    assert report["passed"] is True
    assert report["failures"] == report["changed"] == []
    assert report["images"] == 120
    assert report["equal"] == report["mcnemar_p"] == 1
    assert report["drop"] == 0
    assert 0 < report["difference"]["largest"] < 1e-5


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_damaged_weights_are_refused_and_the_changed_images_listed(form, network, reference, few, tmp_path):
    damaged = fuse(network)
    kernel, bias = damaged.layers[3].get_weights()
    kernel[1, 1, :8] *= -1
    damaged.layers[3].set_weights([kernel, bias])
    WRITE[form](damaged, tmp_path / f"n.{form}")
    report = compare(tmp_path / f"n.{form}", "none", reference, few, LIMITS["none"])
    assert report["passed"] is False
    answers = np.asarray(damaged(scale(few.test_images))).argmax(1)
    changed = np.flatnonzero(answers != reference.argmax(1))
    assert [image["index"] for image in report["changed"]] == changed.tolist()
    assert f"values: {len(changed)} of 120 answers changed, at most 0 may" in report["failures"]
    first = report["changed"][0]
    assert first["truth"] == changed[0] % 10
    assert (first["before"], first["after"]) == (reference.argmax(1)[changed[0]], answers[changed[0]])


@pytest.mark.parametrize(("value", "why"), [(0.0, "every image is answered"), (np.nan, "finite numbers")])
def test_answers_that_say_nothing_are_refused_whatever_the_limits(value, why, network, reference, few, tmp_path):
    empty = fuse(network)
    for layer in empty.layers:
        layer.set_weights([np.full_like(weight, value) for weight in layer.get_weights()])
    to_onnx(empty, tmp_path / "n.onnx")
    report = compare(tmp_path / "n.onnx", "int8", reference, few, Limits(100.0, 120))
    assert report["passed"] is False
    assert why in report["failures"][0]


def test_names_come_first_then_shapes(network, reference, few, tmp_path):
    to_onnx(fuse(network), tmp_path / "n.onnx")
    model = onnx.load(str(tmp_path / "n.onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, str(tmp_path / "shape.onnx"))
    (failure,) = compare(tmp_path / "shape.onnx", "none", reference, few, LIMITS["none"])["failures"]
    assert failure.startswith("shapes: (1, 28, 28, 1) to (None, 10), not (None, 28, 28, 1)")
    model.graph.input[0].name = model.graph.node[0].input[0] = "picture"
    onnx.save(model, str(tmp_path / "name.onnx"))
    (failure,) = compare(tmp_path / "name.onnx", "none", reference, few, LIMITS["none"])["failures"]
    assert failure == "names: input and output are picture and logits, not image and logits"


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_a_file_that_is_no_model_is_a_failure_not_a_crash(form, reference, few, tmp_path):
    (tmp_path / f"n.{form}").write_bytes(b"not a model at all")
    report = compare(tmp_path / f"n.{form}", "none", reference, few, LIMITS["none"])
    assert report["passed"] is False
    assert report["failures"][0].startswith("load: ")


def test_every_number_of_a_report_by_hand(monkeypatch, few, tmp_path):
    def probabilities(answers):
        return np.eye(10, dtype=np.float32)[answers] * np.float32(0.9) + np.float32(0.01)

    before = probabilities(few.test_labels)
    answers = few.test_labels.copy()
    answers[[3, 13, 25]] = [5, 3, 6]  # 13 stays right
    after = probabilities(answers)

    class Fake:
        def __init__(self, path):
            pass

        def predict(self, tensors):  # noqa: ARG002  # Classifier's name
            return after

    monkeypatch.setattr(parity, "Classifier", Fake)
    monkeypatch.setattr(parity, "_interface_failures", lambda *_: [])
    (tmp_path / "n.onnx").write_bytes(b"")
    report = compare(tmp_path / "n.onnx", "int8", before, few, Limits(1.0, 2))
    assert report["accuracy"] == {"keras": 1.0, "file": pytest.approx(118 / 120)}
    assert report["drop"] == pytest.approx(100 * 2 / 120, abs=1e-4)
    assert report["equal"] == pytest.approx(118 / 120)
    assert report["changed"] == [
        {"index": 3, "truth": 3, "before": 3, "after": 5},
        {"index": 25, "truth": 5, "before": 5, "after": 6},
    ]
    assert report["difference"]["largest"] == pytest.approx(0.9)
    assert report["mcnemar_p"] == 0.5
    assert report["recall_change"] == {
        str(d): pytest.approx(-100 / 12 if d in (3, 5) else 0, abs=1e-4) for d in range(10)
    }
    assert report["failures"] == ["values: accuracy drops by 1.67 points, at most 1.00 allowed"]
    assert compare(tmp_path / "n.onnx", "int8", before, few, Limits(2.0, 2))["passed"] is True
    assert compare(tmp_path / "n.onnx", "int8", before, few, Limits(2.0, 1))["failures"] == [
        "values: 2 of 120 answers changed, at most 1 may"
    ]


def test_what_nobody_compared_has_not_passed(tmp_path):
    (tmp_path / "n.onnx").write_bytes(b"")
    assert unverified(tmp_path / "n.onnx", "int8")["passed"] is None


def test_limits_are_as_documented():
    assert LIMITS["none"] == LIMITS["float16"] == Limits(0.0, 0)
    assert LIMITS["dynamic"] == LIMITS["int8"] == Limits(0.05, 20)


@pytest.mark.parametrize(
    ("limits", "images", "expected"),
    [
        (Limits(0.05, 20), 10_000, Limits(0.05, 20)),
        (Limits(0.05, 20), 5_000, Limits(0.05, 10)),
        (Limits(0.05, 20), 100, Limits(1.0, 1)),  # one image is allowed where a part of one is
        (Limits(0.0, 0), 100, Limits(0.0, 0)),
        (Limits(-1.0, 0), 100, Limits(-1.0, 0)),
        (Limits(0.05, 20), 0, Limits(0.05, 20)),
    ],
)
def test_limits_on_fewer_images_are_in_proportion(limits, images, expected):
    assert limits.of(images) == expected


@pytest.mark.parametrize("images", [23, 101, 640, 1999])
def test_of_a_small_set_one_answer_may_be_lost_however_the_share_is_rounded(images):
    labels = np.arange(images, dtype=np.uint8) % 10
    data = Mnist(*(np.zeros((images, 28, 28), np.uint8), labels) * 2, "none")
    before = np.eye(10, dtype=np.float32)[labels]
    after = before.copy()
    limits = LIMITS["int8"].of(images)
    for lost, allowed in ((0, True), (1, False)):
        after[lost] = np.eye(10)[5]
        failures = parity._value_failures(after, parity._values(before, after, data), limits)
        assert (failures == []) is allowed, failures
