import keras
import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils
from flatbuffers import encode, number_types
from flatbuffers.table import Table

from digitocr.export.metadata import append
from digitocr.export.to_tflite import to_tflite


class View(Table):
    """A table of a flatbuffer, read by the places of its fields, without generated code."""

    def at(self, place):
        offset = self.Offset(4 + 2 * place)
        assert offset, f"field {place} is not there"
        return offset

    def text(self, place):
        return self.String(self.at(place) + self.Pos).decode()

    def child(self, place):
        return View(self.Bytes, self.Indirect(self.at(place) + self.Pos))

    def only(self, place):
        assert self.VectorLen(self.at(place)) == 1
        return View(self.Bytes, self.Indirect(self.Vector(self.at(place))))

    def number(self, place, kind):
        return self.Get(kind, self.at(place) + self.Pos)

    def floats(self, place):
        flags = number_types.Float32Flags
        return [self.Get(flags, self.Vector(self.at(place)) + 4 * i) for i in range(self.VectorLen(self.at(place)))]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("metadata") / "n.tflite"
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    to_tflite(network, path)
    model = flatbuffer_utils.read_model(str(path))
    append(model, name="digits", description="Reads.", version="1.2.3", licence="Apache-2.0")
    flatbuffer_utils.write_model(model, str(path))
    return path


def metadata(path):
    model = flatbuffer_utils.read_model(str(path))
    (entry,) = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    return bytes(model.buffers[entry.buffer].data)


def test_fields_stand_at_the_places_of_the_schema(path):
    content = metadata(path)
    assert content[4:8] == b"M001"
    root = View(bytearray(content), encode.Get(number_types.UOffsetTFlags.packer_type, content, 0))
    assert [root.text(place) for place in (0, 1, 2, 5, 7)] == ["digits", "Reads.", "1.2.3", "Apache-2.0", "1.0.0"]
    graph = root.only(3)
    image, logits = graph.only(2), graph.only(3)
    assert (image.text(0), logits.text(0)) == ("image", "logits")
    kind = number_types.Uint8Flags
    assert image.child(3).number(0, kind) == 2  # ImageProperties
    assert image.child(3).child(1).number(0, kind) == 2  # GRAYSCALE
    assert image.only(4).number(0, kind) == 1  # NormalizationOptions
    assert [image.only(4).child(1).floats(place) for place in (0, 1)] == [[0.0], [255.0]]
    assert logits.only(6).text(0) == "labels.txt"
    assert logits.only(6).number(2, kind) == 2  # TENSOR_AXIS_LABELS


def test_three_channels_are_colours(path, tmp_path):
    model = flatbuffer_utils.read_model(str(path))
    model.metadata = []
    append(model, "digits", "Reads.", "1.2.3", "Apache-2.0", channels=3)
    flatbuffer_utils.write_model(model, str(tmp_path / "n.tflite"))
    content = metadata(tmp_path / "n.tflite")
    root = View(bytearray(content), encode.Get(number_types.UOffsetTFlags.packer_type, content, 0))
    assert root.only(3).only(2).child(3).child(1).number(0, number_types.Uint8Flags) == 1  # RGB


def test_the_model_runs_as_before(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.ones((1, 28, 28, 1), np.float32))
    interpreter.invoke()
    assert np.any(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
