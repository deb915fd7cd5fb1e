"""What the tests of several commands of training use."""

import numpy as np
import pytest
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.runtime.errors import UsageError
from digitocr.train import data
from digitocr.train.data import Mnist


@pytest.fixture
def refused():
    """A function that says the UsageError that the command line ends with."""

    def why(*words):
        error = CliRunner().invoke(command_line(()), [str(word) for word in words]).exception
        assert isinstance(error, UsageError), error
        return str(error)

    return why


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch) -> Mnist:
    """A hundred bars at ten heights, in the place of MNIST."""
    labels = np.resize(np.arange(10, dtype=np.uint8), 240)
    images = np.zeros((240, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    small = Mnist(images, labels, images[:50], labels[:50], digest="drawn")
    monkeypatch.setattr(data, "load_mnist", lambda *_: small)
    return small
