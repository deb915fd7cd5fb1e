"""What processes that work beside each other begin with."""

import multiprocessing
import os
import signal
import threading


def begin() -> None:
    """In each process: Ctrl-C is for the parent to see, and without a parent there is nothing left to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
