"""Stated rules that find odd recordings. They flag, with the reason; nothing is removed by hand."""

import json

import pandas as pd

#: Slowest tenth against the median: above this, the run has two modes (throttling, another process).
BIMODAL = 2.0
#: Power (or, where power is only declared, latency) of the last third of the window against the first.
DRIFT = 0.05
#: Idle power after the window against before; on the edge boards it falls by 3 %, by 13 % in one of a hundred runs.
IDLE_DRIFT = 0.3
#: A larger input cannot cost a third less on the same network.
RESOLUTION_DROP = 1 / 3
#: What one inference takes on any device that is known here, with much room on both sides (ms).
PLAUSIBLE_MS = (0.02, 60e3)
#: What a device of each class draws while it works, with much room on both sides (W).
PLAUSIBLE_W = {
    "microcontroller": (1e-5, 10),
    "phone": (0.01, 50),
    "board": (0.05, 500),
    "computer": (0.1, 1e4),
    "accelerator": (0.01, 1e4),
}


def flag_networks(rows: pd.DataFrame, zoo: pd.DataFrame) -> pd.DataFrame:
    """Return ``rows`` of table NETWORKS with ``quality`` and ``reason`` set by the rules of this module.

    Rows that failed stay failed; a reason that is there already stays and is joined by ``; ``.
    """
    if rows.empty:
        return rows
    reasons = rows["reason"].fillna("").map(lambda text: [text] if text else [])
    ratio = rows["latency_p90_ms"] / rows["latency_p50_ms"]
    _add(reasons, ratio > BIMODAL, ratio, "latency has two modes (90th percentile {:.2f} x median)")
    drift = rows["drift"]
    _add(reasons, drift.abs() > DRIFT, drift * 100, "drift of {:+.1f} % within the window")
    idle = rows["idle_after_w"] / rows["idle_before_w"] - 1
    _add(reasons, idle.abs() > IDLE_DRIFT, idle * 100, "idle power {:+.0f} % after the window against before")
    drop = _resolution_drop(rows, zoo)
    _add(
        reasons,
        drop > RESOLUTION_DROP,
        drop * 100,
        "costs {:.0f} % less than, or more than, its neighbour in resolution",
    )
    joined = reasons.map("; ".join)
    quality = rows["quality"].where(rows["quality"] == "failed", joined.map(lambda text: "flagged" if text else "ok"))
    return rows.assign(quality=quality, reason=joined)


def flag_implausible(rows: pd.DataFrame, device_class: str) -> pd.DataFrame:
    """Return ``rows`` with those flagged whose latency or power no device of the class has: their unit may be wrong.

    Figures that are all off by the same unit agree with each other, and pass every check of consistency.
    """
    if rows.empty:
        return rows
    quality, reason = rows["quality"], rows["reason"].fillna("")
    for column, (least, most), template in (
        ("latency_ms", PLAUSIBLE_MS, "{:.4g} ms for an inference is implausible: is the unit right?"),
        ("power_w", PLAUSIBLE_W[device_class], f"{{:.4g}} W is implausible for a {device_class}: is the unit right?"),
    ):
        hit = (rows[column] < least) | (rows[column] > most)
        told = (reason + "; " + rows[column].map(template.format)).str.removeprefix("; ")
        quality, reason = quality.mask(hit & (quality == "ok"), "flagged"), reason.mask(hit, told)
    return rows.assign(quality=quality, reason=reason)


def _add(reasons: pd.Series, hit: pd.Series, values: pd.Series, template: str) -> None:
    for index in reasons.index[hit.fillna(False)]:
        reasons[index].append(template.format(values[index]))


def _without_side(row: pd.Series) -> str:
    """Return builder and arguments without the input size: networks that share them differ in nothing else."""
    sides = {int(length) for length in row["input"].split("x")[1:]}
    arguments = {key: value for key, value in json.loads(row["arguments"]).items() if value not in sides}
    return json.dumps([row["builder"], arguments], sort_keys=True)


def _resolution_drop(rows: pd.DataFrame, zoo: pd.DataFrame) -> pd.Series:
    """Return by how much energy falls where resolution rises; both neighbours get it, one of them must be wrong."""
    known = zoo.drop_duplicates("network").set_index("network")
    network = rows["network"]
    line = pd.DataFrame(
        {
            "series": network.map(known.apply(_without_side, axis=1)).astype("string") + rows["precision"],
            "height": pd.to_numeric(network.map(known["input"]).astype("string").str.extract(r"x(\d+)x")[0]),
            "cost": rows["energy_mj"].fillna(rows["latency_ms"]),
        }
    ).dropna()
    result = pd.Series(0.0, index=rows.index)
    for _, group in line.groupby("series"):
        group = group.sort_values("height")
        costs = group["cost"].to_numpy()
        for left, right, low, high in zip(group.index, group.index[1:], costs, costs[1:], strict=False):
            fall = 1 - high / low
            result[left], result[right] = max(result[left], fall), max(result[right], fall)
    return result
