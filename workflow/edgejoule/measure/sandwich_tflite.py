"""One kernel between a producer and a consumer as a TensorFlow Lite model: what ``sandwich`` is, for LiteRT.

Layouts are LiteRT's: images are height x width x channels, and kernels take their activation in. Models are put
together with the classes of TensorFlow Lite's schema that LiteRT's package brings; no converter is needed.
"""

import itertools
import math
from collections.abc import Callable

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import MIDDLE
from edgejoule.measure.rebuild import Configuration, builder_of, margins, second_operand

BEFORE, AFTER = "before", "after"
#: What producers and consumers are; no kernel in the middle is one.
NEIGHBOUR = "ABS"
#: Bytes of an element: sandwiches are in single precision.
FP32 = 4


class Builder:
    """A model under construction; a tensor is told by its number. Weights are cut from one random block.

    Args:
        isolated: leave producers and consumers out.
    """

    def __init__(self, isolated: bool = False) -> None:
        self.isolated = isolated
        self.model = schema.ModelT(version=3, operatorCodes=[], buffers=[schema.BufferT()], signatureDefs=[])
        self.graph = schema.SubGraphT(tensors=[], operators=[], inputs=[], outputs=[])
        self.model.subgraphs = [self.graph]
        self.codes: dict[str, int] = {}
        self.block = np.random.default_rng(0).uniform(-0.1, 0.1, 65536).astype(np.float32)

    def _tensor(self, name: str, shape: tuple[int, ...], kind: int = schema.TensorType.FLOAT32, buffer: int = 0) -> int:
        self.graph.tensors.append(schema.TensorT(name=name, shape=list(shape), type=kind, buffer=buffer))
        return len(self.graph.tensors) - 1

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return the shape of a tensor."""
        return tuple(self.graph.tensors[tensor].shape)

    def input(self, *shape: int) -> int:
        """Add an input."""
        self.graph.inputs.append(self._tensor(f"input{len(self.graph.inputs)}", shape))
        return self.graph.inputs[-1]

    def weight(self, *shape: int) -> int:
        """Add random weights."""
        return self.constant(np.resize(self.block, shape))

    def constant(self, value: np.ndarray) -> int:
        """Add a constant of single-precision or 32-bit whole numbers."""
        self.model.buffers.append(schema.BufferT(data=np.frombuffer(value.tobytes(), np.uint8)))
        kind = schema.TensorType.FLOAT32 if value.dtype == np.float32 else schema.TensorType.INT32
        return self._tensor(f"weight{len(self.graph.tensors)}", value.shape, kind, len(self.model.buffers) - 1)

    def node(self, where: str, operator: str, inputs: list[int], shape: tuple[int, ...], options: object = None) -> int:
        """Add an operator of the producer, middle or consumer, and return its output."""
        if self.isolated and where != MIDDLE:
            return inputs[0]
        if operator not in self.codes:
            code = getattr(schema.BuiltinOperator, operator)
            # Files of before 2020 have a code in eight bits only; both fields hold it where it fits.
            old = min(code, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
            self.codes[operator] = len(self.codes)
            self.model.operatorCodes.append(
                schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=old, version=1)
            )
        output = self._tensor(f"{where}/{len(self.graph.operators)}", shape)
        made = schema.OperatorT(opcodeIndex=self.codes[operator], inputs=inputs, outputs=[output])
        if options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.graph.operators.append(made)
        return output

    def finish(self, output: int) -> bytes:
        """Return the model as the content of a file."""
        self.graph.outputs = [output]
        inputs = [schema.TensorMapT(name=f"x{place}", tensorIndex=one) for place, one in enumerate(self.graph.inputs)]
        outputs = [schema.TensorMapT(name="y", tensorIndex=output)]
        self.model.signatureDefs = [
            schema.SignatureDefT(inputs=inputs, outputs=outputs, signatureKey="serving_default")
        ]
        builder = flatbuffers.Builder()
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


# -- what stands before and behind -----------------------------------------------------------------------------------


def _before(b: Builder, *shape: int) -> int:
    """Write an activation of this shape, by the operator that tells producers and consumers from the middle."""
    return b.node(BEFORE, NEIGHBOUR, [b.input(*shape)], shape, schema.AbsOptionsT())


def _after(b: Builder, value: int) -> int:
    return b.node(AFTER, NEIGHBOUR, [value], b.shape(value), schema.AbsOptionsT())


def _map_in(c: Configuration) -> tuple[int, int, int, int]:
    return c["batch"], c["input_height"], c["input_width"], c["input_channels"]


def _map_out(c: Configuration) -> tuple[int, int, int, int]:
    return c["batch"], c["output_height"], c["output_width"], c["output_channels"]


def _fused(c: Configuration) -> int:
    """Return the activation that the kernel takes in."""
    tail = str(c["tail"])
    if tail not in FUSED:
        raise EdgejouleError(f"kernel '{c['kernel']}': LiteRT fuses no '{tail}' into a kernel")
    return getattr(schema.ActivationFunctionType, FUSED[tail])


def _padded(b: Builder, c: Configuration, value: int) -> tuple[int, int]:
    """Return the input of a window and its kind of padding; an operator of its own pads where that does not suffice."""
    axes = ("height", "width")
    if all(c[f"output_{axis}"] == -(-c[f"input_{axis}"] // c["stride"]) for axis in axes):
        return value, schema.Padding.SAME
    rows, columns = margins(c)
    if any((*rows, *columns)):
        batch, height, width, channels = b.shape(value)
        shape = (batch, height + sum(rows), width + sum(columns), channels)
        sizes = b.constant(np.array([(0, 0), rows, columns, (0, 0)], np.int32))
        value = b.node(MIDDLE, "PAD", [value, sizes], shape, schema.PadOptionsT())
    return value, schema.Padding.VALID


# -- what stands in the middle ---------------------------------------------------------------------------------------


def _convolution(b: Builder, c: Configuration) -> int:
    channels, groups = c["output_channels"], c["groups"]
    depthwise = groups == c["input_channels"] and channels % groups == 0 and groups > 1
    value, padding = _padded(b, c, _before(b, *_map_in(c)))
    window = c["kernel_height"], c["kernel_width"]
    shared = {"padding": padding, "strideH": c["stride"], "strideW": c["stride"], "fusedActivationFunction": _fused(c)}
    shared |= {"dilationHFactor": c["dilation"], "dilationWFactor": c["dilation"]}
    if depthwise:
        operator, options = (
            "DEPTHWISE_CONV_2D",
            schema.DepthwiseConv2DOptionsT(depthMultiplier=channels // groups, **shared),
        )
        weights = b.weight(1, *window, channels)
    else:
        operator, options = "CONV_2D", schema.Conv2DOptionsT(**shared)
        weights = b.weight(channels, *window, c["input_channels"] // groups)
    return b.node(MIDDLE, operator, [value, weights, b.weight(channels)], _map_out(c), options)


def _pool(b: Builder, c: Configuration) -> int:
    operator = "MAX_POOL_2D" if c["kind"] == "maxpool" else "AVERAGE_POOL_2D"
    value, padding = _padded(b, c, _before(b, *_map_in(c)))
    options = schema.Pool2DOptionsT(
        padding=padding,
        strideH=c["stride"],
        strideW=c["stride"],
        filterHeight=c["kernel_height"],
        filterWidth=c["kernel_width"],
        fusedActivationFunction=_fused(c),
    )
    return b.node(MIDDLE, operator, [value], _map_out(c), options)


def _global_pool(b: Builder, c: Configuration) -> int:
    if c["operator"] == "AveragePool":
        return _pool(b, c)
    axes = b.constant(np.array([1, 2], np.int32))
    shape = (c["batch"], 1, 1, c["output_channels"])
    return b.node(MIDDLE, "MEAN", [_before(b, *_map_in(c)), axes], shape, schema.ReducerOptionsT(keepDims=True))


def _batch_norm(b: Builder, c: Configuration) -> int:
    """Scale and shift: what is left of a normalisation that stands alone."""
    channels, shape = c["input_channels"], _map_in(c)
    value = b.node(MIDDLE, "MUL", [_before(b, *shape), b.weight(channels)], shape, schema.MulOptionsT())
    options = schema.AddOptionsT(fusedActivationFunction=_fused(c))
    return b.node(MIDDLE, "ADD", [value, b.weight(channels)], shape, options)


def _binary(b: Builder, c: Configuration) -> int:
    operator = str(c["kind"]).split("+")[0].upper()
    batch, height, width, channels = _map_out(c)
    # Tokens count as height in a configuration; their features come last.
    shape = (batch, height, channels) if width == 1 and height > 1 else (batch, height, width, channels)
    first = _before(b, *shape)
    elements = c["bytes_in"] // FP32 - math.prod(shape) if c["inputs"] == 2 else max(1, c["bytes_weights"] // FP32)
    other = _operand(c, shape, elements)
    second = _before(b, *other) if c["inputs"] == 2 else b.weight(*other)
    options = getattr(schema, f"{operator.title()}OptionsT")(fusedActivationFunction=_fused(c))
    return b.node(MIDDLE, operator, [first, second], shape, options)


def _operand(c: Configuration, shape: tuple[int, ...], elements: int) -> tuple[int, ...]:
    """Return the second operand's shape; of several, the one that keeps the last axes.

    That is a scale per channel rather than one per row.
    """
    # Counting up through the axes from the front, the last ones are kept first.
    return second_operand(c, shape, elements, itertools.product((False, True), repeat=len(shape)))


def _unary(b: Builder, c: Configuration) -> int:
    operator = UNARY.get(str(c["operator"])) or UNARY[str(c["kind"])]
    options = {"LEAKY_RELU": schema.LeakyReluOptionsT(alpha=0.1), "GELU": schema.GeluOptionsT()}.get(operator)
    return b.node(MIDDLE, operator, [_before(b, *_map_in(c))], _map_out(c), options)


def _swish(b: Builder, c: Configuration) -> int:
    value = _before(b, *_map_in(c))
    gate = b.node(MIDDLE, "LOGISTIC", [value], _map_in(c))
    return b.node(MIDDLE, "MUL", [value, gate], _map_in(c), schema.MulOptionsT())


def _fully_connected(b: Builder, c: Configuration) -> int:
    rows, depth, columns = c["input_height"], c["input_channels"], c["output_channels"]
    inputs = [_before(b, rows, depth), b.weight(columns, depth), b.weight(columns)]
    options = schema.FullyConnectedOptionsT(fusedActivationFunction=_fused(c))
    return b.node(MIDDLE, "FULLY_CONNECTED", inputs, (rows, columns), options)


def _product(b: Builder, c: Configuration) -> int:
    batch, rows, depth, columns = c["batch"], c["input_height"], c["input_channels"], c["output_channels"]
    inputs = [_before(b, batch, rows, depth), _before(b, batch, depth, columns)]
    return b.node(MIDDLE, "BATCH_MATMUL", inputs, (batch, rows, columns), schema.BatchMatMulOptionsT())


def _softmax(b: Builder, c: Configuration) -> int:
    batch, height, width, channels = _map_in(c)
    # Attention has a map per head and normalises its rows; tokens count as height, and their features are normalised.
    shape = (batch, channels, height, width) if width > 1 else (batch, height, channels)
    return b.node(MIDDLE, "SOFTMAX", [_before(b, *shape)], shape, schema.SoftmaxOptionsT(beta=1.0))


def _concat(b: Builder, c: Configuration) -> int:
    batch, height, width, channels = _map_out(c)
    sizes = [len(part) for part in np.array_split(np.arange(channels), c["inputs"])]
    parts = [_before(b, batch, height, width, size) for size in sizes]
    return b.node(MIDDLE, "CONCATENATION", parts, _map_out(c), schema.ConcatenationOptionsT(axis=3))


#: What a kernel can take in.
FUSED = {"": "NONE", "relu": "RELU", "relu6": "RELU6"}
#: Operator, or kind, and the operator that executes it.
UNARY = {
    "Clip": "RELU6",
    "LeakyRelu": "LEAKY_RELU",
    "relu": "RELU",
    "sigmoid": "LOGISTIC",
    "hswish": "HARD_SWISH",
    "gelu": "GELU",
}
#: Kind of kernel: what builds its middle.
BUILDERS: dict[str, Callable[[Builder, Configuration], int]] = {
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
    "swish": _swish,
    "hswish": _unary,
    "gelu": _unary,
    "fc": _fully_connected,
    "matmul": _product,
    "softmax": _softmax,
    "concat": _concat,
}


def sandwich(configuration: Configuration, isolated: bool = False) -> bytes:
    """Return the TensorFlow Lite model that runs one kernel between producers and a consumer.

    Args:
        configuration: a row of a kernel plan for LiteRT.
        isolated: leave producers and consumer out.

    Raises:
        EdgejouleError: the kind cannot be rebuilt from a configuration alone.
    """
    build = builder_of(configuration, BUILDERS)
    builder = Builder(isolated)
    return builder.finish(_after(builder, build(builder, configuration)))
