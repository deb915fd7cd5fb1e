"""Installed size of the runtime alone, beside two OCR engines for the same task.

    python benchmarks/footprint.py --save

Installs each into an empty environment and counts the bytes of its site-packages, without pip and setuptools. Takes
minutes and downloads gigabytes. Most of EasyOCR's size is PyTorch; which build pip installs depends on the system.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from timing import argument_parser, report

ROOT = Path(__file__).parents[1]
READERS = {
    "digitocr (runtime alone)": [str(ROOT)],
    "RapidOCR": ["rapidocr", "onnxruntime"],
    "EasyOCR": ["easyocr"],
}


def installed(requirements: list[str]) -> tuple[int, list[str]]:
    """The bytes that pip installs for these requirements, and the names and versions of the packages."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([python, "-m", "pip", "install", *quiet, "--no-compile", *requirements], check=True)
        frozen = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
        site = next((Path(folder) / "lib").glob("python*/site-packages"))
        own = [path for path in site.iterdir() if not path.name.startswith(("pip", "setuptools", "_distutils_hack"))]
        files = [file for path in own for file in ([path] if path.is_file() else path.rglob("*"))]
        size = sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
    return size, [line.split(" @ ")[0] for line in frozen.split("\n") if line]


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    rows, notes = [], ["bytes of site-packages in an empty environment, without pip, setuptools and compiled bytecode"]
    for name, requirements in READERS.items():
        size, packages = installed(requirements)
        rows.append({"reader": name, "MB": round(size / 1e6), "packages": len(packages)})
        notes.append(f"{name}: {', '.join(packages)}")
    notes.append("EasyOCR downloads its models at first use, which is not counted; the others include theirs")
    report("footprint", "Installed size", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
