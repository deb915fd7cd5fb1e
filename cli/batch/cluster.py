"""Pictures read by the workers of a Dask scheduler, which the user has started. Outcomes come in the pictures' order.

Workers get by the network what they need, the pictures and networks of the user's own: they share no disk with this
machine, and have digitocr installed. What a worker had under way when it died, Dask gives to another one.
"""

import logging
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from digitocr.cli.batch.sources import Source, loaded
from digitocr.cli.batch.task import Outcome, Task, chunks
from digitocr.runtime.errors import ClusterError, MissingExtraError

PATIENCE = 5  # seconds in which a scheduler answers and a first worker is there
RESTART = 20  # seconds in which another worker comes where all have gone
AHEAD = 3  # chunks that are under way for each thread of the workers

Chunk = list[Source]


def read_on_cluster(task: Task, sources: Iterable[Source], address: str) -> Iterator[Outcome]:
    """The outcome of each source, read by the workers of the scheduler at that address.

    Raises ClusterError where there is no scheduler or no worker, MissingExtraError, and what Task.read raises.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError("cluster", "reading on a cluster") from error
    for logger in ("distributed", "distributed.client"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # what they warn of is either mended or raised
    task.reader()  # what is wrong with the settings or the model is told from here
    own = {name: path.read_bytes() for name, path in (("model", task.model), ("detector", task.detector)) if path}
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"{address}: no scheduler answers ({error}); start one with: dask scheduler") from error
    todo = chunks(map(loaded, sources))
    waiting: deque[tuple[Chunk, Any]] = deque()

    def sent(chunk: Chunk) -> Any:
        return client.submit(_read, task, own, chunk, pure=False)

    with client:
        try:
            _await_worker(client, address, PATIENCE)
            _check(client, address)
            while True:
                threads = sum(client.nthreads().values()) or 1  # workers come and go
                while len(waiting) < AHEAD * threads and (chunk := next(todo, None)):
                    waiting.append((chunk, sent(chunk)))
                if not waiting:
                    return
                chunk, future = waiting.popleft()
                try:
                    yield from _result(client, address, future)
                except distributed.KilledWorker:  # one worker after the other
                    for source in chunk:
                        try:
                            yield from _result(client, address, sent([source]))
                        except distributed.KilledWorker:
                            yield task.died(source.name, "the workers")
        except (OSError, CancelledError) as error:
            raise ClusterError(f"{address}: the scheduler is lost ({error}); start it again, then --resume") from error


def _check(client: Any, address: str) -> None:
    """Whether digitocr is there, asked by what runs without it: a worker without it would die of its first task."""
    try:
        client.run_on_scheduler(version, "digitocr")
        client.run(version, "digitocr")
    except PackageNotFoundError as error:
        why = "its scheduler or a worker has no digitocr"
        raise ClusterError(f"{address}: {why}; install it where they run: pip install 'digitocr[cluster]'") from error


def _result(client: Any, address: str, future: Any) -> list[Outcome]:
    while True:
        try:
            outcomes: list[Outcome] = future.result(PATIENCE)
            return outcomes
        except TimeoutError:
            _await_worker(client, address, RESTART)


def _await_worker(client: Any, address: str, seconds: int) -> None:
    try:
        client.wait_for_workers(1, seconds)
    except TimeoutError as error:
        raise ClusterError(f"{address}: the scheduler has no worker; start one with: dask worker {address}") from error


def _read(task: Task, own: dict[str, bytes], chunk: Chunk) -> list[Outcome]:
    """What a worker does. own: the content of the task's model and detector, of those that are not the shipped ones."""
    paths = {what: _file(getattr(task, what).name, content) for what, content in own.items()}
    return replace(task, model=paths.get("model"), detector=paths.get("detector")).read_chunk(chunk)


@cache
def _folder(name: str, content: bytes) -> "tempfile.TemporaryDirectory[str]":
    """A folder with that file, for as long as this process lives."""
    folder = tempfile.TemporaryDirectory(prefix="digitocr-")
    Path(folder.name, name).write_bytes(content)
    return folder


def _file(name: str, content: bytes) -> Path:
    return Path(_folder(name, content).name) / name
