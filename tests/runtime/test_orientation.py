import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import orientation
from digitocr.runtime.attempt import Attempt
from digitocr.runtime.background import shrunk
from digitocr.runtime.boxes import iou
from digitocr.runtime.orientation import ShrunkTurns, best_attempt, turned, turned_back

LAW = settings(derandomize=True, deadline=None, max_examples=60)
SHAPES = st.tuples(st.integers(5, 90), st.integers(5, 90))


@LAW
@given(SHAPES, st.integers(4, 90) | st.just(0), st.sampled_from([0, 90, 180, 270, 17]))
def test_what_is_shrunk_and_turned_is_what_is_turned_and_shrunk(shape, side, degrees):
    shape = shape if side else (shape[0] * 2, shape[1] * 2)
    side = side or max(shape) // 2  # halved, which OpenCV does
    gray = np.random.default_rng(shape).integers(0, 256, shape, np.uint8)
    turns = ShrunkTurns(gray)
    for turn in (0, degrees):
        rotated = turned(gray, turn)
        np.testing.assert_array_equal(turns.shrunk(turn, rotated, side), shrunk(rotated, side))


def test_what_is_shrunk_is_made_once_unless_it_is_large(monkeypatch):
    gray = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    made = []
    monkeypatch.setattr(orientation, "shrunk", lambda picture, side: made.append(side) or shrunk(picture, side))
    monkeypatch.setattr(orientation, "KEPT", 20 * 15)
    turns = ShrunkTurns(gray)
    for side in (20, 40):
        for turn in (0, 90, 270):
            rotated = turned(gray, turn)
            np.testing.assert_array_equal(turns.shrunk(turn, rotated, side), shrunk(rotated, side))
    assert made == [20, 40, 40, 40]


@LAW
@given(SHAPES, st.sampled_from([0, 90, 180, 270]))
def test_quarter_turns_and_back_are_exact(shape, degrees):
    rng = np.random.default_rng(shape)
    gray = rng.integers(0, 256, shape, np.uint8)
    rotated = turned(gray, degrees)
    np.testing.assert_array_equal(turned(rotated, -degrees % 360), gray)
    height, width = shape
    left, top = int(rng.integers(0, width - 2)), int(rng.integers(0, height - 2))
    right, bottom = int(rng.integers(left + 1, width)), int(rng.integers(top + 1, height))
    mask = np.zeros(shape, np.uint8)
    mask[top:bottom, left:right] = 1
    rows, columns = np.nonzero(turned(mask, degrees))
    seen = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    back = turned_back(np.array([seen], np.float32), shape, degrees)
    np.testing.assert_allclose(back, [[left, top, right - left, bottom - top]], atol=1e-3)


@LAW
@given(SHAPES, st.integers(0, 359))
def test_the_whole_picture_is_in_the_rotated_one_and_its_corners_repeat_the_edge(shape, degrees):
    rotated = turned(np.full(shape, 77, np.uint8), degrees)
    assert (rotated == 77).all()
    reach = np.hypot(*shape) + 1
    assert max(rotated.shape) <= reach
    assert rotated.shape[0] * rotated.shape[1] >= shape[0] * shape[1] - 1


@LAW
@given(SHAPES, st.integers(0, 359), st.integers(0, 2**32 - 1))
def test_boxes_come_back_around_where_they_were(shape, degrees, seed):
    rng = np.random.default_rng(seed)
    sides = rng.uniform(2, 30, (5, 2))
    boxes = np.concatenate([rng.uniform(0, shape[::-1], (5, 2)) - sides / 2, sides], 1).astype(np.float32)
    rotated_shape = turned(np.zeros(shape, np.uint8), degrees).shape
    grown_shape = turned(np.zeros(rotated_shape, np.uint8), -degrees % 360).shape  # about the same centre
    there = turned_back(boxes + frame(shape, grown_shape), rotated_shape, -degrees % 360)
    back = turned_back(there, shape, degrees)
    assert (back.shape, back.dtype) == (boxes.shape, np.float32)
    np.testing.assert_allclose(back[:, :2] + back[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2, atol=1e-3)
    assert (back[:, 2:] >= boxes[:, 2:] - 1e-3).all()  # the box around the box around


def frame(shape, grown_shape):
    """What boxes of the (H, W) picture are moved by in a larger one about the same centre."""
    return np.array([grown_shape[1] - shape[1], grown_shape[0] - shape[0], 0, 0], np.float32) / 2


def test_a_box_round_a_rotated_blob_holds_the_blob():
    gray = np.zeros((60, 90), np.uint8)
    gray[20:40, 30:42] = 255
    for degrees in (15, 60, 100, 333):
        rows, columns = np.nonzero(turned(gray, degrees) > 128)
        seen = [[columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]]
        (back,) = turned_back(np.array(seen, np.float32), gray.shape, degrees)
        assert back[0] < 31
        assert back[1] < 21
        assert back[0] + back[2] > 41
        assert back[1] + back[3] > 39
        assert iou(back[None], np.array([[30, 20, 12, 20]]))[0, 0] > 0.25
    assert turned(gray, 0) is gray


ROW = np.array([[20.0 * place, 10, 12, 20] for place in range(4)], np.float32)


def attempt(degrees, confidence, digits=(7, 7, 7, 7), boxes=ROW):
    count = len(boxes)
    probabilities = np.zeros((count, 11), np.float32)
    probabilities[np.arange(count), list(digits)[:count]] = confidence
    images = np.zeros((count, 28, 28), np.uint8)
    sure = np.full(count, confidence, np.float32)
    return Attempt(degrees, boxes, np.full(count, 0.9, np.float32), images, probabilities, sure)


def searched(confidences, inverted=False, sides=(1.0, 1.0), shape=(400, 600), lined=None, **changes):
    """The rotation that is taken and those that are tried.

    Args:
        confidences: At each rotation.
        inverted: Whether crops look better upside down.
        sides: What crops look like turned by 90 and 270 degrees, times what they look like as they are.
        shape: (H, W) of the picture.
        lined: The confidences after lines are read, at each rotation at which they change.
        **changes: Of the attempts.
    """
    tried = []
    looks = {90: sides[0], 180: 1.1 if inverted else 0.9, 270: sides[1]}

    def read_at(degrees):
        tried.append(degrees)
        return attempt(degrees, confidences.get(degrees, 0.3), **changes)

    def looks_better(attempt, rows, degrees, least):
        assert len(rows) == len(attempt.read if degrees == 180 else attempt.boxes)
        return looks[degrees] > least

    def with_lines(some):
        return attempt(some.degrees, lined[some.degrees], **changes) if some.degrees in (lined or {}) else some

    return best_attempt(read_at, looks_better, with_lines, shape).degrees, tried


def test_rotations_are_tried_where_they_may_help_and_taken_where_they_clearly_do():
    assert searched({0: 0.99}) == (0, [0])
    assert searched({0: 0.99}, inverted=True) == (0, [0, 180])
    assert searched({0: 0.3, 270: 0.99}) == (270, [0, 90, 270])
    assert searched({0: 0.6, 180: 0.99}, inverted=True) == (180, [0, 90, 270, 180])
    assert searched({0: 0.6, 90: 0.85}) == (0, [0, 90, 270])  # better, but not surely
    assert searched({0: 0.85, 90: 0.91}) == (0, [0, 90, 270])  # sure, but hardly better
    assert searched({0: 0.6, 90: 0.99}, boxes=ROW[:2]) == (0, [0, 90, 270])  # too few
    assert searched({0: 0.3, 90: 0.99}, boxes=ROW[:2]) == (0, [0, 90, 270])  # nothing is read, but too few are
    assert searched({90: 0.99}, boxes=ROW[:0]) == (0, [0])  # nothing is seen


def test_one_or_two_digits_that_fill_a_picture_are_read_as_they_are_and_a_row_on_its_side_is_not():
    cut_out = np.array([[10, 10, 150, 240], [210, 10, 150, 239]], np.float32)
    assert searched({0: 0.6, 90: 0.99}, boxes=cut_out[:1]) == (0, [0])
    assert searched({0: 0.6, 90: 0.99}, boxes=cut_out) == (0, [0])
    assert searched({0: 0.6, 90: 0.99}, boxes=cut_out[1:]) == (0, [0, 90, 270])
    assert searched({0: 0.6}, boxes=np.concatenate([cut_out, ROW[:1]])) == (0, [0, 90, 270])


def test_a_picture_is_turned_only_if_its_lines_read_better_so_as_well():
    turned = {0: 0.6, 180: 0.99}
    assert searched(turned, inverted=True, lined={0: 0.99})[0] == 0
    assert searched(turned, inverted=True, lined={180: 0.6})[0] == 0
    assert searched(turned, inverted=True, lined={0: 0.8, 180: 0.85})[0] == 0  # hardly better
    assert searched(turned, inverted=True, lined={0: 0.8, 180: 0.9})[0] == 180
    assert searched({0: 0.3, 90: 0.99, 270: 0.95}, lined={0: 0.9})[0] == 90
    stairs = np.array([[20.0 * place, 10.0 * place, 12, 20] for place in range(4)], np.float32)
    level = {0: 0.6, 333: 0.8, 270: 0.99}
    assert searched(level, boxes=stairs)[0] == 270
    assert searched(level, boxes=stairs, lined={0: 0.5, 333: 0.95})[0] == 333  # the level one is the upright one


def test_a_side_on_which_what_is_found_looks_less_like_digits_is_not_tried():
    assert searched({0: 0.6, 270: 0.99}, sides=(0.5, 0.9)) == (270, [0, 270])
    assert searched({0: 0.6, 90: 0.99}, sides=(0.9, 0.5)) == (90, [0, 90])
    assert searched({0: 0.6}, sides=(0.5, 0.5)) == (0, [0])
    assert searched({0: 0.6, 180: 0.99}, inverted=True, sides=(0.5, 0.5)) == (180, [0, 180])
    assert searched({0: 0.3, 270: 0.99}, sides=(0.5, 0.5)) == (270, [0, 90, 270])  # nothing is read as it is


def test_many_digits_need_less_confidence_for_the_sides_not_to_be_tried():
    row = np.array([[20.0 * place, 10, 12, 20] for place in range(20)], np.float32)
    many = {"digits": (7,) * 20, "boxes": row}
    assert searched({0: 0.86}, **many) == (0, [0])
    assert searched({0: 0.84}, **many) == (0, [0, 90, 270])
    assert searched({0: 0.86}, digits=(7,) * 19, boxes=row[:19]) == (0, [0, 90, 270])
    assert searched({0: 0.6, 90: 0.86}, **many) == (0, [0, 90, 270])  # a side is taken as before


def test_steep_lines_are_made_level_and_zeros_do_not_count():
    stairs = np.array([[20.0 * place, 10.0 * place, 12, 20] for place in range(4)], np.float32)
    assert searched({0: 0.6, 333: 0.97}, boxes=stairs) == (333, [0, 333])
    assert searched({0: 0.3, 90: 0.99}, digits=(0, 0, 0, 0)) == (0, [0, 90, 270])
    assert searched({0: 0.6, 27: 0.97}, boxes=stairs * [1, -1, 1, 1]) == (27, [0, 27])


def test_lines_of_a_strip_are_not_made_level_where_it_would_become_many_times_as_large():
    stairs = np.array([[20.0 * place, 10.0 * place, 12, 20] for place in range(4)], np.float32)
    for shape in ((100, 1300), (1300, 100)):
        assert searched({0: 0.6, 333: 0.97}, boxes=stairs, shape=shape) == (333, [0, 333])
    for shape in ((60, 20_000), (20_000, 60), (5, 10_000_000)):  # 14,000 pixels a side and more
        assert searched({0: 0.95, 333: 0.97}, boxes=stairs, shape=shape) == (0, [0])
        assert searched({0: 0.6, 270: 0.97}, boxes=stairs, shape=shape) == (270, [0, 90, 270])
