import numpy as np
import pytest

from digitocr.export.int8 import int8_file
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.models import MODELS
from digitocr.runtime.preprocessing import scale
from digitocr.train.data import Mnist


def test_the_file_answers_as_the_shipped_one_and_no_test_image_is_needed(
    mnist: Mnist, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    training = Mnist(mnist.train_images, mnist.train_labels, None, None, mnist.digest)  # type: ignore[arg-type]
    path = int8_file(MODELS / "digitocr.keras", tmp_path, training)
    assert path.parent == tmp_path
    digits = scale(mnist.train_images[:500])
    answers = [Classifier(one).predict(digits).argmax(axis=1) for one in (path, MODELS / "digitocr-int8.onnx")]
    assert np.array_equal(*answers)
    assert not caplog.records
