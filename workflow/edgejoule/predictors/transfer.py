"""A new board from a few measured networks, with the devices of other boards as prior."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import norm

from edgejoule.errors import EdgejouleError
from edgejoule.predictors import gaussian
from edgejoule.predictors.device import Costs
from edgejoule.predictors.features import QUANTITIES, Features
from edgejoule.predictors.gaussian import Inputs
from edgejoule.predictors.intervals import COVERAGE
from edgejoule.predictors.linear import BASES, NonNegativeLinear, design

#: The basis whose terms' shares say what a network's cost is made of.
BASIS = "by-kind-and-window"
#: Terms of that basis whose shares are counted together: few networks cannot tell them apart.
_TOGETHER = (
    ("activations of convolutions", "activations of pointwise"),
    ("activations of depthwise 3x3", "activations of depthwise 5x5"),
    ("convolutions", "light kernels"),
)

#: From this many measured networks on, a linear model of them alone has a say.
ENOUGH = 10
OWN_BASIS = "by-kind"


@dataclass(frozen=True)
class Catalogue:
    """One device's measured networks.

    Attributes:
        device, board: which.
        features: n networks.
        costs: of the same networks, in the same order.
    """

    device: str
    board: str
    features: Features
    costs: Costs

    def ordered(self, networks: Sequence[str]) -> Self:
        """Return the catalogue of these networks only, in this order."""
        position = {network: i for i, network in enumerate(self.features.networks)}
        rows = np.array([position[network] for network in networks])
        return type(self)(self.device, self.board, self.features.take(rows), self.costs.take(rows))


def common_networks(catalogues: Sequence[Catalogue]) -> list[str]:
    """Return the networks that all devices measured, by name."""
    return sorted(set.intersection(*(set(catalogue.features.networks) for catalogue in catalogues)))


class Transfer:
    """Predicts a new board's costs from a few measured networks and the devices of other boards.

    Two Gaussian processes, one for the energy and one for the power relative to the known devices' geometric mean;
    latency is energy / power. On a device without a meter one process predicts latency. Hyper-parameters are learned by
    pretending that each known board in turn is new. Nothing of the new board enters before it is measured. From
    ``ENOUGH`` measured networks on, the geometric mean with a linear model of those networks alone is taken.

    Args:
        features: the catalogue's n networks as the new device executes them.
        priors: devices of other boards with the same networks in the same order.
        metered: whether the new device measures power.
    """

    def __init__(self, features: Features, priors: Sequence[Catalogue], metered: bool) -> None:
        if len({prior.board for prior in priors}) < 2:
            raise EdgejouleError("a transfer needs prior devices on at least two other boards; see prior_devices")
        self.features = features
        self.known = {}
        self.inputs, self.theta = {}, {}
        for metric in ("energy_mj", "power_w") if metered else ("latency_ms",):
            tasks = []
            for pretended in priors:
                others = [prior for prior in priors if prior.board != pretended.board]
                inputs, mean = _inputs(pretended.features, others, metric)
                tasks.append((inputs, np.log(pretended.costs.metrics[metric]) - mean))
            self.inputs[metric], self.known[metric] = _inputs(features, priors, metric)
            self.theta[metric] = gaussian.learn(tasks)
        if metered:
            shares = [np.median(prior.costs.idle_w / prior.costs.metrics["power_w"]) for prior in priors]
            self.idle_share = float(np.median(shares))

    def choose(self, many: int) -> np.ndarray:
        """Return the positions of the networks to measure on the new board, in order of worth, shape (many,)."""
        metric = next(iter(self.theta))
        return gaussian.choose(self.theta[metric], self.inputs[metric], many)

    def predict(self, chosen: np.ndarray, measured: Costs) -> pd.DataFrame:
        """Return ``network, precision, metric, predicted, lower, upper`` for all networks of the catalogue.

        Args:
            chosen: positions of the measured networks, shape (k,); none = what other boards alone tell.
            measured: their costs, in that order.
        """
        mean, spread = {}, {}
        for metric, theta in self.theta.items():
            values = np.log(measured.metrics[metric]) - self.known[metric][chosen]
            deviation, spread[metric] = gaussian.condition(theta, self.inputs[metric], chosen, values)
            mean[metric] = np.exp(self.known[metric] + deviation)
            own = self._own(metric, chosen, measured)
            mean[metric] = np.where(np.isfinite(own), np.sqrt(mean[metric] * own), mean[metric])
        if "energy_mj" in mean:
            idle_w = float(np.median(measured.idle_w)) if len(chosen) else self.idle_share * mean["power_w"]
            mean["latency_ms"] = mean["energy_mj"] / mean["power_w"]
            spread["latency_ms"] = np.hypot(spread["energy_mj"], spread["power_w"])
            above_w = np.maximum(mean["power_w"] - idle_w, 0.01 * mean["power_w"])
            mean["energy_above_idle_mj"] = above_w * mean["latency_ms"]
            spread["energy_above_idle_mj"] = np.hypot(
                spread["energy_mj"], spread["power_w"] * (mean["power_w"] / above_w - 1)
            )
        width = norm.ppf(0.5 + COVERAGE / 2)
        frames = [
            pd.DataFrame(
                {
                    "network": self.features.networks,
                    "precision": self.features.precision,
                    "metric": metric,
                    "predicted": mean[metric],
                    "lower": mean[metric] * np.exp(-width * spread[metric]),
                    "upper": mean[metric] * np.exp(width * spread[metric]),
                }
            )
            for metric in sorted(mean)
        ]
        return pd.concat(frames, ignore_index=True)

    def _own(self, metric: str, chosen: np.ndarray, measured: Costs) -> np.ndarray:
        """Return the cost by a linear model of the measured networks alone, shape (n,); NaN where it has no say."""
        if len(chosen) < ENOUGH or metric == "power_w":
            return np.full(len(self.features), np.nan)
        model = NonNegativeLinear(OWN_BASIS).fit(self.features.take(chosen), measured.metrics[metric])
        predicted = model.predict(self.features)
        return np.where(predicted > 0, predicted, np.nan)


def _inputs(features: Features, priors: Sequence[Catalogue], metric: str) -> tuple[Inputs, np.ndarray]:
    """Return what is known of the networks from other boards, and the mean log cost there, shape (n,)."""
    logs = np.stack([np.log(prior.costs.metrics[metric]) for prior in priors], axis=1)
    mean = logs.mean(axis=1)
    totals = np.log(np.stack([features.total(quantity) for quantity in QUANTITIES], axis=1) + 1e-3)
    totals = (totals - totals.mean(axis=0)) / np.maximum(totals.std(axis=0), 1e-6)
    shares = np.mean([_shares(features, prior, metric) for prior in priors], axis=0)
    return Inputs(totals, shares, logs - mean[:, None], features.precision == "int8"), mean


def _shares(features: Features, prior: Catalogue, metric: str) -> np.ndarray:
    """Return each term's share of the cost that the prior device's coefficients predict, shape (n, shares)."""
    model = NonNegativeLinear(BASIS).fit(prior.features, prior.costs.metrics[metric])
    parts = design(BASIS, features) * model.rows(features)
    names = [term.name for term in BASES[BASIS].terms]
    for first, second in _TOGETHER:
        parts[:, names.index(first)] += parts[:, names.index(second)]
    parts = np.delete(parts, [names.index(second) for _, second in _TOGETHER], axis=1)
    return parts / parts.sum(axis=1, keepdims=True)
