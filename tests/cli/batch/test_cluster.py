"""Reading on a Dask cluster: a scheduler and workers of this machine, and stand-ins for what goes wrong with them."""
# ruff: noqa: ARG002, ARG005  # stand-ins take what distributed is given

import dataclasses
import json
import os
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from digitocr.cli.batch import cluster
from digitocr.cli.batch.sources import Source
from digitocr.cli.batch.task import CHUNK_PICTURES, Outcome, Task
from digitocr.runtime.classifier import DEFAULT_MODEL
from digitocr.runtime.detector import DEFAULT_DETECTOR
from digitocr.runtime.errors import ClusterError, MissingExtraError, ModelError
from digitocr.runtime.models import CONFIDENCE, MODELS
from digitocr.runtime.recognizer import DEFAULT_RECOGNIZER

TASK = Task(None, 1, 0.5, "auto", "auto", jsonl=False, named=True, draw=False, explain=False)
COUNT = 800
ADDRESS = "tcp://scheduler:8786"


@pytest.fixture
def folder(tmp_path):
    """Many pictures of 28x28 with a bar, which is a one, among them one that is no picture; and a model."""
    (tmp_path / "in").mkdir()
    crop = np.zeros((28, 28), np.uint8)
    crop[4:24, 13:16] = 250
    Image.fromarray(crop).save(tmp_path / "bar.png")
    content = (tmp_path / "bar.png").read_bytes()
    for number in range(COUNT):
        (tmp_path / "in" / f"{number:03}.png").write_bytes(b"no picture" if number == 300 else content)
    (tmp_path / "mine.onnx").write_bytes((MODELS / DEFAULT_MODEL).read_bytes())
    return tmp_path


@pytest.fixture
def dask(tmp_path):
    """A scheduler's address, and its two workers; they run in another folder than the command."""
    about, elsewhere = tmp_path / "scheduler.json", tmp_path / "elsewhere"
    elsewhere.mkdir()
    dask = [sys.executable, "-m", "dask"]
    names = ["--scheduler-file", str(about), "--no-dashboard"]
    log = tmp_path / "log"
    with log.open("wb") as file:
        ways = {"cwd": elsewhere, "stdout": file, "stderr": file}
        scheduler = subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *names], **ways)
        workers = [
            subprocess.Popen([*dask, "worker", "--nthreads", "1", "--no-nanny", *names], **ways) for _ in range(2)
        ]
    try:
        for _ in range(300):
            if log.read_text().count("Registered to:") == 2:
                break
            time.sleep(0.1)
        yield json.loads(about.read_text())["address"], workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def test_a_killed_worker_costs_no_picture_and_none_comes_twice(dask, folder):
    address, workers = dask
    words = ["predict", "in", "--quiet", "--jsonl", "--model", "mine.onnx", "--cluster", address]
    command = [sys.executable, "-m", "digitocr.cli.main", *words]
    with subprocess.Popen(command, cwd=folder, stdout=-1, stderr=-1) as process:
        lines = [process.stdout.readline()]
        workers[0].kill()
        lines += process.stdout
        errors = process.stderr.read().decode().splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("digitocr: in/300.png: not a picture that can be read")
    assert process.returncode == 4
    rows = [json.loads(line) for line in lines]
    assert [row["source"] for row in rows] == [f"in/{number:03}.png" for number in range(COUNT)]
    assert [row["source"] for row in rows if row["error"]] == ["in/300.png"]
    assert {row["text"] for row in rows if not row["error"]} == {"1"}
    assert rows[0]["model"]["name"] == "mine"


def test_an_address_where_no_scheduler_answers_ends_with_10():
    code = (
        "from digitocr.cli import main; from digitocr.cli.batch import cluster; import sys; "
        "cluster.ANSWER_SECONDS = 0.3; sys.argv[1:] = %r; main.main()"
    )
    for address, why in (("tcp://127.0.0.1:1", "Timed out"), ("nowhere", "missing port number")):
        words = ["predict", "a.png", "--cluster", address]
        done = subprocess.run([sys.executable, "-c", code % words], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (10, "")
        assert done.stderr.startswith(f"digitocr: {address}: no scheduler answers ({why}")
        assert done.stderr.count("\n") == 1


def test_without_distributed_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'digitocr\[cluster\]'"):
        next(cluster.read_on_cluster(TASK, [], ADDRESS))


class KilledWorker(Exception):
    """As distributed's: several workers died of a task."""


class Client:
    """Stands in for distributed's: reads nothing; chunks with a picture called deadly kill their workers."""

    def __init__(self, address, **ways):
        self.under_way = self.most = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def wait_for_workers(self, count, timeout):
        pass

    def run(self, function, *words):
        pass

    run_on_scheduler = run

    def nthreads(self):
        return {"one": 1, "two": 1}

    def submit(self, function, task, plugin, chunk, pure):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return SimpleNamespace(result=lambda timeout: self.result(chunk))

    def result(self, chunk):
        self.under_way -= 1
        if any("deadly" in source.name for source in chunk):
            raise KilledWorker
        return [Outcome(source.name, source.name) for source in chunk]


@pytest.fixture
def stand_in(monkeypatch):
    """Puts a client in the place of distributed's."""

    def put(client):
        ways = {"KilledWorker": KilledWorker, "WorkerPlugin": object}
        module = SimpleNamespace(Client=lambda *words, **settings: client, **ways)
        monkeypatch.setitem(sys.modules, "distributed", module)
        return client

    return put


def named(count, deadly=()):
    return [Source(f"{'deadly' if number in deadly else 'a'}-{number}.png", b"bytes") for number in range(count)]


def test_a_picture_that_workers_die_of_is_an_error_and_the_others_are_read_in_order(stand_in):
    client = stand_in(Client(ADDRESS))
    sources = named(30 * CHUNK_PICTURES, deadly=(5, 6, 900))
    outcomes = list(cluster.read_on_cluster(TASK, sources, ADDRESS))
    assert [outcome.name for outcome in outcomes] == [source.name for source in sources]
    assert [outcome.name for outcome in outcomes if outcome.error] == ["deadly-5.png", "deadly-6.png", "deadly-900.png"]
    assert outcomes[5].error.startswith("deadly-5.png: the workers that read it died")
    assert client.most == 2 * cluster.CHUNKS_PER_THREAD  # no more than is soon read is sent


def test_where_workers_have_gone_others_are_awaited_and_nothing_is_left_out(stand_in):
    class Tired(Client):
        tries = 0

        def nthreads(self):
            return {}

        def result(self, chunk):
            self.tries += 1
            if self.tries % 2:
                raise TimeoutError
            return super().result(chunk)

    stand_in(Tired(ADDRESS))
    sources = named(3 * CHUNK_PICTURES)
    assert len(list(cluster.read_on_cluster(TASK, sources, ADDRESS))) == len(sources)


def test_what_is_wrong_with_a_cluster_is_one_error_that_says_what_to_do(stand_in):
    class NoWorker(Client):
        def wait_for_workers(self, count, timeout):
            raise TimeoutError

    class NoDigitocr(Client):
        def run(self, function, *words):
            raise PackageNotFoundError(*words)

    class Lost(Client):
        def result(self, chunk):
            raise OSError("connection reset")

    for client, why in (
        (NoWorker, f"the scheduler has no worker; start one with: dask worker {ADDRESS}"),
        (NoDigitocr, "has no digitocr; install it where they run: pip install 'digitocr[cluster]'"),
        (Lost, "the connection to the scheduler is lost (connection reset); start it again"),
    ):
        stand_in(client(ADDRESS))
        with pytest.raises(ClusterError) as raised:
            list(cluster.read_on_cluster(TASK, named(1), ADDRESS))
        assert str(raised.value).startswith(f"{ADDRESS}: ")
        assert why in str(raised.value)


def test_a_model_that_cannot_be_used_is_told_before_anything_is_sent(tmp_path):
    with pytest.raises(ModelError, match=r"missing\.onnx"):
        next(cluster.read_on_cluster(dataclasses.replace(TASK, model=tmp_path / "missing.onnx"), [], ADDRESS))


def test_a_worker_reads_with_the_networks_that_it_was_sent(folder):
    names = {"model": "mine.onnx", "detector": "own.onnx", "recognizer": "lines.onnx"}
    task = dataclasses.replace(TASK, jsonl=True, **{what: Path("elsewhere", name) for what, name in names.items()})
    model, picture = (folder / "mine.onnx").read_bytes(), (folder / "bar.png").read_bytes()
    own = {
        "model": {"mine.onnx": model},
        "detector": {"own.onnx": (MODELS / DEFAULT_DETECTOR).read_bytes()},
        "recognizer": {"lines.onnx": (MODELS / DEFAULT_RECOGNIZER).read_bytes()},
    }
    cluster._unpack("good", own)
    for _ in range(2):
        (outcome,) = cluster._read(task, "good", [Source("a.png", picture)])
        assert json.loads(outcome.line)["model"]["name"] == "mine"
    folder = Path(cluster._folders["good"].name)
    assert folder.exists()
    cluster._remove("good")
    assert not folder.exists()
    for what, name in (("detector", "own.onnx"), ("recognizer", "lines.onnx")):
        cluster._unpack(f"bad {what}", {**own, what: {name: model}})
        with pytest.raises(ModelError, match=f"{name}: is no {what}"):
            cluster._read(task, f"bad {what}", [Source("a.png", picture)])


def test_a_folder_of_exported_networks_is_sent_as_it_is(folder):
    exported = folder / "exported"
    exported.mkdir()
    for name in (DEFAULT_MODEL, DEFAULT_DETECTOR, DEFAULT_RECOGNIZER, CONFIDENCE):
        (exported / name).write_bytes((MODELS / name).read_bytes())
    (exported / "other").write_bytes(b"not sent")
    cluster._unpack("folder", {"model": cluster._contents(exported)})
    try:
        task = dataclasses.replace(TASK, jsonl=True, model=exported)
        (outcome,) = cluster._read(task, "folder", [Source("a.png", (folder / "bar.png").read_bytes())])
        assert json.loads(outcome.line)["text"] == "1"
        sent = Path(cluster._folders["folder"].name, "model", "exported")
        assert {path.name for path in sent.iterdir()} == {path.name for path in exported.iterdir()} - {"other"}
    finally:
        cluster._remove("folder")


def test_networks_of_the_user_s_own_are_sent_once_and_not_with_every_chunk(folder, stand_in, monkeypatch):
    unpacked = []
    monkeypatch.setattr(cluster, "_unpack", lambda plugin, own: unpacked.append((plugin, own)))

    class Watched(Client):
        def __init__(self, address):
            super().__init__(address)
            self.plugins, self.sent = [], []

        def register_plugin(self, plugin, name):
            plugin.setup(worker=None)
            self.plugins.append(name)

        def unregister_worker_plugin(self, name):
            assert self.plugins == [name]
            self.unregistered = name

        def submit(self, function, task, plugin, chunk, pure):
            self.sent.append(plugin)
            return super().submit(function, task, plugin, chunk, pure)

    (folder / "own.onnx").write_bytes((MODELS / DEFAULT_DETECTOR).read_bytes())
    (folder / "lines.onnx").write_bytes((MODELS / DEFAULT_RECOGNIZER).read_bytes())
    for task, own in (
        (TASK, {}),
        (dataclasses.replace(TASK, detector=folder / "own.onnx"), {"detector": "own.onnx"}),
        (
            dataclasses.replace(TASK, model=folder / "mine.onnx", detector=folder / "own.onnx"),
            {"model": "mine.onnx", "detector": "own.onnx"},
        ),
        (dataclasses.replace(TASK, recognizer=folder / "lines.onnx"), {"recognizer": "lines.onnx"}),
    ):
        client = stand_in(Watched(ADDRESS))
        list(cluster.read_on_cluster(task, named(3 * CHUNK_PICTURES), ADDRESS))
        assert len(client.plugins) == bool(own)
        assert client.plugins == ([client.unregistered] if own else [])
        assert client.sent == 3 * (client.plugins or [""])
        if own:
            content = {what: {name: (folder / name).read_bytes()} for what, name in own.items()}
            assert unpacked.pop() == (client.plugins[0], content)


def test_without_certificates_a_tls_address_is_an_error_in_one_line():
    with pytest.raises(ClusterError, match=r"^tls://127\.0\.0\.1:1: TLS expects .*; see docs/pictures\.md") as caught:
        next(cluster.read_on_cluster(TASK, [], "tls://127.0.0.1:1"))
    assert "\n" not in str(caught.value)


def test_a_cluster_with_certificates_is_read_on_by_its_tls_address(tmp_path, folder, needs):
    needs("openssl")
    certificate, key = tmp_path / "cluster.pem", tmp_path / "cluster.key"
    words = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=cluster", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", "-x509", *words], check=True, capture_output=True)
    files = {"ca-file": certificate, "cert": certificate, "key": key}
    flags = [word for name, file in files.items() for word in (f"--tls-{name}", str(file))]
    about, log = tmp_path / "scheduler.json", tmp_path / "log"
    dask, names = [sys.executable, "-m", "dask"], ["--scheduler-file", str(about), "--no-dashboard", *flags]
    with log.open("wb") as file:
        ways = {"stdout": file, "stderr": file, "cwd": tmp_path}
        started = [
            subprocess.Popen(
                [*dask, "scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", "0", *names], **ways
            ),
            subprocess.Popen([*dask, "worker", "--nthreads", "1", "--no-nanny", *names], **ways),
        ]
    try:
        until = time.monotonic() + 60
        while "Registered to:" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.1)
        address = json.loads(about.read_text())["address"]
        assert address.startswith("tls://")
        command = [sys.executable, "-m", "digitocr.cli.main", "predict", "bar.png", "--cluster", address]
        known = {
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(certificate),
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": str(certificate),
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": str(key),
        }
        done = subprocess.run(command, cwd=folder, env=os.environ | known, capture_output=True, check=False)
        assert (done.stdout, done.stderr) == (b"1\n", b"")
    finally:
        for process in started:
            process.kill()
            process.wait()
