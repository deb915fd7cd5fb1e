"""Int8 ONNX files -> a folder of C99 that compiles as it lies, compared with ONNX Runtime bit for bit.

    report = export_c(Path("exports/c"), Networks(classifier, detector, recognizer), load_mnist())

leaves digitocr.h, digitocr.c (the files of runtime/c in one), digitocr_weights.c (tables that are made from the ONNX
files), a program, a selftest, build files, and the report of the gate. The gate compiles the folder and runs it.
"""

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from digitocr import __version__
from digitocr.export.c_constants import constants
from digitocr.export.c_golden import fnv, golden_pictures
from digitocr.export.c_tables import Tables, c_tables
from digitocr.export.parity import Report
from digitocr.export.publish import refuse_there
from digitocr.runtime.confidence import load_confidence
from digitocr.runtime.detector import detector_input
from digitocr.runtime.errors import GateError, MissingExtraError, ModelError, OutputError
from digitocr.runtime.files import replacing
from digitocr.runtime.image import load
from digitocr.runtime.interpreter import onnx_session
from digitocr.runtime.models import model_content
from digitocr.runtime.preprocessing import SIDE
from digitocr.runtime.reader import Reader
from digitocr.runtime.recognizer import STRIP_HEIGHT, recognizer_input
from digitocr.train.data import Mnist
from digitocr.train.evaluation.page_report import drawn_pages

SOURCES = Path(__file__).parents[1] / "runtime" / "c"  # also in the installed package
PARTS = (  # of digitocr.c, in this order
    "math.c",
    "network.c",
    "image.c",
    "detection.c",
    "classify.c",
    "reading.c",
    "reader.c",
)
COPIED = ("digitocr.h", "digitocr_cli.c", "selftest.c", "Makefile", "CMakeLists.txt", "library.properties",
          "idf_component.yml", "README.md")  # fmt: skip
LOCAL = """#if defined(__GNUC__)
#define DG_LOCAL static __attribute__((unused)) /* a level may not need all of what it could use */
#else
#define DG_LOCAL static
#endif
"""
MADE = ("digitocr.c", "digitocr_weights.h", "digitocr_weights.c", "digitocr_golden.h")
REPORT = "digitocr.report.json"
REPORT_SCHEMA = "digitocr-c-parity/1"
GOLDEN_DIGITS = 20  # test images in the selftest
GOLDEN_SIZES = {  # rows and columns of the noise in the selftest
    "classifier": [(SIDE, SIDE)],
    "detector": [(16, 24), (112, 144)],
    "recognizer": [(8, STRIP_HEIGHT), (96, STRIP_HEIGHT)],  # it is turned
}
GATE_SIZES = [(64, 48), (112, 144), (272, 208), (400, 528)]  # rows and columns of the detector's inputs in the gate
GATE_WIDTHS = [8, 48, 200, 640]  # columns of the recognizer's
GATE_INPUTS = 3  # of each size
GATE_PAGES = 200  # drawn pages that the program and Reader read
GATE_SEED = 0  # of these pages
ROUNDING = 1.01e-4  # the last place of a confidence in JSON; it may be rounded up by one and down by the other
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
COMPILE_SECONDS = 600
RUN_SECONDS = 600

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Networks:
    """The int8 ONNX files of an export, and the file of their confidence, by default the shipped one."""

    classifier: Path
    detector: Path
    recognizer: Path
    confidence: Path | None = None


@dataclass(frozen=True)
class _Network:
    """A network as the folder has it and as ONNX Runtime runs it."""

    name: str
    path: Path
    sha256: str
    tables: Tables
    session: Any
    scale: np.float32  # of the input
    zero_point: int

    def outputs(self, given: Bytes) -> list[npt.NDArray[Any]]:
        """What ONNX Runtime answers to (rows, columns, channels) bytes, which are turned as the network is.

        Each output is as the C library has it: (rows, columns, channels) bytes, or float32 of a classifier.
        """
        values = ((given.astype(np.float32) - self.zero_point) * self.scale)[None]
        rows, columns = (2, 1) if self.tables.is_turned else (1, 2)
        image = values if self.name == "classifier" else values.transpose(0, 3, rows, columns)
        found = self.session.run(None, {"image": image})
        answers = []
        for end, output in zip(self.tables.ends, found, strict=True):
            if not end.scale:
                answers.append(np.asarray(output[0], np.float32))
            else:
                steps = np.rint(output[0].transpose(rows, columns, 0) / end.scale) + end.zero_point
                answers.append(steps.astype(np.uint8))
        return answers


def export_c(out: Path, networks: Networks, data: Mnist | None, *, verify: bool = True, force: bool = False) -> Report:
    """Writes the folder of C files, compiles it, and compares all three networks with ONNX Runtime.

    Args:
        out: The folder; it is made.
        networks: int8 ONNX files that `digitocr export` wrote, and their confidence.
        data: MNIST, whose test images are read by both. None if verify is False.
        verify: False skips the gate; the report then says so.
        force: Overwrite the files of an earlier export.

    Returns:
        The report, which lies in the folder as well, with "path" and "bytes" of the folder added.

    Raises:
        ModelError: A file is damaged, or its network has layers that the C library has not.
        MissingExtraError: There is no C compiler.
        OutputError: A file exists already or cannot be written.
        GateError: An answer differs, or the folder does not compile. The report is kept, the rest is not.
    """
    if not force:
        refuse_there(out / name for name in (*MADE, *COPIED))
    loaded = [
        _load(name, path)
        for name, path in (
            ("classifier", networks.classifier),
            ("detector", networks.detector),
            ("recognizer", networks.recognizer),
        )
    ]
    compiler = find_compiler() if verify else None
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as folder:
            beside = Path(folder)
            write_folder(beside, loaded, data, networks.confidence)
            report = _head(loaded, data)
            if compiler is not None and data is not None:
                report |= {"compiler": compiler[0], **_compared(beside, compiler, loaded, data, networks.confidence)}
            (beside / REPORT).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
            kept = (
                [beside / REPORT] if report["failures"] else sorted(path for path in beside.iterdir() if path.is_file())
            )
            for path in kept:
                with replacing(out / path.name) as unfinished:
                    shutil.copyfile(path, unfinished)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error}); give another --out") from error
    if report["failures"]:
        raise GateError(f"{out} is refused and not written: {'; '.join(report['failures'])}; see {out / REPORT}")
    return {**report, "path": str(out), "bytes": sum((out / path.name).stat().st_size for path in kept)}


def find_compiler() -> list[str]:
    """The command of a C compiler: cc, gcc or clang from the PATH, else that of the package ziglang.

    Raises MissingExtraError if there is none.
    """
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise MissingExtraError("device", "checking C files without a compiler (cc, gcc or clang) on the PATH")


def write_folder(
    folder: Path, networks: Sequence[_Network], data: Mnist | None, confidence: Path | None = None
) -> None:
    """Writes all files but the report to a folder that exists."""
    tables = "\n".join(network.tables.source for network in networks)
    check = zlib.crc32(tables.encode())
    header = (SOURCES / "digitocr_weights.h").read_text("utf-8")
    header, changed = re.subn(r"(#define DIGITOCR_WEIGHTS_CHECK) .*", rf"\1 0x{check:08x}u", header)
    if changed != 1:
        raise AssertionError("digitocr_weights.h has no DIGITOCR_WEIGHTS_CHECK")
    for name, value in (("NAME", networks[0].path.stem), ("SHA256", networks[0].sha256)):
        header = header.replace(f'DIGITOCR_CLASSIFIER_{name} ""', f"DIGITOCR_CLASSIFIER_{name} {json.dumps(value)}")
    origin = "".join(f" *   {network.name}: {network.path.name}, SHA-256 {network.sha256}\n" for network in networks)
    texts = {
        "digitocr.c": amalgamated(confidence),
        "digitocr_weights.h": header,
        "digitocr_weights.c": f"/* Made by digitocr {__version__} from\n{origin} * Apache-2.0 */\n"
        f'#include "digitocr_weights.h"\n\nconst uint32_t dg_weights_check = 0x{check:08x}u;\n\n{tables}',
        "digitocr_golden.h": golden(networks, data, confidence),
        **{name: (SOURCES / name).read_text("utf-8") for name in COPIED},
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")


def amalgamated(confidence: Path | None = None) -> str:
    """The files of runtime/c in one, with all but the public functions static."""

    def text(name: str) -> str:
        return re.sub(r'^#include "internal\.h"\n', "", (SOURCES / name).read_text("utf-8"), flags=re.MULTILINE)

    shared = constants(load_confidence(confidence))
    parts = "\n".join(f"/* ======== {name} ======== */\n\n{text(name)}" for name in ("internal.h", *PARTS))
    parts = parts.replace('#include "digitocr_constants.h"\n', f"\n{shared}\n")
    return f"/* digitocr {__version__}, all of it in one file. */\n{LOCAL}\n{parts}"


def golden(networks: Sequence[_Network], data: Mnist | None, confidence: Path | None = None) -> str:
    """digitocr_golden.h: digits, noise and pictures, and the hashes of what Python answers to them."""
    rows = []
    for network in networks:
        if network.name == "detector":
            rows.append("#ifndef DIGITOCR_SELFTEST_SMALL")
        for height, width in GOLDEN_SIZES[network.name]:
            noise = _noise(height * width * network.tables.layers[0].channels_out).reshape(height, width, -1)
            value = _hash(network.outputs(noise))
            rows.append(f"    {{&dg_{network.name}, {height}, {width}, 0x{value:08x}u}},")
    digits: Bytes = data.test_images[:GOLDEN_DIGITS] if data is not None else _noise(784).reshape(1, SIDE, SIDE)
    answers = [networks[0].outputs(digit[..., None])[0] for digit in digits]
    images = ",\n".join("    {" + ",".join(map(str, digit.ravel())) + "}" for digit in digits)
    return (
        "/* Inputs of selftest.c, and the hashes of what ONNX Runtime and Reader answer to them. */\n"
        f"#define GOLDEN_DIGITS {len(digits)}\n#define GOLDEN_DIGITS_HASH 0x{_hash(answers):08x}u\n\n"
        "static const struct golden_noise {\n    const struct dg_network *network;\n    int32_t rows, columns;\n"
        "    uint32_t hash;\n} golden_noise[] = {\n" + "\n".join([*rows, "#endif"]) + "\n};\n\n"
        f"static const uint8_t golden_digits[GOLDEN_DIGITS][{SIDE * SIDE}] = {{\n{images}\n}};\n\n"
        f"#ifndef DIGITOCR_SELFTEST_SMALL\n{golden_pictures(_reader(networks, confidence))}#endif\n"
    )


def _load(name: str, path: Path) -> _Network:
    content = model_content(path)
    session = onnx_session(content, path, threads=1)
    try:
        model = onnx.load_model_from_string(content)
        tables = c_tables(model, f"dg_{name}")
        channels = [layer.channels_out for layer in tables.layers[:1]] + [end.channels for end in tables.ends]
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except Exception as error:  # onnx raises many types
        raise ModelError(f"{path}: is no quantized network of digitocr; give an int8 .onnx file") from error
    if channels not in {"classifier": ([1, 10], [1, 11]), "detector": ([3, 1, 4],), "recognizer": ([2, 36],)}[name]:
        raise ModelError(f"{path}: is no {name}; its channels are {channels}")
    quantize = next(node for node in model.graph.node if node.op_type == "QuantizeLinear")
    constants = {entry.name: onnx.numpy_helper.to_array(entry) for entry in model.graph.initializer}
    scale, zero_point = (constants[entry].item() for entry in quantize.input[1:])
    return _Network(
        name, path, hashlib.sha256(content).hexdigest(), tables, session, np.float32(scale), int(zero_point)
    )


def _head(networks: Sequence[_Network], data: Mnist | None) -> Report:
    return {
        "schema": REPORT_SCHEMA,
        "networks": {network.name: {"file": network.path.name, "sha256": network.sha256} for network in networks},
        "images": 0 if data is None else len(data.test_labels),
        "passed": None,
        "failures": [],
    }


def _compared(
    folder: Path, compiler: Sequence[str], networks: Sequence[_Network], data: Mnist, confidence: Path | None
) -> Report:
    """The gate: the folder compiled, its selftest, and how many values of each network differ from ONNX Runtime's."""
    failures: list[str] = []
    values: Report = {}
    program = (folder / "build" / "selftest").resolve()  # the compiler runs in the folder
    try:
        _compile(folder, compiler, program)
        selftest = subprocess.run([program], capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
        values["selftest"] = selftest.stdout.splitlines()
        if selftest.returncode:
            failures.append(f"selftest: {'; '.join(values['selftest']) or f'exit code {selftest.returncode}'}")
        for network in networks:
            values[network.name] = {"values": 0, "different": 0}
            for batch in _gate_inputs(network, data):
                different, count = _difference(program, network, batch)
                values[network.name]["values"] += count
                values[network.name]["different"] += different
            if values[network.name]["different"]:
                failures.append(
                    f"values: {values[network.name]['different']:,} of {values[network.name]['values']:,} of the "
                    f"{network.name} differ from ONNX Runtime's"
                )
        values["pages"] = _pages_compared(program.with_name("digitocr"), networks, confidence)
        if values["pages"]["different"]:
            failures.append(f"pages: {values['pages']['different']} of {GATE_PAGES} are not read as Reader reads them")
    except (subprocess.SubprocessError, ValueError) as error:
        failures.append(str(error).strip().splitlines()[0][:300])
    finally:
        shutil.rmtree(folder / "build", ignore_errors=True)
    return {**values, "passed": not failures, "failures": failures}


def _compile(folder: Path, compiler: Sequence[str], program: Path) -> None:
    """Makes the selftest, and the program beside it. Raises ValueError with the message of a compiler that refuses."""
    program.parent.mkdir()
    weights = str(program.with_name("weights.o"))
    for sources, made in (
        (["-c", "digitocr_weights.c"], weights),
        (["selftest.c", weights], str(program)),
        (["digitocr_cli.c", "digitocr.c", weights], str(program.with_name("digitocr"))),
    ):
        command = [*compiler, *FLAGS, *sources, "-o", made]
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False
        )
        if result.returncode:
            message = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr.strip())
            raise ValueError(f"compile: {message or f'{compiler[0]} ends with exit code {result.returncode}'}")


def _gate_inputs(network: _Network, data: Mnist) -> Iterator[Bytes]:
    """Batches (N, rows, columns, channels) of inputs of one size."""
    if network.name == "classifier":
        yield data.test_images[..., None]
        return
    rng = np.random.default_rng(0)
    sizes = GATE_SIZES if network.name == "detector" else [(STRIP_HEIGHT, width) for width in GATE_WIDTHS]
    prepare = detector_input if network.name == "detector" else recognizer_input
    for size in sizes:
        pictures = [_drawn(rng, size, data) for _ in range(GATE_INPUTS)]
        rows, columns = (2, 1) if network.tables.is_turned else (1, 2)
        given = np.stack([prepare(picture).transpose(rows, columns, 0) for picture in pictures])
        yield np.clip(np.rint(given / network.scale) + network.zero_point, 0, 255).astype(np.uint8)


def _drawn(rng: np.random.Generator, size: tuple[int, int], data: Mnist) -> Bytes:
    """A (rows, columns) picture: test digits on a field with a gradient and noise."""
    rows, columns = size
    picture = np.linspace(rng.integers(120, 255), rng.integers(60, 255), columns) + rng.normal(0, 6, size)
    for _ in range(max(1, rows * columns // 2500)):
        digit = data.test_images[rng.integers(len(data.test_images))]
        top, left = rng.integers(0, max(1, rows - SIDE)), rng.integers(0, max(1, columns - SIDE))
        part = picture[top : top + SIDE, left : left + SIDE]
        part -= 0.6 * digit[: part.shape[0], : part.shape[1]]
    return np.clip(picture, 0, 255).astype(np.uint8)


def _difference(program: Path, network: _Network, batch: Bytes) -> tuple[int, int]:
    """How many values of a batch differ between the program and ONNX Runtime, and of how many."""
    rows, columns = batch.shape[1:3]
    result = subprocess.run(
        [program, "run", network.name, str(rows), str(columns)],
        input=batch.tobytes(),
        capture_output=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    expected = [answer for given in batch for answer in network.outputs(given)]
    wanted = b"".join(answer.tobytes() for answer in expected)
    if result.returncode or len(result.stdout) != len(wanted):
        raise ValueError(f"run: the {network.name} ends with exit code {result.returncode}")
    kind = expected[0].dtype
    return int((np.frombuffer(result.stdout, kind) != np.frombuffer(wanted, kind)).sum()), len(wanted) // kind.itemsize


def _pages_compared(program: Path, networks: Sequence[_Network], confidence: Path | None) -> Report:
    """How many of GATE_PAGES drawn pages the program reads otherwise than a Reader with the same networks."""
    reader = _reader(networks, confidence)
    different = 0
    picture = program.with_name("page.pgm")
    for page in drawn_pages(GATE_SEED, GATE_PAGES):
        gray = load(page.image)
        picture.write_bytes(b"P5 %d %d 255\n" % (gray.shape[1], gray.shape[0]) + gray.tobytes())
        result = subprocess.run([program, "--jsonl", picture], capture_output=True, timeout=RUN_SECONDS, check=False)
        if result.returncode:
            raise ValueError(f"pages: the program ends with exit code {result.returncode}")
        expected = reader.read(gray).to_dict()
        found = json.loads(result.stdout)
        different += not all(_same(found.get(key), expected[key]) for key in ("text", "lines"))
    return {"pages": GATE_PAGES, "different": different}


def _reader(networks: Sequence[_Network], confidence: Path | None) -> Reader:
    classifier, detector, recognizer = (network.path for network in networks)
    return Reader(classifier, detector=detector, recognizer=recognizer, confidence=confidence)


def _same(found: Any, expected: Any) -> bool:
    """Whether two JSON values are equal, confidences but for the rounding of their last place."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(_same(found.get(key), value) for key, value in expected.items())
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(_same(*pair) for pair in zip(found, expected, strict=True))
        )
    if isinstance(expected, float):
        return isinstance(found, float | int) and abs(found - expected) <= ROUNDING
    return bool(found == expected)


def _noise(count: int) -> Bytes:
    """Bytes of the generator in selftest.c."""
    state, values = 1, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(state >> 24)
    return np.array(values, np.uint8)


def _hash(arrays: Iterable[npt.NDArray[Any]]) -> int:
    """Of the bytes of arrays, as selftest.c computes it; float32 is little-endian on all targets."""
    return fnv(array.tobytes() for array in arrays)
