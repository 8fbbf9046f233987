"""Single kernels as learners see them, and the times that a runtime's profiler gave them inside their networks."""

import json
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pandas as pd

_CONFIGURATION = (
    "input_channels",
    "output_channels",
    "output_height",
    "output_width",
    "kernel_height",
    "kernel_width",
    "stride",
    "groups",
    "inputs",
)
#: Operators whose shapes tell them apart.
_FILTERED = ("Conv", "FusedConv")
_ACTIVATIONS = ("hswish", "swish", "sigmoid", "gelu", "hsigmoid")


@dataclass(frozen=True)
class KernelRows:
    """The kernels of some networks.

    Attributes:
        owner: the row of ``Features`` that each kernel belongs to, shape (k,).
        law: kernels of one law share a roofline: kind, memory layout and sort of convolution, shape (k,).
        amounts: what a roofline is linear in, shape (k, 4): one, million MACs, MB of activations, MB of weights.
        inputs: configuration, for trees, shape (k, m).
        duration_ms: time inside the network by the runtime's profiler; NaN where unknown, shape (k,).
        same: number of the kernel's configuration: kernels of equal number are equal, shape (k,).
    """

    owner: np.ndarray
    law: np.ndarray
    amounts: np.ndarray
    inputs: np.ndarray
    duration_ms: np.ndarray
    same: np.ndarray

    def where(self, kept: np.ndarray) -> Self:
        """Return the chosen kernels of the same networks; ``kept`` is a mask, shape (k,)."""
        return type(self)(*(getattr(self, field.name)[kept] for field in fields(self)))

    def unique(self) -> Self:
        """Return each configuration once, in its mean time; learning takes a quarter as long and is no worse."""
        _, first, inverse = np.unique(self.same, return_index=True, return_inverse=True)
        mean = np.bincount(inverse, self.duration_ms) / np.bincount(inverse)
        return replace(self.where(first), duration_ms=mean)

    def take(self, networks: np.ndarray, many: int) -> Self:
        """Return the kernels of the chosen networks (positions, each once, or a mask) out of ``many``."""
        chosen = np.arange(many)[networks]
        place = np.full(many, -1)
        place[chosen] = np.arange(len(chosen))
        kept = self.where(place[self.owner] >= 0)
        return replace(kept, owner=place[kept.owner])


def kernel_rows(kernels: pd.DataFrame, owner: np.ndarray, group: np.ndarray) -> KernelRows:
    """Return the kernels of ``kernels`` (columns of results/graphs/kernels.parquet) for learners.

    Args:
        kernels: k kernels; ``layout`` and ``duration_ms`` are further columns that may be absent.
        owner: the network of each kernel, shape (k,).
        group: the group of each kernel, shape (k,).
    """
    activations = (kernels["bytes_in"] + kernels["bytes_out"]).to_numpy(float)
    macs, weights = kernels["macs"].to_numpy(float), kernels["bytes_weights"].to_numpy(float)
    layout = kernels["layout"] if "layout" in kernels else pd.Series("", index=kernels.index)
    blocked = layout.eq("nchwc").to_numpy()
    tail = kernels["tail"].fillna("")
    configuration = kernels[list(_CONFIGURATION)].to_numpy(float)
    inputs = np.column_stack(
        [
            np.log1p(macs),
            np.log1p(kernels["bytes_in"].to_numpy(float)),
            np.log1p(kernels["bytes_out"].to_numpy(float)),
            np.log1p(weights),
            np.log1p(macs / (activations + weights + 1)),
            configuration,
            configuration[:, :2] % 16,
            group,
            blocked,
            tail.str.contains("add", regex=False),
            tail.str.contains("relu", regex=False) | tail.str.contains("clip", regex=False),
            np.any([tail.str.contains(word, regex=False) for word in _ACTIVATIONS], axis=0),
        ]
    ).astype(np.float32)
    kind = kernels["kind"].astype(str).to_numpy(object)
    law = kind + "|" + group.astype(str).astype(object) + np.where(blocked, "|nchwc", "").astype(object)
    amounts = np.column_stack([np.ones(len(kernels)), macs / 1e6, activations / 1e6, weights / 1e6])
    known = kernels["duration_ms"].to_numpy(float) if "duration_ms" in kernels else np.full(len(kernels), np.nan)
    same = pd.factorize(kernels["kernel"])[0]
    return KernelRows(owner, law, amounts, inputs, known, same)


def with_durations(kernels: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels with ``duration_ms`` (ms), the least time of the same node over the passes; NaN if unknown.

    A runtime names nodes after the file that it read, and orders parallel branches anew in each session, so nodes are
    matched by network, operator, shapes (of convolutions), and their place among those that share all
    these. Where the two sides count them differently, those kernels stay unknown.

    Args:
        kernels: rows of results/graphs/kernels.parquet, as the runtime itself lists them.
        nodes: rows of a recording's nodes.parquet, with ``input_shapes`` and ``output_shapes`` as JSON.
    """
    key = ["network", "precision", "operator", "shapes"]
    once = nodes.groupby(["network", "precision", "index", "operator"], sort=True, as_index=False).agg(
        duration_ns=("duration_ns", "min"), before=("input_shapes", "first"), after=("output_shapes", "first")
    )
    seen = zip(once["operator"], once["before"], once["after"], strict=True)
    once["shapes"] = [_node_shapes(before, after) if name in _FILTERED else "" for name, before, after in seen]
    once["duration_ms"] = once["duration_ns"] / 1e6
    listed = kernels.sort_values(["network", "precision", "index"], kind="stable")
    shapes = [_kernel_shapes(*row) for row in listed[list(_SHAPES)].itertuples(index=False, name=None)]
    listed = listed.assign(shapes=np.where(listed["operator"].isin(_FILTERED), shapes, ""))
    for table in (once, listed):
        table["place"] = table.groupby(key).cumcount()
        table["many"] = table.groupby(key)["place"].transform("size")
    times = once[[*key, "place", "many", "duration_ms"]]
    matched = listed.merge(times, on=[*key, "place", "many"], how="left", validate="one_to_one")
    return matched.drop(columns=["shapes", "place", "many"])


_SHAPES = ("output_channels", "output_height", "output_width", "kernel_height", "kernel_width", "input_height")


def _blocks(channels: int) -> int:
    """Return how many blocks of 16 channels there are: a blocked layout pads to them."""
    return -(-channels // 16)


def _kernel_shapes(channels: int, height: int, width: int, window_height: int, window_width: int, before: int) -> str:
    return f"{_blocks(channels)}x{height}x{width} {window_height}x{window_width} {before}"


def _node_shapes(before: str, after: str) -> str:
    """Return a convolution's shapes as ``_kernel_shapes`` has them; empty for a node that is none."""
    inputs = [shape for each in json.loads(before) for shape in each.values()]
    outputs = [shape for each in json.loads(after) for shape in each.values()]
    if len(inputs) < 2 or not outputs or any(len(shape) != 4 for shape in (inputs[0], inputs[1], outputs[0])):
        return ""
    _, channels, height, width = outputs[0]
    return _kernel_shapes(channels, height, width, *inputs[1][2:], inputs[0][2])
