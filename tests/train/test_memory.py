import platform
import resource
import subprocess
import sys

import pytest

ARRAYS = """
import resource
import numpy as np
from digitocr.train.memory import keep_freed
kept = keep_freed()
for _ in range(50):
    np.ones(8_000_000, np.float32)  # 32 MB
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_the_kernel_is_asked_for_an_array_s_memory_once() -> None:
    kept, faults = subprocess.run(
        [sys.executable, "-c", ARRAYS], capture_output=True, text=True, check=True
    ).stdout.split()
    pages = 50 * 32_000_000 // resource.getpagesize()
    assert kept == "True"
    assert int(faults) < pages / 10


GIVEN_BACK = """
import numpy as np
from digitocr.train.memory import give_back, keep_freed

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

keep_freed()
arrays = [np.ones(250_000, np.float32) for _ in range(100)]  # 100 MB
kept = arrays[-1]  # at the top of the heap
arrays = None
print(held(), give_back(), held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_what_was_kept_is_given_back() -> None:
    before, worked, after = subprocess.run(
        [sys.executable, "-c", GIVEN_BACK], capture_output=True, text=True, check=True
    ).stdout.split()
    assert worked == "True"
    assert (int(before) - int(after)) * resource.getpagesize() > 90_000_000


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from digitocr.train.memory import give_back, keep_freed

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed()
    assert not give_back()
