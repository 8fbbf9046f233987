"""One kernel as a PyTorch module, and one network: what the PyTorch runtime builds where it measures.

In eager mode PyTorch launches one kernel per operator, so a kernel's module is that operator, with the weights that its
configuration counts; a fused tail, which only a drawn configuration has, follows as operators of its own.
"""

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional

from edgejoule.errors import EdgejouleError
from edgejoule.measure.rebuild import Configuration, builder_of, channels_first, margins

#: Bytes of an element in a configuration: plans are in single precision, whatever is measured.
FP32 = 4
#: A module, and the shape of each of its inputs.
Built = tuple[nn.Module, list[tuple[int, ...]]]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky-relu": lambda: nn.LeakyReLU(0.1),
    "sigmoid": nn.Sigmoid,
    "hsigmoid": nn.Hardsigmoid,
    "hswish": nn.Hardswish,
    "swish": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}
BINARY = {"add": torch.add, "mul": torch.mul, "sub": torch.sub, "div": torch.div}


class Function(nn.Module):
    """A function of tensors as a module; ``weight`` is its last operand where it has one."""

    def __init__(self, function: Callable, weight: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.function = function
        self.weight = None if weight is None else nn.Parameter(torch.rand(weight) + 0.5)

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        """Return the function of the inputs and the weight."""
        return self.function(*values) if self.weight is None else self.function(*values, self.weight)


def build_kernel(configuration: Configuration, batch: int = 1) -> Built:
    """Return a kernel as a module in evaluation mode, single precision, with random weights.

    Args:
        configuration: a row of a kernel plan.
        batch: inputs in one run; it multiplies the first axis of every activation.

    Raises:
        EdgejouleError: the kernel cannot be rebuilt from its configuration.
    """
    module, shapes = builder_of(configuration, BUILDERS)(configuration)
    words = [word for word in str(configuration["tail"]).split("+") if word]
    for word in words:
        if word not in ACTIVATIONS:
            raise EdgejouleError(f"kernel '{configuration['kernel']}': PyTorch runs no '{word}' behind one input")
    whole = nn.Sequential(module, *(ACTIVATIONS[word]() for word in words)) if words else module
    return whole.eval(), [(batch * shape[0], *shape[1:]) for shape in shapes]


def build_network(row: Mapping, batch: int = 1) -> Built:
    """Return a network of the zoo as a module in evaluation mode.

    Args:
        row: ``architecture, builder, arguments, input`` of its row of the zoo; ``seed`` of the weights, or whether they
            are ``pretrained``.
        batch: inputs in one run.

    Raises:
        EdgejouleError: what builds it is not installed or does not know it.
    """
    from edgejoule.graphs.builders import build
    from edgejoule.graphs.zoo import input_shape

    module = build(SimpleNamespace(**row), row["seed"], row["pretrained"])
    return module, [(batch, *input_shape(row["input"])[1:])]


def _map(c: Configuration) -> tuple[int, int, int, int]:
    return c["batch"], c["input_channels"], c["input_height"], c["input_width"]


def _tokens_or_map(c: Configuration) -> tuple[int, ...]:
    """Return the input's shape; tokens count as height in a configuration, their features come last."""
    if c["input_width"] == 1 and c["input_height"] > 1:
        return c["batch"], c["input_height"], c["input_channels"]
    return _map(c)


def _padding(c: Configuration) -> tuple[int, int]:
    """Return the padding of height and width, as much on either side, that gives the output map.

    Raises:
        EdgejouleError: none does.
    """
    pads = tuple(max(pair) for pair in margins(c))
    for pad, axis in zip(pads, ("height", "width"), strict=True):
        reach = c["dilation"] * (c[f"kernel_{axis}"] - 1) + 1
        if (c[f"input_{axis}"] + 2 * pad - reach) // c["stride"] + 1 != c[f"output_{axis}"]:
            raise EdgejouleError(
                f"kernel '{c['kernel']}': no padding that is equal on both sides takes {axis} {c[f'input_{axis}']} to "
                f"{c[f'output_{axis}']}; PyTorch pads these by a kernel of its own"
            )
    return pads


def _convolution(c: Configuration) -> Built:
    window = c["kernel_height"], c["kernel_width"]
    weights = c["output_channels"] * c["input_channels"] // c["groups"] * math.prod(window)
    return nn.Conv2d(
        c["input_channels"], c["output_channels"], window, c["stride"], _padding(c), c["dilation"], c["groups"],
        bias=c["bytes_weights"] // FP32 >= weights + c["output_channels"],
    ), [_map(c)]  # fmt: skip


def _pool(c: Configuration) -> Built:
    make = nn.MaxPool2d if c["kind"] == "maxpool" else nn.AvgPool2d
    return make((c["kernel_height"], c["kernel_width"]), c["stride"], _padding(c)), [_map(c)]


def _global_pool(c: Configuration) -> Built:
    if c["operator"] == "AveragePool":
        return nn.AvgPool2d(_map(c)[2:]), [_map(c)]
    if c["operator"] == "ReduceMean":
        return Function(lambda x: x.mean((2, 3), keepdim=True)), [_map(c)]
    return nn.AdaptiveAvgPool2d(1), [_map(c)]


def _batch_norm(c: Configuration) -> Built:
    return nn.BatchNorm2d(c["input_channels"]), [_map(c)]


def _binary(c: Configuration) -> Built:
    function = BINARY[str(c["kind"]).split("+")[0]]
    shape = _tokens_or_map({**c, "input_channels": c["output_channels"], "input_height": c["output_height"],
                            "input_width": c["output_width"]})  # fmt: skip
    if c["inputs"] == 2:
        return Function(function), [shape, channels_first(c, shape, c["bytes_in"] // FP32 - math.prod(shape))]
    # No weights are counted for a single number, which is then the constant.
    return Function(function, channels_first(c, shape, max(1, c["bytes_weights"] // FP32))), [shape]


def _unary(c: Configuration) -> Built:
    names = {"Clip": "relu6", "Relu": "relu", "LeakyRelu": "leaky-relu"}
    if c["kind"] == "relu" and c["operator"] not in names:
        raise EdgejouleError(f"kernel '{c['kernel']}': the weights of {c['operator']} are not in its configuration")
    return ACTIVATIONS[names.get(str(c["operator"]), str(c["kind"]))](), [_tokens_or_map(c)]


def _fully_connected(c: Configuration) -> Built:
    layer = nn.Linear(c["input_channels"], c["output_channels"], bias=c["operator"] != "MatMul")
    if c["input_height"] == 1:
        return layer, [(c["batch"], c["input_channels"])]
    return layer, [(c["batch"], c["input_height"], c["input_channels"])]


def _product(c: Configuration) -> Built:
    batch, rows, depth, columns = c["batch"], c["input_height"], c["input_channels"], c["output_channels"]
    return Function(torch.matmul), [(batch, rows, depth), (batch, depth, columns)]


def _attention(c: Configuration) -> Built:
    """Queries, keys and values of each head; a configuration's columns are the keys."""
    batch, rows, depth, keys = c["batch"], c["input_height"], c["input_channels"], c["output_channels"]
    shapes = [(1, batch, rows, depth), (1, batch, keys, depth), (1, batch, keys, depth)]
    return Function(functional.scaled_dot_product_attention), shapes


def _softmax(c: Configuration) -> Built:
    # Attention has a map per head and normalises its rows; tokens count as height, and their features are normalised.
    batch, channels, height, width = _map(c)
    return nn.Softmax(-1), [_map(c) if width > 1 else (batch, height, channels)]


def _layer_norm(c: Configuration) -> Built:
    if c["operator"] != "LayerNormalization":
        raise EdgejouleError(f"kernel '{c['kernel']}': PyTorch has no operator {c['operator']}")
    return nn.LayerNorm(c["input_channels"]), [(c["batch"], c["input_height"], c["input_channels"])]


def _concat(c: Configuration) -> Built:
    if c["inputs"] < 2:
        raise EdgejouleError(
            f"kernel '{c['kernel']}': what it joins {c['inputs']} input with is not in its configuration"
        )
    each, more = divmod(c["output_channels"], c["inputs"])
    sizes = [each + (place < more) for place in range(c["inputs"])]
    shapes = [(c["batch"], size, c["output_height"], c["output_width"]) for size in sizes]
    return Function(lambda *parts: torch.cat(parts, 1)), shapes


def _shuffle(c: Configuration) -> Built:
    batch, channels, height, width = _map(c)
    shape = batch, 2, channels // 2, height, width
    return Function(lambda x: x.transpose(1, 2).contiguous()), [shape]


#: Kind of kernel: what builds its module.
BUILDERS: dict[str, Callable[[Configuration], Built]] = {
    "conv+bn+relu": _convolution,
    "dwconv+bn+relu": _convolution,
    "maxpool": _pool,
    "avgpool": _pool,
    "global-avgpool": _global_pool,
    "bn": _batch_norm,
    "bn+relu": _batch_norm,
    **dict.fromkeys(("add", "add+relu", "mul", "sub", "div"), _binary),
    **dict.fromkeys(("relu", "sigmoid", "hsigmoid", "swish", "hswish", "gelu"), _unary),
    "fc": _fully_connected,
    "matmul": _product,
    "attention": _attention,
    "softmax": _softmax,
    "layernorm": _layer_norm,
    "concat": _concat,
    "channel-shuffle": _shuffle,
}
