"""Measures a model file: accuracy on MNIST, corrupted images and drawn pages, rejection of non-digits, calibration.

    report = evaluate(Path("digitocr-int8.onnx"), load_mnist(), find_fonts(None))
    report["corruptions"]["mean"]           # 0.7
    print(as_text(report))

The answer is the likeliest of the ten digits and the confidence is its probability, whether or not the network has an
eleventh output for "no digit". A picture is accepted if its confidence reaches `conf`. Takes half a minute on two
processors; the published MNIST-C adds about ten seconds.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import typer

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.preprocessing import lone, scale
from digitocr.runtime.reader import Reader
from digitocr.train.data import Bytes, Mnist
from digitocr.train.evaluation.corruptions import CORRUPTIONS, corrupted
from digitocr.train.evaluation.interface import Interface
from digitocr.train.evaluation.metrics import auroc, calibration_error, fpr_at_tpr, log_loss, summary
from digitocr.train.evaluation.mnist_c import load_mnist_c
from digitocr.train.evaluation.model_file import ModelFile, network_file
from digitocr.train.evaluation.nondigits import halves, letters, noise, textures
from digitocr.train.evaluation.page_report import CALIBRATION_BINS, drawn_pages, page_report
from digitocr.train.quiet import progress_stream

EVALUATION_SCHEMA = "digitocr-evaluation/1"
NON_DIGITS = 2_000  # pictures of each kind
PAGES = 200  # drawn pages
BAR_WIDTH = 20  # characters; the width of the progress bar
MNIST = "MNIST"  # the source of data that are not one's own
NAME_WIDTH = 14  # characters; the longest name of a step and a space

Probabilities = npt.NDArray[np.float32]  # (N, 10)


def evaluate(
    model: Path | None,
    data: Mnist,
    fonts: Sequence[Path],
    conf: float = 0.5,
    seed: int = 0,
    mnist_c: Path | None = None,
) -> dict[str, Any]:
    """All measurements as JSON-ready values; shares are 0 to 1.

    Args:
        model: A .onnx, .tflite or .keras file, whoever made it, or the folder of a run or of exports; None is the
            shipped one.
        data: MNIST or own data; its test images are measured. What a file that `digitocr export` did not write takes
            and puts out is found out with its training images.
        fonts: Font files to draw letters with, from find_fonts.
        conf: The confidence, 0 to 1, from which on a picture is accepted as a digit.
        seed: Seed of everything that is drawn, 0 or more.
        mnist_c: The folder of the published MNIST-C, which is measured as well where it is given.

    Returns:
        model: name, sha256, outputs ("logits" or "probabilities": what the file puts out) and outputs_from ("card" or
        "probe": how that is known), and interface (Interface.described; None where a card says it).
        seed, conf, fonts: what was measured with.
        data: source, a name of own data or "MNIST", and digest.
        mnist: of MNIST's test images, or of those of own data: images, right, accuracy, interval (Wilson's 95 %),
        accepted, calibration_error, log_loss.
        corruptions: of the project's own corruptions, made after MNIST-C's fifteen kinds: mean, the mean of the fifteen
        accuracies, and for each: images, right, accuracy, interval.
        mnist_c: the same for the published files of MNIST-C; None where they were not given.
        non_digits: for letters, textures, noise and halves, and "own" where own data have pictures without a digit:
        images, accepted (a share), and auroc and fpr95 (the share that passes the threshold that 95 % of the test
        digits pass) of the confidence.
        pages: the page_report of PAGES drawn pages.

    A progress bar is drawn on stderr if that is a terminal.

    Raises:
        ModelError: The model cannot be used.
        MissingExtraError: The model is a .tflite file, and LiteRT is not installed.
        InputError: mnist_c is not the folder of the published files.
    """
    reader, interface = _reader(model, data, conf)
    published = load_mnist_c(mnist_c) if mnist_c else {}

    def predict(pictures: Bytes) -> Probabilities:
        """(N, 10): the probabilities of the digits in (N, 28, 28) pictures, preprocessed as Reader does."""
        tensors = scale(np.concatenate([lone(picture) for picture in pictures]))
        return reader.classifier.predict(tensors)[:, :10]

    images, labels = data.test_images, data.test_labels
    stream, steps = progress_stream(), len(CORRUPTIONS) + len(published) + 3
    with typer.progressbar(
        length=steps, file=stream or io.StringIO(), bar_template="%(bar)s %(label)s", width=BAR_WIDTH
    ) as bar:

        @contextmanager
        def step(name: str) -> Iterator[None]:
            bar.label = name.replace("_", " ").ljust(NAME_WIDTH)
            bar.render_progress()
            yield
            bar.update(1)

        with step("MNIST"):
            digits = predict(images)
        confidence = digits.max(axis=1)
        corruptions, results_mnist_c, non_digits = {}, {}, {}
        for name in CORRUPTIONS:
            with step(name):
                corruptions[name] = _accuracy(labels, predict(corrupted(images, name, seed)))
        for name, (their_images, their_labels) in published.items():
            with step(name):
                results_mnist_c[name] = _accuracy(their_labels, predict(np.asarray(their_images)))
        with step("non-digits"):
            others = {**_non_digits(images, labels, fonts, seed), "own": data.test_others}
            for kind, pictures in ((name, made) for name, made in others.items() if len(made)):
                non_digits[kind] = _rejection(confidence, predict(pictures).max(axis=1), conf)
        with step("drawn pages"):
            pages = page_report(reader, drawn_pages(seed, PAGES))
    classifier = reader.classifier
    return {
        "schema": EVALUATION_SCHEMA,
        "model": {
            "name": classifier.name,
            "sha256": classifier.sha256,
            "outputs": classifier.outputs,
            "outputs_from": "card" if classifier.card else "probe",
            "interface": interface.described() if interface else None,
        },
        "seed": seed,
        "conf": conf,
        "fonts": [path.name for path in fonts],
        "data": {"source": data.origin.source if data.origin else MNIST, "digest": data.digest},
        "mnist": {
            **_accuracy(labels, digits),
            "accepted": float((confidence >= conf).mean()),
            "calibration_error": calibration_error(confidence, digits.argmax(axis=1) == labels, CALIBRATION_BINS),
            "log_loss": log_loss(labels, digits),
        },
        "corruptions": _with_mean(corruptions),
        "mnist_c": _with_mean(results_mnist_c) if published else None,
        "non_digits": non_digits,
        "pages": pages,
    }


def _reader(model: Path | None, data: Mnist, conf: float) -> tuple[Reader, Interface | None]:
    """A Reader with that network, and what was found out about it, unless digitocr exported it."""
    if model is not None:
        file = ModelFile(network_file(model), data)
        if not file.card:
            reader = Reader(conf=conf)
            reader.classifier = cast(Classifier, file)  # a Reader calls predict only
            return reader, file.interface
    return Reader(model, conf=conf), None


def as_text(report: dict[str, Any]) -> str:
    """A report of evaluate for people: lines of at most 80 columns, but for what was found out about a file."""
    model, mnist, pages, accepted = report["model"], report["mnist"], report["pages"], f"accepted at {report['conf']:g}"
    low, high = mnist["interval"]
    title = MNIST if report["data"]["source"] == MNIST else "own digits"
    found = [f"outputs       {model['outputs']}, as its card says; softmax applied"]
    if model["interface"]:
        found = [
            f"{name:<14}{text}" for name, _, text in (line.partition(": ") for line in model["interface"]["findings"])
        ]
    return "\n".join(
        [
            f"model         {model['name']}  {model['sha256'][:12]}",
            *found,
            f"{title:<14}{mnist['accuracy']:.2%} of {mnist['images']} ({low:.2%} to {high:.2%})",
            f"              {mnist['accepted']:.2%} {accepted}",
            f"              calibration error {mnist['calibration_error']:.2%}, log loss {mnist['log_loss']:.4f}",
            *_corruption_lines("corruptions", "made after MNIST-C's fifteen kinds", report["corruptions"]),
            *(_corruption_lines("MNIST-C", "published", report["mnist_c"]) if report["mnist_c"] else []),
            f"non-digits    {accepted:>16}  AUROC  FPR at 95% TPR",
            *(
                f"  {kind:<12}{result['accepted']:16.2%}  {result['auroc']:5.3f}  {result['fpr95']:14.2%}"
                for kind, result in report["non_digits"].items()
            ),
            f"drawn pages   {pages['digits']} digits: {pages['found']} found, {pages['missed']} missed, "
            f"{pages['right']} right; {pages['invented']} invented",
            f"              calibration error {pages['calibration_error']:.2%}; of all candidates "
            f"{pages['calibration_error_all']:.2%}",
        ]
    )


def _corruption_lines(title: str, origin: str, results: dict[str, Any]) -> list[str]:
    return [
        f"{title:<14}{results['mean']:.2%} on average ({origin})",
        *(
            f"  {name.replace('_', ' '):<14}{result['accuracy']:8.2%}"
            for name, result in results.items()
            if name != "mean"
        ),
    ]


def _accuracy(labels: Bytes, probabilities: Probabilities) -> dict[str, Any]:
    """Images, right, accuracy and interval of the answers."""
    whole = summary(labels, probabilities)
    return {name: whole[name] for name in ("images", "right", "accuracy", "interval")}


def _with_mean(results: dict[str, Any]) -> dict[str, Any]:
    """The results by name, after the mean of their accuracies."""
    return {"mean": float(np.mean([result["accuracy"] for result in results.values()])), **results}


def _non_digits(images: Bytes, labels: Bytes, fonts: Sequence[Path], seed: int) -> dict[str, Bytes]:
    """NON_DIGITS pictures of each kind; fewer halves, since ones are left out."""
    rngs = [np.random.default_rng((seed, kind)) for kind in range(4)]
    return {
        "letters": letters(NON_DIGITS, fonts, rngs[0]),
        "textures": textures(NON_DIGITS, rngs[1]),
        "noise": noise(NON_DIGITS, rngs[2]),
        "halves": halves(images[:NON_DIGITS], labels[:NON_DIGITS], rngs[3]),
    }


def _rejection(digits: npt.NDArray[np.float32], others: npt.NDArray[np.float32], conf: float) -> dict[str, Any]:
    """How well the confidence separates digits, (N,), from other pictures, (M,)."""
    return {
        "images": len(others),
        "accepted": float((others >= conf).mean()),
        "auroc": auroc(digits, others),
        "fpr95": fpr_at_tpr(digits, others),
    }
