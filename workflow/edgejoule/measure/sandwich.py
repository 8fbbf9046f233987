"""One kernel between a producer and a consumer, as a model to run: what a kernel costs inside a network.

Alone, a kernel finds its weights in the cache and its input where the last run left it; inside a network its input was
just written by another kernel, in the layout that this one prefers, and its weights come from memory. So the kernel is
put between two small ones, caches are flushed between runs, and only the nodes in the middle are read.

All names of the middle hold ``MIDDLE``; a runtime that fuses nodes keeps the names of their outputs in its own.
"""

import math
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import MIDDLE
from edgejoule.measure.rebuild import Configuration, builder_of, channels_first, margins

OPSET = 20
#: ONNX Runtime's own operators.
MICROSOFT = "com.microsoft"
#: Channels on the outer sides of producers and consumers: enough for a blocked layout, few enough to be cheap.
OUTER = 16
#: What producers and consumers in a plain layout are, if a runtime does not fuse that; no kernel in the middle is one.
CHEAP = "Abs"
#: Bytes of an element: sandwiches are in single precision.
FP32 = 4
#: Below this many channels a blocked layout does not begin yet, so a convolution reads the network's input itself.
BLOCK = 16


class Builder:
    """A model under construction. Weights are cut from one random block, so large ones cost no time.

    Args:
        isolated: leave producers and consumers out.
        neighbour: operator of producers and consumers in a plain layout, and its attributes.
    """

    def __init__(self, isolated: bool, neighbour: tuple[str, dict]) -> None:
        self.isolated, self.neighbour = isolated, neighbour
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.block = np.random.default_rng(0).uniform(-0.1, 0.1, 65536).astype(np.float32)

    def input(self, *shape: int) -> str:
        """Add an input and return its name."""
        name = f"input{len(self.inputs)}"
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def weight(self, *shape: int) -> str:
        """Add random weights and return their name."""
        return self.constant(np.resize(self.block, shape))

    def constant(self, value: np.ndarray) -> str:
        """Add a constant and return its name."""
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def node(self, where: str, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes) -> str:
        """Add a node of the producer, middle or consumer, and return the name of its first output."""
        if self.isolated and where != MIDDLE:
            return inputs[0]
        if operator == CHEAP:
            operator, attributes = self.neighbour
        name = f"{where}/{len(self.nodes)}"
        names = [name, *(f"{name}:{index}" for index in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, inputs, names, name, domain=domain, **attributes))
        return name

    def model(self, output: str) -> bytes:
        """Return the finished model."""
        value = onnx.ValueInfoProto(name=output)
        graph = helper.make_graph(self.nodes, "sandwich", self.inputs, [value], self.weights)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


# -- what stands before and behind -----------------------------------------------------------------------------------


def _blocked(configuration: Configuration) -> bool:
    return configuration["layout"] == "nchwc"


def _before(b: Builder, configuration: Configuration, *shape: int, least: int = BLOCK) -> str:
    """Write an activation of this shape: by a convolution where the layout is blocked, else by a cheap operator.

    The activation behind the convolution keeps runtimes from fusing the middle into it. What has fewer channels than
    ``least`` is read in the plain layout even there.
    """
    if not b.isolated and _blocked(configuration) and len(shape) == 4 and shape[1] >= least:
        outer = b.input(shape[0], OUTER, *shape[2:])
        return b.node("before", "Relu", b.node("before", "Conv", outer, b.weight(shape[1], OUTER, 1, 1)))
    if _blocked(configuration):
        return b.input(*shape)
    return b.node("before", CHEAP, b.input(*shape))


def _after(b: Builder, configuration: Configuration, value: str, channels: int) -> str:
    """Read an activation, in the layout that it is in."""
    if _blocked(configuration) and channels % BLOCK == 0:
        return b.node("after", "Conv", value, b.weight(OUTER, channels, 1, 1))
    return b.node("after", CHEAP, value)


def _map_in(c: Configuration) -> tuple[int, int, int, int]:
    return c["batch"], c["input_channels"], c["input_height"], c["input_width"]


def _map_out(c: Configuration) -> tuple[int, int, int, int]:
    return c["batch"], c["output_channels"], c["output_height"], c["output_width"]


# -- what stands in the middle ---------------------------------------------------------------------------------------

#: Words of a fused tail, and the operators that they are.
ACTIVATIONS: dict[str, Callable[[Builder, str], str]] = {
    "relu": lambda b, x: b.node(MIDDLE, "Relu", x),
    "relu6": lambda b, x: b.node(
        MIDDLE, "Clip", x, b.constant(np.array(0, np.float32)), b.constant(np.array(6, np.float32))
    ),
    "leaky-relu": lambda b, x: b.node(MIDDLE, "LeakyRelu", x, alpha=0.1),
    "sigmoid": lambda b, x: b.node(MIDDLE, "Sigmoid", x),
    "hsigmoid": lambda b, x: b.node(MIDDLE, "HardSigmoid", x, alpha=1 / 6, beta=0.5),
    "hswish": lambda b, x: b.node(MIDDLE, "HardSwish", x),
    "tanh": lambda b, x: b.node(MIDDLE, "Tanh", x),
    "gelu": lambda b, x: b.node(MIDDLE, "Gelu", x),
    "swish": lambda b, x: b.node(MIDDLE, "Mul", x, b.node(MIDDLE, "Sigmoid", x)),
}
BINARY = {"add": "Add", "mul": "Mul", "sub": "Sub", "div": "Div"}


def _tail(b: Builder, c: Configuration, value: str, shape: tuple[int, ...]) -> str:
    """Append the fused tail; its second operands are activations of the same shape."""
    for word in filter(None, str(c["tail"]).split("+")):
        if word in ACTIVATIONS:
            value = ACTIVATIONS[word](b, value)
        elif word in BINARY:
            value = b.node(MIDDLE, BINARY[word], value, _before(b, c, *shape, least=1))
        else:
            raise EdgejouleError(
                f"kernel '{c['kernel']}': its fused tail '{word}' cannot be built from a configuration"
            )
    return value


def _pads(c: Configuration) -> list[int]:
    """Return the padding as ONNX has it: all beginnings, then all ends."""
    return [side for sides in zip(*margins(c), strict=True) for side in sides]


def _convolution(b: Builder, c: Configuration) -> str:
    window = (c["kernel_height"], c["kernel_width"])
    value = _before(b, c, *_map_in(c))
    weight = b.weight(c["output_channels"], c["input_channels"] // c["groups"], *window)
    value = b.node(
        MIDDLE, "Conv", value, weight, b.weight(c["output_channels"]), kernel_shape=window, pads=_pads(c),
        strides=[c["stride"]] * 2, dilations=[c["dilation"]] * 2, group=c["groups"],
    )  # fmt: skip
    return _after(b, c, _tail(b, c, value, _map_out(c)), c["output_channels"])


def _pool(b: Builder, c: Configuration) -> str:
    operator = "MaxPool" if c["kind"] == "maxpool" else "AveragePool"
    window = (c["kernel_height"], c["kernel_width"])
    value = _before(b, c, *_map_in(c))
    value = b.node(MIDDLE, operator, value, kernel_shape=window, pads=_pads(c), strides=[c["stride"]] * 2)
    return _after(b, c, value, c["output_channels"])


def _batch_norm(b: Builder, c: Configuration) -> str:
    channels = c["input_channels"]
    ones = b.constant(np.ones(channels, np.float32))
    value = _before(b, c, *_map_in(c))
    value = b.node(
        MIDDLE, "BatchNormalization", value, b.weight(channels), b.weight(channels), b.weight(channels), ones
    )
    return _after(b, c, _tail(b, c, value, _map_out(c)), channels)


def _global_pool(b: Builder, c: Configuration) -> str:
    if c["operator"] == "AveragePool":
        return _pool(b, c)
    value = _before(b, c, *_map_in(c))
    if c["operator"] == "ReduceMean":
        return b.node("after", CHEAP, b.node(MIDDLE, "ReduceMean", value, b.constant(np.array([2, 3])), keepdims=1))
    value = b.node(MIDDLE, "GlobalAveragePool", value)
    return _after(b, c, value, c["output_channels"])


def _binary(b: Builder, c: Configuration) -> str:
    operator = BINARY[str(c["kind"]).split("+")[0]]
    # Tokens count as height in a configuration; their features come last.
    batch, channels, height, width = _map_out(c)
    tokens = width == 1 and height > 1
    shape = (batch, height, channels) if tokens else (batch, channels, height, width)
    first = _before(b, c, *shape)
    if c["inputs"] == 2:
        second = _before(b, c, *channels_first(c, shape, c["bytes_in"] // FP32 - math.prod(shape)))
    else:
        # No weights are counted for a single number, which is then the constant.
        second = b.weight(*channels_first(c, shape, max(1, c["bytes_weights"] // FP32)))
    return _after(b, c, _tail(b, c, b.node(MIDDLE, operator, first, second), shape), channels)


def _unary(b: Builder, c: Configuration) -> str:
    word = {"Clip": "relu6", "LeakyRelu": "leaky-relu"}.get(str(c["operator"]), str(c["kind"]))
    value = ACTIVATIONS[word](b, _before(b, c, *_map_in(c)))
    return _after(b, c, _tail(b, c, value, _map_out(c)), c["output_channels"])


def _fully_connected(b: Builder, c: Configuration) -> str:
    rows, depth, columns = c["input_height"], c["input_channels"], c["output_channels"]
    value = b.node("before", CHEAP, b.input(rows, depth))
    if c["operator"] in ("Gemm", "FusedGemm", "FullyConnected"):
        value = b.node(MIDDLE, "Gemm", value, b.weight(columns, depth), b.weight(columns), transB=1)
    else:
        value = b.node(MIDDLE, "MatMul", value, b.weight(depth, columns))
    return b.node("after", CHEAP, _tail(b, c, value, (rows, columns)))


def _product(b: Builder, c: Configuration) -> str:
    batch, rows, depth, columns = c["batch"], c["input_height"], c["input_channels"], c["output_channels"]
    left = b.node("before", CHEAP, b.input(batch, rows, depth))
    right = b.node("before", CHEAP, b.input(batch, depth, columns))
    if c["operator"] == "FusedMatMul":
        # Attention's keys: a runtime takes the transposition in.
        right = b.node("before", CHEAP, b.input(batch, columns, depth))
        right = b.node(MIDDLE, "Transpose", right, perm=[0, 2, 1])
    return b.node("after", CHEAP, b.node(MIDDLE, "MatMul", left, right))


def _softmax(b: Builder, c: Configuration) -> str:
    batch, channels, height, width = _map_in(c)
    # Attention has a map per head and normalises its rows; tokens count as height, and their features are normalised.
    shape = (batch, channels, height, width) if width > 1 else (batch, height, channels)
    value = b.node("before", CHEAP, b.input(*shape))
    return b.node("after", CHEAP, b.node(MIDDLE, "Softmax", value, axis=-1))


def _layer_norm(b: Builder, c: Configuration) -> str:
    channels = c["input_channels"]
    value = b.node("before", CHEAP, b.input(c["batch"], c["input_height"], channels))
    weights = b.weight(channels), b.weight(channels)
    if c["operator"] == "SkipLayerNormalization":
        # ONNX Runtime gives the node that it fuses a name of its own, so it is written as fused.
        skipped = b.node("before", CHEAP, b.input(c["batch"], c["input_height"], channels))
        value = b.node(MIDDLE, "SkipLayerNormalization", value, skipped, *weights, domain=MICROSOFT, epsilon=1e-5)
    else:
        value = b.node(MIDDLE, "LayerNormalization", value, *weights, axis=-1)
    return b.node("after", CHEAP, value)


def _concat(b: Builder, c: Configuration) -> str:
    batch, channels, height, width = _map_out(c)
    sizes = [len(part) for part in np.array_split(np.arange(channels), c["inputs"])]
    parts = [_before(b, c, batch, size, height, width) for size in sizes]
    return _after(b, c, b.node(MIDDLE, "Concat", *parts, axis=1), channels)


def _shuffle(b: Builder, c: Configuration) -> str:
    batch, channels, height, width = _map_in(c)
    value = b.node("before", CHEAP, b.input(batch, 2, channels // 2, height, width))
    return b.node("after", CHEAP, b.node(MIDDLE, "Transpose", value, perm=[0, 2, 1, 3, 4]))


#: Kind of kernel: what builds its sandwich.
BUILDERS: dict[str, Callable[[Builder, Configuration], str]] = {
    "conv+bn+relu": _convolution,
    "dwconv+bn+relu": _convolution,
    "maxpool": _pool,
    "avgpool": _pool,
    "global-avgpool": _global_pool,
    "bn": _batch_norm,
    "bn+relu": _batch_norm,
    "add": _binary,
    "add+relu": _binary,
    "mul": _binary,
    "sub": _binary,
    "div": _binary,
    "relu": _unary,
    "sigmoid": _unary,
    "hsigmoid": _unary,
    "swish": _unary,
    "hswish": _unary,
    "gelu": _unary,
    "fc": _fully_connected,
    "matmul": _product,
    "softmax": _softmax,
    "layernorm": _layer_norm,
    "concat": _concat,
    "channel-shuffle": _shuffle,
}


def sandwich(configuration: Configuration, isolated: bool = False, neighbour: tuple[str, dict] | None = None) -> bytes:
    """Return the ONNX model that runs one kernel between a producer and a consumer.

    Args:
        configuration: a row of a kernel plan.
        isolated: leave producer and consumer out.
        neighbour: operator of producers and consumers in a plain layout, and its attributes, where the runtime would
            fuse the usual one with the kernel.

    Raises:
        EdgejouleError: the kind cannot be rebuilt from a configuration alone.
    """
    build = builder_of(configuration, BUILDERS)
    builder = Builder(isolated, neighbour or (CHEAP, {}))
    return builder.model(build(builder, configuration))
