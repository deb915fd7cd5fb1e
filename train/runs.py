"""The folder of a training run, the same for all networks: begun, kept epoch by epoch, resumed, finished.

    run = begin(folder, Settings(seed=1), data)     # run.json
    run.keep(row, bare, network)                    # history.csv, the model, checkpoint.keras
    run.finish()                                    # `ended` in run.json; the checkpoint is removed

    run = resume(folder, Settings, data)            # after Ctrl-C or a kill

    run.json          kind, command, settings, fonts, data, versions, times; `ended` is null until the run is finished
    split.csv         of own data: each picture with its label, its group, and whether it is to train or test with
    history.csv       one row per epoch
    model.keras       the network after the last full epoch, without optimizer state; detector.keras for the detector
    checkpoint.keras  the same with optimizer state, to resume from; removed at the end

Every file is written whole (runtime/files.py), in this order. The step count in the checkpoint says which epochs are
done: after a kill, history and model can be one epoch ahead of it, and the next `keep` overwrites them.
"""

import csv
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, Field, asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, get_type_hints

import numpy as np

from digitocr import __version__
from digitocr.runtime.errors import InputError, ModelError, OutputError, UsageError
from digitocr.runtime.files import read_json, remove_abandoned, replacing
from digitocr.runtime.schemas import fits
from digitocr.train.data import Mnist, split
from digitocr.train.idx import TRAIN

RUN_SCHEMA = "digitocr-run/1"  # of run.json
RUN_KINDS = ("classifier", "detector", "recognizer", "adapt")  # of networks that a run trains, or all of them
RECORD = "run.json"  # of the whole run
HISTORY = "history.csv"  # one row per epoch
SPLIT = "split.csv"  # which pictures of own data are to train with, held out, and to test with
ADAPTED = "adapt.json"  # what was read before own pictures were taught, and after
CHECKPOINT = "checkpoint.keras"  # to resume from
RECORD_FORM = {  # of run.json
    "kind": set(RUN_KINDS),
    "command": str,
    "settings": dict,
    "fonts": [str],
    "data": dict,
    "resumed": [str],
    "ended": (str, type(None)),
}

Row: TypeAlias = dict[str, float]  # one epoch of history.csv; the first column is `epoch`, from 1


class RunSettings(Protocol):
    """A frozen dataclass of what a run depends on besides the data.

    Attributes:
        kind: One of RUN_KINDS, as in run.json.
        model_file: Name of the file of the trained network.
        epochs: Number of epochs of the whole run.
        command: Command line that repeats the run.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    kind: ClassVar[str]
    model_file: ClassVar[str]

    @property
    def epochs(self) -> int: ...

    @property
    def command(self) -> str: ...

    def font_files(self) -> list[Path]:
        """The fonts that scenes are drawn with; empty if the run draws none. Raises InputError."""


S = TypeVar("S", bound=RunSettings)


@dataclass(eq=False)
class Run(Generic[S]):
    """The folder of a run that is in progress.

    Attributes:
        folder: Where the files are.
        settings: What the run was begun with.
        fonts: The fonts that scenes are drawn with.
        record: Content of run.json.
    """

    folder: Path
    settings: S
    fonts: list[Path]
    record: dict[str, Any]

    def checkpoint(self, **objects: Any) -> Any:
        """The compiled network of the last full epoch, with optimizer state; None if no epoch is full.

        objects: custom objects that Keras needs to load it. Raises ModelError if the file cannot be loaded.
        """
        path = self.folder / CHECKPOINT
        if not path.exists():
            return None
        import keras

        try:
            return keras.saving.load_model(path, custom_objects=objects)
        except Exception as error:  # Keras promises no particular one
            raise ModelError(f"{path}: cannot be loaded; delete it to start this run from its first epoch") from error

    def keep(self, row: Row, bare: Any, network: Any) -> None:
        """Writes the result of an epoch.

        Args:
            row: The epoch's row of history.csv; it replaces rows of this epoch and later ones.
            bare: The Keras model without optimizer state, the result so far.
            network: The compiled Keras model to resume from.

        Raises:
            OutputError: A file cannot be written.
        """
        history = self.folder / HISTORY
        with self._writable():
            rows = history.read_text("utf-8").splitlines()[1 : int(row["epoch"])] if history.exists() else []
            rows.append(",".join(f"{value:.6f}" if isinstance(value, float) else str(value) for value in row.values()))
        with self.writing(HISTORY) as path:
            path.write_text("\n".join([",".join(row), *rows]) + "\n", "utf-8")
        with self.writing(self.settings.model_file) as path:
            bare.save(path)
        with self.writing(CHECKPOINT) as path:
            network.save(path)

    def finish(self) -> Row:
        """Closes the run and removes the checkpoint; returns the last row of the history.

        Raises OutputError, and InputError if the history is damaged.
        """
        history = read_history(self.folder / HISTORY)
        self.record["ended"] = now()
        self.record["seconds"] = round(sum(row["seconds"] for row in history), 1)
        self.write_json(RECORD, self.record)
        with self._writable():
            (self.folder / CHECKPOINT).unlink()
        return history[-1]

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Writes a JSON file of the run. Raises OutputError."""
        with self._writable():
            write_json(self.folder / name, content)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Yields a path to write the file of that name to, as files.replacing does. Raises OutputError."""
        with self._writable(), replacing(self.folder / name) as path:
            yield path

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or error
            again = f"continue with: {resume_command(self.folder, self.record['data'].get('source'))}"
            if self.settings.kind == "adapt":
                again = "adapt again in a new folder"
            raise OutputError(f"{self.folder}: cannot be written ({why}); when it can be, {again}") from error


def begin(folder: Path, settings: S, data: Mnist, with_versions: bool = True) -> Run[S]:
    """Makes the folder of a new run, with run.json in it.

    Args:
        folder: The folder, which must not exist, or be empty.
        settings: The settings of the run.
        data: The data to train with.
        with_versions: Whether to record the versions at once, which imports Keras; False where that has to wait.

    Raises:
        OutputError: The folder exists or cannot be written.
        InputError: The fonts cannot be used; no folder is made.
    """
    fonts = settings.font_files()
    record: dict[str, Any] = {
        "schema": RUN_SCHEMA,
        "kind": settings.kind,
        "command": settings.command + (f" --data {shlex.quote(data.origin.source)}" if data.origin else ""),
        "settings": asdict(settings),
        "fonts": [font.name for font in fonts],
        "data": data_card(data),
        "versions": versions() if with_versions else {},
        "started": now(),
        "resumed": [],
        "ended": None,
        "seconds": None,
    }
    try:
        with suppress(OSError):  # a run that was killed as it began leaves nothing else
            if all(path.name.startswith(f".{Path(RECORD).stem}.") for path in folder.iterdir()):
                remove_abandoned(folder, alone=True)
                folder.rmdir()
        folder.mkdir(parents=True)
        write_json(folder / RECORD, record)
        if data.origin:
            _write_split(folder / SPLIT, data)
    except FileExistsError as error:
        resumed = "" if settings.kind == "adapt" else ", or continue it with --resume"
        raise OutputError(f"{folder}: exists already; name another folder{resumed}") from error
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    return Run(folder, settings, fonts, record)


def resume(folder: Path, settings: type[S], data: Mnist) -> Run[S]:
    """The run in a folder, to be continued from its last full epoch; notes the time in run.json.

    Args:
        folder: The folder of the run.
        settings: The class of the settings of that kind of run.
        data: The data that the run was begun with.

    Raises:
        UsageError: The folder holds no run, one of the other kind, or a finished one.
        InputError: run.json is damaged, or data or fonts differ from those that the run was begun with.
        OutputError: The folder cannot be written.
    """
    record = read_record(folder)
    if record["kind"] != settings.kind:
        raise UsageError(f"{folder}: holds a run of a {record['kind']}, not of a {settings.kind}")
    types, known = get_type_hints(settings), record["settings"]
    # a setting that is newer than the run has its default, which is what was done before
    named = [field for field in fields(settings) if field.name in known or field.default is MISSING]
    form = {field.name: types[field.name] for field in named}
    if not fits(known, form) or known.keys() != form.keys():
        raise _damaged(folder)
    begun = settings(**known)
    ended, font_names, card = record["ended"], record["fonts"], record["data"]
    record["resumed"].append(now())
    remove_abandoned(folder, alone=True)
    if ended is not None:
        with suppress(OSError):  # it was killed in between
            (folder / CHECKPOINT).unlink(missing_ok=True)
        raise UsageError(f"{folder}: is finished, {begun.epochs} epochs; start a new run without --resume")
    fonts = begun.font_files()
    if not is_of(card, data) or font_names != [font.name for font in fonts]:
        command = resume_command(folder, card.get("source"))
        raise InputError(f"{folder}: was begun with other data or fonts; give the same ones, by: {command}")
    run = Run(folder, begun, fonts, record)
    run.write_json(RECORD, record)
    if data.origin and not (folder / SPLIT).exists():  # it was killed as it began
        with run._writable():
            _write_split(folder / SPLIT, data)
    return run


def read_record(folder: Path) -> dict[str, Any]:
    """The content of a folder's run.json; its `kind` is one of RUN_KINDS.

    Raises UsageError if there is no run in the folder, InputError if run.json is damaged.
    """
    try:
        record: dict[str, Any] = read_json(folder / RECORD)
    except OSError as error:
        raise UsageError(f"{folder}: no run in it ({RECORD}: {error.strerror}); start one without --resume") from error
    except ValueError as error:
        raise _damaged(folder) from error
    if not fits(record, RECORD_FORM):
        raise _damaged(folder)
    return record


def _damaged(folder: Path) -> InputError:
    return InputError(f"{folder / RECORD}: is damaged; start a new run without --resume")


def read_history(path: Path) -> list[Row]:
    """The rows of a history.csv, at least one. Raises InputError if it is missing, damaged or empty."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: is missing or damaged; train again") from error
    if not rows:
        raise InputError(f"{path}: is empty; train again")
    return rows


def train_command(options: Mapping[str, Any]) -> str:
    """The command line of `digitocr train` with these options, quoted for a shell; empty strings are left out.

    >>> train_command({"recipe": "robust", "batch_size": 64, "fonts": "/my fonts"})
    "digitocr train --recipe robust --batch-size 64 --fonts '/my fonts'"
    """
    words = [
        word for name, value in options.items() if value != "" for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    return shlex.join(["digitocr", "train", *words])


def resume_command(folder: Path, source: object = None) -> str:
    """The command line that continues the run in a folder, quoted for a shell. source: what --data named, if anything.

    >>> resume_command(Path("my run"), "labels.csv")
    "digitocr train --resume 'my run' --data labels.csv"
    """
    words = ["--resume", folder, *(["--data", source] if source else [])]
    return shlex.join(["digitocr", "train", *map(str, words)])


def data_card(data: Mnist) -> dict[str, Any]:
    """The data of a training as its record describes it: digest and numbers of images; of own data also their source.

    own data: "source", "split" (how training and test were told apart) and "others" (images without a digit, to train
    with).
    """
    training, held = split(data)
    card = {"digest": data.digest, "training": len(training), "held_out": len(held), "test": len(data.test_labels)}
    if data.origin is None:
        return card
    return {
        **card,
        "source": data.origin.source,
        "split": data.origin.split,
        "others": len(data.train_others),
    }


def is_of(card: Mapping[str, Any], data: Mnist) -> bool:
    """Whether a record's data_card is that of these data, by whatever name: that depends on where one works."""
    called = {"source": card["source"]} if "source" in card else {}
    return card == {**data_card(data), **called}


def _write_split(path: Path, data: Mnist) -> None:
    """Writes what each picture of own data is for. Raises OSError."""
    held = set(split(data)[1].tolist())
    with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("file", "label", "group", "part"))
        for number, (name, label, group, part) in enumerate(data.origin.rows if data.origin else ()):
            is_held = part == TRAIN and number in held  # the training images come first
            lines.writerow((name, label, group, "held out" if is_held else part))


def versions() -> dict[str, str]:
    """Versions of what a training depends on: digitocr, Python, Keras, Keras's backend, NumPy."""
    import keras

    backend = keras.config.backend()
    return {
        "digitocr": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: sys.modules[backend].__version__,
        "numpy": np.__version__,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file whole. Raises OSError."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def now() -> str:
    """The time in UTC, as ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
