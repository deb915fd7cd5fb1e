"""What a network that reads a digit takes and puts out: from its file and, where that does not say, by trying.

    interface = find_interface(network.signature, network, trial_of(data))
    interface.findings                         # (("input", "(N, 1, 32, 32) float32: 32x32 ..."), ...)
    numbers = interface.run(network, tensors)  # (N, classes) for (N, 28, 28, 1) tensors, 0 to 1, ink bright
    interface.probabilities(numbers)           # (N, classes)

A file states shapes and types. It does not state which levels it was trained with, which way the ink differs from its
background, and how 28x28 pixels became its size. These are tried on training images, never on test images: the form
counts in which the labels are likeliest. Half of the images are distorted, so that a form that only makes the network
surer of its answers, as levels of 0 to 255 would, does not look better than the right one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.classifier import CLASSES, SUM_TOLERANCE, Probabilities
from digitocr.runtime.errors import ModelError
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import SIDE, Tensors, scale
from digitocr.runtime.recognizer import softmax
from digitocr.train.data import Bytes, Mnist, stratified
from digitocr.train.evaluation.corruptions import corrupted
from digitocr.train.evaluation.interpreters import Array, Run, Signature
from digitocr.train.evaluation.metrics import log_loss

Layout: TypeAlias = Literal["channels last", "channels first", "no channels", "pixels in a row"]
Fit: TypeAlias = Literal["as it is", "padded", "resized"]
Output: TypeAlias = Literal["logits", "probabilities", "scores"]

TRIED = 400  # images; half of them are distorted
DISTORTIONS = ("shear", "scale", "rotate", "translate")  # which keep background and ink at their levels
TRIED_SEED = 0  # of the choice and the distortion of these images
LEAST_RIGHT = 0.4  # of them that the best form must read right; with less no form is the right one
BATCH = 64  # pictures in one call, where a file takes any number
LEAST_SIDE, LARGEST_SIDE = 8, 512  # pixels
MAX_PADDED = 40  # pixels; larger inputs than that are not made of 28x28 by a border
COVERED = 0.95  # of the range of levels that quantized integers must reach
LARGEST_SPAN = 2.0  # times the range of levels that quantized integers may reach


class Levels(NamedTuple):
    """What a network takes for background and ink: gain * ink + offset, with ink from 0 to 1; a value for a channel."""

    gain: tuple[float, ...]
    offset: tuple[float, ...]

    def inverted(self) -> "Levels":
        """The levels of dark ink on a bright background."""
        both = zip(self.gain, self.offset, strict=True)
        return Levels(tuple(-gain for gain in self.gain), tuple(gain + offset for gain, offset in both))

    def range(self) -> tuple[float, float]:
        """The lowest and the highest level."""
        ends = [*self.offset, *(gain + offset for gain, offset in zip(self.gain, self.offset, strict=True))]
        return min(ends), max(ends)


def _standardised(means: tuple[float, ...], deviations: tuple[float, ...]) -> Levels:
    both = zip(means, deviations, strict=True)
    return Levels(
        tuple(1 / deviation for deviation in deviations), tuple(-mean / deviation for mean, deviation in both)
    )


UNIT = "0 to 1"
BYTES = "0 to 255"
LEVELS = {  # by what people call them; the first one is assumed where trying cannot tell
    UNIT: Levels((1.0,), (0.0,)),
    BYTES: Levels((255.0,), (0.0,)),
    "-1 to 1": Levels((2.0,), (-1.0,)),
    "MNIST's mean and deviation (0.1307, 0.3081)": _standardised((0.1307,), (0.3081,)),
    "ImageNet's means and deviations": _standardised((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


@dataclass(frozen=True)
class Interface:
    """What a network takes and puts out.

    Attributes:
        signature: As its file states it.
        layout: The order of the input's sides.
        size: Height and width of its pictures.
        channels: 1, or 3, which all have the grey level.
        fit: How 28x28 pixels become that size.
        levels: A key of LEVELS.
        inverted: Whether it takes dark ink on a bright background.
        classes: 10, or 11, whose last one is "no digit".
        output: "logits", "probabilities", or "scores": each class from 0 to 1 by itself, as a sigmoid gives them.
        findings: Of each of these a name and a line that says how it is known.
        source: "card" of digitocr, or "probe": found by trying.
    """

    signature: Signature
    layout: Layout
    size: tuple[int, int]
    channels: int
    classes: int
    fit: Fit = "as it is"
    levels: str = UNIT
    inverted: bool = False
    output: Output = "logits"
    findings: tuple[tuple[str, str], ...] = ()
    source: Literal["card", "probe"] = "probe"

    def described(self) -> dict[str, Any]:
        """All that was found out, JSON-ready."""
        return {
            "input": _shown(self.signature.input.shape),
            "dtype": self.signature.input.dtype,
            "layout": self.layout,
            "size": list(self.size),
            "channels": self.channels,
            "fit": self.fit,
            "levels": self.levels,
            "ink": "dark" if self.inverted else "bright",
            "classes": self.classes,
            "findings": [f"{name}: {line}" for name, line in self.findings],
        }

    def taken(self) -> Levels:
        """The levels of background and ink."""
        return LEVELS[self.levels].inverted() if self.inverted else LEVELS[self.levels]

    def per_channel(self) -> Levels:
        """The levels of background and ink, with a value for each of the channels."""
        gain, offset = self.taken()
        return Levels(*(both * (self.channels if len(both) < self.channels else 1) for both in (gain, offset)))

    def inputs(self, tensors: Tensors) -> Array:
        """The network's input for (N, 28, 28, 1) float32 tensors from 0 to 1, ink bright."""
        gain, offset = (np.array(one, np.float32) for one in self.per_channel())
        pictures = self._sized(tensors[..., 0])[..., None] * gain + offset
        if self.layout == "channels first":
            pictures = pictures.transpose(0, 3, 1, 2)
        elif self.layout == "no channels":
            pictures = pictures[..., 0]
        elif self.layout == "pixels in a row":
            pictures = pictures.reshape(len(pictures), -1)
        end = self.signature.input
        if np.dtype(end.dtype).kind in "iu":
            kind = np.iinfo(end.dtype)
            lowest = kind.min if kind.bits == 8 else 0
            pictures = np.rint(pictures / end.scale) + end.zero_point if end.scale else np.rint(pictures) + lowest
            pictures = np.clip(pictures, kind.min, kind.max)
        return np.ascontiguousarray(pictures, np.dtype(end.dtype))

    def _sized(self, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, 28, 28) -> (N, height, width)."""
        height, width = self.size
        if self.fit == "padded":
            above, before = (height - SIDE) // 2, (width - SIDE) // 2
            return np.pad(pictures, ((0, 0), (above, height - SIDE - above), (before, width - SIDE - before)))
        if self.fit == "resized":
            method = cv2.INTER_LINEAR if min(self.size) >= SIDE else cv2.INTER_AREA
            return np.stack([cv2.resize(picture, (width, height), interpolation=method) for picture in pictures])
        return pictures

    def run(self, network: Run, tensors: Tensors) -> npt.NDArray[np.float32]:
        """The outputs as numbers, (N, classes), for (N, 28, 28, 1) tensors; N is at least 1.

        Raises ModelError where they have another shape.
        """
        values, step = self.filled(self.inputs(tensors)), self.signature.input.shape[0] or BATCH
        parts = [values[start : start + step] for start in range(0, len(values), step)]
        return np.concatenate([self.numbers(network(part), len(part)) for part in parts])[: len(tensors)]

    def filled(self, values: Array) -> Array:
        """(N, ...) inputs, the last one repeated until the file's batch divides their number."""
        missing = -len(values) % (self.signature.input.shape[0] or 1)
        return np.concatenate([values, values[-1:].repeat(missing, axis=0)]) if missing else values

    def numbers(self, outputs: Array, count: int) -> npt.NDArray[np.float32]:
        """What the file puts out for so many pictures, as (count, classes) float32 numbers. Raises ModelError."""
        if outputs.size != count * self.classes:
            raise ModelError(
                f"the output for {count} pictures is {list(outputs.shape)}, not {count} times {self.classes}"
            )
        end, rows = self.signature.output, outputs.reshape(count, self.classes).astype(np.float32)
        if outputs.dtype.kind == "f" or not end.scale:
            return rows
        return np.asarray((rows - np.float32(end.zero_point)) * np.float32(end.scale))

    def probabilities(self, numbers: npt.NDArray[np.float32]) -> Probabilities:
        """(N, classes) numbers of run -> probabilities, each row of which sums to 1."""
        if self.output == "logits":
            return softmax(numbers)
        return np.asarray(numbers / np.maximum(numbers.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny))


class Trial(NamedTuple):
    """Images with labels, which forms are tried on.

    Attributes:
        tensors: (N, 28, 28, 1) float32, 0 to 1, ink bright.
        labels: (N,) uint8.
        whose: "training" or, where the data have no others, "test".
    """

    tensors: Tensors
    labels: Bytes
    whose: str


def trial_of(data: Mnist) -> Trial:
    """TRIED training images, half of them distorted; of data without training images, test images."""
    whose = "training" if len(data.train_labels) else "test"
    images, labels = (
        (data.train_images, data.train_labels) if whose == "training" else (data.test_images, data.test_labels)
    )
    chosen = stratified(labels, min(TRIED // 2, len(labels)), TRIED_SEED)
    parts = [chosen, *(chosen[number :: len(DISTORTIONS)] for number in range(len(DISTORTIONS)))]
    distorted = [corrupted(images[part], name, TRIED_SEED) for name, part in zip(DISTORTIONS, parts[1:], strict=True)]
    return Trial(scale(np.concatenate([images[chosen], *distorted])), labels[np.concatenate(parts)], whose)


def known_interface(signature: Signature) -> Interface:
    """The interface of a file of `digitocr export`, whose levels its card states."""
    shape, classes = signature.input.shape, signature.output.shape[-1] or 0
    interface = Interface(signature, "channels last", (SIDE, SIDE), shape[-1] or 1, classes, source="card")
    return replace(interface, findings=(("input", "28x28 pixels, 0 to 1, ink bright: as its card says"),))


def find_interface(signature: Signature, run: Run, trial: Trial) -> Interface:
    """Finds out what a network takes and puts out.

    Args:
        signature: Of its file.
        run: Runs it.
        trial: Images to try forms on.

    Raises:
        ModelError: It takes no small picture or does not give 10 or 11 numbers for one, or it fails where it is run.
    """
    forms = [
        replace(start, levels=levels, inverted=inverted)
        for start in _started(signature)
        for levels in _possible(start)
        for inverted in (False, True)
    ]
    tried = _tried(forms, run, trial)
    best = tried[0].form
    if best.fit == "padded":
        tried = sorted([*tried, *_tried([replace(best, fit="resized")], run, trial)], key=lambda one: one.loss)
        best = tried[0].form
    known = tried[0].right >= LEAST_RIGHT
    if not known:
        best = replace(forms[0], classes=best.classes, output=best.output)
    return replace(best, findings=tuple(_found(best, tried, trial, known)))


class _Tried(NamedTuple):
    form: Interface
    loss: float  # mean of -ln(probability of the label)
    right: float  # share of the images


def _tried(forms: list[Interface], run: Run, trial: Trial) -> list[_Tried]:
    """The forms, with how well the network reads so, the best one first. Raises ModelError where none can be run."""
    done: list[_Tried] = []
    failure: Exception | None = None
    for form in forms:
        try:
            values = form.inputs(trial.tensors[: form.signature.input.shape[0] or 1])
            classes = np.asarray(run(values)).size // len(values)
            if classes not in CLASSES:
                raise ModelError(f"it gives {classes} numbers for a picture, not {' or '.join(map(str, CLASSES))}")
            form = replace(form, classes=classes)
            numbers = form.run(run, trial.tensors)
        except Exception as error:  # the interpreters' exceptions share no base
            failure = error
            continue
        form = replace(form, output=output_of(numbers))
        digits = np.nan_to_num(form.probabilities(numbers))
        right = float((digits[:, :10].argmax(axis=1) == trial.labels).mean())
        done.append(_Tried(form, log_loss(trial.labels, digits), right))
    if not done:
        raise failure if isinstance(failure, ModelError) else ModelError(f"it fails where it is run ({failure})")
    return sorted(done, key=lambda one: one.loss)


def _started(signature: Signature) -> list[Interface]:
    """What the shape of the input leaves open. Raises ModelError where it is no small picture."""
    shape = signature.input.shape
    sides = [side or SIDE for side in shape[1:]]
    layouts: list[tuple[Layout, list[int], int]] = []
    if len(shape) == 4:
        if shape[3] in (1, 3, None) and (shape[3] or shape[1] not in (1, 3)):
            layouts.append(("channels last", sides[:2], shape[3] or 1))
        if shape[1] in (1, 3, None) and (shape[1] or shape[3] not in (1, 3)):
            layouts.append(("channels first", sides[1:], shape[1] or 1))
    elif len(shape) == 3:
        layouts.append(("no channels", sides, 1))
    elif len(shape) == 2 and isqrt(sides[0]) ** 2 == sides[0]:
        layouts.append(("pixels in a row", [isqrt(sides[0])] * 2, 1))
    starts = []
    for layout, (height, width), channels in layouts:
        if min(height, width) >= LEAST_SIDE and max(height, width) <= LARGEST_SIDE:
            fit: Fit = "as it is" if (height, width) == (SIDE, SIDE) else "resized"
            if min(height, width) > SIDE and max(height, width) <= MAX_PADDED:
                fit = "padded"
            starts.append(Interface(signature, layout, (height, width), channels, 0, fit))
    if not starts:
        raise ModelError(f"it takes {_shown(shape)}, which is no small grey or colour picture")
    return starts


def _possible(start: Interface) -> Iterator[str]:
    """The levels that the type of the input leaves open."""
    end = start.signature.input
    integers = np.dtype(end.dtype).kind in "iu"
    for name, levels in LEVELS.items():
        if len(levels.gain) > start.channels:
            continue
        if integers and not end.scale and name != BYTES:
            continue  # integers that stand for nothing else are the levels of a picture
        if integers and end.scale:
            kind = np.iinfo(end.dtype)
            low, high = ((bound - end.zero_point) * end.scale for bound in (kind.min, kind.max))
            (least, most), span = levels.range(), high - low
            covered = min(high, most) - max(low, least)
            if covered < COVERED * (most - least) or span > LARGEST_SPAN * (most - least):
                continue
        yield name


def output_of(numbers: npt.NDArray[np.float32]) -> Output:
    """What the numbers of many pictures are."""
    if not ((numbers >= 0) & (numbers <= 1)).all():
        return "logits"
    return "probabilities" if (abs(numbers.sum(axis=1) - 1) < SUM_TOLERANCE).all() else "scores"


def _found(best: Interface, tried: list[_Tried], trial: Trial, known: bool) -> Iterator[tuple[str, str]]:
    """A line on each thing that was found out."""
    end = best.signature.input
    colours = {1: "grey", 3: "three channels, all grey"}[best.channels]
    layout = best.layout if best.layout in ("no channels", "pixels in a row") else f"{best.layout}, {colours}"
    yield "input", f"{_shown(end.shape)} {end.dtype}: {best.size[0]}x{best.size[1]} pixels, {layout}"
    how = f"by {len(trial.labels)} {trial.whose} images, half of them distorted"
    if not known:
        most = max(one.right for one in tried)
        yield (
            "levels",
            f"unknown: no form reads more than {most:.0%} of {how[3:]}; {_levels(best)} is assumed; are its classes "
            "the digits in order?",
        )
    else:
        others = [one for one in tried if (one.form.levels, one.form.inverted) != (best.levels, best.inverted)]
        beside = f"; next best {_levels(others[0].form)}: {others[0].right:.0%}" if others else ""
        yield "levels", f"{_levels(best)}: {how} ({tried[0].right:.0%} right{beside})"
    if best.fit != "as it is":
        sizes = "; ".join(f"{fit} {right:.0%}" for fit, right in _best_of_fits(tried).items())
        yield "size", f"28x28 {best.fit} to {best.size[0]}x{best.size[1]}: by the same images ({sizes} right)"
    yield "classes", f"{best.classes}: the digits{' and no digit' if best.classes > 10 else ''}, in order"
    applied = {
        "logits": "softmax applied",
        "probabilities": "no softmax applied",
        "scores": "each class from 0 to 1 by itself; divided by their sum",
    }
    yield "output", f"{best.output}: by the same images; {applied[best.output]}"


def _best_of_fits(tried: list[_Tried]) -> dict[str, float]:
    """How much is read right by each fit."""
    return {one.form.fit: one.right for one in reversed(tried)}


def _levels(form: Interface) -> str:
    return f"{form.levels}, ink {'dark' if form.inverted else 'bright'}"


def _shown(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('N' if side is None else str(side) for side in shape)})"
