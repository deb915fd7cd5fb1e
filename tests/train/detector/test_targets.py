import numpy as np
import pytest

from digitocr.runtime.boxes import non_maximum_suppression
from digitocr.runtime.detector import STRIDE, decoded
from digitocr.train.detector.network import SIZE_CHANNELS
from digitocr.train.detector.targets import (
    BOX,
    DIGIT,
    HEAT,
    HEAT_SPREAD,
    LOG_HEIGHT,
    LOG_WIDTH,
    NEAR_HEAT,
    WEIGHT,
    found_share,
    targets,
)


def test_targets_say_where_a_digit_is_how_large_and_which(scene_of):
    scene = scene_of((33, 13, 16, 40, 7))  # its middle is (41, 33), in cell (8, 10)
    target = targets(scene)
    assert (target.shape, target.dtype) == ((16, 24, 8), np.float32)
    assert np.unravel_index(target[..., HEAT].argmax(), (16, 24)) == (8, 10)
    assert target[8, 10, HEAT] == 1
    spread = HEAT_SPREAD * np.sqrt(40 / STRIDE)
    assert target[8, 11, HEAT] == pytest.approx(np.exp(-1 / (2 * spread**2)))
    assert target[8, 0, HEAT] == target[0, 23, HEAT] == 0
    near = target[..., BOX] > 0
    np.testing.assert_array_equal(near, target[..., HEAT] >= NEAR_HEAT)
    assert 1 < near.sum() < 30
    assert (target[near][:, DIGIT] == 7).all()
    np.testing.assert_allclose(target[near][:, LOG_WIDTH : LOG_HEIGHT + 1], np.log([[4, 10]] * near.sum()), rtol=1e-6)
    assert (target[..., WEIGHT] == 1).all()
    assert (target[~near][:, 2:] == 0).all()


def test_the_runtime_decodes_what_targets_say(scene_of, answer):
    digits = [(10, 10, 9, 12, 1), (40, 5, 20, 28, 2), (70, 30, 14, 9, 3), (8.5, 38.25, 30, 22, 4)]
    target = targets(scene_of(*digits))
    output = answer(target[None])[0, :, :, : SIZE_CHANNELS.stop].transpose(2, 0, 1)
    boxes, scores = decoded(output, NEAR_HEAT)
    truth = np.array(digits)[:, :4]
    nearest = np.abs(boxes[:, None] - truth[None]).max(2)
    assert (nearest.min(1) < 0.01).all()  # every near cell says the whole box
    assert set(nearest.argmin(1)) == {0, 1, 2, 3}
    assert len(non_maximum_suppression(boxes, scores)[0]) == 4


def test_of_neighbours_the_nearer_one_has_a_cell(scene_of):
    target = targets(scene_of((8, 20, 12, 24, 3), (20, 20, 12, 24, 5)))
    assert target[8, 3, DIGIT] == 3
    assert target[8, 6, DIGIT] == 5
    labels = target[8, :, DIGIT][target[8, :, BOX] > 0]
    assert (np.diff(labels) >= 0).all()


def test_what_is_ignored_weighs_nothing_unless_a_digit_s_centre_is_there(scene_of):
    target = targets(scene_of((12, 12, 8, 12, 1), ignored=[(40, 8, 20, 16), (8, 8, 16, 20), (-9, 50, 12, 40)]))
    weight = target[..., WEIGHT]
    assert (weight[2:6, 10:15] == 0).all()
    assert weight[1, 12] == weight[4, 20] == 1
    assert weight[4, 4] == 1  # the digit's own cell
    assert weight[3, 3] == 0
    assert (weight[13:, :1] == 0).all()
    assert targets(scene_of())[..., HEAT].max() == 0


def test_the_centre_of_a_digit_that_sticks_out_stays_in_the_picture(scene_of):
    target = targets(scene_of((-20, 30, 24, 30, 1), (90, 60, 30, 12, 2)))
    assert target[11, 0, HEAT] == 1
    assert target[15, 23, HEAT] == 1


def test_shares_found_and_right_by_hand(scene_of, answer):
    target = np.stack([targets(scene_of((10, 10, 12, 20, 1), (50, 30, 12, 14, 8), ignored=[(80, 8, 8, 8)]))])
    assert found_share(target, answer(target)) == (1.0, 1.0)
    silent = answer(target)
    silent[..., 0] = -5
    assert found_share(target, silent) == (0.0, 0.0)
    half = silent.copy()
    row, column = np.argwhere(target[0, ..., HEAT] == 1)[0]
    half[0, row, column + 1, 0] = 2  # a cell beside is as good
    half[0, 14, 2, 0] = 3  # where nothing is
    half[0, 2, 20, 0] = 3  # what is ignored
    assert found_share(target, half) == (0.5, 0.5)
