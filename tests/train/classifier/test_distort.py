import numpy as np
import pytest

from digitocr.train.classifier.distort import Distort

IMAGES = np.zeros((50, 28, 28), np.uint8)
IMAGES[:, 8:20, 12:16] = 255  # a bar in the middle


def ink(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).mean(axis=1)


@pytest.mark.parametrize("distort", [Distort(), Distort(elastic=True), Distort(affine=False, elastic=True)])
def test_digits_are_changed_but_stay_about_where_and_as_large_as_they_were(distort: Distort) -> None:
    before = IMAGES.copy()
    made = distort(IMAGES, np.random.default_rng(0))
    assert np.array_equal(IMAGES, before)
    assert (made.shape, made.dtype) == (IMAGES.shape, np.uint8)
    assert len({image.tobytes() for image in made}) == len(made)
    assert np.median(ink(made)) == pytest.approx(ink(IMAGES)[0], rel=0.1)
    rows, columns = np.indices((28, 28))
    for places, middle in ((rows, 13.5), (columns, 13.5)):
        centres = (made * places).sum(axis=(1, 2)) / made.sum(axis=(1, 2))
        assert centres.mean() == pytest.approx(middle, abs=1)


def test_the_same_seed_gives_the_same_pictures() -> None:
    a, b = (Distort(elastic=True, cutout=6)(IMAGES, np.random.default_rng(3)) for _ in range(2))
    assert (a == b).all()


def test_cutout_blackens_one_square_at_most() -> None:
    white = np.full((200, 28, 28), 255, np.uint8)
    made = Distort(affine=False, cutout=6)(white, np.random.default_rng(0))
    gone = (made == 0).sum(axis=(1, 2))
    assert gone.max() == 36
    assert gone.min() < 36  # over the edge
    assert (gone > 0).all()
    assert set(np.unique(made)) == {0, 255}
