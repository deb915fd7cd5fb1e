import sys

import pytest

from digitocr.runtime.errors import MissingExtraError, MissingLibraryError
from digitocr.train.keras_backend import keras_needed


@pytest.fixture
def no_keras(monkeypatch, tmp_path):
    """Keras as in a new process; it is told nothing about its backend."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


ERRORS = [  # what Keras raises for a backend that is not installed, unknown, and damaged
    ModuleNotFoundError("No module named 'torch'", name="torch"),
    ValueError("Unable to import backend : nonsense\nmore"),
    OSError("libtorch.so: cannot open shared object file"),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("is_in_file", [False, True])
def test_a_backend_that_cannot_be_imported_is_named(error, is_in_file, no_keras, monkeypatch, tmp_path):
    if is_in_file:
        place = tmp_path / "keras.json"
        place.write_text('{"backend": "else"}')
    else:
        place = "KERAS_BACKEND"
        monkeypatch.setenv("KERAS_BACKEND", "else")
    with pytest.raises(MissingLibraryError) as raised, keras_needed("train", "training"):
        raise error
    assert not isinstance(raised.value, MissingExtraError)
    reason = str(error).split("\n", maxsplit=1)[0]
    assert str(raised.value) == (
        f"{place}: Keras cannot use the backend else ({reason}); install it, or say tensorflow there"
    )


@pytest.mark.parametrize("backend", [None, "tensorflow"])
def test_without_another_backend_the_extra_is_missing(backend, no_keras, monkeypatch):
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    with (
        pytest.raises(MissingExtraError, match="a search needs packages"),
        keras_needed("search", "a search"),
    ):
        raise ImportError("No module named 'tensorflow'")


def test_what_is_missing_beside_keras_is_not_its_backend(no_keras, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setitem(sys.modules, "keras", sys)
    with pytest.raises(MissingExtraError), keras_needed("export", "export"):
        raise ImportError("No module named 'tf2onnx'")
    with pytest.raises(ValueError, match="a bug"), keras_needed("export", "export"):
        raise ValueError("a bug")
