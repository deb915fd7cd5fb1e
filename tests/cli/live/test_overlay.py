import numpy as np
import pytest

from digitocr import FrameReading, Reading
from digitocr.cli.live import overlay
from digitocr.runtime.live.frames import checked
from digitocr.runtime.reading import Box, Digit, Line, Number

NUMBER = Number("4", (Digit(4, 0.98, Box(40, 60, 30, 50), ()),), 0.98)
STEADY, UNSTEADY, LIGHT = (
    np.array(colour) for colour in (overlay.STEADY_COLOUR, overlay.UNSTEADY_COLOUR, overlay.LIGHT)
)


def frame(steady):
    image = np.full((240, 320, 3), 100, np.uint8)
    image[:, :160] = 120
    return FrameReading(0, 0.0, checked(image, "test"), Reading((Line((NUMBER,)),)), steady, (), 12.0)


def places(picture, colour):
    """left, top, right, bottom of what has that colour; None where nothing has."""
    rows, columns = np.nonzero((picture == colour).all(2))
    return (columns.min(), rows.min(), columns.max(), rows.max()) if len(rows) else None


def test_a_box_and_a_label_are_drawn_in_the_colour_of_what_holds():
    left, top, right, bottom = places(overlay.drawn(frame((NUMBER,)), None, 30, False), STEADY)
    assert (left, bottom) == (40 - overlay.FRAME_GAP, 110 + overlay.FRAME_GAP)
    assert right >= 70
    assert top < 58  # the label
    picture = overlay.drawn(frame(()), None, 30, False)
    assert places(picture, STEADY) is None
    assert places(picture, UNSTEADY) is not None


def test_the_strip_under_the_picture_has_the_rest():
    given = frame((NUMBER,))
    picture = overlay.drawn(given, None, 30, False)
    assert picture.shape == (240 + overlay.BAR_HEIGHT, 320, 3)
    assert (picture[150:240] == given.image[150:]).all()
    assert (picture[240:] == LIGHT).all(2).any()
    assert (given.image[0, 0] == 120).all()  # the frame itself is left alone


@pytest.mark.parametrize("mirror", [False, True])
def test_a_mirror_turns_picture_and_boxes_but_not_writing(mirror):
    picture = overlay.drawn(frame((NUMBER,)), (0, 0, 100, 200), 30, mirror)
    assert picture[230, 10, 0] == (100 if mirror else 120)
    left = places(picture, STEADY)[0]
    assert left == (250 if mirror else 40) - overlay.FRAME_GAP
    part = places(picture[:240], LIGHT)
    assert (part[0], part[2]) == ((220, 320 - 1) if mirror else (0, 100))


def test_steady_lines_are_green_and_others_orange_in_rgb():
    assert STEADY.argmax() == 1
    assert UNSTEADY.argmax() == 0
    assert overlay.to_bgr(np.full((1, 1, 3), UNSTEADY, np.uint8))[0, 0].tolist() == UNSTEADY[::-1].tolist()


def test_keys_are_laid_over_when_asked():
    picture = overlay.drawn(frame(()), None, 30, False, (("q", "end"), ("s", "save")))
    assert (picture[:90] != overlay.drawn(frame(()), None, 30, False)[:90]).any()


def test_numbers_are_framed_apart_and_a_digit_that_cannot_be_told_keeps_its_place():
    doubtful = Number("1?", (Digit(1, 0.9, Box(100, 60, 20, 50), ()), Digit(None, 0.4, Box(130, 60, 30, 50), ())), 0.0)
    image = np.full((240, 320, 3), 100, np.uint8)
    seen = FrameReading(0, 0.0, checked(image, "test"), Reading((Line((NUMBER, doubtful)),)), (NUMBER,), (), 12.0)
    picture = overlay.drawn(seen, None, 30, False)
    row = picture[112]  # between the boxes and the frame's lower edge
    assert np.flatnonzero((row == UNSTEADY).all(1)).tolist() == [100 - overlay.FRAME_GAP, 160 + overlay.FRAME_GAP]
    assert np.flatnonzero((row == STEADY).all(1)).tolist() == [40 - overlay.FRAME_GAP, 70 + overlay.FRAME_GAP]
    assert places(picture[:, 131:], UNSTEADY) is not None
