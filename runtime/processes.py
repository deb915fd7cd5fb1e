"""Worker processes: how each begins, and calls in a pool of them that Ctrl-C can interrupt."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from digitocr.runtime.errors import UsageError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

T = TypeVar("T")


def begin() -> None:
    """Prepares a worker process: it ignores Ctrl-C, which its parent handles, and ends when its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)


def spawned(jobs: int, initializer: Callable[..., None], *arguments: Any) -> "ProcessPoolExecutor":
    """A pool of that many processes, which are started. They begin with a call of the initializer.

    They are fresh ones: in a fork, locks that threads of the libraries hold at that moment would stay locked.

    Raises:
        UsageError: They cannot start, as where there is no shared memory or are too many open files.
    """
    from concurrent.futures import ProcessPoolExecutor  # here, since its import takes time

    try:
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer, arguments)
        pool.submit(int)  # the first call starts them all
    except (OSError, ImportError, NotImplementedError) as error:  # the last two where a system has no semaphores
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{jobs} processes cannot start ({why}); read with fewer jobs, or with one") from error
    return pool


def map_interruptibly(pool: "ProcessPoolExecutor", function: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
    """The results of `pool.map`, as a list; an exception, Ctrl-C among them, cancels the calls that have not begun."""
    try:
        with _signals_deferred():
            results = pool.map(function, *arguments)  # starts the processes
        return list(results)
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Holds Ctrl-C and SIGTERM back until the end of the block, which starts processes.

    An exception while a process is started leaves it half started: it reports a truncated pickle, or waits for ever and
    keeps its semaphores. Outside the main thread, where Python handles no signals, the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _: held.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if held:
            signal.raise_signal(held[0])
