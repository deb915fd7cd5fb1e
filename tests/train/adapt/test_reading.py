import keras
import numpy as np
import pytest

from digitocr.runtime.detector import Detector
from digitocr.runtime.models import shipped_model
from digitocr.runtime.reader import Reader
from digitocr.runtime.recognizer import Recognizer
from digitocr.train.adapt.reading import keras_reader
from digitocr.train.adapt.teach import LOAD
from digitocr.train.synthesis.pages import Style, draw_page

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(scope="module")
def page():
    return draw_page(["407"], np.random.default_rng(5), Style((160, 96), digit_height=48)).image


def test_keras_networks_read_as_the_files_that_are_exported_from_them(page):
    reader = keras_reader({name: load() for name, load in LOAD.items()})
    shipped = Reader()
    assert reader.read(page).text == shipped.read(page).text == "407"
    digits = [one.read(page).lines[0].digits for one in (reader, shipped)]
    for ours, theirs in zip(*digits, strict=True):
        assert abs(ours.confidence - theirs.confidence) < 0.1  # of float32 and int8
    assert isinstance(reader.recognizer, Recognizer)
    assert isinstance(reader.detector, Detector)


def test_without_networks_it_is_the_shipped_reader():
    reader = keras_reader({})
    assert reader.calibrated


def test_the_classifier_s_probabilities_are_those_of_keras():
    network = keras.saving.load_model(shipped_model("digitocr.keras"), compile=False)
    tensors = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    given = keras_reader({"classifier": network}).classifier.predict(tensors)
    assert np.allclose(given, network.predict(tensors, verbose=0), atol=1e-6)
    assert keras_reader({"classifier": network}).classifier.predict(tensors[:0]).shape == (0, 11)
