"""What predictors see of a network: sums over its kernels, by group of kernel kinds.

A group holds kinds whose cost follows the same law on the devices at hand. Four quantities per group suffice for a
roofline-like model: multiply-accumulates, activation bytes, weight bytes and the number of kernels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.predictors.rows import EVIDENCE, KernelRows, kernel_rows
from edgejoule.tables.contracts import KERNELS

#: Sums over a group's kernels, and the unit in which predictors count them (so that coefficients are near one).
QUANTITIES = {"macs": 1e6, "bytes_activations": 1e6, "bytes_weights": 1e6, "count": 1.0}

GROUPS = (
    "conv",
    "pointwise",
    "depthwise",
    "depthwise-large",
    "grouped",
    "fc",
    "matmul",
    "elementwise",
    "normalisation",
    "pooling",
    "movement",
    "other",
)

#: Group of a kernel kind by the word it begins with; convolutions are told apart by their configuration.
_GROUP_OF_WORD = {
    "fc": "fc",
    "gemm": "fc",
    "se": "fc",
    "convtranspose": "conv",
    "matmul": "matmul",
    "attention": "matmul",
    "add": "elementwise",
    "mul": "elementwise",
    "sub": "elementwise",
    "div": "elementwise",
    "relu": "elementwise",
    "relu6": "elementwise",
    "clip": "elementwise",
    "hswish": "elementwise",
    "hsigmoid": "elementwise",
    "hardswish": "elementwise",
    "hardsigmoid": "elementwise",
    "sigmoid": "elementwise",
    "swish": "elementwise",
    "silu": "elementwise",
    "gelu": "elementwise",
    "activation": "elementwise",
    "quantize": "elementwise",
    "dequantize": "elementwise",
    "bn": "normalisation",
    "layernorm": "normalisation",
    "groupnorm": "normalisation",
    "lrn": "normalisation",
    "softmax": "normalisation",
    "avgpool": "pooling",
    "maxpool": "pooling",
    "global": "pooling",
    "globalavgpool": "pooling",
    "reduce": "pooling",
    "concat": "movement",
    "split": "movement",
    "channel": "movement",
    "transpose": "movement",
    "reshape": "movement",
    "slice": "movement",
    "gather": "movement",
    "pad": "movement",
    "depth": "movement",
    "expand": "movement",
    "reorder": "movement",
    "resize": "movement",
}

_COLUMNS = (
    "kind",
    "macs",
    "bytes_in",
    "bytes_out",
    "bytes_weights",
    "kernel_height",
    "kernel_width",
    "groups",
    "input_channels",
    "output_height",
    "output_width",
)


def group_of(kind: str, window: int, groups: int, input_channels: int, pixels: int) -> str:
    """Return the group of one kernel.

    Args:
        kind: kernel kind, e.g. ``dwconv+bn+relu``, ``global avgpool``, ``other:Einsum``.
        window: larger side of the filter, 0 where there is none.
        groups: convolution groups.
        input_channels: channels in.
        pixels: height x width of the output map; a pointwise convolution of one pixel is a fully connected layer.
    """
    if kind.startswith("other:"):
        return "other"
    word = kind.replace("-", " ").replace("+", " ").split()[0].lower()
    if word in ("conv", "dwconv"):
        if groups > 1 or word == "dwconv":
            if word != "dwconv" and groups != input_channels:
                return "grouped"
            return "depthwise-large" if window > 3 else "depthwise"
        if window > 1:
            return "conv"
        return "pointwise" if pixels > 1 else "fc"
    return _GROUP_OF_WORD.get(word, "other")


@dataclass(frozen=True)
class Features:
    """Networks (or single kernels) as predictors see them.

    Attributes:
        networks: names, shape (n,).
        precision: precision of the weights, shape (n,).
        values: sums by group and quantity in the units of ``QUANTITIES``, shape (n, groups, quantities).
        rows: the networks' single kernels, for models that learn from them, and kernels measured alone.
    """

    networks: np.ndarray
    precision: np.ndarray
    values: np.ndarray
    rows: KernelRows | None = None

    def __len__(self) -> int:
        return len(self.networks)

    def take(self, rows: np.ndarray) -> "Features":
        """Return the chosen rows; ``rows`` are positions or a mask."""
        kernels = None if self.rows is None else self.rows.take(rows, len(self))
        return Features(self.networks[rows], self.precision[rows], self.values[rows], kernels)

    def total(self, quantity: str) -> np.ndarray:
        """Return a quantity summed over all groups, shape (n,)."""
        return self.values[:, :, list(QUANTITIES).index(quantity)].sum(axis=1)

    def flat(self) -> np.ndarray:
        """Return one row per network for learners of trees: totals, then every group's quantities, shape (n, m)."""
        return np.concatenate([self.values.sum(axis=1), self.values.reshape(len(self), -1)], axis=1)


def kernel_features(kernels: pd.DataFrame) -> Features:
    """Return one row per kernel of ``kernels`` (columns of results/graphs/kernels.parquet), in its order.

    A kernel has values in its own group only, so a model that is linear in the features gives each kernel its share.
    """
    column = {name: kernels[name].to_numpy() for name in _COLUMNS}
    window = np.maximum(column["kernel_height"], column["kernel_width"])
    seen: dict[tuple, int] = {}
    codes = np.empty(len(kernels), np.int64)
    pixels = column["output_height"] * column["output_width"]
    keys = zip(column["kind"], window, column["groups"], column["input_channels"], pixels, strict=True)
    for i, key in enumerate(keys):
        if key not in seen:
            seen[key] = GROUPS.index(group_of(*key))
        codes[i] = seen[key]
    values = np.zeros((len(kernels), len(GROUPS), len(QUANTITIES)))
    amounts = np.stack(
        [
            column["macs"],
            column["bytes_in"] + column["bytes_out"],
            column["bytes_weights"],
            np.ones(len(kernels)),
        ],
        axis=1,
    )
    values[np.arange(len(kernels)), codes] = amounts / np.array(list(QUANTITIES.values()))
    return Features(kernels["network"].to_numpy(object), kernels["precision"].to_numpy(object), values)


def network_features(kernels: pd.DataFrame, rows: bool = False, alone: pd.DataFrame | None = None) -> Features:
    """Return one row per network and precision of ``kernels``, in order of first appearance; with ``rows``, theirs.

    Args:
        kernels: columns of results/graphs/kernels.parquet; each network as one runtime executes it.
        rows: whether single kernels are wanted, too.
        alone: kernels measured alone, with the same columns, ``duration_ms`` and ``evidence``, an item of ``EVIDENCE``.

    Raises:
        EdgejouleError: a column is missing, or a network has two kernels of one index, whose costs would be added up.
    """
    missing = [name for name in KERNELS.names if name not in kernels.columns]
    if missing:
        raise EdgejouleError(
            f"the table of kernels has no column '{missing[0]}' ({len(missing)} of {len(KERNELS.names)} are missing); "
            "give rows of results/graphs/kernels.parquet, or what kernels_of_file returns"
        )
    each = kernel_features(kernels)
    network, networks = pd.factorize(each.networks)
    precision, precisions = pd.factorize(each.precision)
    row, keys = pd.factorize(network * max(len(precisions), 1) + precision)
    _demand_once(kernels, row)
    values = np.zeros((len(keys), len(GROUPS), len(QUANTITIES)))
    np.add.at(values, row, each.values)
    first = np.divmod(keys, max(len(precisions), 1))
    single = None
    if rows:
        group, evidence = each.values[:, :, -1].argmax(axis=1), np.zeros(len(kernels), int)
        if alone is not None and len(alone):
            kernels = pd.concat([kernels, alone], ignore_index=True)
            row = np.concatenate([row, np.full(len(alone), -1)])
            group = np.concatenate([group, kernel_features(alone).values[:, :, -1].argmax(axis=1)])
            evidence = np.concatenate([evidence, alone["evidence"].map(EVIDENCE.index).to_numpy(int)])
        single = kernel_rows(kernels, row, group, evidence)
    return Features(networks[first[0]], precisions[first[1]], values, single)


def _demand_once(kernels: pd.DataFrame, row: np.ndarray) -> None:
    """Stop where a network has two kernels of one index; ``row`` numbers the network of each kernel, shape (k,)."""
    index = kernels["index"].to_numpy(np.int64)
    places = pd.Series(row * (index.max(initial=0) + 1) + index)
    if places.is_unique:
        return
    twice = kernels[places.duplicated().to_numpy()].iloc[0]
    theirs = kernels[kernels["network"].eq(twice["network"]) & kernels["precision"].eq(twice["precision"])]
    runtimes = sorted(set(theirs["runtime"].astype(str)))
    remedy = (
        f"it is described for several runtimes ({', '.join(runtimes)}); keep the rows of one in column 'runtime'"
        if len(runtimes) > 1
        else "two networks of one name would be added up; give each its own in column 'network'"
    )
    raise EdgejouleError(
        f"network '{twice['network']}' ({twice['precision']}) has several kernels of index {twice['index']}: {remedy}"
    )


def select(features: Features, networks: Sequence[str], precisions: Sequence[str]) -> tuple[Features, np.ndarray]:
    """Return the features of the named networks in that order, and a mask of the names that were found."""
    position = {key: i for i, key in enumerate(zip(features.networks, features.precision, strict=True))}
    found = [position.get(key) for key in zip(networks, precisions, strict=True)]
    mask = np.array([i is not None for i in found], bool)
    return features.take(np.array([i for i in found if i is not None], int)), mask
