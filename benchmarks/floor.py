"""What a core can do at best: multiply-accumulates in large matrix products, and bytes copied."""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before numpy is imported

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import onnx
import onnxruntime

MATRIX_SIDE = 1024  # of the matrix product that the rate is measured with
COPIED = 1 << 20  # bytes; what a read works on at once has about that size


def least(call: Callable[[], object], repeats: int) -> float:
    """The least processor time of a call in seconds; other load does not count in it."""
    taken = []
    for _ in range(repeats):
        began = time.thread_time()
        call()
        taken.append(time.thread_time() - began)
    return min(taken)


def floors(products: int) -> dict[str, float]:
    """Seconds of that many multiply-accumulates in a large matrix product on one core, in float32 and in int8."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((MATRIX_SIDE, MATRIX_SIDE), np.float32) for _ in range(2))
    node = onnx.helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    value = partial(onnx.helper.make_tensor_value_info, shape=[MATRIX_SIDE, MATRIX_SIDE])
    weights = onnx.numpy_helper.from_array(rng.integers(-64, 64, (MATRIX_SIDE, MATRIX_SIDE), np.int8), "b")
    graph = onnx.helper.make_graph(
        [node], "floor", [value("a", onnx.TensorProto.UINT8)], [value("y", onnx.TensorProto.INT32)], [weights]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    bytes_ = rng.integers(0, 256, (MATRIX_SIDE, MATRIX_SIDE), np.uint8)
    seconds = {"float32": least(lambda: a @ b, 20), "int8": least(lambda: session.run(None, {"a": bytes_}), 20)}
    return {kind: taken * products / MATRIX_SIDE**3 for kind, taken in seconds.items()}


def seconds_of_bytes(count: float) -> float:
    """Seconds to copy that many bytes on one core, COPIED at a time."""
    source, target = np.ones(COPIED, np.uint8), np.empty(COPIED, np.uint8)
    return least(partial(np.copyto, target, source), 200) * count / COPIED


def multiply_accumulates(model: onnx.ModelProto, shape: tuple[int, ...]) -> int:
    """How many multiply-accumulates the convolutions and matrix products of a network take for an input of a shape."""
    (image,) = model.graph.input
    sides = image.type.tensor_type.shape.dim
    for side, length in zip(sides, shape, strict=True):
        side.Clear()
        side.dim_value = length
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {one.name: list(one.dims) for one in inferred.initializer}
    for one in (*inferred.value_info, *inferred.output):
        shapes[one.name] = [side.dim_value for side in one.type.tensor_type.shape.dim]
    total = 0
    for node in inferred.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            weights = shapes[node.input[1]]
            each = np.prod(weights[1:]) if node.op_type == "Conv" else shapes[node.input[0]][-1]
            total += int(np.prod(shapes[node.output[0]]) * each)
    return total
