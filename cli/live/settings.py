"""The options of the command webcam."""

from dataclasses import dataclass
from pathlib import Path

from digitocr.runtime.attempt import Mode
from digitocr.runtime.live.addresses import without_credentials


@dataclass(frozen=True)
class WebcamSettings:
    """The command's options under their names; 0 and empty stand for an option that was not given.

    Attributes:
        source: The source's name, which may hold a password; `name` is for printing.
        view: "window", "web" or "none".
        host: Where the page of --view web is served.
        port: The port of that page.
        model: The file of the digit network; None for the shipped one.
        detector: The file of the detector; None for the shipped one.
        recognizer: The file of the recognizer; None for the shipped one.
        mode: "auto", "single" or "line".
        conf: The confidence, 0 to 1, below which digits are left out.
        rotate: "auto" or the degrees by which frames are turned clockwise.
        every: Of a recording, every how many-th frame is read.
        roi: "X,Y,WIDTH,HEIGHT" in pixels.
        expect: A regular expression for announced numbers.
        digits: The number of digits of announced numbers.
        rising: By how much an announced number may exceed the last one.
        jsonl: Whether to print JSON.
        all_frames: Whether to print the reading of every frame.
        once: Whether to end at the first announced reading.
        max_seconds: After how many seconds to end.
        record: The file to record to.
        force: Whether that file may be overwritten.
        mirror: Whether to show the picture as a mirror does.
        width: Pixels, asked of a camera.
        height: Pixels, asked of a camera.
        fps: Frames per second asked of a camera, or requests per second for a snapshot.
        reconnect: Seconds for which a lost source is tried again.
        heartbeat: Seconds from one sign of life to the next.
        keep_doubtful: The folder for frames that are worth labelling.
        keep_below: The confidence, 0 to 1, of a number below which a frame is one of these.
        keep_most: How many pictures that folder holds at most.
        quiet: Whether to print nothing on the source and the speed.
    """

    source: str
    view: str
    host: str
    port: int
    model: Path | None
    detector: Path | None
    recognizer: Path | None
    mode: Mode
    conf: float
    rotate: str
    every: int
    roi: str
    expect: str
    digits: int
    rising: int
    jsonl: bool
    all_frames: bool
    once: bool
    max_seconds: float
    record: Path | None
    force: bool
    mirror: bool
    width: int
    height: int
    fps: float
    reconnect: float
    heartbeat: float
    keep_doubtful: Path | None
    keep_below: float
    keep_most: int
    quiet: bool

    @property
    def name(self) -> str:
        """The source's name without user and password."""
        return without_credentials(self.source)
