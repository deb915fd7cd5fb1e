"""A search for networks that are accurate, small and fast at once: what `digitocr search` runs, with Optuna.

    search = Search(Path("runs/search"), load_mnist(), SearchPlan(space="paper", sampler="tpe", epochs=6), int8_file)
    search.run(trials=100, jobs=2)
    search.results()["trials"]

Three objectives: the accuracy of the int8 file on held-out training images, the size of that file in bytes, and the
multiply-accumulates of one digit. The test images are not used. Candidates are drawn by Optuna's TPE (J. Bergstra et
al., "Algorithms for Hyper-Parameter Optimization", 2011), or are all points of the grid in a random order.

The folder:

    journal.log          Optuna's journal of all trials; any number of processes append to it
    journal.lock         held by the process that reads or writes it; the system releases it when that process dies
    id                   tells the trials of this folder from those of other machines that share a storage
    lock                 held while a process asks for a trial
    models/12.keras      the network of a finished trial, for digitocr export
    trial-12.lock        held by the process that works on the trial; the system releases it when that process dies

With a storage (the URL of a database, or the address of Optuna's gRPC proxy) the trials are kept there instead of in
the journal, and several machines, each with a folder, share the search. Before a process asks for a trial, it looks in
its folder for trials whose process is dead, and queues their parameters again.

A trial is pruned when it cannot be expected to reach the Pareto front (front.hopeless). The smallest networks are on
the front however inaccurate they are. TPE therefore has MIN_ACCURACY on the held-out images as a constraint: candidates
that meet it compete in all three objectives, the others in how much they miss it by.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from digitocr.runtime.errors import DigitocrError, InputError, OutputError, UsageError
from digitocr.runtime.files import remove_abandoned, replacing
from digitocr.train.data import Mnist
from digitocr.train.keras_backend import keras_needed
from digitocr.train.paper.schemas import fits_results
from digitocr.train.quiet import silenced
from digitocr.train.search.front import hopeless
from digitocr.train.search.space import SPACES, SearchPlan, grid
from digitocr.train.search.workers import run_workers

with keras_needed("search", "a search"):
    import filelock
    import keras
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage
    from optuna.trial import FrozenTrial, TrialState

    from digitocr.train.classifier.loop import Row
    from digitocr.train.classifier.network import build_network, multiply_accumulates
    from digitocr.train.paper.study import Quantize
    from digitocr.train.search.candidate import TrialNetwork, held_out_accuracy

SEARCH_SCHEMA = "digitocr-search/1"  # of results.json
STUDY_NAME = "digitocr"  # of the study in Optuna's storage
MIN_ACCURACY = 0.99  # of the held-out images, that TPE treats as a constraint
# what Optuna raises on a damaged journal
DAMAGED = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
OWN_NAMES = {"models", "lock", "id", "journal.log", "journal.lock"}  # what a search begins with in its folder
MAX_REASON = 200  # characters of an error of a storage that are shown
MAX_TRIES = 3  # processes that may die during the same trial before it is given up


class Search:
    """A search in a folder, which is made if it is not there, and resumed if it holds the same search.

    Args:
        folder: Holds the search's networks and, without a storage, its trials.
        data: Trained with; its test images are not used.
        plan: What all trials share.
        quantize: Makes the int8 file of a .keras file in a folder and returns its path.
        storage: None for a journal in the folder; grpc://HOST:PORT of Optuna's proxy; or the URL of a database in
            SQLAlchemy's form.

    Raises:
        UsageError: The search has another plan, or the storage cannot be reached.
        InputError: The search is of other data, or its journal is damaged.
        OutputError: The folder cannot be written, or holds something else.
    """

    def __init__(
        self, folder: Path, data: Mnist, plan: SearchPlan, quantize: Quantize, storage: str | None = None
    ) -> None:
        self._folder, self._data, self._plan, self._quantize, self._storage = folder, data, plan, quantize, storage
        try:
            self._refuse_folder_of_others()
            (folder / "models").mkdir(parents=True, exist_ok=True)
            with self._locked():
                identity = folder / "id"
                if not identity.exists():
                    with replacing(identity) as beside:
                        beside.write_text(uuid.uuid4().hex, "utf-8")
                self._id = identity.read_text("utf-8")
                self._study = self._open_study()
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror or error}); give another --out") from error

    def _refuse_folder_of_others(self) -> None:
        """Raises OutputError where the folder holds something else: a study's results would be written over."""
        if not self._folder.exists() or (self._folder / "id").exists():
            return
        names = {path.name for path in self._folder.iterdir() if not path.name.startswith(".")}
        if names - OWN_NAMES:
            raise OutputError(f"{self._folder}: is not empty and holds no search; give another --out")

    def _open_study(self) -> optuna.Study:
        """The study in the storage; a new one gets the plan and, for a grid, all points in its queue."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self._storage_errors():
            with silenced():  # Optuna warns that it uses experimental features
                sampler = optuna.samplers.TPESampler(multivariate=True, constraints_func=accuracy_constraint)
                study = optuna.create_study(
                    study_name=STUDY_NAME,
                    storage=open_storage(self._folder, self._storage),
                    sampler=sampler,
                    directions=["maximize", "minimize", "minimize"],
                    load_if_exists=True,
                )
            begun = study.user_attrs
            if "plan" not in begun:
                if self._plan.sampler == "grid":
                    queued = [one.system_attrs.get("fixed_params") for one in study.get_trials(deepcopy=False)]
                    for params in grid(self._plan.space):
                        if params not in queued:  # by a process that was killed before it had set the plan
                            study.enqueue_trial(params)
                study.set_user_attr("data", self._data.digest)
                study.set_user_attr("plan", asdict(self._plan))  # last: a study without a plan is begun anew
            elif begun["plan"] != asdict(self._plan):
                options = " ".join(f"--{name} {value}" for name, value in begun["plan"].items())
                raise UsageError(
                    f"{self._folder}: holds a search with {options}; give the same options, or another --out"
                )
            elif begun["data"] != self._data.digest:
                raise InputError(
                    f"{self._folder}: holds a search of other data; give the same --data, or another --out"
                )
        return study

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        """Turns what Optuna's storages raise into DigitocrErrors. OSError, of a full disk, passes."""
        try:
            yield
        except (DigitocrError, OSError):
            raise
        except DAMAGED as error:
            if self._storage is None:
                raise InputError(f"{self._folder / 'journal.log'}: is damaged; give another --out") from error
            raise UsageError(f"{self._storage}: is no storage that Optuna knows ({error})") from error
        except Exception as error:  # the database drivers and gRPC have their own
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:MAX_REASON]
            raise UsageError(
                f"{self._storage or self._folder}: cannot be reached ({reason}); start it, or correct --storage"
            ) from error

    def run(self, trials: int, jobs: int = 1, report: Callable[[str], None] = lambda _: None) -> None:
        """Continues until that many trials are finished, pruned ones included.

        Args:
            trials: Finished trials of the whole search, earlier ones included.
            jobs: Processes that work at the same time. One that dies is replaced, and its trial repeated.
            report: Called with a line after each trial; with several jobs it must be possible to pickle it.

        Raises:
            OutputError: A file cannot be written.
            UsageError: The storage cannot be reached.
            DigitocrError: Processes die one after the other and no trial is finished.
        """
        if trials < 1 or jobs < 1:
            raise UsageError("trials and jobs must be 1 or more")
        if jobs == 1:
            self.work(trials, report)
            return
        work = partial(_work, self._folder, self._data, self._plan, self._quantize, self._storage, trials, report)
        run_workers(work, jobs, report)

    def work(
        self, trials: int, report: Callable[[str], None] = lambda _: None, progress: Callable[[], None] = lambda: None
    ) -> None:
        """The part of `run` that one process does. progress: is called after each trial, before `report`."""
        try:
            while True:
                with self._next_trial(trials) as trial:
                    if trial is None:
                        return
                    line = self._try(trial)
                    progress()
                    report(line)
        except OSError as error:
            raise OutputError(
                f"{self._folder}: cannot be written ({error.strerror or error}); make room and resume"
            ) from error

    @contextmanager
    def _next_trial(self, trials: int) -> Iterator[optuna.Trial | None]:
        """A trial, locked for this process; None where no more are needed. Trials of dead processes come first."""
        trial, lock = None, None
        with self._locked(), self._storage_errors():
            self.requeue_lost_trials()
            every = self._study.get_trials(deepcopy=False)
            counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
            waiting = any(one.state == TrialState.WAITING for one in every)
            enough = sum(one.state in counted for one in every) >= trials
            if not enough and (waiting or self._plan.sampler != "grid"):
                trial = self._study.ask()
                lock = self._trial_lock(trial.number)
                trial.set_user_attr("folder", self._id)
        try:
            yield trial
        finally:
            if lock is not None:
                lock.release()
                Path(lock.lock_file).unlink(missing_ok=True)

    def requeue_lost_trials(self) -> None:
        """Ends the running trials of this folder whose process is dead, and queues their parameters again.

        A trial during which MAX_TRIES processes have died is not queued again.
        """
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # A trial without the mark was killed while it was asked for, which only one process can do at a time.
            if trial.user_attrs.get("folder", None if self._storage else self._id) != self._id:
                continue
            with suppress(filelock.Timeout):
                lock = self._trial_lock(trial.number)
                lock.release()
                Path(lock.lock_file).unlink(missing_ok=True)
                every = self._study.get_trials(deepcopy=False)
                if every[trial.number].state != TrialState.RUNNING:  # it was finished after the list was made
                    continue
                models = self._folder / "models"  # it had no result, so its network is none
                (models / f"{trial.number}.keras").unlink(missing_ok=True)
                remove_abandoned(models, alone=True, name=str(trial.number))
                tries = trial.user_attrs.get("tries", 1)
                params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}  # of a grid's, all are fixed
                is_queued = any(one.user_attrs.get("again") == trial.number for one in every)
                if tries < MAX_TRIES and params and not is_queued:
                    attributes = {"tries": tries + 1, "again": trial.number}
                    self._study.enqueue_trial(params, user_attrs=attributes)
                self._study.tell(trial.number, state=TrialState.FAIL)  # last: what is killed before is looked at again

    def _trial_lock(self, number: int) -> filelock.BaseFileLock:
        """The lock of a trial, acquired. Raises filelock.Timeout where another process holds it."""
        lock = filelock.FileLock(self._folder / f"trial-{number}.lock")
        lock.acquire(timeout=0)
        return lock

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lets one process of this folder in at a time. The system releases the lock if that process dies."""
        with filelock.FileLock(self._folder / "lock"):
            yield

    def _try(self, trial: optuna.Trial) -> str:
        """Trains, measures and records a trial; returns a line of progress. Raises OSError where a file is refused."""
        space = SPACES[self._plan.space]
        with self._storage_errors():
            params = {name: trial.suggest_categorical(name, values) for name, values in space.items()}
        candidate = TrialNetwork.of(params)
        began = time.perf_counter()
        accuracies: list[float] = []

        def watch(network: keras.Sequential, row: Row) -> None:
            accuracies.append(row["val_accuracy"])
            if len(accuracies) < self._plan.epochs:
                with self._storage_errors():
                    others = self.results()["trials"]
                if hopeless(others, accuracies, network.count_params(), multiply_accumulates(network)):
                    raise optuna.TrialPruned

        with silenced():
            try:
                network = candidate.train(self._data, self._plan.epochs, trial.number, watch)
            except optuna.TrialPruned:
                self._finish(trial, None, began, history=accuracies)
                return f"trial {trial.number}: pruned after {len(accuracies)} epochs"
            bare = build_network(candidate.network)  # Keras cannot leave out the optimizer's state when it saves
            bare.set_weights(network.get_weights())
            model = self._folder / "models" / f"{trial.number}.keras"
            with replacing(model) as beside:
                bare.save(beside)
            with TemporaryDirectory() as folder:
                file = self._quantize(model, Path(folder), self._data)
                accuracy, size = held_out_accuracy(file, self._data), file.stat().st_size
            products = multiply_accumulates(network)
            objectives = [accuracy, size, products]
            self._finish(trial, objectives, began, history=accuracies, weights=network.count_params())
        return (
            f"trial {trial.number}: {accuracy:.2%} held out, {size / 1000:.0f} KB, "
            f"{products / 1e6:.2f} M multiply-accumulates"
        )

    def _finish(self, trial: optuna.Trial, objectives: list[float] | None, began: float, **attributes: Any) -> None:
        """Records a trial as complete, or without objectives as pruned."""
        with self._storage_errors():
            for name, value in attributes.items():
                trial.set_user_attr(name, value)
            trial.set_user_attr("seconds", round(time.perf_counter() - began, 1))
            self._study.tell(trial, objectives, TrialState.PRUNED if objectives is None else TrialState.COMPLETE)

    def results(self) -> dict[str, Any]:
        """The plan, the digest of the data and all finished trials, as one value that fits into JSON."""
        return _results(self._study)


def accuracy_constraint(trial: FrozenTrial) -> tuple[float]:
    """Optuna's constraint: MIN_ACCURACY minus the last held-out accuracy of a trial; above 0 it is violated."""
    return (MIN_ACCURACY - trial.user_attrs["history"][-1],)


def read_results(folder: Path) -> dict[str, Any]:
    """What Search.results returns, for a folder with a journal. Raises InputError where the journal is damaged."""
    try:
        with silenced():
            results = _results(optuna.load_study(study_name=STUDY_NAME, storage=open_storage(folder)))
        if not fits_results(results):
            raise ValueError
    except DAMAGED as error:
        raise InputError(f"{folder / 'journal.log'}: is damaged, or holds no search") from error
    return results


def _results(study: optuna.Study) -> dict[str, Any]:
    return {
        "schema": SEARCH_SCHEMA,
        "plan": study.user_attrs["plan"],
        "data": {"digest": study.user_attrs["data"]},
        "trials": [_record(trial) for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()],
    }


def _record(trial: FrozenTrial) -> dict[str, Any]:
    record = {"number": trial.number, "state": trial.state.name.lower(), "params": trial.params}
    kept = ("history", "weights", "seconds", "again")
    record |= {name: value for name, value in trial.user_attrs.items() if name in kept}
    if trial.state == TrialState.COMPLETE:
        record |= dict(zip(("accuracy", "bytes", "multiply_accumulates"), trial.values, strict=True))
    return record


def open_storage(folder: Path, storage: str | None = None) -> Any:
    """Optuna's storage: the journal in the folder, or the one that is given (as to Search).

    A last line of the journal that was cut off, as by a full disk, is removed.
    """
    if storage is None:
        path = folder / "journal.log"
        # Optuna's own locks outlive a process that is killed, and without a journal, or with a relative path, for ever
        lock: Any = filelock.FileLock(folder / "journal.lock")
        with lock:
            content = path.read_bytes() if path.exists() else b""
            if content and not content.endswith(b"\n"):
                with path.open("r+b") as file:
                    file.truncate(content.rfind(b"\n") + 1)
        return JournalStorage(JournalFileBackend(str(path), lock))
    if storage.startswith("grpc://"):
        host, _, port = storage.removeprefix("grpc://").rstrip("/").rpartition(":")
        return optuna.storages.GrpcStorageProxy(host=host, port=int(port))
    return optuna.storages.RDBStorage(storage)


def _work(
    folder: Path,
    data: Mnist,
    plan: SearchPlan,
    quantize: Quantize,
    storage: str | None,
    trials: int,
    report: Callable[[str], None],
    progress: Callable[[], None],
) -> None:
    """What each process of Search.run does."""
    Search(folder, data, plan, quantize, storage).work(trials, report, progress)
