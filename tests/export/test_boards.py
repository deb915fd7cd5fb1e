"""The programs of docs/boards.md compile: against digitocr.h, with stand-ins for the headers of boards."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "boards.md").read_text("utf-8")
PROGRAMS = [
    (kind, code) for kind, code in re.findall(r"^```(c|cpp)\n(.*?)^```", PAGE, re.S | re.M) if "onnxruntime" not in code
]
STAND_INS = {
    "esp_camera.h": """#include <stddef.h>
#include <stdint.h>
typedef struct { uint8_t *buf; size_t len, width, height; } camera_fb_t;
camera_fb_t *esp_camera_fb_get(void);
void esp_camera_fb_return(camera_fb_t *frame);
""",
    "esp_heap_caps.h": """#include <stddef.h>
#include <stdint.h>
#define MALLOC_CAP_SPIRAM (1 << 10)
void *heap_caps_malloc(size_t size, uint32_t caps);
""",
    "Arduino.h": """struct Printer {
    void begin(unsigned long baud);
    void println(const char *text);
    void println(int number);
    void println(unsigned long number);
};
extern Printer Serial;
void delay(unsigned long milliseconds);
""",
}
CORE = """
#include <cstdio>
#include <cstdlib>
Printer Serial;
void Printer::begin(unsigned long) {}
void Printer::println(const char *text) { std::puts(text); }
void Printer::println(int number) { std::printf("%d\\n", number); }
void Printer::println(unsigned long number) { std::printf("%lu\\n", number); }
void delay(unsigned long) { std::exit(0); }
int main() {
    setup();
    for (;;) loop();
}
"""


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_compiles(number, tmp_path):
    kind, code = PROGRAMS[number]
    compiler = shutil.which("cc" if kind == "c" else "c++") or pytest.skip("needs a compiler")
    for name, text in STAND_INS.items():
        (tmp_path / name).write_text(text)
    words = ["-std=c99"] if kind == "c" else ["-std=c++11", "-include", "Arduino.h"]
    words += ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-I", str(ROOT / "runtime" / "c"), "-I", "."]
    (tmp_path / f"program.{kind}").write_text(code)
    done = subprocess.run([compiler, *words, f"program.{kind}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def objects(c_folder, tmp_path_factory):
    """All sources of the folder, compiled as Arduino does it: as they lie, since there is no folder src."""
    compiler, folder = shutil.which("cc") or pytest.skip("needs a compiler"), tmp_path_factory.mktemp("objects")
    words = [compiler, "-std=gnu11", "-O0", "-w", "-DARDUINO=10819", "-I", c_folder, "-c", *c_folder.glob("*.c")]
    subprocess.run(words, cwd=folder, check=True)
    return sorted(folder.iterdir())


def test_the_arenas_are_large_enough(c_folder, objects, tmp_path):
    arenas = re.findall(r"arena\[(\d+)\]; +(?:/\*|//) at least (digitocr_\w+\([\d, ]*\))", PAGE)
    assert len(arenas) == 2
    checks = " && ".join(f"{call} <= {size}" for size, call in arenas)
    (tmp_path / "main.c").write_text(f'#include "digitocr.h"\nint main(void) {{ return !({checks}); }}\n')
    subprocess.run(["cc", "-I", c_folder, "main.c", *objects, "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"]).returncode == 0


def test_arduino_links_all_files_of_the_folder_with_a_sketch(c_folder, objects, tmp_path):
    compiler = shutil.which("c++") or pytest.skip("needs a compiler")
    (tmp_path / "Arduino.h").write_text(STAND_INS["Arduino.h"])
    (tmp_path / "sketch.cpp").write_text('#include "Arduino.h"\n' + PROGRAMS[2][1] + CORE)
    words = [compiler, "-std=gnu++11", "-I", c_folder, "sketch.cpp", *objects, "-o", "sketch"]
    subprocess.run(words, cwd=tmp_path, check=True)
    arena, digit = subprocess.run([tmp_path / "sketch"], capture_output=True, text=True).stdout.split()
    assert 8000 < int(arena) <= 20000
    assert int(digit) in range(11)


def test_a_compiler_with_small_types_is_refused(c_folder):
    compiler = shutil.which("cc") or pytest.skip("needs a compiler")
    words = [compiler, "-E", "-U__SIZEOF_DOUBLE__", "-D__SIZEOF_DOUBLE__=4", c_folder / "digitocr.c"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode != 0
    assert "digitocr needs an int of 32 bits and a double of 64" in done.stderr


def test_there_are_programs_for_both_languages():
    assert [kind for kind, _ in PROGRAMS] == ["c", "c", "cpp"]
