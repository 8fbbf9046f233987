"""What one kernel is and does: kind, configuration, multiply-accumulates, bytes.

Kinds are the sixteen of DeepEn2023 (Tu et al., SEC 2023, arXiv 2310.18329), those of transformers, a few for data
movement, and ``other:<operator>`` for the rest.
"""

import math
from collections.abc import Iterable

import numpy as np

from edgejoule.graphs.fusion import Kernel, anchor_of, is_depthwise
from edgejoule.graphs.macs import is_conv, is_disguised_normalisation, node_macs, product
from edgejoule.graphs.model import WITHOUT_WEIGHTS, Graph, Node, Shape

#: Bytes of one element; INT8 networks keep their biases in 32 bits.
ELEMENT_BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
BIAS_BYTES = {"fp32": 4, "fp16": 2, "int8": 4}

#: Kind of a kernel by the operator that it is built around.
KIND_OF_OPERATOR = {
    "Conv": "conv+bn+relu",
    "DepthwiseConv": "dwconv+bn+relu",
    "ConvTranspose": "convtranspose",
    "Gemm": "fc",
    "MatMul": "matmul",
    "Attention": "attention",
    "MultiHeadAttention": "attention",
    "BatchNormalization": "bn",
    "Relu": "relu",
    "Clip": "relu",
    "LeakyRelu": "relu",
    "PRelu": "relu",
    "Add": "add",
    "Sum": "add",
    "Mul": "mul",
    "Sub": "sub",
    "Div": "div",
    "AveragePool": "avgpool",
    "MaxPool": "maxpool",
    "GlobalAveragePool": "global-avgpool",
    "ReduceMean": "reduce",
    "ReduceSum": "reduce",
    "ReduceMax": "reduce",
    "ReduceL2": "reduce",
    "Concat": "concat",
    "Split": "split",
    "ChannelShuffle": "channel-shuffle",
    "HardSwish": "hswish",
    "HardSigmoid": "hsigmoid",
    "Sigmoid": "sigmoid",
    "Swish": "swish",
    "Gelu": "gelu",
    "Softmax": "softmax",
    "LayerNormalization": "layernorm",
    "InstanceNormalization": "groupnorm",
    "GroupNormalization": "groupnorm",
    "Transpose": "transpose",
    "Reshape": "reshape",
    "Flatten": "reshape",
    "Squeeze": "reshape",
    "Unsqueeze": "reshape",
    "Slice": "slice",
    "Gather": "gather",
    "Pad": "pad",
    "Resize": "resize",
    "Upsample": "resize",
    "DepthToSpace": "depth-to-space",
    "Expand": "expand",
    "LRN": "lrn",
    # ONNX Runtime's own.
    "FusedConv": "conv+bn+relu",
    "FusedGemm": "fc",
    "FusedMatMul": "matmul",
    "QuickGelu": "swish",
    "BiasGelu": "gelu",
    "FastGelu": "gelu",
    "SkipLayerNormalization": "layernorm",
    "BiasSoftmax": "softmax",
    "ReorderInput": "reorder",
    "ReorderOutput": "reorder",
    # OpenVINO's own: normalisation by mean and variance, or by the root of the mean square.
    "MVN": "layernorm",
    "RMS": "layernorm",
}
KINDS = tuple(sorted({*KIND_OF_OPERATOR.values(), "add+relu", "bn+relu", "se"}))

_LOOKUPS = ("Gather", "GatherND", "GatherElements")
_WINDOWED = ("Conv", "FusedConv", "ConvTranspose", "AveragePool", "MaxPool")


def kind_of(graph: Graph, kernel: Kernel) -> str:
    """Return the kernel's kind."""
    node = kernel.anchor
    operator = "BatchNormalization" if is_disguised_normalisation(node) else anchor_of(graph, node)
    if operator in ("ReduceMean", "AveragePool") and _is_global(graph, node):
        return "global-avgpool"
    kind = KIND_OF_OPERATOR.get(operator)
    if kind is None:
        return f"other:{operator}"
    if kind in ("add", "bn") and kernel.tail and kernel.tail[-1] in ("relu", "relu6"):
        return f"{kind}+relu"
    if kind == "transpose" and _is_shuffle(graph, node):
        return "channel-shuffle"
    return kind


def _is_global(graph: Graph, node: Node) -> bool:
    """Whether a mean covers the whole map of a batch of maps."""
    before, after = graph.shapes[node.inputs[0]], graph.shapes[node.outputs[0]]
    if len(before) != 4 or math.prod(before[2:]) == 1:
        return False
    return after in (before[:2], (*before[:2], 1, 1)) and after[1] == before[1]


def _is_shuffle(graph: Graph, node: Node) -> bool:
    """Whether a transposition swaps groups and channels within groups: batch, groups, channels, height, width."""
    return tuple(node.attributes.get("perm", ())) == (0, 2, 1, 3, 4)


def configuration(graph: Graph, kernel: Kernel) -> dict[str, int]:
    """Return the kernel's configuration: map sizes, channels, window, stride, dilation, groups, batch, inputs."""
    node = kernel.anchor
    # What draws random numbers may read nothing.
    source = graph.shapes[kernel.inputs[0]] if kernel.inputs else ()
    target = graph.shapes[kernel.output]
    operator = anchor_of(graph, node)
    if operator in ("Gemm", "FusedGemm", "MatMul", "FusedMatMul") or "first" in node.attributes:
        values = _product_shape(graph, node, target)
    else:
        batch, channels_in, height_in, width_in = _as_map(source, operator)
        _, channels_out, height_out, width_out = _as_map(target, operator)
        if operator == "Concat":
            channels_in = channels_out
        values = {
            "input_height": height_in,
            "input_width": width_in,
            "output_height": height_out,
            "output_width": width_out,
            "input_channels": channels_in,
            "output_channels": channels_out,
            "batch": batch,
        }
    window = _window(graph, node)
    return values | window | {"inputs": len(kernel.inputs)}


def _as_map(shape: Shape, operator: str) -> Shape:
    """Return any shape as batch, channels, height, width; tokens count as height, their features as channels."""
    if len(shape) == 4 and operator != "LayerNormalization":
        return shape
    if len(shape) in (3, 5) and operator in (*_WINDOWED, "DepthwiseConv", "GlobalAveragePool"):
        # One spatial axis, or three, of which the first two count as height.
        return (*shape[:2], math.prod(shape[2:-1]), shape[-1]) if len(shape) == 5 else (*shape, 1)
    if len(shape) <= 1:
        return (1, shape[0] if shape else 1, 1, 1)
    if len(shape) == 2:
        return (shape[0], shape[1], 1, 1)
    if len(shape) == 5:
        return (shape[0], shape[1] * shape[2], shape[3], shape[4])
    return (shape[0], shape[-1], math.prod(shape[1:-1]), 1)


def _window(graph: Graph, node: Node) -> dict[str, int]:
    attributes = node.attributes
    if node.operator not in _WINDOWED or is_disguised_normalisation(node):
        return {"kernel_height": 0, "kernel_width": 0, "stride": 1, "dilation": 1, "groups": 1}
    if "Conv" in node.operator:
        kernel = graph.shapes[node.inputs[1]][2:]
    else:
        kernel = tuple(attributes["kernel_shape"])
    groups = int(attributes.get("group", 1))
    if is_conv(node) and is_depthwise(graph, node):
        # A blocked layout pads channels; the network has as many groups as its input has channels.
        groups = graph.shapes[graph.activations(node)[0]][1]
    return {
        "kernel_height": math.prod(kernel[:-1]) if len(kernel) > 1 else int(kernel[0]),
        "kernel_width": int(kernel[-1]) if len(kernel) > 1 else 1,
        "stride": int(max(attributes.get("strides", [1]))),
        "dilation": int(max(attributes.get("dilations", [1]))),
        "groups": groups,
    }


def _product_shape(graph: Graph, node: Node, target: Shape) -> dict[str, int]:
    """Return rows, columns and depth of a matrix product as height, output and input channels."""
    rows, depth, columns, batch = product(graph, node)
    return {
        "input_height": rows,
        "input_width": 1,
        "output_height": rows,
        "output_width": 1,
        "input_channels": depth,
        "output_channels": columns,
        "batch": batch,
    }


def macs_of(graph: Graph, kernel: Kernel) -> int:
    """Return the kernel's multiply-accumulates."""
    return sum(node_macs(graph, node) for node in kernel.members)


def bytes_of(graph: Graph, kernel: Kernel, precision: str) -> dict[str, int]:
    """Return bytes of activations read and written and of weights read; folded normalisation leaves one bias."""
    size = ELEMENT_BYTES[precision]
    read = sum(graph.elements(name) for name in kernel.inputs)
    written = sum(graph.elements(name) for name in _writes(graph, kernel))
    return {
        "bytes_in": read * size,
        "bytes_out": written * size,
        "bytes_weights": sum(_weight_bytes(graph, kernel, precision)),
    }


def _writes(graph: Graph, kernel: Kernel) -> tuple[str, ...]:
    if kernel.output in kernel.anchor.outputs:
        return tuple(name for name in kernel.anchor.outputs if name in graph.shapes)
    return (kernel.output,)


def _weight_bytes(graph: Graph, kernel: Kernel, precision: str) -> Iterable[int]:
    anchor = kernel.anchor
    heavy = is_conv(anchor) or anchor_of(graph, anchor) in ("Gemm", "FusedGemm", "ConvTranspose")
    size = ELEMENT_BYTES[precision]
    channels = graph.shapes[kernel.output][1] if len(graph.shapes[kernel.output]) > 1 else 1
    biased = False
    for node in kernel.members:
        if heavy and node.operator == "BatchNormalization":
            # Folded: the filter is rescaled, and what is left is a bias.
            if not biased:
                yield channels * BIAS_BYTES[precision]
            biased = True
            continue
        if node.operator in WITHOUT_WEIGHTS:
            continue
        for position, name in enumerate(dict.fromkeys(node.inputs)):
            if not name or name not in graph.weights or _is_setting(graph, name):
                continue
            if node.operator in _LOOKUPS and position == 0:
                # Only the rows that are looked up are read.
                yield min(graph.elements(name), graph.elements(node.outputs[0])) * size
            elif node is anchor and is_conv(anchor) and position == 1:
                yield _filter_elements(graph, anchor) * size
            elif heavy and len(graph.shapes[name]) == 1:
                biased = True
                yield graph.elements(name) * BIAS_BYTES[precision]
            else:
                yield graph.elements(name) * size


def _is_setting(graph: Graph, name: str) -> bool:
    """Whether a constant is an operator's setting (a bound, a shape, an axis) rather than a weight."""
    value = graph.constants.get(name)
    return value is not None and (value.ndim == 0 or not np.issubdtype(value.dtype, np.floating))


def _filter_elements(graph: Graph, node: Node) -> int:
    """Return a convolution's weights without the padding of a blocked layout."""
    window = math.prod(graph.shapes[node.inputs[1]][2:])
    channels_in = graph.shapes[graph.activations(node)[0]][1]
    channels_out = graph.shapes[node.outputs[0]][1]
    groups = channels_in if is_depthwise(graph, node) else int(node.attributes.get("group", 1))
    return channels_out * (channels_in // groups) * window
