"""The work on one picture: it is read, formatted and drawn, in this process, in another one or on a cluster.

Only a process that reads loads the libraries. A process that sends the pictures to others does not need them.
"""

import ctypes
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from digitocr.cli.batch.sources import STDIN, Source, loaded
from digitocr.runtime.errors import DigitocrError, InputError, ModelError, UsageError

if TYPE_CHECKING:
    from digitocr.runtime.attempt import Mode
    from digitocr.runtime.candidates import Candidate, Strip
    from digitocr.runtime.image import GrayImage, Roi
    from digitocr.runtime.reader import Reader
    from digitocr.runtime.reading import Reading

CHUNK_PICTURES = 64  # pictures that are sent to another process at once, at most
CHUNK_BYTES = 256_000  # bytes; a chunk ends with the picture that reaches it
AHEAD_BYTES = 4096  # bytes of the largest file that is decoded ahead of reading
AHEAD_PIXELS = 4096  # pixels of the largest picture that is kept decoded
OPENCV_OUT_OF_MEMORY = "Insufficient memory"  # in the message of the cv2.error that stands for a MemoryError
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # of mallopt, as glibc's malloc.h numbers them
LARGE_BLOCK = 4_000_000  # bytes; a larger block of memory goes back to the system as soon as it is freed
FREE_HEAP = 8_000_000  # bytes; what is free at the end of the heap beyond that goes back as well
UNEXPECTED = DigitocrError.exit_code  # exit code of an exception that is no DigitocrError

_kept = threading.local()  # the task that this thread had last, its reader and the form of wanted numbers


class Crop(NamedTuple):
    """A digit as the network saw it.

    Attributes:
        digit: 0 to 9, or None where it cannot be told.
        confidence: From 0 to 1.
        png: 28x28 pixels, ink bright.
    """

    digit: int | None
    confidence: float
    png: bytes


class Outcome(NamedTuple):
    """The result for a picture, or for one page of a document.

    Attributes:
        name: The source's name, followed by #1, #2 ... for the pages of a document that has several.
        line: The line of output; None for none.
        digits: How many digits were read.
        error: Why the picture could not be read; else empty.
        exit_code: The exit code for the error; 0 without one.
        why: Why no digit was read, after the name if there are several pictures; else empty.
        drawn: A PNG of the picture with boxes and digits; empty if not requested.
        explanation: The HTML page that explains the reading; empty if not requested.
        calibrated: Whether the confidence is calibrated for the two networks.
        crops: The digits as the network saw them; empty if not requested.
    """

    name: str
    line: str | None
    digits: int = 0
    error: str = ""
    exit_code: int = 0
    why: str = ""
    drawn: bytes = b""
    explanation: bytes = b""
    calibrated: bool = True
    crops: tuple[Crop, ...] = ()


def return_memory() -> None:
    """Has glibc return the memory of freed arrays; other C libraries have no such settings.

    It keeps blocks of up to 32 MB after the first large one is freed, which pictures of many sizes leave in pieces.
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option:
            set_option(MMAP_THRESHOLD, LARGE_BLOCK)
            set_option(TRIM_THRESHOLD, FREE_HEAP)


@dataclass(frozen=True)
class Task:
    """The settings of a Reader, and the results to make of each reading.

    Attributes:
        model: The network that reads a digit; None for the shipped one.
        threads: Processor threads of each network.
        conf: Digits with a lower confidence are left out.
        mode: The mode of the Reader.
        rotate: The rotation of the Reader, as text.
        jsonl: Whether lines are JSON instead of text.
        named: Whether a line of text begins with the picture's name.
        draw: Whether the picture is drawn with boxes and digits.
        explain: Whether an explanation is made.
        detector: The network that finds digits; None for the shipped one.
        recognizer: The network that reads lines; None for the shipped one.
        roi: x, y, width, height of the part of each picture that is read; None for all of it.
        expect: A regular expression of the numbers that are wanted; empty for all.
        digits: How many digits the numbers have that are wanted; 0 for all.
        main: Whether of these only the one is wanted that the picture is about.
        crop: Whether the digits are cut out.
    """

    model: Path | None
    threads: int
    conf: float
    mode: "Mode"
    rotate: str
    jsonl: bool
    named: bool
    draw: bool
    explain: bool
    detector: Path | None = None
    recognizer: Path | None = None
    roi: "Roi | None" = None
    expect: str = ""
    digits: int = 0
    main: bool = False
    crop: bool = False

    def reader(self) -> "Reader":
        """The Reader of this thread, made when it is first wanted. Raises what Reader raises."""
        if getattr(_kept, "task", None) != self:
            from digitocr.runtime.matching import Wanted
            from digitocr.runtime.opencv import cv2
            from digitocr.runtime.reader import Reader

            _kept.reader = Reader(
                self.model,
                detector=self.detector,
                recognizer=self.recognizer,
                threads=self.threads,
                conf=self.conf,
                mode=self.mode,
                rotate="auto" if self.rotate == "auto" else int(self.rotate),
            )
            _kept.wanted = Wanted(self.expect, self.digits)
            return_memory()
            cv2.setNumThreads(self.threads)  # after Reader has checked the number
            _kept.task = self
        reader: Reader = _kept.reader
        return reader

    def read(self, source: Source) -> list[Outcome]:
        """The outcome of a picture, or of each page of a document.

        Whatever exception reading raises is an outcome too, so that the other pictures are read. Only errors of the
        settings and the networks are raised, as Reader raises them: they are errors of every picture.
        """
        self.reader()
        return self._read(loaded(source), None, 0.0)

    def read_chunk(self, sources: Iterable[Source]) -> list[Outcome]:
        """The outcomes of several sources, as `read` gives them.

        Small pictures are all decoded first, and then all read. Decoding and reading in turns takes longer, since each
        evicts the other from the processor's caches.
        """
        self.reader()
        decoded = [self._decoded(loaded(source)) for source in sources]
        return [outcome for one in decoded for outcome in self._read(*one)]

    def read_all(self, sources: Iterable[Source]) -> Iterator[Outcome]:
        """One after the other, in this process. Settings that make no sense are refused before the first source."""
        self.reader()
        return (outcome for source in sources for outcome in self.read(source))

    def _decoded(self, source: Source) -> tuple[Source, "GrayImage | None", float]:
        """The source, its picture if it is small and needed for nothing but reading, and the milliseconds spent."""
        content = source.picture
        is_more = self.draw or self.explain or self.crop or self.roi
        if is_more or not isinstance(content, bytes) or len(content) > AHEAD_BYTES:
            return source, None, 0.0
        from digitocr.runtime import image

        began = perf_counter()
        try:
            if image.page_count(content) > 1:
                return source, None, 0.0
            gray = image.load(content)
        except Exception:  # is raised again when the picture is read
            return source, None, 0.0
        return source, gray if gray.size <= AHEAD_PIXELS else None, 1000 * (perf_counter() - began)

    def _read(self, source: Source, gray: "GrayImage | None", spent: float) -> list[Outcome]:
        name, picture = source
        if not isinstance(picture, bytes):
            error = InputError(f"{name}: is not loaded") if isinstance(picture, str) else picture
            return [self.failed(name, str(error), error.exit_code)]
        if gray is not None:
            return [self._read_page(name, picture, gray, spent, 0, 1)]
        from digitocr.runtime import image

        try:
            pages = image.page_count(picture)
        except Exception as error:
            return [self._failed(name, error, 0, 1)]
        return [self._read_page(name, picture, None, 0.0, page, pages) for page in range(pages)]

    def _read_page(
        self, source: str, picture: bytes, gray: "GrayImage | None", spent: float, page: int, pages: int
    ) -> Outcome:
        """Reads one page of a picture.

        Args:
            source: The name of the picture.
            picture: Its file.
            gray: The same decoded, of a picture with one page.
            spent: Milliseconds that decoding took.
            page: The page, from 0.
            pages: How many pages the picture has; 1 for all but documents.
        """
        from digitocr.cli.batch import render

        reader = self.reader()
        name = f"{source}#{page + 1}" if pages > 1 else source
        try:
            candidates: Sequence[Candidate] = ()
            strips: Sequence[Strip] = ()
            if gray is not None:
                reading = reader.read(gray)
            elif self.explain or self.crop:
                reading, candidates, strips = reader.inspect(picture, page=page, roi=self.roi)
            else:
                reading = reader.read(picture, page=page, roi=self.roi)
            reading = self._wanted(reading)
            reading = replace(reading, ms=reading.ms._replace(decode=reading.ms.decode + spent))
            crops = _crops(reading, candidates) if self.crop else ()
            drawn, explanation = b"", b""
            if self.draw or self.explain:
                from digitocr.cli.explain import explained
                from digitocr.runtime import drawing, image

                shown = image.load_rgb(picture, page=page)
                if self.draw:
                    drawn = drawing.png(reading.plot(shown))
                if self.explain:
                    explanation = explained(name, shown, reading, candidates, strips)
            if self.jsonl:
                line: str | None = render.json_line(source, reading, None, page, pages)
            elif self.named or pages > 1:
                line = render.text_line(name, reading)
            else:
                line = render.text(reading) or None
        except Exception as error:
            return self._failed(source, error, page, pages)
        return Outcome(
            name,
            line,
            len(reading.digits),
            why=f"{name}: {reading.why}" if reading.why and (self.named or pages > 1) else reading.why,
            drawn=drawn,
            explanation=explanation,
            calibrated=reader.calibrated,
            crops=crops,
        )

    def _wanted(self, reading: "Reading") -> "Reading":
        """The reading with the numbers alone that are wanted."""
        wanted = reading.only(_kept.wanted)
        return wanted.only_main() if self.main else wanted

    def _failed(self, source: str, error: Exception, page: int, pages: int) -> Outcome:
        """The outcome of a page that reading ended with that exception. Raises it if it is not the picture's."""
        if isinstance(error, (ModelError, UsageError)):
            raise error
        shown = "standard input" if source == STDIN else source
        if pages > 1:
            shown += f"#{page + 1}"
        if isinstance(error, DigitocrError):
            why = str(error).replace("the bytes given", shown, 1)
            return self.failed(source, why, error.exit_code, page=page, pages=pages)
        if "--debug" in sys.argv:
            traceback.print_exception(error)
        if isinstance(error, MemoryError) or OPENCV_OUT_OF_MEMORY in str(error):
            why = "there is not enough memory to read it; make it smaller, or read fewer at the same time"
        else:
            why = f"an unexpected error: {error!r}; please report what `digitocr --debug predict` prints for it"
        return self.failed(source, f"{shown}: {why}", UNEXPECTED, page=page, pages=pages)

    def failed(self, source: str, error: str, exit_code: int, *, page: int = 0, pages: int = 1) -> Outcome:
        """The outcome of a picture, or of one of its pages, that could not be read."""
        from digitocr.cli.batch import render

        name = f"{source}#{page + 1}" if pages > 1 else source
        line = render.json_line(source, None, error, page, pages) if self.jsonl else None
        return Outcome(name, line, error=error, exit_code=exit_code)

    def died(self, name: str, reader: str) -> Outcome:
        """The outcome of a picture whose reader, a process of this machine or of another one, ended while reading."""
        cause = "the picture or a lack of memory killed it: make it smaller or leave it out"
        why = f"{name}: {reader} that read it died; {cause}"
        return self.failed(name, why, UNEXPECTED)


def _crops(reading: "Reading", candidates: Sequence["Candidate"]) -> tuple[Crop, ...]:
    """The digits of a reading, cut out. candidates: those of its picture."""
    from PIL import Image

    from digitocr.runtime.drawing import png

    images = {candidate.box: candidate.image for candidate in reversed(candidates)}  # those that are read come first
    return tuple(
        Crop(digit.digit, digit.confidence, png(Image.fromarray(images[digit.box]))) for digit in reading.digits
    )


def chunks(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """Groups the sources into chunks to send to a process: many small pictures, or a single large one."""
    chunk: list[Source] = []
    size = 0
    for source in sources:
        chunk.append(source)
        size += _bytes(source.picture)
        if len(chunk) == CHUNK_PICTURES or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _bytes(picture: str | bytes | DigitocrError) -> int:
    if isinstance(picture, bytes):
        return len(picture)
    try:
        return 0 if isinstance(picture, DigitocrError) else Path(picture).stat().st_size
    except (OSError, ValueError):
        return 0
