"""Pictures read by several processes of this machine. Outcomes come in the order of the pictures.

If a process dies, the pictures that were sent and not yet read are read again, one at a time. The one that kills its
process again is reported as an error; all others are read.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from digitocr.cli.batch.sources import Source
from digitocr.cli.batch.task import Outcome, Task, chunks
from digitocr.runtime.processes import begin, spawned

CHUNKS_PER_PROCESS = 4  # chunks sent for each process, so that none is idle while a slow one is awaited


def read_in_processes(task: Task, sources: Iterable[Source], jobs: int) -> Iterator[Outcome]:
    """The outcome of each source, read by that many processes. Raises what Task.read raises."""
    todo = chunks(sources)
    waiting: deque[tuple[list[Source], Future[list[Outcome]]]] = deque()
    pool = spawned(jobs, begin)
    try:
        while True:
            try:
                while len(waiting) < CHUNKS_PER_PROCESS * jobs and (chunk := next(todo, None)):
                    waiting.append((chunk, Future()))  # before submit, which may raise: the chunk must not be lost
                    waiting[-1] = chunk, pool.submit(_read, task, chunk)
                if not waiting:
                    return
                outcomes = waiting[0][1].result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = spawned(jobs, begin)
                yield from _one_by_one(task, (source for chunk, _ in waiting for source in chunk))
                waiting.clear()
            else:
                waiting.popleft()
                yield from outcomes
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _one_by_one(task: Task, sources: Iterable[Source]) -> Iterator[Outcome]:
    pool = spawned(1, begin)
    try:
        for source in sources:
            try:
                yield from pool.submit(_read, task, [source]).result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = spawned(1, begin)
                yield task.died(source.name, "the process")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read(task: Task, chunk: list[Source]) -> list[Outcome]:
    return task.read_chunk(chunk)
