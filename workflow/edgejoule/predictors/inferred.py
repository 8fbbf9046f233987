"""Kernels' energies recovered from networks' totals: the predictor's shares, with intervals by the bootstrap."""

from dataclasses import replace

import numpy as np
import pandas as pd

from edgejoule.predictors.device import Costs, DevicePredictor
from edgejoule.predictors.features import Features, kernel_features, network_features
from edgejoule.tables import empty
from edgejoule.tables.contracts import KERNEL_COSTS
from edgejoule.tables.vocabulary import BEYOND_DEAREST

BOOTSTRAP = 40


def inferred_kernels(
    rows: pd.DataFrame,
    kernels: pd.DataFrame,
    features: Features,
    costs: Costs,
    predictor: DevicePredictor,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row per unique kernel configuration of the measured networks (columns of KERNEL_COSTS).

    A kernel's energy is its share of its network's predicted energy, averaged over the networks that have it. The
    interval is the 5 to 95 % range over predictors that were trained on networks drawn with replacement: it holds the
    uncertainty of the split between kernels, not the error of the model's form. Latency and energy are split by models
    of their own, each true to its totals; where their ratio is no power of the device, power and energy above idle are
    null and the row is flagged. A device whose energy is latency times a constant has none to share out: no rows.

    Args:
        rows: the measured networks, as ``training_set`` returns them.
        kernels: their kernels.
        features, costs: of ``rows``, in their order.
        predictor: trained on all of them.
        seed: seed of the draws.
    """
    if not costs.metered.any() or rows["origin"].iloc[0] == "estimated":
        return empty(KERNEL_COSTS)
    if features.rows is not None:
        # What is inferred is inferred from totals; kernels that were measured stand in the datasets.
        features = replace(features, rows=None)
        predictor = DevicePredictor(predictor.name).fit(features, costs)
    measured = pd.MultiIndex.from_frame(rows[["network", "precision"]])
    kernels = kernels[pd.MultiIndex.from_frame(kernels[["network", "precision"]]).isin(measured)].reset_index(drop=True)
    each, whole = kernel_features(kernels), network_features(kernels)
    position = {key: i for i, key in enumerate(zip(whole.networks, whole.precision, strict=True))}
    network = np.array([position[key] for key in zip(each.networks, each.precision, strict=True)])
    unique, names = pd.factorize(kernels["kernel"] + " " + kernels["precision"])

    def mean_per_kernel(values: np.ndarray) -> np.ndarray:
        return np.bincount(unique, values, len(names)) / np.bincount(unique, minlength=len(names))

    def share(of: DevicePredictor) -> dict[str, np.ndarray]:
        return {metric: mean_per_kernel(v) for metric, v in of.kernel_costs(each, network, whole).items()}

    central = share(predictor)
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(BOOTSTRAP):
        drawn = _draw_within(features.precision, random)
        model = DevicePredictor(predictor.name).fit(features.take(drawn), costs.take(drawn))
        draws.append(share(model)["energy_mj"])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    first = kernels.loc[~pd.Series(unique).duplicated()].reset_index(drop=True)
    # A share of nothing is the fit's way to say that totals do not tell: a kernel that runs takes time and energy.
    energy, latency = (np.where(central[metric] > 0, central[metric], np.nan) for metric in ("energy_mj", "latency_ms"))
    about = rows.iloc[0]
    idle_w, dearest_w = predictor.idle_w, float(np.nanmax(costs.metrics["power_w"]))
    table = pd.DataFrame(
        {
            "device": about["device"],
            "board": about["board"],
            "kernel": first["kernel"],
            "kind": first["kind"],
            "precision": first["precision"],
            "runtime": about["runtime"],
            "kernel_source": "zoo",
            "latency_ms": latency,
            "energy_mj": energy,
            **judged_powers(energy, latency, idle_w, dearest_w),
            "origin": "inferred",
            "power_scope": about["power_scope"],
            "source": "results/datasets/networks.parquet",
            "lower_mj": np.minimum(low, energy),
            "upper_mj": np.maximum(high, energy),
            "networks": np.bincount(unique, minlength=len(names)),
        }
    )
    absent = [column.name for column in KERNEL_COSTS.columns if column.name not in table]
    return table.assign(**dict.fromkeys(absent, np.nan)).sort_values("kernel", ignore_index=True)


def judged_powers(energy_mj: np.ndarray, latency_ms: np.ndarray, idle_w: float, dearest_w: float) -> dict[str, list]:
    """Return ``power_w``, ``energy_above_idle_mj``, ``quality`` and ``reason`` of n kernels.

    A network's power is the mean of its kernels' over time, so that a kernel may take more than any network, but not
    many times as much, and none takes less than an idle device. Where two shares make such a power, it is not stated.

    Args:
        energy_mj, latency_ms: their shares, shape (n,); NaN where totals give them none.
        idle_w: idle power of the device; NaN where it is unknown.
        dearest_w: power of its dearest network.
    """
    least, most = np.nan_to_num(idle_w), BEYOND_DEAREST * dearest_w
    power = energy_mj / latency_ms
    possible = (power > least) & (power <= most)
    reasons = np.full(len(power), "", object)
    reasons[~possible] = [
        "the totals of networks give it no share of latency or energy"
        if np.isnan(each)
        else f"its energy and latency make {each:.3g} W, no power of this device ({least:.3g} to {most:.3g} W)"
        for each in power[~possible]
    ]
    return {
        "power_w": np.where(possible, power, np.nan),
        "energy_above_idle_mj": np.where(possible, energy_mj - idle_w * latency_ms, np.nan),
        "quality": np.where(possible, "ok", "flagged"),
        "reason": reasons,
    }


def _draw_within(precision: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return positions drawn with replacement, as many of each precision as there are."""
    parts = [np.flatnonzero(precision == p) for p in np.unique(precision)]
    return np.concatenate([random.choice(part, len(part)) for part in parts])
