"""What a recording with a meter is worth: how far energies repeat, and how kernels alone add up to networks."""

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.measure.noise import agreement, markdown
from edgejoule.traces import Recording, event_energy, idle_power

QUANTITIES = ("latency_ms", "power_w", "energy_mj", "energy_above_idle_mj")
#: Networks count in the sums of kernels if at least this share of their MACs is of kernels that were measured alone.
LEAST_SHARE = 0.95
LIMITS = (0.10, 0.25)


def costs_by_pass(recording: Recording) -> pd.DataFrame:
    """Return the costs per inference of each workload in each pass, as windows and meter give them.

    Returns:
        Columns ``QUANTITIES``, indexed by ``kind, workload, pass``; only what has an energy.

    Raises:
        EdgejouleError: the recording has none.
    """
    energies = event_energy(recording)
    idle = idle_power(recording, energies).set_index("event")["idle_w"]
    events = recording.events.assign(energy_j=energies["energy_j"], seconds=energies["duration_s"])
    runs = events[events["iterations"].gt(0) & events["kind"].isin(["network", "kernel", "application"])]
    runs = runs[runs["energy_j"].notna()]
    if recording.trace is None or runs.empty:
        raise EdgejouleError("this recording has no energies that a meter measured")
    table = pd.DataFrame(
        {
            "latency_ms": 1e3 * runs["seconds"] / runs["iterations"],
            "power_w": runs["energy_j"] / runs["seconds"],
            "energy_mj": 1e3 * runs["energy_j"] / runs["iterations"],
        }
    )
    table["energy_above_idle_mj"] = table["energy_mj"] - runs["event"].map(idle) * table["latency_ms"]
    return table.groupby([runs["kind"], runs["workload"], runs["pass"]]).mean()


def repeat_table(recording: Recording) -> pd.DataFrame:
    """Return how far the first two passes agree: one row per kind of workload and quantity, none with one pass.

    Returns:
        ``kind, quantity, workloads, median_percent`` and the shares of workloads within 2, 5 and 10 per cent.
    """
    costs = costs_by_pass(recording)
    rows = []
    for kind, table in costs.groupby("kind"):
        for quantity in QUANTITIES:
            passes = table.loc[kind, quantity].unstack("pass").dropna()
            if passes.shape[1] > 1 and len(passes):
                first, second = passes.iloc[:, 0], passes.iloc[:, 1]
                rows.append({"kind": kind, "quantity": quantity} | agreement(first, second))
    return pd.DataFrame(rows)


def sum_table(recording: Recording, kernels: pd.DataFrame) -> pd.DataFrame:
    """Return what the kernels of each network cost alone, together, and what the network cost.

    Args:
        recording: the recording.
        kernels: rows of table KERNELS as the recording's runtime executes networks.

    Returns:
        One row per network that at least ``LEAST_SHARE`` of whose MACs were measured alone, and quantity:
        ``network, quantity, kernels, alone, network_cost, ratio``.
    """
    costs = costs_by_pass(recording).groupby(["kind", "workload"]).mean()
    alone, networks = (
        costs.xs(kind) if kind in costs.index else costs.iloc[:0].droplevel("kind") for kind in ("kernel", "network")
    )
    mine = kernels[kernels["network"].isin(networks.index)]
    known = mine["kernel"].isin(alone.index)
    share = mine["macs"].where(known, 0).groupby(mine["network"]).sum() / mine["macs"].groupby(mine["network"]).sum()
    mine = mine[known & mine["network"].map(share).ge(LEAST_SHARE)]
    rows = []
    for network, group in mine.groupby("network"):
        for quantity in ("latency_ms", "energy_mj"):
            total, whole = group["kernel"].map(alone[quantity]).sum(), networks.loc[network, quantity]
            about = {"network": network, "quantity": quantity, "kernels": len(group)}
            rows.append(about | {"alone": total, "network_cost": whole, "ratio": total / whole})
    return pd.DataFrame(rows, columns=["network", "quantity", "kernels", "alone", "network_cost", "ratio"])


def kind_table(recording: Recording, kernels: pd.DataFrame) -> pd.DataFrame:
    """Return each kind's share of the costs of all networks, by its kernels alone; same arguments as ``sum_table``."""
    costs = costs_by_pass(recording).groupby(["kind", "workload"]).mean()
    mine = kernels[kernels["network"].isin(costs.index.get_level_values("workload"))]
    alone = costs.xs("kernel") if "kernel" in costs.index else costs.iloc[:0].droplevel("kind")
    each = mine[["kernel", "kind"]].join(alone, on="kernel", how="inner")
    sums = each.reindex(columns=["kind", "energy_mj", "latency_ms"]).groupby("kind").sum()
    shares = (100 * sums / sums.sum()).add_suffix("_percent").round(2)
    return shares.sort_values("energy_mj_percent", ascending=False).rename_axis("kind").reset_index()


def energy_report(recording: Recording, kernels: pd.DataFrame | None = None) -> str:
    """Return how far passes agree and, with ``kernels``, how kernels add up and which kinds take what, as Markdown."""
    parts = []
    repeats = repeat_table(recording)
    if len(repeats):
        parts.append(markdown(repeats))
    if kernels is not None:
        sums, rows = sum_table(recording, kernels), []
        for quantity, group in sums.groupby("quantity"):
            off = (group["ratio"] - 1).abs()
            shares = {f"within{limit * 100:.0f}_percent": 100 * float((off <= limit).mean()) for limit in LIMITS}
            median = float(group["ratio"].median())
            rows.append({"sum of kernels / network": quantity, "networks": len(group), "median_ratio": median} | shares)
        kinds = kind_table(recording, kernels)
        parts += [markdown(table, 2) for table in (pd.DataFrame(rows), kinds) if len(table)]
    if not parts:
        raise EdgejouleError("nothing to compare: this recording has one pass; give --graphs to add up kernels")
    return "\n\n".join(parts)
