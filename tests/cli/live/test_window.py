"""The window, on a display of its own: keys end it and what they do is seen."""

import ctypes
import json
import os
import struct
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageGrab

from digitocr.cli.live import overlay, window
from digitocr.runtime.errors import DeviceError

COMMAND = [sys.executable, "-m", "digitocr.cli.main", "webcam", "--view", "window", "--quiet"]
PAINTED = 6.0  # seconds of the processor within which a window is painted; by the clock a busy machine needs any time
SECONDS = 240  # in which anything happens, also on such a machine


@pytest.fixture(scope="module")
def display(needs):
    """The name of a virtual display."""
    needs("Xvfb", "xdotool")
    here, there = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(there), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[there],
        stderr=subprocess.DEVNULL,
    )
    os.close(there)
    with open(here) as said:  # noqa: PTH123  # no path
        name = f":{said.readline().strip()}"
    yield name
    server.terminate()
    server.wait()


class Shown:
    """The command with its window, once that is there."""

    def __init__(self, display, clip, folder, *words):
        self.display = display
        self.env = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        self.process = subprocess.Popen(
            [*COMMAND, "--source", str(clip), *words],
            cwd=folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @cached_property
    def id(self):
        return self.tool("search", "--sync", "--onlyvisible", "--name", "^digitocr$").split()[-1]

    def tool(self, *words):
        return subprocess.run(["xdotool", *words], env=self.env, capture_output=True, text=True, timeout=SECONDS).stdout

    def key(self, name):
        self.tool("key", "--window", self.id, name)  # fails where the window ends before the key is up,
        self.tool("keyup", name)  # and then leaves it down, for all windows to come

    def screen(self):
        return cv2.cvtColor(np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB")), cv2.COLOR_RGB2BGR)

    def until(self, seen):
        """Waits until the screen is as asked. What a key does is seen before the next one: OpenCV tells the last."""
        until(lambda: seen(self.screen()))

    def saved(self, folder):
        """Saves what is shown, and returns its JSON file."""
        before = set(folder.glob("digitocr-*.json"))
        self.key("s")
        until(lambda: set(folder.glob("digitocr-*.json")) > before)
        return (set(folder.glob("digitocr-*.json")) - before).pop()

    def is_frozen(self, folder):
        """Whether two frames that are saved one after the other are the same one."""
        first, second = (json.loads(self.saved(folder).read_text())["frame"] for _ in range(2))
        return first == second

    def processor(self):
        """The seconds that it has taken of the processor."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        """What a window manager sends when its cross is pressed (no manager is running, and xdotool cannot)."""
        x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x.XOpenDisplay(self.display.encode()))
        kind, close = (x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        message = struct.pack("iLiPLLi5l", 33, 0, 1, 0, int(self.id), kind, 32, close, 0, 0, 0, 0)
        x.XSendEvent(display, ctypes.c_ulong(int(self.id)), 0, ctypes.c_long(0), message.ljust(192, b"\0"))
        x.XCloseDisplay(display)

    def ended(self):
        out, error = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, error


@pytest.fixture
def show(display, tmp_path):
    """A function that starts the command with a video, in the test's folder, and returns once a steady line shows."""
    started = []

    def begin(video, *words):
        for _ in range(4):  # without a window manager, Qt leaves one window in twenty black, or stops painting it
            shown = Shown(display, video, tmp_path, *words)
            started.append(shown)
            while shown.processor() < PAINTED:
                if shown.process.poll() is not None or green(shown.screen()) > 300:
                    return shown
                time.sleep(0.1)
            shown.process.kill()
            shown.process.communicate()
        raise AssertionError("no window was painted")

    yield begin
    for shown in started:
        if not shown.process.stdout.closed:
            shown.process.kill()
            shown.process.communicate()


def until(seen, before=lambda: None):
    """Waits until something is seen; does something before each look."""
    end = time.monotonic() + SECONDS
    while True:
        before()
        time.sleep(0.05)
        if seen():
            return
        assert time.monotonic() < end


def green(screen):
    return int((abs(screen.astype(int) - (60, 160, 0)).max(2) < 3).sum())


def keys_are_shown(screen):
    return (screen[2:10, 2:10] == overlay.DARK).all()


@pytest.fixture(scope="module")
def long(clip, tmp_path_factory):
    """A clip that lasts for longer than any test waits, its first page all the time."""
    capture = cv2.VideoCapture(str(clip))
    _, frame = capture.read()
    path = tmp_path_factory.mktemp("long") / "long.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240))
    for _ in range(3000):
        writer.write(frame)
    writer.release()
    return path


def test_keys_freeze_save_and_end(show, long, tmp_path):
    shown = show(long)
    for frozen in (True, False, True):
        until(lambda wanted=frozen: shown.is_frozen(tmp_path) == wanted, lambda: shown.key("space"))
    shown.key("h")
    shown.until(keys_are_shown)
    shown.key("h")
    shown.until(lambda screen: not keys_are_shown(screen))
    reading = shown.saved(tmp_path)
    shown.key("q")
    code, out, error = shown.ended()
    assert (code, out) == (0, "407\n")
    assert f"saved {reading.stem}.png and {reading.name}" in error
    assert json.loads(reading.read_text())["text"] == "407"
    saved = cv2.imread(str(reading.with_suffix(".png")))
    assert saved.shape == (296, 320, 3)
    assert green(saved) > 300


def test_a_part_is_drawn_with_the_mouse(show, long):
    shown = show(long, "--all-frames")
    place = shown.tool("getwindowgeometry", "--shell", shown.id)
    left, top = (int(place.split(f"{axis}=")[1].split()[0]) for axis in "XY")
    shown.tool("mousemove", str(left + 5), str(top + 5), "mousedown", "1")
    shown.tool("mousemove", str(left + 60), str(top + 40), "mouseup", "1")
    shown.until(lambda screen: green(screen) == 0)
    shown.tool("mousemove", str(left + 100), str(top + 100), "click", "1")
    shown.until(lambda screen: green(screen) > 300)
    shown.key("Escape")
    code, out, _ = shown.ended()
    assert code == 0
    assert {row.split("\t")[1] for row in out.splitlines()} == {"407", ""}


def test_closing_the_window_ends_it(show, long):
    shown = show(long)
    shown.close()
    code, out, _ = shown.ended()
    assert (code, out) == (0, "407\n")


def test_a_clip_ends_by_itself(show, clip):
    shown = show(clip)
    assert shown.ended()[:2] == (0, "407\n82\n365\n")


def test_without_a_display_the_page_is_offered(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DeviceError, match=r"there is no display for a window; add --view web"):
        window.check_display()


def test_a_display_that_is_not_there_is_an_error_and_no_crash(monkeypatch):
    if not cv2.currentUIFramework():
        pytest.skip("this OpenCV was built without windows")
    monkeypatch.setenv("DISPLAY", ":9876")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DeviceError, match=r"the display :9876 cannot be opened; add --view web"):
        window.check_display()


def trial(monkeypatch, tmp_path, code):
    """Checks a display in a folder with a cv2.py of that code."""
    (tmp_path / "cv2.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISPLAY", ":9876")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT")
    window.check_display()


def test_a_cv2_of_the_current_folder_is_not_run(monkeypatch, tmp_path):
    with pytest.raises(DeviceError, match="the display :9876 cannot be opened"):
        trial(monkeypatch, tmp_path, "open('ran', 'w')\ndef namedWindow(*_): pass\n")
    assert not (tmp_path / "ran").exists()


def test_a_display_that_hangs_is_an_error(monkeypatch, tmp_path):
    def hangs(*_, timeout, **__):
        raise subprocess.TimeoutExpired("python", timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(DeviceError, match="the display :9876 does not answer within 30 seconds; add --view web"):
        trial(monkeypatch, tmp_path, "")


def test_an_opencv_without_windows_is_told_apart(monkeypatch):
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")
    with pytest.raises(DeviceError, match=r"built without windows; type: pip install .* opencv-python"):
        window.check_display()
