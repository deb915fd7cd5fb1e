"""Kills commands at random moments, breaks what they write to, and watches them for a day; prints tables.

python tests/soak/run.py                                    # make soak
python tests/soak/run.py --kills 50 --faults 10             # the tables of docs/reliability.md
python tests/soak/run.py --part kills --command train --kills 5 --seed 7
"""

import argparse
import json
import math
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from attempts import FAULTS, FILLER, KILLED, Attempt, aside, killed_soon
from commands import COMMANDS, Command

DISK_BYTES = 64_000_000  # of the disk that becomes full
FULL = {9}  # the exit code of an OutputError
EXPECTED = {  # exit codes of each fault
    "full disk": FULL,
    "file size limit": FULL,
    "read-only folder": FULL,
    "memory limit": {1, 3, 4, 5, 9},
    "clock that jumps": set[int](),
}
MOST_KILLS = 4  # of one run; then it goes on to its end
MAX_GROWTH = 5.0  # megabytes that a day may take
SETTINGS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "KERAS_BACKEND": "tensorflow"}
PACKAGES = ("numpy", "keras", "tensorflow", "onnxruntime", "optuna", "opencv-python")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS))
    parser.add_argument("--command", choices=list(COMMANDS))
    parser.add_argument("--kills", type=int, default=10, help="of each command")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="for the kills of a command; then no more begin"
    )
    parser.add_argument("--faults", type=int, default=3, help="of each kind, for each command")
    parser.add_argument("--frames", type=int, default=200_000, help="of the day; it has 2,160,000")
    parser.add_argument("--pictures", type=int, default=6000, help="that the cluster reads")
    parser.add_argument("--every", type=float, default=5, help="seconds; a worker of the cluster is killed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    os.environ |= SETTINGS
    bad = sum(PARTS[part](arguments) for part in ([arguments.part] if arguments.part else PARTS))
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"\nPython {platform.python_version()}, {packages}; {platform.system()}, {platform.machine()}")
    sys.exit(bool(bad))


def kills(arguments: argparse.Namespace) -> int:
    """The table of kills; how many went wrong."""
    print("\n| killed | kills | while writing | runs to their end | lost | half files | not as unbroken | else |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    bad = 0
    for name in [arguments.command] if arguments.command else COMMANDS:
        row = asked(arguments, "kills", name)
        wrong = [row[kind] for kind in ("lost", "halves", "differs", "else")]
        numbers = " | ".join(map(str, [row["kills"], row["writing"], row["ends"], *wrong]))
        print(f"| `{name}` | {numbers} |", flush=True)
        bad += sum(wrong)
    return bad


def faults(arguments: argparse.Namespace) -> int:
    """The table of faults; how many went wrong."""
    heads = "fault | command | times | went on | exit codes | ended by a library | half files | not as unbroken | else"
    print(f"\n| {heads} |\n|{'---|' * 9}", flush=True)
    bad = 0
    for name in [arguments.command] if arguments.command else COMMANDS:
        for fault, row in asked(arguments, "faults", name).items():
            wrong = [row[kind] for kind in ("halves", "differs", "else")]
            typed = ", ".join(
                f"{count} x {code[5:]}" for code, count in sorted(row.items()) if code.startswith("code ")
            )
            numbers = " | ".join(map(str, [row["times"], row["fine"], typed or "0", row["signal"], *wrong]))
            print(f"| {fault} | `{name}` | {numbers} |", flush=True)
            bad += sum(wrong)
    return bad


def days(arguments: argparse.Namespace) -> int:
    """The table of a day before a camera; how many numbers were lost or invented."""
    from day import day

    row = day(arguments.frames, arguments.seed)
    print("\n| frames | numbers announced | lost | invented | memory grown, MB | frames kept | heartbeats | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    print(f"| {' | '.join(f'{value:,}' for value in row.values())} |", flush=True)
    return int(row["lost"] + row["invented"] + (row["growth"] > MAX_GROWTH))


def clusters(arguments: argparse.Namespace) -> int:
    """The table of a cluster; how many pictures were lost or came twice, and runs that ended otherwise."""
    from cluster import cluster

    row = cluster(arguments.pictures, arguments.every, arguments.seed)
    print("\n| pictures | workers killed | schedulers killed | runs | exit codes | lost | twice | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    print(f"| {' | '.join(map(str, row.values()))} |", flush=True)
    return int(row["lost"]) + int(row["twice"])


PARTS = {"kills": kills, "faults": faults, "day": days, "cluster": clusters}


def asked(arguments: argparse.Namespace, part: str, name: str) -> Any:
    """What a process of its own finds, with the libraries of that command loaded."""
    words = [sys.executable, __file__, "--child", "--part", part, "--command", name, "--seed", str(arguments.seed)]
    words += ["--kills", str(arguments.kills), "--seconds", str(arguments.seconds), "--faults", str(arguments.faults)]
    with tempfile.TemporaryDirectory() as folder:
        preloaded = {}
        if part == "faults" and shutil.which("cc"):
            clock, source = Path(folder, "clock.so"), Path(__file__).with_name("clock.c")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", clock, source, "-ldl"], check=True)
            preloaded = {"LD_PRELOAD": str(clock)}
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True, env=os.environ | preloaded)
    row = json.loads(done.stdout)
    if part == "kills":
        return Counter(row)
    return {fault: Counter(counts) for fault, counts in row.items()}


def child(arguments: argparse.Namespace) -> None:
    """Does a part for one command; prints what it counted as JSON."""
    command = COMMANDS[arguments.command]
    with tempfile.TemporaryDirectory() as named:
        work = Path(named)
        work.chmod(0o755)  # for a user without rights
        (work / "inputs").mkdir()
        command.load(work / "inputs")
        whole = command(work / "whole", work / "inputs")
        began = time.monotonic()
        attempt = Attempt(whole.words(), whole.folder)
        whole.work(attempt, 3600)
        seconds = time.monotonic() - began
        if attempt.code or attempt.wrong:
            note(f"{arguments.command}, unbroken: {attempt.code} {attempt.wrong} {attempt.err[-2000:]}")
        rng = random.Random(arguments.seed)
        if arguments.part == "kills":
            plan = Plan(arguments.kills, began + arguments.seconds, seconds, attempt.moments)
            counts = killed(command, work, rng, plan, aside(whole.result))
            counts["else"] += len(attempt.wrong)
            print(json.dumps(counts))
            return
        each = {
            fault: broken(command, work, rng, fault, arguments.faults, aside(whole.result), attempt.moments)
            for fault in FAULTS
            if may_begin(fault)
        }
        print(json.dumps(each))


def note(words: str) -> None:
    """Says what went wrong."""
    print(words, file=sys.stderr, flush=True)


class Plan(NamedTuple):
    """How a command is killed.

    Attributes:
        kills: So many times.
        until: By the monotonic clock; from then on it is not killed any more.
        seconds: That an unbroken run takes.
        moments: At which that one writes.
    """

    kills: int
    until: float
    seconds: float
    moments: int

    def is_done(self, kills: int) -> bool:
        """Whether so many kills are enough, or the time is over."""
        return kills >= self.kills or time.monotonic() > self.until


def killed(kind: type[Command], work: Path, rng: random.Random, plan: Plan, wanted: Any) -> Counter[str]:
    """Kills a command as planned, half of the times while it writes, and has it go on until it ends."""
    counts: Counter[str] = Counter()
    for chain in range(10 * plan.kills):
        if plan.is_done(counts["kills"]):
            return counts
        command, reported = kind(work / f"run-{chain}", work / "inputs"), dict[str, Any]()
        for start in range(MOST_KILLS + 1):
            last = start == MOST_KILLS or plan.is_done(counts["kills"])
            at = rng.randint(1, max(1, plan.moments)) if rng.random() < 0.5 and not last else 0
            attempt = Attempt(command.words(), command.folder, at, killed_soon(rng) if at else None)
            command.work(attempt, 3600 if at or last else rng.uniform(0, 1.05 * plan.seconds))
            wrong = {
                "else": attempt.wrong,
                "halves": aside(command.halves),
                "lost": lost(reported, aside(command.reported)),
            }
            reported = aside(command.reported)
            counts["kills"] += attempt.code == KILLED
            counts["writing"] += attempt.code == KILLED and at > 0
            if attempt.code != KILLED and not command.ended(attempt):
                wrong["else"].append(f"exit code {attempt.code}: {attempt.err[-500:]}")
            for what, words in wrong.items():
                counts[what] += bool(words)
                if words:
                    note(f"{kind.__name__}, run {chain}, start {start}: {what}: {'; '.join(words)}")
            if attempt.code != KILLED:
                break
        counts["ends"] += 1
        if (found := aside(command.result)) != wanted:
            counts["differs"] += 1
            note(f"{kind.__name__}, run {chain}: the result differs: {shortened(found)} and not {shortened(wanted)}")
    return counts


def lost(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What was reported before, and is not there any more, or another."""
    gone = [f"{name} is gone" for name in before if name not in now]
    return gone + [f"{name} has changed" for name in before if name in now and now[name] != before[name]]


def shortened(value: Any) -> str:
    """A value in words that fit on a screen."""
    return str(value)[:1500]


def broken(
    kind: type[Command], work: Path, rng: random.Random, fault: str, count: int, wanted: Any, moments: int
) -> Counter[str]:
    """Lets a fault begin while a command writes, mends it, and has the command go on until it ends."""
    counts: Counter[str] = Counter()
    for number in range(count):
        place = work / f"{fault.replace(' ', '-')}-{number}"
        place.mkdir()
        with disk(place) if fault == "full disk" else nullcontext():
            command = kind(place / "run", work / "inputs")
            attempt = Attempt(command.words(), command.folder, rng.randint(0, moments), FAULTS[fault](rng))
            command.work(attempt, 3600)
            mended(command.folder)
            wrong = {"else": attempt.wrong, "halves": aside(command.halves)}
            counts["times"] += 1
            counts["fine"] += attempt.code == 0
            counts["signal"] += attempt.code < 0 or attempt.code == 134
            lines = [line for line in attempt.err.splitlines() if line.startswith("digitocr: ")]
            if attempt.code > 0 and attempt.code != 134:
                counts[f"code {attempt.code}"] += 1
                bug = attempt.code > 10 or not lines or "a bug" in attempt.err or "Traceback" in attempt.err
                if bug or attempt.code not in EXPECTED[fault]:
                    wrong["else"].append(f"exit code {attempt.code}: {attempt.err[-1500:]}")
            again = Attempt(command.words(), command.folder)
            command.work(again, 3600)
            if not command.ended(again):
                wrong["else"].append(f"then exit code {again.code}: {again.err[-500:]}")
            elif (found := aside(command.result)) != wanted:
                wrong["differs"] = [f"{shortened(found)} and not {shortened(wanted)}"]
            for what, words in wrong.items():
                counts[what] += bool(words)
                if words:
                    note(f"{kind.__name__}, {fault} {number}: {what}: {'; '.join(words)}")
    return counts


@contextmanager
def disk(place: Path) -> Iterator[None]:
    """A small disk of its own, in memory. Where nothing may be mounted, the fault is left out."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def mended(folder: Path) -> None:
    """Makes room again, and lets the folder be written to."""
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        path.chmod(0o755)
    (folder / FILLER).unlink(missing_ok=True)


def may_begin(fault: str) -> bool:
    """Whether this machine and this user can have that fault: a disk is mounted, the clock is preloaded."""
    if fault == "clock that jumps":
        return "LD_PRELOAD" in os.environ
    if fault != "full disk":
        return True
    with tempfile.TemporaryDirectory() as place:
        words = ["mount", "-t", "tmpfs", "none", place]
        if subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode:
            return False
        subprocess.run(["umount", place], check=True)
        return True


if __name__ == "__main__":
    main()
