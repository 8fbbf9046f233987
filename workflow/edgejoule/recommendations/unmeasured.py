"""Networks that a device has not run yet: what its trained predictor says, and measuring one of them now."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import norm

from edgejoule.config import load_device
from edgejoule.config.load import read_yaml
from edgejoule.datasets.device import derive_device
from edgejoule.errors import EdgejouleError
from edgejoule.measure.live import record_device
from edgejoule.predictors import ServedPredictor
from edgejoule.recommendations.catalogue import Catalogue, build_catalogue, licences
from edgejoule.recommendations.predicted import INTERVAL, Prediction
from edgejoule.tables import read_table
from edgejoule.tables.contracts import NETWORKS


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
    if measured.accounting != "gross":
        raise EdgejouleError("a trained predictor is asked for gross energies; use --accounting gross")
    ours = kernels[kernels["runtime"] == predictor.runtime]
    others = set(zoo["network"]) - set(measured.network) - set(measured.excluded["network"])
    ours = ours[ours["network"].isin(others)]
    figures = pd.DataFrame()
    if len(ours):
        rows = predictor.predict_many(ours)
        figures = rows.pivot_table(index="network", columns="metric", values=["predicted", "lower", "upper"])
    wanted = [("predicted", "energy_mj"), ("predicted", "latency_ms"), ("lower", "energy_mj"), ("upper", "energy_mj")]
    if not len(figures) or any(column not in figures for column in wanted):
        raise EdgejouleError(
            f"the zoo has no further network whose kernels are known for '{measured.device}' and whose energy its "
            "predictor states with an interval; use --energies measured"
        )
    figures = figures[wanted]
    unlike = figures.index[figures[("predicted", "energy_mj")].notna() & figures[("upper", "energy_mj")].isna()]
    reason = "unlike the training networks: its prediction has no interval"
    unstated = pd.DataFrame({"network": unlike.to_numpy(dtype=object), "reason": reason})
    figures = figures.dropna()
    about = zoo.set_index("network").reindex(figures.index)
    able = about["top1"].notna()
    figures, about = figures[able], about[able]
    spread = np.log(figures[("upper", "energy_mj")] / figures[("lower", "energy_mj")])
    spread = spread.to_numpy(float) / (2 * norm.ppf((1 + INTERVAL) / 2))
    count = len(figures)
    excluded = pd.concat([measured.excluded, unstated], ignore_index=True).astype(str)
    catalogue = replace(measured, excluded=excluded).extended(
        network=figures.index.to_numpy(dtype=object),
        family=about["family"].to_numpy(dtype=object),
        precision=about["precision"].to_numpy(dtype=object),
        energy_mj=figures[("predicted", "energy_mj")].to_numpy(float),
        latency_ms=figures[("predicted", "latency_ms")].to_numpy(float),
        latency_p90_ms=np.full(count, np.nan),
        top1=about["top1"].to_numpy(float),
        licence=licences(about["licence"]),
    )
    return Prediction(
        catalogue,
        np.concatenate([measured.energy_mj, np.full(count, np.nan)]),
        np.concatenate([np.zeros(len(measured)), spread]),
        np.concatenate([np.ones(len(measured), bool), np.zeros(count, bool)]),
        np.zeros(len(measured) + count),
    )


def live_measurement(device_file: Path, zoo: Path, work: Path) -> Callable[[str], float]:
    """Return a function that measures a network on a live device, now, and returns its gross energy (mJ).

    Each call records one network by the device's own protocol into ``work/<network>``, and derives it as the pipeline
    does; what was recorded before is not recorded again.

    Raises:
        EdgejouleError: the device is not live; from the function: the network cannot be measured.
    """
    content = read_yaml(device_file)
    device = load_device(device_file)
    if device.source.kind != "live":
        raise EdgejouleError(f"{device_file}: source is '{device.source.kind}'; --live needs a device of source 'live'")

    def measure(network: str) -> float:
        folder = work / network
        own_file = folder / f"{device.name}.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        only = content | {"source": content["source"] | {"networks": [network]}}
        own_file.write_text(yaml.safe_dump(only, sort_keys=True), encoding="utf-8")
        if not (folder / "recording" / "recording.json").is_file():
            record_device(own_file, zoo, folder / "work", folder / "recording")
        derive_device(load_device(own_file), folder / "recording" / "recording.json", zoo, folder)
        path = folder / "networks.parquet"
        found = build_catalogue(read_table(path, NETWORKS), where=str(path), device=device.name)
        if network not in set(found.network):
            why = found.excluded.set_index("network")["reason"].get(network, "it was not recorded")
            raise EdgejouleError(f"'{network}' cannot be measured on '{device.name}': {why}")
        return float(found.energy_mj[found.network == network][0])

    return measure
