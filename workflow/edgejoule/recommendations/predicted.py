"""Energies and latencies that were predicted instead of measured, with their intervals."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.recommendations.catalogue import Catalogue, waiting_mj

#: Whose predictions are chosen from: no other predictor states intervals.
PREDICTOR = "edgejoule"
#: The probability that its intervals are stated for (table ``validation``).
INTERVAL = 0.9
PREDICTED_METRIC = {"gross": "energy_mj", "above-idle": "energy_above_idle_mj"}


def check_confidence(probability: float) -> None:
    """Stop where a probability is none.

    Raises:
        EdgejouleError: it does not lie between 0 and 1.
    """
    if not 0 < probability < 1:
        raise EdgejouleError(f"--confidence is {probability:g}; a probability lies between 0 and 1, e.g. 0.9")


def interval_spread(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the logarithm that a predictor's intervals stand for."""
    return np.log(upper / lower) / (2 * norm.ppf((1 + INTERVAL) / 2))


@dataclass(frozen=True)
class Prediction:
    """Predicted energies of a catalogue's networks; arrays of shape (networks,), in the catalogue's order.

    ``spread`` is the standard deviation of the logarithm of measured / predicted energy of the inference that the
    interval stands for; 0 where the energy is ``known``. ``latency_spread`` is the same of the latency, 0
    where that was recorded. ``waiting_mj`` is the part of each energy that was not predicted: idle energy until the
    next request is due.
    """

    catalogue: Catalogue
    measured_mj: np.ndarray
    spread: np.ndarray
    latency_spread: np.ndarray
    waiting_mj: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which networks were measured beforehand, as the few of a new device, and are not predicted."""
        return ~self.catalogue.predicted

    @property
    def predicted_mj(self) -> np.ndarray:
        """The predicted energies (mJ), waiting included."""
        return self.catalogue.energy_mj

    def keep(self, mask: np.ndarray, reason: str | np.ndarray) -> "Prediction":
        """Return the predictions of the networks in ``mask``."""
        arrays = (self.measured_mj, self.spread, self.latency_spread, self.waiting_mj)
        return Prediction(self.catalogue.keep(mask, reason), *(array[mask] for array in arrays))

    def with_waiting(self, rate_hz: float) -> "Prediction":
        """Return the same with idle energy until the next request added: accounting ``duty-cycle`` from ``gross``.

        Waiting is counted with the latency as predicted, with no margin: an inference that takes longer waits less.

        Raises:
            EdgejouleError: no idle power was recorded.
        """
        catalogue = self.catalogue
        if np.isnan(catalogue.idle_w):
            raise EdgejouleError(f"no idle power was recorded for '{catalogue.device}'; use --accounting gross")
        waiting = waiting_mj(catalogue.idle_w, rate_hz, catalogue.latency_ms)
        counted = replace(catalogue.with_energy(self.predicted_mj + waiting), accounting="duty-cycle")
        return replace(self, catalogue=counted, measured_mj=self.measured_mj + waiting, waiting_mj=waiting)

    def cautious(self, probability: float) -> Catalogue:
        """Return the catalogue to plan with: each energy, and each predicted latency, at its quantile."""
        catalogue = self.catalogue.with_energy(self.quantile_mj(probability))
        bound = catalogue.latency_ms * np.exp(norm.ppf(probability) * self.latency_spread)
        return replace(catalogue, latency_bound_ms=np.where(catalogue.latency_predicted, bound, np.nan))

    def quantile_mj(self, probability: float) -> np.ndarray:
        """Return for each network the energy that is not exceeded with this probability (mJ).

        A mix planned with these energies meets its budget with at least this probability if the errors of one
        predictor on one device rise and fall together: quantiles of comonotonic quantities add (Denuit, Dhaene,
        Goovaerts and Kaas 2005, section 2.3). That is the cautious assumption here, and it keeps the limit linear.
        """
        check_confidence(probability)
        inference = self.predicted_mj - self.waiting_mj
        return inference * np.exp(norm.ppf(probability) * self.spread) + self.waiting_mj

    def with_one_spread(self) -> "Prediction":
        """Return the same with the device's median spread for every network that is not known, as refining takes it.

        An interval that is wide because models disagree about one network says little of how a measured neighbour
        corrects it: with one spread, settled mixes are better and take fewer measurements (``benchmarks/refine.py``).
        """
        free = self.spread > 0
        if not free.any():
            return self
        return replace(self, spread=np.where(free, np.median(self.spread[free]), 0.0))

    def as_whole(self) -> "Prediction":
        """Return the same with the spread of the whole energy, to first order: waiting is certain and narrows it."""
        spread = self.spread * (self.predicted_mj - self.waiting_mj) / self.predicted_mj
        return replace(self, spread=spread, waiting_mj=np.zeros(len(spread)))


def predicted_catalogue(
    catalogue: Catalogue, validation: pd.DataFrame, protocol: str, where: str = "validation"
) -> Prediction:
    """Return the catalogue with predicted energies in place of measured ones.

    Networks that the predictor declined, or gave no interval for, become excluded with that reason. Under a transfer
    protocol the networks without a row are those that were measured for training: their energies are known.

    Args:
        catalogue: measured networks of one device, accounting gross or above-idle.
        validation: table ``validation``, which may hold more than this device.
        protocol: whose predictions to use: what was left out of training.
        where: the file, for messages.

    Raises:
        EdgejouleError: there are no such predictions.
    """
    if catalogue.accounting not in PREDICTED_METRIC:
        raise EdgejouleError(
            f"energies are predicted gross or above idle; accounting '{catalogue.accounting}' needs measured ones"
        )
    metric = PREDICTED_METRIC[catalogue.accounting]
    rows = validation[(validation["device"] == catalogue.device) & (validation["metric"] == metric)]
    rows = rows[rows["predictor"] == PREDICTOR]
    if rows.empty:
        raise EdgejouleError(
            f"{where}: no predictions of {metric} for '{catalogue.device}' by '{PREDICTOR}', and no other predictor "
            "states intervals; have it judged too: 'validation.predictors' in the configuration"
        )
    if protocol not in set(rows["protocol"]):
        raise EdgejouleError(
            f"{where}: no predictions of {metric} for '{catalogue.device}' under protocol '{protocol}'; "
            + did_you_mean(protocol, rows["protocol"])
        )
    rows = rows[rows["protocol"] == protocol].set_index("network")
    known = ~np.isin(catalogue.network, rows.index.to_numpy(dtype=object)) & protocol.startswith("transfer-")
    rows = rows.reindex(catalogue.network)
    predicted, lower, upper = (
        np.where(known, catalogue.energy_mj, rows[name].to_numpy(float)) for name in ("predicted", "lower", "upper")
    )
    given = np.isfinite(predicted) & (predicted > 0)
    bounded = given & (lower > 0) & (upper >= lower)
    kept = catalogue.with_energy(predicted, ~known).keep(given, f"the predictor '{PREDICTOR}' declined it")
    kept = kept.keep(bounded[given], f"the predictor '{PREDICTOR}' gave no interval")
    spread, recorded = interval_spread(lower[bounded], upper[bounded]), np.zeros(len(kept))
    return Prediction(kept, catalogue.energy_mj[bounded], spread, latency_spread=recorded, waiting_mj=recorded)
