"""The selftest of an exported C folder on other processors, emulated: the hashes of all answers have to be the same.

    digitocr export --format c --out digitocr-c
    python benchmarks/devices.py digitocr-c --save

Needs Debian's gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf, gcc-riscv64-linux-gnu and qemu-user-static; for Cortex-M
gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm; on the PATH or unpacked in the folder --root. For
WebAssembly the package ziglang, and Node. A target without its compiler is left out. Takes about five minutes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from timing import argument_parser, report

FIRMWARE = Path(__file__).parent / "firmware"
FLAGS = ["-std=c99", "-O2", "-ffp-contract=off"]
SMALL = ["-ffunction-sections", "-fdata-sections", "-nostartfiles", "-Wl,--gc-sections"]  # of a program on Cortex-M
SECONDS = 1800  # of a command
STEPS = {1: "a digit of 28x28", 2: "the detector's network, 128x96", 3: "a picture of 128x96"}


@dataclass(frozen=True)
class Target:
    """A processor that has an operating system: how to compile for it, and the emulator's command."""

    triple: str = ""  # Debian's name; "" for this machine
    flags: tuple[str, ...] = ()
    emulator: tuple[str, ...] = ()
    zig: str = ""  # the target's name for the package ziglang, which then compiles


@dataclass(frozen=True)
class Board:
    """A board of QEMU with a Cortex-M."""

    machine: str
    flags: tuple[str, ...]
    flash: int  # address
    ram: int
    tick: int  # nanoseconds of the processor's clock; with -icount shift=0 each instruction takes one


A64, A32, RISCV = "aarch64-linux-gnu", "arm-linux-gnueabihf", "riscv64-linux-gnu"
NODE = ("node", "--no-warnings", str(FIRMWARE / "wasi.mjs"))
TARGETS = {
    "x86-64": Target(),
    "x86-64, plain": Target(flags=("-DDIGITOCR_PLAIN",)),
    "x86-64, clang": Target(zig="native"),
    "aarch64": Target(A64, (), ("qemu-aarch64-static", "-cpu", "cortex-a72")),
    "aarch64, dot product": Target(A64, ("-march=armv8.2-a+dotprod",), ("qemu-aarch64-static", "-cpu", "cortex-a76")),
    "aarch64, i8mm": Target(A64, ("-march=armv8.2-a+dotprod+i8mm",), ("qemu-aarch64-static", "-cpu", "max,sve=off")),
    "armv7 hard float": Target(A32, (), ("qemu-arm-static", "-cpu", "cortex-a7")),
    "armv7, NEON": Target(A32, ("-mcpu=cortex-a7", "-mfpu=neon-vfpv4"), ("qemu-arm-static", "-cpu", "cortex-a7")),
    "riscv64": Target(RISCV, (), ("qemu-riscv64-static",)),
    "wasm32": Target(zig="wasm32-wasi", emulator=NODE),
    "wasm32, simd128": Target(zig="wasm32-wasi", flags=("-msimd128",), emulator=NODE),
}
BOARDS = {
    "Cortex-M4": Board("mps2-an386", ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"), 0, 0x20000000, 40),
    "Cortex-M7": Board("mps2-an500", ("-mcpu=cortex-m7", "-mfpu=fpv5-d16"), 0, 0x20000000, 40),
    "Cortex-M33": Board("mps2-an505", ("-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16"), 0x10000000, 0x38000000, 50),
}
BARE = "arm-none-eabi"


def compiler(target: Target) -> list[str] | None:
    """The command of a target's compiler; None if there is none."""
    if target.zig:
        return [sys.executable, "-m", "ziglang", "cc", "-target", target.zig] if find_spec("ziglang") else None
    names = [f"{target.triple}-gcc", f"{target.triple}-gcc-12"] if target.triple else ["cc"]
    found = next(filter(None, map(shutil.which, names)), None)
    return [found, "-static"] if found else None


def unpacked(root: Path | None, triple: str) -> list[str]:
    """Where a compiler of Debian's finds what is unpacked in a folder."""
    if root is None or not triple:
        return []
    return [f"-isystem{root}/usr/{triple}/include", f"-B{root}/usr/{triple}/lib", f"-L{root}/usr/{triple}/lib"]


def output(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode and not done.stdout:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[:500]}")
    return done.stdout


def hashes(target: str, name: str, printed: str) -> dict[str, Any]:
    """A row of the table, of what the selftest printed."""
    lines = [line.split() for line in printed.splitlines()]
    kernels = [line for line in lines if line[0] != "reading" and len(line) == 3]
    networks = {line[1] for line in kernels}
    reading = next((line[1] for line in lines if line[0] == "reading"), "-")
    return {
        "target": target,
        "compiler": name,
        "kernels": ", ".join(line[0] for line in kernels),
        "networks": " ".join(sorted(networks)),
        "reading": reading,
        "as Python": "yes" if lines and all(line[-1] == "ok" for line in lines) else printed.strip(),
    }


def target_rows(folder: Path, root: Path | None, work: Path, only: str) -> Iterator[dict[str, Any]]:
    """A row of hashes for each processor with an operating system."""
    for name, target in TARGETS.items():
        if only not in name:
            continue
        command = compiler(target)
        if command is None or (target.emulator and not shutil.which(target.emulator[0])):
            print(f"{name}: no compiler or no emulator, left out", file=sys.stderr)
            continue
        program = work / "selftest"
        words = [*command, *FLAGS, *target.flags, *unpacked(root, target.triple), "selftest.c", "digitocr_weights.c"]
        output([*words, "-o", str(program)], folder)
        called = "zig" if target.zig else Path(command[0]).name
        yield hashes(name, called, output([*target.emulator, str(program)]))


def firmware(board: Board, sources: list[Path], flags: list[str], folder: Path, root: Path | None, made: Path) -> None:
    """Compiles a program for a Cortex-M."""
    core = [*board.flags, "-mthumb", "-mfloat-abi=hard"]
    words = [f"{BARE}-gcc", *core, *FLAGS, *SMALL, f"-I{folder}", *flags]
    if root:
        multi = output([f"{BARE}-gcc", *core, "-print-multi-directory"]).strip()
        words += ["-isystem", f"{root}/usr/include/newlib", f"-L{root}/usr/lib/{BARE}/newlib/{multi}"]
    words += [f"-Wl,--defsym=FLASH={board.flash:#x}", f"-Wl,--defsym=RAM={board.ram:#x}"]
    words += ["-T", str(FIRMWARE / "firmware.ld"), str(FIRMWARE / "start.c"), *map(str, sources)]
    output([*words, str(folder / "digitocr_weights.c"), "-o", str(made)])


def emulated(board: Board, program: Path) -> str:
    command = ["qemu-system-arm", "-M", board.machine, "-nographic", "-monitor", "none", "-serial", "none"]
    command += ["-icount", "shift=0", "-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
    return output(command)


def board_rows(
    folder: Path, root: Path | None, work: Path, only: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of hashes, and rows of what each step takes."""
    tested, measured = [], []
    if not shutil.which(f"{BARE}-gcc") or not shutil.which("qemu-system-arm"):
        print("Cortex-M: no compiler or no emulator, left out", file=sys.stderr)
        return [], []
    for name, board in BOARDS.items():
        if only not in name:
            continue
        program = work / "firmware.elf"
        specs = f"{root}/usr/lib/{BARE}/newlib/rdimon.specs" if root else "rdimon.specs"
        firmware(board, [folder / "selftest.c"], ["-DHOSTED", f"--specs={specs}"], folder, root, program)
        tested.append(hashes(name, f"{BARE}-gcc", emulated(board, program)))
        for step, what in STEPS.items():
            flags = ["-Wall", f"-DSTEP={step}", f"-DTICK={board.tick}"]
            firmware(board, [FIRMWARE / "measure.c"], flags, folder, root, program)
            lines = [line.rsplit(" ", 1) for line in emulated(board, program).splitlines()]
            found = {key: int(value) for key, value in lines if not key.startswith("read")}
            text, data, bss = map(int, output([f"{BARE}-size", str(program)]).splitlines()[1].split()[:3])
            counts = {key.split()[1]: value for key, value in found.items() if key.startswith("instructions")}
            measured.append(
                {
                    "processor": name,
                    "step": what,
                    **{f"instructions, {key} (million)": "-" for key in ("dsp", "plain")},
                    **{f"instructions, {key} (million)": round(value / 1e6, 1) for key, value in counts.items()},
                    "flash (bytes)": text + data,
                    "arena (bytes)": found["arena"],
                    "stack (bytes)": found["stack"],
                    "other RAM (bytes)": data + bss - found["beside"],
                    "reads": " ".join(value for key, value in lines if key == "read") or "-",
                }
            )
    return tested, measured


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path, help="what digitocr export --format c has written")
    parser.add_argument("--root", type=Path, help="a folder in which the Debian packages are unpacked")
    parser.add_argument("--only", default="", help="targets with this in their name")
    given = parser.parse_args()
    folder, root = given.folder.resolve(), given.root
    if root:
        os.environ["PATH"] = f"{root}/usr/bin:{os.environ['PATH']}"
        os.environ["LD_LIBRARY_PATH"] = f"{root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu"
    with tempfile.TemporaryDirectory() as work:
        made = list(target_rows(folder, root, Path(work), given.only))
        tested, measured = board_rows(folder, root, Path(work), given.only)
    made += tested
    notes = ["the selftest of the C library with the shipped networks; other processors are emulated by QEMU"]
    notes += ["networks: hash of the outputs of all three networks for stored digits and noise, by each of the kernels"]
    notes += ["reading: hash of the boxes, crops, logits, numbers and confidences of three drawn pictures"]
    report("devices", "The C library on other processors", made, notes, given.save)
    if measured:
        notes = ["one run each, counted by QEMU (-icount); the programs hold nothing but the step and its weights"]
        notes += ["flash has the code, the weights and the stored picture; gcc -O2"]
        notes += ["the picture is read without rotations"]
        report("cortex-m", "The C library on a Cortex-M", measured, notes, given.save)
    if len({row["networks"] for row in made} | {row["reading"] for row in made}) != 2:
        sys.exit("the hashes differ")


if __name__ == "__main__":
    main()
