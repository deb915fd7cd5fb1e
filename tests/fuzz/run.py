"""Mutated pictures, models and files of JSON, as many as fit in the time, in processes with limits; prints a table.

python tests/fuzz/run.py --seconds 600            # make fuzz SECONDS=600
python tests/fuzz/run.py --seconds 60 --seed 5000000 --kind models
"""

import argparse
import os
import platform
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

SHARES = {"pictures": 0.5, "models": 0.35, "json": 0.15}  # of the time
CASE_SECONDS = 120  # after which a case counts as one that never ends
CPU_SECONDS = 2.0  # of a case, in this process, from which it is counted
MEMORY_MB = 400  # above what the process had at its start, from which a case is counted
LIMIT_MB = 2000  # of memory that a process may take beside what it starts with
PACKAGES = ("pillow", "onnxruntime", "ai-edge-litert", "numpy", "opencv-python", "pillow-heif")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--kind", choices=list(SHARES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--child", nargs=3, metavar=("KIND", "SEED", "STEP"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], int(arguments.child[1]), int(arguments.child[2]))
    shares = {arguments.kind: 1.0} if arguments.kind else SHARES
    print("| kind | cases | read | refused, by error | untyped | crashes | hangs | over 2 s | over 400 MB | a second |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    bad = 0
    for kind, share in shares.items():
        counts, seconds = measured(kind, share * arguments.seconds, arguments.seed, arguments.jobs)
        bad += row(kind, counts, seconds)
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"\nPython {platform.python_version()}, {packages}; {platform.machine()}, {arguments.jobs} processes")
    sys.exit(bool(bad))


def row(kind: str, counts: Counter[str], seconds: float) -> int:
    """Prints the row of a kind; returns how many cases went wrong."""
    untyped = {name: count for name, count in counts.items() if name.startswith("untyped")}
    refused = {name: count for name, count in counts.items() if name.endswith("Error") and name not in untyped}
    total = sum(refused.values()) + sum(untyped.values()) + counts["read"] + counts["crash"] + counts["hang"]
    errors = ", ".join(f"{count:,} {name}" for name, count in sorted(refused.items())) or "0"
    wrong = [sum(untyped.values()), *(counts[name] for name in ("crash", "hang", "slow", "large"))]
    numbers = " | ".join(f"{number:,}" for number in wrong)
    print(f"| {kind} | {total:,} | {counts['read']:,} | {errors} | {numbers} | {total / seconds:.0f} |", flush=True)
    for name in untyped:
        print(f"{kind}: {name}: {untyped[name]}", file=sys.stderr)
    return sum(wrong)


def measured(kind: str, seconds: float, seed: int, jobs: int) -> tuple[Counter[str], float]:
    """How often each outcome occurs within the time, in that many processes; and the seconds that it took."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        running = [Child(kind, seed + place, jobs, Path(folder)) for place in range(jobs)]
        while time.monotonic() - began < seconds or not sum(counts.values()):
            select.select([one.output for one in running], [], [], 1.0)
            for one in running:
                one.take(counts)
        for one in running:
            one.end()
    return counts, time.monotonic() - began


class Child:
    """A process that goes through cases, and is started again behind one that ended it."""

    def __init__(self, kind: str, seed: int, step: int, folder: Path) -> None:
        self._kind, self._next, self._step, self._folder = kind, seed, step, folder
        self._start()

    def _start(self) -> None:
        words = [sys.executable, __file__, "--child", self._kind, str(self._next), str(self._step)]
        self._process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(self._folder)}
        )
        assert self._process.stdout is not None
        self.output = self._process.stdout
        os.set_blocking(self.output.fileno(), False)
        self._rest = b""
        self._heard = time.monotonic()

    def take(self, counts: Counter[str]) -> None:
        """Counts what the process has said since."""
        content = self.output.read()
        if content:
            self._heard = time.monotonic()
            *lines, self._rest = (self._rest + content).split(b"\n")
            for line in lines:
                seed, outcome, cpu, memory = line.decode().split("\t")
                self._next = int(seed) + self._step
                counts[outcome] += 1
                counts["slow"] += float(cpu) > CPU_SECONDS
                counts["large"] += float(memory) > MEMORY_MB
                if outcome.startswith("untyped") or float(cpu) > CPU_SECONDS or float(memory) > MEMORY_MB:
                    print(f"{self._kind} {line.decode()}", file=sys.stderr)
        elif self._process.poll() is not None or time.monotonic() - self._heard > CASE_SECONDS:
            ended = "hang" if self._process.poll() is None else "crash"
            counts[ended] += 1
            print(f"{self._kind} {self._next}: {ended} {self._process.poll()}", file=sys.stderr)
            self.end()
            self._next += self._step
            self._start()

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        self.output.close()


def child(kind: str, seed: int, step: int) -> None:
    """Goes through the cases from that seed on; a line for each: seed, outcome, seconds of CPU, MB above the start."""
    import warnings

    from cases import outcome, try_models_in_forks

    warnings.simplefilter("ignore")
    if kind == "models":
        try_models_in_forks()
    with tempfile.TemporaryDirectory() as folder:
        for warm in range(-20, 0):  # loads what is loaded at the first use
            outcome(kind, warm, Path(folder))
            if kind == "models":
                break
        start = _status("VmRSS")
        limit = 1000 * _status("VmData") + 1_000_000 * LIMIT_MB
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        while True:
            Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak is that of this case
            began = time.process_time()
            result = outcome(kind, seed, Path(folder))
            taken = time.process_time() - began
            print(seed, result, f"{taken:.3f}", (_status("VmHWM") - start) // 1000, sep="\t", flush=True)
            seed += step


def _status(name: str) -> int:
    """A size of this process in kilobytes."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
