"""Networks that a device has not run yet: what its trained predictor says, and measuring one of them now."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from edgejoule.config import load_device
from edgejoule.config.load import read_yaml
from edgejoule.datasets.device import derive
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.measure.live import record_device
from edgejoule.predictors import ServedPredictor
from edgejoule.recommendations.catalogue import Catalogue, Cost, build_catalogue, licences
from edgejoule.recommendations.predicted import Prediction, interval_spread
from edgejoule.traces import read_recording


def zoo_prediction(
    measured: Catalogue, predictor: ServedPredictor, kernels: pd.DataFrame, zoo: pd.DataFrame
) -> Prediction:
    """Return a device's measured networks, known, and the rest of the zoo as its predictor sees it.

    Args:
        measured: what the device has measured, accounting gross.
        predictor: trained on them.
        kernels: table ``graph-kernels`` of the zoo.
        zoo: table ``zoo``; networks without a published top-1 cannot be chosen.

    Raises:
        EdgejouleError: the accounting is another one, or the predictor states no energies or no intervals.
    """
    about = _not_run(measured, zoo)
    ours = kernels[(kernels["runtime"] == predictor.runtime) & kernels["network"].isin(about.index)]
    figures = _figures(predictor.predict_many(ours) if len(ours) else None, f"the predictor of '{measured.device}'")
    unknown = f"its kernels under '{predictor.runtime}' are not known"
    return _extended(measured, about, figures, ours["network"], unknown)


def file_prediction(measured: Catalogue, predictions: pd.DataFrame, zoo: pd.DataFrame, where: str) -> Prediction:
    """Return a device's measured networks, known, and the rest of the zoo as table ``predictions`` has it.

    Args:
        measured: what the device has measured, accounting gross.
        predictions: table ``predictions`` of the same device.
        zoo: table ``zoo``; networks without a published top-1 cannot be chosen.
        where: the file of the predictions, for messages.

    Raises:
        EdgejouleError: the accounting is another one, or the predictions are another device's or have no energies.
    """
    devices = sorted(set(predictions["device"]))
    if devices != [measured.device]:
        raise EdgejouleError(
            f"{where}: holds predictions for {', '.join(devices) or 'no device'}, not for '{measured.device}'; "
            "`edgejoule predictors transfer` makes them"
        )
    about = _not_run(measured, zoo)
    return _extended(measured, about, _figures(predictions, where), predictions["network"], f"not in {where}")


def _not_run(measured: Catalogue, zoo: pd.DataFrame) -> pd.DataFrame:
    """Return the networks of the zoo, by name, that a device has not run."""
    if measured.accounting != "gross":
        raise EdgejouleError("networks that were not run have predicted gross energies; use --accounting gross")
    return zoo[~zoo["network"].isin([*measured.network, *measured.excluded["network"]])].set_index("network")


def _extended(
    measured: Catalogue, about: pd.DataFrame, figures: pd.DataFrame, known: pd.Series, unknown: str
) -> Prediction:
    """Return what a device has measured, and those of the other networks that have an accuracy and an interval.

    Args:
        measured: what the device has measured.
        about: rows of table ``zoo`` of other networks, by name.
        figures: their predictions, as ``_figures`` gives them.
        known: names of networks of which there is something to predict from.
        unknown: what others are left out for.
    """
    figures = figures.reindex(about.index)
    reasons = pd.Series("", index=about.index)
    for failed, reason in (
        (about["top1"].isna(), "no ImageNet top-1"),
        (~about.index.isin(known), unknown),
        (figures["energy_mj"].isna() | figures["latency_ms"].isna(), "the device's predictor declines it"),
        (
            figures[["upper_mj", "upper_ms"]].isna().any(axis=1),
            "unlike the training networks: its prediction has no interval",
        ),
    ):
        reasons = reasons.mask((reasons == "") & failed, reason)
    able = reasons == ""
    left_out = pd.DataFrame({"network": about.index[~able], "reason": reasons[~able].to_numpy()})
    figures, about = figures[able], about[able]
    count, recorded = len(figures), np.zeros(len(measured))
    spread, latency_spread = (
        np.concatenate([recorded, interval_spread(*figures[[f"lower_{unit}", f"upper_{unit}"]].to_numpy(float).T)])
        for unit in ("mj", "ms")
    )
    excluded = pd.concat([measured.excluded, left_out], ignore_index=True).astype(str)
    catalogue = replace(measured, excluded=excluded).extended(
        network=figures.index.to_numpy(dtype=object),
        family=about["family"].to_numpy(dtype=object),
        precision=about["precision"].to_numpy(dtype=object),
        energy_mj=figures["energy_mj"].to_numpy(float),
        latency_ms=figures["latency_ms"].to_numpy(float),
        latency_p90_ms=np.full(count, np.nan),
        top1=about["top1"].to_numpy(float),
        licence=licences(about["licence"]),
        predicted=np.ones(count, bool),
        latency_bound_ms=figures["latency_ms"].to_numpy(float),
    )
    return Prediction(
        catalogue,
        np.concatenate([measured.energy_mj, np.full(count, np.nan)]),
        spread,
        latency_spread,
        waiting_mj=np.zeros(len(measured) + count),
    )


def _figures(rows: pd.DataFrame | None, whose: str) -> pd.DataFrame:
    """Return ``energy_mj``, ``latency_ms`` and bounds of both by network; no rows for None.

    Args:
        rows: ``network, metric, predicted, lower, upper``.
        whose: whose predictions they are, for messages.
    """
    columns = {
        "energy_mj": ("predicted", "energy_mj"),
        "lower_mj": ("lower", "energy_mj"),
        "upper_mj": ("upper", "energy_mj"),
        "latency_ms": ("predicted", "latency_ms"),
        "lower_ms": ("lower", "latency_ms"),
        "upper_ms": ("upper", "latency_ms"),
    }
    if rows is None:
        return pd.DataFrame(columns=list(columns), dtype=float)
    table = rows.pivot_table(index="network", columns="metric", values=["predicted", "lower", "upper"])
    if any(column not in table for column in columns.values()):
        raise EdgejouleError(
            f"{whose} states no energy and latency with intervals for any network that was not run; "
            "use --energies measured"
        )
    return pd.DataFrame({name: table[column] for name, column in columns.items()})


def live_measurement(device_file: Path, zoo: Path, work: Path) -> Callable[[str], Cost]:
    """Return a function that measures a network on a live device, now, and returns what it costs, energy gross.

    Each call records one network by the device's own protocol into ``work/<network>``, and derives its cost as the
    pipeline does; what was recorded before is not recorded again.

    Raises:
        EdgejouleError: the device is not live; from the function: the network cannot be measured.
    """
    content = read_yaml(device_file)
    device = load_device(device_file)
    if device.source.kind != "live":
        raise EdgejouleError(f"{device_file}: source is '{device.source.kind}'; --live needs a device of source 'live'")

    def measure(network: str) -> Cost:
        folder = work / network
        own_file = folder / f"{device.name}.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        # The network alone: no references, and no kernels, whose plan would be needed.
        protocol = content["source"].get("protocol", {}) | {"kernels": 0}
        only = content | {
            "source": content["source"] | {"networks": [network], "references": False, "protocol": protocol}
        }
        own_file.write_text(yaml.safe_dump(only, sort_keys=True), encoding="utf-8")
        if not (folder / "recording" / "recording.json").is_file():
            record_device(own_file, zoo, folder / "work", folder / "recording")
        known = read_zoo(zoo)
        recording = read_recording(folder / "recording", whole=False)
        rows = derive(recording, device, known, references=known)["networks"]
        found = build_catalogue(rows, where=str(folder / "recording"), device=device.name)
        if network not in set(found.network):
            why = found.excluded.set_index("network")["reason"].get(network, "it was not recorded")
            raise EdgejouleError(f"'{network}' cannot be measured on '{device.name}': {why}")
        (at,) = np.flatnonzero(found.network == network)
        return Cost(float(found.energy_mj[at]), float(found.latency_ms[at]), float(found.latency_p90_ms[at]))

    return measure
