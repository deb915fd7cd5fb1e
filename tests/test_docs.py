"""The documents are true: commands run and print what is said, tables are those of the result files."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.S | re.M)
COMMANDS = [line.split("  #")[0].strip() for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
READING = [command for command in COMMANDS if "digitocr predict" in command]
OTHERS = [
    command
    for command in COMMANDS
    if re.match(r"digitocr (train|export|info|evaluate|webcam|study|report|search)", command)
]
OUTPUTS = {  # of the last command of a block that a block without a language follows
    block.splitlines()[-1].split("  #")[0].strip(): output
    for block, output in re.findall(r"^```sh\n([^`]*)^```\n```\n([^`]*)^```", README, re.M)
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def run(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )


def test_an_output_is_shown():
    assert OUTPUTS


def test_the_readme_begins_with_the_two_commands():
    assert [command.split()[:2] for command in COMMANDS[:2]] == [["make", "demo"], ["make", "test"]]
    assert {"demo:", "test:"} <= set(re.findall(r"^\w+:", (ROOT / "Makefile").read_text("utf-8"), re.M))


@pytest.mark.parametrize("command", READING)
def test_reading_commands_of_the_readme_run(command, folder):
    done = run(command, folder)
    assert done.returncode == 0, done.stderr
    if command in OUTPUTS:
        assert done.stdout == OUTPUTS[command]


@pytest.mark.parametrize("command", OTHERS)
def test_other_commands_of_the_readme_have_the_options_they_are_given(command, folder):
    words = shlex.split(command)
    options = run(f"{words[0]} {words[1]} --help", folder).stdout
    assert all(word in options for word in words if word.startswith("--"))


def test_the_readme_s_python_runs(folder):
    (code,) = [block for kind, block in BLOCKS if kind == "python"]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4071\n8236\n")


@pytest.mark.parametrize(("name", "table"), re.findall(r"<!-- results: (\w+) -->\n(.*?)<!-- end -->", README, re.S))
def test_tables_of_the_readme_are_those_of_the_result_files(name, table):
    result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.strip().splitlines()]
    assert rows[0] == list(result["rows"][0])
    assert rows[2:] == [[str(cell) for cell in row.values()] for row in result["rows"]]


def test_a_source_archive_holds_the_lists_that_make_reads():
    lists = re.findall(r"\.\./([\w/]+\.txt)", (ROOT / "Makefile").read_text("utf-8"))
    assert lists
    assert {f"include {name}" for name in lists} <= set((ROOT / "MANIFEST.in").read_text("utf-8").splitlines())


def test_every_source_file_is_in_the_readme_s_tree():
    (tree,) = [block for kind, block in BLOCKS if kind == "text"]
    named = set(re.findall(r"^\s+(\w+\.py)\s", tree, re.M))
    files = {path.name for room in ("runtime", "train", "export", "cli") for path in (ROOT / room).rglob("*.py")}
    assert named == files - {"__init__.py"}


def test_examples_are_read_right(folder):
    labels = {
        label["file"]: label["text"] for label in json.loads((ROOT / "examples" / "labels.json").read_text("utf-8"))
    }
    lines = run("digitocr predict --jsonl examples/", folder).stdout.splitlines()
    assert {Path(row["source"]).name: row["text"] for row in map(json.loads, lines)} == labels
