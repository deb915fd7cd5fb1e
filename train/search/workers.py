"""Processes that work on one search at the same time, and are replaced when they die.

    run_workers(partial(work, "runs/search"), jobs=2, report=print)

The function runs in each process. It gets a callback to call once it has something to do: a process that dies after
that is replaced, however often, since the search counts how often a trial is repeated. A process that dies before it
has anything to do would die again, so a few of these end the search.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

from digitocr.runtime.errors import DigitocrError
from digitocr.runtime.processes import begin

MAX_IDLE_DEATHS = 3  # of processes, one after the other, that had nothing to do yet
Work = Callable[[Callable[[], None]], None]


def run_workers(work: Work, jobs: int, report: Callable[[str], None]) -> None:
    """Runs `work` in that many processes until it has returned in each.

    work: can be pickled. It calls its argument once it has something to do. report: is called with a line for each
    process that is replaced.

    Raises the DigitocrError that ends `work` in one of the processes, and DigitocrError after MAX_IDLE_DEATHS processes
    have died before they had anything to do; the other processes are terminated first.
    """
    context = multiprocessing.get_context("spawn")
    errors, reasons = context.SimpleQueue(), context.SimpleQueue()
    working: dict[Any, Any] = {}  # processes, and the events that say whether they have something to do

    def start() -> None:
        busy = context.Event()
        process = context.Process(target=_run, args=(work, busy, errors, reasons), daemon=True)
        process.start()
        working[process] = busy

    def stop(error: DigitocrError) -> DigitocrError:
        for process in working:
            process.terminate()
        for process in working:
            process.join()
        return error

    idle_deaths, reason = 0, ""
    for _ in range(jobs):
        start()
    while working:
        ended = wait([process.sentinel for process in working])
        for process in [one for one in working if one.sentinel in ended]:
            process.join()
            busy = working.pop(process)
            if not errors.empty():
                raise stop(errors.get())
            if not process.exitcode:
                continue
            reason = _reason(process.exitcode)
            while not reasons.empty():
                reason = reasons.get()
            idle_deaths = 0 if busy.is_set() else idle_deaths + 1
            if idle_deaths == MAX_IDLE_DEATHS:
                raise stop(DigitocrError(f"{idle_deaths} worker processes died before they began a trial: {reason}"))
            report("a worker process died; its trial is repeated" if busy.is_set() else "a worker process died")
            start()


def _reason(exit_code: int) -> str:
    """Why a process died, as far as its exit code tells."""
    if exit_code < 0:
        return f"killed by signal {-exit_code}, perhaps because memory ran out; resume with fewer --jobs"
    return f"exit code {exit_code}; what they wrote on stderr names the cause"


def _run(work: Work, busy: Any, errors: Any, reasons: Any) -> None:
    """What each process runs."""
    begin()
    try:
        work(busy.set)
    except DigitocrError as error:
        errors.put(error)
    except Exception as error:
        reasons.put(f"{type(error).__name__}: {error}".splitlines()[0])
        raise
