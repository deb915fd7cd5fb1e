import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitocr.runtime.errors import InputError, ModelError, OutputError, UsageError
from digitocr.train.classifier.fit import Settings, fit
from digitocr.train.classifier.network import EXPERIMENTS, Experiment
from digitocr.train.data import DIGEST, Mnist
from digitocr.train.paper.report import compact, feature_maps, pages, search_pages, study_pages, write
from digitocr.train.paper.study import cell_name, cells

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

COMMITTED = sorted((Path(__file__).parents[3] / "docs").rglob("results.json"))
RNG = np.random.default_rng(0)


def drawn() -> Mnist:
    """Ten kinds of picture: a bright bar at one of ten heights, over noise."""

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        labels = np.resize(np.arange(10, dtype=np.uint8), count)
        images = rng.integers(0, 120, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
        return images, labels

    return Mnist(*draw(240), *draw(100), digest="drawn")


def run(cell: Experiment, seed: int, full: bool) -> dict[str, Any]:
    """As a study leaves it; `full` as for the paper's four."""
    errors = [[index, (index + 1) % 10] for index in range(seed + cell.conv_layers)]
    told = {
        "schema": "digitocr-study-run/1",
        "cell": cell_name(cell),
        "experiment": asdict(cell),
        "seed": seed,
        "weights": 131_530,
        "multiply_accumulates": 4_700_000,
        "history": {name: [0.5, 0.75] for name in ("accuracy", "loss", "val_accuracy", "val_loss", "seconds")},
        "test": {"images": 100, "errors": errors, "log_loss": 0.03, "calibration_error": 0.01},
    }
    if full:
        kernel = np.linspace(-1, 1, cell.kernel**2 * 4).reshape(cell.kernel, cell.kernel, 4)
        probabilities = [[0.0] * 10 for _ in errors]
        for row, (index, answer) in zip(probabilities, errors, strict=True):
            row[answer], row[index % 10] = 0.9, 0.1
        told |= {
            "layers": [["conv2d", "Conv2D", [26, 26, 32], 320]],
            "first_layer": {"kernel": kernel.tolist(), "bias": [0.0] * 4, "stride": 1},
            "misclassified": [
                {"index": index, "probabilities": row} for (index, _), row in zip(errors, probabilities, strict=True)
            ],
            "corruptions": {"fog": 0.5, "shear": 0.75},
            "int8": {"bytes": 150_000, "microseconds": 50.0, "errors": errors},
        }
    return told


def results(part: str, seeds: int) -> dict[str, Any]:
    paper = set(EXPERIMENTS.values())
    return {
        "schema": "digitocr-study/1",
        "plan": {"epochs": 2, "batch_size": 128},
        "data": {"digest": "drawn", "training": 220, "held_out": 20, "test": 100},
        "versions": {"digitocr": "1", "python": "3", "keras": "3", "tensorflow": "2"},
        "runs": [run(cell, seed, cell in paper) for cell in cells(part) for seed in range(seeds)],
    }


def test_a_study_s_report_says_it_all_in_both_forms() -> None:
    made = study_pages(results("all", 3), drawn())
    for text in (made.html, made.markdown):
        assert "Experiment 4 is the best of the four." in text
        assert "64 misclassified images" in text
        assert "97.00 % (94.52 to 99.48)" in text  # experiments 1 and 3: 2, 3 and 4 errors of 100
        assert "The missing cells of the table" in text
        assert "Figure 9: the first 3 of 3 misclassified" in text
        assert not re.search(r"\bnan\b", text)
    assert set(made.figures) == {
        *("accuracies", "epochs", "labels", "first-ten", "filters", "seven", "zero", "confusion", "misclassified")
    }


def test_a_pupil_finds_words_under_each_figure_and_for_each_number_of_a_test() -> None:
    made = study_pages(results("paper", 3), drawn())
    assert made.html.count("<img ") == made.html.count('<span class="words">') == len(made.figures)
    captions = re.findall(r"^\*.+\*(.*)$", made.markdown, re.M)
    assert len(captions) == len(made.figures)
    assert all(len(words.split()) > 10 for words in captions)
    for start in ("p: suppose that", "d: how large", "Holm&#39;s correction: whoever throws dice"):
        assert f"<p>{start}" in made.html
    for text in (made.html, made.markdown):
        assert "Read these with care. Each network was trained for 4 steps" in text


def test_a_lesson_s_report_shows_the_images_that_it_used() -> None:
    lesson = results("paper", 1)
    lesson["plan"]["images"] = 120
    made = study_pages(lesson, drawn())
    assert "of 100 test images" in made.markdown
    assert ">12<" in made.figures["labels"]  # of 24 of each digit


@pytest.mark.parametrize("is_mnist", [False, True])
def test_mnist_s_known_wrong_labels_are_told_of_mnist_alone(is_mnist: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitocr.train.paper.report.LABEL_ERRORS", {0: (0, None)})
    data = replace(drawn(), digest=DIGEST) if is_mnist else drawn()
    record = results("paper", 1)
    record["data"]["digest"] = data.digest
    for text in (made := study_pages(record, data)).html, made.markdown:
        assert ("Wrong labels" in text) == ("known label error" in text) == is_mnist
        assert ("on 220 of MNIST" if is_mnist else "on 220 own training images") in text


def test_a_study_says_what_more_epochs_would_bring() -> None:
    long = results("paper", 1)
    for one in long["runs"]:
        one["history"]["val_accuracy"] = [0.5, 0.6, 0.7, 0.75]
    assert "changes by +5.00 in experiment 1, +5.00" in study_pages(long, drawn()).markdown
    assert "more epochs would" not in study_pages(results("paper", 1), drawn()).markdown  # two epochs have no quarters


def test_the_html_needs_nothing_else_and_the_markdown_its_figures(tmp_path: Path) -> None:
    made = study_pages(results("paper", 2), drawn())
    assert not re.findall(r'(?:src|href)="(?!data:)', made.html)
    assert made.html.count("<img ") == len(made.figures)
    assert "prefers-color-scheme: dark" in made.html
    assert "@media print" in made.html
    write(made, tmp_path)
    links = re.findall(r"\]\((.*?)\)", made.markdown)
    assert len(links) == len(made.figures)
    assert all((tmp_path / link).exists() for link in links)
    tables = re.findall(r"(?:^\|.*\n)+", made.markdown, re.M)
    assert all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)


def test_a_study_that_has_only_begun_has_a_report_as_well() -> None:
    one = study_pages(results("paper", 1), drawn()).markdown
    assert one.count("| not tested | Needs at least 3 seeds of ") == 8
    assert not re.search(r"\bnan\b", one)
    rest = study_pages({**results("padding", 2)}, drawn())
    assert "The missing cells" in rest.markdown
    assert rest.figures == {}


def test_the_network_that_is_shown_is_that_of_the_least_seed_and_named() -> None:
    some = results("paper", 3)
    some["runs"] = [one for one in some["runs"][::-1] if one["seed"]]
    made = study_pages(some, drawn()).markdown
    assert "for experiment 4, seed 1" in made
    assert "Figure 9: the first 4 of 4 misclassified" in made


def test_results_are_written_and_give_the_same_report_again(tmp_path: Path) -> None:
    made = study_pages(results("paper", 2), drawn())
    assert write(made, tmp_path / "deep" / "report") == tmp_path / "deep" / "report" / "report.html"
    again = pages(tmp_path / "deep" / "report" / "results.json", drawn())
    assert (again.html, again.markdown, again.figures) == (made.html, made.markdown, made.figures)
    assert json.loads(compact(results("paper", 2))) == results("paper", 2)
    write(again, tmp_path / "deep" / "report")  # over itself


def test_what_is_no_run_or_damaged_or_of_other_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        pages(tmp_path, drawn())
    damaged = {**results("paper", 1), "runs": [{"schema": "digitocr-study-run/1"}]}
    for content in ('{"schema": "digitocr-study/1", "ru', '{"schema": "other"}', "[]", json.dumps(damaged)):
        (tmp_path / "results.json").write_text(content)
        with pytest.raises(InputError, match=r"results\.json: is damaged"):
            pages(tmp_path / "results.json", drawn())
    other = results("paper", 1)
    other["data"]["digest"] = "other"
    with pytest.raises(InputError, match="other data"):
        study_pages(other, drawn())
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write(study_pages(results("padding", 1), drawn()), tmp_path / "file")
    for content in ("{", '{"ended": null, "data": {"digest": "drawn"}}'):
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(InputError, match=r"run\.json: is damaged"):
            pages(tmp_path, drawn())


def test_pairs_that_do_not_vary_are_shown_without_a_p_and_not_counted() -> None:
    made = study_pages(results("paper", 3), drawn()).markdown  # experiment 1 has one error less in each seed
    assert "| experiment 4 minus experiment 1 | 3 | -1.000 points | none | none | none |" in made
    assert "Holm's method for the 0 tests" in made


def test_the_committed_reports_are_there_to_be_compared() -> None:
    assert [path.parent.name for path in COMMITTED] == ["paper", "search"]


def test_a_training_run_has_the_same_pages(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    metrics = fit(drawn(), Settings(experiment=1, epochs=1, batch_size=16), folder, quiet=True)
    made = pages(folder, drawn())
    for text in (made.html, made.markdown):
        assert f"{100 * metrics['test']['accuracy']:.2f} % (" in text
        assert "digitocr train --experiment 1" in text
        assert "Figure 7: the classification report" in text
        assert "label error" not in text  # those are MNIST's
    assert {"labels", "first-ten", "filters", "seven", "zero", "confusion", "epochs"} <= set(made.figures)
    assert made.results is None
    (folder / "history.csv").rename(tmp_path / "history.csv")
    with pytest.raises(InputError, match=r"history\.csv: is missing or damaged"):
        pages(folder, drawn())
    (tmp_path / "history.csv").rename(folder / "history.csv")
    (folder / "model.keras").write_bytes(b"half a network")
    with pytest.raises(ModelError, match=r"model\.keras: is damaged"):
        pages(folder, drawn())
    (folder / "model.keras").unlink()
    with pytest.raises(UsageError, match="holds no network"):
        pages(folder, drawn())
    card = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**card, "ended": None}))
    with pytest.raises(UsageError, match="is not finished; resume with: digitocr train --resume"):
        pages(folder, drawn())


def test_a_search_s_report_draws_the_front_and_names_the_smallest(tmp_path: Path) -> None:
    def trial(number: int, accuracy: float, size: int, products: int) -> dict[str, Any]:
        measured = {"accuracy": accuracy, "bytes": size, "multiply_accumulates": products, "weights": size}
        return {"number": number, "state": "complete", "params": {"kernel": 3, "filters": 8}, **measured}

    searched = {
        "schema": "digitocr-search/1",
        "plan": {"space": "paper", "sampler": "tpe", "epochs": 6},
        "data": {"digest": "drawn"},
        "trials": [
            trial(0, 0.991, 30_000, 300_000),
            trial(1, 0.994, 60_000, 900_000),
            trial(2, 0.990, 31_000, 300_000),
            {"number": 3, "state": "pruned", "params": {}},
        ],
    }
    made = search_pages(searched)
    assert "| 99.0 % | 0 | 99.10 % | 30.0 | 0.300 | 30,000 |" in made.markdown
    assert "| 99.3 % | 1 |" in made.markdown
    assert "| 99.5 % | none |" in made.markdown
    assert re.findall(r"^\| (\d) \|", made.markdown, re.M) == ["0", "1"]  # the Pareto front
    assert set(made.figures) == {"size", "products"}
    write(made, tmp_path)
    assert pages(tmp_path / "results.json", drawn()).html == made.html
    with pytest.raises(InputError, match="no trial"):
        search_pages({**searched, "trials": []})


def test_feature_maps_are_those_of_a_convolution_done_by_hand() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[10, 10] = 255
    kernel = np.zeros((3, 3, 2))
    kernel[0, 2, 0], kernel[1, 1, 1] = 2, -1
    maps = feature_maps(image, kernel, np.array([0.0, 0.25]))
    assert maps.shape == (2, 26, 26)
    assert maps[0, 10, 8] == 2
    assert maps[0].sum() == 2
    assert maps[1, 9, 9] == 0  # cut off by ReLU
    assert maps[1, 0, 0] == 0.25
    assert feature_maps(image, kernel, np.zeros(2), stride=2).shape == (2, 13, 13)


@pytest.mark.parametrize("committed", COMMITTED, ids=lambda path: path.parent.name)
def test_a_committed_report_is_what_the_committed_results_give(committed: Path, mnist: Mnist, tmp_path: Path) -> None:
    write(pages(committed, mnist), tmp_path)
    shutil.rmtree(tmp_path / "figures")  # their bytes depend on how the machine rounds
    for made in tmp_path.iterdir():
        assert without_figures(made) == without_figures(committed.with_name(made.name))


def without_figures(path: Path) -> str:
    return re.sub(r"base64,[\w+/=]*", "", path.read_text("utf-8"))
