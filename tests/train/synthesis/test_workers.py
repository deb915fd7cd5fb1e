import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.train.synthesis import workers as module
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.workers import glyphs, worker_pool

BUNDLED = Path(get_data_path()) / "fonts" / "ttf"  # Matplotlib brings some fonts along


def test_a_process_draws_with_what_it_was_started_with_and_gives_way():
    images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)
    images[:, 4:24, 10:16] = 255
    with worker_pool(1, images, labels, []) as pool:
        there = pool.submit(glyphs).result()
        niceness = pool.submit(os.nice, 0).result()
        assert pool.submit(os.getpid).result() != os.getpid()
    here = Glyphs(images, labels, [], hands=1)
    for kind in ("mnist", "segments"):
        drawn = []
        for some in (there, here):
            rng = np.random.default_rng(1)
            drawn.append(some.alphabet(rng, [kind]).digit(3, rng).ink)
        np.testing.assert_array_equal(*drawn)
    assert niceness == min(os.nice(0) + 1, 19)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_process_ends_with_the_one_that_asks_it_and_leaves_ctrl_c_to_it():
    code = (
        "import os, numpy as np; from digitocr.train.synthesis.workers import worker_pool; "
        "pool = worker_pool(1, np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), []); "
        "print(pool.submit(os.getpid).result(), flush=True); input(); "
        "print(pool.submit(os.getpid).result(), flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as process:
        drawer = int(process.stdout.readline())
        os.kill(drawer, signal.SIGINT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert int(process.stdout.readline()) == drawer
        process.kill()
    for _ in range(100):
        if not Path(f"/proc/{drawer}").exists():
            return
        time.sleep(0.1)
    os.kill(drawer, signal.SIGKILL)
    pytest.fail("it outlived the process that asked it")


def test_outside_of_such_a_process_there_is_nothing_to_draw_with():
    with pytest.raises(RuntimeError, match="worker_pool"):
        glyphs()


def test_a_process_takes_its_fonts_along(monkeypatch):
    monkeypatch.setattr(module, "_glyphs", None)
    monkeypatch.setattr(module, "Glyphs", partial(Glyphs, hands=1))
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(module, "begin", lambda: None)
    threads = module.cv2.getNumThreads()
    try:
        module._start(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [BUNDLED / "DejaVuSans.ttf"])
        assert module.cv2.getNumThreads() == 1
    finally:
        module.cv2.setNumThreads(threads)
    assert glyphs().alphabet(np.random.default_rng(0), ["font"]).kind == "font"
