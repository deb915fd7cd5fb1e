import json
import threading

import cv2
import numpy as np
import pytest

import digitocr.runtime.live.video as video_module
from digitocr import FrameReading, Reader, Reading, SteadyReading, VideoReader
from digitocr.runtime.errors import DeviceError, InputError, UsageError
from digitocr.runtime.reading import Box, Digit, Line, Number


class Told:
    """A reader that reads what it is told, and keeps the pictures it was given."""

    def __init__(self, text):
        self.text = text
        self.given = []

    def read(self, picture):
        self.given.append(picture)
        digits = tuple(Digit(int(one), 0.9, Box(10 * place, 5, 8, 20), ()) for place, one in enumerate(self.text))
        return Reading((Line((Number(self.text, digits, 0.9),)),) if self.text else ())

    def classify(self, _, boxes):
        return np.ones((len(boxes), 10))  # each digit is what it was


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
        assert page + 5 <= reading.index < page + 15
        assert reading.time == reading.index / 30
        assert 0.5 <= reading.confidence <= 1
    row = json.loads(json.dumps(readings[0].to_dict()))
    assert (row["frame"], row["text"], row["lines"][0]["text"]) == (readings[0].index, "407", "407")
    assert not threads()


def test_every_frame_tells_what_is_read_in_it(clip, reader):
    with VideoReader(str(clip), reader) as video:
        assert (video.live, video.fps, video.size, video.lost) == (False, 30, (320, 240), "")
        frames = [frame for frame in video.frames() if frame is not None]
    assert [frame.index for frame in frames] == list(range(60))
    first = frames[0]
    assert repr(first).startswith("FrameReading(index=0, time=0.0, reading=Reading(")  # one line: no image
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


def test_only_lines_of_that_many_digits_are_announced(clip):
    assert [reading.text for reading in VideoReader(str(clip), Told("407"), digits=3)] == ["407"]
    assert list(VideoReader(str(clip), Told("4071"), digits=3)) == []


def test_a_counter_only_rises_and_says_what_it_refuses(clip):
    class Counting(Told):
        """Reads one number after the other, each in 20 frames."""

        def read(self, picture):
            self.text = ("407", "40", "412")[len(self.given) // 20]
            return super().read(picture)

    def watched(rising):
        source = Own(clip)
        source.continuous = False  # each frame is read
        frames = [frame for frame in VideoReader(source, Counting(""), rising=rising).frames() if frame]
        return [reading.number.text for frame in frames for reading in frame.announced], frames

    texts, frames = watched(5)
    assert texts == ["407", "412"]
    assert {number.text for frame in frames for number in frame.steady} == {"407", "412"}
    texts, frames = watched(4)
    assert texts == ["407"]
    refused = [why for frame in frames for why in frame.refused]
    assert refused == ["412 is above the last number, 407, by more than 4"]


class Own:
    """A source of one's own: the clip's frames, RGB."""

    live = False
    fps = 30.0

    def __init__(self, clip):
        self.capture = cv2.VideoCapture(str(clip))
        self.released = 0

    def read(self):
        read, bgr = self.capture.read()
        return bgr[:, :, ::-1] if read else None

    def release(self):
        self.released += 1


def test_a_source_of_one_s_own_is_read_like_a_file(clip, reader):
    own = Own(clip)
    from_own = [(reading.index, reading.time, reading.text) for reading in VideoReader(own, reader)]
    assert from_own == [(reading.index, reading.time, reading.text) for reading in VideoReader(str(clip), reader)]
    assert own.released == 1
    assert not threads()


def test_a_live_source_of_one_s_own_ends_where_it_gives_no_frame():
    class Three:
        def __init__(self):
            self.left = 3

        def read(self):
            self.left -= 1
            return np.full((48, 64), self.left, np.uint8) if self.left >= 0 else None

        def release(self):
            self.left = "released"

    own = Three()
    with VideoReader(own, Told("12")) as video:
        assert (video.live, video.fps, video.size) == (True, 30, (64, 48))
        assert [frame.index for frame in video.frames() if frame is not None][-1] == 2
    assert own.left == "released"


@pytest.mark.parametrize(("source", "settings"), [(3.5, {}), (None, {}), (Own("none"), {"fps": 5})])
def test_what_is_no_source_and_what_cannot_be_asked_of_one_is_refused(source, settings):
    with pytest.raises(UsageError, match=r"has read\(\) and release\(\)|asked of a camera only"):
        VideoReader(source, Told(""), **settings)


def test_a_frame_s_image_is_rgb_and_read_as_it_is(tmp_path, reader):
    from PIL import Image

    Image.new("RGB", (64, 48), (200, 100, 50)).save(tmp_path / "a.png")
    given = []

    class Keeping(Told):
        def read(self, picture):
            given.append(picture)
            return super().read(picture)

    (frame,) = [frame for frame in VideoReader(str(tmp_path), Keeping("")).frames() if frame is not None]
    assert frame.image[0, 0].tolist() == [200, 100, 50]


def test_a_password_is_in_no_message_and_no_thread_s_name(stream, clip):
    page = cv2.VideoCapture(str(clip)).read()[1]
    host = stream(page, ends=5, serves=2).removeprefix("http://")
    with VideoReader(f"http://user:secret@{host}", Told("12"), reconnect=0.2) as video:
        names = [thread.name for thread in threading.enumerate()]
        assert f"digitocr http://{host}" in names
        assert not any("secret" in name for name in names)
        with pytest.raises(DeviceError, match=f"^http://{host}: ") as lost:
            list(video.frames())
    assert "secret" not in str(lost.value)
    with pytest.raises(DeviceError, match=r"^rtsp://127\.0\.0\.1:9/: nothing listens") as refused:
        VideoReader("rtsp://user:secret@127.0.0.1:9/", reconnect=0)
    assert "secret" not in str(refused.value)


def test_a_part_is_read_and_told_in_the_pixels_of_the_whole(clip):
    reader = Told("12")
    with VideoReader(str(clip), reader, roi=(30, 40, 200, 100)) as video:
        frame = next(filter(None, video.frames()))
        assert reader.given[0].shape == (100, 200)
        assert [digit.box for digit in frame.reading.digits] == [Box(30, 45, 8, 20), Box(40, 45, 8, 20)]
        video.roi = None
        next(filter(None, video.frames()))
    assert reader.given[1].shape == (240, 320)


def test_every_so_many_th_frame_is_read(clip):
    reader = Told("")
    assert list(VideoReader(str(clip), reader, every=25)) == []
    assert len(reader.given) == 3


def test_frames_of_a_video_are_followed_and_pictures_are_not(clip, tmp_path):
    from PIL import Image

    reader = Told("12")
    list(VideoReader(str(clip), reader))
    assert 3 <= len(reader.given) <= 20
    for number in range(4):
        Image.new("L", (64, 48)).save(tmp_path / f"{number}.png")
    reader = Told("12")
    list(VideoReader(str(tmp_path), reader))
    assert len(reader.given) == 4


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"every": 0}, "every must be 1 or more, not 0"),
        ({"every": "2"}, "every must be a whole number, not '2'"),
        ({"reconnect": float("nan")}, "reconnect must be a finite number, 0 or more, not nan"),
        ({"reconnect": float("inf")}, "reconnect must be a finite number, 0 or more, not inf"),
        ({"fps": "fast"}, "fps must be a finite number, 0 or more, not 'fast'"),
        ({"mode": "line"}, r"mode is that of the reader; give it to Reader\(mode=...\) instead"),
        ({"roi": "all"}, "the part 'all' is not x, y, width and height in whole pixels"),
        ({"expect": "("}, r"\( is not a regular expression .* for five digits it is \\d\{5\}"),
        ({"roi": (0, 0, 0, 10)}, "is none of a picture; each side must have 5 pixels or more"),
        ({"roi": (-1, 0, 10, 10)}, "is none of a picture"),
        ({"width": 640}, "asked of a camera"),
        ({"expect": "1", "digits": 2}, "matches no number of 2 digits"),
        ({"expect": "[a-z]+"}, "matches no number"),
        ({"rising": -1}, "rising must be 0 or more, not -1"),
        ({"rising": 100, "digits": 2}, "a number of 2 digits never rises by 100"),
        ({"digits": -1}, "digits must be 0 or more, not -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(clip, settings, why):
    with pytest.raises(UsageError, match=why):
        VideoReader(str(clip), Told(""), **settings)
    assert not threads()


def test_a_part_outside_of_the_frame_is_an_input_error(clip):
    with pytest.raises(InputError, match="the part 300,0,21,10 is not inside the frame of 320x240 pixels"):
        VideoReader(str(clip), Told(""), roi=(300, 0, 21, 10))
    assert not threads()


def test_the_mode_is_that_of_the_reader_which_is_made(clip, monkeypatch):
    made = []
    monkeypatch.setattr(video_module, "Reader", lambda **settings: made.append(settings) or Told(""))
    VideoReader(str(clip), mode="single").close()
    VideoReader(str(clip)).close()
    assert [settings["mode"] for settings in made] == ["single", "auto"]


def test_frames_that_become_smaller_than_the_part_are_an_error(tmp_path):
    from PIL import Image

    for number, size in enumerate(((320, 240), (64, 48))):
        Image.new("L", size).save(tmp_path / f"{number}.png")
    with pytest.raises(InputError, match="is not inside the frame of 64x48"):
        list(VideoReader(str(tmp_path), Told(""), roi=(100, 100, 100, 100)))
    frames = filter(None, VideoReader(str(tmp_path), Told("")).frames())
    assert [frame.image.shape for frame in frames] == [(240, 320, 3), (48, 64, 3)]


def test_damage_in_the_middle_is_raised(tmp_path):
    from PIL import Image

    Image.new("L", (64, 48)).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"2\.png"):
        list(VideoReader(str(tmp_path), Told("")))


def test_boxes_stay_inside_the_picture_and_the_part(reader, clip):
    class Edge(Told):
        def read(self, picture):
            height, width = picture.shape
            boxes = (Box(-3, -4, 20, 30), Box(width - 10, height - 12, 20, 30))
            digits = tuple(Digit(4, 0.9, box, ()) for box in boxes)
            return Reading((Line((Number("44", digits, 0.9),)),))

    for roi, inside in ((None, (0, 0, 320, 240)), ((20, 30, 100, 80), (20, 30, 120, 110))):
        video = VideoReader(str(clip), Edge("44"), roi=roi, every=10)
        for frame in video.frames():
            if frame is not None:
                first, last = (digit.box.xyxy for digit in frame.reading.digits)
                assert (first[:2], last[2:]) == (inside[:2], inside[2:])


def test_a_frame_with_a_flaw_is_not_read():
    class Lossy(Own):
        """20 frames of which each second one is damaged."""

        number = -1

        def __init__(self):
            pass

        def read(self):
            self.number += 1
            self.flaw = "damaged" if self.number % 2 else ""
            return np.full((48, 64, 3), 9, np.uint8) if self.number < 20 else None

        def release(self):
            pass

    told = Told("407")
    with VideoReader(Lossy(), told) as video:
        frames = [frame for frame in video.frames() if frame is not None]
    assert [frame.flaw for frame in frames] == ["", "damaged"] * 10
    assert {(frame.reading.text, frame.reading.why) for frame in frames} == {("407", ""), ("", "damaged")}
    assert [frame.index for frame in frames if frame.announced] == [12]  # the seventh that was read
