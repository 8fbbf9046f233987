"""What stands between the predictor and the recording's own noise: one thing left out, or made known, at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from edgejoule.predictors.alone import evidence_of
from edgejoule.predictors.ensemble import KernelTotals
from edgejoule.predictors.features import Features
from edgejoule.predictors.folds import family_folds
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.predictors.rows import KernelRows
from edgejoule.predictors.times import RooflineTrees
from edgejoule.tables import empty
from edgejoule.tables.contracts import ABLATION
from edgejoule.validation.kernels import GROUPS, Device, errors_of
from edgejoule.validation.noise import disagreement


class _Told(FromKernels):
    """As ``FromKernels``, with the profiler's own times of the networks that are predicted, where it told them."""

    def _times(self, rows: KernelRows) -> np.ndarray:
        return np.where(np.isfinite(rows.duration_ms), rows.duration_ms, super()._times(rows))


class _Law(RooflineTrees):
    """Kernels by their law's roofline alone."""

    def predict(self, rows: KernelRows) -> np.ndarray:
        return self.law(rows)


@dataclass(frozen=True)
class Variant:
    """A predictor of latency that lacks something, or knows something that no predictor can.

    Attributes:
        name: what is left out or known.
        make: makes it, untrained.
        cheats: whether its kernels are learned from the networks that it predicts, too.
    """

    name: str
    make: Callable[[], FromKernels | KernelTotals]
    cheats: bool = False


VARIANTS = (
    Variant("the predictor", FromKernels),
    Variant("without times of kernels: networks' totals alone", KernelTotals),
    Variant("without times inside networks: kernels alone", lambda: FromKernels(evidence=("zoo", "synthetic"))),
    Variant("without kernels alone: times inside networks", lambda: FromKernels(evidence=("nodes",))),
    Variant("without trees: a roofline per law", lambda: FromKernels(_Law)),
    Variant("without networks' latencies: the sum of the kernels", lambda: FromKernels(totals=False)),
    Variant("known: times of the family's kernels", FromKernels, cheats=True),
    Variant("known: times of each network's kernels", _Told, cheats=True),
)
NOISE = "known: all but the recording's noise"


def ablation(device: Device | None, passes: pd.DataFrame) -> pd.DataFrame:
    """Return rows of table ABLATION: errors on families left out, by what the predictor lacks or knows.

    Args:
        device: its networks, their kernels, and those measured alone.
        passes: the device's passes. Where they make two halves, a predictor that knows what both have in common is off
            by about half of what they differ by: the noise of a mean of two is that of their difference, halved.
    """
    if device is None:
        return empty(ABLATION)
    latency = device.costs.metrics["latency_ms"]
    rows = [
        {"device": device.name, "variant": variant.name} | errors_of(device, _predicted(device, variant), latency)
        for variant in VARIANTS
    ]
    halves = disagreement(passes[passes["kind"] == "network"])
    halves = halves.drop_duplicates("workload").set_index("workload")["disagreement_percent"]
    noise = halves.reindex(device.features.networks).to_numpy() / 2 / 100
    if np.isfinite(noise).any():
        rows.append({"device": device.name, "variant": NOISE} | errors_of(device, latency * (1 + noise), latency))
    return pd.DataFrame(rows)[ABLATION.names]


def _predicted(device: Device, variant: Variant) -> np.ndarray:
    """Return latency (ms) by predictors that were trained without the network's family, shape (n,)."""
    features, latency, family = device.features, device.costs.metrics["latency_ms"], device.costs.family
    predicted = np.full(len(features), np.nan)
    for out in family_folds(family, GROUPS):
        model = variant.make().fit(features.take(~out), latency[~out], family[~out])
        if variant.cheats:
            model.kernels = _knowing(features)
        predicted[out] = model.predict(features.take(out))
    return predicted


def _knowing(features: Features) -> RooflineTrees:
    """Return the model of kernels' times that is learned from all networks."""
    known = evidence_of(features.rows)
    return RooflineTrees().fit(known, known.duration_ms)
