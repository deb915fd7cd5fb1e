"""Pictures read by several processes of this machine. Outcomes come in the order of the pictures, a few chunks ahead.

A process that dies takes no picture with it: what was under way is read again, one picture at a time, so that a
picture that its process dies of is known, becomes an error, and the others are read.
"""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from digitocr.cli.batch.sources import Source
from digitocr.cli.batch.task import Outcome, Task, chunks
from digitocr.runtime.processes import begin

AHEAD = 4  # chunks that are under way for each process, so that none waits while a slow one is awaited


def read_in_processes(task: Task, sources: Iterable[Source], jobs: int) -> Iterator[Outcome]:
    """The outcome of each source, read by that many processes. Raises what Task.read raises."""
    todo = chunks(sources)
    waiting: deque[tuple[list[Source], Future[list[Outcome]]]] = deque()
    pool = _pool(jobs)
    try:
        while True:
            try:
                while len(waiting) < AHEAD * jobs and (chunk := next(todo, None)):
                    waiting.append((chunk, Future()))  # what cannot be handed to a broken pool must not be lost
                    waiting[-1] = chunk, pool.submit(_read, task, chunk)
                if not waiting:
                    return
                outcomes = waiting[0][1].result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = _pool(jobs)
                yield from _one_by_one(task, (source for chunk, _ in waiting for source in chunk))
                waiting.clear()
            else:
                waiting.popleft()
                yield from outcomes
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _one_by_one(task: Task, sources: Iterable[Source]) -> Iterator[Outcome]:
    pool = _pool(1)
    try:
        for source in sources:
            try:
                yield from pool.submit(_read, task, [source]).result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = _pool(1)
                yield task.died(source.name, "the process")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read(task: Task, chunk: list[Source]) -> list[Outcome]:
    return task.read_chunk(chunk)


def _pool(jobs: int) -> ProcessPoolExecutor:
    """Fresh processes, not forks: what threads of the libraries hold in this one would stay held in a fork."""
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), begin)
