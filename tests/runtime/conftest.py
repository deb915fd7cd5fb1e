"""Stand-ins that several tests of the runtime use."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from digitocr.runtime import strips
from digitocr.runtime.confidence import load_confidence
from digitocr.runtime.models import shipped_model
from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, COLUMN, DIGIT_HEIGHT, GAP, OTHER
from digitocr.runtime.strips import CONTEXT

START = CONTEXT * DIGIT_HEIGHT / COLUMN  # the column of a strip at which its first box begins


class Written:
    """In the recognizer's place: sees given characters at given columns, from the first box of each line on."""

    def __init__(self, *characters):
        self.characters = characters
        self.widths = []  # of the strips that were read

    def columns(self, strips):
        return [self._line(-(-strip.shape[1] // COLUMN)) for strip in strips]

    def _line(self, width):
        self.widths.append(width)
        line = np.full((width, CLASS_COUNT), 0.001, np.float32)
        line[:, GAP] = 1
        for character, left, right in self.characters:
            spot = slice(round(START + left), round(START + right))
            line[spot] = 0.001
            line[spot, CLASSES.find(character) if character in CLASSES else OTHER] = 1
        return line / line.sum(1, keepdims=True)


@pytest.fixture(scope="session")
def written():
    """The class of recognizers that see given characters, each with its first and last column."""
    return Written


class CPicture(ctypes.Structure):
    """struct digitocr_picture."""

    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("stride", ctypes.c_ssize_t),
    ]

    @classmethod
    def of(cls, gray):
        """A view of an (H, W) array, which must outlive it."""
        return cls(gray.ctypes.data, gray.shape[1], gray.shape[0], gray.strides[0])

    def array(self):
        """A copy of its (H, W) pixels."""
        pixels = (ctypes.c_uint8 * (self.stride * (self.height - 1) + self.width)).from_address(self.pixels)
        flat = np.frombuffer(pixels, np.uint8)
        shape, strides = (self.height, self.width), (self.stride, 1)
        return np.lib.stride_tricks.as_strided(flat, shape, strides).copy()


class CView(ctypes.Structure):
    """struct dg_view."""

    _fields_ = [
        ("picture", CPicture),
        *((name, ctypes.c_int32) for name in ("border", "level", "halvings", "width", "height")),
        ("background", CPicture),
    ]

    @classmethod
    def of(cls, gray, border=0, level=0, halvings=0):
        """An (H, W) array, which must outlive it, halved so often in a border of one level."""
        height, width = (side >> halvings for side in gray.shape)
        return cls(CPicture.of(gray), border, level, halvings, width + 2 * border, height + 2 * border, CPicture())


class CArena(ctypes.Structure):
    """struct dg_arena, with memory of its own, and a mark behind it."""

    _fields_ = [("at", ctypes.c_void_p), ("end", ctypes.c_void_p)]

    def __init__(self, size):
        self.memory = np.full(size + 48, 0xA5, np.uint8)
        start = self.memory.ctypes.data + -self.memory.ctypes.data % 16
        super().__init__(start, start + size)
        self.behind = self.memory[start + size - self.memory.ctypes.data :]

    def is_kept(self):
        """Whether nothing was written behind it."""
        return bool((self.behind == 0xA5).all())


@pytest.fixture(scope="session")
def c_library(tmp_path_factory, needs):
    """The C library with the shipped networks, all of its functions visible."""
    needs("gcc")
    onnx = pytest.importorskip("onnx")
    from digitocr.export.c_constants import constants
    from digitocr.export.c_tables import c_tables

    sources, folder = Path(strips.__file__).resolve().parent / "c", tmp_path_factory.mktemp("c")
    networks = {"dg_classifier": "digitocr", "dg_detector": "detector", "dg_recognizer": "recognizer"}
    tables = [c_tables(onnx.load(shipped_model(f"{file}-int8.onnx")), name).source for name, file in networks.items()]
    check = "const uint32_t dg_weights_check = DIGITOCR_WEIGHTS_CHECK;"
    (folder / "weights.c").write_text("\n".join(['#include "digitocr_weights.h"', check, *tables]))
    (folder / "digitocr_constants.h").write_text(constants(load_confidence()))
    flags = [
        "-std=c99",
        "-O2",
        "-fPIC",
        "-shared",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-pedantic",
        "-Werror",
    ]
    files = [
        sources / f"{name}.c" for name in ("math", "network", "image", "detection", "classify", "reading", "reader")
    ]
    made = folder / "digitocr.so"
    subprocess.run(["gcc", *flags, f"-I{sources}", f"-I{folder}", *files, folder / "weights.c", "-o", made], check=True)
    library = ctypes.CDLL(str(made))
    for name in ("shrunk", "background", "even_in_place", "turn", "crop", "look", "detect"):
        getattr(library, f"dg_{name}_bytes").restype = ctypes.c_size_t
    return library


@pytest.fixture(scope="session")
def c_types():
    """CPicture and CArena."""
    return CPicture, CArena


@pytest.fixture(scope="session")
def c_view():
    """CView."""
    return CView
