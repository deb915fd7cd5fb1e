import json
import multiprocessing
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitocr.export.classifier import int8_file
from digitocr.runtime.errors import InputError, OutputError, UsageError
from digitocr.runtime.models import MODELS
from digitocr.runtime.schemas import fits
from digitocr.train.classifier.network import EXPERIMENTS, Experiment
from digitocr.train.data import Mnist, Origin
from digitocr.train.evaluation.corruptions import CORRUPTIONS
from digitocr.train.paper import study as module
from digitocr.train.paper.schemas import PAPER_RUN, fits_run
from digitocr.train.paper.study import Study, StudyPlan, cell_name, cells, measured, read_results

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

PLAN = StudyPlan(epochs=1, batch_size=16)
SMALL = Experiment(1, 3, "max", False, False, filters=2, dense=8)  # no cell of the paper: nothing is exported


def drawn(count: int = 240) -> Mnist:
    """Ten kinds of picture: a bright bar at one of ten heights, over noise."""
    rng = np.random.default_rng(0)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.resize(np.arange(10, dtype=np.uint8), count)
        images = rng.integers(0, 120, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
        return images, labels

    return Mnist(*draw(count), *draw(50), digest="drawn")


def shipped(model: Path, folder: Path, data: Mnist) -> Path:
    """Stands for the export, which takes seconds."""
    assert model.suffix == ".keras"
    return Path(shutil.copy(MODELS / "digitocr-int8.onnx", folder))


def test_the_parts_hold_the_cells_that_they_should() -> None:
    assert cells("paper") == list(EXPERIMENTS.values())
    table = cells("table")
    assert len(table) == 16
    assert {EXPERIMENTS[2], EXPERIMENTS[4]} <= set(table)
    assert len(cells("all")) == len(set(cells("all"))) == 4 + 14 + 3
    assert len({cell_name(cell) for cell in cells("all")}) == 21
    assert cell_name(EXPERIMENTS[4]) == "3conv-3x3-average-bn-dropout"


def test_a_run_of_the_paper_s_best_holds_all_that_the_report_needs(tmp_path: Path) -> None:
    data, lines = drawn(), []
    Study(tmp_path / "study", data, PLAN, shipped).run([EXPERIMENTS[4]], 1, report=lines.append)
    (run,) = read_results(tmp_path / "study")["runs"]
    assert (run["cell"], run["seed"], run["weights"]) == ("3conv-3x3-average-bn-dropout", 0, 131_530)
    assert run["multiply_accumulates"] == 26 * 26 * 288 + 13 * 13 * 18_432 + 6 * 6 * 36_864 + 576 * 128 + 1_280
    assert {name: len(values) for name, values in run["history"].items()} == dict.fromkeys(
        ("accuracy", "loss", "val_accuracy", "val_loss", "seconds"), 1
    )
    assert all(answer != data.test_labels[index] for index, answer in run["test"]["errors"])
    assert len(run["layers"]) == 13
    assert np.shape(run["first_layer"]["kernel"]) == (3, 3, 32)
    assert all(len(shown["probabilities"]) == 10 for shown in run["misclassified"])
    assert set(run["corruptions"]) == set(CORRUPTIONS)
    assert len(run["test"]["errors"]) < 10  # of 50, after 14 steps: the averages of batch norm are corrected
    assert run["int8"]["bytes"] == (MODELS / "digitocr-int8.onnx").stat().st_size
    assert run["int8"]["microseconds"] > 0
    assert fits_run(run)
    assert fits(run, PAPER_RUN)
    assert lines[0].startswith("1/1  3conv-3x3-average-bn-dropout seed 0: ")
    assert str(tmp_path) not in (tmp_path / "study" / "study.json").read_text()


def test_what_is_there_is_kept_and_seeds_and_cells_can_be_added(tmp_path: Path) -> None:
    data = drawn()
    Study(tmp_path, data, PLAN, shipped).run([SMALL], 1)
    first = (tmp_path / "runs" / f"{cell_name(SMALL)}-seed0.json").read_bytes()
    lines: list[str] = []
    other = replace(SMALL, dropout=True)
    Study(tmp_path, data, PLAN, shipped).run([SMALL, other], 2, report=lines.append)
    assert [line.split()[1:4] for line in lines] == [
        ["1conv-3x3-max-dropout", "seed", "0:"],
        ["1conv-3x3-max", "seed", "1:"],
        ["1conv-3x3-max-dropout", "seed", "1:"],
    ]
    assert (tmp_path / "runs" / f"{cell_name(SMALL)}-seed0.json").read_bytes() == first


def test_several_at_once_do_the_same_as_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = set(multiprocessing.active_children())  # of tests before this one
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    Study(tmp_path / "one", drawn(), PLAN, int8_file).run([SMALL], 1)
    Study(tmp_path / "two", drawn(), PLAN, int8_file).run([SMALL, replace(SMALL, dropout=True)], 1, jobs=2)
    assert set(multiprocessing.active_children()) <= others  # what ends before its processes leaves semaphores behind
    (one,), (two, other) = (read_results(tmp_path / name)["runs"] for name in ("one", "two"))
    assert (two["cell"], other["cell"]) == ("1conv-3x3-max", "1conv-3x3-max-dropout")
    assert one["test"]["errors"] == two["test"]["errors"]
    np.testing.assert_allclose(one["history"]["loss"], two["history"]["loss"], rtol=1e-3)


KILLED = """
import runpy, sys
from pathlib import Path
import digitocr.train.paper.study
tests = runpy.run_path(sys.argv[1])
tests["Study"](Path(sys.argv[2]), tests["drawn"](), tests["PLAN"], tests["shipped"]).run([tests["SMALL"]], 1000)
"""


def test_a_kill_costs_the_run_in_progress_and_no_more(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, __file__, str(tmp_path)], stderr=subprocess.PIPE) as child:
        while child.poll() is None and not (tmp_path / "runs" / "1conv-3x3-max-seed1.json").exists():
            time.sleep(0.005)
        with pytest.raises(OutputError, match="another process works on this study"):
            Study(tmp_path, drawn(), PLAN, shipped).run([SMALL], 1)
        child.kill()
        child.communicate()
    assert child.returncode == -9
    done = {path: path.read_bytes() for path in (tmp_path / "runs").glob("*.json")}
    (tmp_path / "runs" / ".half.01234567.part.keras").touch()
    Study(tmp_path, drawn(), PLAN, shipped).run([SMALL], len(done) + 1)
    assert len(list((tmp_path / "runs").glob("*.json"))) == len(done) + 1
    assert all(path.read_bytes() == content for path, content in done.items())
    assert not list(tmp_path.rglob(".*"))


def test_other_plans_data_and_folders_are_refused_and_nothing_is_mixed(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    Study(folder, drawn(), PLAN, shipped)
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    with pytest.raises(UsageError, match="holds a study with --epochs 1 --batch-size 16"):
        Study(folder, drawn(), StudyPlan(epochs=2, batch_size=16), shipped)
    with pytest.raises(InputError, match="holds a study of other data"):
        Study(folder, drawn(360), PLAN, shipped)
    for name in ("my.csv", "/elsewhere/my.csv"):  # the same data
        Study(tmp_path / "own", replace(drawn(), origin=Origin(name, "as the source says", ())), PLAN, shipped)
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(OutputError, match="is not empty and holds no study"):
        Study(tmp_path / "full", drawn(), PLAN, shipped)
    with pytest.raises(OutputError, match="cannot be written"):
        Study(tmp_path / "full" / "letter.txt" / "study", drawn(), PLAN, shipped)


def test_a_result_cut_off_is_named_before_hours_of_work(tmp_path: Path) -> None:
    study = Study(tmp_path, drawn(), PLAN, shipped)
    with pytest.raises(InputError, match="no run is finished"):
        read_results(tmp_path)
    cut = tmp_path / "runs" / "1conv-3x3-max-seed0.json"
    cut.parent.mkdir()
    whole = {"schema": "digitocr-study-run/1", "cell": "1conv-3x3-max", "seed": 0}  # of a record
    for content in ('{"schema": "digitocr-stu', json.dumps(whole), "[]"):
        cut.write_text(content)
        with pytest.raises(InputError, match=r"seed0\.json: is damaged .*; delete it to repeat that run"):
            study.run([SMALL], 1)
    for content in ("{}", '{"schema": "digitocr-study/1"}'):
        (tmp_path / "study.json").write_text(content)
        with pytest.raises(InputError, match=r"study\.json: is damaged"):
            Study(tmp_path, drawn(), PLAN, shipped)


def test_a_result_that_is_being_written_is_none_yet(tmp_path: Path) -> None:
    Study(tmp_path, drawn(), PLAN, shipped)
    (tmp_path / "runs").mkdir(exist_ok=True)
    (tmp_path / "runs" / ".1conv-3x3-max-seed0.0123abcd.part.json").write_text('{"schema": "digitocr-stu')
    with pytest.raises(InputError, match="no run is finished"):
        read_results(tmp_path)


def test_what_a_kill_leaves_of_the_first_file_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".study.part.json").write_text('{"sch')
    Study(tmp_path, drawn(), PLAN, shipped)
    assert (tmp_path / "study.json").exists()


def test_a_full_disk_is_said_and_no_half_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(tmp_path, drawn(), PLAN, shipped)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_json", full)
        with pytest.raises(OutputError, match=r"No space left on device\); run the same command again"):
            study.run([SMALL], 1)
    assert list((tmp_path / "runs").iterdir()) == []
    (tmp_path / "runs").rmdir()
    (tmp_path / "runs").touch()  # in the way
    with pytest.raises(OutputError, match=r"cannot be written .*; give another --out"):
        study.run([SMALL], 1)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"images": 0}])
def test_plans_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="it must be 1 or more"):
        StudyPlan(**wrong)


def test_what_is_measured_is_right_on_numbers_done_by_hand() -> None:
    given = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
    told = measured(given, np.array([0, 1, 1], np.uint8))
    assert told["errors"] == [[2, 0]]
    assert told["images"] == 3
    assert told["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4]).mean(), abs=1e-6)
