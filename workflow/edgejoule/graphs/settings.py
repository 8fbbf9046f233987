"""What operators are set to: by attributes in older operator sets of ONNX, by constant inputs in newer ones."""

import math

import numpy as np

from edgejoule.graphs.model import Graph, Node

_NON_NEGATIVE = ("Relu", "Sigmoid", "HardSigmoid", "Softmax")


def clip_bounds(graph: Graph, node: Node) -> tuple[float, float]:
    """Return the bounds of a ``Clip``: infinite where it has none, NaN where they are not known."""
    least = _setting(graph, node, 1, "min", -math.inf)
    most = _setting(graph, node, 2, "max", math.inf)
    return tuple(math.nan if bound is None else float(np.squeeze(bound)) for bound in (least, most))


def pads_as_a_window(graph: Graph, node: Node, reader: Node) -> bool:
    """Whether the convolution or pooling that reads a ``Pad`` can do the padding itself.

    It pads the edges of a map, nothing else: convolutions and means with zeros, a maximum with the least number, for
    which zeros are as good where none is less.
    """
    value = _setting(graph, node, 2, "value", 0.0)
    around = _around(graph, node)
    if node.attributes.get("mode", b"constant") != b"constant" or value is None or around is None:
        return False
    if around.min() < 0 or around[:2].any():
        return False
    if reader.operator == "MaxPool":
        return value == -math.inf or (value == 0 and _is_non_negative(graph, node.inputs[0]))
    return value == 0


def _around(graph: Graph, node: Node) -> np.ndarray | None:
    """Return by how much each axis is padded at its beginning and at its end: axes x 2; None if it is not known."""
    pads, axes = _setting(graph, node, 1, "pads", None), _setting(graph, node, 3, "axes", ())
    if pads is None or axes is None:
        return None
    rank = len(graph.shapes[node.inputs[0]])
    around = np.zeros((rank, 2), np.int64)
    around[np.asarray(axes, np.int64) if len(axes) else np.arange(rank)] = np.reshape(pads, (2, -1)).T
    return around


def _setting(graph: Graph, node: Node, position: int, attribute: str, default: object) -> object | None:
    """Return the constant at an input, or the attribute, or the default; None where the input is not constant."""
    if position < len(node.inputs) and node.inputs[position]:
        return graph.constants.get(node.inputs[position])
    return node.attributes.get(attribute, default)


def _is_non_negative(graph: Graph, name: str) -> bool:
    """Whether no number in a tensor is below zero, as far as the operator that made it tells."""
    maker = graph.producer.get(name)
    if maker is None:
        return False
    return maker.operator in _NON_NEGATIVE or (maker.operator == "Clip" and clip_bounds(graph, maker)[0] >= 0)
