"""A Dask cluster of four workers, of which one is killed every few seconds, and its scheduler once.

row = cluster(pictures=3000, every=5, seed=0)
row["lost"], row["twice"]        # 0, 0
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

WORKERS = 4
TRIES = 20  # runs of the command, each of which goes on where the one before has ended
DASK = [sys.executable, "-m", "dask"]
READY_SECONDS = 300  # in which the scheduler and its workers are there


def cluster(pictures: int, every: float, seed: int) -> dict[str, Any]:
    """Reads so many pictures.

    Returns:
        pictures; workers, schedulers: how many were killed; runs: of the command; codes: their exit codes; lost, twice:
        pictures; seconds.
    """
    rng, began = random.Random(seed), time.monotonic()
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        (folder / "in").mkdir()
        _draw(folder / "in", pictures)
        with Cluster(folder) as dask:
            counts, codes = Counter(workers=0, schedulers=0), list[int]()
            words = ["predict", "in", "--mode", "single", "--quiet", "--jsonl", "--output", "out.jsonl", "--resume"]
            command = [sys.executable, "-m", "digitocr.cli.main", *words, "--cluster", dask.address]
            for _ in range(TRIES):
                dask.wait()
                with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
                    due = time.monotonic() + every
                    while process.poll() is None:
                        time.sleep(0.05)
                        if time.monotonic() < due:
                            continue
                        due = time.monotonic() + every
                        if not counts["schedulers"] and _lines(folder) > pictures / 3:
                            dask.restart_scheduler()
                            counts["schedulers"] += 1
                        else:
                            dask.replace_worker(rng)
                            counts["workers"] += 1
                    said = process.stderr.read()
                codes.append(process.returncode)
                if process.returncode not in (0, 10) or (process.returncode and said.count("\n") != 1):
                    print(said, file=sys.stderr)
                if not process.returncode:
                    break
        found = differences((folder / "out.jsonl").read_text("utf-8").splitlines(), pictures)
    return {
        "pictures": pictures,
        **counts,
        "runs": len(codes),
        "codes": ", ".join(f"{count} x {code}" for code, count in sorted(Counter(codes).items())),
        **found,
        "seconds": round(time.monotonic() - began),
    }


def differences(lines: list[str], pictures: int) -> dict[str, int]:
    """How many of the pictures have no line, and how many lines are of one that has a line already."""
    names = Counter(row["source"] for row in map(json.loads, lines) if not row["error"])
    return {"lost": pictures - len(names), "twice": sum(count - 1 for count in names.values())}


def _draw(folder: Path, pictures: int) -> None:
    """Writes a picture of a bar, which is a one, under so many names."""
    import numpy as np
    from PIL import Image

    crop = np.zeros((28, 28), np.uint8)
    crop[4:24, 13:16] = 250
    Image.fromarray(crop).save(folder / "0.png")
    for number in range(1, pictures):
        (folder / f"{number}.png").write_bytes((folder / "0.png").read_bytes())


def _lines(folder: Path) -> int:
    path = folder / "out.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


class Cluster:
    """A scheduler and its workers, as processes.

    Attributes:
        address: The scheduler's.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._folder, self._log = folder, (folder / "log").open("wb")

    def __enter__(self) -> "Cluster":
        self._scheduler = self._started("scheduler", "--host", "127.0.0.1", "--port", str(self._port))
        self._workers = [self._worker() for _ in range(WORKERS)]
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self._workers, self._scheduler):
            process.kill()
            process.wait()
        self._log.close()

    def wait(self) -> None:
        """Waits until a worker has come to the scheduler."""
        code = "import sys, distributed; distributed.Client(sys.argv[1], timeout=300).wait_for_workers(1, 300)"
        subprocess.run([sys.executable, "-c", code, self.address], check=True, stderr=self._log, timeout=READY_SECONDS)

    def replace_worker(self, rng: random.Random) -> None:
        """Kills one of the workers, and starts another."""
        place = rng.randrange(WORKERS)
        self._workers[place].kill()
        self._workers[place].wait()
        self._workers[place] = self._worker()

    def restart_scheduler(self) -> None:
        """Kills the scheduler, and starts another at its address; workers find it, or end and are replaced."""
        self._scheduler.kill()
        self._scheduler.wait()
        self._scheduler = self._started("scheduler", "--host", "127.0.0.1", "--port", str(self._port))
        for place, worker in enumerate(self._workers):
            worker.send_signal(signal.SIGTERM)
            worker.wait()
            self._workers[place] = self._worker()

    def _worker(self) -> "subprocess.Popen[bytes]":
        return self._started("worker", self.address, "--nthreads", "1", "--no-nanny", "--death-timeout", "300")

    def _started(self, *words: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        ways: dict[str, Any] = {"cwd": self._folder, "stdout": self._log, "stderr": self._log, "env": environment}
        return subprocess.Popen([*DASK, *words, "--no-dashboard"], **ways)
