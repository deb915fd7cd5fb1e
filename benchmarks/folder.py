"""How fast a folder of thousands is read with --jobs 2, beside two processes that only decode and call the interpreter.

    python benchmarks/folder.py [COUNT] [--save]

Takes some minutes for 10,000 crops of 28x28. Whole processes are timed, with their start. Target: at least 0.7 of the
bare rate.
"""

import multiprocessing
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

JOBS = 2
ROUNDS = 7
DIGITOCR = [str(Path(sys.executable).with_name("digitocr")), "predict"]


def read_bare(model: str, paths: list[str]) -> None:
    """The least that reading takes: decoding each picture, and one call of the interpreter for it."""
    import numpy as np
    import onnxruntime
    from PIL import Image

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for path in paths:
        with Image.open(path) as picture:
            gray = np.asarray(picture)
        session.run(None, {name: gray[None, :, :, None].astype(np.float32) / np.float32(255)})


def read_bare_in_processes(model: str, folder: str) -> None:
    paths = sorted(map(str, Path(folder).iterdir()))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=read_bare, args=(model, paths[start::JOBS])) for start in range(JOBS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def draw(folder: str, count: int) -> None:
    """Writes that many drawn digits in MNIST's form as PNG files."""
    import numpy as np
    from PIL import Image

    from digitocr.train.synthesis.strokes import draw_digit, random_hand

    rng = np.random.default_rng(0)
    for number in range(count):
        ink = draw_digit(number % 10, random_hand(rng), rng, height=18, stroke=0.12)[:28, :28]
        field = np.zeros((28, 28), np.uint8)
        top, left = 14 - ink.shape[0] // 2, 14 - ink.shape[1] // 2
        field[top : top + ink.shape[0], left : left + ink.shape[1]] = ink * 255
        Image.fromarray(field).save(Path(folder, f"{number:06}.png"))


def main() -> None:
    from timing import argument_parser, interleaved, report, spread

    parser = argument_parser(__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000, help="pictures; default: 10,000")
    arguments = parser.parse_args()
    count = arguments.count

    from digitocr.runtime.classifier import DEFAULT_MODEL, shipped_model

    with TemporaryDirectory() as folder:
        draw(folder, count)
        bare = f"bare: {JOBS} processes that decode and call ONNX Runtime"
        commands = {
            bare: [sys.executable, __file__, "--bare", str(shipped_model(DEFAULT_MODEL)), folder],
            f"`digitocr predict --jobs {JOBS}`": [*DIGITOCR, folder, "--jobs", str(JOBS)],
            f"`digitocr predict --jobs {JOBS} --jsonl`": [*DIGITOCR, folder, "--jobs", str(JOBS), "--jsonl"],
            "`digitocr predict`": [*DIGITOCR, folder],
        }
        run = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
        seconds = interleaved({name: partial(run, command) for name, command in commands.items()}, ROUNDS)
    rows = []
    for name, taken in seconds.items():
        ratio = statistics.median(base / one for one, base in zip(taken, seconds[bare], strict=True))
        rate = spread([one / count for one in taken])
        rows.append(
            {
                "process": name,
                "pictures a second, median": round(1 / rate["median"]),
                "quartiles": f"{1 / rate['high']:.0f} to {1 / rate['low']:.0f}",
                "of the bare rate": round(ratio, 2),
            }
        )
    notes = [f"{count:,} crops of 28x28 as PNG, {ROUNDS} rounds in turns; `python benchmarks/folder.py`"]
    report("folder", "A folder of thousands", rows, notes, arguments.save)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        read_bare_in_processes(*sys.argv[2:])
    else:
        main()
