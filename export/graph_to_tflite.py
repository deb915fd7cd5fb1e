"""A convolutional Keras network -> a TFLite file of one fixed size, with named outputs.

    content = graph_to_tflite(network, {"logits": slice(0, 36)}, (32, 320), calibration)

The detector and the recognizer become TFLite files by it. The converter fuses batch norm and needs fixed sides: the
operators of the file are CONV_2D, DEPTHWISE_CONV_2D, ADD, CONCATENATION and RESIZE_NEAREST_NEIGHBOR. Channels are last.
"""

from collections.abc import Mapping
from typing import Any

import keras
from ai_edge_litert.tools import flatbuffer_utils

from digitocr.export.to_tflite import convert
from digitocr.train.quiet import silenced
from digitocr.train.synthesis.strokes import Floats


def graph_to_tflite(
    network: keras.Model, outputs: Mapping[str, slice], sides: tuple[int, int], calibration: Floats | None = None
) -> bytes:
    """The network as the bytes of a TFLite file: float32, or int8 with input and outputs of int8.

    Args:
        network: Input (N, H, W, C). Its last layer is a 1x1 convolution.
        outputs: The file's outputs, and the channels of the network's output that each has. Each is a tensor of its
            own, so that int8 gives it its own scale.
        sides: Height and width of the input.
        calibration: (N, H, W, C) float32, inputs by which int8 ranges are set; None: float32.
    """
    import tensorflow as tf

    with silenced():
        converter = tf.lite.TFLiteConverter.from_keras_model(_fixed(network, outputs, sides))
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([calibration[at : at + 1]] for at in range(len(calibration)))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        model = flatbuffer_utils.read_model_from_bytearray(bytearray(convert(converter)))
    _name_ends(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _fixed(network: keras.Model, outputs: Mapping[str, slice], sides: tuple[int, int]) -> keras.Model:
    """The network for one size, its last convolution divided into one for each output."""

    def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.UpSampling2D):  # which becomes a TILE of five dimensions
            return _Doubled(name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    image = keras.Input(batch_shape=(1, *sides, network.input_shape[-1]), name="image")
    copy = keras.models.clone_model(network, input_tensors=image, clone_function=copied)
    copy.set_weights(network.get_weights())
    head = copy.layers[-1]
    kernel, bias = head.get_weights()
    ends = {}
    for name, channels in outputs.items():
        part = keras.layers.Conv2D(channels.stop - channels.start, 1, name=name)
        ends[name] = part(head.input)
        part.set_weights([kernel[..., channels], bias[channels]])
    return keras.Model(image, ends)


class _Doubled(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Twice as many rows and columns, each pixel repeated."""

    def call(self, pixels: keras.KerasTensor) -> keras.KerasTensor:
        _, height, width, _ = pixels.shape
        return keras.ops.image.resize(pixels, (2 * height, 2 * width), interpolation="nearest")


def _name_ends(model: Any) -> None:
    """Gives the tensors of input and outputs their names; the converter names tensors after its own functions."""
    (signature,) = model.signatureDefs
    for end in (*signature.inputs, *signature.outputs):
        model.subgraphs[0].tensors[end.tensorIndex].name = end.name
