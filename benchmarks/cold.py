"""How long whole processes take, beside the imports that reading cannot do without.

    python benchmarks/cold.py --save
    python benchmarks/cold.py --beside OTHER/.venv/bin/digitocr

Takes half a minute. Target: help at most 0.5 of the bare imports, predict at most 1.4. With --beside, the commands of
another installation are timed in turns with these, and only the ratios are printed. Unset PYTHONDONTWRITEBYTECODE for
editable installs: otherwise each process compiles the sources anew.
"""

import functools
import statistics
import subprocess
import sys
from pathlib import Path

from timing import argument_parser, interleaved, report, spread

BARE = 'python -c "import numpy, cv2, onnxruntime"'
DIGITOCR = str(Path(sys.executable).with_name("digitocr"))
PICTURE = str(Path(__file__).parents[1] / "examples" / "marker.jpg")
WORDS = {"digitocr --help": ["--help"], "digitocr predict examples/marker.jpg": ["predict", PICTURE]}
REPEATS = 30

run = functools.partial(subprocess.run, check=True, capture_output=True)


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--beside", metavar="DIGITOCR", help="the command of another installation to compare with")
    arguments = parser.parse_args()
    if arguments.beside:
        compare(arguments.beside)
    else:
        measure(arguments.save)


def compare(other: str) -> None:
    """Prints how long each command takes in relation to the same command of the other installation."""
    for name, words in WORDS.items():
        both = {one: functools.partial(run, [one, *words]) for one in (other, DIGITOCR)}
        seconds = interleaved(both, REPEATS)
        ratio = statistics.median(now / before for before, now in zip(seconds[other], seconds[DIGITOCR], strict=True))
        print(f"{name}: {ratio:.2f} of the other's time")


def measure(save: bool) -> None:
    """Reports each command's time in relation to the bare imports."""
    commands = {BARE: [sys.executable, "-c", "import numpy, cv2, onnxruntime"]}
    commands |= {name: [DIGITOCR, *words] for name, words in WORDS.items()}
    seconds = interleaved({name: functools.partial(run, words) for name, words in commands.items()}, REPEATS)
    rows = []
    for name, taken in seconds.items():
        ratio = statistics.median(one / bare for one, bare in zip(taken, seconds[BARE], strict=True))
        ms = spread(taken, 1e-3)
        rows.append(
            {
                "process": f"`{name}`",
                "ms, median": round(ms["median"]),
                "ms, quartiles": f"{ms['low']:.0f} to {ms['high']:.0f}",
                "of the bare imports": round(ratio, 2),
            }
        )
    notes = [f"{REPEATS} rounds, the commands in turns; `python benchmarks/cold.py`"]
    report("cold", "Whole processes, cold", rows, notes, save)


if __name__ == "__main__":
    main()
