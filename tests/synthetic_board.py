"""A board whose cost per kernel is known: what predictors must find again."""

import numpy as np
import pandas as pd

#: ms per million MACs, MB of activations, MB of weights and kernel, and ms per network; mJ = 5 times that.
TRUTH = {"fp32": (0.05, 0.6, 0.2, 0.02, 1.0), "int8": (0.02, 0.9, 0.1, 0.01, 0.5)}
WATTS, IDLE_W = 5.0, 2.0
FAMILIES = ("alpha", "beta", "gamma", "delta")


def kernels_of(name: str, precision: str, width: float, depth: int, size: int) -> list[dict]:
    """Return the kernels of a small mobile network: a stem, blocks of depthwise and pointwise, a classifier."""
    bits = 4 if precision == "fp32" else 1
    rows: list[dict] = []

    def add(kind, operator, cin, cout, window, groups, side, macs, weights):
        common = {"network": name, "precision": precision, "runtime": "onnxruntime", "index": len(rows), "tail": ""}
        rows.append(
            common
            | {"kind": kind, "kernel": f"{kind}-{cin}-{cout}-{window}-{side}-{precision}", "name": f"node{len(rows)}"}
            | {"operator": operator, "input_height": side, "input_width": side, "output_height": side}
            | {"output_width": side, "input_channels": cin, "output_channels": cout, "kernel_height": window}
            | {"kernel_width": window, "stride": 1, "dilation": 1, "groups": groups, "batch": 1, "inputs": 1}
            | {"macs": macs, "bytes_in": side * side * cin * bits, "bytes_out": side * side * cout * bits}
            | {"bytes_weights": weights * bits}
        )

    channels = max(8, int(32 * width))
    add("conv+bn+relu", "Conv", 3, channels, 3, 1, size, size * size * 27 * channels, 27 * channels)
    for block in range(depth):
        side = max(4, size >> (1 + block // 3))
        add("dwconv+bn+relu", "Conv", channels, channels, 3, channels, side, side**2 * 9 * channels, 9 * channels)
        wider = min(channels * 2, 512)
        macs = side * side * channels * wider
        add("conv+bn+relu", "Conv", channels, wider, 1, 1, side, macs, channels * wider)
        channels = wider
    add("fc", "Gemm", channels, 1000, 1, 1, 1, channels * 1000, channels * 1000)
    return rows


def board(
    noise: float = 0.0,
    origin: str = "measured",
    seed: int = 0,
    name: str = "synthetic",
    speed=(1.0, 1.0, 1.0, 1.0, 1.0),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return networks (columns of NETWORKS) and kernels (columns of KERNELS) of four families of twelve networks.

    ``speed`` divides the coefficients of ``TRUTH``: another board.
    """
    random = np.random.default_rng(seed)
    kernels, networks = [], []
    for order, family in enumerate(FAMILIES):
        for i in range(12):
            precision = "fp32" if i % 2 else "int8"
            network = f"{family}-{i}"
            rows = kernels_of(network, precision, 0.5 + 0.25 * (i % 4), 3 + order + i // 4, 64 + 32 * ((i + order) % 3))
            kernels += rows
            factor = np.exp(noise * random.normal())
            row = _network(network, family, precision, rows, origin, factor, speed)
            networks.append(row | {"device": name, "board": f"{name}-board"})
    return pd.DataFrame(networks), pd.DataFrame(kernels)


def _network(name, family, precision, rows, origin, factor, speed) -> dict:
    macs, activations, weights, each, whole = np.array(TRUTH[precision]) / speed
    latency = factor * (
        whole
        + macs * sum(k["macs"] for k in rows) / 1e6
        + activations * sum(k["bytes_in"] + k["bytes_out"] for k in rows) / 1e6
        + weights * sum(k["bytes_weights"] for k in rows) / 1e6
        + each * len(rows)
    )
    return {
        "network": name,
        "architecture": name,
        "family": family,
        "precision": precision,
        "runtime": "onnxruntime",
        "latency_ms": latency,
        "latency_p50_ms": latency,
        "latency_mean_ms": latency,
        "latency_p90_ms": latency,
        "power_w": WATTS,
        "idle_before_w": IDLE_W,
        "idle_after_w": IDLE_W,
        "energy_mj": WATTS * latency,
        "energy_above_idle_mj": (WATTS - IDLE_W) * latency,
        "energy_std_mj": 0.0,
        "drift": 0.0,
        "iterations": 1000,
        "top1": None,
        "licence": None,
        "origin": origin,
        "power_scope": "model" if origin == "estimated" else "wall",
        "source": "synthetic",
        "quality": "ok",
        "reason": "",
    }
