"""Kernels that were measured alone, as evidence of what they cost inside networks."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pandas as pd

from edgejoule.graphs.identified import identified_kernels
from edgejoule.predictors.metered import halved
from edgejoule.predictors.rows import EVIDENCE, NODES, KernelRows
from edgejoule.predictors.times import SHORTEST_MS

#: A law's own factor counts as much as the factor of all laws together from this many shared configurations on.
SHRINK = 10


def alone_kernels(costs: pd.DataFrame, kernels: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels measured alone with their configuration, ``duration_ms``, ``energy_mj`` and ``evidence``.

    The time (ms) is that between neighbours where it was measured, the energy (mJ) what a meter saw of a kernel that
    ran alone; NaN where none did, or saw more of the runtime than of the kernel (quality ``flagged``).

    Args:
        costs: a device's rows of results/datasets/kernels.parquet; only those with a time of their own count.
        kernels: rows of results/graphs/kernels.parquet as the device's runtime executes the whole zoo. Of a kernel that
            is none of these, the configuration is read from its identifier if it is synthetic (``kernel_source``, or
            where that is not stated); one of the zoo belongs to no network here, and is left out.
    """
    measured = costs[costs["latency_ms"].notna() & costs["quality"].ne("failed")].drop_duplicates("kernel")
    measured = measured.reindex(columns=list(dict.fromkeys([*measured.columns, "between_ms", "energy_mj", "origin"])))
    seen = measured["origin"].eq("measured") & measured["quality"].eq("ok")
    times = measured["between_ms"].fillna(measured["latency_ms"]).set_axis(measured["kernel"])
    energies = measured["energy_mj"].where(seen).set_axis(measured["kernel"])
    zoo = kernels[kernels["kernel"].isin(times.index)].drop_duplicates("kernel").assign(evidence="zoo")
    drawn = measured[measured["kernel_source"].fillna("synthetic").eq("synthetic")]
    others = sorted(set(drawn["kernel"]) - set(zoo["kernel"]))
    parts = [zoo]
    if others:
        parts.append(identified_kernels(others).assign(evidence="synthetic", network=""))
    table = pd.concat(parts, ignore_index=True)
    halves = measured["kernel"][measured.reindex(columns=["precision"])["precision"].eq("fp16")]
    half = table["kernel"].isin(halves) & table["precision"].eq("fp32")
    table = pd.concat([table[~half], halved(table[half])]).sort_index()
    return table.assign(duration_ms=table["kernel"].map(times), energy_mj=table["kernel"].map(energies))


def evidence_of(rows: KernelRows, evidence: Sequence[str] = EVIDENCE) -> KernelRows:
    """Return each configuration once, with the time that it takes inside networks as far as the evidence tells.

    Times alone are multiplied by a factor per law: the geometric mean of inside / alone over the configurations that
    have both, drawn towards the median over all laws where they are few. Without nodes in the evidence they stay as
    they are. A configuration with a time inside needs none alone.

    Args:
        rows: the training networks' kernels, and those measured alone.
        evidence: which to learn from.
    """
    known = rows.where(np.isfinite(rows.duration_ms))
    inside = known.where(known.evidence == NODES).unique()
    alone = known.where(np.isin(known.evidence, [EVIDENCE.index(name) for name in evidence if name != EVIDENCE[NODES]]))
    if EVIDENCE[NODES] not in evidence:
        return alone
    if len(alone.same):
        alone = replace(alone, duration_ms=alone.duration_ms * _factors(inside, alone))
        alone = alone.where(~np.isin(alone.same, inside.same))
    parts = [[getattr(part, field.name) for part in (inside, alone)] for field in fields(KernelRows)]
    return KernelRows(*map(np.concatenate, parts))


def _factors(inside: KernelRows, alone: KernelRows) -> np.ndarray:
    """Return inside / alone for each kernel measured alone, shape (k,), as those that have both times tell."""
    _, here, there = np.intersect1d(inside.same, alone.same, return_indices=True)
    if not len(here):
        return np.ones(len(alone.same))
    both = inside.duration_ms[here], alone.duration_ms[there]
    ratio = np.subtract(*(np.log(np.maximum(times, SHORTEST_MS)) for times in both))
    pooled = np.median(ratio)
    own = {law: ratio[inside.law[here] == law] for law in np.unique(inside.law[here])}
    drawn = {law: (values.sum() + SHRINK * pooled) / (len(values) + SHRINK) for law, values in own.items()}
    return np.exp(np.array([drawn.get(law, pooled) for law in alone.law]))
