"""The Python package on aarch64, emulated: what it reads is compared with what this machine reads, value for value.

    python benchmarks/aarch64.py FOLDER --pictures examples --save

The golden vectors of the shipped files, and pictures. FOLDER gets Debian's arm64 Python, QEMU and the wheels of the
runtime at this machine's versions, 500 MB, unless they are there from an earlier call. Needs apt-get and pip on Debian
12, x86-64. Takes some minutes, and half a minute for a photograph.
"""

import importlib.metadata
import json
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


def golden_values() -> dict[str, list[float]]:
    """Of each shipped file, and of all together, how far this machine is from the golden vectors."""
    from digitocr.runtime.models import shipped_model
    from digitocr.runtime.selftest import selftest

    found = {}
    for name in (*FILES, None):
        result = selftest(name and shipped_model(name))
        found[result["file"]] = [one["largest"] for one in result["differences"]]
        print(f"{result['file']}: {'; '.join(result['failures']) or 'passes'}", file=sys.stderr, flush=True)
    return found


def picture_values(folder: Path) -> dict[str, list[float]]:
    """Of each picture in the folder the digits that are read, their confidences, boxes and probabilities."""
    from digitocr.runtime.reader import Reader

    reader = Reader()
    found = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png")):
        reading = reader.read(path)
        values: list[float] = [number.confidence for number in reading.numbers]
        for digit in reading.digits:
            values += [-1 if digit.digit is None else digit.digit, digit.confidence, *digit.box]
            values += [value for pair in digit.topk for value in pair]
        found[path.name] = values
        print(f"{path.name}: {reading.text.split()}", file=sys.stderr, flush=True)
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


def emulated(folder: Path, pictures: list[Path]) -> dict[str, list[float]]:
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
        return found_by([*command, root / "usr" / "bin" / f"python{PYTHON}"], pictures)


def found_by(python: list[Any], pictures: list[Path]) -> dict[str, list[float]]:
    """What a Python finds, which runs this script as its worker."""
    words = [*python, Path(__file__).resolve(), WORKER, *(path.resolve() for path in pictures)]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def rows(here: dict[str, list[float]], there: dict[str, list[float]]) -> list[dict[str, Any]]:
    """A row of the table for each file and picture."""
    made = []
    for name, mine in here.items():
        theirs = there[name]
        pairs = list(zip(mine, theirs, strict=False))
        row = {"what": name, "values": len(mine), "equal": sum(a == b for a, b in pairs)}
        row["largest difference"] = f"{max((abs(a - b) for a, b in pairs), default=0):.2g}"
        made.append(row | ({} if len(mine) == len(theirs) else {"largest difference": "other digits"}))
    return made


def main() -> None:
    from timing import argument_parser, report

    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path, help="for Python, QEMU and the wheels of aarch64")
    parser.add_argument("--pictures", type=Path, action="append", default=[], help="a folder of pictures to read")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    set_up(folder)
    made = rows(found_by([sys.executable], given.pictures), emulated(folder, given.pictures))
    notes = [f"emulated: QEMU's {PROCESSOR}, Python {PYTHON} of Debian 12 for arm64, the same versions of the packages"]
    notes += ["values of a shipped file: its largest differences from the golden vectors, which both machines compute"]
    notes += ["values of a picture: digits, confidences, boxes and probabilities"]
    report("aarch64", "The Python package on aarch64", made, notes, given.save)


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        everything = golden_values()
        for name in sys.argv[2:]:
            everything |= picture_values(Path(name))
        print(json.dumps(everything))
    else:
        main()
