import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import confidence as module
from digitocr.runtime.characters import Character
from digitocr.runtime.confidence import (
    CHARACTER_FEATURES,
    FEATURES,
    ConfidenceModel,
    character_features,
    confidence_features,
    load_confidence,
)
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import CONFIDENCE, shipped_checksums, shipped_model
from digitocr.runtime.numbers import grouped


def model_of(**weights):
    """A model with all weights 0 but those given; number_weights and lone_weights as they are."""
    given = {
        "weights": np.zeros(len(FEATURES), np.float32),
        "right_weights": np.zeros(len(CHARACTER_FEATURES), np.float32),
        "place_weights": np.zeros(len(CHARACTER_FEATURES), np.float32),
        "lone_weights": (1.0, 0.0),
        "number_weights": (0.0,) * 7,
        "calibration_error": {},
        **weights,
    }
    return ConfidenceModel("a", "b", "c", **given)


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
    model = model_of(weights=weights)
    (confidence,) = model.of_candidates(np.array([[0, 0, 9, 9]], np.float32), np.array([0.9], np.float32), digits)
    assert confidence == pytest.approx(1 / (1 + np.exp(-(0.5 * np.log(9) + np.log(4) - 0.2))), abs=1e-4)


def line_of(other=0.0, gap=0.0, **digits):
    """(18,) probabilities of the recognizer; d0 to d9: of the digits."""
    line = np.zeros(18, np.float32)
    line[16:] = other, gap
    for name, share in digits.items():
        line[int(name[1:])] = share
    return line


def test_character_features_are_what_both_networks_say_of_the_digit_that_both_find_likeliest():
    classifier = np.zeros((3, 11), np.float32)
    classifier[0, [4, 9, 10]] = 0.5, 0.3, 0.2
    classifier[1, [3, 10]] = 0.1, 0.9
    classifier[2, 7] = 1
    both = np.zeros((3, 11), np.float32)
    both[[0, 1, 2], [9, 3, 7]] = 0.9
    line = np.stack([line_of(d9=0.6, d4=0.2, gap=0.2), line_of(gap=1.0), line_of(d7=0.9, other=0.1)])
    candidates, found = np.array([0.9, 0.5, 0.2], np.float32), np.array([True, True, False])
    beside = np.array([[0.25, 0.5], [0, 1], [1, 0]], np.float32)
    elsewhere = np.array([[0, 0], [0.5, 1], [0, 7.5]], np.float32)
    heights = np.array([0.5, 0.1, 2], np.float32)
    features = character_features(candidates, found, classifier, line, both, beside, elsewhere, heights)
    assert features.shape == (3, len(CHARACTER_FEATURES))
    assert features.dtype == np.float32
    most, nine = np.log(module.MAX_CERTAINTY / (1 - module.MAX_CERTAINTY)), np.log(9)
    expected = [  # candidate, digit, line digit, line place, no digit, found, found x line place
        [nine, np.log(3 / 7), np.log(1.5), np.log(4), np.log(0.2 / 0.8), 1, np.log(4)],
        [0, -nine, -most, -most, nine, 1, -most],
        [np.log(0.25), most, nine, nine, -most, 0, 0],
    ]
    np.testing.assert_allclose(features[:, :7], expected, rtol=1e-3, atol=1e-5)
    least_other_sign = [[np.log(1.5), -most, -most], [-most, -most, -most], [np.log(0.25), -nine, -most]]
    np.testing.assert_allclose(features[:, 7:10], least_other_sign, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(features[:, 10:12], beside)
    np.testing.assert_array_equal(features[:, 12], [0, 0, 1])  # agreement
    picture = [[1, 0.5, np.log(0.5), np.log(0.5)], [np.exp(-1.5), np.exp(-1.5) / 10, 0, np.log(1.5)]]
    np.testing.assert_allclose(features[:2, 13:17], picture, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(features[2, 13:15], np.exp(-7.5), rtol=1e-5)  # higher than the picture
    np.testing.assert_array_equal(features[:, 17:], np.eye(10)[[9, 3, 7]])
    none = np.zeros(0, np.float32), np.zeros(0, np.bool_), classifier[:0], line[:0], both[:0], beside[:0]
    none += elsewhere[:0], heights[:0]
    assert character_features(*none).shape == (0, len(CHARACTER_FEATURES))


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_where_a_digit_is_right_there_is_one(seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 1, (2, len(CHARACTER_FEATURES))).astype(np.float32)
    features = rng.normal(0, 2, (20, len(CHARACTER_FEATURES))).astype(np.float32)
    right, place = model_of(right_weights=weights[0], place_weights=weights[1]).of_characters(features)
    np.testing.assert_allclose(right, 1 / (1 + np.exp(-(features @ weights[0]))), rtol=1e-4)
    assert (place >= right).all()
    alone = 1 / (1 + np.exp(-(features @ weights[1])))
    np.testing.assert_allclose(place, np.maximum(alone, right), rtol=1e-4)


def test_the_shipped_weights_belong_to_the_shipped_networks():
    model, sums = load_confidence(), shipped_checksums()
    assert model.networks == (sums["digitocr.keras"], sums["detector.keras"], sums["recognizer.keras"])
    assert set(model.calibration_error) == {"scenes", "characters", "places", "lone", "numbers"}
    errors = dict(model.calibration_error)
    assert 0 <= errors.pop("numbers") < 0.06  # of some hundred numbers; the others are of thousands of characters
    assert all(0 <= error < 0.02 for error in errors.values())


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
    weights, character_weights = (
        np.arange(15, dtype=np.float32) / 8,
        np.arange(len(CHARACTER_FEATURES), dtype=np.float32) / 8,
    )
    written = model_of(
        weights=weights,
        right_weights=character_weights,
        place_weights=-character_weights,
        lone_weights=(0.5, -0.25),
        number_weights=(1, 0, 0, -1, 0, 0, 0.5),
        calibration_error={"scenes": 0.01},
    )
    path.write_text(written.as_json(), "utf-8")
    model = load_confidence(path)
    assert (model.networks, model.lone_weights) == (("a", "b", "c"), (0.5, -0.25))
    np.testing.assert_array_equal(model.right_weights, character_weights)
    np.testing.assert_array_equal(model.place_weights, -character_weights)
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
        json.dumps({**content, "characters": {"right": content["characters"]["right"]}}),
        json.dumps({**content, "networks": {"classifier": "a", "detector": "b"}}),
        json.dumps({**content, "schema": 2}),
    ):
        bad.write_text(text, "utf-8")
        with pytest.raises(ModelError, match=r"bad\.json: ") as caught:
            load_confidence(bad)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="No such file"):
        load_confidence(tmp_path / "none.json")


def test_the_shipped_file_is_written_as_it_would_be_made():
    assert shipped_model(CONFIDENCE).read_text("utf-8") == load_confidence().as_json()


def test_the_confidence_of_a_number_is_that_of_all_its_characters_and_0_where_one_cannot_be_told():
    def characters(text, *confidences):
        boxes = [(20.0 * place, 0.0, 14.0, 24.0) for place in range(len(text))]
        return [Character(*one, 0) for one in zip(text, boxes, confidences, strict=True)]

    def confidence(text, *confidences):
        (group,) = grouped(characters(text, *confidences))
        return model_of(number_weights=(1, 0, 0, -1, -0.3, -0.3, 0)).of_number(group)

    assert confidence("407", 0.9, 0.99, 0.98) == pytest.approx(0.9 * 0.99 * 0.98)
    assert confidence("4.7", 0.9, 0.5, 0.9) < 0.5  # a point counts as much as a digit
    assert confidence("4?7", 0.99, 0.99, 0.99) == 0.0
    assert confidence("47", 0.0, 1.0) == pytest.approx(0.001)
    assert confidence("47*", 0.9, 0.9, 0.9) < confidence("47", 0.9, 0.9)  # where something touches it
