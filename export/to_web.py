"""The folder of `digitocr export --format c` -> a page that reads pictures in any browser, and a package of JavaScript.

    made = export_web(Path("exports/c"), Path("exports/web"))

leaves digitocr.html, which needs nothing beside it and no network; and digitocr.js with digitocr.wasm and
digitocr.d.ts, for other pages, Node and bundlers.
"""

import base64
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from string import Template

from digitocr import __version__
from digitocr.export.parity import Report
from digitocr.export.publish import refuse_there
from digitocr.runtime.errors import MissingExtraError, ModelError, OutputError
from digitocr.runtime.files import replacing

SOURCES = Path(__file__).parents[1] / "runtime" / "web"  # also in the installed package
PAGE, WASM, PACKAGE = "digitocr.html", "digitocr.wasm", "package.json"
C_FILES = ("digitocr.h", "digitocr.c", "digitocr_weights.c")  # of the folder, which the wasm is made of
COPIED = ("digitocr.js", "digitocr.d.ts", "README.md")
EXPORTED = (
    "__heap_base",
    "digitocr_classes",
    "digitocr_classify",
    "digitocr_classify_bytes",
    "digitocr_classify_box",
    "digitocr_classify_box_bytes",
    "digitocr_read",
    "digitocr_read_bytes",
    "digitocr_web_crops",
    "digitocr_web_crops_bytes",
)
TARGET = ("-target", "wasm32-freestanding", "-msimd128", "-mbulk-memory")  # browsers of 2023 and later
FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-nostdlib", "-Wl,--no-entry", "-Wl,-s")
STACK_BYTES = 131072
GZIP = 31  # zlib's name of that format
COMPILE_SECONDS = 900  # on a busy machine; a quiet one takes 10
POLICY = (  # what the page may do: run its own code, and use the camera; it may load and send nothing
    "default-src 'none'; script-src {script} 'wasm-unsafe-eval'; style-src {style}; worker-src blob:; "
    "base-uri 'none'; form-action 'none'"
)
IMPORT = 'import { load } from "./digitocr.js"\n'  # of worker.js; in the page both are one file
ADDRESS = ' = new URL("digitocr.wasm", import.meta.url)'  # in digitocr.js; the page gives the bytes


def export_web(c_folder: Path, out: Path, *, force: bool = False) -> Report:
    """Compiles the C library to WebAssembly, and writes the page and the package.

    Args:
        c_folder: What `export_c` wrote.
        out: The folder to write to; it is made.
        force: Overwrite the files of an earlier export.

    Returns:
        "path" of the page, its "bytes", and "wasm_bytes".

    Raises:
        ModelError: The C folder lacks a file, or does not compile.
        MissingExtraError: The compiler, the package ziglang, is not installed.
        OutputError: A file exists already or cannot be written.
    """
    check_out(out, force)
    wasm = compiled(c_folder)
    files = {
        PAGE: page_of(wasm).encode(),
        WASM: wasm,
        PACKAGE: json.dumps(_package(), indent=2).encode() + b"\n",
        **{name: (SOURCES / name).read_bytes() for name in COPIED},
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with replacing(out / name) as beside:
                beside.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error}); give another --out") from error
    return {"path": str(out / PAGE), "bytes": len(files[PAGE]), "wasm_bytes": len(wasm)}


def check_out(out: Path, force: bool) -> None:
    """Raises MissingExtraError without a compiler, OutputError if the folder has a file that is to be kept."""
    if importlib.util.find_spec("ziglang") is None:
        raise MissingExtraError("device", "compiling to WebAssembly")
    if not force:
        refuse_there(out / name for name in (PAGE, WASM, PACKAGE, *COPIED))


def compiled(c_folder: Path) -> bytes:
    """digitocr.wasm: the C library of that folder. Raises ModelError."""
    for name in C_FILES:
        if not (c_folder / name).is_file():
            raise ModelError(f"{c_folder / name}: is missing; write the folder by digitocr export --format c")
    with tempfile.TemporaryDirectory() as folder:
        made, here = Path(folder) / "digitocr.wasm", c_folder.resolve()
        command = [sys.executable, "-m", "ziglang", "cc", *TARGET, *FLAGS, f"-Wl,-z,stack-size={STACK_BYTES}"]
        command += [f"-Wl,--export={name}" for name in EXPORTED]
        command += [f"-I{SOURCES}", f"-I{here}", str(SOURCES / "digitocr_web.c"), "-o", str(made)]
        command += [str(here / "digitocr_weights.c")]
        try:
            result = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ModelError(f"{c_folder}: takes over {COMPILE_SECONDS} s to compile; try it again") from None
        if result.returncode:
            lines = result.stderr.strip().splitlines()
            why = next((line for line in lines if "error" in line), lines[-1] if lines else "no message")
            raise ModelError(f"{c_folder}: does not compile to WebAssembly ({why})")
        return made.read_bytes()


def page_of(wasm: bytes) -> str:
    """The page, with all that it needs inside. It is the same for the same wasm."""
    style, script = (_source(name) for name in ("page.css", "page.js"))
    content = _classic_worker().encode() + b"\0" + wasm
    # weights do not repeat, and each layer has its own levels: few matches, and short blocks
    packer = zlib.compressobj(9, wbits=GZIP, memLevel=6, strategy=zlib.Z_FILTERED)
    packed = packer.compress(content) + packer.flush()
    for text in (style, script):
        if "</s" in text or "<!--" in text:
            raise AssertionError("a source of the page holds what ends or changes an element of HTML")
    return Template(_source("page.html")).substitute(
        policy=POLICY.format(script=_hash(script), style=_hash(style)),
        style=style,
        packed=base64.b64encode(packed).decode(),
        script=script,
    )


def _classic_worker() -> str:
    """worker.js and digitocr.js as one script. Chromium refuses a module as the worker of a page without a server."""
    library, worker = _source("digitocr.js"), _source("worker.js")
    if IMPORT not in worker or ADDRESS not in library:
        raise AssertionError("worker.js or digitocr.js lacks a line that the page replaces")
    library = re.sub(r"^export ", "", library.replace(ADDRESS, ""), flags=re.MULTILINE)
    return library + worker.replace(IMPORT, "")


def _source(name: str) -> str:
    return (SOURCES / name).read_text("utf-8")


def _hash(text: str) -> str:
    """A source as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _package() -> dict[str, object]:
    return {
        "name": "digitocr",
        "version": __version__,
        "description": "Reads the numbers in pictures",
        "license": "Apache-2.0",
        "type": "module",
        "main": "./digitocr.js",  # for what knows no "exports", as the next one
        "types": "./digitocr.d.ts",
        "exports": {
            ".": {"types": "./digitocr.d.ts", "default": "./digitocr.js"},
            "./digitocr.wasm": "./digitocr.wasm",
        },
        "files": ["digitocr.js", "digitocr.d.ts", "digitocr.wasm"],
    }
