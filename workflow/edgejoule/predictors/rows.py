"""Single kernels as learners see them: their configuration, and the times that they took in networks or alone."""

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
#: What trees see of a kernel, and how a kernel's time relative to its roofline must move with it, as physics has it:
#: padding is work for nothing (1), long sums and large maps pay for what a kernel costs at its start (-1).
INPUTS = {
    "log macs": 0,
    "log bytes in": 0,
    "log bytes out": 0,
    "log bytes of weights": 0,
    "log intensity": 0,
    **dict.fromkeys(_CONFIGURATION, 0),
    "input channels modulo 16": 0,
    "output channels modulo 16": 0,
    "group": 0,
    "blocked layout": 0,
    "adds": 0,
    "clips": 0,
    "activates": 0,
    "log pixels": -1,
    "log length of a sum": -1,
    "output channels padded to 16": 1,
    "output channels padded to 64": 1,
    "input channels padded to 16": 1,
    "columns padded to 6": 1,
    "pixels padded to 6": 1,
}
_ACTIVATIONS = ("hswish", "swish", "sigmoid", "gelu", "hsigmoid")


#: What a kernel's time is from: the runtime's profiler inside a network; a kernel of the zoo between two neighbours;
#: one that no network of the zoo has, likewise.
EVIDENCE = ("nodes", "zoo", "synthetic")
NODES, ZOO, SYNTHETIC = range(3)


@dataclass(frozen=True)
class KernelRows:
    """The kernels of some networks, and kernels that were measured alone.

    Attributes:
        owner: the row of ``Features`` that each kernel belongs to, -1 for one measured alone, shape (k,).
        law: kernels of one law share a roofline: kind, memory layout and sort of convolution, shape (k,).
        amounts: what a roofline is linear in, shape (k, 4): one, million MACs, MB of activations, MB of weights.
        inputs: what trees see, columns ``INPUTS``, shape (k, m).
        duration_ms: time inside the network by the runtime's profiler, or alone; NaN where unknown, shape (k,).
        same: number of the kernel's configuration: kernels of equal number are equal, shape (k,).
        evidence: what the time is from, position in ``EVIDENCE``, shape (k,).
        energy_mj: energy that a meter saw while it ran alone; NaN where none did, shape (k,).
    """

    owner: np.ndarray
    law: np.ndarray
    amounts: np.ndarray
    inputs: np.ndarray
    duration_ms: np.ndarray
    same: np.ndarray
    evidence: np.ndarray
    energy_mj: np.ndarray

    @property
    def inside(self) -> Self:
        """The kernels that belong to networks."""
        return self.where(self.owner >= 0) if (self.owner < 0).any() else self

    def counts(self) -> dict[str, int]:
        """Return how many different configurations have a time of each sort, and how many an energy."""
        known = np.isfinite(self.duration_ms)
        times = {name: len(np.unique(self.same[known & (self.evidence == i)])) for i, name in enumerate(EVIDENCE)}
        return times | {"metered": len(np.unique(self.same[np.isfinite(self.energy_mj)]))}

    def where(self, kept: np.ndarray) -> Self:
        """Return the chosen kernels of the same networks; ``kept`` is a mask, shape (k,)."""
        return type(self)(*(getattr(self, field.name)[kept] for field in fields(self)))

    def unique(self) -> Self:
        """Return each configuration once, in its mean time; learning takes a quarter as long and is no worse."""
        _, first, inverse = np.unique(self.same, return_index=True, return_inverse=True)
        mean = np.bincount(inverse, self.duration_ms) / np.bincount(inverse)
        return replace(self.where(first), duration_ms=mean)

    def take(self, networks: np.ndarray, many: int) -> Self:
        """Return the kernels of the chosen networks (positions, each once, or a mask) out of ``many``.

        Of the kernels measured alone, those stay that a chosen network has, and those that no network of the zoo has:
        what only the other networks have must not be known.
        """
        chosen = np.arange(many)[networks]
        # The last place is that of kernels measured alone.
        place = np.full(many + 1, -1)
        place[chosen] = np.arange(len(chosen))
        theirs = place[self.owner] >= 0
        known = np.isin(self.same, self.same[theirs]) | (self.evidence == SYNTHETIC)
        kept = self.where(theirs | ((self.owner < 0) & known))
        return replace(kept, owner=place[kept.owner])


def kernel_rows(
    kernels: pd.DataFrame, owner: np.ndarray, group: np.ndarray, evidence: np.ndarray | None = None
) -> KernelRows:
    """Return the kernels of ``kernels`` (columns of results/graphs/kernels.parquet) for learners.

    Args:
        kernels: k kernels; ``layout``, ``duration_ms`` and ``energy_mj`` are further columns that may be absent.
        owner: the network of each kernel, -1 for none, shape (k,).
        group: the group of each kernel, shape (k,).
        evidence: what ``duration_ms`` is from, position in ``EVIDENCE``, shape (k,); without it, from nodes.
    """
    activations = (kernels["bytes_in"] + kernels["bytes_out"]).to_numpy(float)
    macs, weights = kernels["macs"].to_numpy(float), kernels["bytes_weights"].to_numpy(float)
    blocked = kernels["layout"].eq("nchwc").to_numpy() if "layout" in kernels else np.zeros(len(kernels), bool)
    configuration = np.column_stack([kernels[name].to_numpy(float) for name in _CONFIGURATION])
    read, written, height, width, window_height, window_width, _, groups, _ = configuration.T
    pixels = height * width
    length = read / np.maximum(groups, 1) * np.maximum(window_height * window_width, 1)
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
            _tails(kernels["tail"]),
            np.log1p(pixels),
            np.log1p(length),
            _padding(written, 16),
            _padding(written, 64),
            _padding(read, 16),
            _padding(width, 6),
            _padding(pixels, 6),
        ]
    ).astype(np.float32)
    kind = kernels["kind"].astype(str).to_numpy(object)
    law = kind + "|" + group.astype(str).astype(object) + np.where(blocked, "|nchwc", "").astype(object)
    amounts = np.column_stack([np.ones(len(kernels)), macs / 1e6, activations / 1e6, weights / 1e6])
    duration, energy = (
        kernels[name].to_numpy(float) if name in kernels else np.full(len(kernels), np.nan)
        for name in ("duration_ms", "energy_mj")
    )
    source = np.zeros(len(kernels), int) if evidence is None else evidence
    return KernelRows(owner, law, amounts, inputs, duration, _same(kernels), source, energy)


def _same(kernels: pd.DataFrame) -> np.ndarray:
    """Return the number of each kernel's configuration, in order of appearance, shape (k,).

    Some names stand for several: an operator or its like, with a bias or without, a product with a map or with a number
    per channel. Bytes are taken relative to what is written, so that half precision counted from single stays the same.
    """
    written = kernels["bytes_out"].to_numpy(float)
    told = [
        kernels["kernel"],
        kernels["operator"],
        kernels["bytes_in"].to_numpy(float) / written,
        kernels["bytes_weights"].to_numpy(float) / written,
    ]
    same = np.zeros(len(kernels), int)
    for column in told:
        codes, values = pd.factorize(column, use_na_sentinel=False)
        same = pd.factorize(same * max(len(values), 1) + codes)[0]
    return same


def _tails(tail: pd.Series) -> np.ndarray:
    """Return whether each kernel ends with an addition, a clamp, an activation, shape (k, 3); tails are few."""
    codes, tails = pd.factorize(tail, use_na_sentinel=False)
    named = [name if isinstance(name, str) else "" for name in tails]
    told = [
        ("add" in name, "relu" in name or "clip" in name, any(word in name for word in _ACTIVATIONS)) for name in named
    ]
    return np.array(told, bool).reshape(-1, 3)[codes]


def _padding(amount: np.ndarray, block: int) -> np.ndarray:
    """Return by which factor ``amount`` grows when it is filled up to whole blocks.

    MLAS, the library behind ONNX Runtime on processors, works on 16 channels at a time (one AVX-512 register), on four
    such blocks of output channels where there are, and on 6 pixels (onnxruntime/core/mlas/lib, snchwc.cpp).
    """
    return np.ceil(amount / block) * block / np.maximum(amount, 1)
