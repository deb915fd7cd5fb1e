"""The folder of C files: it compiles without a warning, answers as ONNX Runtime does, and is gated."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from digitocr.export import to_c
from digitocr.export.c_tables import c_tables
from digitocr.export.to_c import Networks, export_c, find_compiler
from digitocr.runtime.errors import GateError, MissingExtraError, ModelError, OutputError
from digitocr.runtime.interpreter import onnx_session
from digitocr.runtime.models import shipped_model
from digitocr.train.data import Mnist
from digitocr.train.quiet import silenced

with silenced():
    from digitocr.export.fuse import fuse
    from digitocr.export.to_onnx import to_onnx

NAMES = {"classifier": "digitocr", "detector": "detector", "recognizer": "recognizer"}
SHIPPED = Networks(**{name: shipped_model(f"{file}-int8.onnx") for name, file in NAMES.items()})
STRICT = ["-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")


def loaded() -> list[Any]:
    return [to_c._load(name, getattr(SHIPPED, name)) for name in NAMES]


def compiled(folder: Path, program: str, *arguments: str) -> Path:
    made = folder / program
    result = subprocess.run(
        ["cc", *STRICT, *arguments, "-o", str(made)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("c")
    to_c.write_folder(made, loaded(), None)
    compiled(made, "weights.o", "-c", "digitocr_weights.c")
    return made


@pytest.fixture(autouse=True)
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_c, "GATE_PAGES", 2)
    monkeypatch.setattr(to_c, "GATE_SIZES", [(64, 48)])


@pytest.fixture(scope="module")
def few() -> Mnist:
    """MNIST as the gate takes it, with 30 test images of noise."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 28, 28)).astype(np.uint8)
    labels = np.arange(30, dtype=np.uint8) % 10
    return Mnist(images, labels, images, labels, "")


@needs_compiler
def test_all_kernels_answer_as_onnx_runtime_does(folder: Path) -> None:
    program = compiled(folder, "selftest", "selftest.c", "weights.o")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    *lines, reading = (line.split() for line in done.stdout.splitlines())
    assert lines[-1][0] == "plain"
    assert reading[0] == "reading"
    assert {line[2] for line in (*lines, reading)} == {"ok"}
    assert len({line[1] for line in lines}) == 1  # the same hash
    for network in loaded():
        channels = network.tables.layers[0].channels_out
        rng = np.random.default_rng(1)
        for rows, columns in {"classifier": [(28, 28)], "detector": [(8, 8), (40, 72)]}.get(network.name, [(40, 32)]):
            batch = rng.integers(0, 256, (4, rows, columns, channels)).astype(np.uint8)
            assert to_c._difference(program, network, batch)[0] == 0, (network.name, rows, columns)


@needs_compiler
def test_the_networks_of_the_paper_answer_as_onnx_runtime_does(
    folder: Path, tmp_path: Path, make_network: Callable[[int], Any], images: Any
) -> None:
    networks = []
    for experiment, name in enumerate(NAMES, 1):  # three at once, under the names of the three networks
        path = tmp_path / f"{experiment}.onnx"
        to_onnx(fuse(make_network(experiment)), path, images)
        tables = c_tables(onnx.load(str(path)), f"dg_{name}")
        session = onnx_session(path.read_bytes(), path, 1)
        networks.append(to_c._Network(name, path, "", tables, session, np.float32(1 / 255), 0))
    shutil.copytree(folder, tmp_path / "c")
    body = "\n".join(network.tables.source for network in networks)
    source = f'#include "digitocr_weights.h"\nconst uint32_t dg_weights_check = DIGITOCR_WEIGHTS_CHECK;\n{body}'
    (tmp_path / "c" / "digitocr_weights.c").write_text(source)
    program = compiled(tmp_path / "c", "selftest", "selftest.c", "digitocr_weights.c")
    bytes_ = np.rint(images * 255).astype(np.uint8)
    for network in networks:
        done = subprocess.run(
            [program, "run", network.name, "28", "28"], input=bytes_.tobytes(), capture_output=True, check=True
        )
        expected = network.session.run(None, {"image": bytes_.astype(np.float32) * np.float32(1 / 255)})[0]
        np.testing.assert_array_equal(np.frombuffer(done.stdout, np.float32).reshape(-1, 10), expected)


PLANS = """
#include "digitocr.c"
#include <stdio.h>

int main(void) {
    int32_t kernels, columns, number;
    for (kernels = 0; kernels < dg_kernels_count(); kernels++)
        for (columns = 16; dg_kernels_name(kernels) && columns <= 2048; columns += 16) {
            struct dg_plan plan;
            dg_begin_plan(kernels, &dg_recognizer, columns, 32, &plan); /* its strips lie on their side */
            dg_best_plan(0, &plan);
            for (number = 1; number < plan.count && !plan.steps; number++) {
                const struct dg_job *job = &plan.jobs[number];
                int is_chained = job[-1].chain_end == job->chain_end;
                if (is_chained && job->columns < plan.kernels->group / 2) return printf("%d %d\\n", columns, number);
            }
        }
    return 0;
}
"""


@needs_compiler
def test_with_room_no_layer_of_a_strip_is_computed_a_pixel_at_a_time(folder: Path) -> None:
    (folder / "plans.c").write_text(PLANS)
    program = compiled(folder, "plans", "-O0", "-DDIGITOCR_ALL_KERNELS", "plans.c", "weights.o")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


HARNESS = """
#include "digitocr.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    size_t needed = digitocr_classify_bytes(), size, shift;
    struct digitocr_options options = digitocr_defaults();
    unsigned char pixels[784];
    float first[DIGITOCR_MAX_CLASSES], logits[DIGITOCR_MAX_CLASSES];
    int place, enough = 0;
    for (place = 0; place < 784; place++) pixels[place] = (unsigned char)(place * 7);
    for (size = 0; size < needed + 2; size += size + 200 < needed ? 97 : 1)
        for (shift = 0; shift < 16; shift += 5) {
            unsigned char *arena = malloc(size + shift); /* a sanitizer sees a byte too much */
            int error = digitocr_classify(pixels, logits, size ? arena + shift : NULL, size);
            free(arena);
            if (error && error != DIGITOCR_ERROR_MEMORY) return 1;
            if (error && size >= needed) return 2;
            if (!error && !enough++) memcpy(first, logits, sizeof first);
            if (!error && memcmp(first, logits, sizeof(float) * (size_t)digitocr_classes())) return 3;
        }
    if (digitocr_classify(NULL, logits, pixels, 0) != DIGITOCR_ERROR_ARGUMENT) return 4;
    if (digitocr_classify(pixels, NULL, pixels, 0) != DIGITOCR_ERROR_ARGUMENT) return 5;
    if (strcmp(digitocr_error_name(DIGITOCR_ERROR_MEMORY), "DIGITOCR_ERROR_MEMORY")) return 6;
    if (strcmp(digitocr_error_name(-7), "unknown error")) return 7;
    /* turned by 45 degrees, strips would be squares of their length */
    if (digitocr_read_bytes(20000, 60, &options) > 10000000) return 9;
    if (digitocr_read_bytes(DIGITOCR_MAX_SIDE, 1, &options) > 10000000) return 10;
    return enough ? 0 : 8;
}
"""


def has_sanitizers(folder: Path) -> bool:
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    command = ["cc", "-fsanitize=address,undefined", "empty.c", "-o", "empty"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@needs_compiler
def test_pictures_and_memory_of_any_size_give_a_reading_or_an_error(folder: Path) -> None:
    (folder / "harness.c").write_text(HARNESS)
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if has_sanitizers(folder) else []
    compiled(folder, "library.o", "-c", "digitocr.c", *flags)
    program = compiled(folder, "harness", "harness.c", "library.o", "weights.o", *flags)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shutil.copy(Path(__file__).with_name("fuzz.c"), folder)
    program = compiled(folder, "fuzz", "-DSEED=1", "fuzz.c", "library.o", "weights.o", *flags)
    done = subprocess.run([program, "40"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if flags:
        checked = compiled(folder, "checked", "selftest.c", "weights.o", *flags)
        done = subprocess.run([checked], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_compiler
@pytest.mark.parametrize(
    ("macro", "why"),
    [
        ("__FAST_MATH__=1", "-ffast-math, -Ofast"),
        ("__ASSOCIATIVE_MATH__=1", "-funsafe-math-optimizations"),
        ("__RECIPROCAL_MATH__=1", "-funsafe-math-optimizations"),
        ("__FLT_EVAL_METHOD__=2", "float is computed with more bits here"),
    ],
)
def test_a_compiler_that_computes_float_otherwise_is_refused(folder: Path, macro: str, why: str) -> None:
    words = ["cc", "-w", "-E", f"-U{macro.partition('=')[0]}", f"-D{macro}", "digitocr.c"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert why in done.stderr


@needs_compiler
def test_weights_of_another_export_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "c")
    header = tmp_path / "c" / "digitocr_weights.h"
    header.write_text(header.read_text().replace("WEIGHTS_CHECK 0x", "WEIGHTS_CHECK 1 + 0x"))
    program = compiled(tmp_path / "c", "selftest", "selftest.c", "weights.o")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "weights of another export\n")


@needs_compiler
def test_an_export_that_passes_is_complete_and_is_not_overwritten(few: Mnist, tmp_path: Path) -> None:
    report = export_c(tmp_path / "c", SHIPPED, few)
    assert report["passed"] is True
    assert report["classifier"] == {"values": 330, "different": 0}
    assert report["pages"] == {"pages": 2, "different": 0}
    names = {path.name for path in (tmp_path / "c").iterdir()}
    assert names == {*to_c.COPIED, *to_c.MADE, to_c.REPORT}
    assert json.loads((tmp_path / "c" / to_c.REPORT).read_text())["images"] == 30
    with pytest.raises(OutputError, match="exists already"):
        export_c(tmp_path / "c", SHIPPED, few)


@pytest.mark.parametrize("name", ["digitocr.c", "Makefile"])
def test_a_file_that_is_there_is_kept_without_force(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name}: exists already"):
        export_c(tmp_path, SHIPPED, None, verify=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


@needs_compiler
def test_an_answer_that_differs_refuses_the_export(few: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = to_c.write_folder

    def damaged(folder: Path, *rest: Any) -> None:
        write(folder, *rest)
        source = (folder / "digitocr_weights.c").read_text()
        start = source.index("dg_classifier_8_bias[] = {") + len("dg_classifier_8_bias[] = {")
        end = source.index("}", start)
        first, *others = source[start:end].split(",")
        bias = ",".join([f" {int(first) + 1}", *others])
        (folder / "digitocr_weights.c").write_text(source[:start] + bias + source[end:])

    monkeypatch.setattr(to_c, "write_folder", damaged)
    with pytest.raises(GateError, match=r"selftest: .* DIFFERS; values: 30 of 330 of the classifier differ"):
        export_c(tmp_path / "c", SHIPPED, few)
    assert [path.name for path in (tmp_path / "c").iterdir()] == [to_c.REPORT]


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ({"a": [0.5, 1], "more": 1}, {"a": [0.50005, 1]}, True),
        ({"a": 0.5}, {"a": 0.51}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({}, {"a": 1}, False),
        (None, {"a": 1}, False),
        ("12", "12", True),
    ],
)
def test_readings_are_the_same_but_for_the_last_place_of_a_confidence(found: Any, expected: Any, same: bool) -> None:
    assert to_c._same(found, expected) is same


def test_a_folder_that_does_not_compile_is_refused(few: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_c, "find_compiler", lambda: ["false"])
    with pytest.raises(GateError, match="compile: "):
        export_c(tmp_path / "c", SHIPPED, few)


def test_an_export_without_proof_says_so(tmp_path: Path) -> None:
    report = export_c(tmp_path / "c", SHIPPED, None, verify=False)
    assert report["passed"] is None
    assert (tmp_path / "c" / "digitocr.c").exists()


def test_the_confidence_is_that_of_the_networks(tmp_path: Path) -> None:
    content = json.loads(shipped_model("confidence.json").read_text())
    content["weights"]["digit"] += 0.5
    own = tmp_path / "confidence.json"
    own.write_text(json.dumps(content))
    assert to_c.amalgamated(shipped_model("confidence.json")) == to_c.amalgamated()
    assert to_c.amalgamated(own) != to_c.amalgamated()
    assert to_c._reader(loaded(), own)._files["confidence"] == own


def test_a_compiler_is_looked_for_on_the_path_and_then_in_ziglang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="device"):
        find_compiler()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert find_compiler()[1:] == ["-m", "ziglang", "cc"]


def test_a_network_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    swapped = Networks(SHIPPED.detector, SHIPPED.detector, SHIPPED.recognizer)
    with pytest.raises(ModelError, match="is no classifier"):
        export_c(tmp_path / "c", swapped, None, verify=False)
