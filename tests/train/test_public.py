"""The public names of digitocr.train."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

import digitocr.train
from digitocr.train import data
from digitocr.train.data import Mnist
from digitocr.train.evaluation import evaluate


def drawn(count: int) -> Mnist:
    """A bright bar at one of ten heights for each digit."""
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    return Mnist(images, labels, images[:50], labels[:50], digest="drawn")


def test_all_is_true_and_shown() -> None:
    for name in digitocr.train.__all__:
        assert getattr(digitocr.train, name).__doc__ or name == "RECIPES"
    shown = {name for name in dir(digitocr.train) if not name.startswith("__")}
    assert shown == set(digitocr.train.__all__)  # and no import
    star: dict[str, object] = {}
    exec("from digitocr.train import *", star)
    assert star.keys() - {"__builtins__"} == set(digitocr.train.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'digitocr\.train' has no attribute 'train'"):
        _ = digitocr.train.train  # type: ignore[attr-defined]


def test_the_import_loads_no_library() -> None:
    code = "import sys, digitocr.train; print(sorted({'numpy', 'keras', 'tensorflow', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's, of NumPy 2
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On small data and few pages."""
    monkeypatch.chdir(tmp_path)
    Path("fonts").mkdir()
    Path("fonts", "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    monkeypatch.setattr(data, "load_mnist", lambda *_: drawn(240))
    monkeypatch.setattr(evaluate, "PAGES", 2)
    monkeypatch.setattr(evaluate, "NON_DIGITS", 20)
    text = (digitocr.train.__doc__ or "").replace("10000", "50")  # MNIST's test images and ours
    examples = doctest.DocTestParser().get_doctest(text, {}, "digitocr.train", None, None)
    failures: list[str] = []
    ran = doctest.DocTestRunner().run(examples, out=failures.append)
    assert ran.attempted >= 8
    assert ran.failed == 0, "".join(failures)
