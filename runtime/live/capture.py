"""The thread that reads a source, so that a slow or silent source never blocks its reader.

    grabber = Grabber(opener("clip.avi"), "clip.avi")
    frame = grabber.next(0.1)           # Frame, or None if none came within a tenth of a second
    grabber.close()

Of a live source only the newest frame is kept, so a reading is never outdated. Of any other source every frame
comes, in order.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter

from digitocr.runtime.errors import DeviceError, DigitocrError, InputError, SourceOffError
from digitocr.runtime.live.frames import DEFAULT_FPS, FramePixels, FrameSource, checked, is_rate

STALL_SECONDS = 3.0  # without a frame that can be read, after which a live source is lost, by this machine's clock
FIRST_SECONDS = 20.0  # for which a source that says nothing is waited for at the start
TICK_SECONDS = 0.1  # between two looks at whether the first frame has come
RETRY_SECONDS = 0.5  # seconds between two attempts to open a lost source again
CLOSE_SECONDS = 2.0  # for which close() waits for the thread; one that hangs in a driver is left behind


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame of a source.

    Attributes:
        index: The frame's number in its source, from 0. Frames that were skipped are counted.
        time: Seconds since the first frame; of a source that is not live, by its own clock or rate.
        pixels: Grey and RGB.
        arrived: time.perf_counter() when the frame was there to be read.
        flaw: Why the frame must not be read; else empty.
    """

    index: int
    time: float
    pixels: FramePixels
    arrived: float
    flaw: str = ""


class Grabber:
    """Opens, reads and releases a source in a thread of its own.

    Attributes:
        name: The source's name in error messages.
        live: Whether only the newest frame is kept.
        continuous: Whether each frame given out shows almost the same as the one before.
        fps: Frames per second of the source.
        size: (width, height) of the first frame in pixels.
        note: After the end, what is to be said of the source; else empty.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        name: str,
        every: int = 1,
        reconnect: float = 10.0,
        reopens: bool = True,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        """Starts the thread and waits for the first frame.

        Args:
            open_source: Opens the source. Called again when a live source is lost, or raises SourceOffError.
            name: The source's name in error messages and of the thread, without passwords.
            every: Of a source that is not live, only every `every`-th frame is given out.
            reconnect: Seconds for which a live source that is lost, or does not answer at the start, is tried again.
            reopens: Whether a live source that ends is lost, and opened again. If not, its end is the end.
            waiting: Called every TICK_SECONDS seconds until the first frame is there, with why it is not, or with
                nothing known. What it raises ends the waiting.

        Raises:
            InputError: Not one frame can be decoded, or what the source delivers is no frame.
            DeviceError: A live source delivers nothing. Whatever open_source raises is raised as well.
        """
        self.name = name
        self.live = True
        self.continuous = True
        self.fps = DEFAULT_FPS
        self.note = ""
        self._open, self._every, self._reconnect, self._reopens = open_source, every, reconnect, reopens
        self._interval = 0.0  # seconds between two frames of a source that is polled
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._error: Exception | None = None
        self._ended = self._closing = False
        self._lost = self._flaw = ""
        self._waiting = waiting
        self._began = self._last = self._good = perf_counter()
        self._thread = threading.Thread(target=self._run, name=f"digitocr {name}", daemon=True)
        self._thread.start()
        try:
            self._await_first()
        except BaseException:
            self.close()
            raise

    @property
    def ended(self) -> bool:
        """Whether the source is at its end: there is neither a frame left nor an error that next() would raise."""
        with self._changed:
            return self._ended and self._newest is None and self._error is None

    @property
    def lost(self) -> str:
        """Why no frame of a live source can be read at the moment; empty while frames come."""
        with self._changed:
            if self._lost or self._ended or not self.live:
                return self._lost
            silent = perf_counter() - max(self._good, self._newest.arrived if self._newest else 0.0)
            return (self._flaw or "no frame comes") if silent > STALL_SECONDS + self._interval else ""

    def next(self, seconds: float) -> Frame | None:
        """Returns the newest frame of a live source, or the next one of another source; None if none comes in time.

        Raises:
            DeviceError: A live source has been lost for `reconnect` seconds.
            InputError: A frame is damaged. Whatever the source raises is raised as well.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._ended or self._error, seconds)
            frame, self._newest = self._newest, None
            self._changed.notify_all()
            now = perf_counter()
            if frame is not None:
                self._last, self._flaw = now, frame.flaw
                if not frame.flaw:
                    self._good = now
                return frame if self.live else replace(frame, arrived=now)
            if self._error is not None:
                raise self._error
            silent = now - self._last
            patience = self._reconnect + (0 if self._lost else STALL_SECONDS + self._interval)
            if not self._ended and self.live and silent > patience:
                raise DeviceError(
                    f"{self.name}: {self._lost or 'no frame comes'}, for {silent:.0f} seconds; plug it in again, or "
                    "start what sends it"
                )
            return None

    def close(self) -> None:
        """Ends the thread, which releases the source. A thread that hangs in a driver does so later."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)

    def _await_first(self) -> None:
        """Waits for a frame, an error or the end, in short pieces, so that Ctrl-C is handled in between."""
        with self._changed:
            while not (self._newest or self._ended or self._error):
                self._changed.wait(TICK_SECONDS)
                if self._waiting:
                    self._waiting(self._lost)
                waited = perf_counter() - self._began
                if self._lost and waited > self._reconnect:
                    raise SourceOffError(self._lost)
                if not self._lost and waited > FIRST_SECONDS:
                    raise DeviceError(f"{self.name}: no frame comes; start what sends it, or name another source")
            if self._newest is None and self._error is not None:
                raise self._error
            if self._newest is None and self.live:
                raise DeviceError(f"{self.name}: opens, but no frame comes; another program may use it, or it is off")
            if self._newest is None:
                raise InputError(
                    f"{self.name}: not one frame of it can be decoded; it is damaged, or its codec is missing"
                )
            self.size = self._newest.pixels.size
            self._last = self._good = perf_counter()

    def _run(self) -> None:
        source: FrameSource | None = None
        index = 0
        try:
            while not self._closing:
                try:
                    if source is None:
                        source = self._open()
                        if not index:
                            self._describe(source)
                    pixels = source.read()
                except DigitocrError as error:
                    if not isinstance(error, SourceOffError) and (source or not index):
                        raise
                    self._drop(source, str(error))
                    source = None
                    continue
                if pixels is not None:
                    self._publish(index, checked(pixels, self.name), source)
                    index += 1
                elif not (index and self.live and self._reopens):
                    self.note = getattr(source, "note", "")
                    break
                else:
                    self._drop(source, "the picture is lost")
                    source = None
        except Exception as error:  # of whatever library reads; next() raises it
            self._error = error
        finally:
            self._finish(source)

    def _describe(self, source: FrameSource) -> None:
        self.live = getattr(source, "live", True)
        fps = getattr(source, "fps", None) or 0.0
        self.fps = fps if is_rate(fps) else DEFAULT_FPS
        self.continuous = getattr(source, "continuous", True) and (self.live or self._every == 1)
        self._interval = getattr(source, "interval", 0.0)

    def _publish(self, index: int, pixels: FramePixels, source: FrameSource) -> None:
        now = perf_counter()
        if not index:
            self._began = now
        own = getattr(source, "time", None)
        time = now - self._began if self.live else index / self.fps if own is None else own
        with self._changed:
            if not self.live:
                if index % self._every:
                    return
                self._changed.wait_for(lambda: self._newest is None or self._closing)
            self._newest = Frame(index, time, pixels, now, getattr(source, "flaw", ""))
            self._lost = ""
            self._changed.notify_all()
            if self._interval:
                self._changed.wait_for(lambda: self._closing, self._interval)

    def _drop(self, source: FrameSource | None, why: str) -> None:
        """Gives a lost source back, and waits before it is opened again."""
        if source is not None:
            with suppress(Exception):  # it is lost anyway; opening it again shows whether it works
                source.release()
        with self._changed:
            self._lost = why
            self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)

    def _finish(self, source: FrameSource | None) -> None:
        """Releases the source and marks the end, whatever the release raises."""
        try:
            if source is not None:
                source.release()
        except Exception as error:  # as in _run
            self._error = self._error or error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
