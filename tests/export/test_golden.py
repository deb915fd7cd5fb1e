import json
import shutil

import pytest

from digitocr.export.golden import pictures, write_golden
from digitocr.runtime.errors import OutputError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.selftest import selftest


def test_the_pictures_are_of_all_kinds():
    drawn = pictures()
    assert len(drawn) == 20
    sides = [max(box[2:]) * 28 / 20 for _, box in drawn]
    assert min(sides) < 28 < max(sides)  # enlarged, shrunk
    bright = [gray.mean() < 128 for gray, _ in drawn]
    assert 0 < sum(bright) < 20
    beyond = [
        box[0] + box[2] / 2 - side / 2 < 0 or box[1] + box[3] / 2 - side / 2 < 0
        for (_, box), side in zip(drawn, sides, strict=True)
    ]
    assert any(beyond)


def test_vectors_are_written_beside_the_file_and_hold(tmp_path):
    path = tmp_path / "n.onnx"
    shutil.copy(shipped_model("digitocr-int8.onnx"), path)
    write_golden(path)
    golden = json.loads((tmp_path / "n.onnx.golden.json").read_text())
    assert (golden["file"], len(golden["vectors"])) == ("n.onnx", 20)
    assert golden["written by"].startswith("onnxruntime ")
    assert {row["logits"].index(max(row["logits"])) for row in golden["vectors"]} >= set(range(10))
    assert selftest(path)["largest difference"] == 0


def test_vectors_of_the_shipped_files_are_those_that_are_written_now(tmp_path):
    path = tmp_path / "digitocr-int8.onnx"
    shutil.copy(shipped_model("digitocr-int8.onnx"), path)
    write_golden(path)
    now, shipped = (
        json.loads((folder / "digitocr-int8.onnx.golden.json").read_text())
        for folder in (tmp_path, shipped_model("x").parent)
    )
    for key in ("picture", "box"):
        assert [one[key] for one in now["vectors"]] == [one[key] for one in shipped["vectors"]]
    assert now["sha256"] == shipped["sha256"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    path = tmp_path / "n.onnx"
    shutil.copy(shipped_model("digitocr-int8.onnx"), path)
    (tmp_path / "n.onnx.golden.json").mkdir()
    with pytest.raises(OutputError, match=r"golden\.json: cannot be written"):
        write_golden(path)
