"""The commands predict and info on bad input and bad output, as whole processes: time, memory, one line, exit code."""

import json
import os
import pty
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

SECONDS, MEGABYTES = 1.0, 400  # of processor time and of memory, start and imports included
COMMAND = [sys.executable, "-m", "digitocr.cli.main"]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def blank_png(width, height):
    """A grey PNG of one bit with all its pixels, packed as small as can be."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(rows.compress(row * 1000) for _ in range(height // 1000)) + rows.compress(row * (height % 1000))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels + rows.flush()) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A good picture (a four and a seven) and bad ones of every kind."""
    folder = tmp_path_factory.mktemp("bad")
    page = np.full((80, 120), 230, np.uint8)
    for digit, left in (("4", 30), ("7", 70)):
        cv2.putText(page, digit, (left, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 20, 3, cv2.LINE_AA)
    Image.fromarray(page).save(folder / "good.png")
    noise = np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)
    Image.fromarray(noise).save(folder / "packed.tif", compression="tiff_deflate")
    packed = (folder / "packed.tif").read_bytes()
    files = {
        "1x1.png": blank_png(1, 1),
        "1x5000.png": blank_png(1, 5000),
        "30000x30000.png": blank_png(30_000, 30_000),
        "cut.png": (folder / "good.png").read_bytes()[:70],
        "empty.jpg": b"",
        "packed.tif": packed[:4000] + bytes(100) + packed[4100:],
        "text.png": b"no picture\n",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "broken.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "none").mkdir()
    return folder


def run(folder, *words, **settings):
    """A finished process with its stdout and stderr as text, and seconds of the processor."""
    files = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **settings}
    process = subprocess.Popen([*COMMAND, *words], cwd=folder, stderr=subprocess.PIPE, text=True, **files)
    stdout, stderr = process.stdout.read() if process.stdout else "", process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    return process.returncode, stdout, stderr, used.ru_utime + used.ru_stime


def peak(folder, *words):
    """Megabytes that the command takes at most. A process in between starts it: a child counts its parent's memory."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], capture_output=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, *COMMAND, *words]
    used = int(subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout)
    return used / (1_000_000 if sys.platform == "darwin" else 1000)


BAD = {
    "1x1.png": "too few",
    "1x5000.png": "too few",
    "30000x30000.png": "megapixels",
    "broken.png": "No such file",
    "cut.png": "damaged or cut short",
    "empty.jpg": "not a picture",
    "packed.tif": "damaged or cut short",
    "pipe.png": "a folder or a device",
    "text.png": "not a picture",
}


def test_every_bad_picture_is_one_line_and_the_good_one_is_read(folder):
    words = ["predict", ".", "none", "*.gif", "", "nosuch.png"]
    code, stdout, stderr, seconds = run(folder, *words)
    assert code == 4
    assert stdout == "good.png\t47\n"
    lines = stderr.splitlines()
    assert len(lines) == len(BAD) + 5
    assert lines[-1] == "digitocr: .: left out 1 subfolder (add --recursive)"
    for line, (name, why) in zip(lines, sorted(BAD.items()), strict=False):
        assert line.startswith(f"digitocr: {name}: ")
        assert why in line
    assert all(line.startswith("digitocr: ") for line in lines)
    assert peak(folder, *words) < MEGABYTES
    bare = run(folder, "predict", "good.png")[3]
    assert seconds < bare + SECONDS


def shapes(value):
    """A JSON value with each number that varies (a float) as its type."""
    if isinstance(value, dict):
        return {name: shapes(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shapes(one) for one in value]
    return float if isinstance(value, float) else value


def test_jsonl_stays_parseable_with_bad_files_in_between(folder):
    code, stdout, _, _ = run(folder, "predict", "--jsonl", "text.png", "good.png", "30000x30000.png", "good.png")
    assert code == 4
    bad, good, large, again = map(json.loads, stdout.splitlines())
    digits = [digit for line in good["lines"] for number in line["numbers"] for digit in number["digits"]]
    for digit, left in zip(digits, (31, 73), strict=True):
        assert digit["topk"][0][0] == digit["digit"]
        digit["topk"] = len(digit["topk"])
        x, y, w, h = digit.pop("box")
        assert abs(x - left) <= 4
        assert abs(y + h / 2 - 45) <= 4
        assert 15 <= w <= 35
        assert 25 <= h <= 40
    for number in (number for line in good["lines"] for number in line["numbers"]):
        del number["box"]
    assert len(good["model"].pop("sha256")) == 64
    assert shapes(good) == {
        "schema": "digitocr/2",
        "source": "good.png",
        "page": None,
        "pages": 1,
        "text": "47",
        "confidence": float,
        "turned": 0,
        "lines": [
            {
                "text": "47",
                "numbers": [
                    {
                        "text": "47",
                        "confidence": float,
                        "digits": [{"digit": digit, "confidence": float, "topk": 3} for digit in (4, 7)],
                    }
                ],
            }
        ],
        "why": "",
        "ms": {"decode": float, "detect": float, "classify": float},
        "model": {"name": "digitocr-int8"},
        "error": None,
    }
    assert (again["source"], again["text"], again["lines"][0]["text"]) == ("good.png", "47", "47")
    assert bad.pop("error").startswith("text.png: not a picture that can be read; formats: JPEG, PNG, ")
    assert shapes(bad) == {
        "schema": "digitocr/2",
        "source": "text.png",
        "page": None,
        "pages": 1,
        "text": "",
        "confidence": float,
        "turned": 0,
        "lines": [],
        "why": "",
        "ms": {},
        "model": None,
    }
    assert "megapixels" in large["error"]


def test_names_of_any_kind_stay_on_one_line(folder, tmp_path):
    content = (folder / "good.png").read_bytes()
    names = [b"new\nline\t.png", "für 漢.png".encode(), b"not utf-8 \xff.png"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(content)
    code, stdout, stderr, _ = run(tmp_path, "predict", *map(os.fsdecode, names), "gone\n.png")
    assert code == 4
    assert stdout == "new\\nline\\t.png\t47\nfür 漢.png\t47\nnot utf-8 \\udcff.png\t47\n"
    assert stderr == "digitocr: gone\\n.png: cannot be read (No such file or directory)\n"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    code, stdout, _, _ = run(tmp_path, "predict", "--jsonl", *map(os.fsdecode, names), env=environment)
    assert code == 0
    assert [json.loads(line)["source"] for line in stdout.splitlines()] == [os.fsdecode(name) for name in names]


def test_an_output_that_takes_nothing_ends_with_9(folder):
    with Path("/dev/full").open("w") as full:
        code, _, stderr, _ = run(folder, "predict", "good.png", stdout=full)
    assert code == 9
    assert stderr.startswith("digitocr: standard output cannot be written (No space left")
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does
    code, _, stderr, _ = run(folder, "predict", "--jsonl", "good.png", "good.png", stdout=writer)
    os.close(writer)
    assert (code, stderr) == (9, "")


def test_standard_input_that_is_empty_or_a_terminal_is_an_input_error(folder):
    code, _, stderr, _ = run(folder, "predict", "-")
    assert (code, stderr) == (4, "digitocr: standard input: is empty; pipe a picture into it\n")
    ours, theirs = pty.openpty()
    code, _, stderr, _ = run(folder, "predict", "-", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert (code, stderr) == (4, "digitocr: standard input: is a terminal or closed; pipe a picture into it\n")


def test_an_interrupt_ends_with_130_and_without_a_traceback(folder):
    process = subprocess.Popen([*COMMAND, "predict", "good.png", "-"], cwd=folder, stdin=-1, stdout=-1, stderr=-1)
    assert process.stdout.readline() == b"good.png\t47\n"  # now it waits for standard input
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in stderr


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_models_that_are_none_end_with_5_in_one_line(folder, tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(np.random.default_rng(0).bytes(9000))
    for command in (("predict", "good.png", "--model"), ("info",)):
        code, stdout, stderr, _ = run(folder, *command, str(path))
        assert (code, stdout) == (5, "")
        assert stderr.startswith(f"digitocr: {path}: ")
        assert stderr.count("\n") == 1


def test_a_folder_for_pictures_that_is_a_file_ends_with_9(folder, tmp_path):
    (tmp_path / "file").touch()
    for target in ("file", "file/below"):
        code, stdout, stderr, _ = run(folder, "predict", "good.png", "--save-image", str(tmp_path / target))
        assert (code, stdout) == (9, "47\n")
        assert stderr.startswith(f"digitocr: {tmp_path / target}/good.png.png: cannot be written")
        assert stderr.count("\n") == 1


def test_what_c_libraries_write_is_dropped_unless_debug_asks_for_it(folder):
    code, _, stderr, _ = run(folder, "predict", "packed.tif")
    assert code == 4
    assert stderr.count("\n") == 1
    assert run(folder, "--debug", "predict", "packed.tif")[2].count("\n") > 1
