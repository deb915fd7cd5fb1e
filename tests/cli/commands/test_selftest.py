"""The command selftest, as a whole process."""

import json
import shutil

from digitocr.runtime.models import MODELS


def test_selftest_says_what_it_found_and_ends_with_6_where_that_is_too_much(digitocr, tmp_path):
    for name in ("digitocr-int8.onnx", "digitocr-int8.onnx.golden.json"):
        shutil.copy(MODELS / name, tmp_path)
    done = digitocr("selftest", tmp_path / "digitocr-int8.onnx")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"20 of 20 answers equal" in done.stdout
    golden = json.loads((tmp_path / "digitocr-int8.onnx.golden.json").read_text())
    golden["vectors"][0]["logits"][0] += 3
    (tmp_path / "digitocr-int8.onnx.golden.json").write_text(json.dumps(golden))
    done = digitocr("selftest", tmp_path / "digitocr-int8.onnx", "--json")
    assert done.returncode == 6
    assert json.loads(done.stdout)["passed"] is False
    assert b"a logit differs by 3" in done.stderr
    assert digitocr("selftest", tmp_path / "none.onnx").returncode == 4
    assert b"shipped networks  onnxruntime" in digitocr("selftest").stdout
