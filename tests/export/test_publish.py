import json
import os

import pytest

from digitocr.export.publish import publish, refuse_existing
from digitocr.runtime.errors import GateError, OutputError

CARD = {"name": "a"}


def judged(*failures):
    return lambda path: (CARD, {"sha256": path.read_text(), "failures": list(failures)})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_passes_gets_its_name_its_card_and_its_report(tmp_path):
    path = tmp_path / "new" / "a.onnx"
    report = publish(path, lambda beside: beside.write_text("model"), judged())
    assert names(path.parent) == ["a.onnx", "a.onnx.json", "a.onnx.report.json"]
    assert path.read_text() == "model"
    assert report == {"sha256": "model", "failures": [], "file": "a.onnx", "path": str(path), "bytes": 5}
    assert json.loads((path.parent / "a.onnx.report.json").read_text())["file"] == "a.onnx"
    assert json.loads((path.parent / "a.onnx.json").read_text())["bytes"] == 5


def test_what_a_killed_export_has_left_goes_away_an_hour_later(tmp_path):
    young, other = ".a.onnx.01234567.part.json", ".b.01234567.part.onnx"
    for name in (".a.01234567.part.onnx", young, other):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, None if name == young else (0, 0))
    publish(tmp_path / "a.onnx", lambda beside: beside.write_text("model"), judged())
    assert names(tmp_path) == [young, other, "a.onnx", "a.onnx.json", "a.onnx.report.json"]


def test_a_file_that_is_refused_leaves_its_report_and_the_file_that_was_there(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_text("before")
    with pytest.raises(GateError, match=r"a\.onnx is refused and not written: too wrong; see .*a\.onnx\.report\.json"):
        publish(path, lambda beside: beside.write_text("model"), judged("too wrong"))
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.onnx", "a.onnx.report.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("at", ["write", "judge"])
def test_an_interruption_at_any_step_leaves_no_part(error, at, tmp_path):
    def fail(*_):
        raise error

    write = fail if at == "write" else (lambda beside: beside.write_text("model"))
    with pytest.raises(error):
        publish(tmp_path / "a.tflite", write, fail)
    assert names(tmp_path) == []


def test_a_full_disk_is_an_output_error(tmp_path):
    def full(beside):
        beside.write_text("mod")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"a\.onnx: cannot be written \(No space left on device\)"):
        publish(tmp_path / "a.onnx", full, judged())
    assert names(tmp_path) == []


@pytest.mark.parametrize("there", ["a.onnx", "a.onnx.json"])
def test_a_model_or_a_card_that_exists_is_refused(there, tmp_path):
    refuse_existing([tmp_path / "a.onnx"])
    (tmp_path / there).touch()
    with pytest.raises(OutputError, match=rf"{there}: exists already; overwrite it with --force"):
        refuse_existing([tmp_path / "b.onnx", tmp_path / "a.onnx"])


def test_a_name_that_is_too_long_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / ("x" * 300) / "a.onnx"
    refuse_existing([path])
    with pytest.raises(OutputError, match=r"a\.onnx: cannot be written \(File name too long\)"):
        publish(path, lambda beside: beside.write_text("model"), judged())
