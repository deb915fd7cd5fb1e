"""Inputs for the project's own parsers, made by what they make the parsers do (atheris); prints a table.

pip install atheris && python tests/fuzz/guided.py --seconds 300
python tests/fuzz/guided.py --kind patterns --seconds 60

It is a tool for Linux and a few versions of Python, so it is not among the packages of `make test`.
"""

import argparse
import io
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

with nullcontext() if "--child" not in sys.argv else import_module("atheris").instrument_imports(include=["digitocr"]):
    import cases
    import mutators

CASE_SECONDS = 60  # of one input, from which on it counts as one that never ends
MEMORY_MB = 1000  # of the process, with the libraries and atheris
PATTERNS = (r"\d{2}:\d{2}", r"(?:\d{3}[.,])+\d", r"[0-5]?\d(?=:)|^-?\d+$", r"(\d)\1+", r"(?i:[^a-z]{4})", r"\A\d*?\Z")


def pattern(content: bytes, _: Path) -> None:
    """A regular expression of `--expect`."""
    from digitocr.runtime.matching import Wanted

    # an error names the expression, and is of one line if that is; the command line makes escapes of the rest
    wanted = Wanted(content.decode("utf-8", "replace").replace("\n", " "))
    wanted.admits("14.09", "1409")


def json_file(content: bytes, folder: Path) -> None:
    """A byte for the kind, and the file."""
    kind = list(mutators.JSONS)[content[0] % len(mutators.JSONS)] if content else "card"
    cases.read_json_file(kind, content[1:], folder / ("run.json" if kind == "run.json" else "a.json"))


def arrays(content: bytes, folder: Path) -> None:
    """A byte for the form, and an .npz file, the arrays of one, an IDX file of labels or of pictures, or a table."""
    from digitocr.train.sources.load import read_source

    form, body = FORMS[content[0] % len(FORMS)] if content else "npz", content[1:]
    name = {"npz": "a.npz", "npy": "a.npz", "table": "a.csv"}.get(form, "train-images-idx3-ubyte")
    (folder / name).write_bytes(packed(body) if form == "npy" else body)
    labels = folder / "train-labels-idx1-ubyte"
    if form == "labels":
        (folder / name).write_bytes(IDX)
        labels.write_bytes(body)
    elif form == "idx":
        labels.write_bytes(b"\0\0\x08\1\0\0\0\2\3\4")
    read_source(folder / name)


FORMS = ("npz", "npy", "table", "idx", "labels")
IDX = b"\0\0\x08\3\0\0\0\2\0\0\0\5\0\0\0\5" + bytes(50)  # two pictures of 5x5


def packed(content: bytes) -> bytes:
    """An .npz file of two arrays: the content up to the last beginning of an array, and the rest."""
    file, half = io.BytesIO(), max(content.rfind(np.lib.format.MAGIC_PREFIX), 0)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", content[:half])
        archive.writestr("y.npy", content[half:])
    return file.getvalue()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _json_seeds() -> Iterator[bytes]:
    for number, lines in enumerate(mutators.JSONS.values()):
        yield bytes((number,)) + "".join(f"{line}\n" for line in lines()).encode()


def _array_seeds() -> Iterator[bytes]:
    both = _npy(np.zeros((2, 28, 28), np.uint8)), _npy(np.arange(2))
    file = io.BytesIO()
    np.savez(file, x=np.zeros((2, 6, 6), np.float32), y=np.arange(2))
    yield bytes((FORMS.index("npz"),)) + file.getvalue()
    yield bytes((FORMS.index("npy"),)) + b"".join(both)
    yield bytes((FORMS.index("npy"),)) + _npy(np.zeros((2, 6, 6, 3), np.float64)) + _npy(np.eye(2, 10))
    yield bytes((FORMS.index("table"),)) + b"label," + b",".join(b"p" for _ in range(36)) + b"\n7" + b",0" * 36 + b"\n"
    yield bytes((FORMS.index("table"),)) + b"file,label,group,part\na.png,7,a,test\n"
    yield bytes((FORMS.index("idx"),)) + IDX
    yield bytes((FORMS.index("labels"),)) + b"\0\0\x0c\2\0\0\0\2\0\0\0\3" + bytes(24)


Reads = Callable[[bytes, Path], None]
KINDS: dict[str, tuple[Reads, Callable[[], Iterator[bytes]]]] = {
    "patterns": (pattern, lambda: (text.encode() for text in PATTERNS)),
    "json": (json_file, _json_seeds),
    "arrays": (arrays, _array_seeds),
}


def guided(kind: str, seconds: int, seed: int) -> None:
    """Does a kind in this process, which ends with it; a line of stderr for each place of an untyped exception."""
    import atheris

    warnings.simplefilter("ignore")
    reads, seeds = KINDS[kind]
    found: set[str] = set()
    with tempfile.TemporaryDirectory() as named:
        corpus, folder = Path(named, "corpus"), Path(named, "files")
        corpus.mkdir()
        folder.mkdir()
        with atheris.instrument_imports(include=["digitocr"]):
            for number, content in enumerate(seeds()):
                (corpus / str(number)).write_bytes(content)
                cases.became(lambda content=content: reads(content, folder))  # type: ignore[misc]

        def once(content: bytes) -> None:
            became = cases.became(lambda: reads(content, folder))
            if became.startswith("untyped") and became not in found:
                found.add(became)
                print(f"{became}: {content[:400]!r}", file=sys.stderr, flush=True)

        limits = [f"-max_total_time={seconds}", f"-timeout={CASE_SECONDS}", f"-rss_limit_mb={MEMORY_MB}"]
        ways = [*limits, f"-seed={seed + 1}", "-max_len=4096", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *ways, str(corpus)], once)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        guided(arguments.kind, arguments.seconds, arguments.seed)
    print("| kind | inputs | kept for what they do | untyped | ended the process |\n|---|---|---|---|---|")
    bad = 0
    for kind in [arguments.kind] if arguments.kind else KINDS:
        words = ["--child", "--kind", kind, "--seconds", str(arguments.seconds), "--seed", str(arguments.seed)]
        done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
        numbers = [int(found) for found in re.findall(r"stat::number_of_executed_units: (\d+)", done.stderr)]
        kept = [int(found) for found in re.findall(r"corp: (\d+)", done.stderr)]
        untyped = [line for line in done.stderr.splitlines() if line.startswith("untyped")]
        ended = int(done.returncode != 0)
        print("\n".join([*untyped, *([done.stderr[-3000:]] if ended else [])]), file=sys.stderr)
        print(f"| {kind} | {sum(numbers):,} | {max(kept, default=0):,} | {len(untyped)} | {ended} |", flush=True)
        bad += len(untyped) + ended
    print(f"\natheris {version('atheris')}, Python {sys.version.split()[0]}, numpy {np.__version__}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
