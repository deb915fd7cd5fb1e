"""Time of the C library beside ONNX Runtime's int8 and Reader, one thread each, in turns; and of whole processes.

    digitocr export --format c --out digitocr-c
    python benchmarks/c_library.py digitocr-c --save

Processor time, so that other load counts little. The library is compiled by cc -O3 and held to the kernels of each
column; "plain" is compiled with -DDIGITOCR_PLAIN. Needs x86-64 with AVX-512 VNNI. Takes a minute.
"""

import ctypes
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from reader import crop, page
from timing import argument_parser, report

from digitocr import Reader
from digitocr.runtime import image, preprocessing
from digitocr.runtime.models import shipped_model
from digitocr.runtime.opencv import cv2

FLAGS = ["-std=gnu99", "-O3", "-ffp-contract=off", "-w"]
PLAIN = "plain"  # what -DDIGITOCR_PLAIN leaves
KERNELS = ("sse2", "avx2", "avx512-vnni")
ROWS, COLUMNS = 384, 512  # of the detector's input
SECONDS = 4.0  # of processor time for a row
LEAST_ROUNDS = 3
HARNESS = """
static int level; /* of KERNELS */
#define __builtin_cpu_supports(name) (level >= ((name)[3] == '5' ? 2 : 1))
#include "digitocr.c"
#include <stdlib.h>

static void row(void *context, int32_t number, uint8_t *to) { memset(to, 7 * number, *(const size_t *)context); }

void hold_to(int kernels) { level = kernels; }

int detect(int32_t rows, int32_t columns, void *memory, size_t bytes) {
    struct dg_output outputs[DG_MAX_OUTPUTS];
    struct dg_arena arena = dg_arena_of(memory, bytes);
    size_t row_bytes = 3 * (size_t)columns;
    struct dg_source source = {row, &row_bytes};
    return dg_run(&dg_detector, rows, columns, &source, &arena, outputs);
}

int read_picture(const uint8_t *pixels, int32_t width, int32_t height, void *memory, size_t bytes) {
    struct digitocr_picture picture = {pixels, width, height, width};
    struct digitocr_options options = digitocr_defaults();
    struct digitocr_reading reading;
    int error = digitocr_read(&picture, &options, memory, bytes, &reading);
    return error ? -error : reading.digit_count;
}
"""


def least(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The least seconds of processor time that each call takes, with the processes that it starts, in turns."""
    found = dict.fromkeys(calls, float("inf"))
    left, rounds = SECONDS, 0
    while rounds <= LEAST_ROUNDS or left > 0:
        for name, call in calls.items():
            before = spent()
            call()
            seconds = spent() - before
            left -= seconds
            if rounds:  # the first one fills caches
                found[name] = min(found[name], seconds)
        rounds += 1
    return found


def spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def session(name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(shipped_model(name), options, providers=["CPUExecutionProvider"])


def library(folder: Path, work: Path, *flags: str) -> ctypes.CDLL:
    """The C library with HARNESS around it."""
    (work / "harness.c").write_text(HARNESS)
    sources = [str(work / "harness.c"), str(folder / "digitocr_weights.c")]
    made = work / f"harness{''.join(flags)}.so"
    subprocess.run(["cc", *FLAGS, *flags, "-shared", "-fPIC", f"-I{folder}", *sources, "-o", str(made)], check=True)
    return ctypes.CDLL(str(made))


def libraries(folder: Path, work: Path) -> dict[str, tuple[ctypes.CDLL, int]]:
    """Of each column a C library, and the kernels to hold it to."""
    c = library(folder, work)
    plain = {PLAIN: (library(folder, work, "-DDIGITOCR_PLAIN"), 0)}
    return plain | {kind: (c, level) for level, kind in enumerate(KERNELS)}


def steps(c: dict[str, tuple[ctypes.CDLL, int]], gray: np.ndarray) -> dict[str, dict[str, Callable[[], object]]]:
    """Of each step what Python does, and what each column's C does."""
    digit, height, width = crop(), *gray.shape
    memory = np.empty(64 << 20, np.uint8)
    arena = (memory.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(memory)))
    logits = (ctypes.c_float * 16)()
    classifier, detector, reader = session("digitocr-int8.onnx"), session("detector-int8.onnx"), Reader()
    one = {classifier.get_inputs()[0].name: preprocessing.scale(digit[None])}
    planes = {detector.get_inputs()[0].name: np.zeros((1, 3, ROWS, COLUMNS), np.float32)}
    pixels, to = (array.ctypes.data_as(ctypes.c_void_p) for array in (gray, digit))  # these keep the arrays
    digits = len(reader.read(gray).digits)
    if any(one.read_picture(pixels, width, height, *arena) != digits for one, _ in c.values()):
        sys.exit("the library and Reader find other digits: export the folder again")

    def turns(python: Callable[[], object], function: str, *given: object) -> dict[str, Callable[[], object]]:
        calls = {kind: partial(held_to, *one, function, *given) for kind, one in c.items()}
        return {"python": python} | calls

    return {
        "a digit": turns(partial(classifier.run, None, one), "digitocr_classify", to, logits, *arena),
        f"the detector's network, {COLUMNS}x{ROWS}": turns(
            partial(detector.run, None, planes), "detect", ROWS, COLUMNS, *arena
        ),
        f"a page of {width}x{height}, read": turns(
            partial(reader.read, gray), "read_picture", pixels, width, height, *arena
        ),
    }


def held_to(c: ctypes.CDLL, kernels: int, function: str, *given: object) -> None:
    c.hold_to(kernels)
    c[function](*given)


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path, help="what digitocr export --format c has written")
    given = parser.parse_args()
    folder = given.folder.resolve()
    cv2.setNumThreads(1)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "page.jpg").write_bytes(page())
        gray = np.ascontiguousarray(image.load(work / "page.jpg"))
        for what, turns in steps(libraries(folder, work), gray).items():
            seconds = least(turns)
            row = {"step": what, "Python, ms": f"{seconds['python'] * 1e3:.3g}"}
            rows.append(row | {f"C, {kind}": f"{seconds[kind] / seconds['python']:.2f}" for kind in (PLAIN, *KERNELS)})
        Image.fromarray(gray).save(work / "page.pgm")
        program = work / "digitocr"
        sources = [str(folder / name) for name in ("digitocr_cli.c", "digitocr.c", "digitocr_weights.c")]
        subprocess.run(["cc", *FLAGS, f"-I{folder}", *sources, "-o", str(program)], check=True)
        predict = [sys.executable, "-m", "digitocr.cli.main", "predict"]
        run = partial(subprocess.run, check=True, capture_output=True)
        cold = {"python": partial(run, [*predict, work / "page.pgm"]), "c": partial(run, [program, work / "page.pgm"])}
        seconds = least(cold)
        row = {"step": "the same page, a whole process", "Python, ms": f"{seconds['python'] * 1e3:.3g}"}
        shares = dict.fromkeys((f"C, {kind}" for kind in (PLAIN, *KERNELS)), "-")
        rows.append(row | shares | {f"C, {KERNELS[-1]}": f"{seconds['c'] / seconds['python']:.2f}"})
    notes = [
        "C: its processor time in relation to Python's, by these kernels; the least of some rounds in turn, one thread"
    ]
    notes += ["Python: ONNX Runtime's int8 network, `Reader.read`, `digitocr predict`"]
    report("c-library", "The C library beside ONNX Runtime and Reader", rows, notes, given.save)


if __name__ == "__main__":
    main()
