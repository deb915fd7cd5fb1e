"""What the benchmark of adaptations teaches, and how it counts what was read before and after."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image

FONT = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@pytest.fixture
def adapt(benchmark_module):
    return benchmark_module("adapt")


@pytest.fixture
def finished(tmp_path):
    """A folder of a finished run."""
    pictures = [
        {"text": text, "right": right}
        for text, right in (("4", [False, True]), ("7", [True, False]), ("1", [False, True]), ("", [False, False]))
    ]
    report = {"pictures": pictures, "mnist": {"before": 0.9963, "after": 0.9961}, "passed": True}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "adapt.json").write_text(json.dumps(report))
    (tmp_path / "run" / "cost.json").write_text('{"seconds": 80, "processor_seconds": 90, "megabytes": 1400}')
    return tmp_path / "run"


def test_a_picture_is_of_the_meter_that_is_named_or_of_those_of_its_size(adapt, tmp_path):
    rows = []
    for number, (size, group) in enumerate((((20, 30), None), ((20, 30), ""), ((21, 30), None), ((20, 30), "cellar"))):
        Image.new("L", size).save(tmp_path / f"{number}.png")
        rows.append({"file": f"{number}.png", "text": "3", "group": group})
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    assert [sample.group for sample in adapt.meters(tmp_path)] == ["20x30", "20x30", "21x30", "cellar"]


def test_whole_meters_are_taught_40_pictures_at_most(adapt):
    samples = [adapt.Sample(Path("a.png"), "1", f"meter {number % 17}") for number in range(150)]
    chosen = [adapt.taught_groups(samples, seed) for seed in range(3)]
    for groups in chosen:
        assert 30 < sum(sample.group in groups for sample in samples) <= adapt.TAUGHT
    assert chosen[0] == adapt.taught_groups(samples, 0)
    assert chosen[0] != chosen[1]


def test_a_line_has_two_to_five_digits_and_a_seed_draws_the_same(adapt):
    lines = [adapt.line(FONT, np.random.default_rng([2, number])) for number in range(8)]
    assert lines[3] == adapt.line(FONT, np.random.default_rng([2, 3]))
    assert {len(text) for _, text in lines} <= {2, 3, 4, 5}
    assert all(text.isdigit() and file[:2] == b"\xff\xd8" for file, text in lines)


def test_a_finished_run_is_not_repeated_and_its_digits_are_counted(adapt, finished, tmp_path):
    report = adapt.run([], [], finished, tmp_path, 0)
    row = adapt.row("meters", [report, report])
    counts = [row[name] for name in ("pictures", "wrong before", "wrong after", "mended", "broken")]
    assert counts == [6, 4, 2, 4, 2]  # without the wheels between two digits
    assert (row["p"], row["MNIST, points"], row["gate"]) == ("", "-0.02", "2 of 2 passed")
    assert (row["processor minutes"], row["MB"]) == ("1.5", "1400")
    assert adapt.row("meters", [report])["p"] == "1"


def test_the_memory_of_a_process_is_measured(adapt):
    assert adapt.memory(os.getpid()) > 20e6
    assert adapt.memory(2**22 + 1) == 0  # there is none
