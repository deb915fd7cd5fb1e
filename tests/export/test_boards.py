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


def test_the_arenas_are_large_enough(c_folder, tmp_path):
    compiler = shutil.which("cc") or pytest.skip("needs a compiler")
    arenas = re.findall(r"arena\[(\d+)\]; +(?:/\*|//) at least (digitocr_\w+\([\d, ]*\))", PAGE)
    assert len(arenas) == 2
    checks = " && ".join(f"{call} <= {size}" for size, call in arenas)
    (tmp_path / "main.c").write_text(f'#include "digitocr.h"\nint main(void) {{ return !({checks}); }}\n')
    sources = [c_folder / "digitocr.c", c_folder / "digitocr_weights.c"]
    words = [compiler, "-std=c99", "-O0", "-ffp-contract=off", "-I", c_folder, "main.c", *sources, "-o", "main"]
    subprocess.run(words, cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"]).returncode == 0


def test_there_are_programs_for_both_languages():
    assert [kind for kind, _ in PROGRAMS] == ["c", "c", "cpp"]
