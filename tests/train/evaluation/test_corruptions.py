import numpy as np
import pytest

from digitocr.train.evaluation.corruptions import CORRUPTIONS, _plasma, corrupted

ALIKE = {"scale", "brightness", "stripe", "canny_edges"}  # no chance in them
BLACK = np.zeros((200, 28, 28), np.uint8)
WHITE = np.full((200, 28, 28), 255, np.uint8)
BAR, SQUARE, DOT = (np.zeros((40, 28, 28), np.uint8) for _ in range(3))
BAR[:, 5:23, 13:15] = 255
SQUARE[:, 4:24, 4:24] = 255
DOT[:, 14, 22] = 255


def slopes(images):
    """Pixels to the right that the middle of the ink moves from a row to the next one below."""
    rows = np.arange(8, 20)
    middles = (images[:, rows] @ np.arange(28.0)) / images[:, rows].sum(axis=2)
    return np.polyfit(rows, middles.T, 1)[0]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_keeps_the_form_and_depends_on_the_seed_alone(name):
    images = np.concatenate([BAR[:8], SQUARE[:8]])
    first, again, other = (corrupted(images, name, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(images, np.concatenate([BAR[:8], SQUARE[:8]]))
    assert (first.shape, first.dtype) == (images.shape, np.uint8)
    assert (first != images).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(first, again)
    assert (first == other).all() == (name in ALIKE)


def test_there_are_fifteen_kinds_and_no_other():
    assert len(CORRUPTIONS) == 15
    with pytest.raises(KeyError):
        corrupted(BLACK, "snow", 0)


def test_shot_noise_counts_three_photons_and_is_right_on_average():
    made = corrupted(np.full_like(BLACK, 102), "shot_noise", 0)
    assert set(np.unique(made)) == {0, 85, 170, 255}
    photons = np.array([0, 1, 2, 3])
    chances = np.exp(-1.2) * 1.2**photons / np.array([1, 1, 2, 6])  # of Poisson's law with a mean of 3 x 0.4
    chances[3] = 1 - chances[:3].sum()  # brighter than full ink is full ink
    np.testing.assert_allclose(np.bincount(made.ravel() // 85) / made.size, chances, atol=0.005)


def test_impulse_noise_strikes_seventeen_percent_half_of_them_white():
    assert abs((corrupted(BLACK, "impulse_noise", 0) == 255).mean() - 0.085) < 0.003
    assert abs((corrupted(WHITE, "impulse_noise", 0) == 0).mean() - 0.085) < 0.003


def test_glass_blur_tears_the_edges_and_loses_no_ink():
    made = corrupted(SQUARE, "glass_blur", 0).astype(float)
    assert abs(made.sum() / SQUARE.sum() - 1) < 0.01
    assert made[:, 10:18, 10:18].mean() > 250
    assert made[:, 10:18, 5:7].std() > 20  # the edge is torn, not smooth
    np.testing.assert_array_equal(corrupted(WHITE, "glass_blur", 0), WHITE)


def test_motion_blur_draws_a_tail_to_one_side_within_45_degrees():
    made = corrupted(DOT, "motion_blur", 0).astype(float)
    assert (np.abs(made.sum(axis=(1, 2)) - 255) < 10).all()
    assert made[:, :, 23:].sum() == 0
    share = 1 / np.exp(-(np.arange(21) ** 2) / 18).sum()  # of the ink that stays where it was
    np.testing.assert_allclose(made[:, 14, 22], 255 * share, atol=1)
    _, rows, columns = np.nonzero(made)
    assert (np.abs(rows - 14) <= 22 - columns).all()
    assert columns.min() < 16
    level = made.sum(axis=1)[np.abs((made * (np.arange(28) - 14)[:, None]).sum(axis=(1, 2))) < 10]
    assert (np.diff(level[:, 12:23]) >= 0).all()  # the tail fades


def test_shear_slants_to_either_side():
    np.testing.assert_allclose(np.unique(np.sign(slopes(corrupted(BAR, "shear", 0)))), [-1, 1])
    np.testing.assert_allclose(np.abs(slopes(corrupted(BAR, "shear", 0))), np.sin(0.4), atol=0.02)


def test_rotate_turns_to_either_side():
    np.testing.assert_allclose(np.unique(np.sign(slopes(corrupted(BAR, "rotate", 0)))), [-1, 1])
    np.testing.assert_allclose(np.abs(slopes(corrupted(BAR, "rotate", 0))), np.tan(0.4), atol=0.02)


def test_scale_shrinks_to_seventy_percent_about_the_middle():
    made = corrupted(SQUARE, "scale", 0).astype(float)
    np.testing.assert_allclose(made.sum() / SQUARE.sum(), 0.49, atol=0.01)
    np.testing.assert_allclose(made[0], made[0, ::-1, ::-1], atol=2)


def test_brightness_adds_half_of_full_ink():
    images = np.broadcast_to(np.array([0, 51, 127, 200], np.uint8), (3, 28, 4)).repeat(7, axis=2)
    assert np.unique(corrupted(images, "brightness", 0)).tolist() == [128, 179, 255]


def test_translate_moves_three_pixels_along_both_axes():
    image = np.zeros((28, 28), np.uint8)
    image[6:20, 9:12] = np.arange(1, 43, dtype=np.uint8).reshape(14, 3)
    ways = [(-3, -3), (-3, 3), (3, -3), (3, 3)]
    found = {
        way
        for made in corrupted(np.repeat(image[None], 40, axis=0), "translate", 0)
        for way in ways
        if (made == np.roll(image, way, (0, 1))).all()
    }
    assert found == set(ways)


def test_translate_lets_what_leaves_the_field_go():
    made = corrupted(WHITE, "translate", 0)
    assert ((made == 255).sum(axis=(1, 2)) == 25 * 25).all()


def test_stripe_inverts_the_outer_quarters():
    made = corrupted(SQUARE, "stripe", 0)
    np.testing.assert_array_equal(made[:, :, 7:21], SQUARE[:, :, 7:21])
    np.testing.assert_array_equal(made[:, :, :7], ~SQUARE[:, :, :7])
    np.testing.assert_array_equal(made[:, :, 21:], ~SQUARE[:, :, 21:])


def test_fog_dims_the_ink_and_lifts_the_ground_smoothly():
    made = corrupted(SQUARE, "fog", 0).astype(float)
    ink, ground = made[:, 4:24, 4:24], made[:, :3]
    assert ink.min() >= 255 / 4 - 1  # full ink without fog
    assert 0.3 < ground.mean() / ink.mean() < 0.9
    assert 0.7 * 255 * 3 / 4 < ground.max() <= 255 * 3 / 4 + 1  # three parts in four at most are fog
    np.testing.assert_allclose((ink[:, :, 0] - made[:, 4:24, 3]).mean(), 255 / 4, atol=3)
    np.testing.assert_array_equal(corrupted(BLACK, "fog", 0), BLACK)  # as bright as the ink: none is there


def test_clouds_span_0_to_1_and_are_rougher_from_afar():
    clouds = _plasma(3, np.random.default_rng(0))
    assert clouds.shape == (3, 256, 256)
    np.testing.assert_array_equal(clouds.min(axis=(1, 2)), 0)
    np.testing.assert_array_equal(clouds.max(axis=(1, 2)), 1)
    for axis in (1, 2):
        near, far = (np.abs(clouds - np.roll(clouds, step, axis)) for step in (1, 32))
        assert 6 * near.mean() < far.mean()
        assert near.take(0, axis).mean() < 2 * near.mean()  # an edge meets the opposite one


def test_each_point_of_a_cloud_lies_about_the_mean_of_its_four_neighbours():
    clouds = _plasma(1, np.random.default_rng(0))[0]
    beside = sum(np.roll(clouds, step, axis) for step in (-1, 1) for axis in (0, 1)) / 4
    across = sum(np.roll(clouds, (down, right), (0, 1)) for down in (-1, 1) for right in (-1, 1)) / 4
    last = [(clouds - across)[1::2, 1::2], (clouds - beside)[::2, 1::2], (clouds - beside)[1::2, ::2]]
    sizes = [np.abs(away).max() for away in last]  # of what was added in the last round, the same for all of its points
    np.testing.assert_allclose(sizes, sizes[0], rtol=0.01)


def test_spatter_puts_grey_mud_on_ground_and_ink():
    on_black, on_white = corrupted(BLACK, "spatter", 0), corrupted(WHITE, "spatter", 0)
    assert 50 <= on_black[on_black > 0].min() < on_black.max() <= 63
    np.testing.assert_array_equal(on_white < 255, on_black > 0)
    assert 0.05 < (on_black > 0).mean() < 0.5


def test_dotted_line_goes_from_edge_to_edge_in_dots_of_two_columns():
    made = corrupted(BLACK, "dotted_line", 0)
    dots = made[:, :, 2:27].max(axis=1) > 100
    np.testing.assert_array_equal(dots, np.broadcast_to(np.arange(2, 27) % 4 >= 2, dots.shape))
    assert not made[:, :, :2].any()
    assert len(np.unique(made, axis=0)) > 150


def test_zigzag_swings_two_pixels_about_a_nearly_level_way():
    made = corrupted(BLACK, "zigzag", 0).astype(float)
    assert not made[:, :, 0].any()
    assert not made[:, :, 27].any()
    level = made[made[:, 6:20].sum(axis=(1, 2)) == made.sum(axis=(1, 2))]  # those that lie within the field
    assert len(level) > 10
    middles = (level.transpose(0, 2, 1) @ np.arange(28.0))[:, 3:25] / level.sum(axis=1)[:, 3:25]
    swing = np.abs(middles - middles.mean(axis=1, keepdims=True)).max(axis=1)
    assert ((swing > 1.2) & (swing < 6)).all()


def test_canny_edges_leave_the_outline():
    made = corrupted(SQUARE, "canny_edges", 0)[0]
    assert set(np.unique(made)) == {0, 255}
    assert not made[7:21, 7:21].any()
    assert (made[10:18].astype(bool).sum(axis=1) == 2).all()
    assert not corrupted(np.full_like(BLACK, 90), "canny_edges", 0).any()


def test_canny_edges_are_found_where_they_are_clear_and_followed_where_they_are_not():
    left = np.arange(28) < 14
    clear, faint, lost = (SQUARE[:1] // 255 * np.uint8(level) for level in (24, 14, 6))
    right_edge = np.s_[:, 8:20, 20:]  # pixels
    assert corrupted(clear, "canny_edges", 0)[right_edge].any()
    assert not corrupted(faint, "canny_edges", 0)[right_edge].any()
    assert corrupted(np.where(left, clear, faint), "canny_edges", 0)[right_edge].any()
    assert not corrupted(np.where(left, clear, lost), "canny_edges", 0)[right_edge].any()
