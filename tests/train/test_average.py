import subprocess
import sys

import keras
import numpy as np
import pytest

from digitocr.runtime.errors import ModelError, UsageError
from digitocr.runtime.models import shipped_model
from digitocr.train.average import KEPT, averaged, main

# Keras's, of NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


def saved(path, width=3, seed=0):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(width), keras.layers.BatchNormalization()])
    network.save(path)
    return network


@pytest.fixture
def files(tmp_path):
    before, after = tmp_path / "before.keras", tmp_path / "after.keras"
    return before, after, saved(before).get_weights(), saved(after, seed=1).get_weights()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_each_weight_is_the_mean_by_share(files, share):
    before, after, first, second = files
    for got, own, other in zip(averaged(before, after, share).get_weights(), first, second, strict=True):
        np.testing.assert_allclose(got, (1 - share) * own + share * other, atol=1e-7)


def test_short_weights_end_in_zeros_and_are_the_nearest(files):
    before, after, first, _ = files
    for got, own in zip(averaged(before, after, 0.0, short=True).get_weights(), first, strict=True):
        assert not (got.view(np.uint32) % (1 << (23 - KEPT))).any()
        np.testing.assert_allclose(got, own, rtol=2.0 ** -(KEPT + 1), atol=0)


def test_a_detector_is_loaded_in_a_process_of_its_own(tmp_path):
    """Its file names an initializer of digitocr, which Keras knows only where its module was imported."""
    out, detector = tmp_path / "mean.keras", str(shipped_model("detector.keras"))
    words = [sys.executable, "-m", "digitocr.train.average", detector, detector, "--out", str(out)]
    subprocess.run(words, check=True, capture_output=True)
    assert out.exists()


def test_networks_of_other_layers_are_refused(files, tmp_path):
    saved(tmp_path / "wide.keras", width=5)
    with pytest.raises(ModelError, match=r"wide\.keras: has other layers"):
        averaged(files[0], tmp_path / "wide.keras", 0.5)


def test_what_is_no_network_is_refused(files, tmp_path):
    (tmp_path / "no.keras").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"no\.keras: Keras cannot load it"):
        averaged(files[0], tmp_path / "no.keras", 0.5)


def test_a_missing_file_is_named(files, tmp_path):
    with pytest.raises(ModelError, match=r"none\.keras: there is no such file"):
        averaged(tmp_path / "none.keras", files[1], 0.5)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--share", "2", "--out", "mean.keras"], "average: share is 2.0; it must be 0 to 1", ""),
        (["--out", "none/mean.keras"], "No such file or directory", ""),
        (["--out", "mean.onnx"], "2", "its name must end with .keras"),
    ],
)
def test_the_command_says_in_one_line_why_it_fails(files, tmp_path, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["average", *map(str, files[:2]), *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert code in str(ended.value)
    assert "\n" not in str(ended.value)
    assert said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"before.keras", "after.keras"}


def test_a_share_outside_its_range_is_refused(files):
    with pytest.raises(UsageError, match="share is 1"):
        averaged(files[0], files[1], 1.5)


def test_the_command_writes_the_mean(files, tmp_path, monkeypatch, capsys):
    before, after, first, second = files
    out = tmp_path / "mean.keras"
    monkeypatch.setattr("sys.argv", ["average", str(before), str(after), "--share", "0.25", "--out", str(out)])
    main()
    assert "mean.keras" in capsys.readouterr().out
    for got, own, other in zip(keras.saving.load_model(out, compile=False).get_weights(), first, second, strict=True):
        np.testing.assert_allclose(got, 0.75 * own + 0.25 * other, atol=1e-7)
