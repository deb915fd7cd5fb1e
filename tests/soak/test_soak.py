"""A little of `make soak`: kills, faults, and a minute before a camera; and its published tables."""

import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent))

import attempts
import cluster
import commands
import day
import run

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "reliability.md").read_text("utf-8").partition("## Kills and faults")[2]


def test_a_killed_predict_goes_on_and_a_run_prints_its_table():
    words = [sys.executable, Path(__file__).with_name("run.py"), "--part", "kills", "--kills", "2"]
    words += ["--command", "predict --output --resume"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("\n| killed | kills | while writing |")
    assert re.search(r"\n\| `predict --output --resume` \| 2 \| \d \| \d \| 0 \| 0 \| 0 \| 0 \|\n", done.stdout)


def test_what_no_run_may_do_is_noticed(tmp_path, monkeypatch):
    code = "import os; main = lambda: (open('b.json', 'w').close(), os.replace('b.json', 'a.json'), exit(3))"
    (tmp_path / "main.py").write_text(code)
    (tmp_path / "work").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "digitocr.cli.main", __import__("main"))
    monkeypatch.setattr("digitocr.cli.main", __import__("main"), raising=False)
    ended = attempts.Attempt([], tmp_path / "work").wait()
    assert (ended.code, ended.moments) == (3, 2)
    assert ended.wrong == ["opens b.json to write under its final name", "renames to a.json without sync"]
    killed = attempts.Attempt([], tmp_path / "work", at=1, fault=attempts.killed_soon(random.Random(0))).wait()
    assert (killed.code, killed.moments) == (attempts.KILLED, 1)


def test_kills_end_when_there_were_enough_or_the_time_is_over():
    plan = run.Plan(kills=3, until=time.monotonic() + 60, seconds=1.0, moments=5)
    assert [plan.is_done(kills) for kills in (2, 3)] == [False, True]
    assert plan._replace(until=time.monotonic() - 1).is_done(0)


def test_what_was_reported_may_not_be_lost():
    assert run.lost({"a": 1, "b": 2}, {"b": 3, "c": 4}) == ["a is gone", "b has changed"]
    assert run.lost({"a": 1}, {"a": 1, "b": 2}) == []


def test_no_number_is_lost_or_invented_before_a_camera():
    row = day.day(frames=3000, seed=1)
    assert row["announced"] > 15
    assert (row["lost"], row["invented"], row["kept"] <= day.KEPT, row["beats"] > 0) == (0, 0, True, True)


def test_the_table_of_a_cluster_counts_what_is_lost_or_comes_twice(monkeypatch, capsys):
    rows = [json.dumps({"source": f"in/{name}.png", "error": None}) for name in (0, 1, 1, 3)]
    assert cluster.differences(rows, 4) == {"lost": 1, "twice": 1}
    row = {"pictures": 4, "workers": 2, "schedulers": 1, "runs": 2, "codes": "1 x 0, 1 x 10", "lost": 1, "twice": 1}
    monkeypatch.setattr(cluster, "cluster", lambda *_: row | {"seconds": 9})
    assert run.clusters(SimpleNamespace(pictures=4, every=5, seed=0)) == 2
    assert "\n| 4 | 2 | 1 | 2 | 1 x 0, 1 x 10 | 1 | 1 | 9 |\n" in capsys.readouterr().out


def test_the_published_tables_are_of_these_commands_and_faults_and_nothing_went_wrong():
    rows = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if line.startswith("| ") and "`" in line]
    named = {f"`{name}`" for name in commands.COMMANDS}
    killed = [row for row in rows if len(row) == 8]
    assert {row[0] for row in killed} <= named
    assert all(int(row[1]) >= 3 and row[4:] == ["0"] * 4 for row in killed)
    broken = [row for row in rows if len(row) == 9]
    assert {row[0] for row in broken} <= set(attempts.FAULTS)
    assert {row[1] for row in broken} <= named
    assert all(row[6:] == ["0"] * 3 for row in broken)
    assert len(killed) + len(broken) == len(rows) > 3
