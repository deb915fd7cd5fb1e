"""OpenCV, imported in one place, so that a failing import gives one helpful error.

`opencv-python` and `opencv-python-headless` both provide cv2.
"""

from digitocr.runtime.errors import MissingLibraryError

try:
    import cv2
except ImportError as error:  # most often a slim container without libGL
    raise MissingLibraryError(
        f"OpenCV cannot be loaded ({error}); type: pip install --force-reinstall --no-deps "
        "opencv-python-headless, or install the system's library (Debian, Ubuntu: apt-get install libgl1 libglib2.0-0)"
    ) from error

__all__ = ["cv2"]
