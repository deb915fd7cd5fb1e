import json
import shutil

import pytest

from digitocr.runtime.errors import InputError, ModelError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.selftest import golden_path, selftest


@pytest.fixture
def model(tmp_path):
    """A copy of the shipped file with its golden vectors."""
    for name in ("digitocr-int8.onnx", "digitocr-int8.onnx.golden.json"):
        shutil.copy(shipped_model(name), tmp_path)
    return tmp_path / "digitocr-int8.onnx"


def changed(model, change):
    path = golden_path(model)
    golden = json.loads(path.read_text())
    change(golden)
    path.write_text(json.dumps(golden))


@pytest.mark.parametrize("name", ["int8.onnx", "float32.onnx", "int8.tflite", "float32.tflite"])
def test_the_shipped_files_give_their_golden_vectors(name):
    if name.endswith(".tflite"):
        pytest.importorskip("ai_edge_litert")
    result = selftest(shipped_model(f"digitocr-{name}"))
    assert result["passed"], result
    assert result["pictures"] == result["same answers"] == 20
    assert result["crop difference"] <= result["crop tolerance"]
    assert 0 < result["tolerance"] < 0.5


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda golden: golden["vectors"][3]["logits"].__setitem__(0, 9.0), "a logit differs by "),
        (lambda golden: golden["vectors"][3]["logits"].__setitem__(0, float("nan")), "a logit differs by inf"),
        (lambda golden: golden["vectors"][3].update(box=[0, 0, 3, 3]), "a crop differs by "),
        (lambda golden: golden.update(sha256="0"), "the vectors are of another file"),
    ],
)
def test_a_difference_is_a_failure(change, failure, model):
    changed(model, change)
    result = selftest(model)
    assert not result["passed"]
    assert any(line.startswith(failure) for line in result["failures"]), result["failures"]


@pytest.mark.parametrize(
    "change",
    [
        lambda golden: golden["vectors"][0].pop("crop"),
        lambda golden: golden["vectors"][0].update(width=100_000),
        lambda golden: golden["vectors"][0].update(picture="AAAA"),
        lambda golden: golden["vectors"][0].update(box=[1, 2, 3, float("inf")]),
        lambda golden: golden["vectors"][0]["logits"].pop(),
        lambda golden: golden["vectors"].__setitem__(0, None),
        lambda golden: golden.pop("tolerance"),
        lambda golden: golden.update(schema="digitocr-golden/9"),
        lambda golden: golden.update(vectors=[]),
    ],
)
def test_damaged_vectors_are_an_input_error(change, model):
    changed(model, change)
    with pytest.raises(InputError, match="export the model again"):
        selftest(model)


def test_what_is_missing_or_no_json(model, tmp_path):
    golden_path(model).write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        selftest(model)
    golden_path(model).unlink()
    with pytest.raises(InputError, match="does not exist; digitocr export writes it"):
        selftest(model)
    shutil.copy(shipped_model("digitocr-int8.onnx.golden.json"), tmp_path / "n.onnx.golden.json")
    with pytest.raises(ModelError):
        selftest(tmp_path / "n.onnx")
