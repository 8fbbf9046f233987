"""One device's predictor: latency, power and energy that agree with each other, each with an interval."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import pandas as pd

from edgejoule.predictors.domain import Domain
from edgejoule.predictors.ensemble import KernelTotals
from edgejoule.predictors.features import Features
from edgejoule.predictors.folds import FEW, MOST
from edgejoule.predictors.intervals import difficulty, half_widths
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.predictors.linear import NonNegativeLinear
from edgejoule.predictors.metered import as_energies
from edgejoule.predictors.metered import metered as has_energies
from edgejoule.predictors.times import ForestPerKind
from edgejoule.predictors.trees import TreesNetwork
from edgejoule.tables.vocabulary import METRICS

#: How to make an untrained model of one cost from networks' totals, by the name of the predictor.
MODELS: dict[str, Callable] = {
    "edgejoule": KernelTotals,
    "random-forest-network": partial(TreesNetwork, "random-forest"),
    "gbm-network": partial(TreesNetwork, "gbm"),
    "macs-linear": partial(NonNegativeLinear, "macs"),
    "macs-bytes-linear": partial(NonNegativeLinear, "macs-bytes"),
}

#: How to make an untrained model of latency from kernels' own times, where a recording has them.
KERNEL_MODELS: dict[str, Callable] = {
    "edgejoule": FromKernels,
    "random-forest-per-kernel": partial(FromKernels, ForestPerKind),
}

#: Predictors that fit power by a model of its own. Trees learn a ratio better than two of them, of which each errs on
#: its own, make it; what is linear in sums over kernels does not, as powers do not add up.
OWN_POWER = ("random-forest-network", "gbm-network")

#: Power that varies by less than this (relative) is a declared constant: energy is latency times it.
CONSTANT = 1e-6

#: Predictors that state intervals.
WITH_INTERVALS = ("edgejoule",)


@dataclass(frozen=True)
class Costs:
    """Measured costs of a device's networks; NaN where there is none.

    Attributes:
        family: family of each network, shape (n,).
        metrics: measured values by metric, each shape (n,): ms, W, mJ, mJ.
    """

    family: np.ndarray
    metrics: dict[str, np.ndarray]

    @classmethod
    def of(cls, networks: pd.DataFrame) -> Self:
        """Return the costs in ``networks`` (columns of results/datasets/networks.parquet)."""
        metrics = {metric: networks[metric].to_numpy(float) for metric in METRICS}
        return cls(networks["family"].to_numpy(object), metrics)

    @property
    def idle_w(self) -> np.ndarray:
        """Idle power of each run, as its energy above idle implies it, shape (n,)."""
        above_mj, energy_mj = self.metrics["energy_above_idle_mj"], self.metrics["energy_mj"]
        return (energy_mj - above_mj) / self.metrics["latency_ms"]

    @property
    def metered(self) -> np.ndarray:
        """Which networks have an energy, shape (n,)."""
        return np.isfinite(self.metrics["energy_mj"])

    def take(self, rows: np.ndarray) -> Self:
        """Return the chosen rows; ``rows`` are positions or a mask."""
        return type(self)(self.family[rows], {metric: value[rows] for metric, value in self.metrics.items()})


class DevicePredictor:
    """Latency and energy by one model each; power and energy above idle follow from them.

    Power is energy / latency, and energy above idle is energy - idle power x latency with the idle power's median over
    the training networks, so the four metrics cannot contradict each other. The baselines of ``OWN_POWER`` have a third
    model for power, and theirs can.

    Where kernels have times of their own, the latency of ``edgejoule`` and ``random-forest-per-kernel`` is learned from
    them; where a meter saw the energy of kernels alone, so is energy. Where power is a declared constant, energy is
    latency times that constant.

    Args:
        name: predictor, a key of ``MODELS`` or ``KERNEL_MODELS``.
    """

    def __init__(self, name: str = "edgejoule") -> None:
        self.name = name

    def fit(self, features: Features, costs: Costs) -> Self:
        """Train on the networks of a device; a device without energies gets a predictor of latency only."""
        self.domain = Domain.of(features)
        models = KERNEL_MODELS if self.name in KERNEL_MODELS and features.rows is not None else MODELS
        latency_ms, energy_mj = costs.metrics["latency_ms"], costs.metrics["energy_mj"]
        self.latency = models[self.name]().fit(features, latency_ms, costs.family)
        metered = costs.metered
        self.energy = self.power = None
        self.watts = self.idle_w = float("nan")
        if metered.any():
            power_w = energy_mj[metered] / latency_ms[metered]
            if np.ptp(power_w) < CONSTANT * power_w.mean():
                self.watts = float(power_w.mean())
            elif self.name in KERNEL_MODELS and has_energies(features):
                alone = as_energies(features.take(metered))
                self.energy = KERNEL_MODELS[self.name]().fit(alone, energy_mj[metered], costs.family[metered])
            else:
                totals = MODELS.get(self.name, KernelTotals)()
                self.energy = totals.fit(features.take(metered), energy_mj[metered], costs.family[metered])
                if self.name in OWN_POWER:
                    own = MODELS[self.name]()
                    self.power = own.fit(features.take(metered), power_w, costs.family[metered])
            idle = costs.idle_w[np.isfinite(costs.idle_w)]
            if len(idle):
                self.idle_w = float(np.median(idle))
        self.half_width = {}
        return self

    def fit_with_intervals(self, features: Features, costs: Costs) -> Self:
        """Train as ``fit`` does, and learn the intervals from families left out inside the training networks."""
        # Learning from kernels takes a hundred times longer than from totals.
        folds = MOST if features.rows is None else FEW
        half_width = half_widths(lambda: DevicePredictor(self.name), features, costs, folds)
        self.fit(features, costs)
        self.half_width = half_width
        return self

    def values(self, features: Features) -> dict[str, np.ndarray]:
        """Return every metric's predictions by name, each shape (n,); NaN where the predictor abstains."""
        latency = self.latency.predict(features)
        energy = self.watts * latency if self.energy is None else self.energy.predict(features)
        power = energy / latency if self.power is None else self.power.predict(features)
        return {
            "latency_ms": latency,
            "power_w": power,
            "energy_mj": energy,
            "energy_above_idle_mj": energy - self.idle_w * latency,
        }

    def difficulties(self, features: Features, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return by metric how hard each network is, shape (n,); half-widths of intervals are in proportion to it.

        Power is as hard as latency and energy together, whose ratio it is.

        Args:
            features: n networks.
            values: what ``values`` predicts for them.
        """
        distance = self.domain.distance(features)
        latency = self.latency.disagreement(features, values["latency_ms"])
        energy = latency if self.energy is None else self.energy.disagreement(features, values["energy_mj"])
        spread = {
            "latency_ms": latency,
            "power_w": np.hypot(latency, energy),
            "energy_mj": energy,
            "energy_above_idle_mj": energy,
        }
        return {metric: difficulty(value, distance) for metric, value in spread.items()}

    def widths(self, features: Features, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return by metric the half-width of the 90 % interval in logarithms, shape (n,); NaN where there is none.

        Args:
            features: n networks.
            values: what ``values`` predicts for them.
        """
        if not self.half_width:
            return dict.fromkeys(METRICS, np.full(len(features), np.nan))
        hard = self.difficulties(features, values)
        return {metric: self.half_width.get(metric, float("nan")) * hard[metric] for metric in METRICS}

    def predict(self, features: Features) -> pd.DataFrame:
        """Return ``network, precision, metric, predicted, lower, upper``, four rows per network.

        Bounds are of the 90 % interval, NaN where the predictor states none.
        """
        values = self.values(features)
        widths = self.widths(features, values)
        predicted = np.concatenate(list(values.values()))
        factor = np.exp(np.concatenate([widths[metric] for metric in values]))
        return pd.DataFrame(
            {
                "network": np.tile(features.networks, len(values)),
                "precision": np.tile(features.precision, len(values)),
                "metric": np.repeat(np.array(list(values), object), len(features)),
                "predicted": predicted,
                "lower": predicted / factor,
                "upper": predicted * factor,
            }
        )

    def kernel_costs(self, kernels: Features, network: np.ndarray, networks: Features) -> dict[str, np.ndarray]:
        """Return ``latency_ms`` and, with a meter, ``energy_mj`` of each kernel, shape (k,): its share of its network.

        Args:
            kernels: k kernels.
            network: the row of ``networks`` that each kernel belongs to, shape (k,).
            networks: the features of whole networks.
        """
        latency = self.latency.per_kernel(kernels, network, networks)
        if self.energy is not None:
            return {"latency_ms": latency, "energy_mj": self.energy.per_kernel(kernels, network, networks)}
        return {"latency_ms": latency} | ({} if np.isnan(self.watts) else {"energy_mj": self.watts * latency})

    @property
    def needs_kernels(self) -> bool:
        """Whether features must carry single kernels."""
        return any(isinstance(model, FromKernels) for model in (self.latency, self.energy))

    def to_dict(self) -> dict:
        """Return the predictor ``edgejoule`` as JSON-able values."""
        return {
            "latency": self.latency.to_dict(),
            "energy": None if self.energy is None else self.energy.to_dict(),
            "watts": None if np.isnan(self.watts) else self.watts,
            "idle_w": None if np.isnan(self.idle_w) else self.idle_w,
            "half_width": self.half_width,
            "domain": self.domain.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the predictor that ``to_dict`` described."""
        predictor = cls("edgejoule")
        form = FromKernels if value["latency"]["form"] == "kernels" else KernelTotals
        predictor.latency = form.from_dict(value["latency"])
        predictor.energy = predictor.power = None
        if value["energy"] is not None:
            form = FromKernels if value["energy"]["form"] == "kernels" else KernelTotals
            predictor.energy = form.from_dict(value["energy"])
        predictor.watts = float("nan") if value["watts"] is None else value["watts"]
        predictor.idle_w = float("nan") if value["idle_w"] is None else value["idle_w"]
        predictor.half_width = dict(value["half_width"])
        predictor.domain = Domain.from_dict(value["domain"])
        return predictor
