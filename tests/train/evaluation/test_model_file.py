"""Any model file as a classifier."""

import numpy as np
import onnx
import pytest

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import MODELS, shipped_model
from digitocr.runtime.preprocessing import scale
from digitocr.train.evaluation.model_file import ModelFile, network_file


def test_a_folder_stands_for_the_network_in_it(tmp_path):
    assert network_file(tmp_path / "a.onnx") == tmp_path / "a.onnx"
    with pytest.raises(ModelError, match="holds no"):
        network_file(tmp_path)
    for name in ("digitocr-float32.onnx", "digitocr-int8.onnx", "model.keras"):
        (tmp_path / name).touch()
        assert network_file(tmp_path) == tmp_path / name


@pytest.fixture(scope="module")
def pixels(mnist):
    return scale(mnist.test_images[:70])


@pytest.mark.parametrize("name", ["digitocr-int8.onnx", "digitocr-int8.tflite"])
def test_an_exported_file_answers_as_the_classifier_does(name, mnist, pixels):
    file, classifier = ModelFile(shipped_model(name), mnist), Classifier(shipped_model(name))
    np.testing.assert_allclose(file.predict(pixels), classifier.predict(pixels), atol=1e-5)
    for attribute in ("name", "sha256", "card", "classes", "outputs"):
        assert getattr(file, attribute) == getattr(classifier, attribute)
    assert file.predict(pixels[:0]).shape == (0, 11)


def test_the_shipped_network_without_its_card_is_found_out(mnist, pixels, tmp_path):
    model = onnx.load(shipped_model("digitocr-int8.onnx"))
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    file = ModelFile(tmp_path / "bare.onnx", mnist)
    assert (file.card, file.interface.levels, file.interface.inverted) == ({}, "0 to 1", False)
    answers = Classifier(shipped_model("digitocr-int8.onnx")).predict(pixels).argmax(1)
    np.testing.assert_array_equal(file.predict(pixels).argmax(1), answers)


def test_a_keras_file_is_one_too(mnist, pixels):
    file = ModelFile(MODELS / "digitocr.keras", mnist)
    assert (file.interface.levels, file.outputs, file.classes) == ("0 to 1", "probabilities", 11)
    assert (file.predict(pixels)[:, :10].argmax(1) == mnist.test_labels[:70]).all()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.onnx", "cannot be read"),
        ("model.h5", r"a model file ends in \.onnx, \.tflite, \.keras"),
        ("broken.onnx", "cannot be used"),
        ("broken.keras", "cannot be used"),
    ],
)
def test_what_is_no_model_is_one_line(name, why, mnist, tmp_path):
    for broken in ("broken.onnx", "broken.keras", "model.h5"):
        (tmp_path / broken).write_bytes(b"nothing")
    with pytest.raises(ModelError, match=why) as error:
        ModelFile(tmp_path / name, mnist)
    assert "\n" not in str(error.value)


def test_answers_that_are_no_numbers_are_no_zeros(mnist, pixels, tmp_path):
    model = onnx.load(shipped_model("digitocr-float32.onnx"))
    del model.metadata_props[:]
    for weights in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype == np.float32:
            weights.CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, np.nan), weights.name))
    onnx.save(model, tmp_path / "nan.onnx")
    with pytest.raises(ModelError, match=r"nan\.onnx: its answers are no numbers \(NaN\)"):
        ModelFile(tmp_path / "nan.onnx", mnist).predict(pixels)


@pytest.mark.parametrize("name", ["detector-int8.onnx", "recognizer-int8.onnx"])
def test_the_other_networks_are_refused_though_they_have_cards(name, mnist):
    with pytest.raises(ModelError, match="give a network that reads a digit"):
        ModelFile(shipped_model(name), mnist)
