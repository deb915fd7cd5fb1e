"""What `digitocr benchmark` measures, beside a bare loop over the same interpreter.

    python benchmarks/bare_loop.py --save

Each file is opened by both, in processes of their own that take turns. Takes half a minute. Target: the median of the
rounds' ratios of the median times differs from 1 by at most 5 %.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import argument_parser, report

from digitocr.export.benchmark import started
from digitocr.runtime.models import shipped_model

FILES = ("digitocr-int8.onnx", "digitocr-float32.onnx", "digitocr-int8.tflite", "digitocr-float32.tflite")
ROUNDS, CALLS = 20, 50
LOOPS = {
    ".onnx": """
import json, sys, time, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
x = numpy.load(sys.argv[2])
for line in sys.stdin:
    seconds = []
    for i in range(int(line)):
        image = x[i % len(x):][:1]
        began = time.perf_counter()
        session.run(None, {"image": image})
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds), flush=True)
""",
    ".tflite": """
import json, sys, time, numpy
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
given, = interpreter.get_input_details()
result, = interpreter.get_output_details()
x = numpy.load(sys.argv[2])
for line in sys.stdin:
    seconds = []
    for i in range(int(line)):
        image = x[i % len(x):][:1]
        began = time.perf_counter()
        interpreter.set_tensor(given["index"], image)
        interpreter.invoke()
        interpreter.get_tensor(result["index"])
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds), flush=True)
""",
}


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            path, pictures = shipped_model(name), Path(folder, f"{name}.npy")
            digits = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1))
            np.save(pictures, (digits - 128).astype(np.int8) if name == FILES[2] else (digits / 255).astype(np.float32))
            ours, bare = measured(path, pictures)
            ratios = [one / other for one, other in zip(ours, bare, strict=True)]
            rows.append(
                {
                    "file": name,
                    "bare loop, us": round(1e6 * statistics.median(bare)),
                    "digitocr benchmark, us": round(1e6 * statistics.median(ours)),
                    "ratio": f"{statistics.median(ratios):.3f}",
                }
            )
    notes = [f"{ROUNDS} rounds of {CALLS} calls with one digit, in turns; medians; `python benchmarks/bare_loop.py`"]
    report("bare_loop", "digitocr benchmark beside a bare loop", rows, notes, arguments.save)


def measured(path: Path, pictures: Path) -> tuple[list[float], list[float]]:
    """The median seconds of a call in each round, by `digitocr benchmark` and by a bare loop."""
    words = [sys.executable, "-c", LOOPS[path.suffix], str(path), str(pictures)]
    with (
        started(path, pictures) as process,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as loop,
    ):

        def bare() -> float:
            assert loop.stdin is not None
            assert loop.stdout is not None
            loop.stdin.write(f"{CALLS}\n")
            return statistics.median(json.loads(loop.stdout.readline()))

        bare(), process.seconds(CALLS, 1)  # the first calls are slower
        rounds = [(statistics.median(process.seconds(CALLS, 1)), bare()) for _ in range(ROUNDS)]
        assert loop.stdin is not None
        loop.stdin.close()
    return [one for one, _ in rounds], [other for _, other in rounds]


if __name__ == "__main__":
    main()
