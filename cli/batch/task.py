"""What is done with each picture, in this process, in another one or on a cluster: it is read, printed and drawn.

Only a process that reads loads the libraries. A process that sends the pictures to others does not need them.
"""

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
    from digitocr.runtime.image import GrayImage
    from digitocr.runtime.reader import Reader
    from digitocr.runtime.reading import Candidate

CHUNK = 64  # pictures that are sent to another process at once, at most
CHUNK_BYTES = 256_000  # bytes; a chunk ends with the picture that reaches it
AHEAD_BYTES = 4096  # bytes of the largest file that is decoded ahead of reading
AHEAD_PIXELS = 4096  # pixels of the largest picture that is kept decoded
OPENCV_OUT_OF_MEMORY = "Insufficient memory"  # in the message of the cv2.error that stands for a MemoryError
UNEXPECTED = DigitocrError.exit_code  # the exit code of an error that no class of the tree stands for

_kept = threading.local()  # the task that this thread had last, and its reader


class Outcome(NamedTuple):
    """What became of a picture, or of one page of a document.

    Attributes:
        name: the source's, with #1, #2 ... behind it for the pages of a document of several.
        line: for the output; None for none.
        digits: how many digits were read.
        error: why the picture could not be read; else empty.
        exit_code: that the error stands for; 0 without one.
        why: why no digit was read, behind the name if there are several pictures; else empty.
        drawn: a PNG of the picture with what was read; empty where not asked for.
        explanation: of the reading, HTML; empty where not asked for.
        calibrated: whether confidences are those that the two networks were calibrated for.
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


@dataclass(frozen=True)
class Task:
    """The settings of a Reader, and what is wanted of each reading.

    Attributes:
        model: the network that reads a digit; None for the shipped one.
        threads: of each network.
        conf: digits with a lower confidence are left out.
        mode: as Reader's.
        rotate: as Reader's, as text.
        jsonl: whether lines are JSON instead of text.
        named: whether a line of text begins with the picture's name.
        draw: whether the picture is drawn with what was read.
        explain: whether an explanation is made.
        detector: the network that finds digits; None for the shipped one.
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

    def reader(self) -> "Reader":
        """The Reader of this thread, made when it is first wanted. Raises what Reader raises."""
        if getattr(_kept, "task", None) != self:
            from digitocr.runtime.opencv import cv2
            from digitocr.runtime.reader import Reader

            _kept.reader = Reader(
                self.model,
                detector=self.detector,
                threads=self.threads,
                conf=self.conf,
                mode=self.mode,
                rotate="auto" if self.rotate == "auto" else int(self.rotate),
            )
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

        Small pictures are all decoded, and then all read. In turns, the two take longer, since each pushes the other
        out of the processor's caches.
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
        if self.draw or self.explain or not isinstance(content, bytes) or len(content) > AHEAD_BYTES:
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
        """Page 0, 1 ... of a picture that has so many.

        Args:
            source: the name of the picture.
            picture: its file.
            gray: the same decoded, of a picture with one page.
            spent: milliseconds that this took.
            page: counted from 0.
            pages: 1 for all but documents.
        """
        from digitocr.cli.batch import render

        reader = self.reader()
        name = f"{source}#{page + 1}" if pages > 1 else source
        try:
            candidates: Sequence[Candidate] = ()
            if gray is not None:
                reading = reader.read(gray)
            elif self.explain:
                reading, candidates = reader.inspect(picture, page=page)
            else:
                reading = reader.read(picture, page=page)
            reading = replace(reading, ms=reading.ms._replace(decode=reading.ms.decode + spent))
            drawn, explanation = b"", b""
            if self.draw or self.explain:
                from digitocr.cli.explain import explained
                from digitocr.runtime import drawing, image

                shown = image.load_rgb(picture, page=page)
                if self.draw:
                    drawn = drawing.png(reading.plot(shown))
                if self.explain:
                    explanation = explained(name, shown, reading, candidates)
            if self.jsonl:
                line: str | None = render.json_line(source, reading, None, page, pages)
            elif self.named or pages > 1:
                line = render.text_line(name, reading)
            else:
                line = reading.text or None
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
        )

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
        """The outcome of a picture, or of page 0, 1 ... of so many, that could not be read."""
        from digitocr.cli.batch import render

        name = f"{source}#{page + 1}" if pages > 1 else source
        line = render.json_line(source, None, error, page, pages) if self.jsonl else None
        return Outcome(name, line, error=error, exit_code=exit_code)

    def died(self, name: str, reader: str) -> Outcome:
        """The outcome of a picture whose reader, a process of this machine or of another one, ended while reading."""
        why = f"{name}: {reader} that read it died, of the picture or for want of memory; make it smaller or omit it"
        return self.failed(name, why, UNEXPECTED)


def chunks(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """The sources in pieces that are worth sending: many small pictures, or a large one."""
    chunk: list[Source] = []
    size = 0
    for source in sources:
        chunk.append(source)
        size += _bytes(source.picture)
        if len(chunk) == CHUNK or size >= CHUNK_BYTES:
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
