"""Synthetic kernels: a seeded, space-filling sample of configurations that knows nothing of the zoo."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import numpy as np
import yaml
from scipy.stats import qmc

from edgejoule.graphs.costs import BIAS_BYTES, ELEMENT_BYTES
from edgejoule.graphs.kernels import identifier

#: Draws per wanted kernel before a kind is given up as impossible within its ranges.
_PATIENCE = 64


@cache
def ranges() -> dict:
    """Return the ranges, lists and shares of ``sampling.yaml``."""
    return yaml.safe_load((files("edgejoule.graphs") / "sampling.yaml").read_text(encoding="utf-8"))


def shares(count: int) -> dict[str, int]:
    """Return how many of ``count`` kernels are of each kind; at least one each if there are that many.

    >>> sum(shares(500).values())
    500
    """
    weights = ranges()["share"]
    exact = {kind: count * weight / sum(weights.values()) for kind, weight in weights.items()}
    whole = {kind: max(int(value), 1) for kind, value in exact.items()}
    order = sorted(exact, key=lambda kind: (whole[kind] - exact[kind], kind))
    step = 1 if sum(whole.values()) < count else -1
    position = 0
    while sum(whole.values()) != count and position < 100 * len(order):
        kind = order[position % len(order)] if step > 0 else order[-1 - position % len(order)]
        if whole[kind] + step >= 0:
            whole[kind] += step
        position += 1
    return whole


def in_plain_layout(row: Mapping[str, object]) -> dict[str, object]:
    """Return a configuration in the layout of a graph file."""
    return {**row, "layout": "nchw"}


def sample(
    count: int, seed: int, precision: str = "fp32", executed: Callable[[Mapping], dict | None] = in_plain_layout
) -> list[dict[str, object]]:
    """Return ``count`` different kernel configurations as rows with the configuration columns of table KERNELS.

    Each kind fills its own space with a scrambled Sobol sequence (Owen 1998), in log space, snapped to valid values;
    what falls outside the allowed work or size, or is nothing that the runtime executes as one kernel, is drawn again.

    Args:
        count: how many.
        seed: of the sequences.
        precision: that bytes are counted in.
        executed: what a runtime makes of a configuration: its operator and layout, or None (``alone.executed``).
    """
    rows = []
    for position, (kind, wanted) in enumerate(shares(count).items()):
        make = _MAKERS[kind]
        sequence = qmc.Sobol(d=6, scramble=True, rng=np.random.default_rng([seed, position]))
        found: dict[str, dict] = {}
        for _ in range(_PATIENCE):
            if len(found) >= wanted:
                break
            # Sobol sequences are balanced in powers of two.
            for point in sequence.random(2 ** max(wanted - 1, 1).bit_length()):
                row = executed(complete(make(point), precision))
                if row is not None and len(found) < wanted and _allowed(row, precision):
                    row["kernel"] = identifier(row)
                    found.setdefault(row["kernel"], row)
        rows.extend(found.values())
    return rows


def _log(point: float, bounds: tuple[float, float]) -> int:
    low, high = np.log(bounds[0]), np.log(bounds[1] + 1)
    return int(np.exp(low + point * (high - low)))


def _channels(point: float) -> int:
    step = ranges()["multiple"]
    return max(step, round(_log(point, ranges()["channels"]) / step) * step)


def _pick(point: float, name: str):
    values = ranges()[name]
    return values[min(int(point * len(values)), len(values) - 1)]


def _spatial(kind: str, side: int, channels_in: int, channels_out: int, window: int, stride: int, **more) -> dict:
    after = -(-side // stride)
    return {
        "kind": kind,
        "input_height": side,
        "input_width": side,
        "output_height": after,
        "output_width": after,
        "input_channels": channels_in,
        "output_channels": channels_out,
        "kernel_height": window,
        "kernel_width": window,
        "stride": stride,
        **more,
    }


def _convolution(window: str | int, channels: Callable[[float], int] = _channels) -> Callable[[np.ndarray], dict]:
    def make(point: np.ndarray) -> dict:
        side = _log(point[0], ranges()["side"])
        size = window if isinstance(window, int) else _pick(point[3], window)
        stride = 1 if size == 1 else _pick(point[4], "strides")
        more = {"operator": "Conv", "tail": _pick(point[5], "tails")}
        return _spatial("conv+bn+relu", side, channels(point[1]), channels(point[2]), size, stride, **more)

    return make


def _dilated(point: np.ndarray) -> dict:
    made = _convolution(3)(point)
    return made | {"stride": 1, "output_height": made["input_height"], "output_width": made["input_width"],
                   "dilation": _pick(point[4], "dilations")}  # fmt: skip


def _asymmetric(point: np.ndarray) -> dict:
    """One row or one column of weights, as Inception has them."""
    size = _pick(point[3], "kernels")
    window = (1, size) if point[4] < 0.5 else (size, 1)
    return _convolution(1)(point) | {"kernel_height": window[0], "kernel_width": window[1]}


def _unaligned(point: np.ndarray) -> dict:
    """Any number of channels: blocked layouts begin with a multiple of four or more."""
    return _convolution("unaligned_kernels", lambda value: _log(value, ranges()["channels"]))(point)


def _depthwise(point: np.ndarray) -> dict:
    channels, side = _channels(point[1]), _log(point[0], ranges()["side"])
    size, stride, tail = _pick(point[3], "depthwise_kernels"), _pick(point[4], "strides"), _pick(point[5], "tails")
    more = {"operator": "Conv", "tail": tail, "groups": channels}
    return _spatial("dwconv+bn+relu", side, channels, channels, size, stride, **more)


def _grouped(point: np.ndarray) -> dict:
    groups, side = _pick(point[2], "groups"), _log(point[0], ranges()["side"])
    channels = max(1, round(_channels(point[1]) / groups / 4)) * 4 * groups
    more = {"operator": "Conv", "tail": _pick(point[5], "tails"), "groups": groups}
    return _spatial("conv+bn+relu", side, channels, channels, 3, _pick(point[4], "strides"), **more)


def _product(kind: str) -> Callable[[np.ndarray], dict]:
    def make(point: np.ndarray) -> dict:
        rows = 1 if kind == "fc" and point[3] < 0.5 else _log(point[0], ranges()["tokens"])
        batch = 1 if kind == "fc" else _log(point[4], ranges()["heads"])
        made = _spatial(kind, rows, _channels(point[1]), _channels(point[2]), 0, 1, batch=batch)
        operator = "Gemm" if kind == "fc" else "MatMul"
        return made | {"input_width": 1, "output_width": 1, "operator": operator, "inputs": 1 if kind == "fc" else 2}

    return make


def _elementwise(kind: str, operator: str, inputs: int = 1, tail: str = "") -> Callable[[np.ndarray], dict]:
    def make(point: np.ndarray) -> dict:
        channels, side = _channels(point[1]), _log(point[0], ranges()["side"])
        return _spatial(kind, side, channels, channels, 0, 1, operator=operator, inputs=inputs, tail=tail)

    return make


def _concat(point: np.ndarray) -> dict:
    joined, side = _pick(point[2], "joined"), _log(point[0], ranges()["side"])
    channels = joined * _channels(point[1])
    return _spatial("concat", side, channels, channels, 0, 1, operator="Concat", inputs=joined)


def _tokens(kind: str, operator: str) -> Callable[[np.ndarray], dict]:
    def make(point: np.ndarray) -> dict:
        channels, rows = _channels(point[1]), _log(point[0], ranges()["tokens"])
        made = _spatial(kind, rows, channels, channels, 0, 1, operator=operator)
        return made | {"input_width": 1, "output_width": 1}

    return make


def _pool(kind: str, operator: str) -> Callable[[np.ndarray], dict]:
    def make(point: np.ndarray) -> dict:
        channels, side = _channels(point[1]), max(4, _log(point[0], ranges()["side"]))
        return _spatial(kind, side, channels, channels, 3, _pick(point[4], "strides"), operator=operator)

    return make


_MAKERS: dict[str, Callable[[np.ndarray], dict]] = {
    "pointwise": _convolution(1),
    "conv": _convolution("kernels"),
    "depthwise": _depthwise,
    "grouped": _grouped,
    "dilated": _dilated,
    "asymmetric": _asymmetric,
    "unaligned": _unaligned,
    "fc": _product("fc"),
    "matmul": _product("matmul"),
    "add": _elementwise("add", "Add", 2),
    "mul": _elementwise("mul", "Mul", 2),
    "concat": _concat,
    "bn+relu": _elementwise("bn+relu", "BatchNormalization", 1, "relu"),
    "relu": _elementwise("relu", "Relu"),
    "hswish": _elementwise("hswish", "HardSwish"),
    "swish": _elementwise("swish", "QuickGelu"),
    "gelu": _tokens("gelu", "Gelu"),
    "layernorm": _tokens("layernorm", "LayerNormalization"),
    "softmax": _tokens("softmax", "Softmax"),
    "maxpool": _pool("maxpool", "MaxPool"),
    "avgpool": _pool("avgpool", "AveragePool"),
}


def complete(made: Mapping[str, object], precision: str) -> dict[str, object]:
    """Complete a configuration: defaults, multiply-accumulates, bytes."""
    row = {"batch": 1, "groups": 1, "dilation": 1, "inputs": 1, "tail": "", **made}
    row["precision"] = precision
    size, bias = ELEMENT_BYTES[precision], BIAS_BYTES[precision]
    before = row["batch"] * row["input_channels"] * row["input_height"] * row["input_width"]
    after = row["batch"] * row["output_channels"] * row["output_height"] * row["output_width"]
    weights, biases, work = 0, 0, 0
    if row["operator"] == "Conv":
        taps = row["input_channels"] // row["groups"] * row["kernel_height"] * row["kernel_width"]
        weights, biases, work = row["output_channels"] * taps, row["output_channels"], after * taps
    elif row["operator"] == "Gemm":
        weights, biases = row["input_channels"] * row["output_channels"], row["output_channels"]
        work = after * row["input_channels"]
    elif row["operator"] == "MatMul":
        work = after * row["input_channels"]
        before += row["batch"] * row["input_channels"] * row["output_channels"]
    elif row["operator"] in ("Add", "Mul"):
        before *= row["inputs"]
    elif row["operator"] == "BatchNormalization":
        weights = 4 * row["input_channels"]
    elif row["operator"] == "LayerNormalization":
        weights = 2 * row["input_channels"]
    row |= {"macs": work, "bytes_in": before * size, "bytes_out": after * size}
    row["bytes_weights"] = weights * size + biases * bias
    return row


def _allowed(row: Mapping[str, object], precision: str) -> bool:
    low, high = (size * ELEMENT_BYTES[precision] for size in ranges()["elements"])
    least, most = ranges()["macs"]
    fits = all(low <= row[column] <= high for column in ("bytes_in", "bytes_out"))
    fits = fits and row["bytes_weights"] <= ranges()["weights"] * ELEMENT_BYTES[precision]
    # A window reaches no further than the map.
    fits = fits and max(row["kernel_height"], row["kernel_width"]) <= row["input_height"]
    return fits and (row["macs"] == 0 or least <= row["macs"] <= most)
