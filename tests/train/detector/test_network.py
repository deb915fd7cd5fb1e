import keras
import numpy as np
import pytest

from digitocr.train.detector.network import (
    CLASS_CHANNELS,
    HEAT_CHANNELS,
    OFFSET_CHANNELS,
    SIZE_CHANNELS,
    build_detector,
    loss,
)
from digitocr.train.detector.targets import BOX, targets
from digitocr.train.detector.targets import HEAT as TRUE_HEAT


def value(target, output):
    return float(loss(target, output))


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return build_detector()


def test_a_network_for_any_size_gives_a_cell_for_four_by_four_pixels(network):
    for height, width in ((64, 64), (24, 136)):
        output = np.asarray(network(np.zeros((2, height, width, 3), np.float32)))
        assert output.shape == (2, height // 4, width // 4, 15)
        assert output.dtype == np.float32
    assert {HEAT_CHANNELS.stop, OFFSET_CHANNELS.stop, SIZE_CHANNELS.stop, CLASS_CHANNELS.stop} == {1, 3, 5, 15}
    assert 150_000 < network.count_params() < 400_000


def test_a_fresh_network_thinks_centres_rare(network):
    noise = np.random.default_rng(0).normal(0, 1, (1, 64, 64, 3)).astype(np.float32)
    heat = np.asarray(network(noise))[..., 0]
    assert -8 < np.median(heat) < -2
    bias = network.layers[-1].bias.numpy() if hasattr(network.layers[-1].bias, "numpy") else network.layers[-1].bias
    np.testing.assert_array_equal(np.asarray(bias), [-4, *[0] * 14])


def test_what_lies_far_away_does_not_matter_and_what_lies_near_does(network):
    """Shifted by a whole cell of the deepest layer, the answer is shifted by as much."""
    rng = np.random.default_rng(1)
    image = np.zeros((1, 256, 256, 3), np.float32)
    image[0, 120:136, 120:136] = rng.normal(0, 1, (16, 16, 3))
    here = np.asarray(network(image))
    there = np.asarray(network(np.roll(image, 8, 2)))
    np.testing.assert_allclose(here[0, 25:40, 25:40], there[0, 25:40, 27:42], atol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's, of NumPy 2
def test_a_network_can_be_saved_and_loaded(network, tmp_path):
    network.save(tmp_path / "f.keras")
    again = keras.saving.load_model(tmp_path / "f.keras", compile=False)
    for one, other in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_right_answer_costs_little_and_each_wrong_part_more(scene_of, answer):
    target = np.stack([targets(scene_of((10, 10, 12, 20, 1), (50, 30, 10, 14, 8)))] * 2)
    right = answer(target)
    best = value(target, right)
    assert 0 <= best < 0.5
    for channels, change in ((OFFSET_CHANNELS, 0.3), (SIZE_CHANNELS, 0.5), (HEAT_CHANNELS, -14.0)):
        wrong = right.copy()
        wrong[..., channels] += change
        assert value(target, wrong) > best + 0.3
    wrong = right.copy()
    wrong[..., CLASS_CHANNELS] = np.roll(wrong[..., CLASS_CHANNELS], 1, -1)
    assert value(target, wrong) > best + 1
    invented = right.copy()
    invented[0, 0, 20, 0] = 8
    assert value(target, invented) > best + 0.5


def test_boxes_and_classes_count_near_a_centre_alone_and_ignored_cells_not_at_all(scene_of, answer):
    target = targets(scene_of((10, 10, 12, 20, 1), ignored=[(60, 20, 20, 20)]))[None]
    right = answer(target)
    other = right.copy()
    far = target[..., BOX] == 0
    other[..., 1:][far] = 9
    other[0, 6:10, 16:19, 0] = 8  # within what is ignored
    assert value(target, other) == pytest.approx(value(target, right), rel=1e-5)


def test_cells_beside_a_centre_are_blamed_less(scene_of, answer):
    target = targets(scene_of((40, 30, 12, 20, 1)))[None]
    right = answer(target)
    row, column = np.unravel_index(target[0, ..., TRUE_HEAT].argmax(), target.shape[1:3])
    beside, far = right.copy(), right.copy()
    beside[0, row, column + 1, 0] = far[0, 2, 2, 0] = 5
    assert value(target, right) < value(target, beside) < value(target, far)


def test_it_learns_a_scene(scene_of):
    keras.utils.set_random_seed(1)
    network = build_detector()
    network.compile(keras.optimizers.Adam(0.003), loss=loss, run_eagerly=True)
    target = targets(scene_of((16, 16, 16, 24, 4), shape=(64, 64)))[None]
    image = np.random.default_rng(0).normal(0, 0.1, (1, 64, 64, 3)).astype(np.float32)
    image[0, 16:40, 16:32] += 2
    losses = [float(network.train_on_batch(image, target)) for _ in range(8)]
    assert losses[-1] < 0.6 * losses[0]
