"""How a meter behaved while it was observed: how often its readings change, idle, and whether its views agree."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.measure.noise import markdown
from edgejoule.measure.plan import METER
from edgejoule.traces import Rail, Recording, event_energy


def observation(recording: Recording) -> pd.DataFrame:
    """Return the events in which the meter itself was observed.

    Raises:
        EdgejouleError: it was not.
    """
    events = recording.events
    observed = events[events["workload"] == METER].reset_index(drop=True)
    if recording.trace is None or not (observed["kind"] == METER).any():
        raise EdgejouleError("the meter was not observed in this recording; it takes a meter and 'protocol.meter_s'")
    return observed


def update_table(recording: Recording) -> pd.DataFrame:
    """Return how often each rail's reading changes, and its idle power.

    Returns:
        One row per rail: ``rail, readings, changes``; ``update_ms`` (median time between two changes) and its
        percentiles ``update_p5_ms, update_p95_ms``; ``idle_before_w, idle_after_w`` (before and after all loads) and
        ``idle_drift_percent``.
    """
    observed, rows = observation(recording), []
    first, last = observed["start_ns"].min(), observed["end_ns"].max()
    for rail, energies in _by_rail(recording, observed):
        readings = recording.trace[recording.trace["rail"] == rail.name]
        readings = readings[readings["t_ns"].between(first, last)]
        stamps = readings["t_ns"].to_numpy()[readings[rail.column].diff().ne(0).to_numpy()]
        between = np.diff(stamps) / 1e6 if len(stamps) > 1 else np.array([np.nan])
        low, middle, high = np.quantile(between, [0.05, 0.5, 0.95])
        idle = energies.loc[observed["kind"] == "idle", "power_w"]
        rows.append(
            {
                "rail": rail.name,
                "readings": len(readings),
                "changes": len(stamps),
                "update_ms": float(middle),
                "update_p5_ms": float(low),
                "update_p95_ms": float(high),
                "idle_before_w": float(idle.iloc[0]),
                "idle_after_w": float(idle.iloc[-1]),
                "idle_drift_percent": float(100 * (idle.iloc[-1] / idle.iloc[0] - 1)),
            }
        )
    return pd.DataFrame(rows)


def agreement_table(recording: Recording) -> pd.DataFrame:
    """Return what each rail says of each load, and how far that is from the rail that counts.

    Returns:
        One row per load and rail: ``load_s, rail, energy_j, power_w, against_used_percent``.
    """
    observed = observation(recording)
    loads = observed["kind"] == METER
    used = sum(energies.loc[loads, "energy_j"] for rail, energies in _by_rail(recording, observed) if rail.used)
    parts = [
        pd.DataFrame(
            {
                "load_s": energies.loc[loads, "duration_s"],
                "rail": rail.name,
                "energy_j": energies.loc[loads, "energy_j"],
                "power_w": energies.loc[loads, "power_w"],
                "against_used_percent": 100 * (energies.loc[loads, "energy_j"] / used - 1),
            }
        )
        for rail, energies in _by_rail(recording, observed)
    ]
    return pd.concat(parts).sort_values(["load_s", "rail"], kind="stable", ignore_index=True)


def meter_report(recording: Recording) -> str:
    """Return both tables as Markdown."""
    return f"{markdown(update_table(recording), 2)}\n\n{markdown(agreement_table(recording), 2)}"


def _by_rail(recording: Recording, observed: pd.DataFrame) -> Iterator[tuple[Rail, pd.DataFrame]]:
    """Yield each rail and the energy of the observed events by that rail alone."""
    for rail in recording.rails:
        rails = [{**each, "used": each["name"] == rail.name} for each in recording.meta["rails"]]
        yield rail, event_energy(replace(recording, meta={**recording.meta, "rails": rails}, events=observed))
