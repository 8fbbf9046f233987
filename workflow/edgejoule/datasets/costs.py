"""Cost per inference from the energy of events: windows pooled over passes, idle on both sides, spread and drift."""

import numpy as np
import pandas as pd

from edgejoule.config import Device
from edgejoule.tables.contracts.datasets import COSTS
from edgejoule.traces import Recording, idle_power, slowdown

MS_PER_NS = 1e-6
MJ_PER_J = 1e3


def passes_of(recording: Recording, energies: pd.DataFrame, device: Device) -> pd.DataFrame:
    """Return table PASSES: cost per inference of each workload in each interleaved pass."""
    runs = _runs(recording, energies, device)
    columns = ["kind", "workload", "precision", "pass"]
    runs = runs.sort_values([*columns, "start_ns"], kind="stable")
    pooled = runs.groupby(columns, sort=True, dropna=False).agg(
        iterations=("iterations", "sum"),
        window_ms=("window_ms", "sum"),
        latency_min_ms=("latency_min_ms", "min"),
        latency_p50_ms=("latency_p50_ms", "median"),
        energy_j=("energy_j", _sum_or_none),
        slowdown=("slowdown", "median"),
    )
    pooled = pooled.reset_index()
    latency = pooled["window_ms"] / pooled["iterations"]
    energy = pooled["energy_j"] * MJ_PER_J / pooled["iterations"]
    return pooled.drop(columns=["window_ms", "energy_j"]).assign(
        device=device.name, latency_ms=latency, energy_mj=energy, power_w=energy / latency
    )


def costs_per_workload(recording: Recording, energies: pd.DataFrame, kind: str, device: Device) -> pd.DataFrame:
    """Return the cost per inference of each workload of one kind, as the device's rule ``passes`` makes it of them.

    Steadied, ``latency_ms`` is the mean over the windows of the fastest inference at the machine's usual speed;
    ``latency_mean_ms`` is window / inferences all the same. Pooled, both are, and ``energy_mj`` is the window's gross
    energy / inferences, so that power times latency is energy. The idle baseline is the mean of the idle power before
    and after; where only one side was recorded, that one; where none was, there is no energy above idle.

    Returns:
        One row per workload: ``workload, precision``, the columns COSTS of the tables, ``latency_mean_ms, top1,
        source, quality, reason``.
    """
    runs = _runs(recording, energies, device)
    runs = runs[runs["kind"] == kind]
    if device.passes == "steadied":
        runs = _with_declared_energy(_steadied(runs), device)
    rows = [_cost(str(workload), group) for workload, group in runs.groupby("workload", sort=True)]
    if rows:
        return pd.DataFrame(rows)
    figures = pd.DataFrame(columns=[*(column.name for column in COSTS), "latency_mean_ms", "top1"], dtype=float)
    return figures.reindex(columns=["workload", "precision", *figures, "source", "quality", "reason"])


def _undisturbed(runs: pd.DataFrame) -> pd.Series:
    """Return the latency (ms) that stands for each window: its fastest inference, or what a kernel's source states."""
    own = (runs["window_ms"] / runs["iterations"]).where(runs["iterations"] > 0)
    return runs["latency_min_ms"].where(runs["kind"] != "kernel").fillna(own)


def _slowdowns(runs: pd.DataFrame) -> pd.Series:
    """Return how much slower the machine was in the pass of each window than it usually was, 1 = as usual.

    Kernels have none: their few short runs differ by more than the machine does.
    """
    timed = runs[runs["kind"] != "kernel"]
    timed = timed.assign(fastest=_undisturbed(timed), workload=timed["kind"] + "/" + timed["workload"])
    passes = timed[timed["fastest"] > 0].groupby(["workload", "pass"])
    slow = slowdown(passes["fastest"].min(), passes["start_ns"].min())
    of_each = slow.reindex(pd.MultiIndex.from_frame(timed[["workload", "pass"]]))
    return pd.Series(of_each.to_numpy(), index=timed.index).reindex(runs.index)


def _steadied(runs: pd.DataFrame) -> pd.DataFrame:
    """Return each window as long as its fastest inference takes on the machine at its usual speed.

    What else runs on a shared machine slows everything for minutes, and single inferences by much more; nothing makes
    one faster than the machine is. So the minimum tells an inference that nothing disturbed (Chen and Revels, Robust
    benchmarking in noisy environments, 2016, arXiv 1608.04295), and what was measured just before and after tells the
    slow part; ``edgejoule measure noise`` shows what either gains. Windows without an inference stay as they are.
    """
    slow = runs["slowdown"].fillna(1.0)
    window = _undisturbed(runs) / slow * runs["iterations"]
    return runs.assign(
        window_ms=window.fillna(runs["window_ms"]),
        latency_p50_ms=runs["latency_p50_ms"] / slow,
        latency_p90_ms=runs["latency_p90_ms"] / slow,
    )


def _cost(workload: str, runs: pd.DataFrame) -> dict:
    used = runs[runs["reason"] == ""]
    reason = "" if len(used) == len(runs) else "; ".join(sorted(set(runs.loc[runs["reason"] != "", "reason"])))
    if used.empty:
        # The window is known even where the meter gave no energy for it.
        used = runs.assign(energy_j=np.nan)
    iterations = int(used["iterations"].sum())
    mean_latency = used["elapsed_ms"].sum() / iterations if iterations else np.nan
    latency = used["window_ms"].sum() / iterations if iterations else np.nan
    energy = _sum_or_none(used["energy_j"]) * MJ_PER_J / iterations if iterations else np.nan
    baseline = _weighted(used["idle_w"], used["iterations"])
    weights = used["iterations"]
    return {
        "workload": workload,
        "precision": used["precision"].iloc[0],
        "latency_ms": latency,
        "latency_p50_ms": _weighted(used["latency_p50_ms"], weights),
        "latency_p90_ms": _weighted(used["latency_p90_ms"], weights),
        "power_w": energy / latency,
        "idle_before_w": _weighted(used["idle_before_w"], weights),
        "idle_after_w": _weighted(used["idle_after_w"], weights),
        "energy_mj": energy,
        "energy_above_idle_mj": energy - baseline * latency,
        "energy_std_mj": _weighted(used["energy_std_mj"], weights),
        "drift": _weighted(used["drift"], weights),
        "iterations": iterations,
        "latency_mean_ms": mean_latency,
        "top1": used["top1"].dropna().iloc[0] if used["top1"].notna().any() else np.nan,
        "source": "; ".join(dict.fromkeys(used["source"])),
        "quality": "failed" if not iterations else "flagged" if reason else "ok",
        "reason": reason if iterations else "its events count no inference",
    }


def _runs(recording: Recording, energies: pd.DataFrame, device: Device) -> pd.DataFrame:
    """Return the events in which inferences ran, with energy and latencies per inference."""
    events = recording.events[recording.events["kind"].isin(["network", "kernel", "application"])]
    figures = energies.drop(columns="idle_w").merge(idle_power(recording, energies), on="event")
    runs = events.merge(figures, on="event", how="left")
    runs["reason"] = runs["reason"].fillna("")
    runs["window_ms"] = (runs["end_ns"] - runs["start_ns"]) * MS_PER_NS
    runs["latency_min_ms"] = np.nan
    if recording.samples is not None and len(recording.samples):
        times = recording.samples.groupby("event")["duration_ns"]
        timed = runs["event"].isin(set(times.groups))
        spread = runs["event"].map
        runs.loc[timed, "latency_min_ms"] = spread(times.min() * MS_PER_NS)[timed]
        runs.loc[timed, "latency_p50_ms"] = spread(times.quantile(0.5) * MS_PER_NS)[timed]
        runs.loc[timed, "latency_p90_ms"] = spread(times.quantile(0.9) * MS_PER_NS)[timed]
        untold = timed & runs["drift"].isna()
        runs.loc[untold, "drift"] = spread(times.agg(_latency_drift))[untold]
    # The window of a kernel between two others spans these too; its source states the kernel's own time.
    stated = (runs["kind"] == "kernel") & runs["latency_ms"].notna()
    runs.loc[stated, "window_ms"] = (runs["latency_ms"] * runs["iterations"])[stated]
    # Steadying shortens the window to what undisturbed inferences would have taken.
    runs["elapsed_ms"] = runs["window_ms"]
    runs["slowdown"] = _slowdowns(runs) if device.passes == "steadied" else np.nan
    return _with_declared_energy(runs, device)


def _with_declared_energy(runs: pd.DataFrame, device: Device) -> pd.DataFrame:
    """Return the windows with energy as declared power times time, where the device has no meter but a declared power.

    Such an energy is called estimated.
    """
    if device.meter.kind != "constant":
        return runs
    return runs.assign(energy_j=device.meter.watts * runs["window_ms"] * 1e-3, reason="")


def _latency_drift(durations: pd.Series) -> float:
    third = len(durations) // 3
    if not third:
        return np.nan
    return float(durations.iloc[-third:].mean() / durations.iloc[:third].mean() - 1)


def _sum_or_none(values: pd.Series) -> float:
    return values.sum() if values.notna().all() else np.nan


def _weighted(values: pd.Series, weights: pd.Series) -> float:
    known = values.notna() & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else np.nan
