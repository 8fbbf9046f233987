"""Small models for the tests of the recorder."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def kernels(channels: int, layers: int) -> list[np.ndarray]:
    """Return the weights of a chain of 3x3 convolutions, each of shape (out, in, 3, 3)."""
    generator = np.random.default_rng(0)
    return [generator.standard_normal((channels, channels, 3, 3)).astype(np.float32) / channels for _ in range(layers)]


def write_conv(path: Path, channels: int = 8, size: int = 16, layers: int = 2) -> Path:
    """Write a chain of 3x3 convolutions with ReLU as ONNX."""
    nodes, weights, value = [], [], "x"
    for layer, kernel in enumerate(kernels(channels, layers)):
        weights.append(numpy_helper.from_array(kernel, f"w{layer}"))
        nodes.append(helper.make_node("Conv", [value, f"w{layer}"], [f"c{layer}"], f"conv{layer}", pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"], f"relu{layer}"))
        value = f"r{layer}"
    shape = [1, channels, size, size]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def write_tflite(path: Path, channels: int = 8, size: int = 16, layers: int = 2) -> Path:
    """Write the same chain as TensorFlow Lite; no converter is needed."""
    from ai_edge_litert import schema_py_generated as schema

    from edgejoule.measure.sandwich_tflite import Builder

    builder, shape = Builder(), (1, size, size, channels)
    value = builder.input(*shape)
    bias = builder.constant(np.zeros(channels, np.float32))
    for kernel in kernels(channels, layers):
        weights = builder.constant(np.ascontiguousarray(kernel.transpose(0, 2, 3, 1)))
        options = schema.Conv2DOptionsT(
            strideH=1, strideW=1, fusedActivationFunction=schema.ActivationFunctionType.RELU
        )
        value = builder.node("middle", "CONV_2D", [value, weights, bias], shape, options)
    path.write_bytes(builder.finish(value))
    return path
