"""Energies of kernels that a meter saw alone, as what networks' energies are learned from."""

from dataclasses import replace

import numpy as np
import pandas as pd

from edgejoule.predictors.features import Features

#: Share of the networks' MACs that must be of kernels whose law was metered alone, for energies to be learned from it.
KNOWN = 0.8
#: What half precision leaves of every amount of bytes.
_BYTES = ("bytes_in", "bytes_out", "bytes_weights")


def metered(features: Features) -> bool:
    """Whether the laws that do most of the networks' work have kernels whose energy was measured alone."""
    if features.rows is None:
        return False
    inside, seen = features.rows.inside, np.isfinite(features.rows.energy_mj)
    macs = inside.amounts[:, 1]
    return bool(macs[np.isin(inside.law, features.rows.law[seen])].sum() >= KNOWN * macs.sum() > 0)


def as_energies(features: Features) -> Features:
    """Return the networks with each kernel's measured energy (mJ) where its time stands: what learns times, learns it.

    Inside networks no kernel has an energy of its own.
    """
    return replace(features, rows=replace(features.rows, duration_ms=features.rows.energy_mj))


def halved(kernels: pd.DataFrame) -> pd.DataFrame:
    """Return kernels of single precision (columns of table KERNELS) as they are in half precision."""
    return kernels.assign(precision="fp16", **{name: kernels[name] // 2 for name in _BYTES})


def with_half_precision(kernels: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels, and those of networks that were run in FP16 where only their graph in FP32 is described.

    Args:
        kernels: rows of results/graphs/kernels.parquet.
        networks: rows of results/datasets/networks.parquet.
    """
    described = pd.MultiIndex.from_frame(kernels[["network", "precision"]].drop_duplicates())
    wanted = networks.loc[networks["precision"] == "fp16", "network"]
    wanted = [name for name in wanted if (name, "fp16") not in described]
    single = kernels[(kernels["precision"] == "fp32") & kernels["network"].isin(wanted)]
    return pd.concat([kernels, halved(single)], ignore_index=True) if len(single) else kernels
