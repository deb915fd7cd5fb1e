from digitocr.train.data import Mnist
from digitocr.train.evaluation.label_errors import LABEL_ERRORS


def test_they_are_as_many_as_published() -> None:
    assert len(LABEL_ERRORS) == 15
    assert sum(seen is not None for _, seen in LABEL_ERRORS.values()) == 10
    assert all(label != seen for label, seen in LABEL_ERRORS.values())


def test_their_labels_are_mnist_s(mnist: Mnist) -> None:
    assert {index: int(mnist.test_labels[index]) for index in LABEL_ERRORS} == {
        index: label for index, (label, _) in LABEL_ERRORS.items()
    }
