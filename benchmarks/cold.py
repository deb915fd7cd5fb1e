"""How long whole processes take, beside the imports that reading cannot do without.

    python benchmarks/cold.py --save

Half a minute. Wanted: help at most 0.5 of the bare imports, predict at most 1.4. Not with an editable install where
PYTHONDONTWRITEBYTECODE is set: there each process compiles the sources anew.
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
COMMANDS = {
    BARE: [sys.executable, "-c", "import numpy, cv2, onnxruntime"],
    "digitocr --help": [DIGITOCR, "--help"],
    "digitocr predict examples/marker.jpg": [DIGITOCR, "predict", PICTURE],
}


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    seconds = interleaved({name: functools.partial(run, command) for name, command in COMMANDS.items()}, repeats=30)
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
    notes = ["30 rounds, each command in turn; `python benchmarks/cold.py`"]
    report("cold", "Whole processes, cold", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
