import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from digitocr.runtime.processes import begin, map_interruptibly

CODE = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from digitocr.runtime.processes import begin
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), begin)
    print(pool.submit(os.getpid).result(), flush=True)
    input()
    print(pool.submit(os.getpid).result(), flush=True)
    input()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_process_leaves_ctrl_c_to_its_parent_and_ends_with_it(tmp_path):
    (tmp_path / "parent.py").write_text(CODE)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdin=-1, stdout=-1, text=True) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGINT)
        parent.stdin.write("\n")
        parent.stdin.flush()
        assert int(parent.stdout.readline()) == child
        parent.kill()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("it outlived its parent")


TOO_MANY = """
import resource
from digitocr.runtime.errors import UsageError
from digitocr.runtime.processes import begin, spawned
if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (12, most))
    try:
        spawned(3, begin)
    except UsageError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit files otherwise")
def test_processes_that_cannot_start_are_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "parent.py").write_text(TOO_MANY)
    done = subprocess.run([sys.executable, tmp_path / "parent.py"], capture_output=True, text=True, timeout=60)
    assert done.stdout == "3 processes cannot start (Too many open files); read with fewer jobs, or with one\n"


INTERRUPTED = """
import signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from digitocr.runtime.processes import begin, map_interruptibly
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ProcessPoolExecutor(2, get_context("spawn"), begin) as pool:
        print("ready", flush=True)
        map_interruptibly(pool, time.sleep, [0.2] * 1000)
"""


@pytest.mark.parametrize("delay", [0, 0.05, 1.5])  # seconds; while processes are started, and while they work
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_calls_end_soon_and_clean_when_interrupted(signum, delay, tmp_path):
    (tmp_path / "parent.py").write_text(INTERRUPTED)
    command = [sys.executable, "-W", "default", tmp_path / "parent.py"]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as parent:
        parent.stdout.readline()
        time.sleep(delay)
        parent.send_signal(signum)
        _, err = parent.communicate(timeout=30)  # 1,000 calls take 100 s
    assert parent.returncode == {signal.SIGINT: -signal.SIGINT, signal.SIGTERM: 143}[signum]
    assert "leaked" not in err
    assert "truncated" not in err


def test_calls_give_their_results_in_order_and_the_first_exception():
    with ProcessPoolExecutor(2, get_context("spawn"), begin) as pool:
        assert map_interruptibly(pool, pow, range(8), [2] * 8) == [n * n for n in range(8)]
    with ProcessPoolExecutor(1, get_context("spawn"), begin) as pool, pytest.raises(ZeroDivisionError):
        map_interruptibly(pool, divmod, [1, 1, 1], [1, 0, 1])
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
