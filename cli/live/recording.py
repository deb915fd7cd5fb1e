"""The video that --record writes: playable however the run ends, and under its name only once it is finished."""

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from digitocr.cli.live.overlay import to_bgr
from digitocr.runtime.errors import OutputError, UsageError
from digitocr.runtime.files import is_folder, is_there, replacing
from digitocr.runtime.live.frames import Pixels
from digitocr.runtime.opencv import cv2

CODECS = {".avi": "MJPG", ".mp4": "mp4v"}  # by suffix, as OpenCV names them
SPARE_BYTES = 32_000_000  # of the disk that are left free, so that the file can still be finished
CHECKED_EVERY = 10  # frames; the free space of the disk is checked after each of these intervals
MAX_GAP = 2.0  # seconds; a longer time without a frame, as while a camera is lost, is shortened to that


class Recording:
    """Writes pictures to a hidden file beside `path`, which gets its name when the recording is closed.

    Raises:
        UsageError: The suffix is neither .avi nor .mp4.
        OutputError: The file exists already, cannot be written, or the disk is full.
    """

    def __init__(self, path: Path, fps: float, force: bool) -> None:
        """Checks the name; the file is opened with the first picture.

        Args:
            path: The file.
            fps: Frames per second of the file.
            force: Whether an existing file is overwritten.
        """
        if path.suffix.lower() not in CODECS:
            raise UsageError(f"{path}: a recording ends in {' or '.join(CODECS)}; name it so")
        if is_there(path) and not force:
            raise OutputError(f"{path}: exists already; name another file or add --force")
        if not is_folder(path.parent):
            raise OutputError(f"{path}: there is no folder {path.parent}; make it first")
        self._path, self._fps = path, fps
        self._whole: AbstractContextManager[Path] | None = None
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._frames = 0
        self._skipped = 0.0  # seconds of gaps that are left out

    def write(self, picture: Pixels, time: float) -> None:
        """Adds a picture as often as is needed to bring the file to that time.

        A gap of at most MAX_GAP seconds is filled with the picture, a longer one is shortened to MAX_GAP. A picture
        that comes too soon is left out. One of another size than the first is stretched to that.

        Args:
            picture: (H, W, 3) uint8 RGB.
            time: Seconds since the first frame.
        """
        if self._writer is None:
            self._check_room()
            self._writer = self._opened((picture.shape[1], picture.shape[0]))
        time -= self._skipped
        gap = time - self._frames / self._fps
        if gap > MAX_GAP:
            self._skipped += gap - MAX_GAP
            time -= gap - MAX_GAP
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size)
        picture = to_bgr(picture)
        last = round(time * self._fps, 3)  # of the frames, from 0; rounded since 2.1 s * 10 is below 21
        while self._frames <= last:
            self._writer.write(picture)
            self._frames += 1
            if self._frames % CHECKED_EVERY == 0:
                self._check_room()

    def close(self) -> None:
        """Finishes the file and gives it its name. Raises OutputError if that fails.

        A file that is not whole, as where a file may only become so large, gets another name: most of it can be played.
        """
        if self._writer is None or self._whole is None:
            return
        self._writer.release()
        self._writer = None
        try:
            if cv2.VideoCapture(str(self._beside)).get(cv2.CAP_PROP_FRAME_COUNT) <= 0:  # its end could not be written
                part = self._path.with_stem(f"{self._path.stem}.damaged")
                self._beside.replace(part)
                raise OutputError(f"{self._path}: could not be written to its end; what could be is in {part}")
            self._whole.__exit__(None, None, None)
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written ({error.strerror}); name a file that can") from error

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_room(self) -> None:
        """Raises OutputError where the disk is nearly full: OpenCV does not report that a write failed."""
        if shutil.disk_usage(self._path.parent).free < SPARE_BYTES:
            raise OutputError(f"{self._path}: the disk is full; what was recorded so far is kept")

    def _opened(self, size: tuple[int, int]) -> "cv2.VideoWriter":
        self._size = size
        self._whole = replacing(self._path)
        self._beside = self._whole.__enter__()
        codec = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
        writer = cv2.VideoWriter(str(self._beside), codec, self._fps, size)
        if not writer.isOpened():
            raise OutputError(f"{self._path}: cannot be written; name a file that can, an .avi or .mp4")
        return writer
