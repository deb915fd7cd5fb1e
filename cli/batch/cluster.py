"""Pictures read by the workers of a Dask scheduler, which the user has started. Outcomes come in the pictures' order.

Workers share no disk with this machine and have digitocr installed. Each picture is sent with the chunk it is in. The
user's own networks are sent once: a worker plugin brings them to every worker, also to one that joins later. The chunk
that a worker was reading when it died is given to another one by Dask.

Dask trusts its network: whoever reaches the scheduler can run code here and on the workers.
"""

import logging
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import uuid4

from digitocr.cli.batch.sources import Source, loaded
from digitocr.cli.batch.task import Outcome, Task, chunks
from digitocr.runtime.errors import ClusterError, MissingExtraError
from digitocr.runtime.files import is_folder
from digitocr.runtime.models import exported_networks

ANSWER_SECONDS = 5  # in which a scheduler must answer and have a first worker
RESTART_SECONDS = 20  # for which a new worker is awaited after all have gone
CHUNKS_PER_THREAD = 3  # chunks sent for each thread of the workers, so that none waits for the next

Chunk = list[Source]
Files = dict[str, bytes]  # the content of each, by its name on a worker

_folders: dict[str, "tempfile.TemporaryDirectory[str]"] = {}  # on a worker: plugin's name -> folder of its networks


def read_on_cluster(task: Task, sources: Iterable[Source], address: str) -> Iterator[Outcome]:
    """The outcome of each source, read by the workers of the scheduler at that address.

    Raises:
        ClusterError: There is no scheduler, or no worker.
        MissingExtraError: The extra "cluster" is not installed.
        DigitocrError: What Task.read raises.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError("cluster", "reading on a cluster") from error
    for logger in ("distributed", "distributed.client"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # their warnings are either repaired or raised
    task.reader()  # raises errors of the settings or a network before anything is sent
    named = {"model": task.model, "detector": task.detector, "recognizer": task.recognizer}
    own = {what: _contents(path) for what, path in named.items() if path}
    try:
        client = distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"{address}: no scheduler answers ({error}); start one with: dask scheduler") from error
    except TypeError as error:  # of tls://, where Dask's configuration names no certificate
        raise ClusterError(f"{address}: {error}; see docs/pictures.md for how Dask is given certificates") from error
    todo = chunks(map(loaded, sources))
    waiting: deque[tuple[Chunk, Any]] = deque()
    plugin = ""

    def sent(chunk: Chunk) -> Any:
        return client.submit(_read, task, plugin, chunk, pure=False)

    with client:
        try:
            _await_worker(client, address, ANSWER_SECONDS)
            _check(client, address)
            if own:
                plugin = _register(client, distributed.WorkerPlugin, own)
            while True:
                threads = sum(client.nthreads().values()) or 1  # workers come and go
                while len(waiting) < CHUNKS_PER_THREAD * threads and (chunk := next(todo, None)):
                    waiting.append((chunk, sent(chunk)))
                if not waiting:
                    if plugin:
                        client.unregister_worker_plugin(plugin)
                    return
                chunk, future = waiting.popleft()
                try:
                    yield from _result(client, address, future)
                except distributed.KilledWorker:  # several workers in a row: one of the chunk's pictures kills them
                    for source in chunk:
                        try:
                            yield from _result(client, address, sent([source]))
                        except distributed.KilledWorker:
                            yield task.died(source.name, "the workers")
        except (OSError, CancelledError) as error:
            raise ClusterError(
                f"{address}: the connection to the scheduler is lost ({error}); start it again, then --resume"
            ) from error


def _check(client: Any, address: str) -> None:
    """Raises ClusterError unless digitocr is installed on scheduler and workers.

    The check uses a function of the standard library, since a worker without digitocr would die of its first task.
    """
    try:
        client.run_on_scheduler(version, "digitocr")
        client.run(version, "digitocr")
    except PackageNotFoundError as error:
        why = "its scheduler or a worker has no digitocr"
        raise ClusterError(f"{address}: {why}; install it where they run: pip install 'digitocr[cluster]'") from error


def _result(client: Any, address: str, future: Any) -> list[Outcome]:
    while True:
        try:
            outcomes: list[Outcome] = future.result(ANSWER_SECONDS)
            return outcomes
        except TimeoutError:
            _await_worker(client, address, RESTART_SECONDS)


def _await_worker(client: Any, address: str, seconds: int) -> None:
    try:
        client.wait_for_workers(1, seconds)
    except TimeoutError as error:
        raise ClusterError(f"{address}: the scheduler has no worker; start one with: dask worker {address}") from error


def _contents(path: Path) -> Files:
    """The file of a network, or those of a folder of exported ones that Reader takes."""
    if not is_folder(path):
        return {path.name: path.read_bytes()}
    return {f"{path.name}/{file.name}": file.read_bytes() for file in exported_networks(path).values()}


def _register(client: Any, base: Any, own: dict[str, Files]) -> str:
    """Brings the networks to all workers of now and later, and returns the name by which _read finds them.

    Args:
        client: A client of the scheduler.
        base: Distributed.WorkerPlugin, which this module loads only when it is needed.
        own: "model", "detector" and "recognizer" -> the files, of those that are not the shipped ones.
    """
    plugin = f"digitocr-{uuid4().hex}"

    # Dask sends a class that stands in a function by value, copies of the globals it names included: it names functions
    class Networks(base):  # type: ignore[misc]  # whose base has no types
        def setup(self, worker: Any) -> None:  # noqa: ARG002  # Dask gives it by this name
            _unpack(plugin, own)

        def teardown(self, worker: Any) -> None:  # noqa: ARG002
            _remove(plugin)

    client.register_plugin(Networks(), name=plugin)
    return plugin


def _unpack(plugin: str, own: dict[str, Files]) -> None:
    """On a worker: puts the networks into a folder, for as long as the plugin is registered."""
    folder = tempfile.TemporaryDirectory(prefix="digitocr-")
    for what, files in own.items():
        for name, content in files.items():  # the output names a model like its file
            file = Path(folder.name, what, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    _folders[plugin] = folder


def _remove(plugin: str) -> None:
    """On a worker: removes the networks."""
    _folders.pop(plugin).cleanup()


def _read(task: Task, plugin: str, chunk: Chunk) -> list[Outcome]:
    """On a worker: reads a chunk with the networks of that plugin in place of the task's own."""
    if plugin:
        folder = Path(_folders[plugin].name)
        task = replace(
            task,
            model=task.model and folder / "model" / task.model.name,
            detector=task.detector and folder / "detector" / task.detector.name,
            recognizer=task.recognizer and folder / "recognizer" / task.recognizer.name,
        )
    return task.read_chunk(chunk)
