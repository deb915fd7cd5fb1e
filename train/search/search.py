"""A search for networks that are right, small and quick at once: what `digitocr search` runs, on Optuna.

    search = Search(Path("runs/search"), load_mnist(), Plan(space="paper", sampler="tpe", epochs=6), int8_file)
    search.run(trials=100, jobs=2)
    search.results()["trials"]

Three objectives, after what the edge needs: the accuracy of the int8 file on held-out training images, the bytes of
that file, and the multiply-accumulates of one digit. No test image is read. Candidates are drawn by Optuna's TPE (J.
Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011), or are all points of the grid in a random order.

The folder:

    journal.log          Optuna's journal: every trial, as far as it has come; any number of processes write to it
    models/12.keras      the network of a trial that was finished, to be exported and proved with digitocr export
    trial-12.lock        held by the process that is at work on the trial, and free when that is dead

With a storage, which is a database's URL or the address of Optuna's gRPC proxy, the trials are kept there instead of
in the journal, and machines with a folder each share them. Whoever asks for a trial first looks for one whose process
is dead, on this folder, and puts its parameters at the head of the queue.

A trial is pruned when, after the same number of epochs, PRUNERS finished trials were better on the held-out images that
need no more weights and no more multiply-accumulates: it could not lie on the front. The smallest networks are on the
front however wrong they are, so TPE is told that LEAST of the held-out images are to be right: among candidates that
reach it all three objectives count, among the others the accuracy.
"""

import fcntl
import itertools
import math
import multiprocessing
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import DigitocrError, InputError, MissingExtraError, OutputError, UsageError
from digitocr.runtime.files import replacing
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.processes import begin
from digitocr.train.classifier.distort import Distort
from digitocr.train.data import Mnist, split
from digitocr.train.quiet import silenced

try:
    with silenced():
        import keras
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock, JournalStorage
        from optuna.trial import FrozenTrial, TrialState

        from digitocr.train.classifier.loop import Row, train
        from digitocr.train.classifier.network import EXPERIMENTS, Experiment, build_network, multiply_accumulates
        from digitocr.train.paper.study import Quantize
except ImportError as error:
    raise MissingExtraError("search", "a search") from error

SCHEMA = "digitocr-search/1"
LEAST = 0.99
PRUNERS = 3
TRIES = 3  # processes that may die of one trial before it is left alone
_NAME = "digitocr"  # of the study in its storage

SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    # what the paper varied, and the sizes that it left as they were
    "paper": {
        "conv_layers": (1, 2, 3),
        "kernel": (3, 5),
        "stride": (1, 2),
        "pooling": ("max", "average"),
        "batch_norm": (False, True),
        "dropout": (False, True),
        "filters": (4, 8, 12, 16, 24, 32),
        "dense": (16, 32, 64, 128),
    },
    # how a network is trained
    "recipe": {
        "learning_rate": (0.0005, 0.001, 0.002, 0.004),
        "schedule": ("constant", "cosine"),
        "batch_size": (64, 128, 256),
        "weight_decay": (0.0, 0.0001, 0.001, 0.01),
        "label_smoothing": (0.0, 0.05, 0.1),
        "averaging": (False, True),
        "augmentation": ("none", "affine", "elastic"),
        "cutout": (0, 6, 10),
    },
}
SPACES["all"] = SPACES["paper"] | SPACES["recipe"]
_NETWORK = {field.name for field in fields(Experiment)}


@dataclass(frozen=True)
class Plan:
    """What all trials of a search have in common. Raises UsageError for values that make no sense.

    space: of SPACES; what is not in it is as in the paper's experiment 4. sampler: tpe or grid.
    """

    space: str = "all"
    sampler: str = "tpe"
    epochs: int = 6

    def __post_init__(self) -> None:
        for name, good, rule in (
            ("space", self.space in SPACES, f"one of {', '.join(SPACES)}"),
            ("sampler", self.sampler in ("tpe", "grid"), "tpe or grid"),
            ("epochs", self.epochs >= 1, "1 or more"),
        ):
            if not good:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be {rule}")


@dataclass(frozen=True)
class Candidate:
    """A network and how it is trained; by default the paper's best, the paper's way."""

    network: Experiment = EXPERIMENTS[4]
    learning_rate: float = 0.001
    schedule: str = "constant"  # or cosine, to 0 over all steps
    batch_size: int = 128
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    averaging: bool = False  # of weights, over about a thousand steps
    augmentation: str = "none"  # affine, or elastic, which is affine as well
    cutout: int = 0  # pixels

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Candidate":
        """The candidate with those values of SPACES."""
        network = {name: value for name, value in params.items() if name in _NETWORK}
        others = {name: value for name, value in params.items() if name not in _NETWORK}
        return cls(Experiment(**{**asdict(cls.network), **network}), **others)

    def trained(self, data: Mnist, epochs: int, seed: int, watch: Callable[[keras.Sequential, Row], None]) -> Any:
        """The network, trained; watch is told each epoch. The order of images and the weights are the seed's."""
        keras.utils.clear_session()  # of the trial before
        keras.utils.set_random_seed(seed)
        network = build_network(self.network)
        parts = split(data)
        steps = epochs * math.ceil(len(parts[0]) / self.batch_size)
        rate: Any = self.learning_rate
        if self.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=self.weight_decay, use_ema=self.averaging, ema_momentum=0.999
        )
        network.compile(
            optimizer=optimizer,
            loss=self._loss,
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
        augment = None
        if self.augmentation != "none" or self.cutout:
            augment = Distort(self.augmentation != "none", self.augmentation == "elastic", self.cutout)
        callbacks = (keras.callbacks.SwapEMAWeights(),) if self.averaging else ()
        train(network, data, parts, epochs, self.batch_size, seed, augment, callbacks, lambda row: watch(network, row))
        return network

    def _loss(self, labels: Any, given: Any) -> Any:
        """Keras smooths labels only where they are one-hot."""
        one_hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), given.shape[-1])
        return keras.losses.categorical_crossentropy(one_hot, given, label_smoothing=self.label_smoothing)


class Search:
    """A search in a folder, or in a storage that several folders share.

    quantize: makes the int8 file of a .keras file in a folder and returns its path. storage: None for the folder's
    journal; grpc://HOST:PORT of Optuna's proxy; or a database's URL, as SQLAlchemy writes it.

    Raises UsageError for a search of another plan and for a storage that cannot be reached, InputError for one of
    other data and for a damaged journal, OutputError for a folder that cannot be written.
    """

    def __init__(self, folder: Path, data: Mnist, plan: Plan, quantize: Quantize, storage: str | None = None) -> None:
        self._folder, self._data, self._plan, self._quantize, self._storage = folder, data, plan, quantize, storage
        try:
            (folder / "models").mkdir(parents=True, exist_ok=True)
            identity = folder / "id"  # tells trials of this folder from those of other machines
            if not identity.exists():
                with replacing(identity) as beside:
                    beside.write_text(uuid.uuid4().hex)
            self._id = identity.read_text()
            with self._alone():
                self._study = self._begun()
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror or error}); give another --out") from error

    def _begun(self) -> optuna.Study:
        """The study, made with its plan and, for a grid, all its points in the queue, where it is not there yet."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            with silenced():  # Optuna warns that parts of it are experimental
                sampler = optuna.samplers.TPESampler(multivariate=True, constraints_func=_missing)
                study = optuna.create_study(
                    study_name=_NAME,
                    storage=_opened(self._folder, self._storage),
                    sampler=sampler,
                    directions=["maximize", "minimize", "minimize"],
                    load_if_exists=True,
                )
                begun = study.user_attrs
        except (ValueError, KeyError, AssertionError) as error:
            if self._storage is None:
                raise InputError(f"{self._folder / 'journal.log'}: is damaged; give another --out") from error
            raise UsageError(f"{self._storage}: is no storage that Optuna knows ({error})") from error
        except OSError:
            raise
        except Exception as error:  # databases' and gRPC's own
            reason = str(error).strip().splitlines()[0][:200]
            raise UsageError(
                f"{self._storage}: cannot be reached ({reason}); start it, or correct --storage"
            ) from error
        if "plan" not in begun:
            if self._plan.sampler == "grid":
                for params in _grid(self._plan.space):
                    study.enqueue_trial(params)
            study.set_user_attr("data", self._data.digest)
            study.set_user_attr("plan", asdict(self._plan))  # last: a kill before leaves a study that is begun anew
        elif begun["plan"] != asdict(self._plan):
            was = " ".join(f"--{name} {value}" for name, value in begun["plan"].items())
            raise UsageError(f"{self._folder}: was begun with {was}; go on with the same, or give another --out")
        elif begun["data"] != self._data.digest:
            raise InputError(f"{self._folder}: was begun with other data; give the same --data, or another --out")
        return study

    def run(self, trials: int, jobs: int = 1, report: Callable[[str], None] = lambda _: None) -> None:
        """Goes on until that many trials are over, pruned ones among them, in that many processes.

        report: is told a line after each trial; with several jobs it must be a function that can be pickled. A process
        that dies is replaced, and its trial taken up again. KeyboardInterrupt passes.
        """
        if trials < 1 or jobs < 1:
            raise UsageError("trials and jobs must be 1 or more")
        if jobs == 1:
            self.work(trials, report)
            return
        context = multiprocessing.get_context("spawn")
        failures = context.SimpleQueue()
        task = (self._folder, self._data, self._plan, self._quantize, self._storage, trials, report, failures)

        def started() -> Any:
            process = context.Process(target=_work, args=task, daemon=True)
            process.start()
            return process

        working = [started() for _ in range(jobs)]
        while working:
            ended = wait([process.sentinel for process in working])
            for process in [one for one in working if one.sentinel in ended]:
                process.join()
                working.remove(process)
                if not failures.empty():
                    for other in working:
                        other.terminate()
                    raise failures.get()
                if process.exitcode:
                    report("a process died; its trial is taken up again")
                    working.append(started())

    def work(self, trials: int, report: Callable[[str], None] = lambda _: None) -> None:
        """One process's part of `run`. Raises OutputError where a file cannot be written."""
        try:
            while True:
                with self._asked(trials) as trial:
                    if trial is None:
                        return
                    report(self._tried(trial))
        except OSError as error:
            raise OutputError(f"{self._folder}: cannot be written ({error.strerror or error}); then go on") from error

    @contextmanager
    def _asked(self, trials: int) -> Iterator[optuna.Trial | None]:
        """A trial that is locked for this process, or None where there are enough; first those of dead processes."""
        with self._alone():
            self._take_up()
            every = self._study.get_trials(deepcopy=False)
            counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
            waiting = any(trial.state == TrialState.WAITING for trial in every)
            enough = sum(trial.state in counted for trial in every) >= trials
            if enough or (self._plan.sampler == "grid" and not waiting):
                trial, lock = None, None
            else:
                trial = self._study.ask()
                lock = self._lock(trial.number)
                trial.set_user_attr("folder", self._id)
        try:
            yield trial
        finally:
            if trial is not None and lock is not None:
                lock.close()
                (self._folder / f"trial-{trial.number}.lock").unlink(missing_ok=True)

    def _take_up(self) -> None:
        """Ends running trials of this folder whose process is dead, and queues the same again, TRIES times at most."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # one without a mark was killed while it was asked for, which nobody else does just now
            if trial.user_attrs.get("folder", None if self._storage else self._id) != self._id:
                continue
            with suppress(BlockingIOError):
                self._lock(trial.number).close()
                (self._folder / f"trial-{trial.number}.lock").unlink()
                self._study.tell(trial.number, state=TrialState.FAIL)
                tries = trial.user_attrs.get("tries", 1)
                if tries < TRIES and trial.params:
                    attributes = {"tries": tries + 1, "again": trial.number}
                    self._study.enqueue_trial(trial.params, user_attrs=attributes)

    def _lock(self, number: int) -> IO[str]:
        """The trial's lock, taken. Raises BlockingIOError where another process has it."""
        file = (self._folder / f"trial-{number}.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise
        return file

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time; the lock ends with the process, however that ends."""
        with (self._folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _tried(self, trial: optuna.Trial) -> str:
        """Trains, measures and tells; returns a line for people. Raises OSError where a file cannot be written."""
        params = {name: trial.suggest_categorical(name, values) for name, values in SPACES[self._plan.space].items()}
        candidate = Candidate.of(params)
        began = time.perf_counter()
        accuracies: list[float] = []

        def watch(network: keras.Sequential, row: Row) -> None:
            accuracies.append(row["val_accuracy"])
            cost = (network.count_params(), multiply_accumulates(network))
            if len(accuracies) < self._plan.epochs and self._hopeless(accuracies, cost):
                raise optuna.TrialPruned

        with silenced():
            try:
                network = candidate.trained(self._data, self._plan.epochs, trial.number, watch)
            except optuna.TrialPruned:
                trial.set_user_attr("history", accuracies)
                trial.set_user_attr("seconds", round(time.perf_counter() - began, 1))
                self._study.tell(trial, state=TrialState.PRUNED)
                return f"trial {trial.number}: pruned after {len(accuracies)} epochs"
            bare = build_network(candidate.network)
            bare.set_weights(network.get_weights())
            model = self._folder / "models" / f"{trial.number}.keras"
            with replacing(model) as beside:
                bare.save(beside)
            with TemporaryDirectory() as folder:
                file = self._quantize(model, Path(folder), self._data)
                accuracy, size = _held_out(file, self._data), file.stat().st_size
            products = multiply_accumulates(network)
            for name, value in {
                "history": accuracies,
                "weights": network.count_params(),
                "seconds": round(time.perf_counter() - began, 1),
            }.items():
                trial.set_user_attr(name, value)
            self._study.tell(trial, [accuracy, size, products])
        return f"trial {trial.number}: {accuracy:.2%} held out, {size / 1000:.0f} KB, {products / 1e6:.2f} M products"

    def _hopeless(self, accuracies: Sequence[float], cost: tuple[int, int]) -> bool:
        """Whether PRUNERS finished trials that cost no more were better after as many epochs."""
        better = 0
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            dearer = trial.user_attrs["weights"] > cost[0] or trial.values[2] > cost[1]
            if not dearer and trial.user_attrs["history"][len(accuracies) - 1] > accuracies[-1]:
                better += 1
        return better >= PRUNERS

    def results(self) -> dict[str, Any]:
        """All that is there, as one JSON-ready value."""
        return _results(self._study)


def _missing(trial: FrozenTrial) -> tuple[float]:
    """By how much the candidate's accuracy, as far as it was trained, misses LEAST; 0 or less where it does not."""
    return (LEAST - trial.user_attrs["history"][-1],)


def read_results(folder: Path) -> dict[str, Any]:
    """What Search.results returns, of a folder with a journal. Raises InputError for a damaged one."""
    try:
        with silenced():
            return _results(optuna.load_study(study_name=_NAME, storage=_opened(folder, None)))
    except (ValueError, KeyError, AssertionError) as error:
        raise InputError(f"{folder / 'journal.log'}: is damaged, or holds no search") from error


def _results(study: optuna.Study) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "plan": study.user_attrs["plan"],
        "data": {"digest": study.user_attrs["data"]},
        "trials": [_told(trial) for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()],
    }


def _told(trial: FrozenTrial) -> dict[str, Any]:
    told = {"number": trial.number, "state": trial.state.name.lower(), "params": trial.params}
    kept = ("history", "weights", "seconds", "again")
    told |= {name: value for name, value in trial.user_attrs.items() if name in kept}
    if trial.state == TrialState.COMPLETE:
        told |= dict(zip(("accuracy", "bytes", "multiply_accumulates"), trial.values, strict=True))
    return told


def _opened(folder: Path, storage: str | None) -> Any:
    """Optuna's storage. A journal whose last line was cut off, as on a full disk, loses that line."""
    if storage is None:
        path = folder / "journal.log"
        lock = JournalFileSymlinkLock(str(path))
        lock.acquire()
        try:
            content = path.read_bytes() if path.exists() else b""
            if content and not content.endswith(b"\n"):
                with path.open("r+b") as file:
                    file.truncate(content.rfind(b"\n") + 1)
        finally:
            lock.release()
        return JournalStorage(JournalFileBackend(str(path), lock))
    if storage.startswith("grpc://"):
        host, _, port = storage.removeprefix("grpc://").rstrip("/").rpartition(":")
        return optuna.storages.GrpcStorageProxy(host=host, port=int(port))
    return optuna.storages.RDBStorage(storage)


def _grid(name: str) -> list[dict[str, Any]]:
    """Every point of that space, in an order that is random and always the same: a part of it is a fair sample."""
    space = SPACES[name]
    points = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    random.Random(0).shuffle(points)
    return points


def _held_out(file: Path, data: Mnist) -> float:
    """The accuracy of an int8 file on the held-out images."""
    _, held = split(data)
    answers = Classifier(file).predict(scale(data.train_images[held])).argmax(axis=1)
    return float((answers == data.train_labels[held]).mean())


def _work(
    folder: Path,
    data: Mnist,
    plan: Plan,
    quantize: Quantize,
    storage: str | None,
    trials: int,
    report: Callable[[str], None],
    failures: Any,
) -> None:
    """A process of Search.run."""
    begin()
    try:
        Search(folder, data, plan, quantize, storage).work(trials, report)
    except DigitocrError as error:
        failures.put(error)


def front(trials: Sequence[Mapping[str, Any]], *costs: str) -> list[Any]:
    """The finished trials of `results` that no other one equals or beats in accuracy and all costs at once, and beats
    in one of them; the smallest file first. costs: by default bytes and multiply_accumulates.
    """
    done = [trial for trial in trials if trial["state"] == "complete"]
    names = costs or ("bytes", "multiply_accumulates")
    kept = pareto([(-trial["accuracy"], *(trial[name] for name in names)) for trial in done])
    return sorted((done[index] for index in kept), key=lambda trial: (trial["bytes"], trial["accuracy"]))


def pareto(points: Sequence[tuple[float, ...]]) -> list[int]:
    """Indices of the points that no other one is at least as small as in every coordinate, and smaller in one."""
    array = np.array(points, float)
    dominated = [bool(((array <= point).all(axis=1) & (array < point).any(axis=1)).any()) for point in array]
    return [index for index, worse in enumerate(dominated) if not worse]
