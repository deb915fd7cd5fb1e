"""Teaches the shipped networks own pictures beside drawn ones, and stops where held-out pictures get no better.

    networks, history = teach(taught, held, drawn, data, seed, say)     # {"classifier": ..., "recognizer": ...}

Every step shows own and drawn pictures together. After every CHECK steps the loss is measured on own pictures that are
held out and on drawn ones that are not learned from. The weights of the check with the least sum stay, which may be
those that it began with. Batch norm keeps its statistics: a few pictures of one kind would spoil them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.detector import detector_input
from digitocr.runtime.errors import MissingExtraError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.recognizer import Recognizer, recognizer_input
from digitocr.train.adapt.drawing import Drawn
from digitocr.train.adapt.lessons import Placed, crops, scene, strip
from digitocr.train.classifier.augment import Augment
from digitocr.train.classifier.crops import Crops
from digitocr.train.data import Mnist, split
from digitocr.train.quiet import silenced

try:
    with silenced():
        import keras

        from digitocr.train.detector.network import load_detector
        from digitocr.train.detector.network import loss as detector_loss
        from digitocr.train.recognizer.network import load_recognizer
        from digitocr.train.recognizer.network import loss as recognizer_loss
except ImportError as error:
    raise MissingExtraError("train", "training") from error

Floats = NDArray[np.float32]
Batch = tuple[Any, Any]  # inputs of a network and what is wanted
Say = Callable[[str, int, int, str], None]  # network, steps done, steps at most, the last check in words

CHECK = 40  # steps from one measurement to the next
PATIENCE = 3  # measurements without a better one, after which it is enough
MAX_WORSE = 1.03  # times the loss on drawn pictures at the beginning, that a network may have to stay
HELD_VARIANTS = 6  # of each held-out picture
HELD_DRAWN = 64  # drawn strips and scenes that are measured and not learned from; of crops twenty times as many
CLIP_NORM = 5.0  # largest norm of a gradient
WEIGHT_DECAY = 0.0001  # of AdamW
WARM_SHARE = 0.1  # of the steps, in which the rate rises from a tenth


@dataclass(frozen=True)
class Course:
    """How a network is taught.

    Attributes:
        rate: The highest of AdamW; it then falls to 0 in a cosine.
        steps: At most.
        own: Own pictures of a step.
        drawn: Drawn pictures of a step, for the classifier digits of MNIST as well.
    """

    rate: float
    steps: int
    own: int
    drawn: int


COURSES = {
    "classifier": Course(rate=0.0003, steps=320, own=32, drawn=96),
    "recognizer": Course(rate=0.0004, steps=160, own=10, drawn=22),
    "detector": Course(rate=0.0003, steps=120, own=5, drawn=11),
}
DRAWN_SCENES = 640  # for crops and scenes
DRAWN_STRIPS = 2_560


LOAD: dict[str, Callable[[], Any]] = {  # the shipped networks
    "classifier": lambda: keras.saving.load_model(shipped_model("digitocr.keras"), compile=False),
    "recognizer": lambda: load_recognizer(shipped_model("recognizer.keras")),
    "detector": lambda: load_detector(shipped_model("detector.keras")),
}


@dataclass(frozen=True, eq=False)
class _Lesson:
    """A network with what it is taught.

    Attributes:
        name: The key of COURSES.
        network: With the shipped weights.
        loss: Of the network.
        batch: The inputs of a step and what is wanted.
        own: The inputs of held-out own pictures and what is wanted.
        drawn: The same of drawn ones.
    """

    name: str
    network: Any
    loss: Any
    batch: Callable[[np.random.Generator], Batch]
    own: Batch
    drawn: Batch


def teach(
    names: Sequence[str],
    taught: Sequence[Placed],
    held: Sequence[Placed],
    drawn: Drawn,
    data: Mnist,
    seed: int,
    say: Say,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Teaches networks one after the other.

    Args:
        names: Keys of COURSES. Only the classifier can learn pictures without boxes.
        taught: Own pictures to learn from.
        held: Own pictures to stop by.
        drawn: Drawn pictures.
        data: MNIST.
        seed: Of the order and of all changes of the pictures.
        say: Is told every step.

    Returns:
        The networks, and a row for each check: network, step, own loss, drawn loss, seconds, is kept.
    """
    keras.utils.set_random_seed(seed)
    lessons = {"classifier": _classifier, "recognizer": _recognizer, "detector": _detector}
    networks, history = {}, []
    for number, name in enumerate(names):
        rng = np.random.default_rng((seed, number))
        lesson = lessons[name](taught, held, drawn, data, rng)
        history += _taught(lesson, COURSES[name], rng, say)
        networks[name] = LOAD[name]()  # as it is kept: Keras would save the optimizer's state of the other one
        networks[name].set_weights(lesson.network.get_weights())
    return networks, history


def _taught(lesson: _Lesson, course: Course, rng: np.random.Generator, say: Say) -> list[dict[str, Any]]:
    """Teaches a network, and leaves it with the weights of its best check. Returns the rows of the checks."""
    network = lesson.network
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    warm = max(1, round(WARM_SHARE * course.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        course.rate / 10, course.steps - warm, warmup_target=course.rate, warmup_steps=warm
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=CLIP_NORM), loss=lesson.loss)
    best, weights, rows, began = np.inf, network.get_weights(), [], time.perf_counter()
    for step in range(course.steps + 1):
        if step % CHECK == 0:
            own, other = (
                float(network.evaluate(*some, batch_size=64, verbose=0)) for some in (lesson.own, lesson.drawn)
            )
            allowed = not rows or other <= MAX_WORSE * rows[0]["drawn_loss"]
            seconds = round(time.perf_counter() - began, 1)
            rows.append(
                {"network": lesson.name, "step": step, "own_loss": own, "drawn_loss": other, "seconds": seconds}
            )
            if allowed and own + other < best:
                best, weights = own + other, network.get_weights()
                kept = len(rows) - 1
            if len(rows) - 1 - kept >= PATIENCE:
                break
        say(lesson.name, step, course.steps, f"own {rows[-1]['own_loss']:.3f}, drawn {rows[-1]['drawn_loss']:.3f}")
        if step < course.steps:
            network.train_on_batch(*lesson.batch(rng))
    network.set_weights(weights)
    return [{**row, "kept": int(number == kept)} for number, row in enumerate(rows)]


def _classifier(
    taught: Sequence[Placed], held: Sequence[Placed], drawn: Drawn, data: Mnist, rng: np.random.Generator
) -> _Lesson:
    training, unseen = split(data)
    count = 20 * HELD_DRAWN
    some = Crops(drawn.crops.images[count:], drawn.crops.labels[count:])
    augment, course = Augment(some), COURSES["classifier"]

    def batch(rng: np.random.Generator) -> Batch:
        """A third of the digits of MNIST stay as they are, and the others are changed as for the recipe robust."""
        rows = rng.choice(training, course.drawn)
        images, labels = data.train_images[rows], data.train_labels[rows]
        changed = slice(course.drawn // 3, None)
        images[changed], labels[changed] = augment(images[changed], labels[changed], rng)
        own, shown = crops(_some(taught, course.own, rng), rng)
        chosen = rng.permutation(len(shown))[: course.own]
        return scale(np.concatenate([images, own[chosen]])), np.concatenate([labels, shown[chosen]])

    images, labels = crops(list(held) * HELD_VARIANTS, rng)
    others = np.concatenate([data.train_images[unseen], drawn.crops.images[:count]])
    wanted = np.concatenate([data.train_labels[unseen], drawn.crops.labels[:count]])
    loss = "sparse_categorical_crossentropy"
    return _Lesson("classifier", LOAD["classifier"](), loss, batch, (scale(images), labels), (scale(others), wanted))


def _recognizer(
    taught: Sequence[Placed], held: Sequence[Placed], drawn: Drawn, _: Mnist, rng: np.random.Generator
) -> _Lesson:
    shipped, course = Recognizer(), COURSES["recognizer"]

    def strips(pictures: Sequence[Placed], rng: np.random.Generator) -> Batch:
        made = [strip(picture, lambda image: shipped.columns([image])[0], rng) for picture in pictures]
        return np.stack([image for image, _ in made]), np.stack([columns for _, columns in made])

    def batch(rng: np.random.Generator) -> Batch:
        rows = rng.integers(HELD_DRAWN, len(drawn.strips), course.drawn)
        own, wanted = strips(_some(taught, course.own, rng), rng)
        images = np.concatenate([drawn.strips[rows], own])
        negative = rng.random(len(images)) < 0.5  # a strip is also learned from as its negative
        images[negative] = 255 - images[negative]
        return _strip_inputs(images), np.concatenate([drawn.columns[rows], wanted]).astype(np.float32)

    own, wanted = strips(list(held) * HELD_VARIANTS, rng)
    return _Lesson(
        "recognizer",
        LOAD["recognizer"](),
        recognizer_loss,
        batch,
        (_strip_inputs(own), wanted),
        (_strip_inputs(drawn.strips[:HELD_DRAWN]), drawn.columns[:HELD_DRAWN].astype(np.float32)),
    )


def _detector(
    taught: Sequence[Placed], held: Sequence[Placed], drawn: Drawn, _: Mnist, rng: np.random.Generator
) -> _Lesson:
    course = COURSES["detector"]

    def scenes(pictures: Sequence[Placed], rng: np.random.Generator) -> Batch:
        made = [scene(picture, rng) for picture in pictures]
        return _scene_inputs([image for image, _ in made]), np.stack([wanted for _, wanted in made])

    def batch(rng: np.random.Generator) -> Batch:
        rows = rng.integers(HELD_DRAWN, len(drawn.scenes), course.drawn)
        own, wanted = scenes(_some(whole, course.own, rng), rng)
        inputs = np.concatenate([_scene_inputs(drawn.scenes[rows]), own])
        inputs[rng.random(len(inputs)) < 0.5] *= -1  # a scene is also learned from as its negative
        return inputs, np.concatenate([drawn.targets[rows], wanted]).astype(np.float32)

    whole = [picture for picture in taught if picture.is_whole]
    return _Lesson(
        "detector",
        LOAD["detector"](),
        detector_loss,
        batch,
        scenes([picture for picture in held if picture.is_whole] * HELD_VARIANTS, rng),
        (_scene_inputs(drawn.scenes[:HELD_DRAWN]), drawn.targets[:HELD_DRAWN].astype(np.float32)),
    )


def _some(pictures: Sequence[Placed], count: int, rng: np.random.Generator) -> list[Placed]:
    return [pictures[at] for at in rng.integers(0, len(pictures), count).tolist()]


def _strip_inputs(images: NDArray[np.uint8]) -> Floats:
    """(n, 32, W) strips as (n, 32, W, 2) of the network."""
    return np.stack([recognizer_input(image).transpose(1, 2, 0) for image in images])


def _scene_inputs(images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> Floats:
    """N pictures of 256x256 as (n, 256, 256, 3) of the network."""
    return np.stack([detector_input(image).transpose(1, 2, 0) for image in images])
