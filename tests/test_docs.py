"""The documents are true: commands run, tables are those of the result files, links lead somewhere."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import digitocr

ROOT = Path(__file__).parents[1]
ROOMS = ("src/digitocr", "runtime", "train", "export", "cli")  # folders of sources
RESULTS = ROOT / "benchmarks" / "results"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "runtime" / "models" / "README.md"])
}
README = PAGES["README.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
SHELL = [
    (name, line.split("  #")[0].strip())
    for name, text in PAGES.items()
    for kind, block in BLOCK.findall(text)
    if kind == "sh"
    for line in block.splitlines()
]
COMMANDS = sorted({command for _, command in SHELL})
READING = [command for command in COMMANDS if re.search(r"digitocr (predict|data check) .*(examples/| -$)", command)]
DIGITOCR = [command for command in COMMANDS if re.match(r"digitocr \w", command) and command not in READING]
MAKE = {command.split()[1] for command in COMMANDS if command.startswith("make ") and " -C " not in command}
PYTHON = [
    pytest.param(block, id=f"{name} {number}")
    for name, text in PAGES.items()
    for number, (kind, block) in enumerate(BLOCK.findall(text))
    if kind == "python"
]
OUTPUTS = {  # what a command prints, where a block of text follows that begins with a digit
    block.splitlines()[-1].split("  #")[0].strip(): output
    for text in PAGES.values()
    for block, output in re.findall(r"^```sh\n([^`]*)^```\n```text\n(\d[^`]*)^```", text, re.M)
}


def loaded(name):
    """A script of docs/ as a module."""
    spec = spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def run(command, folder, **settings):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, "PATH": path, **settings}, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def helps():
    """A function that gives the --help of a command, wide enough for each option to stand whole."""
    known = {}

    def help_of(command):
        if command not in known:
            known[command] = run(f"digitocr {command} --help", ROOT, COLUMNS="200").stdout
        return known[command]

    return help_of


def test_the_readme_is_short_and_begins_with_the_two_commands():
    assert len(README.splitlines()) <= 130
    first = [command for name, command in SHELL if name == "README.md"][:2]
    assert first == ["make demo", "make test"]
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_commands_of_make_are_targets():
    files = ROOT / "Makefile", ROOT / "runtime" / "c" / "Makefile"  # and that of an exported folder
    targets = {target for file in files for target in re.findall(r"^([\w-]+):", file.read_text("utf-8"), re.M)}
    assert {"demo", "test", "docs"} <= MAKE <= targets


@pytest.mark.parametrize("command", READING)
def test_reading_commands_run(command, folder):
    done = run(command, folder)
    assert done.returncode == 0, done.stderr
    if command in OUTPUTS:
        assert done.stdout == OUTPUTS[command]


def test_outputs_are_shown():
    assert OUTPUTS
    assert OUTPUTS.keys() <= set(READING)


@pytest.mark.parametrize("command", DIGITOCR)
def test_other_commands_have_the_options_they_are_given(command, helps):
    words = shlex.split(command)
    options = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", helps(words[1])))
    assert options, words[1]
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("code", PYTHON)
def test_python_runs(code, folder):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("name", "table"),
    [
        found
        for text in PAGES.values()
        for found in re.findall(r"<!-- results: ([\w-]+) -->\n(.*?)<!-- end -->", text, re.S)
    ],
)
def test_tables_are_those_of_the_result_files(name, table):
    result = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.strip().splitlines()]
    assert rows[0] == list(result["rows"][0])
    assert rows[2:] == [[str(cell) for cell in row.values()] for row in result["rows"]]


def test_the_readme_s_table_has_four_rows_with_the_numbers_of_the_files_that_it_names():
    (table,) = re.findall(r"^\| what \| result \| source \|\n\|[-|]+\n((?:\|.*\n)+)", README, re.M)
    rows = table.splitlines()
    assert len(rows) == 4
    for row in rows:
        what, result, source = (cell.strip() for cell in row.strip("|").split("|"))
        names = re.findall(r"results/([\w-]+)\.md", source)
        numbers = set(
            re.findall(r"\d+(?:[.,]\d+)*", " ".join((RESULTS / f"{name}.json").read_text("utf-8") for name in names))
        )
        assert names
        for number in re.findall(r"\d+(?:[.,]\d+)*", result):
            assert number in numbers or number.replace(",", "") in numbers, (what, number)


def targets(text):
    """The links of a page, outside its code."""
    prose = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))
    return re.findall(r"\]\(([^)\s]+)\)", prose)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    for target in targets(PAGES[name]):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / name).parent / path if path else ROOT / name
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


def test_every_page_is_linked_from_another_one():
    linked = {
        str(((ROOT / name).parent / target.partition("#")[0]).resolve().relative_to(ROOT))
        for name, text in PAGES.items()
        for target in targets(text)
        if not re.match(r"[a-z]+:|#", target)
    }
    assert set(PAGES) - linked <= {"README.md"}


def test_what_is_generated_is_current():
    generate = loaded("generate")
    again = "run: python docs/generate.py"
    assert PAGES["docs/cli.md"] == generate.cli_reference(), again
    assert PAGES["docs/decisions/README.md"] == generate.list_of_decisions(), again
    assert PAGES["docs/architecture.md"] == generate.with_tree(PAGES["docs/architecture.md"]), again


def test_the_tree_has_every_source_file_in_its_place():
    (tree,) = re.findall(r"<!-- tree -->\n```text\n(.*?)```", PAGES["docs/architecture.md"], re.S)
    folders, named = [], set()
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        folders = [*folders[:depth], name]
        if name.endswith(".py"):
            named.add("".join(folders))
    files = {str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert named == {file for file in files if not file.endswith("__init__.py")}


def test_the_python_reference_has_every_public_name():
    named = set(re.findall(r"^::: digitocr\.([\w.]+)$", PAGES["docs/api.md"], re.M))
    errors = {name for name in digitocr.__all__ if name.endswith("Error")}  # of digitocr.runtime.errors
    assert set(digitocr.__all__) - errors - {"__version__"} <= named
    assert "runtime.errors" in named


def test_exit_codes_are_those_of_the_errors():
    from digitocr.runtime import errors

    rows = dict(re.findall(r"^\| (\d+) \|.*\| (.*) \|$", PAGES["docs/exit-codes.md"], re.M))
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]
    assert len(classes) > 9
    for error in classes:
        assert f"`{error.__name__}`" in rows[str(error.exit_code)]


def test_examples_are_read_right(folder):
    labels = {
        label["file"]: label["text"] for label in json.loads((ROOT / "examples" / "labels.json").read_text("utf-8"))
    }
    lines = run("digitocr predict --jsonl examples/", folder).stdout.splitlines()
    assert {Path(row["source"]).name: row["text"] for row in map(json.loads, lines)} == labels


def test_a_source_archive_holds_what_make_and_the_documents_read():
    included = (ROOT / "MANIFEST.in").read_text("utf-8")
    lists = re.findall(r"\.\./([\w/]+\.txt)", (ROOT / "Makefile").read_text("utf-8"))
    assert lists
    assert {f"include {name}" for name in lists} <= set(included.splitlines())
    for name in PAGES.keys() - {"README.md", "runtime/models/README.md"}:
        assert re.search(rf"\b{re.escape(name)}\b|^recursive-include {name.split('/')[0]} .*\*\.md", included, re.M), (
            name
        )


def test_every_package_is_in_the_wheel():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = {str(path.parent.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
    assert set(tool["package-dir"].values()) == folders
    assert set(tool["package-dir"]) == set(tool["packages"])


def test_the_model_card_says_what_is_shipped():
    card = PAGES["runtime/models/README.md"]
    models = ROOT / "runtime" / "models"
    for path in models.glob("digitocr-*.onnx"):
        assert f"`{path.name}`" in card
    sizes = {path.name: round(path.stat().st_size / 1000) for path in models.iterdir()}
    assert f"| {sizes['detector-int8.onnx']} KB |" in card
    assert f"| {sizes['digitocr-int8.onnx']} KB |" in card
    fonts = set((ROOT / "train" / "synthesis" / "fonts.txt").read_text("utf-8").split())
    rows = re.findall(r"^\| .*(?:License|Licence)(?: [\d.]+)? \| (\d+) \| (.*) \|$", card, re.M)
    assert sum(int(count) for count, _ in rows) == len(fonts)
    for count, names in rows[1:]:  # the first row is all others
        assert len(names.split(", ")) == int(count)
        assert set(names.split(", ")) <= fonts
    error = json.loads((models / "confidence.json").read_text("utf-8"))["calibration error"]["scenes"]
    assert f"| {error} |" in card


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert project["version"] == digitocr.__version__
    assert f"\nversion: {digitocr.__version__}\n" in citation


def test_every_requirement_has_a_pinned_version_that_is_allowed():
    content = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = [*content["project"]["optional-dependencies"].values(), *content["dependency-groups"].values()]
    wanted = [
        re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", line) for line in sum(groups, content["project"]["dependencies"])
    ]
    pins = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    )
    for name, lowest in (found.groups() for found in wanted if found):
        assert numbers(pins[name.lower()]) >= numbers(lowest), name


def numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_a_network(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for page in pages:
        text = page.read_text("utf-8")
        loads = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']((?:https?:)?//[^\"']+)", text)
        assert not loads, page
    reference = (tmp_path / "site" / "api.html").read_text("utf-8")
    for name in digitocr.__all__:
        assert name.startswith("_") or f'id="digitocr.{name}"' in reference or name in reference, name
