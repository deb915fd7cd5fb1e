import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
