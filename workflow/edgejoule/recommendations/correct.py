"""Correcting a predictor by the few networks that were measured since: a Student-t process over its log errors."""

from dataclasses import dataclass

import numpy as np

from edgejoule.recommendations.predicted import Prediction

#: Degrees of freedom of the process: the predictor's own intervals weigh as much as two measurements.
FREEDOM = 4


@dataclass(frozen=True)
class Kinship:
    """How alike the predictor's errors for two networks of one device are: parts of their variance, at most 1 together.

    device: common to all networks; family: common to a family; near: common to networks of one family and precision,
    falling off with the distance of their predicted energies (``reach``, in natural logarithms). What is left is each
    network's own. The figures are rounded from those of greatest likelihood over the five edge boards' errors with
    families left out; with any one board left out of that, they move little (docs/recommendations.md).
    """

    device: float = 0.05
    family: float = 0.15
    near: float = 0.7
    reach: float = 2.0


def error_covariance(prediction: Prediction, kinship: Kinship) -> np.ndarray:
    """Return the prior covariance of log(measured / predicted); shape (networks, networks)."""
    catalogue = prediction.catalogue
    logs = np.log(prediction.predicted_mj)
    same_family = catalogue.family[:, None] == catalogue.family[None, :]
    same_kind = same_family & (catalogue.precision[:, None] == catalogue.precision[None, :])
    distance = (logs[:, None] - logs[None, :]) / kinship.reach
    alike = kinship.device + kinship.family * same_family + kinship.near * same_kind * np.exp(-0.5 * distance**2)
    np.fill_diagonal(alike, 1.0)
    return alike * np.outer(prediction.spread, prediction.spread)


def corrected(
    prediction: Prediction, covariance: np.ndarray, measured: dict[int, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and their spread given some networks' measured energies; each of shape (networks,).

    The conditional mean and covariance of a Gaussian process on log(measured / predicted) (Rasmussen and Williams 2006,
    equations 2.23 and 2.24), without noise: a measured network's energy is what was measured. As in a Student-t process
    (Shah, Wilson and Ghahramani, AISTATS 2014, equation 3) the spread grows where measurements lie further from the
    predictions than the intervals said, and shrinks where they lie closer: by (v - 2 + r'K^-1 r) / (v - 2 + n).

    Args:
        prediction: the predictions before.
        covariance: of their log errors, from ``error_covariance``.
        measured: network index to measured energy (mJ).
    """
    energy, spread = prediction.predicted_mj.copy(), prediction.spread.copy()
    # What was known beforehand has no spread, and has already served to train the predictor.
    known = np.array([i for i in measured if prediction.spread[i] > 0], dtype=int)
    if len(known):
        error = np.log(np.array([measured[i] for i in known]) / energy[known])
        # A little noise keeps the system regular where two networks are nearly one.
        inner = covariance[np.ix_(known, known)] + 1e-9 * np.diag(np.diag(covariance)[known])
        weights = np.linalg.solve(inner, covariance[known]).T
        energy *= np.exp(weights @ error)
        left = np.diag(covariance) - np.einsum("ij,ji->i", weights, covariance[known])
        surprise = error @ np.linalg.solve(inner, error)
        scale = (FREEDOM - 2 + surprise) / (FREEDOM - 2 + len(known))
        spread = np.sqrt(np.maximum(left, 0.0) * scale)
    for network, value in measured.items():
        energy[network], spread[network] = value, 0.0
    return energy, spread
