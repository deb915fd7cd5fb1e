"""Teaches the shipped networks own pictures beside drawn ones, and stops where held-out pictures get no better.

    networks, history = teach(taught, held, drawn, data, seed, say)     # {"classifier": ..., "recognizer": ...}

Every step shows own and drawn pictures together. After every CHECK steps the loss is measured on own pictures, taught
and held out, and on drawn ones that are not learned from, each as a share of that at the beginning. The weights with
the least sum stay, which may be those that it began with; where drawn pictures lose, they do not count. What is
measured is the mean of the weights over the last steps: those of a single step swing. Batch norm keeps its statistics:
a few pictures of one kind would spoil them.

Of drawn crops and MNIST's digits the classifier learns what it answered before, not their labels (Z. Li, D. Hoiem,
"Learning without forgetting", 2016). At the end its weights go back towards those that it began with until it is right
on MNIST's held-out digits as often as before (M. Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.detector import detector_input
from digitocr.runtime.models import shipped_model
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.recognizer import Recognizer, recognizer_input
from digitocr.train.adapt.drawing import Drawn
from digitocr.train.adapt.lessons import Placed, crops, scene, strip
from digitocr.train.adapt.reading import predicted
from digitocr.train.classifier.augment import Augment
from digitocr.train.classifier.crops import Crops
from digitocr.train.data import Mnist, split
from digitocr.train.keras_backend import keras_needed
from digitocr.train.memory import give_back

with keras_needed("train", "training"):
    import keras

    from digitocr.train.detector.network import load_detector
    from digitocr.train.detector.network import loss as detector_loss
    from digitocr.train.recognizer.network import load_recognizer
    from digitocr.train.recognizer.network import loss as recognizer_loss

Floats = NDArray[np.float32]
Batch = tuple[Any, Any]  # inputs of a network and what is wanted
Say = Callable[[str, int, int, str], None]  # network, steps done, steps at most, the last check in words

CHECK = 20  # steps from one measurement to the next
LOSSES = ("taught_loss", "held_loss", "drawn_loss")
TINY = 1e-6  # a loss that cannot get better
PATIENCE = 3  # measurements without a better one, after which it is enough
MAX_WORSE = 1.1  # times the loss on drawn pictures at the beginning, that a network may have to stay
MEMORY = 0.95  # of the mean of the weights over the last steps, which is what is measured and kept
MEASURED = 40  # own pictures that a loss is measured with, taught and held-out ones each
MEASURED_BATCH = 8  # pictures; 64 scenes at once take 200 MB more
HELD_DRAWN = 40  # drawn strips and scenes that are measured and not learned from; of crops twenty times as many
CLIP_NORM = 5.0  # largest norm of a gradient
WEIGHT_DECAY = 0.0001  # of AdamW
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of what was learned, that may be kept so that nothing is forgotten
MAX_FORGOTTEN = 0.0  # of MNIST's held-out digits that may be lost; where one of 5,000 was, 6 of 10,000 others were
WARM_SHARE = 0.1  # of the steps, in which the rate rises from a tenth


@dataclass(frozen=True)
class Course:
    """How a network is taught.

    Attributes:
        rate: The highest of AdamW; it then falls to 0 in a cosine.
        steps: At most.
        own: Own pictures of a step.
        drawn: Drawn pictures of a step, for the classifier digits of MNIST as well.
        first_layer: Of those that learn. What the layers before it see, strokes and edges, is the same everywhere; and
            a step takes half the time.
    """

    rate: float
    steps: int
    own: int
    drawn: int
    first_layer: int = 0


COURSES = {
    "classifier": Course(rate=0.0003, steps=200, own=24, drawn=72),
    "recognizer": Course(rate=0.0006, steps=100, own=8, drawn=16, first_layer=13),
    "detector": Course(rate=0.0004, steps=80, own=4, drawn=6, first_layer=13),
}

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
        measured: Own pictures that are taught, held-out ones, and drawn ones.
        forgotten: The share of MNIST's held-out digits that the network answers worse than at the beginning; below 0
            where it is better.
    """

    name: str
    network: Any
    loss: Any
    batch: Callable[[np.random.Generator], Batch]
    measured: "tuple[_Measured, ...]"
    forgotten: Callable[[], float] = lambda: 0.0


class _Measured(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """Pictures that a loss is measured with, in batches: as inputs, 120 scenes would take 90 MB.

    Args:
        shown: (n, ...) pictures as `inputs` takes them, and (n, ...) what the network should give.
        inputs: Makes the network's inputs of pictures.
    """

    def __init__(self, shown: Batch, inputs: Callable[[Any], Floats] = scale) -> None:
        super().__init__()
        self._pictures, self._wanted = shown
        self._inputs = inputs

    def __len__(self) -> int:
        return -(-len(self._pictures) // MEASURED_BATCH)

    def __getitem__(self, number: int) -> Batch:
        rows = slice(number * MEASURED_BATCH, (number + 1) * MEASURED_BATCH)
        return self._inputs(self._pictures[rows]), self._wanted[rows].astype(np.float32)


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
        names: Keys of COURSES.
        taught: Own pictures to learn from; some that each network can, by is_taught.
        held: Own pictures to stop by; the same.
        drawn: Drawn pictures.
        data: MNIST.
        seed: Of the order and of all changes of the pictures.
        say: Is told every step.

    Returns:
        The networks, and a row for each check: network, step, the three losses, seconds, whether it was kept.
    """
    keras.utils.set_random_seed(seed)
    lessons = {"classifier": _classifier, "recognizer": _recognizer, "detector": _detector}
    networks, history = {}, []

    def teach_one(name: str, rng: np.random.Generator) -> None:
        own = [[one for one in some if is_taught(one, name)] for some in (taught, held)]
        lesson = lessons[name](own[0], own[1], drawn, data, rng)
        history.extend(_taught(lesson, COURSES[name], rng, say))
        networks[name] = LOAD[name]()  # as it is kept: Keras would save the optimizer's state of the other one
        networks[name].set_weights(lesson.network.get_weights())

    for number, name in enumerate(names):
        teach_one(name, np.random.default_rng((seed, number)))
        keras.utils.clear_session()
        give_back()  # what the next network needs would come on top
    return networks, history


def _taught(lesson: _Lesson, course: Course, rng: np.random.Generator, say: Say) -> list[dict[str, Any]]:
    """Teaches a network, and leaves it with the weights of its best check. Returns the rows of the checks."""
    network = lesson.network
    for number, layer in enumerate(network.layers):
        if isinstance(layer, keras.layers.BatchNormalization) or number < course.first_layer:
            layer.trainable = False
    warm = max(1, round(WARM_SHARE * course.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        course.rate / 10, course.steps - warm, warmup_target=course.rate, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=CLIP_NORM)
    network.compile(optimizer, loss=lesson.loss, jit_compile=False)  # XLA takes 3 times as long for a recognizer's step
    mean = best = begun = network.get_weights()
    least, kept, rows, started = np.inf, 0, list[dict[str, Any]](), time.perf_counter()
    for step in range(course.steps + 1):
        if step % CHECK == 0:
            own, held, other = _losses(lesson, mean)
            seconds = round(time.perf_counter() - started, 1)
            rows.append(
                {
                    "network": lesson.name,
                    "step": step,
                    "taught_loss": own,
                    "held_loss": held,
                    "drawn_loss": other,
                    "seconds": seconds,
                }
            )
            own, held, other = (
                loss / max(rows[0][name], TINY) for loss, name in zip((own, held, other), LOSSES, strict=True)
            )
            if other <= MAX_WORSE and (total := (own + held) / 2 + other) < least:
                least, best, kept = total, mean, len(rows) - 1
            if len(rows) - 1 - kept >= PATIENCE:
                break
        words = ", ".join(f"{name} {rows[-1][f'{name}_loss']:.3f}" for name in ("taught", "held", "drawn"))
        say(lesson.name, step, course.steps, words)
        if step < course.steps:
            network.train_on_batch(*lesson.batch(rng))
            weights = network.get_weights()
            mean = [MEMORY * old + (1 - MEMORY) * new for old, new in zip(mean, weights, strict=True)]
    for share in SHARES:
        network.set_weights([old + share * (new - old) for old, new in zip(begun, best, strict=True)])
        if lesson.forgotten() <= MAX_FORGOTTEN:
            break
    return [{**row, "kept": int(number == kept)} for number, row in enumerate(rows)]


def _losses(lesson: _Lesson, mean: list[NDArray[np.float32]]) -> tuple[float, ...]:
    """The losses on taught, held-out and drawn pictures with the mean weights; the network keeps its own."""
    network = lesson.network
    weights = network.get_weights()
    network.set_weights(mean)
    losses = tuple(float(network.evaluate(some, verbose=0)) for some in lesson.measured)
    network.set_weights(weights)
    return losses


def _classifier(
    taught: Sequence[Placed], held: Sequence[Placed], drawn: Drawn, data: Mnist, rng: np.random.Generator
) -> _Lesson:
    training, unseen = split(data)
    count = 20 * HELD_DRAWN
    augment = Augment(Crops(drawn.crops.images[count:], drawn.crops.labels[count:]))
    course, network, shipped = COURSES["classifier"], LOAD["classifier"](), LOAD["classifier"]()

    def batch(rng: np.random.Generator) -> Batch:
        """A third of the digits of MNIST stay as they are, and the others are changed as for the recipe robust."""
        rows = rng.choice(training, course.drawn)
        images, labels = data.train_images[rows], data.train_labels[rows]
        changed = slice(course.drawn // 3, None)
        images[changed], _ = augment(images[changed], labels[changed], rng)
        known = scale(images)
        own, wanted = shown(_some(taught, course.own, rng), rng)
        chosen = rng.permutation(len(wanted))[: course.own]
        answers = np.asarray(shipped(known, training=False))
        return np.concatenate([known, scale(own[chosen])]), np.concatenate([answers, wanted[chosen]])

    def shown(pictures: Sequence[Placed], rng: np.random.Generator) -> Batch:
        images, labels = crops(pictures, rng)
        return images, np.eye(shipped.output_shape[-1], dtype=np.float32)[labels]

    def right() -> float:
        return float((predicted(network, data.train_images[unseen]).argmax(1) == data.train_labels[unseen]).mean())

    before = right()
    others = np.concatenate([data.train_images[unseen[:count]], drawn.crops.images[:count]])
    wanted = predicted(shipped, others)
    own = (_Measured(shown(_variants(some), rng)) for some in (taught, held))
    measured = (*own, _Measured((others, wanted)))
    return _Lesson("classifier", network, "categorical_crossentropy", batch, measured, lambda: before - right())


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

    others = drawn.strips[:HELD_DRAWN], drawn.columns[:HELD_DRAWN]
    shown = (strips(_variants(taught), rng), strips(_variants(held), rng), others)
    measured = tuple(_Measured(some, _strip_inputs) for some in shown)
    return _Lesson("recognizer", LOAD["recognizer"](), recognizer_loss, batch, measured)


def _detector(
    taught: Sequence[Placed], held: Sequence[Placed], drawn: Drawn, _: Mnist, rng: np.random.Generator
) -> _Lesson:
    course = COURSES["detector"]

    def scenes(pictures: Sequence[Placed], rng: np.random.Generator) -> Batch:
        made = [scene(picture, rng) for picture in pictures]
        return np.stack([image for image, _ in made]), np.stack([wanted for _, wanted in made])

    def batch(rng: np.random.Generator) -> Batch:
        rows = rng.integers(HELD_DRAWN, len(drawn.scenes), course.drawn)
        own, wanted = scenes(_some(taught, course.own, rng), rng)
        inputs = _scene_inputs(np.concatenate([drawn.scenes[rows], own]))
        inputs[rng.random(len(inputs)) < 0.5] *= -1  # a scene is also learned from as its negative
        return inputs, np.concatenate([drawn.targets[rows], wanted]).astype(np.float32)

    others = drawn.scenes[:HELD_DRAWN], drawn.targets[:HELD_DRAWN]
    shown = (scenes(_variants(taught), rng), scenes(_variants(held), rng), others)
    measured = tuple(_Measured(some, _scene_inputs) for some in shown)
    return _Lesson("detector", LOAD["detector"](), detector_loss, batch, measured)


def is_taught(picture: Placed, name: str) -> bool:
    """Whether a network can learn from a picture: some digits have known places, and for the detector all have."""
    return name == "classifier" or (len(picture.boxes) > 0 and (name == "recognizer" or picture.is_whole))


def _variants(pictures: Sequence[Placed]) -> list[Placed]:
    """The pictures, each as often as makes MEASURED of all."""
    return [pictures[at % len(pictures)] for at in range(MEASURED)]


def _some(pictures: Sequence[Placed], count: int, rng: np.random.Generator) -> list[Placed]:
    return [pictures[at] for at in rng.integers(0, len(pictures), count).tolist()]


def _strip_inputs(images: NDArray[np.uint8]) -> Floats:
    """(n, 32, W) strips as (n, 32, W, 2) of the network."""
    return np.stack([recognizer_input(image).transpose(1, 2, 0) for image in images])


def _scene_inputs(images: NDArray[np.uint8]) -> Floats:
    """N pictures of 256x256 as (n, 256, 256, 3) of the network."""
    return np.stack([detector_input(image).transpose(1, 2, 0) for image in images])
