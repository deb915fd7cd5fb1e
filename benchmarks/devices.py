"""The selftest of an exported C folder on other processors, emulated: the hash of all answers has to be the same.

    digitocr export --format c --out digitocr-c
    python benchmarks/devices.py digitocr-c --save

Needs Debian's gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf, gcc-riscv64-linux-gnu and qemu-user-static, on the PATH
or unpacked in the folder --root; a target without its compiler is left out. Takes about a minute.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from timing import argument_parser, report

TARGETS = {  # by the name of the target: Debian's name, and the emulator's command
    "x86-64": ("", []),
    "aarch64": ("aarch64-linux-gnu", ["qemu-aarch64-static", "-cpu", "cortex-a72"]),
    "armv7 hard float": ("arm-linux-gnueabihf", ["qemu-arm-static", "-cpu", "cortex-a7"]),
    "riscv64": ("riscv64-linux-gnu", ["qemu-riscv64-static"]),
}
FLAGS = ["-std=c99", "-O2", "-ffp-contract=off", "-static"]


def compiler(triple: str) -> str | None:
    """The command of a target's compiler; None if there is none."""
    names = [f"{triple}-gcc", f"{triple}-gcc-12"] if triple else ["cc"]
    return next(filter(None, map(shutil.which, names)), None)


def rows(folder: Path, root: Path | None, work: Path) -> list[dict[str, Any]]:
    """A row of the table for each kernel of each target: target, compiler, kernel, hash, verdict."""
    made = []
    for target, (triple, emulator) in TARGETS.items():
        command = compiler(triple)
        if command is None:
            print(f"{target}: no compiler, left out", file=sys.stderr)
            continue
        found = [f"-isystem{root}/usr/{triple}/include", f"-B{root}/usr/{triple}/lib", f"-L{root}/usr/{triple}/lib"]
        program = work / "selftest"
        words = [command, *FLAGS, *(found if root and triple else []), "selftest.c", "digitocr_weights.c"]
        subprocess.run([*words, "-o", str(program)], cwd=folder, check=True)
        done = subprocess.run([*emulator, str(program)], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            kernel, value, verdict = line.split()
            row = {"target": target, "compiler": Path(command).name, "kernels": kernel}
            made.append(row | {"hash": value, "as ONNX Runtime": verdict})
    return made


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path, help="what digitocr export --format c has written")
    parser.add_argument("--root", type=Path, help="a folder in which the Debian packages are unpacked")
    given = parser.parse_args()
    if given.root:
        os.environ["PATH"] = f"{given.root}/usr/bin:{os.environ['PATH']}"
        os.environ["LD_LIBRARY_PATH"] = f"{given.root}/usr/lib/x86_64-linux-gnu"
    with tempfile.TemporaryDirectory() as work:
        made = rows(given.folder, given.root, Path(work))
    notes = ["the selftest of the C library with the shipped networks; other processors are emulated by QEMU"]
    notes += ["hash: of the outputs of all three networks for stored digits and noise"]
    report("devices", "The C library on other processors", made, notes, given.save)


if __name__ == "__main__":
    main()
