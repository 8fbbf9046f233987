"""Leagues: the devices that may be ranked in one list, and the pairs on which they are compared."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from edgejoule.config import Applications
from edgejoule.errors import EdgejouleError

#: A pair is compared across devices under this key. A device whose delegate is part of what it is has slot 'own'.
PAIR = ["application", "network", "slot"]


@dataclass(frozen=True)
class League:
    """What the devices of one class, measured at one place, need for each pair.

    ``pairs`` has the columns of PAIR, one row per pair; the matrices have shape (pairs, devices), NaN where a device
    lacks the pair. ``spread`` is the relative standard error of a figure; ``failed`` says which pairs were tried on the
    device and did not run. A pair that is neither failed nor has a figure was not measured.
    """

    name: str
    devices: tuple[str, ...]
    origins: tuple[str, ...]
    reference: tuple[str, ...]
    pairs: pd.DataFrame
    energy_j: np.ndarray
    power_w: np.ndarray
    latency_s: np.ndarray
    spread: np.ndarray
    failed: np.ndarray
    tdp_w: np.ndarray

    def columns_of(self, devices: tuple[str, ...]) -> list[int]:
        """Return the positions of devices in the matrices."""
        return [self.devices.index(device) for device in devices]


def build_leagues(applications: pd.DataFrame, settings: Applications) -> list[League]:
    """Return the leagues of table APPLICATIONS, by name.

    The reference of a league is what the settings name, as far as this run has it; else the first device by name.
    Networks that the settings exclude are left out for every device.

    Raises:
        EdgejouleError: a device mixes origins, or has a pair twice.
    """
    return [_league(str(name), rows, settings) for name, rows in applications.groupby("league", sort=True)]


def _league(name: str, rows: pd.DataFrame, settings: Applications) -> League:
    devices = tuple(sorted(rows["device"].unique()))
    reference = tuple(device for device in devices if device in settings.references.get(name, ())) or devices[:1]
    origins = rows.groupby("device")["origin"].agg(["nunique", "first"])
    mixed = origins.index[origins["nunique"] > 1]
    if len(mixed):
        raise EdgejouleError(f"table 'applications': device '{mixed[0]}' mixes origins of energy; make it two devices")
    twice = rows[rows.duplicated(["device", *PAIR])]
    if len(twice):
        first = twice.iloc[0]
        raise EdgejouleError(
            f"table 'applications': device '{first['device']}' has {first['network']} twice in slot '{first['slot']}'; "
            "keep one row"
        )
    compared = rows[~rows["network"].isin(settings.excluded.get(name, {}))]
    cells = compared.set_index([*PAIR, "device"])
    cells = cells.assign(least=cells["origin"].map(settings.spread).fillna(0.0))
    cells["spread"] = cells["spread"].fillna(0.0).clip(lower=cells["least"])
    cells["failed"] = (cells["tried"].astype(bool) & cells["latency_ms"].isna()).astype(float)

    def matrix(column: str) -> pd.DataFrame:
        return cells[column].unstack("device").reindex(columns=list(devices)).sort_index()

    energy = matrix("energy_mj")
    return League(
        name=name,
        devices=devices,
        origins=tuple(origins.loc[list(devices), "first"]),
        reference=reference,
        pairs=energy.index.to_frame(index=False),
        energy_j=energy.to_numpy() / 1e3,
        power_w=matrix("power_w").to_numpy(),
        latency_s=matrix("latency_ms").to_numpy() / 1e3,
        spread=matrix("spread").fillna(0.0).to_numpy(),
        failed=matrix("failed").to_numpy() == 1,
        tdp_w=rows.groupby("device")["tdp_w"].first().loc[list(devices)].to_numpy(float),
    )


def pair_weights(pairs: pd.DataFrame, kind: str, applications: dict[str, float]) -> np.ndarray:
    """Return the weight of each pair; they sum to 1.

    Args:
        pairs: columns of PAIR.
        kind: what counts the same: ``use-case`` (an application on a delegate), ``application``, ``network``, ``pair``.
        applications: factor of applications that count more or less; 1 for those not named.

    Raises:
        EdgejouleError: every application has weight 0.
    """
    groups = {
        "use-case": [["application", "slot"]],
        "application": [["application"]],
        "network": [["application", "network"]],
        "pair": [PAIR],
    }[kind]
    shares = 1.0 / pairs.groupby(groups[0], sort=False)["network"].transform("size").to_numpy(float)
    shares = shares * pairs["application"].map(applications).fillna(1.0).to_numpy(float)
    if len(pairs) and not shares.sum() > 0:
        raise EdgejouleError("key 'application_weights' of the applications file leaves no application with a weight")
    return shares / shares.sum() if len(pairs) else shares
