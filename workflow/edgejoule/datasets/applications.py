"""The application-level dataset: what each network of each application costs on each device and delegate.

Two sources: figures typed in from publications, where one device runs a network under several named delegates, and the
devices that this pipeline measures or replays, where runtime and threads are part of the device.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.config import Applications, Device
from edgejoule.config.applications import PublishedTables
from edgejoule.errors import EdgejouleError
from edgejoule.tables import empty
from edgejoule.tables.contracts import APPLICATIONS, NETWORKS
from edgejoule.tables.vocabulary import NOT_TRIED, PRECISIONS

#: ``slot`` of a device whose delegate is part of what it is: it is compared network by network.
OWN = "own"
#: Blocks of the window that ``energy_std_mj`` of table NETWORKS is the spread of.
BLOCKS = 10
CPU_BACKENDS = ("cpu", "neon", "ruy")
GPU_BACKENDS = ("opencl", "cuda", "tensorrt", "gpu")
MJ_PER_J = 1e3
MISSING = "the publication gives no figure: the device could not run this pair"


def league_of(device_class: str, power_scope: str) -> str:
    """Return the league: only devices of one class, measured at one place, are ranked in one list."""
    return f"{device_class}-{power_scope}"


def delegate_of(device: Device) -> str:
    """Return what executes networks on a device of this pipeline: CPU (with its threads where set), GPU or other."""
    runtime = device.runtime
    if runtime.backend in CPU_BACKENDS:
        return f"CPU{runtime.threads}" if runtime.threads else "CPU"
    return "GPU" if runtime.backend in GPU_BACKENDS else runtime.backend.upper()


def concatenate(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of several tables NETWORKS.

    Raises:
        EdgejouleError: a device has a network in two of them.
    """
    rows = pd.concat([table for table in tables if len(table)] or [empty(NETWORKS)], ignore_index=True)
    twice = rows[rows.duplicated(["device", "network"])]
    if len(twice):
        raise EdgejouleError(
            f"device '{twice['device'].iloc[0]}': network '{twice['network'].iloc[0]}' is a network of the zoo and a "
            "reference network; give one of them another name"
        )
    return rows


def build_applications(
    networks: pd.DataFrame, devices: Iterable[Device], settings: Applications, root: Path | str = "."
) -> pd.DataFrame:
    """Return table APPLICATIONS of all devices.

    Args:
        networks: table NETWORKS of all devices: the zoo's networks, and the applications' reference networks.
        devices: the devices that its rows may be of.
        settings: applications of families, and publications.
        root: folder that paths in ``settings`` are relative to.

    Raises:
        EdgejouleError: a row of an unknown device, or a publication's tables contradict each other.
    """
    parts = [_published_rows(tables, Path(root)) for tables in settings.published]
    parts.append(_measured_rows(networks, {device.name: device for device in devices}, settings))
    rows = pd.concat([part for part in parts if len(part)] or [empty(APPLICATIONS)], ignore_index=True)
    return rows.sort_values(
        ["league", "device", "application", "network", "delegate"], kind="stable", ignore_index=True
    )


# -- devices of this pipeline ----------------------------------------------------------------------------------------


def _measured_rows(networks: pd.DataFrame, devices: dict[str, Device], settings: Applications) -> pd.DataFrame:
    unknown = sorted(set(networks["device"]) - set(devices))
    if unknown:
        raise EdgejouleError(
            f"table 'networks' holds device '{unknown[0]}', which has no file in the device folders; "
            "write config/devices/<device>.yaml, or build the datasets again"
        )

    def facts(get) -> pd.Series:
        return networks["device"].map({name: get(device) for name, device in devices.items()})

    usable = networks["quality"] != "failed"
    energy = networks["energy_mj"].where(usable)
    columns = ["device", "board", "network", "precision", "origin", "power_scope", "source", "quality", "reason"]
    return networks[columns].assign(
        league=facts(lambda device: league_of(device.device_class, device.power_scope)),
        application=networks["family"].map(settings.families).fillna(settings.default_application),
        delegate=facts(delegate_of),
        slot=OWN,
        latency_ms=networks["latency_ms"].where(usable),
        power_w=networks["power_w"].where(usable),
        energy_mj=energy,
        spread=networks["energy_std_mj"] / np.sqrt(BLOCKS) / energy,
        tdp_w=facts(lambda device: device.tdp_w).astype(float),
        tried=usable | ~networks["reason"].fillna("").str.startswith(NOT_TRIED),
    )


# -- publications ----------------------------------------------------------------------------------------------------


def _published_rows(tables: PublishedTables, root: Path) -> pd.DataFrame:
    devices = _read(root / tables.devices, ["device"], ["tdp_w"]).set_index("device")
    networks = _read(root / tables.networks, ["network"], ["application", "precision"]).set_index("network")
    power = _long(root / tables.power, "power_w", devices.index)
    energy = _long(root / tables.energy, "energy_j", devices.index)
    keys = ["dnn", "delegate", "device"]
    rows = power.merge(energy, on=keys, how="outer", suffixes=("_power", ""), indicator=True)
    odd = rows[(rows["_merge"] != "both") | (rows["power_w"].isna() != rows["energy_j"].isna())]
    if len(odd):
        first = odd.iloc[0]
        raise EdgejouleError(
            f"{tables.power}, {tables.energy}: {first['dnn']} on {first['delegate']} of {first['device']} has a figure "
            "in one file only; give both, or leave both empty"
        )
    unknown = sorted(set(rows["dnn"]) - set(networks.index))
    if unknown:
        raise EdgejouleError(f"{tables.networks}: no row for network '{unknown[0]}', which {tables.power} measures")
    about = networks.loc[rows["dnn"]].reset_index()
    precision = about["precision"].str.lower()
    if not precision.isin(PRECISIONS).all():
        raise EdgejouleError(f"{tables.networks}: column 'precision' may hold {', '.join(PRECISIONS)}")
    missing = rows["energy_j"].isna()
    return pd.DataFrame(
        {
            "device": rows["device"],
            "board": rows["device"],
            "league": league_of(tables.device_class, tables.power_scope),
            "application": about["application"],
            "network": rows["dnn"],
            "delegate": rows["delegate"],
            "slot": rows["delegate"],
            "precision": precision,
            "latency_ms": rows["energy_j"] / rows["power_w"] * 1e3,
            "power_w": rows["power_w"],
            "energy_mj": rows["energy_j"] * MJ_PER_J,
            "spread": np.nan,
            "tdp_w": devices["tdp_w"].loc[rows["device"]].to_numpy(float),
            "tried": True,
            "origin": "published",
            "power_scope": tables.power_scope,
            "source": rows["source"],
            "quality": np.where(missing, "failed", "ok"),
            "reason": np.where(missing, MISSING, ""),
        }
    )


def _read(path: Path, key: list[str], columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise EdgejouleError(f"{path}: not a readable CSV: {error}") from error
    lacking = [name for name in [*key, *columns] if name not in table]
    if lacking:
        raise EdgejouleError(f"{path}: lacks the column(s) {', '.join(lacking)}")
    twice = table[table.duplicated(key)]
    if len(twice):
        raise EdgejouleError(f"{path}: {' on '.join(twice.iloc[0][key])} stands twice; keep one row")
    return table


def _long(path: Path, value: str, devices: pd.Index) -> pd.DataFrame:
    """Return one row per network, delegate and device of a table with one column per device."""
    wide = _read(path, ["dnn", "delegate"], ["source"])
    columns = [name for name in wide.columns if name not in ("dnn", "delegate", "source")]
    unknown = [name for name in columns if name not in devices]
    if unknown:
        raise EdgejouleError(f"{path}: column '{unknown[0]}' is no device of the publication's table of devices")
    rows = wide.melt(["dnn", "delegate", "source"], columns, "device", value)
    empty_cell = rows[value].isna()
    rows[value] = pd.to_numeric(rows[value], errors="coerce")
    wrong = rows[~empty_cell & ~(rows[value] > 0)]
    if len(wrong):
        first = wrong.iloc[0]
        raise EdgejouleError(
            f"{path}: {first['dnn']} on {first['delegate']} of {first['device']} is not a positive number; correct it, "
            "or leave the cell empty where the device could not run the pair"
        )
    return rows
