import subprocess
import sys


def test_an_opencv_that_cannot_be_loaded_says_both_ways_out(tmp_path):
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import digitocr.runtime.opencv"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert "MissingLibraryError" in last
    assert "libGL.so.1" in last
    assert "opencv-python-headless" in last
    assert "apt-get install libgl1" in last
