"""Imports point one way, and each command loads no more than it needs."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BELOW = {"runtime": set(), "train": {"runtime"}, "export": {"runtime", "train"}, "cli": {"runtime", "train", "export"}}
RUNTIME = [
    "errors",
    "arguments",
    "formats",
    "files",
    "schemas",
    "limits",
    "processes",
    "opencv",
    "resampling",
    "levels",
    "image",
    "boxes",
    "background",
    "drawing",
    "characters",
    "patterns",
    "matching",
    "reading",
    "models",
    "preprocessing",
    "interpreter",
    "trial",
    "classifier",
    "detector",
    "recognizer",
    "lines",
    "strips",
    "numbers",
    "confidence",
    "attempt",
    "recognition",
    "candidates",
    "orientation",
    "many",
    "reader",
    "selftest",
    "live.frames",
    "live.addresses",
    "live.cameras",
    "live.decoding",
    "live.sources",
    "live.capture",
    "live.tracking",
    "live.changes",
    "live.following",
    "live.rising",
    "live.video",
]  # each imports earlier ones
HEAVY = {"tensorflow", "keras", "onnx", "tf2onnx", "scipy", "matplotlib", "dask", "distributed"}


def files(room):
    return sorted(Path(find_spec(f"digitocr.{room}").origin).parent.rglob("*.py"))


def module(path):
    """live.video of runtime/live/video.py."""
    return ".".join(path.relative_to(Path(find_spec("digitocr.runtime").origin).parent).with_suffix("").parts)


def imported(path, nodes=ast.walk):
    """Every module that a file imports, inside functions as well; `from a import b` counts as a.b."""
    for node in nodes(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", BELOW)
def test_a_package_imports_only_packages_below_it(room):
    rooms = {name.split(".")[1] for path in files(room) for name in imported(path) if name.startswith("digitocr.")}
    assert rooms & set(BELOW) <= BELOW[room] | {room}


def test_data_walks_one_way_through_the_runtime():
    found = {module(path): path for path in files("runtime") if path.stem != "__init__"}
    assert set(found) == set(RUNTIME)
    for place, name in enumerate(RUNTIME):
        names = {one.removeprefix("digitocr.runtime.") for one in imported(found[name]) if "digitocr.runtime." in one}
        used = {other for other in RUNTIME if any(one == other or one.startswith(f"{other}.") for one in names)}
        assert used <= set(RUNTIME[:place]), f"{name} imports {used - set(RUNTIME[:place])}"


def test_the_runtime_never_names_tensorflow_keras_or_onnx():
    assert not {name.split(".")[0] for path in files("runtime") for name in imported(path)} & HEAVY


def test_no_library_of_one_system_alone_is_imported_where_a_module_is_loaded():
    for path in (path for room in BELOW for path in files(room)):
        outside = set(imported(path, ast.iter_child_nodes))
        assert not outside & {"fcntl", "resource", "pwd", "grp", "termios", "msvcrt", "winreg"}, path


def test_opencv_is_imported_in_one_place():
    theirs = {path.name for room in ("runtime", "cli") for path in files(room) if "cv2" in set(imported(path))}
    assert theirs == {"opencv.py"}


def test_the_commands_import_their_libraries_inside():
    commands = [path for path in files("cli") if path.stem == "main" or path.parent.name == "commands"]
    assert len(commands) > 9
    for path in commands:
        outside = {name.split(".")[0] for name in imported(path, ast.iter_child_nodes)}
        assert outside <= sys.stdlib_module_names | {"typer", "digitocr"}, path


def loaded(*words):
    """The top-level names of all modules that a command of digitocr imports."""
    command = [sys.executable, "-X", "importtime", "-m", "digitocr.cli.main", "--debug", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\w+)", done.stderr, re.M))


def test_predict_never_loads_tensorflow_keras_onnx_or_dask(tmp_path):
    (tmp_path / "blank.pgm").write_bytes(b"P5 30 40 255\n" + bytes(1200))
    names = loaded("predict", str(tmp_path / "blank.pgm"))
    assert {"numpy", "cv2", "PIL", "onnxruntime"} <= names
    assert not names & (HEAVY | {"ai_edge_litert"})


def test_help_loads_no_library_but_the_parser():
    assert not loaded("--help") & {"numpy", "cv2", "PIL", "onnxruntime", "ai_edge_litert", *HEAVY}
