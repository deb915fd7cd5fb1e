"""What a model file is worth: on MNIST, on MNIST-C, on what is no digit, on drawn pages; and what its confidence is.

    report = evaluate(Path("digitocr-int8.onnx"), load_mnist(), find_fonts(None))
    report["corruptions"]["mean"]           # 0.7
    print(as_text(report))

The answer is the likeliest of the ten digits and the confidence is its probability, whether or not the network has an
eleventh output for what is no digit. A picture is accepted if its confidence reaches `conf`. Takes half a minute.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.preprocessing import lone, scale
from digitocr.runtime.reader import Reader
from digitocr.train.data import Bytes, Mnist
from digitocr.train.evaluation.corruptions import CORRUPTIONS, corrupted
from digitocr.train.evaluation.metrics import auroc, calibration_error, fpr_at_tpr, log_loss, summary
from digitocr.train.evaluation.nondigits import halves, letters, noise, textures
from digitocr.train.quiet import progress_stream
from digitocr.train.synthesis.pages import draw_page, random_style

SCHEMA = "digitocr-evaluation/1"
NON_DIGITS = 2_000  # pictures of each kind
PAGES = 200
BINS = 15  # of the calibration error, of equal width
OVERLAP = 0.5  # intersection over union from which on a box has found a digit
_DIGITS = slice(0, 10)  # the columns of probabilities


def evaluate(
    model: Path | None, data: Mnist, fonts: Sequence[Path], conf: float = 0.5, seed: int = 0
) -> dict[str, Any]:
    """All of it as JSON-ready values; shares are 0 to 1.

    model: a .onnx or .tflite file, by default the shipped one; data: its test images are used; fonts: of find_fonts;
    conf: 0 to 1; seed: of everything drawn, 0 or more. A progress bar is drawn on stderr if that is a terminal.

    model: name, sha256. seed, conf, fonts: what it was measured with.
    mnist: images, right, accuracy, interval (Wilson's 95 %), accepted, calibration_error (BINS bins), log_loss.
    corruptions: mean, the mean of the accuracies of the fifteen, and each: images, right, accuracy, interval.
    non_digits: for letters, textures, noise and halves: images, accepted (a share), auroc and fpr95 (the share that
    passes where 95 % of MNIST's test digits do) of the confidence.
    pages: what page_report says of PAGES drawn pages.

    Raises ModelError and MissingExtraError for a model that cannot be used.
    """
    reader = Reader(model, conf=conf)

    def predict(pictures: Bytes) -> npt.NDArray[np.float32]:
        """(N, 10): what a Reader makes of 28x28 pictures."""
        return reader.classifier.predict(scale(np.concatenate([lone(picture) for picture in pictures])))[:, _DIGITS]

    images, labels = data.test_images, data.test_labels
    progress = _Progress(len(CORRUPTIONS) + 3)

    progress.step("MNIST")
    digits = predict(images)
    confidence = digits.max(axis=1)
    mnist = {
        **_accuracy(labels, digits),
        "accepted": float((confidence >= conf).mean()),
        "calibration_error": calibration_error(confidence, digits.argmax(axis=1) == labels, BINS),
        "log_loss": log_loss(labels, digits),
    }
    corruptions = {}
    for name in CORRUPTIONS:
        progress.step(name.replace("_", " "))
        corruptions[name] = _accuracy(labels, predict(corrupted(images, name, seed)))
    progress.step("non-digits")
    non_digits = {
        kind: _rejection(confidence, predict(pictures).max(axis=1), conf)
        for kind, pictures in _non_digits(images, labels, fonts, seed).items()
    }
    progress.step("drawn pages")
    drawn = page_report(reader, pages(seed, PAGES))
    progress.end()
    return {
        "schema": SCHEMA,
        "model": {"name": reader.classifier.name, "sha256": reader.classifier.sha256},
        "seed": seed,
        "conf": conf,
        "fonts": [path.name for path in fonts],
        "mnist": mnist,
        "corruptions": {"mean": float(np.mean([result["accuracy"] for result in corruptions.values()])), **corruptions},
        "non_digits": non_digits,
        "pages": drawn,
    }


@dataclass(frozen=True)
class Page:
    """A drawn picture, and the digits in it: what image.load takes; (n, 4) x, y, width, height in pixels; (n,)."""

    image: Bytes
    boxes: npt.NDArray[Any]
    labels: npt.NDArray[Any]


def pages(seed: int, count: int) -> Iterator[Page]:
    """Pages of handwriting, of scenes.py, from a seed that no training has used."""
    rng = np.random.default_rng((seed, 1_000_003))
    for _ in range(count):
        lines = ["".join(map(str, rng.integers(0, 10, rng.integers(1, 7)))) for _ in range(rng.integers(1, 4))]
        page = draw_page(lines, rng, random_style(rng))
        yield Page(page.image, page.boxes, page.digits)


def page_report(reader: Reader, scenes: Iterable[Page]) -> dict[str, Any]:
    """What a Reader makes of drawn pictures.

    Keys: pictures, digits (that are in them); of these found, missed, and right (found, and the digit that it is);
    invented (read where there is none); calibration_error, of the confidence in what was read, and
    calibration_error_all, of that in all that may have been a digit, whatever became of it.
    """
    pictures = digits = 0
    kept, confidence, partner, right = [], [], [], []
    for scene in scenes:
        candidates = reader.candidates(scene.image)
        boxes = np.array([(c.box.x, c.box.y, c.box.w, c.box.h) for c in candidates], np.float64).reshape(-1, 4)
        read = np.array([candidate.kept for candidate in candidates], bool)
        pairs = np.where(read, -1, matched(boxes, scene.boxes))
        pairs[read] = matched(boxes[read], scene.boxes)  # what is left out may lie closer, and takes nothing from it
        answers = np.array([np.argmax(candidate.probabilities[:10]) for candidate in candidates], np.int64)
        pictures += 1
        digits += len(scene.boxes)
        kept.append(read)
        confidence.append(np.array([candidate.confidence for candidate in candidates], np.float64))
        partner.append(pairs)
        right.append(np.append(scene.labels.astype(np.int64), -1)[pairs] == answers)  # -1: is no digit
    read, sure, pairs, hits = (np.concatenate(part) for part in (kept, confidence, partner, right))
    found = int((read & (pairs >= 0)).sum())
    return {
        "pictures": pictures,
        "digits": digits,
        "found": found,
        "missed": digits - found,
        "right": int((read & hits).sum()),
        "invented": int((read & (pairs < 0)).sum()),
        "calibration_error": calibration_error(sure[read], hits[read], BINS),
        "calibration_error_all": calibration_error(sure, hits, BINS),
    }


def matched(boxes: npt.NDArray[Any], truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Which true box each box has found: (n,) int64, -1 for none.

    boxes: (n, 4), truth: (m, 4), each x, y, width, height in pixels. Pairs that overlap by OVERLAP or more, the best
    first; a box has one partner at most.
    """
    corner = np.maximum(boxes[:, None, :2], truth[:, :2])
    opposite = np.minimum(boxes[:, None, :2] + boxes[:, None, 2:], truth[:, :2] + truth[:, 2:])
    shared = np.prod(np.maximum(opposite - corner, 0), axis=2, dtype=np.float64)  # (n, m)
    areas = np.prod(boxes[:, 2:], axis=1)[:, None] + np.prod(truth[:, 2:], axis=1)
    overlap = shared / np.maximum(areas - shared, 1e-9)
    partner = np.full(len(boxes), -1, np.int64)
    while overlap.size and overlap.max() >= OVERLAP:
        box, digit = np.unravel_index(overlap.argmax(), overlap.shape)
        partner[box] = digit
        overlap[box], overlap[:, digit] = 0, 0
    return partner


def as_text(report: dict[str, Any]) -> str:
    """A report of evaluate for people: lines of at most 80 columns."""
    mnist, pages, conf = report["mnist"], report["pages"], f"accepted at {report['conf']:g}"
    low, high = mnist["interval"]
    each = [(name, result) for name, result in report["corruptions"].items() if name != "mean"]
    return "\n".join(
        [
            f"model         {report['model']['name']}  {report['model']['sha256'][:12]}",
            f"MNIST         {mnist['accuracy']:.2%} of {mnist['images']} ({low:.2%} to {high:.2%})",
            f"              {mnist['accepted']:.2%} {conf}",
            f"              calibration error {mnist['calibration_error']:.2%}, log loss {mnist['log_loss']:.4f}",
            f"MNIST-C       {report['corruptions']['mean']:.2%}, the mean of",
            *(f"  {name.replace('_', ' '):<14}{result['accuracy']:8.2%}" for name, result in each),
            f"non-digits    {conf:>16}  AUROC  FPR at 95% TPR",
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


class _Progress:
    """A bar on stderr, if that is a terminal."""

    def __init__(self, steps: int) -> None:
        self._stream = progress_stream()
        self._steps, self._done = steps, 0

    def step(self, name: str) -> None:
        """What is done next."""
        if self._stream:
            bar = "#" * (20 * self._done // self._steps)
            self._stream.write(f"\r{bar:-<20} {name:<14}")
            self._stream.flush()
        self._done += 1

    def end(self) -> None:
        if self._stream:
            self._stream.write(f"\r{'':35}\r")
            self._stream.flush()


def _accuracy(labels: Bytes, probabilities: npt.NDArray[np.float32]) -> dict[str, Any]:
    whole = summary(labels, probabilities)
    return {key: whole[key] for key in ("images", "right", "accuracy", "interval")}


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
    """How well the confidence tells digits from what is none."""
    return {
        "images": len(others),
        "accepted": float((others >= conf).mean()),
        "auroc": auroc(digits, others),
        "fpr95": fpr_at_tpr(digits, others),
    }
