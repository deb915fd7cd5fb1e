import csv
import json
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.errors import InputError, ModelError, OutputError, UsageError
from digitocr.train import runs
from digitocr.train.data import Mnist, Origin, split
from digitocr.train.runs import Run, begin, read_history, read_record, resume, train_command


def data(count: int = 24, digest: str = "drawn") -> Mnist:
    labels = np.resize(np.arange(2, dtype=np.uint8), count)
    images = np.zeros((count, 28, 28), np.uint8)
    return Mnist(images, labels, images[:5], labels[:5], digest)


@dataclass(frozen=True)
class Settings:
    kind: ClassVar[str] = "classifier"
    model_file: ClassVar[str] = "model.keras"
    fonts_found: ClassVar[list[Path]] = []
    epochs: int = 3
    fonts: str = ""

    @property
    def command(self) -> str:
        return train_command({"epochs": self.epochs, "fonts": self.fonts})

    def font_files(self) -> list[Path]:
        return self.fonts_found


class OtherSettings(Settings):
    kind: ClassVar[str] = "detector"


class Adapting(Settings):
    kind: ClassVar[str] = "adapt"


class Network:
    """In a Keras model's place: it saves its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def save(self, path: Path) -> None:
        assert path.suffix == ".keras"  # Keras takes the format from it
        path.write_text(self.name)


def keep(run: Run[Any], epoch: int, **measures: float) -> None:
    run.keep(
        {"epoch": epoch, **(measures or {"loss": 0.5}), "seconds": 2.25}, Network(f"bare {epoch}"), Network("compiled")
    )


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
    return content


def test_a_run_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    run = begin(folder, Settings(epochs=2), data())
    assert files(folder) == {"run.json"}
    assert record(folder) == run.record
    assert run.record["kind"] == "classifier"
    assert run.record["settings"] == {"epochs": 2, "fonts": ""}
    assert run.record["data"] == {"digest": "drawn", "training": 22, "held_out": 2, "test": 5}
    assert run.record["ended"] is None
    assert {"digitocr", "python", "keras", "numpy"} < set(run.record["versions"])
    for epoch in (1, 2):
        keep(run, epoch, loss=1 / epoch)
        assert files(folder) == {"run.json", "history.csv", "model.keras", "checkpoint.keras"}
        assert (folder / "model.keras").read_text() == f"bare {epoch}"
    assert run.finish() == {"epoch": 2, "loss": 0.5, "seconds": 2.25}
    assert files(folder) == {"run.json", "history.csv", "model.keras"}
    assert (folder / "history.csv").read_text() == "epoch,loss,seconds\n1,1.000000,2.250000\n2,0.500000,2.250000\n"
    assert record(folder)["ended"] >= record(folder)["started"]
    assert record(folder)["seconds"] == 4.5


def test_a_resumed_run_replaces_rows_that_are_ahead_of_its_checkpoint(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", Settings(), data())
    for epoch in (1, 2, 3):
        keep(run, epoch)
    again = resume(tmp_path / "run", Settings, data())
    assert len(record(tmp_path / "run")["resumed"]) == 1
    assert again.settings == run.settings
    with (tmp_path / "run" / "history.csv").open("a") as file:
        file.write("4,0.")  # half a row
    keep(again, 2, loss=0.125)
    assert [row["epoch"] for row in read_history(tmp_path / "run" / "history.csv")] == [1, 2]
    assert read_history(tmp_path / "run" / "history.csv")[1]["loss"] == 0.125


def test_a_folder_that_exists_or_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="exists already; name another folder, or continue it with --resume"):
        begin(tmp_path, Settings(), data())
    assert files(tmp_path) == {"file"}
    with pytest.raises(OutputError, match="cannot be written"):
        begin(tmp_path / "file" / "run", Settings(), data())


def test_what_a_kill_leaves_goes_away_when_the_run_is_begun_again_resumed_or_finished(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()

    def leave(name: str) -> None:
        (folder / name).write_text("half")

    leave(".run.01234567.part.json")  # as it began
    begin(folder, Settings(), data())
    assert files(folder) == {"run.json"}
    leave(".model.01234567.part.keras")
    run = resume(folder, Settings, data())
    assert files(folder) == {"run.json"}
    keep(run, 3)
    run.finish()
    leave("checkpoint.keras")  # between the last two things that it does
    with pytest.raises(UsageError, match="is finished"):
        resume(folder, Settings, data())
    assert files(folder) == {"run.json", "history.csv", "model.keras"}


def test_fonts_are_looked_for_before_a_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: Settings) -> list[Path]:
        raise InputError("no fonts")

    monkeypatch.setattr(Settings, "font_files", none)
    with pytest.raises(InputError, match="no fonts"):
        begin(tmp_path / "run", Settings(), data())
    assert files(tmp_path) == set()


def test_a_full_disk_is_said_with_the_command_to_continue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(tmp_path / "my run", Settings(), data())

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    network = Network("bare")
    monkeypatch.setattr(network, "save", full)
    with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\).*--resume '.*my run'"):
        run.keep({"epoch": 1, "loss": 0.5, "seconds": 1.0}, network, network)
    assert files(tmp_path / "my run") == {"run.json", "history.csv"}  # no file in halves
    (tmp_path / "my run" / "metrics.json").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        run.write_json("metrics.json", {})
    run.record["data"]["source"] = "my labels.csv"
    with pytest.raises(OutputError, match=r"continue with: digitocr train --resume '.*' --data 'my labels\.csv'$"):
        run.write_json("metrics.json", {})
    with pytest.raises(OutputError, match=r"when it can be, adapt again in a new folder$"):  # it cannot be resumed
        Run(run.folder, Adapting(), [], run.record).write_json("metrics.json", {})


def test_a_checkpoint_that_keras_cannot_load_is_said(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", Settings(), data())
    assert run.checkpoint() is None
    keep(run, 1)
    with pytest.raises(ModelError, match=r"checkpoint\.keras: cannot be loaded; delete it"):
        run.checkpoint()


def test_what_cannot_be_resumed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no run in it"):
        resume(tmp_path, Settings, data())
    folder = tmp_path / "run"
    run = begin(folder, Settings(), data())
    with pytest.raises(UsageError, match="holds a run of a classifier, not of a detector"):
        resume(folder, OtherSettings, data())
    for other in (data(digest="other"), data(48)):
        with pytest.raises(InputError, match="other data or fonts"):
            resume(folder, Settings, other)
    with monkeypatch.context() as patch:
        patch.setattr(Settings, "fonts_found", [Path("more.ttf")])
        with pytest.raises(InputError, match="other data or fonts"):
            resume(folder, Settings, data())
    assert record(folder)["resumed"] == []
    keep(run, 3)
    run.finish()
    with pytest.raises(UsageError, match="is finished, 3 epochs"):
        resume(folder, Settings, data())


@pytest.mark.parametrize("content", ["{", "[]", "3", "{}", '{"kind": 1}', '{"kind": "other"}', "\xff", '{"kind": []}'])
def test_a_damaged_record_is_said(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"run\.json: is damaged"):
        read_record(tmp_path)


@pytest.mark.parametrize("name", ["settings", "ended", "fonts", "data", "resumed"])
def test_a_record_that_lacks_something_is_damaged(name: str, tmp_path: Path) -> None:
    begin(tmp_path / "run", Settings(), data())
    content = record(tmp_path / "run")
    del content[name]
    runs.write_json(tmp_path / "run" / "run.json", content)
    with pytest.raises(InputError, match=r"run\.json: is damaged"):
        resume(tmp_path / "run", Settings, data())


@pytest.mark.parametrize("wrong", [{"epochs": "3"}, {"epochs": None}, {"fonts": 1}, {"epochs": 1.5}, {"other": 1}])
def test_settings_of_another_type_or_of_another_version_are_damage(wrong: dict[str, object], tmp_path: Path) -> None:
    begin(tmp_path / "run", Settings(), data())
    content = record(tmp_path / "run")
    content["settings"] |= wrong
    runs.write_json(tmp_path / "run" / "run.json", content)
    with pytest.raises(InputError, match=r"run\.json: is damaged"):
        resume(tmp_path / "run", Settings, data())


def test_a_setting_that_is_newer_than_the_run_has_its_default(tmp_path: Path) -> None:
    begin(tmp_path / "run", Settings(epochs=3), data())
    content = record(tmp_path / "run")
    del content["settings"]["fonts"]
    runs.write_json(tmp_path / "run" / "run.json", content)
    assert resume(tmp_path / "run", Settings, data()).settings == Settings(epochs=3, fonts="")


@pytest.mark.parametrize("content", [None, "", "epoch,loss\n", "epoch,loss\n1,much\n", "epoch,loss\n1\n"])
def test_a_history_that_is_none_is_said(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "history.csv").write_text(content)
    with pytest.raises(InputError, match=r"history\.csv: is (missing or damaged|empty); train again"):
        read_history(tmp_path / "history.csv")


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.text(min_size=1))
def test_a_command_survives_a_shell_whatever_its_values(value: str) -> None:
    assert shlex.split(train_command({"recipe": "robust", "batch_size": 64, "fonts": value, "start": ""})) == [
        *["digitocr", "train", "--recipe", "robust", "--batch-size", "64", "--fonts"],
        value,
    ]


def test_a_run_with_own_data_records_their_source_and_what_each_picture_is_for(tmp_path: Path) -> None:
    rows = tuple((f"p{number}", "1", "meter" if number < 12 else "", "train") for number in range(24))
    rows += (*((f"t{number}", "0", "", "test") for number in range(5)), ("n0", "none", "", "train"))
    groups = np.repeat(np.arange(6), 4).astype(np.int64)
    origin = Origin("my.csv", "6 groups, seed 0", rows)
    own = replace(data(), train_groups=groups, train_others=np.zeros((1, 28, 28), np.uint8), origin=origin)
    begin(tmp_path / "run", Settings(), own)
    record = read_record(tmp_path / "run")
    assert record["command"] == f"{Settings().command} --data my.csv"
    card = record["data"]
    _, held = split(own)
    assert card == {
        "digest": "drawn",
        "training": 24 - len(held),
        "held_out": len(held),
        "test": 5,
        "source": "my.csv",
        "split": "6 groups, seed 0",
        "others": 1,
    }
    with (tmp_path / "run" / "split.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["file"], row["label"], row["group"]) for row in written] == [row[:3] for row in rows]
    parts = [row["part"] for row in written]
    assert [number for number, part in enumerate(parts) if part == "held out"] == held.tolist()
    assert parts[24:] == ["test"] * 5 + ["train"]
    content = (tmp_path / "run" / "split.csv").read_bytes()
    (tmp_path / "run" / "split.csv").unlink()  # it was killed as it began
    resume(tmp_path / "run", Settings, own)
    assert (tmp_path / "run" / "split.csv").read_bytes() == content
    resume(tmp_path / "run", Settings, replace(own, origin=replace(origin, source="/elsewhere/my.csv")))
    for other in (replace(own, digest="other"), replace(own, origin=None)):
        with pytest.raises(InputError, match=r"begun with other data .*: digitocr train --resume \S+ --data my\.csv$"):
            resume(tmp_path / "run", Settings, other)


def test_a_run_with_mnist_writes_no_list_of_pictures(tmp_path: Path) -> None:
    begin(tmp_path / "run", Settings(), data())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]
    assert list(read_record(tmp_path / "run")["data"]) == ["digest", "training", "held_out", "test"]
