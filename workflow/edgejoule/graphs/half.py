"""Files in FP16, described as the same network in FP32: ONNX Runtime's clean-up would add casts that no device runs."""

import math
from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto

from edgejoule.graphs.export import real_inputs

#: Attributes that name an element type.
_TYPES = ("to", "dtype")


def is_half(model: onnx.ModelProto) -> bool:
    """Whether most of a file's real weights are FP16 numbers; where it has none, whether an input is."""
    activations = set(real_inputs(model))
    given = {True: [], False: []}
    for value in model.graph.input:
        kind = value.type.tensor_type
        size = math.prod(axis.dim_value for axis in kind.shape.dim)
        given[value.name in activations].append((kind.elem_type, size))
    weights = given[False] + [(tensor.data_type, math.prod(tensor.dims)) for tensor in model.graph.initializer]
    counted = [pair for pair in weights if pair[0] in (TensorProto.FLOAT, TensorProto.FLOAT16)]
    if not counted:
        return any(kind == TensorProto.FLOAT16 for kind, _ in given[True])
    half = sum(size for kind, size in counted if kind == TensorProto.FLOAT16)
    return 2 * half > sum(size for _, size in counted)


def as_float(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model without large weights in which every FP16 tensor is FP32, casts between them gone.

    A cast that is left has nothing to do: the clean-up removes it as the identity that it is.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    _convert(made.graph)
    for function in made.functions:
        _convert_nodes(function.node)
    typed = onnx.shape_inference.infer_shapes(made).graph
    floats = {
        value.name
        for value in (*typed.input, *typed.value_info)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    for node in made.graph.node:
        if node.op_type == "Cast" and node.input[0] in floats and node.attribute[0].i == TensorProto.FLOAT:
            node.op_type = "Identity"
            del node.attribute[:]
    return made


def _convert(graph: onnx.GraphProto) -> None:
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in graph.initializer:
        _convert_tensor(tensor)
    _convert_nodes(graph.node)


def _convert_nodes(nodes: Iterable[onnx.NodeProto]) -> None:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name in _TYPES and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
            for tensor in (attribute.t, *attribute.tensors):
                _convert_tensor(tensor)
            for graph in (attribute.g, *attribute.graphs):
                _convert(graph)


def _convert_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        values = onnx.numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
