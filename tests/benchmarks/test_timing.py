"""The command lines of the benchmarks, and what they write."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text("utf-8"))
ROWS = [{"what": "a", "ms": 1}, {"what": "b", "ms": 2}]


@pytest.fixture
def timing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, in a project of its own."""
    spec = importlib.util.spec_from_file_location("timing", BENCHMARKS / "timing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("before\n<!-- results: speed -->\nold\n<!-- end -->\nafter\n")
    (tmp_path / "docs" / "results.md").write_text("<!-- results: size -->\nold\n<!-- end -->\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return module


def test_results_are_printed_and_written_only_where_that_is_asked_for(
    timing: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    timing.report("speed", "Speed", ROWS, ["a note"], save=False)
    assert "| b | 2 |" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    timing.report("speed", "Speed", ROWS, ["a note"], save=True)
    table = "| what | ms |\n|---|---|\n| a | 1 |\n| b | 2 |\n"
    assert (tmp_path / "README.md").read_text() == f"before\n<!-- results: speed -->\n{table}<!-- end -->\nafter\n"
    assert (tmp_path / "docs" / "results.md").read_bytes() == before[tmp_path / "docs" / "results.md"]
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"speed.json", "speed.md"}


def test_turns_are_counted_from_the_second_on(timing: ModuleType) -> None:
    calls: list[str] = []
    seconds = timing.interleaved({name: lambda name=name: calls.append(name) for name in "ab"}, repeats=2)
    assert calls == ["a", "b"] * 3
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 2, "b": 2}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_benchmark_has_the_common_command_line(script: Path) -> None:
    tree = ast.parse(script.read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    (parser,) = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "argument_parser"]
    assert ast.unparse(parser.args[0]) == "__doc__"
    assert any(isinstance(call.func, ast.Name) and call.func.id == "report" for call in calls)


@pytest.mark.parametrize(
    "name", ["cold", "folder", "footprint", "lines", "others", "touching"]
)  # those that load no TensorFlow
def test_help_explains_a_benchmark_and_runs_nothing(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    doc = ast.get_docstring(ast.parse((BENCHMARKS / f"{name}.py").read_text("utf-8")))
    assert doc is not None
    assert doc in done.stdout
    assert "--save" in done.stdout
