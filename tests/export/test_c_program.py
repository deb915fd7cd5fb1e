"""The program digitocr_cli.c: what it takes, what it says, and how it ends."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.reader import Reader

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
FULL = Path("/dev/full")  # a device on which no byte can be written
LEVELS = """
#define main program
#include "digitocr_cli.c"
#undef main

int main(int count, char **arguments) {
    uint8_t levels[256];
    int n;
    if (count > 2) {
        struct digitocr_reading reading = {.regions = 1, .why = DIGITOCR_WHY_UNSURE};
        char why[WHY_LENGTH];
        reading.confidence = (float)strtod(arguments[1], NULL);
        say_why(&reading, (float)strtod(arguments[2], NULL), why, sizeof why);
        return puts(why) < 0;
    }
    for (n = 0; n < 256; n++) levels[n] = (uint8_t)n;
    scale_levels(levels, sizeof levels, count > 1 ? strtol(arguments[1], NULL, 10) : 255);
    return fwrite(levels, 1, sizeof levels, stdout) != sizeof levels;
}
"""

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="module")
def program(c_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("program") / "digitocr"
    sources = ["digitocr_cli.c", "digitocr.c", "digitocr_weights.c"]
    subprocess.run(["cc", "-std=c99", "-O1", "-ffp-contract=off", *sources, "-o", made], cwd=c_folder, check=True)
    return made


@pytest.fixture(scope="module")
def levels(c_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that prints what becomes of the levels 0 to 255 where the largest one is its argument.

    Of two arguments, a confidence and the least one, it prints why nothing was read.
    """
    work = tmp_path_factory.mktemp("levels")
    (work / "levels.c").write_text(LEVELS)
    cc = ["cc", "-std=c99", "-O1", "-ffp-contract=off", f"-I{c_folder}", "levels.c"]
    subprocess.run(
        [*cc, *(c_folder / name for name in ("digitocr.c", "digitocr_weights.c")), "-o", "levels"], cwd=work, check=True
    )
    return work / "levels"


@pytest.fixture
def run(program: Path, tmp_path: Path) -> Run:
    """Runs the program in a folder with page.pgm, which shows 4071, and files that are no grey pictures of 8 bits."""
    picture = Image.new("L", (160, 70), 235)
    ImageDraw.Draw(picture).text((20, 12), "4071", 40, ImageFont.load_default(40))
    picture.save(tmp_path / "page.pgm")
    picture.convert("RGB").save(tmp_path / "colour.ppm")
    for name, most in (("bits-16", 65535), ("no-levels", 0)):
        (tmp_path / f"{name}.pgm").write_bytes(f"P5 160 70 {most}\n".encode() + bytes(2 * 160 * 70))

    def call(*words: str, **others: Any) -> "subprocess.CompletedProcess[bytes]":
        others = {"stdout": subprocess.PIPE, **others}
        return subprocess.run([program, *words], cwd=tmp_path, stderr=subprocess.PIPE, check=False, **others)

    return call


def test_a_picture_is_read_from_a_file_and_from_standard_input(run: Run, tmp_path: Path) -> None:
    assert run("page.pgm").stdout == b"4071\n"
    content = (tmp_path / "page.pgm").read_bytes()
    assert run("-", input=content).stdout == b"4071\n"
    assert run("--rotate", "0", "--", "page.pgm", "-", input=content).stdout == b"page.pgm\t4071\n-\t4071\n"
    assert run("-", "-", input=2 * content).stdout == b"-\t4071\n-\t4071\n"
    found = json.loads(run("--jsonl", "page.pgm").stdout)
    pixels = np.asarray(Image.open(tmp_path / "page.pgm"))
    assert found["text"] == Reader().read(pixels).text == "4071"


@pytest.mark.parametrize("most", [1, 2, 15, 63, 100, 127, 200, 254])
def test_levels_of_another_range_are_those_that_pillow_makes_of_them(
    run: Run, tmp_path: Path, levels: Path, most: int
) -> None:
    content = f"P5 16 16 {most}\n".encode() + bytes(range(256))  # those over the range become white
    (tmp_path / "levels.pgm").write_bytes(content)
    found = subprocess.run([levels, str(most)], stdout=subprocess.PIPE, check=True).stdout
    assert found == np.asarray(Image.open(tmp_path / "levels.pgm")).tobytes()
    pixels = np.asarray(Image.open(tmp_path / "page.pgm"), np.float64)
    (tmp_path / "page.pgm").write_bytes(
        f"P5 160 70 {most}\n".encode() + (pixels / 255 * most).astype(np.uint8).tobytes()
    )
    assert run("page.pgm").stdout.decode().strip() == Reader().read(tmp_path / "page.pgm").text


@pytest.mark.parametrize("conf", ["0.05", "0.1", "0.5", "0.7", "0.8", "0.95", "1"])
def test_a_confidence_that_is_too_low_is_printed_below_the_limit_as_reader_prints_it(levels: Path, conf: str) -> None:
    confidence = np.float32(float(conf) - 0.0004)
    found = subprocess.run([levels, repr(float(confidence)), conf], stdout=subprocess.PIPE, check=True).stdout
    one = np.ones(1, np.float32)
    attempt = Attempt(
        0, np.ones((1, 4), np.float32), one, np.zeros((1, 28, 28), np.uint8), np.eye(1, 10), confidence * one
    )
    assert found.decode().strip() == attempt.why_nothing(float(conf))


@pytest.mark.parametrize(("width", "turned"), [(800, 337), (2400, 0)])
def test_steep_numbers_in_a_strip_are_read_as_reader_reads_them(
    run: Run, tmp_path: Path, width: int, turned: int
) -> None:
    picture = Image.new("L", (width, 100), 235)
    for place in range(4):
        number = Image.new("L", (110, 110), 235)
        ImageDraw.Draw(number).text((20, 40), str(4071 + 37 * place), 30, ImageFont.load_default(22))
        number = number.rotate(-25, Image.Resampling.BICUBIC, fillcolor=235).crop((5, 5, 105, 105))
        picture.paste(number, (width * place // 4 + 60, 0))
    picture.save(tmp_path / "strip.pgm")
    found = json.loads(run("--jsonl", "strip.pgm").stdout)
    expected = Reader().read(tmp_path / "strip.pgm")
    assert (found["text"], found["turned"]) == (expected.text, expected.turned)
    assert expected.turned == turned  # up to 13 times as long as wide, lines are made level
    boxes = [number["box"] for line in found["lines"] for number in line["numbers"]]
    assert boxes == [list(number.box) for number in expected.numbers]


def test_help_is_asked_for_or_given_where_there_is_no_file(run: Run) -> None:
    asked, lacking = run("--help"), run()
    assert asked.stdout == run("-h").stdout == lacking.stderr
    assert (asked.returncode, lacking.returncode) == (0, 2)
    assert asked.stdout.startswith(b"usage: digitocr ")


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--conf", "2", "page.pgm"], 2, "--conf: no such option, or no such value of it; --help shows them"),
        (["--conf", "", "page.pgm"], 2, "--conf: no such option"),
        (["page.pgm", "--mode"], 2, "--mode: no such option"),
        (["-x", "page.pgm"], 2, "-x: no such option"),
        (["--", "-x"], 4, "-x: cannot be read (No such file or directory)"),
        (["nothere.pgm"], 4, "nothere.pgm: cannot be read (No such file or directory)"),
        (["colour.ppm"], 4, "colour.ppm: is no binary PGM file of 8 bits or fewer; convert it, as by convert PICTURE"),
        (["bits-16.pgm"], 4, "bits-16.pgm: is no binary PGM file of 8 bits or fewer"),
        (["no-levels.pgm"], 4, "no-levels.pgm: is no binary PGM file of 8 bits or fewer"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run: Run, words: list[str], code: int, why: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.startswith(f"digitocr: {why}".encode())
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["page.pgm"], ["--jsonl", "page.pgm", "page.pgm"], ["--json", "no.pgm"], ["--help"]])
def test_output_that_is_lost_is_an_error(run: Run, words: list[str]) -> None:
    with FULL.open("wb") as full:
        done = run(*words, stdout=full)
    assert done.returncode == 9
    assert done.stderr.startswith(b"digitocr: standard output cannot be written (No space left on device)")
