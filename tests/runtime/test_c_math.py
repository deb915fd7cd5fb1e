"""runtime/c/math.c held against Python's math, with the processor's square roots and with its own."""

import ctypes
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digitocr.export.c_constants import constants
from digitocr.runtime import strips
from digitocr.runtime.confidence import load_confidence

SOURCES = Path(strips.__file__).resolve().parent / "c"
TOLERANCE = 1e-15  # relative

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")


@pytest.fixture(scope="module", params=["", "-U__SSE2__"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("c")
    (folder / "digitocr_constants.h").write_text(constants(load_confidence()))
    flags = f"-std=c99 -O1 -fPIC -shared -ffp-contract=off -Wall -Wextra -Wconversion -pedantic {request.param}".split()
    path = folder / "math.so"
    command = ["gcc", *flags, f"-I{SOURCES}", f"-I{folder}", str(SOURCES / "math.c"), "-o", str(path)]
    subprocess.run(command, check=True)
    made = ctypes.CDLL(str(path))
    for name in ("floor", "ceil", "round", "exp", "log", "sin", "cos", "sqrt", "atan2"):
        function = getattr(made, f"dg_{name}")
        function.restype = ctypes.c_double
        function.argtypes = [ctypes.c_double] * (2 if name == "atan2" else 1)
    made.dg_sqrtf.restype = ctypes.c_float
    made.dg_sqrtf.argtypes = [ctypes.c_float]
    return made


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.floats(-700, 700))
@example(0.0)
def test_exp(library: ctypes.CDLL, value: float) -> None:
    assert library.dg_exp(value) == pytest.approx(math.exp(value), rel=TOLERANCE, abs=0)


def test_exp_has_limits(library: ctypes.CDLL) -> None:
    assert library.dg_exp(-1e300) == 0
    assert math.isfinite(library.dg_exp(1e300))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.one_of(st.floats(1e-300, 1e300), st.floats(0.5, 2)))
@example(1.0)
@example(math.sqrt(2))
def test_log(library: ctypes.CDLL, value: float) -> None:
    assert library.dg_log(value) == pytest.approx(math.log(value), rel=TOLERANCE, abs=0)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@example(0.0, 0.0)
@example(0.0, -1.0)
@example(-1.0, 0.0)
def test_angle(library: ctypes.CDLL, y: float, x: float) -> None:
    assert library.dg_atan2(y, x) == pytest.approx(math.atan2(y + 0.0, x + 0.0), rel=TOLERANCE, abs=1e-300)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.floats(-1000, 1000))
def test_sine_and_cosine(library: ctypes.CDLL, angle: float) -> None:
    assert library.dg_sin(angle) == pytest.approx(math.sin(angle), abs=TOLERANCE)
    assert library.dg_cos(angle) == pytest.approx(math.cos(angle), abs=TOLERANCE)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.floats(1e-300, 1e300), st.floats(2.0**-120, 2.0**120, width=32), st.integers(1, 1 << 26))
def test_square_roots_are_exact(library: ctypes.CDLL, value: float, short: float, whole: int) -> None:
    assert library.dg_sqrt(value) == math.sqrt(value)
    assert library.dg_sqrt(float(whole * whole)) == whole
    assert library.dg_sqrtf(short) == np.sqrt(np.float32(short))
    assert library.dg_sqrt(0.0) == library.dg_sqrt(-1.0) == library.dg_sqrtf(0.0) == 0


@pytest.mark.parametrize(("name", "expected"), [("floor", math.floor), ("ceil", math.ceil), ("round", round)])
def test_whole_numbers(library: ctypes.CDLL, name: str, expected: Callable[[float], int]) -> None:
    values = [*np.arange(-50, 50) / 4, 2.0**52 + 1, -(2.0**53), 4503599627370495.5, 1e300]
    for value in map(float, values):
        assert getattr(library, f"dg_{name}")(value) == expected(value)
