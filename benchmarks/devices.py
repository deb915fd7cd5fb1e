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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from timing import argument_parser, report

FIRMWARE = Path(__file__).parent / "firmware"
FLAGS = ["-std=c99", "-O2", "-ffp-contract=off"]
SMALL = ["-ffunction-sections", "-fdata-sections", "-nostartfiles", "-Wl,--gc-sections"]  # of a program on Cortex-M
SECONDS = 1800  # of a command
JOBS = 6  # commands at once; instructions are counted, not times
COUNTS = ("instructions dsp", "instructions plain")  # by these kernels
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
    """What a command prints; else its errors, where QEMU prints what a program without files says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode and not done.stdout:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[:500]}")
    return done.stdout or done.stderr


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


def target_row(name: str, folder: Path, root: Path | None, work: Path) -> dict[str, Any] | None:
    """The row of a processor with an operating system; None if it cannot be compiled for or emulated."""
    target = TARGETS[name]
    command = compiler(target)
    if command is None or (target.emulator and not shutil.which(target.emulator[0])):
        print(f"{name}: no compiler or no emulator, left out", file=sys.stderr)
        return None
    program = work / f"selftest {name}"
    words = [*command, *FLAGS, *target.flags, *unpacked(root, target.triple), "selftest.c", "digitocr_weights.c"]
    output([*words, "-o", str(program)], folder)
    called = "zig" if target.zig else Path(command[0]).name
    return hashes(name, called, output([*target.emulator, str(program)]))


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


def board_row(name: str, folder: Path, root: Path | None, work: Path) -> dict[str, Any]:
    """The row of a Cortex-M."""
    specs = f"{root}/usr/lib/{BARE}/newlib/rdimon.specs" if root else "rdimon.specs"
    program = work / f"selftest {name}.elf"
    firmware(BOARDS[name], [folder / "selftest.c"], ["-DHOSTED", f"--specs={specs}"], folder, root, program)
    return hashes(name, f"{BARE}-gcc", emulated(BOARDS[name], program))


def step_row(name: str, step: int, folder: Path, root: Path | None, work: Path) -> dict[str, Any]:
    """What a step takes on a Cortex-M."""
    board, program, plain = BOARDS[name], work / f"{step} {name}.elf", work / f"{step} {name} plain.elf"
    flags = ["-Wall", f"-DSTEP={step}", f"-DTICK={board.tick}"]
    firmware(board, [FIRMWARE / "measure.c"], flags, folder, root, program)
    printed = emulated(board, program)
    if step < max(STEPS):  # that of a picture takes long
        firmware(board, [FIRMWARE / "measure.c"], [*flags, "-DDIGITOCR_PLAIN"], folder, root, plain)
        printed = emulated(board, plain) + printed
    lines = [line.rsplit(" ", 1) for line in printed.splitlines()]
    found = {key: int(value) for key, value in lines if key != "read"}
    text, data, bss = map(int, output([f"{BARE}-size", str(program)]).splitlines()[1].split()[:3])
    counts = {key: f"{found[key] / 1e6:.1f}" if key in found else "-" for key in COUNTS}
    return {
        "processor": name,
        "step": STEPS[step],
        **{f"million {key}": value for key, value in counts.items()},
        "flash (bytes)": text + data,
        "arena (bytes)": found["arena"],
        "stack (bytes)": found["stack"],
        "other RAM (bytes)": data + bss - found["beside"],
        "reads": " ".join(value for key, value in lines if key == "read") or "-",
    }


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
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(JOBS) as pool:
        given_to = partial(pool.submit, folder=folder, root=root, work=Path(work))
        rows = [given_to(target_row, name) for name in TARGETS if given.only in name]
        steps = []
        if shutil.which(f"{BARE}-gcc") and shutil.which("qemu-system-arm"):
            boards = [name for name in BOARDS if given.only in name]
            rows += [given_to(board_row, name) for name in boards]
            steps = [given_to(step_row, name, step) for name in boards for step in STEPS]
        else:
            print("Cortex-M: no compiler or no emulator, left out", file=sys.stderr)
        made = [row.result() for row in rows]
        measured = [row.result() for row in steps]
    made = [row for row in made if row]
    notes = ["the selftest of the C library with the shipped networks; other processors are emulated by QEMU"]
    notes += ["networks: hash of the outputs of all three networks for stored digits and noise, by each of the kernels"]
    notes += ["reading: hash of the boxes, crops, logits, numbers and confidences of three drawn pictures"]
    report("devices", "The C library on other processors", made, notes, given.save)
    if measured:
        notes = ["one run each, counted by QEMU (-icount); the programs hold nothing but the step and its weights"]
        notes += ["flash has the code and the weights, and of the last step three stored pictures (31 KB); gcc -O2"]
        notes += ["the picture is read without rotations"]
        report("cortex-m", "The C library on a Cortex-M", measured, notes, given.save)
    if len({row["networks"] for row in made} | {row["reading"] for row in made}) != 2:
        sys.exit("the hashes differ")


if __name__ == "__main__":
    main()
