"""Multiply-accumulates of single operators.

One multiply-accumulate counts once; only convolutions, matrix products and what is made of them have any, as in the
papers of the networks and in ``torch.utils.flop_counter``.
"""

import math

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.fusion import has_shared_weights, is_depthwise
from edgejoule.graphs.model import Graph, Node, Shape

#: Operators that multiply matrices in a way that is not counted: better no answer than one that is too small.
_UNCOUNTED = frozenset(
    [
        *("If", "Loop", "Scan", "Einsum", "Attention", "DeformConv", "DFT", "STFT"),
        *("MultiHeadAttention", "GroupQueryAttention", "PackedAttention", "PackedMultiHeadAttention", "QAttention"),
        *("DecoderMaskedMultiHeadAttention", "DecoderMaskedSelfAttention", "SparseAttention", "LongformerAttention"),
        *("MatMulNBits", "MatMulBnb4", "MatMulFpQ4", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "QGemm"),
        *("DynamicQuantizeLSTM", "AttnLSTM", "MoE", "QMoE", "BeamSearch", "GreedySearch", "Sampling", "GemmFloat8"),
    ]
)


_RECURRENT = ("LSTM", "GRU", "RNN")


def demand_countable(graph: Graph, where: str) -> None:
    """Stop at an operator whose multiply-accumulates are not known, or whose input does not fit its weights.

    Raises:
        EdgejouleError: there is one; it says which.
    """
    for node in graph.nodes:
        if node.operator in _UNCOUNTED and not (_is_attention(graph, node) or _is_simple_einsum(node)):
            raise EdgejouleError(
                f"{where}: operator '{node.operator}' (node '{node.name}') cannot be costed, because it does not say "
                "how many multiply-accumulates it has; export it taken apart into simple operators"
            )
        if node.operator == "Conv" and not node.domain:
            weights, given = graph.shapes[node.inputs[1]], graph.shapes[node.inputs[0]]
            wanted = weights[1] * int(node.attributes.get("group", 1))
            if given[1] != wanted:
                raise EdgejouleError(
                    f"{where}: operator 'Conv' (node '{node.name}') is given {given[1]} channels, but its weights are "
                    f"for {wanted}; check the shape of the input"
                )


def is_conv(node: Node) -> bool:
    """Whether a node is a convolution, of ONNX or of a runtime."""
    return node.operator in ("Conv", "FusedConv") and not is_disguised_normalisation(node)


def is_disguised_normalisation(node: Node) -> bool:
    """Whether ONNX Runtime made this blocked 1x1 depthwise convolution of a batch normalisation."""
    return node.operator == "Conv" and node.domain.endswith("nchwc") and node.name.endswith("_bn_nchwc")


def product(graph: Graph, node: Node) -> tuple[int, int, int, int]:
    """Return rows, depth, columns and batch of a matrix product; with weights of two axes, a batch is more rows."""
    first = node.attributes["first"] if node.operator in ("Attention", "FullyConnected") else node
    left, right = (_factor(graph, first, *side) for side in enumerate("AB"))
    depth, columns = left[-1], right[-1] if len(right) > 1 else 1
    rows = left[-2] if len(left) > 1 else 1
    batch = math.prod(np.broadcast_shapes(left[:-2], right[:-2]))
    if has_shared_weights(graph, first):
        return rows * batch, depth, columns, 1
    return rows, depth, columns, batch


def _factor(graph: Graph, node: Node, position: int, side: str) -> Shape:
    """Return the shape of one side of a matrix product as it is multiplied."""
    shape = graph.shapes[node.inputs[position]]
    if node.attributes.get(f"transBatch{side}"):
        # ONNX Runtime's own: rows stand before the batch.
        shape = (*shape[1:-1], shape[0], shape[-1])
    if node.attributes.get(f"trans{side}"):
        shape = (*shape[:-2], shape[-1], shape[-2])
    return shape


def node_macs(graph: Graph, node: Node) -> int:
    """Return one operator's multiply-accumulates; see ``demand_countable``."""
    if is_conv(node) or node.operator == "ConvTranspose":
        window = graph.shapes[node.inputs[1]][2:]
        source = graph.shapes[graph.activations(node)[0]]
        target = graph.shapes[node.outputs[0]]
        groups = source[1] if is_conv(node) and is_depthwise(graph, node) else int(node.attributes.get("group", 1))
        # A transposed convolution spreads each input element; an ordinary one gathers each output element.
        spread, channels = (source, target[1]) if node.operator == "ConvTranspose" else (target, source[1])
        return math.prod(spread) * (channels // groups) * math.prod(window)
    if node.operator in ("Gemm", "FusedGemm", "MatMul", "FusedMatMul", "FullyConnected"):
        rows, depth, columns, batch = product(graph, node)
        return rows * depth * columns * batch
    if "products" in node.attributes:
        return sum(node_macs(graph, product) for product in node.attributes["products"])
    if "first" in node.attributes and node.operator == "Attention":
        rows, depth, columns, batch = product(graph, node)
        # Queries times keys, then weights times values of the output's width.
        return batch * rows * columns * (depth + graph.shapes[node.outputs[0]][-1])
    if _is_attention(graph, node):
        # The same, whether or not heads have an axis of their own.
        keys = graph.shapes[node.inputs[1]][-2]
        return keys * (graph.elements(node.inputs[0]) + graph.elements(node.outputs[0]))
    if node.operator in _RECURRENT:
        # Every step reads both matrices: the input's and the state's.
        steps, batch = graph.shapes[node.inputs[0]][:2]
        return steps * batch * (graph.elements(node.inputs[1]) + graph.elements(node.inputs[2]))
    if _is_simple_einsum(node) and len(node.inputs) == 2:
        terms = node.attributes["equation"].decode().replace(" ", "").split("->")[0].split(",")
        shapes = (graph.shapes[name] for name in node.inputs)
        sizes = {
            axis: n for term, shape in zip(terms, shapes, strict=True) for axis, n in zip(term, shape, strict=True)
        }
        return math.prod(sizes.values())
    return 0


def _is_attention(graph: Graph, node: Node) -> bool:
    """Whether a node is attention with queries, keys and values apart, and none kept from before."""
    if node.operator not in ("Attention", "MultiHeadAttention") or len(node.inputs) < 3:
        return False
    if node.operator == "Attention" and node.domain:
        return False
    apart = all(name in graph.shapes and len(graph.shapes[name]) in (3, 4) for name in node.inputs[:3])
    return apart and not any(node.inputs[4:])


def _is_simple_einsum(node: Node) -> bool:
    """Whether a node is a sum of products of at most two tensors, every axis of which has a letter."""
    return node.operator == "Einsum" and len(node.inputs) < 3 and b"." not in node.attributes["equation"]
