"""The command webcam, as whole processes but for what is refused at once."""

import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import av
import cv2
import numpy as np
import pytest

from digitocr.cli import main

COMMAND = [sys.executable, "-m", "digitocr.cli.main", "webcam"]
SECONDS = 240  # in which a process ends, also on a machine that is busy
HEARTBEATS = (
    (Path(__file__).parents[3] / "docs" / "json.md")
    .read_text("utf-8")
    .partition("## Heartbeats")[2]
    .partition("\n## ")[0]
)


def start(*words, **more):
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def webcam(*words, **more):
    """Exit code, standard output, standard error."""
    process = start(*words, **more)
    out, error = process.communicate(timeout=SECONDS)
    return process.returncode, out, error


@pytest.fixture
def refused(monkeypatch, capsys):
    """The same as `webcam` in this process, which has loaded all."""

    def run(*words, cwd):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["digitocr", "webcam", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        return ended.value.code, *capsys.readouterr()

    threshold, terminate = gc.get_threshold(), signal.getsignal(signal.SIGTERM)
    yield run
    gc.set_threshold(*threshold)
    signal.signal(signal.SIGTERM, terminate)


def count(path):
    capture = cv2.VideoCapture(str(path))
    frames = 0
    while capture.read()[0]:
        frames += 1
    return frames


@pytest.fixture(scope="module")
def page(clip):
    """The first frame of the clip."""
    return cv2.VideoCapture(str(clip)).read()[1]


def test_every_number_of_a_file_comes_once_in_order(clip):
    code, out, error = webcam("--source", clip, "--view", "none")
    assert (code, out) == (0, "407\n82\n365\n")
    first, last = error.splitlines()
    assert first == f"digitocr: {clip}: 320x240 at 30 frames a second"
    assert last.startswith("digitocr: 60 frames in ")
    assert "0 skipped; 3 readings announced; latency" in last
    assert webcam("--source", clip, "--view", "none", "--quiet", "--digits", "3")[1:] == ("407\n365\n", "")


def test_jsonl_is_the_documented_object(clip, tmp_path):
    code, out, _ = webcam(
        "--source", "clip.avi", "--view", "none", "--jsonl", "--record", "out.avi", cwd=_beside(clip, tmp_path)
    )
    assert code == 0
    rows = [json.loads(row) for row in out.splitlines()]
    assert [row["text"] for row in rows] == ["407", "82", "365"]
    keys = ["schema", "source", "frame", "time", "at", "text", "confidence", "turned", "lines", "why", "ms", "model"]
    assert list(rows[0]) == [*keys, "error"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(rows[0]["at"])) < timedelta(minutes=1)
    assert (rows[0]["schema"], rows[0]["source"], rows[0]["error"]) == ("digitocr/2", "clip.avi", None)
    assert rows[0]["time"] == round(rows[0]["frame"] / 30, 3)
    assert set(rows[0]["ms"]) == {"decode", "detect", "classify", "latency"}
    assert count(tmp_path / "out.avi") == 60


def _beside(clip, folder):
    (folder / "clip.avi").symlink_to(clip)
    return folder


def test_all_frames_are_printed_if_asked(clip):
    _, out, _ = webcam("--source", clip, "--view", "none", "--all-frames", "--every", "5")
    assert [row.split("\t")[0] for row in out.splitlines()] == [str(number) for number in range(0, 60, 5)]
    assert out.startswith("0\t407\n")
    _, out, _ = webcam("--source", clip, "--view", "none", "--all-frames", "--jsonl")
    assert [json.loads(row)["frame"] for row in out.splitlines()] == list(range(60))


def test_once_prints_a_number_and_ends(clip):
    assert webcam("--source", clip, "--view", "none", "--once", "--quiet", "--expect", r"8\d") == (0, "82\n", "")
    code, out, error = webcam("--source", clip, "--view", "none", "--once", "--quiet", "--digits", "7")
    assert (code, out) == (8, "")
    assert error.count("\n") == 1
    assert re.search(
        r"no steady number was read in \d+ s; 7 of 9 frames must read the same one, and \d+ were read$", error
    )


def test_a_meter_s_numbers_only_rise_and_what_does_not_is_said(clip):
    code, out, error = webcam("--source", clip, "--view", "none", "--rising", "50", "--heartbeat", "0.001")
    assert (code, out) == (0, "407\n")
    assert "not announced: 82 has fewer digits than the last number, 407; start again if the meter" in error
    assert "not announced: 365 is below the last number, 407" in error
    assert "; 1 reading announced, 2 refused; latency" in error
    assert f" {clip}: reading; 0 frames, 0 readings announced, 0 refused\n" in error
    assert re.search(r" frames, 1 reading announced, the last one 407 at 2\S+, 2 refused\n", error)


def test_a_heartbeat_counts_and_repeats_the_last_number(clip):
    words = ("--source", clip, "--view", "none", "--rising", "50", "--heartbeat", "0.001", "--jsonl")
    lives = [json.loads(row) for row in webcam(*words)[1].splitlines() if "heartbeat" in row]
    assert [lives[0][key] for key in ("schema", "source", "state", "frames", "announced", "refused", "number")] == [
        "digitocr-heartbeat/1",
        str(clip),
        "reading",
        0,
        0,
        0,
        None,
    ]
    assert list(lives[0]) == re.findall(r"^\| `(\w+)`", HEARTBEATS, re.M)
    assert [lives[-1][key] for key in ("announced", "refused", "number")] == [1, 2, "407"]
    assert lives[0]["at"] < lives[-1]["number_at"] < lives[-1]["at"]  # one form, so they sort as texts


def test_systemd_is_told_that_it_works_and_that_it_goes_on(stream, page, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        process = start(
            *("--source", stream(page), "--view", "none", "--heartbeat", "0.05"),
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)


def test_a_part_can_be_read_as_one_digit(clip):
    code, out, _ = webcam(
        "--source", clip, "--view", "none", "--mode", "single", "--roi", "0,0,150,240", "--every", "2"
    )
    assert code == 0
    assert {len(text) for text in out.split()} == {1}


def test_a_stream_is_read_until_the_time_is_over(stream, page):
    address = stream(np.full_like(page, 200))
    code, out, error = webcam("--source", address, "--view", "none", "--max-seconds", "0.5")
    assert (code, out) == (8, "")
    assert error.splitlines()[-1].startswith(f"digitocr: {address}: no steady number was read in ")


def test_a_stream_that_ends_is_tried_again_and_then_an_error(stream, page):
    address = stream(page, ends=60, serves=2)  # one to ask what it is, one to read
    code, out, error = webcam("--source", address, "--view", "none", "--reconnect", "0.3")
    assert (code, out) == (7, "407\n")
    assert "the picture is lost; trying again for 0.3 s" in error
    assert "start what sends it" in error.splitlines()[-1]


def test_a_stream_that_is_off_is_tried_until_the_time_is_over():
    words = ("--source", "rtsp://127.0.0.1:9/", "--view", "none")
    began = time.monotonic()
    code, out, error = webcam(*words, "--reconnect", "600", "--max-seconds", "1")
    assert time.monotonic() - began < 30
    assert (code, out) == (8, "")
    first, last = error.splitlines()
    why = "rtsp://127.0.0.1:9/: nothing listens there (connection refused); check the port, and that it is switched on"
    assert first == f"digitocr: {why}; trying again for 600 s"
    assert last == f"digitocr: rtsp://127.0.0.1:9/: no steady number was read in 1 s; {why}"
    assert webcam(*words, "--reconnect", "0") == (7, "", f"digitocr: {why}\n")


def test_a_recording_says_that_it_is_cut_short(clip, tmp_path):
    with av.open(str(clip)) as source, av.open(str(tmp_path / "a.mkv"), "w") as film:
        stream = film.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                film.mux(packet)
    content = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(content[: len(content) * 6 // 10])
    code, out, error = webcam("--source", "a.mkv", "--view", "none", cwd=tmp_path)
    assert (code, out) == (0, "407\n82\n")
    assert re.search(r"^digitocr: a\.mkv: is cut short or damaged: 1\.\d of 2\.0 seconds could be read$", error, re.M)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_recording_is_playable(stream, page, tmp_path, number, code):
    process = start("--source", stream(page), "--view", "none", "--record", tmp_path / "a.avi")
    assert process.stdout.readline() == "407\n"
    time.sleep(0.3)
    process.send_signal(number)
    _, error = process.communicate(timeout=SECONDS)
    assert process.returncode == code
    assert "Traceback" not in error
    assert count(tmp_path / "a.avi") >= 10
    assert [path.name for path in tmp_path.iterdir()] == ["a.avi"]


def test_a_page_is_served_while_it_reads(stream, page):
    process = start("--source", stream(page), "--view", "web", "--port", "0", stdin=subprocess.DEVNULL)
    assert process.stdout.readline() == "407\n"
    process.stderr.readline()
    address = process.stderr.readline().split()[-1]
    shown, over = "", time.monotonic() + 10
    while shown != "407" and time.monotonic() < over:  # the line is printed a moment before the page has it
        with urlopen(address + "reading", timeout=10) as answer:
            shown = json.load(answer)["text"]
    assert shown == "407"
    with urlopen(address + "video", timeout=10) as viewer:
        viewer.readline()
        process.terminate()
        process.communicate(timeout=SECONDS)
    assert process.returncode == 143


def test_sigterm_ends_it_with_the_same_code_before_the_first_frame(tmp_path):
    os.mkfifo(tmp_path / "clip.avi")
    process = start("--source", tmp_path / "clip.avi", "--view", "none")
    time.sleep(0.2)
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode in (143, -signal.SIGTERM)  # -15: as Python tells of what a shell reports as 143


def test_the_page_of_a_recording_stays_until_it_is_interrupted(clip, tmp_path):
    record = tmp_path / "a.avi"
    process = start("--source", clip, "--view", "web", "--port", "0", "--record", record)
    process.stderr.readline()
    address = process.stderr.readline().split()[-1]
    while "page stays open until Ctrl-C" not in process.stderr.readline():
        assert process.poll() is None
    assert count(record) == 60
    with urlopen(address + "reading", timeout=10) as answer:
        shown = json.load(answer)
    assert [text for _, text in shown["announced"]] == ["365", "82", "407"]
    assert shown["state"] == "the recording has ended"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, "407\n82\n365\n")


def test_a_recording_whose_next_frame_is_far_off_goes_on_living_and_ends_in_time(page, tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=1)
        stream.height, stream.width = page.shape[:2]
        stream.pix_fmt = "gray"
        for seconds in (0, 60):
            picture = av.VideoFrame.from_ndarray(page).reformat(format="gray")
            picture.pts = seconds
            film.mux(stream.encode(picture))
        film.mux(stream.encode())
    words = ("--source", tmp_path / "a.mkv", "--view", "web", "--port", "0", "--jsonl", "--heartbeat", "0.3")
    began = time.monotonic()
    assert webcam(*words, "--max-seconds", "2")[0] == 8
    assert time.monotonic() - began < 45
    process = start(*words)
    lives = [json.loads(process.stdout.readline()) for _ in range(4)]
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert lives[-1]["seconds"] < 45


def test_the_page_of_a_recording_ends_when_the_time_is_over(clip):
    code, out, _ = webcam("--source", clip, "--view", "web", "--port", "0", "--max-seconds", "2")
    assert code == (0 if out else 8)  # a machine that is busy has read nothing by then
    assert "407\n82\n365\n".startswith(out)


def test_libraries_write_only_when_debugging():
    for words, chatter in (([], False), (["--debug"], True)):
        source = ("--source", "http://127.0.0.1:9/", "--view", "none", "--reconnect", "0")
        ran = subprocess.run([*COMMAND[:-1], *words, COMMAND[-1], *source], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 7
        assert ("Connection to tcp" in ran.stderr) is chatter
        assert "digitocr: http://127.0.0.1:9/: nothing listens there" in ran.stderr


def test_a_password_is_in_no_output(stream, page, clip):
    host = stream(page, ends=60, serves=2).removeprefix("http://")
    address = f"http://user:secret@{host}"
    code, out, error = webcam("--source", address, "--view", "none", "--reconnect", "0.3", "--jsonl")
    assert code == 7
    assert json.loads(out)["source"] == f"http://{host}"
    assert f"digitocr: http://{host}: 320x240" in error
    assert f"digitocr: http://{host}: the picture is lost" in error
    assert "secret" not in out + error
    address = f"http://user:secret@{stream(np.full_like(page, 200)).removeprefix('http://')}"
    code, out, error = webcam("--source", address, "--view", "none", "--max-seconds", "0.5", "--all-frames", "--jsonl")
    assert code == 8
    assert "secret" not in out + error
    code, out, error = webcam("--source", "rtsp://user:secret@127.0.0.1:9/", "--view", "none", "--reconnect", "0")
    assert (code, out) == (7, "")
    assert error.startswith("digitocr: rtsp://127.0.0.1:9/: nothing listens there (connection refused)")
    assert "secret" not in error


def test_a_snapshot_s_address_is_asked_again_and_again(page):
    content = cv2.imencode(".jpg", page)[1].tobytes()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/snap.jpg"
    code, out, error = webcam("--source", address, "--view", "none", "--once", "--fps", "20")
    server.shutdown()
    server.server_close()
    assert (code, out) == (0, "407\n")
    assert error.startswith(f"digitocr: {address}: 320x240 at 20 frames a second")


def test_an_address_for_everybody_says_what_that_means(clip):
    code, _, error = webcam("--source", clip, "--view", "web", "--port", "0", "--host", "0.0.0.0", "--once")
    assert code == 0
    assert "without a password" in error
    assert "digitocr: open http://localhost:" in error  # no browser opens 0.0.0.0 on every system


def test_whoever_reads_the_output_may_leave(stream, page):
    process = start("--source", stream(page), "--view", "none", "--all-frames")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 9
    process.stderr.close()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--source", "gone.avi"], 4, "gone.avi: there is no such file and no camera of that name"),
        (["--source", "9876"], 7, "camera 9876"),
        (["--source", "text.avi"], 4, "text.avi: not a video that can be decoded"),
        (["--source", "clip.avi", "--roi", "1,2"], 2, "--roi is X,Y,WIDTH,HEIGHT"),
        (["--source", "clip.avi", "--roi", "300,0,100,10"], 4, "not inside the frame of 320x240"),
        (["--source", "clip.avi", "--expect", "["], 2, "[ is not a regular expression"),
        (["--source", "clip.avi", "--expect", "1", "--digits", "2"], 2, "matches no number of 2 digits"),
        (["--source", "clip.avi", "--roi", "0,0,3,3"], 2, "each side must have 5 pixels or more"),
        (["--source", "clip.avi", "--max-seconds", "nan"], 2, "--max-seconds must be a finite number, 0 or more"),
        (["--source", "clip.avi", "--reconnect", "inf"], 2, "--reconnect must be a finite number, 0 or more"),
        (["--source", "clip.avi", "--once", "--all-frames"], 2, "leave out --all-frames"),
        (["--source", "clip.avi", "--once", "--rising", "5"], 2, "leave out --rising"),
        (["--source", "clip.avi", "--all-frames", "--rising", "5"], 2, "leave out --rising"),
        (["--source", "clip.avi", "--mode", "single", "--rising", "5"], 2, "leave out --rising"),
        (["--source", "clip.avi", "--record", "a.gif"], 2, "a recording ends in .avi or .mp4"),
        (["--source", "clip.avi", "--record", "other.avi"], 9, "exists already"),
        (["--source", "clip.avi", "--record", "clip.avi", "--force"], 2, "clip.avi: is a file to be read"),
        (["--source", "clip.avi", "--model", "gone.onnx"], 5, "gone.onnx"),
        (["--source", "gone.avi", "--view", "web", "--port", "70000"], 2, "70000 is not in the range 0<=x<=65535"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(clip, tmp_path, refused, words, code, why):
    (tmp_path / "text.avi").write_text("no video\n")
    (tmp_path / "other.avi").write_text("an earlier recording\n")
    view = [] if "--view" in words else ["--view", "none"]
    got, out, error = refused(*words, *view, "--quiet", cwd=_beside(clip, tmp_path))
    assert (got, out) == (code, "")
    assert error.startswith("digitocr: ")
    assert error.count("\n") == 1
    assert why in error
    assert (tmp_path / "other.avi").read_text() == "an earlier recording\n"


def test_a_recording_that_is_too_short_says_that_nothing_was_announced(tmp_path, page):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), page)
    code, out, error = webcam("--source", tmp_path, "--view", "none")
    assert (code, out) == (0, "")
    assert "no number was announced; 7 of 9 frames must read the same one, and 3 were read" in error
    assert webcam("--source", tmp_path, "--view", "none", "--quiet") == (0, "", "")


def test_without_a_display_the_window_offers_the_page(clip):
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    code, out, error = webcam("--source", clip, env=env)
    assert (code, out) == (7, "")
    assert "--view web" in error


def test_list_says_which_cameras_there_are():
    code, out, error = webcam("--list")
    assert code == 0
    assert out or "there is no camera" in error


def test_doubtful_frames_are_kept(clip, tmp_path):
    words = ("--source", clip, "--view", "none", "--keep-doubtful", tmp_path / "kept")
    code, out, error = webcam(*words, "--keep-below", "1", "--keep-most", "1")
    assert (code, out) == (0, "407\n82\n365\n")
    assert f"digitocr: 1 frame kept; correct them by: digitocr label {tmp_path / 'kept'}" in error
    (kept,) = (tmp_path / "kept").iterdir()
    assert cv2.imread(str(kept)).shape == (240, 320, 3)
    code, _, error = webcam(*words[:-2], "--keep-below", "0.5")
    assert (code, error) == (2, "digitocr: --keep-below is for --keep-doubtful; leave it out\n")
