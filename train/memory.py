"""Makes glibc keep the memory that a training step frees, for the next step, until it is given back."""

import ctypes
import gc
import platform

_M_TRIM_THRESHOLD = -1  # parameter numbers of glibc's mallopt(3)
_M_MMAP_MAX = -4
_NEVER_TRIM = 2**31 - 1  # bytes at the top of the heap before glibc returns them to the kernel


def keep_freed() -> bool:
    """Sets malloc so that the whole process keeps freed memory for later allocations; returns whether that worked.

    By default glibc gets every large array from the kernel and returns it when it is freed. A training step allocates
    the same arrays as the step before. On small virtual machines, where new pages are slow, this takes half of the
    training time (docs/decisions/training.md).

    The setting cannot be undone, and can raise the memory that the process holds. `digitocr train` calls this function,
    and so does classifier.loop.train in the processes of studies and searches; `digitocr.train.fit` does not: a program
    that trains calls it where that suits it. Without glibc it does nothing.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM))


def give_back() -> bool:
    """Returns freed memory to the kernel, also what is kept by keep_freed; returns whether that worked.

    For the end of a training whose process goes on with another one: that allocates other arrays, which would come on
    top. Keras's networks and optimizers refer to one another in circles, so these are collected first.
    """
    gc.collect()
    if platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).malloc_trim(0))
