import dataclasses
import importlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import optuna
import pytest

from digitocr.runtime.errors import InputError, ModelError, OutputError, UsageError
from digitocr.runtime.models import MODELS
from digitocr.train.data import Mnist
from digitocr.train.quiet import silenced
from digitocr.train.search import search as module
from digitocr.train.search.front import MIN_BETTER_TRIALS
from digitocr.train.search.search import MAX_TRIES, STUDY_NAME, Search, open_storage, read_results
from digitocr.train.search.space import SPACES, SearchPlan, grid

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

PLAN = SearchPlan(space="paper", epochs=1)


def drawn(count: int = 240) -> Mnist:
    """Ten kinds of picture: a bright bar at one of ten heights, over noise. There are no test images to be read."""
    rng = np.random.default_rng(0)
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    images = rng.integers(0, 120, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    nothing: Any = None
    return Mnist(images, labels, nothing, nothing, digest="drawn")


def shipped(model: Path, folder: Path, data: Mnist) -> Path:
    """Stands for the export, which takes seconds."""
    assert model.suffix == ".keras"
    return Path(shutil.copy(MODELS / "digitocr-int8.onnx", folder))


def study_in(folder: Path) -> optuna.Study:
    """Optuna's own view of a search."""
    with silenced():
        return optuna.load_study(study_name=STUDY_NAME, storage=open_storage(folder))


@pytest.fixture
def small_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that are made in a second."""
    small = {"kernel": (3, 5), "conv_layers": (1,), "batch_norm": (False,), "filters": (2,), "dense": (8,)}
    monkeypatch.setitem(SPACES, "paper", small)


def test_trials_are_kept_and_gone_on_with(small_space: None, tmp_path: Path) -> None:
    lines: list[str] = []
    Search(tmp_path, drawn(), PLAN, shipped).run(1, report=lines.append)
    Search(tmp_path, drawn(), PLAN, shipped).run(2, report=lines.append)
    Search(tmp_path, drawn(), PLAN, shipped).run(2, report=lines.append)
    assert [line.split(":")[0] for line in lines] == ["trial 0", "trial 1"]
    told = read_results(tmp_path)
    assert [trial["state"] for trial in told["trials"]] == ["complete", "complete"]
    for trial in told["trials"]:
        assert set(trial["params"]) == set(SPACES["paper"])
        assert len(trial["history"]) == 1
        assert trial["bytes"] == (MODELS / "digitocr-int8.onnx").stat().st_size
        assert 0 <= trial["accuracy"] <= 1
        assert trial["multiply_accumulates"] > 0
        assert (tmp_path / "models" / f"{trial['number']}.keras").exists()
    assert not list(tmp_path.glob("trial-*.lock"))


def test_the_sampler_learns_by_how_much_a_candidate_misses_the_least_accuracy(
    small_space: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_ACCURACY", 0.5)
    Search(tmp_path, drawn(), PLAN, shipped).run(1)
    (trial,) = study_in(tmp_path).trials
    accuracy = trial.user_attrs["history"][-1]
    assert 0 <= accuracy <= 1
    assert trial.system_attrs["constraints"] == pytest.approx([0.5 - accuracy])  # above 0 is violated


KILLED = """
import runpy, sys, time
from pathlib import Path
import digitocr.train.search
tests = runpy.run_path(sys.argv[1])
def quantize(model, folder, data):
    Path(sys.argv[2], "reached").touch()
    time.sleep(60)
tests["Search"](Path(sys.argv[2]), tests["drawn"](), tests["PLAN"], quantize).run(1)
"""


def test_a_killed_worker_loses_its_trial_and_another_takes_it_up_again(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, __file__, str(tmp_path)], stderr=subprocess.PIPE) as child:
        while child.poll() is None and not (tmp_path / "reached").exists():
            time.sleep(0.01)
        search = Search(tmp_path, drawn(), PLAN, shipped)
        search.run(1)  # the one that is under way is enough
        assert search.results()["trials"] == []
        child.kill()
        child.communicate()
    assert child.returncode == -9
    assert (tmp_path / "models" / "0.keras").exists()
    (tmp_path / "models" / ".0.01234567.part.keras").touch()
    Search(tmp_path, drawn(), PLAN, shipped).run(1)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["1.keras"]  # the other one has no result
    lost, again = read_results(tmp_path)["trials"]
    assert (lost["state"], again["state"]) == ("fail", "complete")
    assert again["again"] == lost["number"]
    assert again["params"] == lost["params"]


def test_a_trial_that_kills_its_process_is_given_up_in_the_end(tmp_path: Path) -> None:
    search = Search(tmp_path, drawn(), PLAN, shipped)
    study = study_in(tmp_path)
    for number in range(MAX_TRIES):  # as a kill leaves it, each time
        search.requeue_lost_trials()
        trial = study.ask()
        trial.suggest_categorical("kernel", SPACES["paper"]["kernel"])
        assert trial.number == number
    search.requeue_lost_trials()
    assert [trial["state"] for trial in search.results()["trials"]] == ["fail"] * MAX_TRIES
    assert len(study.trials) == MAX_TRIES  # none is queued


def test_a_point_of_a_grid_is_queued_again_if_its_process_died_at_once(small_space: None, tmp_path: Path) -> None:
    search = Search(tmp_path, drawn(), dataclasses.replace(PLAN, sampler="grid"), shipped)
    study_in(tmp_path).ask()
    search.requeue_lost_trials()
    waiting = [one for one in study_in(tmp_path).trials if one.state == optuna.trial.TrialState.WAITING]
    assert sorted(one.system_attrs["fixed_params"]["kernel"] for one in waiting) == [3, 5]


def test_a_grid_whose_queue_was_cut_short_is_queued_once(small_space: None, tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, sampler="grid")
    study = optuna.create_study(
        study_name=STUDY_NAME, storage=open_storage(tmp_path), directions=["maximize", "minimize", "minimize"]
    )
    study.enqueue_trial(next(iter(grid(plan.space))))
    Search(tmp_path, drawn(), plan, shipped)
    assert sorted(one.system_attrs["fixed_params"]["kernel"] for one in study_in(tmp_path).trials) == [3, 5]


def test_a_lost_trial_that_waits_already_is_not_queued_twice(tmp_path: Path) -> None:
    """As a kill leaves it between queueing the parameters again and ending the trial."""
    search, study = Search(tmp_path, drawn(), PLAN, shipped), study_in(tmp_path)
    trial = study.ask()
    trial.suggest_categorical("kernel", SPACES["paper"]["kernel"])
    study.enqueue_trial(trial.params, user_attrs={"tries": 2, "again": 0})
    search.requeue_lost_trials()
    assert [one.state.name for one in study_in(tmp_path).trials] == ["FAIL", "WAITING"]


def test_a_trial_that_ends_while_it_is_looked_for_stays_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(tmp_path, drawn(), PLAN, shipped)
    trial = study_in(tmp_path).ask()
    trial.suggest_categorical("kernel", SPACES["paper"]["kernel"])
    trial_lock = Search._trial_lock

    def late(search: Search, number: int) -> filelock.BaseFileLock:
        study = study_in(tmp_path)  # the list of running trials is made, the lock is not yet taken
        if study.trials[0].state == optuna.trial.TrialState.RUNNING:
            study.tell(0, [0.5, 1, 1])
        return trial_lock(search, number)

    monkeypatch.setattr(Search, "_trial_lock", late)
    search.requeue_lost_trials()
    monkeypatch.undo()
    assert [one.state.name for one in study_in(tmp_path).trials] == ["COMPLETE"]


def test_a_trial_that_cannot_reach_the_front_is_pruned(small_space: None, tmp_path: Path) -> None:
    search = Search(tmp_path, drawn(), dataclasses.replace(PLAN, epochs=2), shipped)
    distributions = {name: optuna.distributions.CategoricalDistribution(v) for name, v in SPACES["paper"].items()}
    for _ in range(MIN_BETTER_TRIALS):
        study_in(tmp_path).add_trial(
            optuna.trial.create_trial(
                params={name: values[0] for name, values in SPACES["paper"].items()},
                distributions=distributions,
                values=[0.999, 1.0, 1.0],
                user_attrs={"history": [1.1, 1.1], "weights": 1, "folder": "elsewhere"},
            )
        )
    lines: list[str] = []
    search.run(MIN_BETTER_TRIALS + 1, report=lines.append)
    assert lines == [f"trial {MIN_BETTER_TRIALS}: pruned after 1 epochs"]
    assert search.results()["trials"][-1]["state"] == "pruned"


def test_two_folders_share_a_storage_and_a_grid_ends_when_it_is_through(small_space: None, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    for name, trials in (("a", 1), ("b", 9)):
        search = Search(tmp_path / name, drawn(), dataclasses.replace(PLAN, sampler="grid"), shipped, storage)
        search.run(trials)
    assert sorted(trial["params"]["kernel"] for trial in search.results()["trials"]) == [3, 5]
    assert [path.name for path in (tmp_path / "b" / "models").iterdir()] == ["1.keras"]


@pytest.mark.parametrize("storage", ["nonsense", "sqlite:////missing/folder/trials.db", "grpc://localhost"])
def test_a_storage_that_is_none_is_said(storage: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=storage.split(":")[0]):
        Search(tmp_path, drawn(), PLAN, shipped, storage)


def test_other_plans_and_data_are_refused_and_nothing_is_mixed(tmp_path: Path) -> None:
    Search(tmp_path, drawn(), PLAN, shipped)
    before = (tmp_path / "journal.log").read_bytes()
    with pytest.raises(UsageError, match="holds a search with --space paper --sampler tpe --epochs 1"):
        Search(tmp_path, drawn(), dataclasses.replace(PLAN, epochs=2), shipped)
    with pytest.raises(InputError, match="holds a search of other data"):
        Search(tmp_path, dataclasses.replace(drawn(), digest="other"), PLAN, shipped)
    assert (tmp_path / "journal.log").read_bytes().startswith(before)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        Search(tmp_path / "file" / "search", drawn(), PLAN, shipped)


def test_a_folder_that_holds_something_else_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "results.json").touch()  # as of a study
    with pytest.raises(OutputError, match="is not empty and holds no search; give another --out"):
        Search(tmp_path, drawn(), PLAN, shipped)
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
    killed = tmp_path / "killed"  # before it had an id
    (killed / "models").mkdir(parents=True)
    (killed / "lock").touch()
    Search(killed, drawn(), PLAN, shipped)
    Search(killed, drawn(), PLAN, shipped)


def test_a_process_that_is_killed_while_it_writes_the_journal_holds_up_nobody(tmp_path: Path) -> None:
    Search(tmp_path, drawn(), PLAN, shipped)
    code = "import filelock, os, sys; filelock.FileLock(sys.argv[1]).acquire(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "journal.lock"], check=False).returncode == -9
    (tmp_path / "journal.log.lock").symlink_to(
        "search/journal.log"
    )  # as a killed process of an earlier version left it
    assert read_results(tmp_path)["trials"] == []


def test_a_journal_cut_off_loses_a_line_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    Search(tmp_path, drawn(), PLAN, shipped)
    journal = tmp_path / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "stu')
    Search(tmp_path, drawn(), PLAN, shipped)
    assert journal.read_bytes().startswith(whole)
    assert b'"stu' not in journal.read_bytes().removeprefix(whole)[:5]
    journal.write_bytes(b"{\n" + whole)
    with pytest.raises(InputError, match=r"journal\.log: is damaged"):
        Search(tmp_path, drawn(), PLAN, shipped)
    with pytest.raises(InputError, match=r"journal\.log: is damaged"):
        read_results(tmp_path)


def test_a_full_disk_is_said_and_the_trial_is_taken_up_later(small_space: None, tmp_path: Path) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        Search(tmp_path, drawn(), PLAN, full).run(1)
    Search(tmp_path, drawn(), PLAN, shipped).run(1)
    assert [trial["state"] for trial in read_results(tmp_path)["trials"]] == ["fail", "complete"]


def test_a_storage_that_goes_away_is_named_and_no_bug(small_space: None, tmp_path: Path) -> None:
    database = tmp_path / "trials.db"
    search = Search(tmp_path, drawn(), PLAN, shipped, f"sqlite:///{database}")
    database.write_bytes(b"")
    with pytest.raises(UsageError, match=r"trials\.db: cannot be reached"):
        search.run(1)


def test_several_processes_share_the_work_and_an_error_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # new processes find it as well
    stand_in = """
import shutil
from pathlib import Path
from digitocr.runtime.models import MODELS

def quantize(model, folder, data):
    return Path(shutil.copy(MODELS / "digitocr-int8.onnx" if model.stem != "2" else model, folder))
"""
    (tmp_path / "stand_in.py").write_text(stand_in)
    search = Search(tmp_path / "search", drawn(), PLAN, importlib.import_module("stand_in").quantize)
    with pytest.raises(ModelError, match="a model file ends in"):
        search.run(3, jobs=2, report=print)
    assert [trial["state"] for trial in search.results()["trials"][:2]] == ["complete"] * 2
    assert capfd.readouterr().out.count("held out") == 2
