"""Finding out what a network takes: networks in numpy that read one form only."""

import numpy as np
import pytest

from digitocr.runtime.errors import ModelError
from digitocr.train.data import Mnist
from digitocr.train.evaluation.interface import LEVELS, Interface, Trial, find_interface, known_interface, trial_of
from digitocr.train.evaluation.interpreters import End, Signature

IMAGENET = "ImageNet's means and deviations"
MNIST_LEVELS = "MNIST's mean and deviation (0.1307, 0.3081)"


@pytest.fixture(scope="module")
def data():
    """Ten classes of blocks at ten places, a little apart; the training images are the test images."""
    rng = np.random.default_rng(0)
    labels = np.arange(200, dtype=np.uint8) % 10
    images = np.zeros((200, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        top, left = 4 + 7 * row + rng.integers(0, 2), 3 + 6 * column + rng.integers(0, 2)
        image[top : top + 5, left : left + 5] = 255
    return Mnist(images, labels, images, labels, "drawn")


@pytest.fixture(scope="module")
def trial(data):
    whole = trial_of(data)
    return Trial(whole.tensors[::4], whole.labels[::4], whole.whose)


def network(form, data, end="logits", classes=10):
    """A network that reads what `form` makes of a digit: by the nearest mean of a class, and wrong at other levels."""
    means = np.stack([data.train_images[data.train_labels == digit].mean(0) for digit in range(10)])
    means = form.inputs((means / 255).astype(np.float32)[..., None]).reshape(10, -1).astype(np.float32)
    darkest, brightest = means.min(), means.max()

    def run(values):
        rows = values.reshape(len(values), -1).astype(np.float32)
        spread = (brightest - darkest) ** 2
        logits = (
            0.4 * (2 * (rows - rows[:, :1]) @ (means - means[:, :1]).T - ((means - means[:, :1]) ** 2).sum(1)) / spread
        )
        for got, expected in ((rows.min(1), darkest), (rows.max(1), brightest), (rows[:, 0], means[0, 0])):
            wrong = abs(got - expected) > 0.1 * (brightest - darkest)
            logits[wrong] = np.roll(logits[wrong], 1, axis=1)
        logits = np.pad(logits, ((0, 0), (0, classes - 10)), constant_values=-100)
        if end == "scores":
            return 1 / (1 + np.exp(-np.clip(logits, -20, 20)))
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True) if end == "probabilities" else logits

    return run


def form(shape, layout, size, channels, dtype="float32", scale=0.0, zero_point=0, **found):
    signature = Signature(End(shape, dtype, scale, zero_point), End((shape[0], 10), "float32"))
    return Interface(signature, layout, size, channels, 10, **found)


FORMS = [
    form((None, 28, 28, 1), "channels last", (28, 28), 1),
    form((None, 1, 28, 28), "channels first", (28, 28), 1, levels=MNIST_LEVELS),
    form((1, 1, 28, 28), "channels first", (28, 28), 1, levels="0 to 255", inverted=True),
    form((None, 3, 32, 32), "channels first", (32, 32), 3, fit="padded", levels=IMAGENET),
    form((7, 32, 32, 3), "channels last", (32, 32), 3, fit="resized", levels="-1 to 1"),
    form((None, 784), "pixels in a row", (28, 28), 1, inverted=True),
    form((None, 14, 14), "no channels", (14, 14), 1, fit="resized", levels="0 to 255"),
    form((1, 28, 28, 1), "channels last", (28, 28), 1, "uint8", levels="0 to 255", inverted=True),
    form((1, 28, 28, 1), "channels last", (28, 28), 1, "int8", 1 / 255, -128),
    form((1, 28, 28, 3), "channels last", (28, 28), 3, "int8", 2 / 255, 0, levels="-1 to 1"),
]


@pytest.mark.parametrize("right", FORMS, ids=lambda one: f"{one.signature.input.shape}-{one.levels}")
def test_the_form_that_a_network_was_made_for_is_found(right, data, trial):
    found = find_interface(right.signature, network(right, data), trial)
    for name in ("layout", "size", "channels", "fit", "levels", "inverted", "classes", "output"):
        assert getattr(found, name) == getattr(right, name), name
    numbers = found.run(network(right, data), trial.tensors[:9])  # 9 are no multiple of a fixed batch
    assert (numbers.argmax(1) == trial.labels[:9]).all()


@pytest.mark.parametrize(("end", "classes"), [("logits", 11), ("probabilities", 10), ("scores", 11)])
def test_what_a_network_puts_out_is_found(end, classes, data, trial):
    run = network(FORMS[0], data, end, classes)
    found = find_interface(FORMS[0].signature, run, trial)
    assert (found.output, found.classes) == (end, classes)
    rows = found.probabilities(found.run(run, trial.tensors))
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)


def test_each_finding_is_one_line_that_says_how_it_is_known(data, trial):
    right = FORMS[3]
    found = dict(find_interface(right.signature, network(right, data), trial).findings)
    assert list(found) == ["input", "levels", "size", "classes", "output"]
    assert found["input"] == "(N, 3, 32, 32) float32: 32x32 pixels, channels first, three channels, all grey"
    assert found["levels"].startswith("ImageNet's means and deviations, ink bright: by 100 training images")
    assert "padded" in found["size"]
    assert not any("\n" in line for line in found.values())


def test_where_nothing_reads_the_first_form_is_assumed_and_that_is_said(data, trial):
    def shuffled(values):
        return np.roll(network(FORMS[0], data)(values), 1, axis=1)

    found = find_interface(FORMS[0].signature, shuffled, trial)
    assert (found.levels, found.inverted) == ("0 to 1", False)
    assert dict(found.findings)["levels"].startswith("unknown: no form reads more than")


@pytest.mark.parametrize(
    ("shape", "rows", "why"),
    [
        ((None, 28, 28, 2), 10, "(N, 28, 28, 2), which is no small grey"),
        ((None, 785), 10, "(N, 785)"),
        ((None, 1, 2000, 2000), 10, "no small"),
        ((None, 28, 28, 1), 12, "it gives 12 numbers for a picture, not 10 or 11"),
    ],
)
def test_what_is_no_network_that_reads_a_digit_is_refused(shape, rows, why, trial):
    signature = Signature(End(shape, "float32"), End((None, rows), "float32"))
    with pytest.raises(ModelError) as error:
        find_interface(signature, lambda values: np.zeros((len(values), rows), np.float32), trial)
    assert why in str(error.value)


def test_a_failing_network_is_one_error(trial):
    def fails(values):
        raise RuntimeError("no kernel")

    with pytest.raises(ModelError, match=r"it fails where it is run \(no kernel\)"):
        find_interface(FORMS[0].signature, fails, trial)


def test_forms_are_tried_on_training_images_where_there_are_some(data):
    assert trial_of(data).whose == "training"
    none = Mnist(data.train_images[:0], data.train_labels[:0], data.test_images, data.test_labels, "drawn")
    of_tests = trial_of(none)
    assert (of_tests.whose, of_tests.tensors.shape) == ("test", (400, 28, 28, 1))
    assert isinstance(of_tests, Trial)


def test_the_card_of_an_exported_file_needs_no_trying():
    signature = Signature(End((1, 28, 28, 3), "uint8", 1 / 255, 0), End((1, 11), "uint8", 0.1, 128))
    known = known_interface(signature)
    assert (known.channels, known.classes, known.levels, known.source) == (3, 11, "0 to 1", "card")
    pixel = np.full((1, 28, 28, 1), 77 / 255, np.float32)
    assert (known.inputs(pixel) == 77).all()
    numbers = known.numbers(np.array([[0, 128, 255] + [0] * 8], np.uint8), 1)
    np.testing.assert_allclose(numbers[0, :3], [-12.8, 0, 12.7], atol=1e-5)


@pytest.mark.parametrize("name", LEVELS)
def test_inverted_levels_are_those_of_inverted_ink(name):
    levels, ink = LEVELS[name], np.linspace(0, 1, 5)[:, None]
    other = levels.inverted()
    np.testing.assert_allclose(
        np.array(levels.gain) * (1 - ink) + levels.offset, np.array(other.gain) * ink + other.offset, atol=1e-6
    )
