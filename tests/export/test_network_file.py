import pytest

from digitocr.export.network_file import planned
from digitocr.runtime.errors import OutputError, UsageError


def test_the_name_of_a_file_says_what_it_is(tmp_path):
    assert planned("detector", "none", ["none", "int8"], tmp_path, force=False) == tmp_path / "detector-float32.onnx"
    assert planned("recognizer", "int8", ["int8"], tmp_path, force=False) == tmp_path / "recognizer-int8.onnx"
    tflite = planned("detector", "int8", ["int8"], tmp_path, force=False, sides=(384, 512))
    assert tflite == tmp_path / "detector-512x384-int8.tflite"


def test_a_quantization_that_there_is_not_and_a_file_that_there_is_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"^quantize is float16; for a detector it must be none or int8$"):
        planned("detector", "float16", ["none", "int8"], tmp_path, force=True)
    (tmp_path / "detector-int8.onnx").touch()
    with pytest.raises(OutputError, match="exists already"):
        planned("detector", "int8", ["none", "int8"], tmp_path, force=False)
    assert planned("detector", "int8", ["none", "int8"], tmp_path, force=True).exists()
