"""Idle baselines: before, between and after events, per event and for a whole recording."""

import pandas as pd

from edgejoule.traces.energy import event_energy
from edgejoule.traces.recording import Recording


def idle_power(recording: Recording, energies: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the idle baseline before and after each event that is not idle.

    Args:
        recording: the recording.
        energies: what ``event_energy`` returned for it; computed where not given.

    Returns:
        One row per event that is not idle, in their order: ``event``, ``idle_before_w``, ``idle_after_w``, ``idle_w``
        (their mean, or the one there is); null where there is none. An idle event that names a workload belongs to the
        events of that workload and pass; one that names none, to all.
    """
    energies = event_energy(recording) if energies is None else energies
    events = recording.events.assign(idle_w=energies["idle_w"])
    is_idle = events["kind"] == "idle"
    idle = events[is_idle & events["idle_w"].notna()]
    result = events.loc[~is_idle, ["event", "start_ns", "end_ns", "workload", "pass"]]
    own, shared = idle[idle["workload"].notna()], idle[idle["workload"].isna()]
    for name, column, edge, direction in (
        ("idle_before_w", "start_ns", "end_ns", "backward"),
        ("idle_after_w", "end_ns", "start_ns", "forward"),
    ):
        nearest = {"left_on": column, "right_on": "edge", "direction": direction}
        rows = result.reset_index(names="row").sort_values(column)
        first = _edges(own, edge, ["workload", "pass"])
        second = _edges(shared, edge, [])
        found = pd.merge_asof(rows, first, by=["workload", "pass"], **nearest).set_index("row")["idle_w"]
        other = pd.merge_asof(rows, second, **nearest).set_index("row")["idle_w"]
        result[name] = found.fillna(other)
    result["idle_w"] = result[["idle_before_w", "idle_after_w"]].mean(axis=1)
    return result.drop(columns=["start_ns", "end_ns", "workload", "pass"])


def _edges(idle: pd.DataFrame, edge: str, by: list[str]) -> pd.DataFrame:
    return idle[[*by, edge, "idle_w"]].rename(columns={edge: "edge"}).sort_values("edge")
