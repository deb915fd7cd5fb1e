"""Many pictures read in order, by this process or by several.

If a process dies, the pictures that it and the other processes were reading are read again one at a time. A picture
whose process dies again is reported as an error; the others are read.
"""

import os
import pickle
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import Protocol, TypeAlias

from digitocr.runtime.arguments import whole
from digitocr.runtime.errors import DigitocrError, InputError, UsageError
from digitocr.runtime.image import Picture
from digitocr.runtime.opencv import cv2
from digitocr.runtime.processes import begin, spawned
from digitocr.runtime.reading import Reading

Outcomes: TypeAlias = "Generator[Reading | Exception, None, None]"

PICTURES_PER_PROCESS = 4  # sent to each process in advance, so that none is idle while a slow picture is awaited

_pickled: bytes = b""  # in a process that reads: the reader that it was given
_reader: "Reads | None" = None  # the same, once it is loaded


class Reads(Protocol):
    """A reader of pictures. It can be pickled if several processes read."""

    def read(self, picture: Picture) -> Reading: ...


def read_many(reader: Reads, pictures: Iterable[Picture], jobs: int, errors: str) -> Iterator[Reading | Exception]:
    """What the reader reads in each picture, in the order of the pictures; a few pictures are taken ahead.

    Args:
        reader: Reads the pictures; with several jobs each process has its own copy.
        pictures: What `reader` takes.
        jobs: How many processes read; with 1 this process does.
        errors: "raise" the exception of a picture, or "return" it in the place of its Reading.

    Raises:
        UsageError: An argument makes no sense, or, when the first reading is asked for, no process starts.
    """
    jobs = whole("jobs", jobs, 1)
    if isinstance(pictures, (str, bytes, os.PathLike)):  # of which each letter would be taken for a picture
        raise UsageError("pictures must be several, as in a list; read takes a single one")
    if errors not in ("raise", "return"):
        raise UsageError(f"errors must be raise or return, not {errors}")
    outcomes = _read_here(reader, pictures) if jobs == 1 else _read_in_processes(pickle.dumps(reader), pictures, jobs)
    return outcomes if errors == "return" else _raising(outcomes)


def _raising(outcomes: Outcomes) -> Generator[Reading, None, None]:
    with closing(outcomes):  # ends the processes now, and not when the exception is forgotten
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome


def _read_here(reader: Reads, pictures: Iterable[Picture]) -> Outcomes:
    for picture in pictures:
        try:
            yield reader.read(picture)
        except Exception as error:  # an error of this picture, not of the batch
            yield error


def _read_in_processes(pickled: bytes, pictures: Iterable[Picture], jobs: int) -> Outcomes:
    todo = enumerate(pictures, 1)
    waiting: deque[tuple[int, Picture, Future[Reading | Exception]]] = deque()
    pool = spawned(jobs, _start, pickled)
    try:
        _await_start(pool, jobs)
        while True:
            try:
                while len(waiting) < PICTURES_PER_PROCESS * jobs and (following := next(todo, None)):
                    waiting.append((*following, Future()))  # what a broken pool refuses must not be lost
                    waiting[-1] = (*following, pool.submit(_read, following[1]))
                if not waiting:
                    return
                outcome = waiting[0][2].result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                yield from _read_one_by_one(pickled, [(place, picture) for place, picture, _ in waiting])
                waiting.clear()
                pool = spawned(jobs, _start, pickled)
                _await_start(pool, jobs)
            else:
                waiting.popleft()
                yield outcome
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read_one_by_one(pickled: bytes, pictures: Iterable[tuple[int, Picture]]) -> Outcomes:
    pool = spawned(1, _start, pickled)
    try:
        for place, picture in pictures:
            try:
                outcome = pool.submit(_read, picture).result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = spawned(1, _start, pickled)
                name = picture if isinstance(picture, (str, os.PathLike)) else f"picture {place}"
                outcome = InputError(
                    f"{name}: the process that read it died; the picture or a lack of memory killed it"
                )
            yield outcome
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _await_start(pool: ProcessPoolExecutor, jobs: int) -> None:
    """Returns when all processes have loaded the reader. Raises what loading it raises, or UsageError.

    No picture is read before: a process that a pool starts while another one dies can be left behind by the pool.
    """
    try:
        for loading in [pool.submit(_load) for _ in range(jobs)]:
            loading.result()
    except BrokenProcessPool:
        raise UsageError(
            "the worker processes cannot start; in a script, call read_many below "
            '`if __name__ == "__main__":`, since each of them imports the script'
        ) from None


def _start(pickled: bytes) -> None:
    """The first thing that a process does. The reader is loaded later, so that its errors can be sent back."""
    global _pickled
    begin()
    cv2.setNumThreads(1)  # the processes share the cores
    _pickled = pickled


def _load() -> None:
    _loaded()


def _loaded() -> Reads:
    global _reader
    if _reader is None:
        _reader = pickle.loads(_pickled)
    return _reader


def _read(picture: Picture) -> Reading | Exception:
    try:
        return _loaded().read(picture)
    except Exception as error:  # an error of this picture, not of the batch
        return _sendable(error)


def _sendable(error: Exception) -> Exception:
    """The exception, or one that says the same if it does not survive the way to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return DigitocrError(f"{type(error).__name__}: {error}")
    return error
