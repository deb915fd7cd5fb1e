"""Int8: biases corrected for what rounding shifts, and ONNX models quantized.

    better = correct_biases(fused, calibration, TFLITE_WEIGHT_LIMIT)
    model = quantize_onnx(model, calibration)

Rounding weights and activations to int8 shifts the mean of each layer's output. Most of a digit's picture is empty, and
an empty pixel is rounded the same way everywhere, so these errors add up instead of cancelling out. Bias correction
subtracts the mean difference between the rounded and the exact output on calibration images from each channel's bias
(M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019).
docs/decisions/quantization.md says what it gains, and what was tried and left out.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from digitocr.export.fuse import LINEAR
from digitocr.runtime.preprocessing import Tensors

ONNX_WEIGHT_LIMIT = 64  # largest integer of a weight; 7 bits, see quantize_onnx
TFLITE_WEIGHT_LIMIT = 127  # largest integer of a weight; the converter rounds to -127 ... 127
_CORRECTION_BATCH = 250  # images
_CALIBRATION_BATCH = 50  # images


def correct_biases(network: keras.Model, calibration: Tensors, weight_limit: int) -> keras.Model:
    """A float32 copy of the network whose biases are corrected for int8; all other weights are the same.

    Args:
        network: The result of fuse.
        calibration: (N, 28, 28, 1) float32 in [0, 1], training images.
        weight_limit: The largest integer that the target format rounds a channel's weights to.
    """
    steps: list[_Step] = []

    def noted(layer: Any, *args: Any, **kwargs: Any) -> Any:
        result = layer(*args, **kwargs)
        steps.append(_Step(layer, args, kwargs, result))
        return result

    copy = keras.models.clone_model(keras.Model(network.inputs[0], network.outputs[0]), call_function=noted)
    copy.set_weights(network.get_weights())
    values: dict[int, _Both] = {id(copy.inputs[0]): (calibration, calibration)}  # by tensor: exact and rounded
    uses = Counter(id(tensor) for step in steps for tensor in step.tensors())
    for step in steps:
        layer, given = step.layer, step.tensors()
        exact = step.outputs({id(tensor): values[id(tensor)][0] for tensor in given})
        before = {id(tensor): values[id(tensor)][1] for tensor in given}
        for tensor in given:
            uses[id(tensor)] -= 1
            if not uses[id(tensor)]:
                values.pop(id(tensor), None)
        if isinstance(layer, LINEAR):
            kernel, bias = layer.get_weights()
            rounded_kernel = _rounded_kernel(kernel, layer, weight_limit)
            layer.set_weights([rounded_kernel, bias])
            difference = step.outputs(before) - exact
            bias = bias - difference.reshape(-1, difference.shape[-1]).mean(axis=0)
            layer.set_weights([rounded_kernel, bias])
        rounded = step.outputs(before)
        if isinstance(layer, LINEAR):
            layer.set_weights([kernel, bias])
        if getattr(layer, "weights", ()) or len(given) > 1:
            rounded = _rounded_activation(rounded, float(exact.min()), float(exact.max()))
        values[id(step.result)] = (exact, rounded)
    return copy


_Both: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class _Step(NamedTuple):
    """A call of a layer in a network: the layer, its arguments and its result, as tensors of Keras."""

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any

    def tensors(self) -> list[Any]:
        """The tensors among the arguments."""
        return [part for part in keras.tree.flatten((self.args, self.kwargs)) if isinstance(part, keras.KerasTensor)]

    def outputs(self, values: dict[int, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """The result for (N, ...) values of the tensors, by their ids."""

        def filled(start: int) -> Any:
            stop = start + _CORRECTION_BATCH
            return keras.tree.map_structure(
                lambda part: values[id(part)][start:stop] if isinstance(part, keras.KerasTensor) else part,
                (self.args, self.kwargs),
            )

        parts = []
        for start in range(0, len(next(iter(values.values()))), _CORRECTION_BATCH):
            args, kwargs = filled(start)
            parts.append(np.asarray(self.layer(*args, **kwargs)))
        return np.concatenate(parts)


def _rounded_kernel(kernel: npt.NDArray[np.float32], layer: keras.layers.Layer, limit: int) -> npt.NDArray[np.float32]:
    """Rounded symmetrically, with one scale for each output channel: the last axis, in depthwise kernels the third."""
    channel = kernel.ndim - (2 if isinstance(layer, keras.layers.DepthwiseConv2D) else 1)
    others = tuple(axis for axis in range(kernel.ndim) if axis != channel)
    scale = np.abs(kernel).max(axis=others, keepdims=True) / limit
    scale[scale == 0] = 1
    return np.asarray(np.rint(kernel / scale) * scale)


def _rounded_activation(values: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.float32]:
    """Rounded to 256 steps from low to high, shifted so that 0 is one of them."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255 or 1)
    zero = np.rint(-low / scale)
    return np.asarray((np.clip(np.rint(values / scale) + zero, 0, 255) - zero) * scale)


def quantize_onnx(model: Any, calibration: Tensors, percentile: float | None = None) -> Any:
    """An onnx.ModelProto with input `image`, quantized to static int8 in QDQ form.

    ONNX Runtime fuses the QDQ nodes into QLinearConv and QGemm. Weights have one scale for each output channel. Ranges
    of activations are minimum and maximum over the calibration inputs, unless a percentile is given. The last Gemm
    gives float32, which saves one rounding. Weights have 7 bits (reduce_range): processors with AVX2 but without VNNI
    add pairs of products in 16 bits, which 8-bit weights overflow, so that answers would depend on the processor.

    Args:
        model: The float32 model.
        calibration: (N, ...) float32, inputs of the model.
        percentile: Of the values that a range holds, above 50 and below 100; as many are cut off at either end. None:
            all.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
        batches: Iterator[Tensors] = iter(
            [calibration[at : at + _CALIBRATION_BATCH] for at in range(0, len(calibration), _CALIBRATION_BATCH)]
        )

        def get_next(self) -> dict[str, Tensors] | None:
            batch = next(self.batches, None)
            return None if batch is None else {"image": batch}

    options: dict[str, Any] = {"OpTypesToExcludeOutputQuantization": ["Gemm"]}
    method = CalibrationMethod.MinMax
    if percentile is not None:
        method = CalibrationMethod.Percentile
        options["CalibPercentile"] = percentile
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # onnxruntime prints its progress
        given, prepared, written = (Path(folder, f"{name}.onnx") for name in ("given", "prepared", "written"))
        given.write_bytes(model.SerializeToString())
        quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(written),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
            extra_options=options,
        )
        return onnx.load(str(written))
