import numpy as np
import pytest

from digitocr.export import compare as module
from digitocr.export.compare import compare_files
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import shipped_model
from digitocr.train.data import Mnist
from digitocr.train.evaluation.interface import known_interface
from digitocr.train.evaluation.interpreters import End, Signature


class Fake:
    """In the place of Opened: answers by a function of the tensors."""

    version, load_seconds, exported = "1.0", 0.5, True
    signature = Signature(End((None, 28, 28, 1), "float32"), End((None, 10), "float32"))

    def __init__(self, path, runtime=None):
        self.path, self.runtime = path, runtime or "onnxruntime"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def interface(self, _):
        return known_interface(self.signature)

    def run(self, values, batch):
        if batch > 1 and self.runtime == "tract":
            raise ModelError(f"{self.path}: tract refuses it (no batch)")
        rows = FAKES[self.runtime](values)
        seconds = len(values) * (3e-6 if self.runtime == "tract" else 2e-6)
        return (rows[:1] if batch > 1 and self.runtime == "iree" else rows), seconds


def first_rows(tensors):
    return tensors[:, 0, :10, 0] * 10


FAKES = {
    "onnxruntime": first_rows,
    "tract": lambda tensors: np.roll(first_rows(tensors), 1, axis=1),
    "iree": lambda tensors: first_rows(tensors) + 5,  # of a softmax the same
    "opencv": lambda tensors: np.full((len(tensors), 10), np.nan, np.float32),
}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 250, (250, 28, 28), np.uint8), np.zeros(250, np.uint8)
    pictures[:, 0, 3] = 255
    return Mnist(pictures, labels + 3, pictures, labels + 3, "drawn")


def compared(runtime, data, monkeypatch, **settings):
    monkeypatch.setattr(module, "Opened", Fake)
    path = shipped_model("digitocr-int8.onnx")
    return compare_files(path, path, runtime, data, **settings)


def test_answers_differences_and_times(data, monkeypatch):
    result = compared("tract", data, monkeypatch)
    assert (result["images"], result["equal"], result["same bits"]) == (250, 0, False)
    assert (result["a"]["accuracy"], result["b"]["accuracy"]) == (1, 0)
    assert result["time ratio"] == 1.5
    assert result["a"]["microseconds"] == 2
    assert 0.1 < result["largest difference"] <= 1
    assert (result["a"]["batch"], result["b"]["batch"]) == ("yes", "tract refuses it (no batch)")


def test_a_shift_of_all_logits_changes_no_probability(data, monkeypatch):
    result = compared("iree", data, monkeypatch, images=120)
    assert (result["images"], result["equal"], result["same bits"]) == (120, 120, False)
    assert result["largest difference"] < 1e-5
    assert result["b"]["batch"] == "1 of 64 rows come back"


def test_a_file_beside_itself(data, monkeypatch):
    result = compared(None, data, monkeypatch)
    assert (result["equal"], result["same bits"], result["largest difference"]) == (250, True, 0)


def test_numbers_that_are_none_are_no_small_difference(data, monkeypatch):
    result = compared("opencv", data, monkeypatch)
    assert result["largest difference"] == np.inf
    assert result["b"]["batch"] == "other answers"


def test_the_softmax_of_a_runtime_is_taken_as_it_is(data, monkeypatch):
    def softmax(tensors):
        odds = np.exp(first_rows(tensors))
        return odds / odds.sum(1, keepdims=True)

    monkeypatch.setitem(FAKES, "tract", softmax)
    result = compared("tract", data, monkeypatch, images=50)
    assert result["largest difference"] < 1e-6


def test_which_pictures_are_answered_differently_is_said_and_shown(data, monkeypatch):
    some = np.arange(250) % 50 == 7
    monkeypatch.setitem(FAKES, "tract", lambda tensors: first_rows(tensors))
    right = compared("tract", data, monkeypatch)
    assert right["changed"] == []
    pictures = data.test_images.copy()
    pictures[some, 0, 4] = 254  # nearly as bright as the answer
    other = Mnist(pictures, data.test_labels, pictures, data.test_labels, "drawn")
    monkeypatch.setitem(FAKES, "tract", lambda tensors: first_rows(tensors) + 0.2 * (np.arange(10) == 4))
    changed = compared("tract", other, monkeypatch)["changed"]
    assert [one["index"] for one in changed] == [7, 57, 107, 157, 207]
    assert {(one["name"][:11], one["truth"], one["a"]["answer"], one["b"]["answer"]) for one in changed} == {
        ("test image ", 3, 3, 4)
    }
    page = module.sheet(other, changed)
    assert page.size == (5 * module.CELL, module.CELL + 3 * module.LINE)
    assert np.asarray(page).max() == 255
    nothing = module.sheet(other, [])
    assert nothing.size[0] == module.CELL
    assert nothing.getextrema()[1] > module.BACKGROUND  # "none differs" is written on it


def test_files_of_two_numbers_of_outputs_are_refused(data, monkeypatch):
    monkeypatch.setitem(FAKES, "tract", lambda tensors: first_rows(tensors)[:, :9])
    with pytest.raises(ModelError, match="does not read one digit a call in tract"):
        compared("tract", data, monkeypatch)
