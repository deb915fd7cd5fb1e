"""Some of the cases of `make fuzz`: whatever a file holds, it is read or refused by an error of digitocr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import cases
import guided
import mutators
import noise


@pytest.mark.filterwarnings("ignore")  # Pillow's, of damaged headers
@pytest.mark.parametrize(("kind", "count"), [("pictures", 500), ("json", 200)])
def test_what_is_damaged_is_read_or_refused(kind, count, tmp_path):
    outcomes = [cases.outcome(kind, seed, tmp_path) for seed in range(count)]
    assert [one for one in outcomes if one.startswith("untyped")] == []
    assert "read" in outcomes
    assert any(one.endswith("Error") for one in outcomes)


@pytest.mark.parametrize("make", [mutators.picture, mutators.model, mutators.json_file])
def test_a_seed_gives_the_same_case_each_time(make):
    assert [make(seed) for seed in range(20)] == [make(seed) for seed in range(20)]
    assert len({make(seed)[1] for seed in range(20)}) > 15


def test_noise_in_each_format_is_decoded(capsys):
    noise.register_heif_opener()
    for form, options, name, *_ in (*noise.CASES, *noise.OF_BYTES):
        seconds, size = noise.decoded(form, options, noise.PICTURES[name][:64, :64])
        assert 0 <= seconds < 2
        assert size > 64 * 64 / 8
    noise.row("TIFF", {"compression": "lzma", "quality": 100}, "grey", "48 MB", 1.06)
    assert capsys.readouterr().out == "| TIFF | lzma, quality 100 | grey | 48 MB | 1.1 |\n"


@pytest.mark.parametrize(("kind", "seconds"), [("json", "4"), ("models", "1")])
def test_a_run_prints_its_table(kind, seconds):
    words = [sys.executable, Path(__file__).with_name("run.py"), "--seconds", seconds, "--kind", kind, "--jobs", "1"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True, env=os.environ)
    assert done.stdout.startswith("| kind | cases | read |")
    assert f"| {kind} | " in done.stdout


@pytest.mark.filterwarnings("ignore")  # NumPy's, of an empty table
@pytest.mark.parametrize("kind", list(guided.KINDS))
def test_what_guided_inputs_begin_with_is_read(kind, tmp_path):
    reads, seeds = guided.KINDS[kind]
    outcomes = [cases.became(lambda content=content: reads(content, tmp_path)) for content in (b"", *seeds())]
    assert [one for one in outcomes if one.startswith("untyped")] == []
    assert outcomes.count("read") > 2
