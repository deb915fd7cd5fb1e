"""The flatbuffer TFLITE_METADATA, with which Android's tools find a model's labels and scale its input.

    append(model, name="digitocr-int8", description="...", version="0.1.0", licence="Apache-2.0")

Its schema is tflite-support's metadata_schema.fbs 1.1.0 (identifier M001), of which no package for the Python versions
that digitocr supports brings generated code. Only the fields below are filled; the numbers are the schema's places.
"""

from typing import Any

import flatbuffers

LABELS_FILE = "labels.txt"  # in the zip that is appended to the model

_IMAGE = 2  # ContentProperties
_COLOURS = {3: 1, 1: 2}  # ColorSpaceType by channels: RGB, GRAYSCALE
_NORMALIZATION = 1  # ProcessUnitOptions
_AXIS_LABELS = 2  # AssociatedFileType


def append(model: Any, name: str, description: str, version: str, licence: str, channels: int = 1) -> None:
    """Adds the metadata of a network `image` -> `logits` to an unpacked TFLite model (a ModelT).

    channels: Of the input: 1, grey, or 3, red, green and blue.
    """
    from ai_edge_litert.schema_py_generated import BufferT, MetadataT

    buffer, entry = BufferT(), MetadataT()
    buffer.data = list(_packed(name, description, version, licence, channels))
    entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers)
    model.buffers.append(buffer)
    model.metadata.append(entry)


def _packed(name: str, description: str, version: str, licence: str, channels: int) -> bytes:
    builder = flatbuffers.Builder(1024)
    text = builder.CreateString

    def table(fields: int, offsets: dict[int, int], kinds: dict[int, int]) -> int:
        """offsets: children by place; kinds: one-byte enums and union types by place."""
        builder.StartObject(fields)
        for place, offset in offsets.items():
            builder.PrependUOffsetTRelativeSlot(place, offset, 0)
        for place, kind in kinds.items():
            builder.PrependInt8Slot(place, kind, 0)
        return int(builder.EndObject())

    def vector(child: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(child)
        return int(builder.EndVector())

    def floats(value: float) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return int(builder.EndVector())

    scaling = table(2, {0: floats(0.0), 1: floats(255.0)}, {})  # NormalizationOptions: (pixel - mean) / std
    unit = table(2, {1: scaling}, {0: _NORMALIZATION})
    content = table(3, {1: table(2, {}, {0: _COLOURS[channels]})}, {0: _IMAGE})
    image = table(
        7,
        {0: text("image"), 1: text("One digit, 28x28, ink bright on dark."), 3: content, 4: vector(unit)},
        {},
    )
    labels = table(4, {0: text(LABELS_FILE), 1: text("The digit of each logit.")}, {2: _AXIS_LABELS})
    logits = table(7, {0: text("logits"), 1: text("One for each digit; apply softmax."), 6: vector(labels)}, {})
    graph = table(7, {2: vector(image), 3: vector(logits)}, {})
    root = table(
        8,
        {0: text(name), 1: text(description), 2: text(version), 3: vector(graph), 5: text(licence), 7: text("1.0.0")},
        {},
    )
    builder.Finish(root, file_identifier=b"M001")
    return bytes(builder.Output())
