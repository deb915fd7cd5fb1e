import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import confidence as module
from digitocr.runtime.characters import Character
from digitocr.runtime.confidence import FEATURES, ConfidenceModel, confidence_features, load_confidence
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import shipped_checksums, shipped_model
from digitocr.runtime.numbers import grouped


def test_features_are_both_log_odds_their_product_the_neighbour_and_which_digit_and_certainty_is_limited():
    digits = np.full((3, 10), 0.01, np.float32)
    digits[0, 4], digits[1, 0], digits[2, 9] = 0.9, 0.1, 1
    boxes = np.array([[10, 10, 15, 30], [30, 10, 15, 30], [300, 10, 15, 30]], np.float32)
    features = confidence_features(boxes, np.array([0.5, 0.9, 1], np.float32), digits)
    most, nine = np.log(module.MAX_CERTAINTY / (1 - module.MAX_CERTAINTY)), np.log(9)
    assert features.shape == (3, len(FEATURES))
    expected = [[0, nine, 0], [nine, -nine, -(nine**2)], [most, most, most**2]]
    np.testing.assert_allclose(features[:, :3], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(features[:, 3:5], [[0.09, 0], [0.45, 0.45], [0, 0]], rtol=1e-3)
    np.testing.assert_array_equal(features[:, 5:], np.eye(10)[[4, 0, 9]])
    assert confidence_features(boxes[:0], np.zeros(0, np.float32), digits[:0]).shape == (0, len(FEATURES))


def test_a_confidence_is_the_logistic_function_of_the_weighted_features():
    weights = np.zeros(15, np.float32)
    weights[[0, 1, 5 + 3]] = 0.5, 1, -0.2
    digits = np.full((1, 10), 0.02, np.float32)
    digits[0, 3] = 0.8
    model = ConfidenceModel("", "", weights, (1.0, 0.0), (0.0,) * 7, {})
    (confidence,) = model.of_candidates(np.array([[0, 0, 9, 9]], np.float32), np.array([0.9], np.float32), digits)
    assert confidence == pytest.approx(1 / (1 + np.exp(-(0.5 * np.log(9) + np.log(4) - 0.2))), abs=1e-4)


def test_the_shipped_weights_belong_to_the_shipped_networks():
    model, sums = load_confidence(), shipped_checksums()
    assert (model.classifier, model.detector) == (sums["digitocr.keras"], sums["detector.keras"])
    assert set(model.calibration_error) == {"scenes", "lone"}
    assert all(0 <= error < 0.02 for error in model.calibration_error.values())


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.floats(0, 1), st.floats(0, 1))
def test_the_confidence_in_a_picture_of_one_digit_grows_with_the_probability(one, other):
    model = load_confidence()
    low, high = sorted((one, other))
    assert 0 < model.of_lone(low) <= model.of_lone(high) < 1


def test_the_confidence_in_mnist_s_test_digits_is_the_share_that_is_right(mnist):
    from digitocr.runtime.classifier import Classifier
    from digitocr.runtime.preprocessing import lone, scale

    images, labels = mnist.test_images[::5], mnist.test_labels[::5]
    digits = Classifier().predict(scale(np.concatenate([lone(image) for image in images])))[:, :10]
    confidence = np.array([load_confidence().of_lone(best) for best in digits.max(1).tolist()])
    assert (confidence < 0.5).mean() <= 0.003
    assert confidence.mean() == pytest.approx((digits.argmax(1) == labels).mean(), abs=0.008)


def test_what_is_written_is_read_again_and_what_is_none_is_refused(tmp_path):
    path = tmp_path / "confidence.json"
    weights = np.arange(15, dtype=np.float32) / 8
    written = ConfidenceModel("a", "b", weights, (0.5, -0.25), (1, 0, 0, -1, 0, 0, 0.5), {"scenes": 0.01})
    path.write_text(written.as_json(), "utf-8")
    model = load_confidence(path)
    assert (model.classifier, model.detector, model.lone_weights) == ("a", "b", (0.5, -0.25))
    assert model.number_weights == written.number_weights
    assert model.calibration_error == {"scenes": 0.01}
    np.testing.assert_array_equal(model.weights, weights)
    content = json.loads(path.read_text("utf-8"))
    assert list(content["weights"]) == list(FEATURES)
    bad = tmp_path / "bad.json"
    for text in (
        "",
        "no json",
        "[]",
        "{}",
        json.dumps({**content, "weights": {}}),
        json.dumps({**content, "number": {}}),
        json.dumps({**content, "schema": 2}),
    ):
        bad.write_text(text, "utf-8")
        with pytest.raises(ModelError, match=r"bad\.json: ") as caught:
            load_confidence(bad)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="No such file"):
        load_confidence(tmp_path / "none.json")


def test_the_shipped_file_is_written_as_it_would_be_made():
    assert shipped_model(module.FILE).read_text("utf-8") == load_confidence().as_json()


def test_the_confidence_of_a_number_is_that_of_all_its_characters_and_0_where_one_cannot_be_told():
    def characters(text, *confidences):
        boxes = [(20.0 * place, 0.0, 14.0, 24.0) for place in range(len(text))]
        return [Character(*one, 0) for one in zip(text, boxes, confidences, strict=True)]

    def confidence(text, *confidences):
        (group,) = grouped(characters(text, *confidences))
        return load_confidence().of_number(group)

    assert confidence("407", 0.9, 0.99, 0.98) == pytest.approx(0.9 * 0.99 * 0.98)
    assert confidence("4.7", 0.9, 0.5, 0.9) < 0.5  # a point counts as much as a digit
    assert confidence("4?7", 0.99, 0.99, 0.99) == 0.0
    assert confidence("47", 0.0, 1.0) == pytest.approx(0.001)
    assert confidence("47*", 0.9, 0.9, 0.9) < confidence("47", 0.9, 0.9)  # where something touches it
