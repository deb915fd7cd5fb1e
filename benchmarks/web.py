"""Processor time of digitocr.wasm beside onnxruntime-web, one thread each, in turns in one process of Node.

    digitocr export --format c --out digitocr-c
    python benchmarks/web.py digitocr-c --save

Both run the shipped int8 networks on the same noise; of a page, onnxruntime-web runs the networks alone, with inputs of
the sizes that `Reader` gives them. Needs the extra device, and Node with npm, which installs onnxruntime-web in a
temporary folder. Takes two minutes on a quiet machine.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from reader import page
from timing import argument_parser, report

from digitocr import Reader
from digitocr.export.to_web import EXPORTED, FLAGS, SOURCES, STACK_BYTES, TARGET, export_web
from digitocr.runtime import image
from digitocr.runtime.models import shipped_model

PACKAGE = "onnxruntime-web@1.30.0"
NETWORKS = ("digitocr", "detector", "recognizer")
DETECTOR, RECOGNIZER = 1, 2  # their places there
RUNS = {  # of one network: its number, and the shape of its input
    "a digit": (0, (1, 28, 28, 1)),
    "the detector's network, 128x96": (DETECTOR, (1, 3, 96, 128)),
    "the detector's network, 512x384": (DETECTOR, (1, 3, 384, 512)),
    "the recognizer's network, 320x32": (RECOGNIZER, (1, 2, 32, 320)),
}
SECONDS = 4.0  # of processor time for a row, of which a fifth warms up
ADDED = ("bench_run", "bench_value")  # functions of HARNESS
HARNESS = """
#include "digitocr_web.c"

static const struct dg_network *const networks[] = {&dg_classifier, &dg_detector, &dg_recognizer};
static struct dg_output outputs[DG_MAX_OUTPUTS];
static struct { const uint8_t *pixels; size_t bytes; } given;

static void row(void *context, int32_t number, uint8_t *to) {
    (void)context;
    memcpy(to, given.pixels + (size_t)number * given.bytes, given.bytes);
}

/* Runs a network on rows of so many bytes; 0, or an error. Memory that is too little is an error. */
int bench_run(int32_t network, int32_t rows, int32_t columns, const uint8_t *pixels, int32_t row_bytes,
              void *memory, size_t bytes) {
    struct dg_arena arena = dg_arena_of(memory, bytes);
    struct dg_source source = {row, NULL};
    given.pixels = pixels;
    given.bytes = (size_t)row_bytes;
    return dg_run(networks[network], rows, columns, &source, &arena, outputs);
}

/* A value of the first output, where that of onnxruntime-web has it: a plane for each channel. */
float bench_value(int32_t place) {
    int32_t pixels = outputs->rows * outputs->columns;
    return dg_value(outputs, place % pixels * outputs->stride + place / pixels);
}
"""
SCRIPT = """
import { readFile } from "node:fs/promises"
import { load } from "./web/digitocr.js"
import * as ort from "onnxruntime-web/wasm"

const ARENA = 64 << 20 // bytes
const { steps, page, networks, seconds } = JSON.parse(await readFile("given.json"))
ort.env.wasm.numThreads = 1
const sessions = []
for (const name of networks) sessions.push(await ort.InferenceSession.create(await readFile(name)))
const { exports: c } = await WebAssembly.instantiate(await WebAssembly.compile(await readFile("bench.wasm")), {})
const pixels = c.__heap_base.value + 16 & ~15, arena = pixels + (8 << 20)
c.memory.grow((arena + ARENA - c.memory.buffer.byteLength >> 16) + 1)

const numbers = async (file, Type) => new Type(new Uint8Array(await readFile(file)).buffer)
const run = (network, tensor) => sessions[network].run({ [sessions[network].inputNames[0]]: tensor })

const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }

/** The milliseconds of processor time that each call of two functions takes, in turns. */
async function inTurns(one, other) {
  const taken = [[], []], began = spent()
  for (let before = began; before < began + seconds * 1000; before = spent()) {
    await one()
    const between = spent()
    await other()
    if (before < began + seconds * 200) continue // V8 compiles what runs often, and compiles it better
    taken[0].push(between - before)
    taken[1].push(spent() - between)
  }
  return taken
}

const found = {}
for (const { name, network, rows, columns, shape, bytes, floats } of steps) {
  const given = await numbers(bytes, Uint8Array)
  new Uint8Array(c.memory.buffer, pixels).set(given)
  const tensor = new ort.Tensor("float32", await numbers(floats, Float32Array), shape)
  const own = () => {
    if (c.bench_run(network, rows, columns, pixels, given.length / rows, arena, ARENA)) throw new Error(name)
  }
  own()
  const [output] = Object.values(await run(network, tensor))
  const differ = output.data.filter((value, place) => value !== c.bench_value(place)).length
  found[name] = { differ, ms: await inTurns(() => run(network, tensor), own) }
}
const reader = await load()
const picture = { data: await numbers(page.bytes, Uint8Array), width: page.width, height: page.height }
const tensors = page.runs.map(([network, shape]) =>
  [network, new ort.Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b)), shape)])
const all = async () => { for (const [network, tensor] of tensors) await run(network, tensor) }
found[page.name] = { text: reader.read(picture).text, ms: await inTurns(all, () => reader.read(picture)) }
console.log(JSON.stringify(found))
"""


def step(folder: Path, name: str, network: int, shape: tuple[int, ...]) -> dict[str, Any]:
    """A run of one network on noise, as SCRIPT takes it. Its input is written as bytes and as floats."""
    model = onnx.load(shipped_model(f"{NETWORKS[network]}-int8.onnx"))
    quantize = next(node for node in model.graph.node if node.op_type == "QuantizeLinear")
    constants = {entry.name: onnx.numpy_helper.to_array(entry) for entry in model.graph.initializer}
    scale, zero_point = (constants[entry].item() for entry in quantize.input[1:])
    levels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    floats = (levels.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
    # The C library takes the channels of a pixel side by side, and columns of a strip as rows
    order = {0: (1, 2, 3), DETECTOR: (2, 3, 1), RECOGNIZER: (3, 2, 1)}[network]
    pixels = levels[0].transpose([axis - 1 for axis in order])
    files = {"bytes": f"{len(list(folder.iterdir()))}.u8", "floats": f"{len(list(folder.iterdir()))}.f32"}
    (folder / files["bytes"]).write_bytes(pixels.tobytes())
    (folder / files["floats"]).write_bytes(floats.tobytes())
    rows, columns = pixels.shape[:2]
    return {"name": name, "network": network, "rows": rows, "columns": columns, "shape": shape, **files}


def runs_of(reader: Reader, gray: np.ndarray) -> list[tuple[int, list[int]]]:
    """The networks that a reading of a picture runs, by number, and the shapes of their inputs."""
    runs: list[tuple[int, list[int]]] = []
    bare = onnxruntime.InferenceSession.run

    def run(session: Any, outputs: Any, feed: dict[str, np.ndarray], *rest: Any) -> Any:
        (given,) = feed.values()
        runs.append(({3: DETECTOR, 2: RECOGNIZER}.get(given.shape[1], 0), list(given.shape)))
        return bare(session, outputs, feed, *rest)

    onnxruntime.InferenceSession.run = run
    try:
        reader.read(gray)
    finally:
        onnxruntime.InferenceSession.run = bare
    return runs


def compiled(c_folder: Path, folder: Path) -> None:
    """bench.wasm: digitocr.wasm with the functions of HARNESS, by the flags of the export."""
    (folder / "harness.c").write_text(HARNESS)
    command = [sys.executable, "-m", "ziglang", "cc", *TARGET, *FLAGS, f"-Wl,-z,stack-size={STACK_BYTES}"]
    command += [f"-Wl,--export={name}" for name in (*EXPORTED, *ADDED)]
    command += [f"-I{SOURCES}", f"-I{c_folder}", "harness.c", str(c_folder / "digitocr_weights.c"), "-o", "bench.wasm"]
    subprocess.run(command, cwd=folder, check=True)


def row(name: str, given: dict[str, Any]) -> dict[str, Any]:
    theirs, own = (np.array(taken) for taken in given["ms"])
    return {
        "step": name,
        "onnxruntime-web, ms": f"{theirs.min():.3g}",
        "digitocr.wasm, ms": f"{own.min():.3g}",
        "ratio": f"{own.min() / theirs.min():.2f}",
        "ratio of medians": f"{np.median(own) / np.median(theirs):.2f}",
        "values that differ": given.get("differ", "-"),
    }


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path, help="what digitocr export --format c has written")
    given = parser.parse_args()
    reader = Reader()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", name, PACKAGE]
        subprocess.run(install, check=True)
        (folder / "page.jpg").write_bytes(page())
        gray = np.ascontiguousarray(image.load(folder / "page.jpg"))
        (folder / "page.u8").write_bytes(gray.tobytes())
        export_web(given.folder.resolve(), folder / "web")
        compiled(given.folder.resolve(), folder)
        runs = runs_of(reader, gray)
        drawn = {"name": f"a page of {gray.shape[1]}x{gray.shape[0]}, read", "bytes": "page.u8", "runs": runs}
        drawn |= {"width": gray.shape[1], "height": gray.shape[0]}
        steps = [step(folder, what, *run) for what, run in RUNS.items()]
        networks = [str(shipped_model(f"{one}-int8.onnx")) for one in NETWORKS]
        content = {"steps": steps, "page": drawn, "networks": networks, "seconds": SECONDS}
        (folder / "given.json").write_text(json.dumps(content))
        (folder / "run.mjs").write_text(SCRIPT)
        done = subprocess.run(["node", "run.mjs"], cwd=folder, check=True, capture_output=True, text=True)
        node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    found = json.loads(done.stdout)
    if found[drawn["name"]]["text"] != reader.read(gray).text:
        sys.exit("digitocr.wasm and Reader read other digits: export the folder again")
    notes = [
        f"{PACKAGE}, wasm with SIMD, one thread, Node {node[1:]}; processor time, in turns; ms and ratio: the least",
        f"the page: onnxruntime-web does its {len(runs)} runs of networks alone, digitocr.wasm reads it whole",
    ]
    report("web", "digitocr.wasm beside onnxruntime-web", [row(*item) for item in found.items()], notes, given.save)


if __name__ == "__main__":
    main()
