"""What is done with each picture, in this process, in another one or on a cluster: read, put as a line, drawn.

Only a process that reads loads the libraries: one that hands the pictures to others does without.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from digitocr.cli.batch.sources import Source, loaded
from digitocr.runtime.errors import InputError

if TYPE_CHECKING:
    from digitocr.runtime.image import GrayImage
    from digitocr.runtime.reader import Mode, Reader

CHUNK, CHUNK_BYTES = 64, 256_000  # pictures that are sent to a process at once: so many, or of so many bytes
SMALL_BYTES, SMALL_PIXELS = 4096, 4096  # a file and a picture that are small enough to decode ahead

_kept = threading.local()  # the task that this thread had last and its reader; an interpreter is not for two threads


class Outcome(NamedTuple):
    """What became of a picture.

    line: for the output, None for none; digits: how many were read; error: why the picture could not be read, else
    empty; why: why nothing was read in it, else empty; drawn: a PNG, page: an explanation in HTML, empty where not
    asked for.
    """

    name: str
    line: str | None
    digits: int = 0
    error: str = ""
    why: str = ""
    drawn: bytes = b""
    page: bytes = b""


@dataclass(frozen=True)
class Task:
    """The settings of a Reader and what is wanted of each reading: a line of JSON or of text, with or without the
    picture's name; the picture drawn on; an explanation.
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
            cv2.setNumThreads(self.threads)  # which Reader has found to make sense
            _kept.task = self
        reader: Reader = _kept.reader
        return reader

    def read(self, source: Source) -> Outcome:
        """A picture that cannot be read is an outcome as well. Raises what Reader raises."""
        return self._read(loaded(source), None, 0.0)

    def read_chunk(self, sources: Iterable[Source]) -> list[Outcome]:
        """Small pictures are all decoded, and then read: done in turn, the two take a third longer, since each pushes
        the other out of the processor's caches.
        """
        self.reader()
        return [self._read(*decoded) for decoded in [self._decoded(loaded(source)) for source in sources]]

    def _decoded(self, source: Source) -> tuple[Source, "GrayImage | None", float]:
        """The source, its picture where that is small and nothing is drawn on it, and the milliseconds it took."""
        content = source.picture
        if self.draw or self.explain or not isinstance(content, bytes) or len(content) > SMALL_BYTES:
            return source, None, 0.0
        from digitocr.runtime import image

        began = perf_counter()
        try:
            gray = image.load(content)
        except InputError:  # is raised again when it is read
            return source, None, 0.0
        return source, gray if gray.size <= SMALL_PIXELS else None, 1000 * (perf_counter() - began)

    def _read(self, source: Source, gray: "GrayImage | None", spent: float) -> Outcome:
        reader, (name, picture) = self.reader(), source
        if not isinstance(picture, bytes):
            return self.failed(name, str(picture))
        from digitocr.cli.batch import render

        try:
            reading = reader.read(picture if gray is None else gray)
            reading.ms["decode"] += spent
            drawn = render.png(render.annotated(picture, reading)) if self.draw else b""
            page = b""
            if self.explain:
                from digitocr.cli.explain import explained

                page = explained(name, picture, reading, reader.candidates(picture))
        except InputError as error:
            return self.failed(
                name, str(error).replace("the bytes given", "standard input" if name == "-" else name, 1)
            )
        if self.jsonl:
            line: str | None = render.json_line(name, reading, None)
        elif self.named:
            line = render.text_line(name, reading)
        else:
            line = reading.text or None
        return Outcome(name, line, len(reading.digits), "", reading.why, drawn, page)

    def failed(self, name: str, error: str) -> Outcome:
        """The outcome of a picture that could not be read."""
        from digitocr.cli.batch import render

        return Outcome(name, render.json_line(name, None, error) if self.jsonl else None, error=error)

    def died(self, name: str, reader: str) -> Outcome:
        """The outcome of a picture whose reader, a process of this machine or another one, did not outlive it."""
        why = (
            f"{name}: {reader} that read it died, of the picture or for want of memory; leave it out or make it smaller"
        )
        return self.failed(name, why)

    def read_all(self, sources: Iterable[Source]) -> Iterator[Outcome]:
        """One after the other, here. Settings that make no sense are refused before the first source is looked for."""
        self.reader()
        return map(self.read, sources)


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


def _bytes(picture: str | bytes | InputError) -> int:
    if isinstance(picture, bytes):
        return len(picture)
    try:
        return 0 if isinstance(picture, InputError) else Path(picture).stat().st_size
    except OSError:
        return 0
