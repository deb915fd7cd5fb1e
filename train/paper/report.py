"""Reports on a study, a search or one training run: HTML in one file, and Markdown with its figures beside it.

    write(pages(Path("runs/study"), load_mnist()), Path("docs/paper"))

writes report.html, README.md, figures/*.svg and, for a study or a search, results.json. That file holds all that the
report is made from: `pages` of it gives the same report again.
"""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitocr.runtime.background import shrunk
from digitocr.runtime.errors import InputError, MissingExtraError, ModelError, OutputError, UsageError
from digitocr.runtime.files import is_there, replacing
from digitocr.train.data import DIGEST, Bytes, Mnist, fewer
from digitocr.train.evaluation.label_errors import LABEL_ERRORS
from digitocr.train.evaluation.metrics import confusion, summary, wilson
from digitocr.train.keras_backend import keras_needed
from digitocr.train.paper import records, statistics, verdicts
from digitocr.train.paper.rendering import Pages, Values, render
from digitocr.train.paper.schemas import (
    ADAPT_REPORT,
    ADAPT_RUN,
    TRAINING_RUN,
    fits_results,
    read_json,
)
from digitocr.train.runs import ADAPTED, resume_command

try:
    from digitocr.train.paper import figures
except ImportError as error:
    raise MissingExtraError("train", "a report") from error

IMAGES_PER_LABEL = 10  # in the paper's figure 2
MAX_THUMBNAILS = 24  # pictures in a figure of an adaptation's report
THUMBNAIL = 84  # pixels; their side
SHORT = 12  # characters of what was read over a thumbnail
ACCURACY_BARS = (99.0, 99.3, 99.5)  # percent; a search's report names the smallest network that reaches each


def check_source(source: Path) -> None:
    """Raises UsageError if that is neither the folder of a run nor a results.json. Looks at names only."""
    if source.suffix != ".json" and not any(
        is_there(source / name) for name in ("study.json", "journal.log", "run.json")
    ):
        raise UsageError(f"{source}: holds no run; give the folder of a run of digitocr train, study or search")


def pages(source: Path, data: Mnist) -> Pages:
    """The report on the folder of a study, a search or a training run, or on a results.json.

    Raises UsageError for anything else, InputError where it is damaged or of other data.
    """
    check_source(source)
    if source.suffix == ".json":
        results = read_json(source, fits_results, "give the folder it was made from")
        return study_pages(results, data) if "runs" in results else search_pages(results)
    if (source / "study.json").exists():
        from digitocr.train.paper import study

        return study_pages(study.read_results(source), data)
    if (source / ADAPTED).exists() or _is_adapted(source / "run.json"):
        return adapt_pages(source)
    if (source / "journal.log").exists():
        from digitocr.train.search import search

        return search_pages(search.read_results(source))
    return run_pages(source, data)


def write(report: Pages, out: Path) -> Path:
    """Writes a report into a folder, over an earlier one; returns the path of its HTML. Raises OutputError."""
    files = {"report.html": report.html, "README.md": report.markdown}
    files |= {f"figures/{name}.svg": svg for name, svg in report.figures.items()}
    if report.results is not None:
        files["results.json"] = compact(report.results)
    try:
        (out / "figures").mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with replacing(out / name) as beside:
                beside.write_text(content, "utf-8")
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); give another --out") from error
    return out / "report.html"


def compact(results: Values) -> str:
    """JSON with one line for each run or trial, so that a diff shows which one changed."""
    *others, (name, each) = results.items()
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in each)
    return f'{json.dumps(dict(others), indent=2)[:-2]},\n  "{name}": [\n{lines}\n]}}\n'


def study_pages(results: Values, data: Mnist) -> Pages:
    """The report on the results of study.read_results. Raises InputError where they are of other data."""
    if results["data"]["digest"] != data.digest:
        raise InputError("the study is of other data; give the same --data")
    if "images" in results["plan"]:
        data = fewer(data, results["plan"]["images"])
    labels, runs = data.test_labels, results["runs"]
    of_paper: dict[int, list[Values]] = {
        number: [run for run in runs if run["cell"] == name] for number, name in _paper_cells().items()
    }
    ran = {number: some for number, some in of_paper.items() if some}
    names = {number: f"experiment {number}" for number in ran}
    drawn = {
        "accuracies": figures.dots(
            {names[number]: [records.accuracy(run) for run in some] for number, some in ran.items()},
            {names[number]: verdicts.PAPER_ACCURACIES[number] for number in ran},
            "accuracy on the test images, %",
            "the paper's run",
        )
        if ran
        else "",
        "epochs": figures.curves(
            {
                names[number]: [[100 * value for value in run["history"]["val_accuracy"]] for run in some]
                for number, some in ran.items()
            },
            "accuracy on held-out images, %",
            ("the paper's best, on test images", verdicts.PAPER_ACCURACIES[4]),
        )
        if ran
        else "",
    }
    inspected = [run for run in ran.get(4, []) if "layers" in run]
    best = min(inspected, key=lambda run: run["seed"], default=None)
    context = {
        "results": results,
        "seeds": {number: len(some) for number, some in ran.items()},
        "verdicts": verdicts.judge(results, labels),
        "caution": verdicts.caution(results),
        "experiments": [_experiment(number, some, labels) for number, some in ran.items()],
        "table": _table(runs),
        "slips": verdicts.slips(),
        "known_errors": _known_errors(data),
    }
    if best:
        drawn |= _network_figures(best, records.answers(best, labels), data)
        context |= _network(best, records.answers(best, labels), data) | {"seed": best["seed"]}
    return render("study.j2", context, {name: svg for name, svg in drawn.items() if svg}, results)


def run_pages(folder: Path, data: Mnist) -> Pages:
    """The report on a run of digitocr train.

    Raises UsageError where the run is not finished or is of a detector, InputError or ModelError where it is damaged.
    """
    from digitocr.train.paper.study import inspected, measured

    run = read_json(folder / "run.json", TRAINING_RUN, "train again")
    if not run["ended"]:
        command = resume_command(folder, run["data"].get("source"))
        raise UsageError(f"{folder}: is not finished; resume with: {command}")
    if run["data"]["digest"] != data.digest:
        raise InputError(f"{folder}: was trained on other data; give the same --data")
    if not (folder / "model.keras").exists():
        raise UsageError(f"{folder}: holds no network that reads digits; give the folder of one that does")
    with keras_needed("train", "a report"):
        import keras

        from digitocr.train.classifier.loop import probabilities
        from digitocr.train.runs import read_history

    try:
        network = keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
    except Exception as error:  # Keras documents no particular exception
        raise ModelError(f"{folder / 'model.keras'}: is damaged; train again") from error
    given = probabilities(network, data.test_images)[:, :10]
    record = {
        "test": measured(given, data.test_labels),
        "weights": network.count_params(),
        **inspected(network, given, data),
    }
    history = read_history(folder / "history.csv")
    answered = records.answers(record, data.test_labels)
    drawn = {
        "epochs": figures.curves(
            {
                "training": [[100 * row["accuracy"] for row in history]],
                "held out": [[100 * row["val_accuracy"] for row in history]],
            },
            "accuracy, %",
        ),
        **_network_figures(record, answered, data),
    }
    context = {
        "run": run,
        "record": record,
        "accuracy": records.accuracy(record),
        "interval": [100 * side for side in wilson(len(given) - records.errors(record), len(given))],
        "wrong_labels": records.without_label_errors(record),
        "known_errors": _known_errors(data),
        **_network(record, answered, data),
    }
    return render("run.j2", context, drawn, None)


def adapt_pages(folder: Path) -> Pages:
    """The report on a run of digitocr train --recipe adapt: what was read before and after, picture by picture.

    Raises InputError where a file of the run is damaged, and UsageError where it is not finished.
    """
    if not (folder / ADAPTED).exists():
        raise UsageError(f"{folder}: is not finished, and an adaptation is not resumed; adapt again in a new folder")
    run = read_json(folder / "run.json", ADAPT_RUN, "adapt again")
    report = read_json(folder / ADAPTED, ADAPT_REPORT, "adapt again")
    rows: list[Values] = report["pictures"]
    changed = [(row, *row["right"]) for row in rows]
    context = {
        "run": run,
        "report": report,
        "passed": not report["failures"],
        "mended": [row for row, before, after in changed if after and not before],
        "broken": [row for row, before, after in changed if before and not after],
        "wrong": [row for row, before, after in changed if not before and not after],
        "table_rows": lambda some: [
            [row["name"], *(_cell(row[key]) for key in ("text", "before", "after"))] for row in some
        ],
        "right": sum(before and after for _, before, after in changed),
    }
    return render("adapt.j2", context, _thumbnails(context), None)


def _is_adapted(record: Path) -> bool:
    """Whether it is the record of an adaptation."""
    with suppress(OSError, ValueError):
        content = json.loads(record.read_bytes())
        return isinstance(content, dict) and content.get("kind") == "adapt"
    return False


def _thumbnails(context: Values) -> dict[str, str]:
    """The pictures that are read otherwise, small, as figures by name; those that cannot be read any more left out."""
    from digitocr.runtime.image import load_reduced

    drawn = {}
    for name in ("mended", "broken", "wrong"):
        images, titles = [], []
        for row in context[name][:MAX_THUMBNAILS]:
            try:
                gray, _ = load_reduced(row["file"], page=row["page"])
            except (InputError, MissingExtraError):
                continue
            images.append(_squared(gray))
            titles.append(f"{_short(row['text'])}\n{_short(row['before'])} to {_short(row['after'])}")
        if images:
            drawn[name] = figures.grid(images, 6, titles)
    return drawn


def _squared(gray: Bytes) -> Bytes:
    """A grey picture shrunk and filled up to THUMBNAIL x THUMBNAIL pixels."""
    small = shrunk(gray, THUMBNAIL)
    below, behind = (THUMBNAIL - side for side in small.shape)
    return np.pad(small, ((below // 2, below - below // 2), (behind // 2, behind - behind // 2)), "edge")


def _cell(text: str) -> str:
    """What was read, for a cell of a table; lines are apart by a slash."""
    return " / ".join(text.splitlines()) or "nothing"


def _short(text: str) -> str:
    """What was read, for a title: the first characters; a dash for nothing."""
    line = " ".join(text.split()) or "-"
    return line if len(line) <= SHORT else f"{line[: SHORT - 3]}..."


def search_pages(results: Values) -> Pages:
    """The report on the results of search.read_results. Raises InputError where no trial is finished."""
    from digitocr.train.search.front import front

    trials = results["trials"]
    states = [trial["state"] for trial in trials]
    done = [trial for trial in trials if trial["state"] == "complete"]
    if not done:
        raise InputError("no trial of the search is finished; resume it with digitocr search")

    def drawn(name: str, unit: float, label: str) -> str:
        def points(some: list[Values]) -> list[tuple[float, float]]:
            return [(trial[name] / unit, max(100 * (1 - trial["accuracy"]), figures.MIN_ERROR)) for trial in some]

        return figures.front(points(done), points(front(done, name)), label, "held-out errors, int8, %")

    reaching = {bar: [trial for trial in done if 100 * trial["accuracy"] >= bar] for bar in ACCURACY_BARS}
    context = {
        "results": results,
        "counts": {state: states.count(state) for state in ("complete", "pruned", "fail")},
        "front": front(done),
        "smallest": [
            (bar, min(some, key=lambda trial: (trial["bytes"], -trial["accuracy"]), default=None))
            for bar, some in reaching.items()
        ],
    }
    size, products = drawn("bytes", 1000, "KB"), drawn("multiply_accumulates", 1e6, "million multiply-accumulates")
    return render("search.j2", context, {"size": size, "products": products}, results)


def _paper_cells() -> dict[int, str]:
    """The names of the cells that are the paper's experiments, by their numbers."""
    with keras_needed("train", "a report"):
        from digitocr.train.classifier.network import EXPERIMENTS
        from digitocr.train.paper.study import cell_name

    return {number: cell_name(cell) for number, cell in EXPERIMENTS.items()}


def _experiment(number: int, runs: list[Values], labels: Bytes) -> Values:
    """One of the paper's four in the tables of the report: means over its runs, and their intervals."""
    accuracies = [records.accuracy(run) for run in runs]
    full = [run for run in runs if "int8" in run]

    def mean(value: Callable[[Values], float], some: list[Values] = runs) -> float:
        return float(np.mean([value(run) for run in some])) if some else math.nan

    quantized = mean(lambda run: len(run["int8"]["errors"]), full)
    time = mean(lambda run: run["int8"]["microseconds"], full)
    return {
        "number": number,
        **runs[0]["experiment"],
        "paper": verdicts.PAPER_ACCURACIES[number],
        "seeds": len(runs),
        "interval": statistics.interval(accuracies),
        "next_run": statistics.next_run(accuracies),
        "least": min(accuracies),
        "most": max(accuracies),
        "weights": runs[0]["weights"],
        "multiply_accumulates": runs[0]["multiply_accumulates"],
        "rise": _rise([run["history"]["val_accuracy"] for run in runs]),
        "held_out": statistics.interval([100 * run["history"]["val_accuracy"][-1] for run in runs]),
        "log_loss": mean(lambda run: run["test"]["log_loss"]),
        "calibration_error": 100 * mean(lambda run: run["test"]["calibration_error"]),
        "least_class": 100 * min(float(records.class_scores(run, labels).min()) for run in runs),
        "corruptions": 100 * mean(lambda run: float(np.mean(list(run["corruptions"].values()))), full),
        "errors": mean(records.errors),
        "int8_errors": quantized,
        "int8_bytes": mean(lambda run: run["int8"]["bytes"], full),
        "int8_microseconds": time,
        "per_thousand_weights": quantized / (runs[0]["weights"] / 1000),
        "per_microsecond": quantized / time,
        "wrong_labels": {
            name: statistics.interval([records.without_label_errors(run)[name] for run in runs])
            for name in ("all", "without", "corrected")
        },
    }


def _rise(histories: list[list[float]]) -> float | None:
    """The mean rise in accuracy, in points, from the third to the last quarter of epochs; None below four epochs."""
    by_epoch = 100 * np.mean(histories, axis=0)
    quarter = len(by_epoch) // 4
    return float(by_epoch[-quarter:].mean() - by_epoch[-2 * quarter : -quarter].mean()) if quarter else None


def _table(runs: list[Values]) -> list[Values]:
    """A row for each cell that was run: its settings, and its accuracy over the seeds."""
    cells: dict[str, list[Values]] = {}
    for run in runs:
        cells.setdefault(run["cell"], []).append(run)
    numbers = {name: number for number, name in _paper_cells().items()}
    return [
        {
            **some[0]["experiment"],
            "number": numbers.get(name),
            "seeds": len(some),
            "interval": statistics.interval([records.accuracy(run) for run in some]),
        }
        for name, some in cells.items()
    ]


def _known_errors(data: Mnist) -> int:
    """How many test images are known to have a wrong label: of MNIST's alone."""
    return len(LABEL_ERRORS) if data.digest == DIGEST else 0


def _network(record: Values, answered: npt.NDArray[np.int64], data: Mnist) -> Values:
    """The values of network.j2: layers, classification report, confusion of 4 and 9, misclassified images."""
    labels = data.test_labels
    scores = summary(labels, np.eye(10)[answered])
    wrong = [index for index, _ in record["test"]["errors"]]
    return {
        "layers": record["layers"],
        "weights": record["weights"],
        "digits": scores["digits"],
        "crossed": {"49": scores["confusion"][4][9], "94": scores["confusion"][9][4]},
        "wrong": len(wrong),
        "misclassified": [
            {
                "index": shown["index"],
                "label": int(labels[shown["index"]]),
                "likeliest": sorted(enumerate(shown["probabilities"]), key=lambda pair: -pair[1])[:3],
                "known_error": bool(_known_errors(data)) and shown["index"] in LABEL_ERRORS,
            }
            for shown in record["misclassified"]
        ],
    }


def _network_figures(record: Values, answered: npt.NDArray[np.int64], data: Mnist) -> dict[str, str]:
    """The paper's figures of the data and of one network, by name."""
    kernel, bias = np.array(record["first_layer"]["kernel"]), np.array(record["first_layer"]["bias"])
    stride = record["first_layer"]["stride"]
    first_of = [data.train_images[np.flatnonzero(data.train_labels == digit)[:IMAGES_PER_LABEL]] for digit in range(10)]
    drawn = {
        "labels": figures.labels(np.bincount(data.train_labels, minlength=10).tolist()),
        "first-ten": figures.grid([image for images in first_of for image in images], IMAGES_PER_LABEL),
        "filters": figures.grid(list(np.moveaxis(kernel, -1, 0)), 8),
        "confusion": figures.matrix(confusion(data.test_labels, answered).tolist()),
    }
    for name, digit in (("seven", 7), ("zero", 0)):
        image = data.test_images[np.flatnonzero(data.test_labels == digit)[0]]
        drawn[name] = figures.grid(list(feature_maps(image, kernel, bias, stride)), 8)
    if record["misclassified"]:
        titles = [
            f"{data.test_labels[shown['index']]}, read {np.argmax(shown['probabilities'])}\n"
            f"{max(shown['probabilities']):.2f} to {shown['probabilities'][data.test_labels[shown['index']]]:.2g}"
            for shown in record["misclassified"]
        ]
        images = [data.test_images[shown["index"]] for shown in record["misclassified"]]
        drawn["misclassified"] = figures.grid(images, 5, titles)
    return drawn


def feature_maps(
    image: Bytes, kernel: npt.NDArray[np.floating], bias: npt.NDArray[np.floating], stride: int = 1
) -> npt.NDArray[np.float64]:
    """(filters, H, W): the output of the first convolution, with valid padding and ReLU, for a (28, 28) uint8 image.

    Args:
        image: (28, 28) uint8.
        kernel: (k, k, filters).
        bias: (filters,).
        stride: Stride of the convolution, pixels.
    """
    every = np.lib.stride_tricks.sliding_window_view(image / 255, kernel.shape[:2])
    windows = every[::stride, ::stride]  # (H, W, k, k)
    return np.moveaxis(np.maximum(np.tensordot(windows, kernel, 2) + bias, 0), -1, 0)
