"""One device's datasets: cost per inference of everything that its recording or table holds."""

from pathlib import Path

import pandas as pd

from edgejoule.config import Device
from edgejoule.datasets.checks import demand_sound
from edgejoule.datasets.costs import costs_per_workload, passes_of
from edgejoule.datasets.published import read_networks
from edgejoule.datasets.quality import flag_implausible, flag_networks
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.names import did_you_mean
from edgejoule.tables import Table, empty, to_arrow, write_table
from edgejoule.tables.contracts import KERNEL_COSTS, NETWORKS, PASSES
from edgejoule.tables.vocabulary import AROUND_KINDS
from edgejoule.traces import Recording, event_energy, read_recording

#: Times of a kernel that stand beside the latency of its window, where there are any (ms).
_TIMES = ("between_ms", "isolated_ms")
#: Below this share of its window, a kernel's energy is mostly that of what the runtime puts around it.
LEAST_SHARE = 0.8

#: What is written of each device: name of the file, and its table.
TABLES = {"networks": NETWORKS, "references": NETWORKS, "passes": PASSES, "kernels": KERNEL_COSTS}


def derive_device(
    device: Device, source: Path | str, zoo_file: Path | str, references_file: Path | str, output: Path | str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Write ``networks``, ``references``, ``passes`` and ``kernels.parquet`` of one device into the folder ``output``.

    Args:
        device: the device, from its file.
        source: the CSV of a device of source ``table``, else the recording's ``recording.json``.
        zoo_file: the zoo; networks that it lacks are a family of their own.
        references_file: the applications' reference networks, in the zoo's format.
        output: the folder.

    Returns:
        The number of rows of each table, and what a person should know of them.

    Raises:
        EdgejouleError: the source cannot be read, does not fit the device, or a row of it contradicts itself.
    """
    zoo = read_zoo(zoo_file)
    if device.source.kind == "table":
        networks = flag_implausible(read_networks(source, device, zoo), device.device_class)
        tables = {name: empty(table) for name, table in TABLES.items()} | {"networks": networks}
        about = {"source": str(source)}
    else:
        recording = read_recording(Path(source).parent, whole=False)
        tables = derive(recording, device, zoo, read_zoo(references_file))
        for name in ("networks", "references"):
            demand_sound(tables[name], [f"{Path(source).parent}: '{network}'" for network in tables[name]["network"]])
        about = {"recording": recording.meta}
    about |= {"device": device.name, "meter": device.meter.model_dump(), "runtime": device.runtime.model_dump()}
    for name, table in TABLES.items():
        write_table(tables[name], Path(output) / f"{name}.parquet", table, about)
    counts = {name: len(rows) for name, rows in tables.items()}
    return counts, _unknown(tables["networks"], zoo, str(zoo_file)) if device.in_zoo else ()


def _unknown(networks: pd.DataFrame, zoo: pd.DataFrame, where: str) -> tuple[str, ...]:
    """Return a note on the networks that the zoo lacks: they may be misspelt."""
    unknown = networks.loc[~networks["network"].isin(zoo["network"]), "network"]
    if unknown.empty:
        return ()
    first = unknown.iloc[0]
    return (
        f"{where}: lacks {len(unknown)} of {len(networks)} networks, such as '{first}' "
        f"({did_you_mean(first, zoo['network'])}); each is a family of its own, and no predictor can be trained with "
        "it: add it to the zoo, or say 'in_zoo: false' in the device's file",
    )


def derive(
    recording: Recording, device: Device, zoo: pd.DataFrame, references: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return tables ``networks``, ``references`` (events of kind ``application``), ``passes`` and ``kernels``.

    A workload that failed to be recorded or read is a row without figures, quality ``failed`` and the reason.

    Raises:
        EdgejouleError: nothing ran in the recording, or the precision of a network is unknown.
    """
    if recording.events["kind"].isin(AROUND_KINDS).all():
        problems = recording.problems
        why = (
            f"; what failed first: {problems.iloc[0]['workload']}: {problems.iloc[0]['reason']}"
            if len(problems)
            else ""
        )
        raise EdgejouleError(f"recording of {device.name}: no event of it is a run of anything{why}")
    energies = event_energy(recording)
    passes = passes_of(recording, energies, device)
    networks, applications = (
        flag_implausible(
            flag_networks(_label(_with_failures(recording, energies, kind, device), device, known), known),
            device.device_class,
        )
        for kind, known in (("network", zoo), ("application", references))
    )
    kernels = _label_kernels(costs_per_workload(recording, energies, "kernel", device), recording, device)
    return {
        "networks": _fit(networks, NETWORKS).sort_values("network", kind="stable"),
        "references": _fit(applications, NETWORKS).sort_values("network", kind="stable"),
        "passes": _fit(passes, PASSES),
        "kernels": _fit(kernels, KERNEL_COSTS),
    }


def _with_failures(recording: Recording, energies: pd.DataFrame, kind: str, device: Device) -> pd.DataFrame:
    """Return the cost of each workload of a kind; a row without figures for each that is a problem without any."""
    costs = costs_per_workload(recording, energies, kind, device)
    problems = recording.problems
    problems = problems[(problems["kind"] == kind) & ~problems["workload"].isin(costs["workload"])]
    failed = problems.groupby("workload", sort=True, as_index=False).first()
    failed = failed[["workload", "precision", "source", "reason"]].assign(quality="failed")
    return pd.concat([costs, failed], ignore_index=True) if len(failed) else costs


def _label(costs: pd.DataFrame, device: Device, zoo: pd.DataFrame) -> pd.DataFrame:
    """Add what the device file and the zoo know: board, runtime, architecture, family, published accuracy."""
    costs = costs.rename(columns={"workload": "network"})
    known = _by_network(zoo)
    network = costs["network"]
    published = network.map(known["top1"])
    precision = costs["precision"].fillna(network.map(known["precision"]))
    if precision.isna().any():
        first = network[precision.isna()].iloc[0]
        near = did_you_mean(first, zoo["network"])
        raise EdgejouleError(
            f"recording of {device.name}: the zoo has no network '{first}' ({near}), and its precision is not stated: "
            "add the network to the zoo, or a column 'precision' to its events"
        )
    return costs.assign(
        device=device.name,
        board=device.board,
        runtime=device.runtime.name,
        origin=device.origin,
        power_scope=device.power_scope,
        architecture=network.map(known["architecture"]).fillna(network),
        # A network that no zoo knows is a family of its own: it is never trained on beside itself.
        family=network.map(known["family"]).fillna(network),
        precision=precision,
        top1=costs["top1"].fillna(published) if "top1" in costs else published,
        licence=network.map(known["licence"]),
    )


def _by_network(zoo: pd.DataFrame) -> pd.DataFrame:
    return zoo.drop_duplicates("network").set_index("network")


def _label_kernels(costs: pd.DataFrame, recording: Recording, device: Device) -> pd.DataFrame:
    runs = recording.events[recording.events["kind"] == "kernel"]
    known = runs.drop_duplicates("workload").set_index("workload").reindex(columns=["kernel_kind", "kernel_source"])
    times = runs.reindex(columns=["workload", *_TIMES]).groupby("workload").min().astype(float)
    costs = costs.assign(**{name: costs["workload"].map(times[name]) for name in _TIMES})
    # A kernel between two others states its own time; only one that ran alone shares its window with the runtime.
    alone = ~costs["workload"].isin(runs.loc[runs["latency_ms"].notna(), "workload"])
    share = (costs["isolated_ms"] / costs["latency_ms"]).where(alone)
    reason, quality = costs["reason"].astype(object), costs["quality"].astype(object)
    for row in share.index[share < LEAST_SHARE]:
        said = f"the kernel is {share[row]:.0%} of its window, which holds what the runtime puts around it too"
        reason[row] = "; ".join(filter(None, [reason[row], said]))
        quality[row] = "flagged" if quality[row] == "ok" else quality[row]
    return (
        costs.rename(columns={"workload": "kernel"})
        .drop(columns="latency_mean_ms")
        .assign(
            quality=quality,
            reason=reason,
            device=device.name,
            board=device.board,
            runtime=device.runtime.name,
            origin=device.origin,
            power_scope=device.power_scope,
            kind=costs["workload"].map(known["kernel_kind"]),
            kernel_source=costs["workload"].map(known["kernel_source"]),
        )
    )


def _fit(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``rows`` with every declared column, absent ones empty, in the declared order."""
    return to_arrow(rows.reindex(columns=list(dict.fromkeys([*table.names, *rows.columns]))), table).to_pandas()
