"""The Python package on aarch64, emulated: what it reads is compared with what this machine reads, value for value.

    python benchmarks/aarch64.py FOLDER --save

Golden vectors of the shipped files, and the pictures of examples/. FOLDER gets Debian's arm64 Python, QEMU and the
wheels of the runtime at this machine's versions, 500 MB, unless they are there from an earlier call. Needs
apt-get and pip on Debian 12, x86-64. Takes a quarter of an hour.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "pillow", "opencv-python", "onnxruntime", "flatbuffers", "protobuf", "packaging")
HEADLESS = {"opencv-python": "opencv-python-headless"}  # needs fewer libraries of the system
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")
PYTHON = "3.11"  # of Debian 12
PROCESSOR = "cortex-a72"  # of the Raspberry Pi 4; QEMU's "max" computes some networks wrong
CPUINFO = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
FILES = ("digitocr-int8.onnx", "digitocr-float32.onnx", "detector-int8.onnx", "recognizer-int8.onnx")
WORKER = "worker"  # as the first argument: print what this machine reads


def values() -> dict[str, dict[str, Any]]:
    """What this machine finds, by what it is found in: an answer, and numbers that can be compared."""
    from digitocr.runtime.models import shipped_model
    from digitocr.runtime.reader import Reader
    from digitocr.runtime.selftest import selftest

    found: dict[str, dict[str, Any]] = {}
    for name in (*FILES, None):
        result = selftest(name and shipped_model(name))
        largest = {one["of"]: one["largest"] for one in result["differences"]}
        found[f"golden: {result['file']}"] = {"answer": result["passed"], "numbers": list(largest.values())}
        print(result["file"], result["passed"], largest, file=sys.stderr, flush=True)
    reader = Reader()
    for path in sorted(path for path in Path(sys.argv[2]).iterdir() if path.suffix in (".jpg", ".png")):
        reading = reader.read(path)
        numbers = [value for digit in reading.digits for value in (digit.confidence, *digit.box)]
        numbers += [number.confidence for number in reading.numbers]
        numbers += [probability for digit in reading.digits for _, probability in digit.topk]
        found[path.name] = {"answer": reading.text, "numbers": numbers}
        print(path.name, file=sys.stderr, flush=True)
    return found


def set_up(folder: Path) -> None:
    """Debian's packages and the wheels, unpacked in the folder."""
    root, site = folder / "root", folder / "site"
    if site.exists():
        return
    apt = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    words = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Install-Recommends": "false",
        "Dir::State": apt,
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
    }
    options = [word for name, value in words.items() for word in ("-o", f"{name}={value}")]
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
    packages = ["python3", "libstdc++6", "libgomp1", "libglib2.0-0"]
    subprocess.run(["apt-get", *options, "-qq", "-y", "--download-only", "install", *packages], check=True)
    subprocess.run(["apt-get", "-qq", "download", "qemu-user-static"], cwd=apt / "cache" / "archives", check=True)
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        target = folder / "host" if package.name.startswith("qemu") else root
        subprocess.run(["dpkg-deb", "-x", package, target], check=True)
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(CPUINFO)
    pins = [f"{HEADLESS.get(name, name)}=={importlib.metadata.version(name)}" for name in PACKAGES]
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"]
    unfinished = folder / "site.part"
    subprocess.run([*pip, *platforms, "--python-version", PYTHON, "--target", unfinished, *pins], check=True)
    unfinished.rename(site)


def emulated(folder: Path, pictures: Path) -> dict[str, dict[str, Any]]:
    """What the emulated machine finds."""
    import digitocr

    root = folder / "root"
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(Path(digitocr.__file__).parent, Path(work) / "digitocr")
        settings = {
            "LD_LIBRARY_PATH": "",
            "OPENBLAS_CORETYPE": "",
            "PYTHONHOME": root / "usr",
            "PYTHONPATH": f"{folder / 'site'}:{work}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [folder / "host" / "usr" / "bin" / "qemu-aarch64-static", "-cpu", PROCESSOR, "-L", root]
        command += [word for name, value in settings.items() for word in ("-E", f"{name}={value}")]
        command += [root / "usr" / "bin" / f"python{PYTHON}", Path(__file__).resolve(), WORKER, pictures.resolve()]
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True, env=dict(os.environ))
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def rows(here: dict[str, dict[str, Any]], there: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row of the table for each file and picture."""
    made = []
    for name, mine in here.items():
        theirs = there[name]
        pairs = list(zip(mine["numbers"], theirs["numbers"], strict=False))
        golden = name.startswith("golden: ")
        made.append(
            {
                "what": name,
                "answer": ("passes" if theirs["answer"] else "FAILS") if golden else same(mine, theirs),
                "values": len(mine["numbers"]),
                "equal": sum(a == b for a, b in pairs),
                "largest difference": f"{max((abs(a - b) for a, b in pairs), default=0):.2g}",
            }
        )
    return made


def same(mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Whether the same numbers are read."""
    is_same = mine["answer"] == theirs["answer"] and len(mine["numbers"]) == len(theirs["numbers"])
    return "the same" if is_same else "ANOTHER"


def main() -> None:
    from timing import ROOT, argument_parser, report

    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path, help="for Python, QEMU and the wheels of aarch64")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    set_up(folder)
    pictures = ROOT / "examples"
    there = emulated(folder, pictures)
    words = [sys.executable, __file__, WORKER, pictures]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    notes = [f"emulated: QEMU's {PROCESSOR}, Python {PYTHON} of Debian 12 for arm64, the same versions of the packages"]
    notes += ["values: of golden vectors the largest differences; of a picture confidences, boxes and probabilities"]
    notes += ["`python benchmarks/aarch64.py FOLDER`"]
    report("aarch64", "The Python package on aarch64", rows(json.loads(done.stdout), there), notes, given.save)


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        print(json.dumps(values()))
    else:
        main()
