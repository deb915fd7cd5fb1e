"""Fixtures that several rooms use. Tests draw their own pictures; MNIST is used where it is found."""

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from digitocr.train.data import Mnist


@pytest.fixture(scope="session")
def mnist() -> "Mnist":
    """MNIST from DIGITOCR_DATA; without it these tests are skipped, in CI they fail."""
    from digitocr.train.data import load_mnist

    if "DIGITOCR_DATA" not in os.environ:
        if os.environ.get("CI"):
            pytest.fail("CI must set DIGITOCR_DATA to the folder of MNIST")
        pytest.skip("set DIGITOCR_DATA to a folder with MNIST to run this test")
    return load_mnist()
