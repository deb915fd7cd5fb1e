import keras
import numpy as np
import pytest

from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import MODELS
from digitocr.runtime.recognizer import CLASS_COUNT, GAP, OTHER
from digitocr.train.recognizer.network import build_recognizer, columns, holds_recognizer, load_recognizer, loss


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return build_recognizer()


def target(labels, weight=1.0, second=GAP, share=0.0, loose=False):
    """(1, n, 5): what the columns are to be."""
    parts = [np.broadcast_to(part, len(labels)) for part in (labels, second, share, weight, loose)]
    return np.stack(parts, -1)[None].astype(np.float32)


def answer(labels, sure=10.0):
    """(1, 1, n / 2, 36): logits of those classes."""
    return (sure * np.eye(CLASS_COUNT)[labels]).reshape(1, 1, -1, 2 * CLASS_COUNT).astype(np.float32)


def value(wanted, output):
    return float(loss(wanted, output))


def test_a_strip_of_any_width_gives_two_columns_for_four_pixels(network):
    for width in (8, 40, 328):
        output = np.asarray(network(np.zeros((2, 32, width, 2), np.float32)))
        assert output.shape == (2, 1, width // 4, 2 * CLASS_COUNT)
        assert output.dtype == np.float32
        assert np.asarray(columns(output)).shape == (2, width // 2, CLASS_COUNT)
    assert 300_000 < network.count_params() < 600_000


def test_columns_are_in_order():
    output = np.arange(2 * 2 * CLASS_COUNT, dtype=np.float32).reshape(1, 1, 2, 2 * CLASS_COUNT)
    np.testing.assert_array_equal(
        np.asarray(columns(output))[0, :, 0], [0, CLASS_COUNT, 2 * CLASS_COUNT, 3 * CLASS_COUNT]
    )


def test_what_lies_far_away_does_not_matter(network):
    strip = np.zeros((1, 32, 320, 2), np.float32)
    strip[0, 8:24, 152:168] = np.random.default_rng(1).normal(0, 1, (16, 16, 2))
    here, there = (np.asarray(network(np.roll(strip, shift, 2)))[0, 0] for shift in (0, 8))
    np.testing.assert_allclose(here[36:44], there[38:46], atol=1e-4)
    assert np.abs(here[36:44] - here[:8]).max() > 0.01


def test_a_right_answer_costs_little_and_each_wrong_column_more():
    labels = [1, 1, GAP, GAP, 2, 2]
    right = value(target(labels), answer(labels))
    one = value(target(labels), answer([7, *labels[1:]]))
    two = value(target(labels), answer([7, 7, *labels[2:]]))
    assert 0 <= right < 0.01 < one < two


def test_columns_without_weight_do_not_count():
    wanted = target([1, 1, 2, 2])
    wanted[0, 2:, 3] = 0
    right, wrong = answer([1, 1, 2, 2]), answer([1, 1, 8, GAP])
    assert value(wanted, right) == pytest.approx(value(wanted, wrong), rel=1e-5)
    assert value(target([1, 1], weight=0), answer([8, 8])) == 0


def test_a_column_between_two_digits_wants_both_by_their_shares():
    wanted = target([3, 3], second=4, share=0.25)
    odds = np.full(CLASS_COUNT, 1e-6)
    odds[3], odds[4] = 0.75, 0.25
    best = np.tile(np.log(odds), 2).reshape(1, 1, 1, -1).astype(np.float32)
    for other in (answer([3, 3]), answer([4, 4]), np.zeros_like(best)):
        assert value(wanted, best) < value(wanted, other)


def test_a_loose_column_may_be_any_of_its_classes_or_a_gap():
    wanted = target([3, 3], second=4, share=0.25, loose=True)
    for right in ([3, 3], [4, 4], [GAP, 3]):
        assert value(wanted, answer(right)) < 0.01
    assert value(wanted, answer([5, OTHER])) > 1
    assert value(target([3, 3], loose=True), answer([4, 4])) > 1  # a second class without a share is none


def test_a_character_counts_more_than_a_gap():
    wanted = target([1] * 4 + [GAP] * 4)
    of_character = value(wanted, answer([GAP] * 2 + [1] * 2 + [GAP] * 4))
    assert of_character > 1.5 * value(wanted, answer([1] * 4 + [1] * 2 + [GAP] * 2))


def test_it_learns_a_strip():
    keras.utils.set_random_seed(1)
    network = build_recognizer()
    network.compile(keras.optimizers.Adam(0.003), loss=loss, run_eagerly=True)
    strip = np.zeros((1, 32, 32, 2), np.float32)
    strip[0, 6:26, 12:20] = 1
    wanted = target([GAP] * 6 + [1] * 4 + [GAP] * 6)
    losses = [float(network.train_on_batch(strip, wanted)) for _ in range(6)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's, of NumPy 2
def test_a_file_is_known_by_what_is_in_it(network, tmp_path):
    network.save(tmp_path / "any.keras")
    assert holds_recognizer(tmp_path / "any.keras")
    for one, other in zip(network.get_weights(), load_recognizer(tmp_path / "any.keras").get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    (tmp_path / "junk.keras").write_bytes(b"junk")
    for path in (MODELS / "detector.keras", tmp_path / "junk.keras", tmp_path / "missing.keras"):
        assert not holds_recognizer(path)
        with pytest.raises(ModelError, match=rf"{path.name}: holds no recognizer"):
            load_recognizer(path)
