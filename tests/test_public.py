import pydoc
import subprocess
import sys
from importlib import import_module, metadata

import numpy as np
import pytest

import digitocr

HOMES = ("errors", "reading", "reader", "live.frames", "live.video")  # modules of the runtime whose classes are public


def run(*words):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60)


def test_all_is_true():
    for name in digitocr.__all__:
        assert getattr(digitocr, name) is not None
    star: dict[str, object] = {}
    exec("from digitocr import *", star)
    assert star.keys() - {"__builtins__"} == set(digitocr.__all__)


@pytest.mark.parametrize("home", HOMES)
def test_every_class_of_a_public_module_is_public(home):
    module = import_module(f"digitocr.runtime.{home}")
    classes = {
        name
        for name, thing in vars(module).items()
        if isinstance(thing, type) and thing.__module__ == module.__name__ and not name.startswith("_")
    }
    assert classes
    assert classes <= set(digitocr.__all__)


def test_dir_and_help_show_the_public_names_and_nothing_private():
    names = [name for name in dir(digitocr) if not name.startswith("__")]
    assert names == sorted(name for name in digitocr.__all__ if not name.startswith("__"))
    shown = pydoc.plain(pydoc.render_doc(digitocr))
    for name in names:
        assert name in shown
    assert "read(picture" in shown


def test_importing_digitocr_loads_no_library():
    code = "import sys, digitocr; dir(digitocr); assert not {'numpy', 'cv2', 'PIL', 'onnxruntime'} & set(sys.modules)"
    assert run("-c", code).returncode == 0


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'digitocr' has no attribute 'find'"):
        _ = digitocr.find
    with pytest.raises(ImportError):
        exec("from digitocr import find")


def strokes():
    """(60, 200) uint8: three ones."""
    gray = np.full((60, 200), 230, np.uint8)
    for left in (40, 90, 140):
        gray[12:48, left : left + 5] = 20
    return gray


def test_read_reads_as_a_reader_does_and_keeps_one_for_the_same_settings(monkeypatch):
    made = []
    reader = digitocr.Reader

    class Counted(reader):
        def __init__(self, **options):
            made.append(options)
            super().__init__(**options)

    monkeypatch.setattr("digitocr.runtime.reader.Reader", Counted)
    digitocr._reader.cache_clear()
    assert digitocr.read(strokes()) == reader().read(strokes())
    assert digitocr.read(strokes(), conf=0.99, mode="line") == reader(conf=0.99, mode="line").read(strokes())
    digitocr.read(strokes(), mode="line", conf=0.99)
    digitocr.read(strokes()[:, ::-1])
    digitocr._reader.cache_clear()
    assert made == [{}, {"conf": 0.99, "mode": "line"}]


def test_read_says_what_is_wrong():
    with pytest.raises(digitocr.InputError):
        digitocr.read("none.png")
    with pytest.raises(digitocr.UsageError):
        digitocr.read(strokes(), conf=2)
    with pytest.raises(digitocr.InputError, match="has no page 1, counted from 0"):
        digitocr.read(strokes(), page=1)


def test_python_m_digitocr_is_the_command():
    assert run("-m", "digitocr", "--version").stdout == f"digitocr {digitocr.__version__}\n"
    wrong = run("-m", "digitocr", "predict", "none.png")
    assert (wrong.returncode, wrong.stdout) == (digitocr.InputError.exit_code, "")
    assert "none.png" in wrong.stderr


def test_the_version_is_that_of_the_distribution():
    try:
        installed = metadata.version("digitocr")
    except metadata.PackageNotFoundError:
        pytest.skip("digitocr is not installed here")
    assert digitocr.__version__ == installed
