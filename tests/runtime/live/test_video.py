import json
import threading

import numpy as np
import pytest

from digitocr import FrameReading, Reader, Reading, SteadyReading, VideoReader
from digitocr.runtime.errors import InputError, UsageError
from digitocr.runtime.reading import Box, Digit, Line


class Told:
    """A reader that reads what it is told, and keeps the pictures it was given."""

    def __init__(self, text):
        self.text = text
        self.given = []

    def read(self, picture):
        self.given.append(picture)
        digits = (Digit(int(one), 0.9, Box(10 * place, 5, 8, 20), ()) for place, one in enumerate(self.text))
        return Reading((Line(tuple(digits)),) if self.text else (), {}, {})

    def digits(self, *_):
        return np.eye(10)[[int(one) for one in self.text]]


def threads():
    """The names of the threads that read sources, and do not end soon."""
    left = [thread for thread in threading.enumerate() if thread.name.startswith("digitocr ")]
    for thread in left:
        thread.join(10)
    return [thread.name for thread in left if thread.is_alive()]


@pytest.fixture(scope="module")
def reader():
    return Reader(rotate=0)


def test_every_number_of_a_clip_is_given_once_in_order(clip, reader):
    readings = list(VideoReader(str(clip), reader))
    assert [reading.text for reading in readings] == ["407", "82", "365"]
    assert all(isinstance(reading, SteadyReading) for reading in readings)
    for reading, page in zip(readings, (0, 20, 40), strict=True):
        assert page + 5 <= reading.frame < page + 15
        assert reading.time == reading.frame / 30
        assert 0.5 <= reading.confidence <= 1
    row = json.loads(json.dumps(readings[0].to_dict()))
    assert (row["frame"], row["text"], row["lines"][0]["text"]) == (readings[0].frame, "407", "407")
    assert not threads()


def test_every_frame_tells_what_is_read_in_it(clip, reader):
    with VideoReader(str(clip), reader) as video:
        assert (video.live, video.fps, video.size, video.lost) == (False, 30, (320, 240), "")
        frames = [frame for frame in video.frames() if frame is not None]
    assert [frame.frame for frame in frames] == list(range(60))
    first = frames[0]
    assert isinstance(first, FrameReading)
    assert (first.reading.text, first.steady, first.announced) == ("407", (), ())
    assert (first.image.shape, first.image.dtype) == ((240, 320, 3), np.uint8)
    assert all(frame.latency > 0 for frame in frames)
    assert [line.text for line in frames[14].steady] == ["407"]
    assert frames[19].reading.text == ""


def test_a_loop_that_is_left_gives_the_source_back(clip):
    for reading in VideoReader(str(clip), Told("12")):
        assert reading.text == "12"
        break
    assert not threads()
    with VideoReader(str(clip), Told("12")):
        pass
    assert not threads()


def test_only_what_is_expected_is_announced(clip):
    assert [reading.text for reading in VideoReader(str(clip), Told("407"), expect=r"\d{3}")] == ["407"]
    assert list(VideoReader(str(clip), Told("4071"), expect=r"\d{3}")) == []


def test_a_part_is_read_and_told_in_the_pixels_of_the_whole(clip):
    reader = Told("12")
    with VideoReader(str(clip), reader, roi=(30, 40, 200, 100)) as video:
        frame = next(video.frames())
        assert reader.given[0].shape == (100, 200)
        assert [digit.box for digit in frame.reading.digits] == [Box(30, 45, 8, 20), Box(40, 45, 8, 20)]
        video.roi = None
        next(video.frames())
    assert reader.given[1].shape == (240, 320)


def test_every_so_many_th_frame_is_read(clip):
    reader = Told("")
    assert list(VideoReader(str(clip), reader, every=25)) == []
    assert len(reader.given) == 3


def test_frames_of_a_video_are_followed_and_pictures_are_not(clip, tmp_path):
    from PIL import Image

    reader = Told("12")
    list(VideoReader(str(clip), reader))
    assert len(reader.given) == 20
    for number in range(4):
        Image.new("L", (64, 48)).save(tmp_path / f"{number}.png")
    reader = Told("12")
    list(VideoReader(str(tmp_path), reader))
    assert len(reader.given) == 4


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"every": 0}, "every is 1"),
        ({"expect": "("}, r"\( is no regular expression .* for five digits it is \\d\{5\}"),
        ({"roi": (300, 0, 21, 10)}, "the part 300,0,21,10 is not inside the frame of 320x240 pixels"),
        ({"roi": (0, 0, 0, 10)}, "is not inside the frame"),
        ({"roi": (-1, 0, 10, 10)}, "is not inside the frame"),
        ({"roi": (0, 0, 10, 4)}, "is too small; 5 pixels a side is the least"),
        ({"width": 640}, "asked of a camera"),
    ],
)
def test_settings_that_make_no_sense_are_refused(clip, settings, why):
    with pytest.raises(UsageError, match=why):
        VideoReader(str(clip), Told(""), **settings)
    assert not threads()


def test_frames_that_become_smaller_than_the_part_are_an_error(tmp_path):
    from PIL import Image

    for number, size in enumerate(((320, 240), (64, 48))):
        Image.new("L", size).save(tmp_path / f"{number}.png")
    with pytest.raises(UsageError, match="is not inside the frame of 64x48"):
        list(VideoReader(str(tmp_path), Told(""), roi=(100, 100, 100, 100)))
    assert [frame.image.shape for frame in VideoReader(str(tmp_path), Told("")).frames()] == [
        (240, 320, 3),
        (48, 64, 3),
    ]


def test_damage_in_the_middle_is_raised(tmp_path):
    from PIL import Image

    Image.new("L", (64, 48)).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"2\.png"):
        list(VideoReader(str(tmp_path), Told("")))
