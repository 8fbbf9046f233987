"""A new board from a few measured networks, with the devices of other boards as prior."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import t as student

from edgejoule.errors import EdgejouleError
from edgejoule.predictors import gaussian
from edgejoule.predictors.device import Costs
from edgejoule.predictors.drawn import drawn_linear
from edgejoule.predictors.features import QUANTITIES, Features
from edgejoule.predictors.gaussian import Inputs
from edgejoule.predictors.intervals import COVERAGE
from edgejoule.predictors.linear import BASES, NonNegativeLinear, design
from edgejoule.predictors.training import training_set

#: The basis whose terms' shares say what a network's cost is made of.
BASIS = "by-kind-and-window"
#: Terms of that basis whose shares are counted together: few networks cannot tell them apart.
_TOGETHER = (
    ("activations of convolutions", "activations of pointwise"),
    ("activations of depthwise 3x3", "activations of depthwise 5x5"),
    ("convolutions", "light kernels"),
)


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


def prior_catalogues(priors: Sequence[pd.DataFrame], kernels: pd.DataFrame, board: str) -> list[Catalogue]:
    """Return the catalogues of the prior devices that are of other boards and have a meter.

    Args:
        priors: rows of results/datasets/networks.parquet, one table per device.
        kernels: rows of results/graphs/kernels.parquet.
        board: the new one; every device of it is passed over.
    """
    catalogues = []
    for table in priors:
        table = table[table["energy_mj"].notna()]
        if len(table) and table["board"].iloc[0] != board and table["origin"].iloc[0] == "measured":
            rows, features, costs = training_set(table, kernels)
            catalogues.append(Catalogue(rows["device"].iloc[0], rows["board"].iloc[0], features, costs))
    return catalogues


class Transfer:
    """Predicts a new board's costs from a few measured networks and the devices of other boards.

    Energy is the geometric mean of two models: a Gaussian process of the cost relative to the known devices' geometric
    mean, which has what linear models miss alike on all boards, and a linear model of the measured networks whose
    coefficients are drawn to those of the known devices. Power is predicted by such a process alone, as kernels' powers
    do not add up; latency is energy / power. On a device without a meter latency takes the place of energy.

    Hyper-parameters are learned by taking each known board in turn for new, and adapted to what is measured: a board
    may be noisier than all that are known. Nothing of the new board enters before it is measured. Intervals are the
    process', wider by how far the two models disagree, and Student's: k networks tell the spread.

    Args:
        features: the catalogue's n networks as the new device executes them.
        priors: devices of other boards with the same networks in the same order.
        metered: whether the new device measures power.
    """

    def __init__(self, features: Features, priors: Sequence[Catalogue], metered: bool) -> None:
        if len({prior.board for prior in priors}) < 2:
            raise EdgejouleError("a transfer needs prior devices on at least two other boards; see prior_devices")
        self.features = features
        self.priors = priors
        self.metered = metered
        self.known, self.inputs, self.theta, self.linear = {}, {}, {}, {}
        for metric in ("energy_mj", "power_w") if metered else ("latency_ms",):
            models = {
                prior.device: NonNegativeLinear(BASIS).fit(prior.features, prior.costs.metrics[metric])
                for prior in priors
            }
            tasks = []
            for pretended, others in _each_board_new(priors):
                inputs, mean = _inputs(pretended.features, others, models, metric)
                tasks.append((inputs, np.log(pretended.costs.metrics[metric]) - mean))
            self.inputs[metric], self.known[metric] = _inputs(features, priors, models, metric)
            self.theta[metric] = gaussian.learn(tasks)
            self.linear[metric] = list(models.values())
        if metered:
            shares = [np.median(prior.costs.idle_w / prior.costs.metrics["power_w"]) for prior in priors]
            self.idle_share = float(np.median(shares))

    def choose(self, many: int) -> np.ndarray:
        """Return the positions of the networks to measure on the new board, shape (many,).

        They leave least variance, averaged within families and then over these, as errors are.
        """
        metric = next(iter(self.theta))
        weight = _weights(self.priors[0].costs.family)
        return gaussian.choose(self.theta[metric], self.inputs[metric], many, weight)

    def predict(self, chosen: np.ndarray, measured: Costs) -> pd.DataFrame:
        """Return ``network, precision, metric, predicted, lower, upper`` for all networks of the catalogue.

        Args:
            chosen: positions of the measured networks, shape (k,); none = what other boards alone tell.
            measured: their costs, in that order.
        """
        mean, spread = self.estimate(chosen, measured)
        width, frames = student.ppf(0.5 + COVERAGE / 2, len(chosen) or np.inf), []
        for metric in sorted(mean):
            factor = np.exp(width * spread[metric])
            about = {"network": self.features.networks, "precision": self.features.precision, "metric": metric}
            values = {"predicted": mean[metric], "lower": mean[metric] / factor, "upper": mean[metric] * factor}
            frames.append(pd.DataFrame(about | values))
        return pd.concat(frames, ignore_index=True)

    def estimate(self, chosen: np.ndarray, measured: Costs) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return by metric the cost of all networks, shape (n,), and the standard deviation of its logarithm, (n,).

        Args:
            chosen, measured: as ``predict`` takes them.
        """
        mean, spread = {}, {}
        for metric, theta in self.theta.items():
            values = measured.metrics[metric]
            relative = np.log(values) - self.known[metric][chosen]
            if len(chosen):
                theta = gaussian.adapt(theta, self.inputs[metric], chosen, relative)
            deviation, spread[metric] = gaussian.condition(theta, self.inputs[metric], chosen, relative)
            mean[metric] = np.exp(self.known[metric] + deviation)
            if len(chosen) and metric != "power_w":
                linear = drawn_linear(self.features, self.linear[metric], chosen, values)
                # Each model lies half of their difference away from the mean of the two.
                spread[metric] = np.hypot(spread[metric], np.log(linear / mean[metric]) / 2)
                mean[metric] = np.sqrt(mean[metric] * linear)
        if self.metered:
            idle_w = float(np.median(measured.idle_w)) if len(chosen) else self.idle_share * mean["power_w"]
            mean["latency_ms"] = mean["energy_mj"] / mean["power_w"]
            spread["latency_ms"] = np.hypot(spread["energy_mj"], spread["power_w"])
            above_w = np.maximum(mean["power_w"] - idle_w, 0.01 * mean["power_w"])
            mean["energy_above_idle_mj"] = above_w * mean["latency_ms"]
            spread["energy_above_idle_mj"] = np.hypot(
                spread["energy_mj"], spread["power_w"] * (mean["power_w"] / above_w - 1)
            )
        return mean, spread


def _each_board_new(priors: Sequence[Catalogue]) -> Iterator[tuple[Catalogue, list[Catalogue]]]:
    """Give each device, and the devices of other boards."""
    for new in priors:
        yield new, [prior for prior in priors if prior.board != new.board]


def _weights(group: np.ndarray) -> np.ndarray:
    """Return weights that add up to one, shape (n,), with which every group weighs the same."""
    names, member, sizes = np.unique(group, return_inverse=True, return_counts=True)
    return 1 / (len(names) * sizes[member])


def _inputs(
    features: Features, priors: Sequence[Catalogue], models: Mapping[str, NonNegativeLinear], metric: str
) -> tuple[Inputs, np.ndarray]:
    """Return what is known of the networks from other boards, and the mean log cost there, shape (n,).

    Args:
        features: n networks.
        priors: devices of other boards.
        models: device: linear model of its cost.
        metric: the cost.
    """
    logs = np.stack([np.log(prior.costs.metrics[metric]) for prior in priors], axis=1)
    mean = logs.mean(axis=1)
    totals = np.log(np.stack([features.total(quantity) for quantity in QUANTITIES], axis=1) + 1e-3)
    totals = (totals - totals.mean(axis=0)) / np.maximum(totals.std(axis=0), 1e-6)
    shares = np.mean([_shares(features, models[prior.device]) for prior in priors], axis=0)
    return Inputs(totals, shares, logs - mean[:, None], features.precision == "int8"), mean


def _shares(features: Features, model: NonNegativeLinear) -> np.ndarray:
    """Return each term's share of the cost that a linear model predicts, shape (n, shares)."""
    parts = design(BASIS, features) * model.rows(features)
    names = [term.name for term in BASES[BASIS].terms]
    for first, second in _TOGETHER:
        parts[:, names.index(first)] += parts[:, names.index(second)]
    parts = np.delete(parts, [names.index(second) for _, second in _TOGETHER], axis=1)
    return parts / parts.sum(axis=1, keepdims=True)
