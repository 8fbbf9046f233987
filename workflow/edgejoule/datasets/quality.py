"""Stated rules that find odd recordings. They flag, with the reason; nothing is removed by hand."""

import json

import pandas as pd

#: Slowest tenth against the median: above this, the run has two modes (throttling, another process).
BIMODAL = 2.0
#: Power (or, where power is only declared, latency) of the last third of the window against the first.
DRIFT = 0.05
#: A larger input cannot cost a third less on the same network.
RESOLUTION_DROP = 1 / 3


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
