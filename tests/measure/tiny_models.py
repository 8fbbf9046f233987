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
    """Write the same chain as TensorFlow Lite, by the schema that comes with LiteRT: no converter is needed."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    shape, convolution = (1, size, size, channels), schema.BuiltinOperator.CONV_2D
    code = schema.OperatorCodeT(builtinCode=convolution, deprecatedBuiltinCode=convolution, version=1)
    model = schema.ModelT(version=3, operatorCodes=[code], buffers=[schema.BufferT()])
    graph = schema.SubGraphT(tensors=[], operators=[])

    def tensor(name: str, shape: tuple[int, ...], value: np.ndarray | None = None) -> int:
        if value is not None:
            model.buffers.append(schema.BufferT(data=np.frombuffer(value.tobytes(), np.uint8)))
        buffer = 0 if value is None else len(model.buffers) - 1
        kind = schema.TensorType.FLOAT32
        graph.tensors.append(schema.TensorT(name=name, shape=list(shape), type=kind, buffer=buffer))
        return len(graph.tensors) - 1

    first = last = tensor("x", shape)
    for layer, kernel in enumerate(kernels(channels, layers)):
        own = np.ascontiguousarray(kernel.transpose(0, 2, 3, 1))
        bias = tensor(f"b{layer}", (channels,), np.zeros(channels, np.float32))
        inputs = [last, tensor(f"w{layer}", own.shape, own), bias]
        last = tensor(f"r{layer}", shape)
        options = schema.Conv2DOptionsT(
            padding=schema.Padding.SAME,
            strideH=1,
            strideW=1,
            fusedActivationFunction=schema.ActivationFunctionType.RELU,
        )
        kind = schema.BuiltinOptions.Conv2DOptions
        graph.operators.append(
            schema.OperatorT(inputs=inputs, outputs=[last], builtinOptionsType=kind, builtinOptions=options)
        )
    graph.inputs, graph.outputs = [first], [last]
    ends = ([schema.TensorMapT(name="x", tensorIndex=first)], [schema.TensorMapT(name="y", tensorIndex=last)])
    model.signatureDefs = [schema.SignatureDefT(inputs=ends[0], outputs=ends[1], signatureKey="serving_default")]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
