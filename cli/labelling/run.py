"""The run of `digitocr label`: the page is served while pictures are read in the background, until Ctrl-C."""

import hashlib
import json
import shlex
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from digitocr import __version__
from digitocr.cli.batch.output import plain
from digitocr.cli.batch.parallel import read_in_processes
from digitocr.cli.batch.task import Task
from digitocr.cli.labelling.labels import Labels
from digitocr.cli.labelling.page import LabelPage
from digitocr.cli.labelling.pictures import NONE, Pictures, listed
from digitocr.runtime.errors import DigitocrError
from digitocr.runtime.files import is_folder, is_there

FILE = "labels.jsonl"  # in a folder of pictures; `--data FOLDER` finds it there


def run(
    sources: Sequence[str], recursive: bool, output: Path | None, port: int, task: Task, jobs: int, quiet: bool
) -> None:
    """Serves the page until Ctrl-C.

    Args:
        sources: Pictures, folders, globs.
        recursive: Whether subfolders of folders are shown too.
        output: The file of labels; None for FILE in the folder, if one is named, else where one works.
        port: The page's port; 0 for any free one.
        task: How pictures are read; its lines are JSON.
        jobs: How many processes read.
        quiet: Whether only errors are printed.

    Raises:
        DeviceError: The port is taken.
        InputError: There is no picture.
        ModelError: A network cannot be used.
        OutputError: The file of labels cannot be written, or another process does.
        UsageError: A setting makes no sense.
    """
    found, left_out = listed(sources, recursive)
    path = output or _default(sources)
    labels = Labels(path)
    with closing(labels):
        pictures = Pictures(found, labels, settings_of(task))
        page = LabelPage(pictures, port)
        with closing(page):
            if not quiet:
                for line in left_out:
                    _say(line)
                if output is None and (line := rival_of(path)):
                    _say(line)
            _say(f"open {page.address}")
            reading = _Reading(pictures, page, task, jobs)
            with suppress(KeyboardInterrupt):
                reading.failed.wait()
    if reading.error:
        raise reading.error
    if not quiet:
        counts = pictures.counts()
        for line in pictures.errors():
            _say(line)
        _say(
            f"{counts['labelled']} of {counts['pictures']} pictures labelled, {counts['skipped']} skipped, "
            f"{counts['unreadable']} unreadable"
        )
        if counts["labelled"]:
            _say(f"look at the labels by: digitocr data check {shlex.quote(str(path))}")


def settings_of(task: Task) -> str:
    """A name for how pictures are read, which changes with a network."""
    networks = [one.stat() for one in (task.model, task.detector, task.recognizer) if one and is_there(one)]
    what = (__version__, repr(task), [(status.st_size, status.st_mtime_ns) for status in networks])
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _default(sources: Sequence[str]) -> Path:
    folder = Path(sources[0])
    return folder / FILE if len(sources) == 1 and is_folder(folder) else Path(FILE)


def rival_of(path: Path) -> str:
    """What to know where the folder of the file holds other labels as well; empty where it does not."""
    folders = [path.with_name(name) for name in (*map(str, range(10)), NONE)]
    before = next((one for one in (path.with_name("labels.json"), *folders) if one.exists()), None)
    after = path.with_name("labels.csv")
    if before:
        return f"{before} comes before {path.name} where the folder is given as --data; name {path} there"
    return f"{path.name} comes before {after} where the folder is given as --data" if after.exists() else ""


def _say(line: str) -> None:
    print(f"digitocr: {plain(line)}", file=sys.stderr)


class _Reading:
    """Reads pictures in the background, until all are read or the process ends.

    Attributes:
        failed: Set where nothing can be read at all.
        error: Why.
    """

    def __init__(self, pictures: Pictures, page: LabelPage, task: Task, jobs: int) -> None:
        self.failed = threading.Event()
        self.error: DigitocrError | None = None
        self._pictures, self._page, self._task, self._jobs = pictures, page, task, jobs
        threading.Thread(target=self._read, name="digitocr reading", daemon=True).start()

    def _read(self) -> None:
        try:
            for outcome in read_in_processes(self._task, self._pictures.unread(), self._jobs):
                self._pictures.take(json.loads(outcome.line or "{}"))
        except DigitocrError as error:
            self.error = error
            self.failed.set()
        self._page.end_reading()
