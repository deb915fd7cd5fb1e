import dataclasses
import gzip
import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.errors import InputError, UsageError
from digitocr.train import data
from digitocr.train.data import Mnist, Origin, by_group, fewer, hold_out, holds_mnist, load_mnist, split, stratified

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_idx(path: Path, array: np.ndarray) -> None:
    """An IDX file as its format says: zero, zero, type, dimensions, each side as a big-endian 32-bit number."""
    header = np.array([0x800 + array.ndim, *array.shape], ">i4").tobytes()
    content = header + array.tobytes()
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


def same(one: Mnist, other: Mnist) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))


@pytest.fixture
def folder(mnist: Mnist, tmp_path: Path) -> Path:
    """MNIST as plain IDX files."""
    for name, array in zip(IDX, list(vars(mnist).values())[:4], strict=True):
        write_idx(tmp_path / name, array)
    return tmp_path


@pytest.fixture(scope="session")
def npz(mnist: Mnist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("npz") / "mnist.npz"
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), list(vars(mnist).values())[:4], strict=True))
    np.savez(path, **arrays)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and nothing that says where else the data is; returns the path that the data has there."""
    monkeypatch.delenv("DIGITOCR_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets" / "mnist.npz"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mirror on this machine; yields the folder that it serves."""
    served = tmp_path / "mirror"
    served.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as http:
        monkeypatch.setattr(data, "URL", f"http://127.0.0.1:{http.server_port}/mnist.npz")
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield served
        http.shutdown()
        thread.join()


def test_mnist_is_what_it_should_be(mnist: Mnist) -> None:
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.test_images.shape == (10_000, 28, 28)
    assert all(array.dtype == np.uint8 for array in list(vars(mnist).values())[:4])
    counts = np.bincount(mnist.train_labels)
    assert (counts[1], counts[5]) == (6_742, 5_421)
    assert np.bincount(mnist.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_plain_idx_files_and_their_gzips_are_read_mixed(mnist: Mnist, folder: Path) -> None:
    labels = folder / IDX[3]
    write_idx(labels.with_name(f"{labels.name}.gz"), mnist.test_labels)
    labels.unlink()
    assert same(load_mnist(folder), mnist)


def test_npz_is_read_and_a_subfolder_mnist_is_looked_into(mnist: Mnist, npz: Path, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "mnist.npz").symlink_to(npz)
    assert same(load_mnist(tmp_path), mnist)


def test_the_environment_says_where_the_data_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITOCR_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="elsewhere"):
        load_mnist()


def test_a_partial_gzip_is_named(folder: Path) -> None:
    whole = gzip.compress((folder / IDX[1]).read_bytes(), 1)
    (folder / IDX[1]).unlink()
    (folder / f"{IDX[1]}.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{IDX[1]}\.gz: .*damaged or partial") as caught:
        load_mnist(folder)
    assert "\n" not in str(caught.value)
    assert (folder / f"{IDX[1]}.gz").exists()  # the user's own file is left alone


@pytest.mark.parametrize("change", ["cut", "longer", "a byte"])
def test_a_file_with_other_content_is_named(folder: Path, change: str) -> None:
    content = bytearray((folder / IDX[3]).read_bytes())
    if change == "a byte":
        content[5_000] ^= 1
    (folder / IDX[3]).write_bytes({"cut": content[:-1], "longer": content + b"\0"}.get(change, content))
    with pytest.raises(InputError, match=rf"{IDX[3]}: .*not MNIST"):
        load_mnist(folder)


def test_what_is_missing_is_named(folder: Path) -> None:
    (folder / IDX[2]).unlink()
    with pytest.raises(InputError, match=f"not complete, {IDX[2]} missing"):
        load_mnist(folder)


def test_a_folder_without_data_and_no_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no MNIST in it.*mnist\.npz"):
        load_mnist(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        load_mnist(tmp_path / "none")


def archive(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>404</html>",
        archive(x_train=np.zeros((2, 28, 28), np.uint8)),
        archive(other=np.zeros(3)),
        archive(x_train=np.array([None])),  # pickled, which is never loaded
    ],
)
def test_a_damaged_file_never_stays_in_the_cache(cache: Path, content: bytes) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(content)
    with pytest.raises(InputError, match=r"mnist\.npz: .*deleted from the cache: run again") as caught:
        load_mnist()
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_a_partial_download_never_stays_in_the_cache(cache: Path, npz: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(npz.read_bytes()[:1_000_000])
    with pytest.raises(InputError, match="deleted from the cache"):
        load_mnist()
    assert not cache.exists()


def test_what_is_in_the_cache_is_taken_from_there(cache: Path, npz: Path, mnist: Mnist) -> None:
    cache.parent.mkdir(parents=True)
    cache.symlink_to(npz)
    assert same(load_mnist(), mnist)


def test_it_is_downloaded_into_the_cache(
    cache: Path,
    npz: Path,
    mnist: Mnist,
    server: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.link(npz, server / "mnist.npz")
    monkeypatch.setattr(data, "SHA256", hashlib.sha256(npz.read_bytes()).hexdigest())
    assert same(load_mnist(), mnist)
    assert cache.exists()
    assert capsys.readouterr() == ("", "")  # no terminal, no bar


def test_a_download_that_fails_leaves_tensorflow_silent(cache: Path) -> None:
    script = (
        "from digitocr.train import data\n"
        "data.URL = 'http://127.0.0.1:9/mnist.npz'\n"
        "try:\n    data.load_mnist()\n"
        "except data.InputError as error:\n    print(error)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert "could not be downloaded" in done.stdout
    assert done.stderr == ""
    assert not cache.exists()


def test_a_download_with_the_wrong_hash_does_not_stay(cache: Path, server: Path) -> None:
    (server / "mnist.npz").write_bytes(b"something else")
    with pytest.raises(InputError, match="could not be downloaded") as caught:
        load_mnist()
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_without_a_network_it_says_how_to_give_the_data(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "URL", "http://127.0.0.1:9/mnist.npz")  # nobody listens there
    with pytest.raises(InputError, match="--data DIR or DIGITOCR_DATA"):
        load_mnist()
    assert not cache.exists()


LABELS = np.repeat(np.arange(10, dtype=np.uint8), np.arange(10, 110, 10))  # 10 zeros, 20 ones, ... 100 nines


def test_stratified_keeps_the_shares_of_the_classes() -> None:
    drawn = stratified(LABELS, 55, seed=1)
    assert drawn.dtype == np.int64
    assert np.bincount(LABELS[drawn]).tolist() == list(range(1, 11))
    assert (np.diff(drawn) > 0).all()  # sorted, none twice


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.integers(0, 100), st.integers(0, 2**31 - 1))
def test_stratified_draws_as_many_as_asked_with_shares_less_than_one_off(
    classes: list[int], percent: int, seed: int
) -> None:
    labels = np.array(classes, np.uint8)
    count = len(labels) * percent // 100
    drawn = stratified(labels, count, seed)
    assert len(np.unique(drawn)) == len(drawn) == count
    exact = np.bincount(labels, minlength=10) * count / len(labels)
    assert (abs(np.bincount(labels[drawn], minlength=10) - exact) < 1).all()


def test_stratified_depends_on_the_seed_alone() -> None:
    assert np.array_equal(stratified(LABELS, 100, seed=5), stratified(LABELS, 100, seed=5))
    assert not np.array_equal(stratified(LABELS, 100, seed=5), stratified(LABELS, 100, seed=6))


@pytest.mark.parametrize("count", [-1, 551])
def test_stratified_refuses_counts_it_cannot_draw(count: int) -> None:
    with pytest.raises(ValueError, match="0 to 550"):
        stratified(LABELS, count, seed=0)


def test_fewer_images_are_a_part_of_the_same_data_with_their_labels_and_groups() -> None:
    labels = np.resize(np.arange(10, dtype=np.uint8), 200)
    images = np.repeat(labels, 784).reshape(200, 28, 28)
    data = Mnist(images, labels, images[:20], labels[:20], "digest", train_groups=labels.astype(np.int64))
    small = fewer(data, 50)
    assert small.train_groups is not None
    assert np.bincount(small.train_labels).tolist() == [5] * 10
    assert (small.train_images[:, 0, 0] == small.train_labels).all()
    assert (small.train_groups == small.train_labels).all()
    assert (len(small.test_labels), small.digest) == (20, "digest")
    assert fewer(dataclasses.replace(data, train_groups=None), 200).train_groups is None
    names = tuple((f"{at}", f"{label}", "", "train") for at, label in enumerate(labels))
    named = dataclasses.replace(data, origin=Origin("here", "by hand", (*names, ("t", "0", "", "test"))))
    origin = fewer(named, 50).origin
    assert origin is not None
    assert [row[1] for row in origin.rows[:-1]] == [str(label) for label in small.train_labels]
    assert origin.rows[-1][0] == "t"
    with pytest.raises(UsageError, match="there are 200 training images, not 201"):
        fewer(data, 201)


def test_hold_out_divides_the_images() -> None:
    training, held = hold_out(LABELS, 110, seed=0)
    assert (len(training), len(held)) == (440, 110)
    assert np.array_equal(np.sort(np.concatenate([training, held])), np.arange(550))


def test_hold_out_of_mnist_is_5000_of_60000(mnist: Mnist) -> None:
    training, held = hold_out(mnist.train_labels)
    assert (len(training), len(held)) == (55_000, 5_000)
    assert np.bincount(mnist.train_labels[held])[1] == 562  # a twelfth of the ones


def test_mnist_cannot_be_changed_by_accident(mnist: Mnist) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        mnist.digest = ""  # type: ignore[misc]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 7), min_size=2, max_size=60), st.integers(0, 60), st.integers(0, 3), st.booleans())
def test_by_group_draws_whole_groups(ids: list[int], count: int, seed: int, is_pure: bool) -> None:
    groups = np.array(ids, np.int64)
    labels = (groups % 3 if is_pure else np.arange(len(ids)) % 3).astype(np.uint8)
    count = min(count, len(ids))
    drawn = by_group(groups, labels, count, seed)
    assert np.array_equal(drawn, by_group(groups, labels, count, seed))
    assert np.array_equal(np.flatnonzero(np.isin(groups, groups[drawn])), drawn)
    if count and len(set(ids)) > 1:
        assert 0 < len(drawn) < len(ids)


def test_by_group_keeps_the_shares_of_the_classes() -> None:
    groups = np.arange(len(LABELS))
    drawn = by_group(groups, LABELS, 110, seed=0)
    assert (np.bincount(LABELS[drawn], minlength=10) == np.bincount(LABELS, minlength=10) // 5).all()
    assert not np.array_equal(drawn, by_group(groups, LABELS, 110, seed=1))


@pytest.mark.parametrize("each", [1, 2, 3])
@pytest.mark.parametrize("classes", [1, 4, 8, 11])
@pytest.mark.parametrize("share", [1 / 3, 1 / 6])
def test_by_group_draws_its_share_of_small_classes(each: int, classes: int, share: float) -> None:
    labels = np.repeat(np.arange(classes, dtype=np.uint8), each)
    count = round(len(labels) * share)
    drawn = by_group(np.arange(len(labels)), labels, count, seed=0)
    assert abs(len(drawn) - count) <= count / 4
    assert np.ptp(np.bincount(labels[drawn], minlength=classes)) <= 1


def test_groups_are_held_out_together() -> None:
    images = np.zeros((60, 28, 28), np.uint8)
    labels = np.resize(np.arange(10, dtype=np.uint8), 60)
    groups = np.repeat(np.arange(12), 5).astype(np.int64)
    own = Mnist(images, labels, images, labels, "own", train_groups=groups)
    training, held = split(own)
    assert np.array_equal(np.sort(np.concatenate([training, held])), np.arange(60))
    assert len(held) == 5
    assert not set(groups[held]) & set(groups[training])


def test_a_folder_is_taken_for_mnist_by_names_and_sizes(tmp_path: Path) -> None:
    assert not holds_mnist(tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "mnist.npz").write_bytes(b"")
    assert holds_mnist(tmp_path)
    write_idx(tmp_path / IDX[3], np.zeros(20, np.uint8))
    assert not holds_mnist(tmp_path)  # own data under MNIST's name
    write_idx(tmp_path / IDX[3], np.zeros(10_000, np.uint8))
    assert holds_mnist(tmp_path)
    (tmp_path / IDX[3]).rename(tmp_path / f"{IDX[3]}.gz")
    assert holds_mnist(tmp_path)  # damaged, which load_mnist says


def test_other_arrays_are_not_mnist() -> None:
    shapes: list[tuple[int, ...]] = [(60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)]
    assert data.known_mnist([np.zeros(shape, np.uint8) for shape in shapes]) is None
    assert data.known_mnist([np.zeros(shape[1:] or 1, np.uint8) for shape in shapes]) is None
