import keras
import numpy as np
import pytest

from digitocr.runtime.boxes import non_maximum_suppression
from digitocr.runtime.detector import STRIDE, decoded
from digitocr.train.detector.network import (
    BLURRED,
    CLASSES,
    HEAT,
    NEAR,
    OFFSET,
    SIZE,
    build_detector,
    found_share,
    loss,
    targets,
)
from digitocr.train.synthesis.scenes import Scene


def scene_of(*digits, ignored=(), shape=(64, 96)):
    """digits: x, y, width, height, label."""
    rows = np.array(digits, np.float32).reshape(-1, 5)
    none = np.zeros((0, 4), np.float32)
    lost = np.array(ignored, np.float32).reshape(-1, 4)
    return Scene(np.zeros(shape, np.uint8), rows[:, :4], rows[:, 4].astype(np.uint8), lost, none, none)


def answer(target, sure=12.0):
    """(N, rows, columns, 15): the output of a network that has learned the targets (N, rows, columns, 8) by heart."""
    output = np.zeros((*target.shape[:3], 15), np.float32)
    heat = np.clip(target[..., 0], 1e-6, 1 - 1e-6)
    output[..., 0] = np.clip(np.log(heat / (1 - heat)), -sure, sure)
    output[..., OFFSET], output[..., SIZE] = target[..., 2:4], target[..., 4:6]
    output[..., CLASSES] = 20 * np.eye(10)[target[..., 7].astype(int)]
    return output


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
    assert {HEAT.stop, OFFSET.stop, SIZE.stop, CLASSES.stop} == {1, 3, 5, 15}
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


def test_targets_say_where_a_digit_is_how_large_and_which(network):
    scene = scene_of((33, 13, 16, 40, 7))  # its middle is (41, 33), in cell (8, 10)
    target = targets(scene)
    assert (target.shape, target.dtype) == ((16, 24, 8), np.float32)
    assert np.unravel_index(target[..., 0].argmax(), (16, 24)) == (8, 10)
    assert target[8, 10, 0] == 1
    spread = BLURRED * np.sqrt(40 / STRIDE)
    assert target[8, 11, 0] == pytest.approx(np.exp(-1 / (2 * spread**2)))
    assert target[8, 0, 0] == target[0, 23, 0] == 0
    near = target[..., 6] > 0
    np.testing.assert_array_equal(near, target[..., 0] >= NEAR)
    assert 1 < near.sum() < 30
    assert (target[near][:, 7] == 7).all()
    np.testing.assert_allclose(target[near][:, 4:6], np.log([[4, 10]] * near.sum()), rtol=1e-6)
    assert (target[..., 1] == 1).all()
    assert (target[~near][:, 2:] == 0).all()


def test_the_runtime_decodes_what_targets_say():
    digits = [(10, 10, 9, 12, 1), (40, 5, 20, 28, 2), (70, 30, 14, 9, 3), (8.5, 38.25, 30, 22, 4)]
    target = targets(scene_of(*digits))
    output = answer(target[None])[0, :, :, : SIZE.stop].transpose(2, 0, 1)
    boxes, scores = decoded(output, NEAR)
    truth = np.array(digits)[:, :4]
    nearest = np.abs(boxes[:, None] - truth[None]).max(2)
    assert (nearest.min(1) < 0.01).all()  # every near cell says the whole box
    assert set(nearest.argmin(1)) == {0, 1, 2, 3}
    assert len(non_maximum_suppression(boxes, scores)[0]) == 4


def test_of_neighbours_the_nearer_one_has_a_cell():
    target = targets(scene_of((8, 20, 12, 24, 3), (20, 20, 12, 24, 5)))
    assert target[8, 3, 7] == 3
    assert target[8, 6, 7] == 5
    labels = target[8, :, 7][target[8, :, 6] > 0]
    assert (np.diff(labels) >= 0).all()


def test_what_is_ignored_weighs_nothing_unless_a_digit_s_centre_is_there():
    target = targets(scene_of((12, 12, 8, 12, 1), ignored=[(40, 8, 20, 16), (8, 8, 16, 20), (-9, 50, 12, 40)]))
    weight = target[..., 1]
    assert (weight[2:6, 10:15] == 0).all()
    assert weight[1, 12] == weight[4, 20] == 1
    assert weight[4, 4] == 1  # the digit's own cell
    assert weight[3, 3] == 0
    assert (weight[13:, :1] == 0).all()
    assert targets(scene_of())[..., 0].max() == 0


def test_the_centre_of_a_digit_that_sticks_out_stays_in_the_picture():
    target = targets(scene_of((-20, 30, 24, 30, 1), (90, 60, 30, 12, 2)))
    assert target[11, 0, 0] == 1
    assert target[15, 23, 0] == 1


def test_a_right_answer_costs_little_and_each_wrong_part_more():
    target = np.stack([targets(scene_of((10, 10, 12, 20, 1), (50, 30, 10, 14, 8)))] * 2)
    right = answer(target)
    best = value(target, right)
    assert 0 <= best < 0.5
    for channels, change in ((OFFSET, 0.3), (SIZE, 0.5), (HEAT, -14.0)):
        wrong = right.copy()
        wrong[..., channels] += change
        assert value(target, wrong) > best + 0.3
    wrong = right.copy()
    wrong[..., CLASSES] = np.roll(wrong[..., CLASSES], 1, -1)
    assert value(target, wrong) > best + 1
    invented = right.copy()
    invented[0, 0, 20, 0] = 8
    assert value(target, invented) > best + 0.5


def test_boxes_and_classes_count_near_a_centre_alone_and_ignored_cells_not_at_all():
    target = targets(scene_of((10, 10, 12, 20, 1), ignored=[(60, 20, 20, 20)]))[None]
    right = answer(target)
    other = right.copy()
    far = target[..., 6] == 0
    other[..., 1:][far] = 9
    other[0, 6:10, 16:19, 0] = 8  # within what is ignored
    assert value(target, other) == pytest.approx(value(target, right), rel=1e-5)


def test_cells_beside_a_centre_are_blamed_less():
    target = targets(scene_of((40, 30, 12, 20, 1)))[None]
    right = answer(target)
    row, column = np.unravel_index(target[0, ..., 0].argmax(), target.shape[1:3])
    beside, far = right.copy(), right.copy()
    beside[0, row, column + 1, 0] = far[0, 2, 2, 0] = 5
    assert value(target, right) < value(target, beside) < value(target, far)


def test_it_learns_a_scene():
    keras.utils.set_random_seed(1)
    network = build_detector()
    network.compile(keras.optimizers.Adam(0.003), loss=loss, run_eagerly=True)
    target = targets(scene_of((16, 16, 16, 24, 4), shape=(64, 64)))[None]
    image = np.random.default_rng(0).normal(0, 0.1, (1, 64, 64, 3)).astype(np.float32)
    image[0, 16:40, 16:32] += 2
    losses = [float(network.train_on_batch(image, target)) for _ in range(8)]
    assert losses[-1] < 0.6 * losses[0]


def test_shares_found_and_right_by_hand():
    target = np.stack([targets(scene_of((10, 10, 12, 20, 1), (50, 30, 12, 14, 8), ignored=[(80, 8, 8, 8)]))])
    assert found_share(target, answer(target)) == (1.0, 1.0)
    silent = answer(target)
    silent[..., 0] = -5
    assert found_share(target, silent) == (0.0, 0.0)
    half = silent.copy()
    row, column = np.argwhere(target[0, ..., 0] == 1)[0]
    half[0, row, column + 1, 0] = 2  # a cell beside is as good
    half[0, 14, 2, 0] = 3  # where nothing is
    half[0, 2, 20, 0] = 3  # what is ignored
    assert found_share(target, half) == (0.5, 0.5)
