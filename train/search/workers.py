"""Processes that work on one search at the same time, and are replaced when they die.

    run_workers(partial(work, "runs/search"), jobs=2, report=print)

The function runs in each process, and gets a callback to call whenever it has finished a part of the work. A process
that dies is replaced, since one trial may need too much memory and the next one not. Where several die one after the
other and no part is finished in between, the cause is not a single trial, and the search ends with an error.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

from digitocr.runtime.errors import DigitocrError
from digitocr.runtime.processes import begin

MAX_DEATHS = 8  # of processes, without progress in between; two trials may take three each
Work = Callable[[Callable[[], None]], None]


def run_workers(work: Work, jobs: int, report: Callable[[str], None]) -> None:
    """Runs `work` in that many processes until it has returned in each.

    Args:
        work: The function to run, which can be pickled. It calls its argument whenever a part of the work is finished.
        jobs: The number of processes.
        report: Called with a line for each process that is replaced.

    Raises:
        DigitocrError: `work` raised it in one of the processes, or MAX_DEATHS processes died without progress in
            between. The other processes are terminated first.
    """
    context = multiprocessing.get_context("spawn")
    errors, reasons, progress = context.SimpleQueue(), context.SimpleQueue(), context.Event()
    working: set[Any] = set()

    def start() -> None:
        process = context.Process(target=_run, args=(work, progress, errors, reasons), daemon=True)
        process.start()
        working.add(process)

    def stop(error: DigitocrError) -> DigitocrError:
        for process in working:
            process.terminate()
        for process in working:
            process.join()
        return error

    deaths, reason = 0, ""
    for _ in range(jobs):
        start()
    while working:
        ended = wait([process.sentinel for process in working])
        for process in [one for one in working if one.sentinel in ended]:
            process.join()
            working.remove(process)
            if not errors.empty():
                raise stop(errors.get())
            if not process.exitcode:
                continue
            reason = _reason(process.exitcode)
            while not reasons.empty():
                reason = reasons.get()
            deaths = 1 if progress.is_set() else deaths + 1
            progress.clear()
            if deaths == MAX_DEATHS:
                raise stop(DigitocrError(f"{deaths} worker processes died one after the other: {reason}"))
            report(f"a worker process died and is replaced: {reason}")
            start()


def _reason(exit_code: int) -> str:
    """Why a process died, as far as its exit code tells."""
    if exit_code < 0:
        return f"killed by signal {-exit_code}, perhaps because memory ran out; if so, resume with fewer --jobs"
    return f"exit code {exit_code}; what it wrote on stderr names the cause"


def _run(work: Work, progress: Any, errors: Any, reasons: Any) -> None:
    """What each process runs."""
    begin()
    try:
        work(progress.set)
    except DigitocrError as error:
        errors.put(error)
    except Exception as error:
        reasons.put(f"{type(error).__name__}: {error}".splitlines()[0])
        raise
