"""The command info, as a whole process."""

import json

import pytest

from digitocr.runtime.models import MODELS


@pytest.mark.parametrize(
    "name", ["digitocr-int8.onnx", "digitocr-int8.tflite", "detector-int8.onnx", "recognizer-int8.onnx"]
)
def test_info_prints_the_card(digitocr, name):
    done = digitocr("info", MODELS / name)
    card = json.loads(done.stdout)
    assert done.stderr == b""
    assert card["quantization"] == "int8"
    assert len(card["sha256"]) == 64


def test_a_detector_is_known_by_what_is_in_its_file_and_not_by_its_name(digitocr, tmp_path):
    for name, copy in (("detector-int8.onnx", "f.onnx"), ("digitocr-int8.onnx", "detector.onnx")):
        (tmp_path / copy).write_bytes((MODELS / name).read_bytes())
        assert json.loads(digitocr("info", tmp_path / copy).stdout)["name"] == name.removesuffix(".onnx")
