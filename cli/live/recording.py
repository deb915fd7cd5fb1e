"""The video that --record keeps: playable however the run ends, and there only once it is."""

import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from digitocr.runtime.errors import OutputError, UsageError
from digitocr.runtime.live.capture import Pixels
from digitocr.runtime.opencv import cv2

CODECS = {".avi": "MJPG", ".mp4": "mp4v"}
SPARE = 32_000_000  # bytes of the disk that are left free, so that the file can still be finished


class Recording:
    """Writes frames into path.part and gives that its name at the end. fps: frames a second of the file.

    Raises UsageError for a suffix that is neither .avi nor .mp4, OutputError where the file is there already, cannot
    be written, or the disk is full.
    """

    def __init__(self, path: Path, fps: float, force: bool) -> None:
        if path.suffix.lower() not in CODECS:
            raise UsageError(f"{path}: a recording is a {' or a '.join(CODECS)}; name it so")
        if path.exists() and not force:
            raise OutputError(f"{path}: exists already; name another file or add --force")
        if not path.parent.is_dir():
            raise OutputError(f"{path}: there is no folder {path.parent}; make it first")
        self._path, self._fps = path, fps
        self._part = path.with_name(f".{path.stem}.part{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._frames = 0

    def write(self, picture: Pixels, time: float) -> None:
        """Adds the (H, W, 3) BGR picture as often as brings the file to that time, in seconds: a gap is filled with it,
        a picture that comes too soon is left out. One of another size than the first is stretched to that.
        """
        if self._writer is None:
            self._size = (picture.shape[1], picture.shape[0])
            codec = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self._part), codec, self._fps, self._size)
            if not self._writer.isOpened():
                raise OutputError(f"{self._path}: cannot be written; name a file that can, an .avi or .mp4")
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size)
        while self._frames <= time * self._fps:
            self._writer.write(picture)
            self._frames += 1
            # OpenCV does not say when a write fails
            if self._frames % 10 == 0 and shutil.disk_usage(self._path.parent).free < SPARE:
                raise OutputError(f"{self._path}: the disk is full; what was recorded so far is kept")

    def close(self) -> None:
        """Finishes the file. Raises OutputError where it cannot get its name."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        try:
            self._part.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                self._part.unlink()
            raise OutputError(f"{self._path}: cannot be written ({error.strerror}); name a file that can") from error

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
