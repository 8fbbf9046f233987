"""A device whose runtime times single kernels, inside networks and alone, by a law that is known."""

import json

import numpy as np
import pandas as pd

from edgejoule.graphs.kernels import identifier
from edgejoule.graphs.sampler import sample
from synthetic_board import WATTS, board

#: The profiler's own time per kernel (ns), which is not in the network's latency.
PROFILER_NS = 1500
#: A kernel alone finds its weights in the cache.
ALONE = 0.8


def true_ms(kernels: pd.DataFrame) -> pd.Series:
    """Return what kernels truly cost inside networks (ms)."""
    law = kernels["kind"].map({"conv+bn+relu": 0.04, "dwconv+bn+relu": 0.4, "fc": 0.1})
    narrow = 1 + (kernels["input_channels"] < 100)
    return law * narrow * kernels["macs"] / 1e6 + 0.3 * (kernels["bytes_in"] + kernels["bytes_out"]) / 1e6 + 0.002


def measured_alone(kernels: pd.DataFrame, synthetic: int = 300) -> pd.DataFrame:
    """Return rows of the dataset of kernels: those of the networks, and synthetic ones, ``ALONE`` times as long."""
    drawn = pd.DataFrame(sample(synthetic, 0))
    drawn = drawn[drawn["kind"].isin(set(kernels["kind"]))]
    unique = pd.concat([kernels.drop_duplicates("kernel"), drawn], ignore_index=True)
    rows = pd.DataFrame({"kernel": unique["kernel"], "latency_ms": ALONE * true_ms(unique), "quality": "ok"})
    return rows.assign(kernel_source=unique["network"].isna().map({True: "synthetic", False: "zoo"}))


def events_of(alone: pd.DataFrame, seconds: float = 0.05) -> pd.DataFrame:
    """Return the recording's events of two passes over the kernels."""
    start = (np.arange(2 * len(alone)) * seconds * 1e9).astype(int)
    return pd.DataFrame({"kind": "kernel", "start_ns": start, "pass": np.repeat([0, 1], len(alone))})


def profiled(noise: float = 0.05, seed: int = 0):
    """Return networks, kernels and nodes of a device whose kernels follow a law of their own per kind."""
    networks, kernels = board(origin="estimated")
    random = np.random.default_rng(seed)
    kernels = kernels.assign(layout="nchw")
    kernels["kernel"] = [identifier(row) for row in kernels.to_dict("records")]
    ms = true_ms(kernels)
    latency = ms.groupby(kernels["network"]).sum()
    networks["latency_ms"] = networks["network"].map(latency)
    networks["energy_mj"] = WATTS * networks["latency_ms"]
    networks["energy_above_idle_mj"] = np.nan
    frames = []
    for number in range(2):
        measured = ms * np.exp(np.abs(noise * random.normal(size=len(ms)))) * 1e6 + PROFILER_NS
        nodes = kernels[["network", "precision", "index", "operator"]].assign(node=kernels["name"])
        frames.append(nodes.assign(**{"pass": number, "duration_ns": measured.astype(int)}))
    nodes = pd.concat(frames, ignore_index=True)
    shapes = [_shapes(kernel) for kernel in kernels.itertuples()] * 2
    return networks, kernels, nodes.assign(input_shapes=[s[0] for s in shapes], output_shapes=[s[1] for s in shapes])


def _shapes(kernel) -> tuple[str, str]:
    """Return a node's shapes as ONNX Runtime's profiler writes them, in blocks of 16 channels."""
    if kernel.operator == "Gemm":
        return '[{"float": [1, 512]}, {"float": [1000, 512]}]', '[{"float": [1, 1000]}]'
    padded = -(-kernel.output_channels // 16) * 16
    before = [1, kernel.input_channels, kernel.input_height, kernel.input_width]
    each = kernel.input_channels // kernel.groups
    weights = [padded, each, kernel.kernel_height, kernel.kernel_width]
    after = [1, padded, kernel.output_height, kernel.output_width]
    return json.dumps([{"float": before}, {"float": weights}]), json.dumps([{"float": after}])
