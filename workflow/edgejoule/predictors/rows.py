"""Single kernels as learners see them, and the times that a runtime's profiler gave them inside their networks."""

from dataclasses import dataclass, replace
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
    """

    owner: np.ndarray
    law: np.ndarray
    amounts: np.ndarray
    inputs: np.ndarray
    duration_ms: np.ndarray

    def where(self, kept: np.ndarray) -> Self:
        """Return the chosen kernels of the same networks; ``kept`` is a mask, shape (k,)."""
        return type(self)(
            self.owner[kept], self.law[kept], self.amounts[kept], self.inputs[kept], self.duration_ms[kept]
        )

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
    return KernelRows(owner, law, amounts, inputs, known)


def with_durations(kernels: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels with ``duration_ms`` (ms), the least time of the same node over the passes; NaN if unknown.

    A runtime names nodes after the file that it read, so nodes are matched by their place among those of their operator
    in the network. Where a network's counts of an operator differ, those kernels stay unknown.

    Args:
        kernels: rows of results/graphs/kernels.parquet, as the runtime itself lists them.
        nodes: rows of a recording's nodes.parquet.
    """
    key = ["network", "precision", "operator"]
    times = nodes.groupby([*key, "index"], sort=True)["duration_ns"].min().div(1e6).rename("duration_ms").reset_index()
    times["place"] = times.groupby(key).cumcount()
    times["many"] = times.groupby(key)["place"].transform("size")
    listed = kernels.sort_values(["network", "precision", "index"], kind="stable")
    listed = listed.assign(place=listed.groupby(key).cumcount())
    listed["many"] = listed.groupby(key)["place"].transform("size")
    matched = listed.merge(times.drop(columns="index"), on=[*key, "place", "many"], how="left", validate="one_to_one")
    return matched.drop(columns=["place", "many"])
