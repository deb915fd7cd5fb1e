"""Videos that the tests encode, and streams of a server in pure Python."""

import socket
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from digitocr.runtime.errors import DeviceError, InputError, SourceOffError
from digitocr.runtime.live import decoding
from digitocr.runtime.live.capture import Grabber
from digitocr.runtime.live.decoding import Video


def levels(count, size=(48, 64)):
    """Frames of rising grey level."""
    return [np.full((*size, 3), 20 + 4 * number, np.uint8) for number in range(count)]


def film(
    path, frames, codec="mpeg4", options=None, times=None, container=None, rate=25, pix_fmt="yuv420p", is_full=False
):
    """Writes frames, at times in hundredths of a second."""
    with av.open(str(path), "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.gop_size, stream.bit_rate = pix_fmt, 5, 4_000_000
        if times:
            stream.codec_context.time_base = Fraction(1, 100)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame)
            # Converted by several threads, PyAV 17 and 18 spoil rows of 10 bits: findings/pyav-ten-bit-rows.sh.
            picture = picture.reformat(format=pix_fmt, dst_color_range=2 if is_full else None, threads=1)
            if is_full:
                stream.codec_context.color_range = 2
            picture.pts = times[number] if times else number
            picture.time_base = Fraction(1, 100 if times else rate)
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    return path


def read(name):
    """The mean grey levels of the frames, their times, their flaws, and the note at the end."""
    video = Video(str(name))
    means, times, flaws = [], [], []
    while (pixels := video.read()) is not None:
        means.append(float(pixels.rgb.mean()))
        times.append(video.time)
        flaws.append(video.flaw)
    video.release()
    return means, times, flaws, video.note


def test_interlaced_video_is_made_progressive(tmp_path):
    stripes = np.zeros((64, 96, 3), np.uint8)
    stripes[:, ::16] = 80
    frames = [stripes + np.uint8(40 + 4 * number) for number in range(20)]
    path = film(tmp_path / "a.mpg", frames, "mpeg2video", {"flags": "+ildct+ilme"})
    with av.open(str(path)) as file:
        assert all(frame.interlaced_frame for frame in file.decode(video=0))
    means, times, flaws, note = read(path)
    assert np.abs(np.array(means) - [frame.mean() for frame in frames]).max() < 3
    assert np.diff(times) == pytest.approx([0.04] * 19)
    assert (set(flaws), note) == ({""}, "")


def test_fields_of_two_moments_leave_no_comb(tmp_path):
    frames = []
    for number in range(12):  # a bar that moves 8 pixels from field to field
        frame = np.full((64, 160, 3), 200, np.uint8)
        for field in (0, 1):
            left = 8 * (2 * number + field)
            frame[field::2, left : left + 8] = 20
        frames.append(frame)
    path = film(tmp_path / "a.mpg", frames, "mpeg2video", {"flags": "+ildct+ilme"})
    video = Video(str(path))
    for _ in range(6):
        pixels = video.read().gray[8:-8].astype(int)
    video.release()
    comb = np.abs(np.diff(pixels, axis=0)).mean()
    assert comb < np.abs(np.diff(frames[5][8:-8, :, 0].astype(int), axis=0)).mean() / 4


def test_the_time_of_a_frame_is_its_own(tmp_path):
    times = [0, 4, 8, 50, 54, 120]
    path = film(tmp_path / "a.mkv", levels(6), times=times, rate=100)
    assert read(path)[1] == pytest.approx([time / 100 for time in times], abs=0.002)


def test_a_picture_that_is_repeated_by_an_empty_packet_ends_nothing(tmp_path):
    path = tmp_path / "a.nut"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(9):
            for packet in stream.encode(av.VideoFrame.from_ndarray(levels(1)[0])):
                if number % 3:
                    empty = av.Packet(b"")
                    empty.pts, empty.dts, empty.time_base = packet.pts, packet.dts, packet.time_base
                    empty.stream = packet.stream
                    packet = empty
                file.mux(packet)
    with av.open(str(path)) as file:
        assert [packet.size == 0 for packet in file.demux(video=0)] == [False, True, True] * 3 + [True]
    _, times, flaws, note = read(path)
    assert times == pytest.approx([0.0, 0.12, 0.24])
    assert (set(flaws), note) == ({""}, "")


def test_a_recording_that_is_cut_short_says_so(tmp_path):
    path = film(tmp_path / "a.mp4", levels(50), container={"movflags": "faststart"})
    assert read(path)[3] == ""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    means, *_, note = read(path)
    assert 10 < len(means) < 45
    assert note == f"{path}: is cut short or damaged: {len(means) / 25:.1f} of 2.0 seconds could be read"
    path.write_bytes(film(tmp_path / "b.mp4", levels(50)).read_bytes()[:-500])  # the index stands at the end
    with pytest.raises(InputError, match=r"a\.mp4: not a video that can be decoded; .* may lack the index"):
        Video(str(path))


def test_damaged_frames_and_those_predicted_from_them_have_a_flaw(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (48, 64, 3), np.uint8)
    path = film(tmp_path / "a.ts", [frame + noise for frame in levels(30)], "libx264")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 188 * 188
    del content[middle : middle + 188]  # a packet of MPEG-TS is missing
    path.write_bytes(content)
    flaws = read(path)[2]
    damaged = [number for number, flaw in enumerate(flaws) if flaw]
    assert damaged
    assert {flaws[number] for number in damaged} == {"the picture is damaged, since data are missing"}
    assert damaged == list(range(damaged[0], damaged[-1] + 1))
    assert damaged[-1] == damaged[0] // 5 * 5 + 4  # each fifth one is a key frame
    assert 5 <= damaged[0] < 25


def test_frames_of_another_size_have_a_flaw_and_are_not_stretched(tmp_path):
    path = tmp_path / "a.ts"
    parts = [film(tmp_path / f"{side}.ts", levels(10, (side, 64))) for side in (48, 32)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    video, seen = Video(str(path)), set()
    while (pixels := video.read()) is not None:
        seen.add((pixels.rgb.shape, video.flaw))
    video.release()
    other = "the picture has 64x32 pixels now, not 64x48 as at the start; start again"
    assert seen == {((48, 64, 3), ""), ((32, 64, 3), other)}


def test_a_picture_that_is_stored_on_its_side_is_turned(tmp_path):
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :16] = 200  # bright on the left
    path = film(tmp_path / "a.mp4", [frame] * 5)
    content = path.read_bytes()
    place = content.index(b"tkhd") + 4 + 40
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
    path.write_bytes(content[:place] + matrix + content[place + 36 :])
    video = Video(str(path))
    frame = video.read()
    video.release()
    assert (frame.size, frame.gray.shape, frame.rgb.shape) == ((48, 64), (64, 48), (64, 48, 3))
    for pixels in (frame.gray, frame.rgb):
        assert pixels[:12].mean() > 150  # by a quarter clockwise, what was left is on top
        assert pixels[20:].mean() < 50


@pytest.mark.parametrize(
    ("codec", "form", "is_full"),
    [
        *(
            ("ffv1", form, is_full)
            for form in ("yuv420p", "yuv444p", "gray", "yuv420p10le")
            for is_full in (False, True)
        ),
        ("rawvideo", "nv12", False),
        ("rawvideo", "bgr24", False),
        ("mjpeg", "yuvj422p", True),
    ],
)
def test_grey_levels_are_those_of_the_picture_in_colour(tmp_path, codec, form, is_full):
    levels = np.random.default_rng(0).integers(0, 256, (6, 9), np.uint8)
    gray = np.kron(levels, np.ones((8, 8), np.uint8))  # rows of 72 pixels, which decoders fill up
    suffix = "nut" if codec == "rawvideo" else "mkv"
    path = film(tmp_path / f"a.{suffix}", [np.dstack([gray] * 3)] * 2, codec, pix_fmt=form, is_full=is_full)
    video = Video(str(path))
    frame = video.read()
    video.release()
    assert (frame.gray.shape, frame.gray.dtype, frame.size) == (gray.shape, np.uint8, (72, 48))
    assert np.abs(frame.gray.astype(int) - gray).max() <= 2
    assert np.abs(frame.gray.astype(int) - frame.rgb.mean(2)).max() <= 4


def test_a_stream_is_live_and_holds_no_frame_back(server):
    served = server()
    video = Video(served.address)
    assert (video.live, video.fps) == (True, served.fps)
    assert video.read().size == (64, 48)
    assert video._stream.codec_context.thread_type.name == "SLICE"  # a thread for each frame would hold one back
    video.release()


@pytest.mark.parametrize("lost", [10, 160])
def test_frames_behind_a_lost_one_are_not_read_before_the_next_key_frame(server, lost):
    video = Video(server(lost=(lost,)).address + "?udp")
    flaws = []
    while len(flaws) < 200 + video._suspect:  # more where a busy machine took long to open it
        assert video.read() is not None
        flaws.append(bool(video.flaw))
    video.release()
    if lost == 160:
        assert all(flaws[160:174])
        assert not any(flaws[:158] + flaws[174:])
    else:  # it was lost while the stream was opened: none of the frames that came meanwhile is trusted
        assert all(flaws[:24])
        assert not any(flaws[-25:])


@pytest.mark.parametrize(
    ("settings", "kind", "why"),
    [
        ({"login": "user:secret"}, DeviceError, "asks for a user and a password, or refuses these (401)"),
        ({"status": "404 Not Found"}, SourceOffError, "the server has no such stream (404)"),
        ({"status": "503 Service Unavailable"}, SourceOffError, "the server refuses to send"),
    ],
)
def test_what_a_server_refuses_is_told_with_the_remedy(server, settings, kind, why):
    served = server(**settings)
    with pytest.raises(DeviceError) as refused:
        Video(served.address)
    assert type(refused.value) is kind
    assert str(refused.value).startswith(f"{served.address}: {why}")
    if "login" in settings:
        Video(served.address.replace("//", f"//{settings['login']}@")).release()


def test_what_does_not_answer_is_told_apart(monkeypatch):
    for address, kind, why in (
        ("rtsp://127.0.0.1:9/", SourceOffError, r"nothing listens there \(connection refused\)"),
        ("rtsp://no.such.host.invalid/", SourceOffError, "there is no host of the name no.such.host.invalid"),
        ("gopherx://127.0.0.1/", DeviceError, r"gopherx:// is not supported; let it be sent as rtsp://"),
    ):
        with pytest.raises(DeviceError, match=why) as refused:
            Video(address)
        assert type(refused.value) is kind
    monkeypatch.setattr(decoding, "OPEN_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceOffError, match="no answer in"):
        Video(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/")


def test_what_is_no_video_is_told(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.rate = 8000
        file.mux(stream.encode(sound))
    with pytest.raises(InputError, match=r"a\.wav: not a video that can be decoded"):
        Video(str(tmp_path / "a.wav"))


def test_a_source_that_freezes_is_lost_and_comes_back(server, monkeypatch):
    monkeypatch.setattr(decoding, "READ_SECONDS", 0.4)
    monkeypatch.setattr(decoding, "OPEN_SECONDS", 1.0)
    served = server()
    grabber = Grabber(lambda: Video(served.address), "camera", reconnect=60)
    assert grabber.next(10) is not None
    served.frozen = True
    while not grabber.lost:
        grabber.next(0.1)
    assert grabber.lost == "no frame comes"
    assert grabber.next(0.3) is None
    served.frozen = False
    while grabber.next(0.1) is None:
        pass
    assert not grabber.lost
    grabber.close()


def test_a_stream_that_is_off_at_the_start_is_tried_again(server):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started, told = [], []

    def waiting(why):
        told.append(why)
        if why and not started:
            started.append(server(port=port))

    address = f"rtsp://127.0.0.1:{port}/camera"
    grabber = Grabber(lambda: Video(address), "camera", reconnect=60, waiting=waiting)
    assert grabber.next(10) is not None
    grabber.close()
    assert any("nothing listens there" in why for why in told)
    with pytest.raises(SourceOffError, match="nothing listens there"):
        Grabber(lambda: Video("rtsp://127.0.0.1:9/"), "camera", reconnect=0)
    assert not [thread for thread in threading.enumerate() if thread.name == "digitocr camera" and thread.is_alive()]
