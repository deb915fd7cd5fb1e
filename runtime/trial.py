"""A model file of others is tried in a process of its own before this one loads it.

    content, sha256 = checked_model(Path("mine.onnx"))     # or raises ModelError

The interpreters are not hardened: a damaged file can end the process, take all memory, or never end. What happens to
the child, under limits, is a ModelError here. A file is tried once by a process, and shipped files are not tried.
"""

import os
import signal
import sys
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from digitocr.runtime import models
from digitocr.runtime.errors import MissingLibraryError, ModelError

MEMORY = 400_000_000  # bytes that a network may take beside its interpreter; those of digitocr take 30 million
CPU_SECONDS = 5  # that loading one and running it once may take; those of digitocr take 0.05
SECONDS = 60  # by the clock, on a machine that has other work
FREE_SIDE = 64  # of an input whose sides are free; its first side, the batch, is 1
MAX_VALUES = 1_000_000  # of an input

UNUSABLE = ModelError.exit_code  # of a child: the interpreter refuses the file


def checked_model(path: Path) -> tuple[bytes, str]:
    """The content of a model file that can be loaded, and its SHA-256.

    A file that is none of the shipped ones is tried first. Raises ModelError.
    """
    if path.suffix not in RUNS:
        raise ModelError(f"{path}: a model file ends in {' or '.join(RUNS)}; make one with: digitocr export")
    content = models.model_content(path)
    digest = models.check_shipped(path, content)
    if path.parent != models.MODELS and digest not in models.shipped_checksums().values():
        tried(content, path)
    return content, digest


@lru_cache(maxsize=64)
def tried(content: bytes, path: Path) -> None:
    """Loads the model in a child process and runs it once, on zeros.

    Args:
        content: The bytes of a .onnx or .tflite file.
        path: The name of the file.

    Raises:
        ModelError: The interpreter refuses the file, or the child ended or went beyond its limits.
    """
    import subprocess  # here: shipped files need no processes

    if not sys.executable:  # Python is part of another program
        return
    command = [sys.executable, "-P", "-m", "digitocr.runtime.trial", str(path)]
    try:
        child = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(f"{path}: takes too long to load; export it again") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be tried in a process of its own ({error.strerror})") from error
    if child.returncode in (0, MissingLibraryError.exit_code):  # a library that is not there is missed here as well
        return
    if child.returncode == UNUSABLE:
        raise ModelError(child.stdout.decode("utf-8", "replace").strip())
    if child.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise ModelError(f"{path}: takes too long or too much memory to load; export it again")
    raise ModelError(f"{path}: is damaged, it ends the process that loads it; export it again")


def main() -> None:
    """The child: a model comes on standard input; why it is refused goes to standard output, and nothing else does."""
    from digitocr.runtime.interpreter import first_line

    answer = os.dup(1)
    os.dup2(2, 1)  # what the interpreters print
    path = Path(sys.argv[1])
    content = sys.stdin.buffer.read()
    try:
        RUNS[path.suffix](content, path)
    except MissingLibraryError as error:
        os._exit(error.exit_code)
    except ModelError as error:
        _refuse(answer, str(error))
    except MemoryError:
        _refuse(answer, f"{path}: takes over {MEMORY // 1_000_000} MB of memory; export it again")
    except Exception as error:  # of an interpreter, whose exceptions share no base
        _refuse(answer, f"{path}: cannot be loaded and run ({first_line(error)}); export it again")
    os._exit(0)  # without taking the libraries down, which may fail after a damaged model


def _refuse(answer: int, why: str) -> None:
    os.write(answer, why.encode("utf-8", "replace"))
    os._exit(UNUSABLE)


def _run_onnx(content: bytes, path: Path) -> None:
    import numpy as np
    import onnxruntime  # noqa: F401  # the limit of memory is that of what comes after it

    from digitocr.runtime.interpreter import onnx_session

    _limit()
    session = onnx_session(content, path, 1)
    inputs = {}
    for end in session.get_inputs():
        if end.type != "tensor(float)":
            return  # is refused by its type
        shape = [
            side if isinstance(side, int) else 1 if not place else FREE_SIDE for place, side in enumerate(end.shape)
        ]
        _check_size(shape, path)
        inputs[end.name] = np.zeros(shape, np.float32)
    session.run(None, inputs)
    session.get_modelmeta()


def _run_tflite(content: bytes, path: Path) -> None:
    import numpy as np

    from digitocr.runtime.interpreter import litert_interpreter, litert_library

    litert_library()
    _limit()
    interpreter = litert_interpreter(content, path, 1)
    for end in interpreter.get_input_details():
        _check_size(end["shape"], path)
        interpreter.set_tensor(end["index"], np.zeros(end["shape"], end["dtype"]))
    interpreter.invoke()
    for end in interpreter.get_output_details():
        interpreter.get_tensor(end["index"])


RUNS = {".onnx": _run_onnx, ".tflite": _run_tflite}


def _check_size(shape: Any, path: Path) -> None:
    if prod(map(int, shape)) > MAX_VALUES:
        raise ModelError(f"{path}: takes an input of {'x'.join(map(str, shape))} numbers; export it again")


def _limit() -> None:
    """Limits this process to MEMORY and CPU_SECONDS beside what it has used so far."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (spent, spent + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    taken = _data_bytes()
    if taken:
        resource.setrlimit(resource.RLIMIT_DATA, (taken + MEMORY, taken + MEMORY))


def _data_bytes() -> int:
    """The bytes of memory of this process that RLIMIT_DATA counts; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    except (OSError, ValueError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
