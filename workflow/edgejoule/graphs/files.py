"""ONNX files of anybody: read without their weights, given static shapes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.export import SMALL, real_inputs
from edgejoule.graphs.model import Shape
from edgejoule.graphs.versions import lower


def load(path: Path | str) -> onnx.ModelProto:
    """Read an ONNX file without the weights that lie outside it, under versions that ONNX Runtime reads.

    What lies outside it and is no weight (bounds, shapes, constants inside branches) is read from there.

    Raises:
        EdgejouleError: the file is absent, no ONNX model, newer than ONNX Runtime reads, or without the file beside it
            that holds what is no weight.
    """
    path = Path(path)
    if path.is_dir():
        raise EdgejouleError(f"{path}: is a folder; give an ONNX model, such as {path}/model.onnx")
    if not path.is_file():
        raise EdgejouleError(f"{path}: no such file; give an ONNX model")
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise EdgejouleError(f"{path}: not an ONNX model: {error}") from error
    if not model.graph.node:
        raise EdgejouleError(f"{path}: not an ONNX model, or one without nodes")
    lower(model, str(path))
    for tensor in _settings(model.graph):
        if uses_external_data(tensor):
            _fetch(tensor, path)
    return model


def _settings(graph: onnx.GraphProto, weights: bool = False) -> Iterator[onnx.TensorProto]:
    """Return the tensors of a graph and its branches; of its own initialisers only the small ones, unless asked."""
    yield from (tensor for tensor in graph.initializer if weights or math.prod(tensor.dims) <= SMALL)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for body in (attribute.g, *attribute.graphs):
                yield from _settings(body, weights=True)


def _fetch(tensor: onnx.TensorProto, path: Path) -> None:
    """Read a tensor's numbers from the file beside the model."""
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    if not (path.parent / location).is_file():
        raise EdgejouleError(
            f"{path}: needs '{location}' beside it, where its tensor '{tensor.name}' of {math.prod(tensor.dims)} "
            "numbers lies; put that file there, or save the model with such small tensors inside"
        )
    try:
        load_external_data_for_tensor(tensor, str(path.parent))
    except (onnx.checker.ValidationError, OSError, ValueError) as error:
        raise EdgejouleError(f"{path}: tensor '{tensor.name}' in '{location}': {str(error).splitlines()[0]}") from error


def fix_shapes(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]], where: str) -> onnx.ModelProto:
    """Return a copy whose real inputs have the given static shapes.

    Raises:
        EdgejouleError: a shape is for an input that does not exist or has another rank, or an axis is still dynamic.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    names = real_inputs(model)
    for name in shapes:
        if name not in names:
            raise EdgejouleError(
                f"{where}: a shape is given for '{name}', which is no input; inputs: {', '.join(names)}"
            )
    for value in fixed.graph.input:
        if value.name not in names:
            continue
        # Without the field, not even the number of axes is known; with an empty one, it is a single number.
        ranked = value.type.tensor_type.HasField("shape")
        axes = value.type.tensor_type.shape.dim
        if value.name in shapes:
            wanted = shapes[value.name]
            if not isinstance(wanted, (tuple, list)) or not all(isinstance(n, Integral) and n > 0 for n in wanted):
                raise EdgejouleError(
                    f"{where}: the shape of input '{value.name}' is {wanted!r}; give whole numbers above zero, such as "
                    "(1, 3, 224, 224)"
                )
            if ranked and len(axes) != len(wanted):
                raise EdgejouleError(
                    f"{where}: the shape given for input '{value.name}' has {len(wanted)} axes, the input {len(axes)}"
                )
            while len(axes) < len(wanted):
                axes.add()
            for axis, size in zip(axes, wanted, strict=True):
                axis.dim_value = int(size)
        dynamic = [axis.dim_param or "?" for axis in axes if axis.dim_value <= 0]
        if dynamic or not (axes or ranked):
            lacks = f"has the dynamic axes {', '.join(dynamic)}" if dynamic else "says nothing of its shape"
            example = _example(axes)
            raise EdgejouleError(
                f"{where}: input '{value.name}' {lacks}; give its shape, such as --shape "
                f"{value.name}={'x'.join(map(str, example))} (in Python shapes={{'{value.name}': {example}}})"
            )
    if shapes:
        # What was inferred for other shapes must not survive.
        del fixed.graph.value_info[:]
        for value in fixed.graph.output:
            value.type.tensor_type.ClearField("shape")
    return fixed


def _example(axes: Sequence[onnx.TensorShapeProto.Dimension]) -> Shape:
    """Return a shape that suits the axes: theirs where they are static, an image's or a sequence's elsewhere."""
    usual = (1, 3, 224, 224) if len(axes) in (0, 4) else (1, *[128] * (len(axes) - 1))
    if not axes:
        return usual
    return tuple(axis.dim_value if axis.dim_value > 0 else size for axis, size in zip(axes, usual, strict=True))
