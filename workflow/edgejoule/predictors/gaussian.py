"""A Gaussian process over networks: how a new board's cost deviates from that of known boards.

Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006: covariances (chapter 4), prediction (2.23 to
2.26), marginal likelihood (2.30). The design is greedy and I-optimal: each network that is to be measured next lowers
the predictive variance most, averaged over all networks (Krause, Singh and Guestrin, JMLR 9, 2008, give the greedy
choice's bounds for related criteria).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize


@dataclass(frozen=True)
class Inputs:
    """What the process knows of n networks, in one order.

    Attributes:
        totals: standardised logarithms of the totals of kernels, shape (n, quantities).
        shares: each term's share of the cost on known boards, shape (n, terms).
        deviations: log cost on each known device minus their mean, shape (n, devices).
        low: whether weights are int8, shape (n,).
    """

    totals: np.ndarray
    shares: np.ndarray
    deviations: np.ndarray
    low: np.ndarray


#: Logarithms of hyper-parameters that are likely beforehand, in the order in which ``covariance`` takes them.
USUAL = np.log([0.5, 0.05, 0.003, 0.5, 0.5, 0.1, 0.02, 0.1, 3.0, 1.5, 0.3, 2e-3])
#: Their likely spread: one is a factor e. Few known boards cannot pin twelve numbers.
SPREAD = 1.0
_STEPS = 40


def covariance(theta: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return the covariance of log cost between networks without noise, shape (n, n).

    Linear parts let the new board be faster or slower as a whole, in a precision, with size, in a kind of kernels, or
    like one known device rather than another; the last part is smooth in all of these.
    """
    v = np.exp(theta)
    sign = np.where(inputs.low, 1.0, -1.0)
    same = np.equal.outer(inputs.low, inputs.low).astype(float)
    shares = inputs.shares - inputs.shares.mean(axis=0)
    deviations = inputs.deviations / np.sqrt(inputs.deviations.shape[1])
    kinds = shares @ shares.T
    linear = v[0] + v[1] * np.outer(sign, sign) + v[2] * inputs.totals @ inputs.totals.T
    linear = linear + kinds * (v[3] + v[4] * same) + v[5] * deviations @ deviations.T
    distance = v[7] * _squared(inputs.totals) + v[8] * _squared(inputs.shares) + v[9] * (1 - same)
    return linear + v[6] * np.exp(-0.5 * (distance + v[10] * _squared(deviations / 0.3)))


def noise(theta: np.ndarray) -> float:
    """Return the variance of log cost that no network explains."""
    return float(np.exp(theta[11]))


def learn(tasks: Sequence[tuple[Inputs, np.ndarray]]) -> np.ndarray:
    """Return the hyper-parameters that best explain tasks of the same sort, shape (12,).

    Args:
        tasks: inputs and log cost minus its mean on the task's known devices, shape (n,), of one pretended new board
            each.
    """

    def loss(theta: np.ndarray) -> float:
        total = 0.5 * np.sum(((theta - USUAL) / SPREAD) ** 2)
        for inputs, values in tasks:
            factor = np.linalg.cholesky(covariance(theta, inputs) + noise(theta) * np.eye(len(values)))
            total += 0.5 * np.sum(np.linalg.solve(factor, values) ** 2) + np.log(np.diag(factor)).sum()
        return float(total)

    bounds = [(usual - 4 * SPREAD, usual + 4 * SPREAD) for usual in USUAL]
    return minimize(loss, USUAL, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}).x


def choose(theta: np.ndarray, inputs: Inputs, many: int) -> np.ndarray:
    """Return the positions of the networks to measure, in order of worth, shape (many,)."""
    remaining = covariance(theta, inputs)
    chosen: list[int] = []
    for _ in range(many):
        gain = (remaining**2).sum(axis=0) / (np.diag(remaining) + noise(theta))
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        column = remaining[:, best]
        remaining = remaining - np.outer(column, column) / (column[best] + noise(theta))
    return np.array(chosen, int)


def condition(
    theta: np.ndarray, inputs: Inputs, chosen: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of log cost, each shape (n,), after measuring ``values`` at ``chosen``."""
    k = covariance(theta, inputs)
    if not len(chosen):
        return np.zeros(len(k)), np.sqrt(np.diag(k) + noise(theta))
    factor = cho_factor(k[np.ix_(chosen, chosen)] + noise(theta) * np.eye(len(chosen)))
    mean = k[:, chosen] @ cho_solve(factor, values)
    variance = np.diag(k) - np.sum(k[:, chosen] * cho_solve(factor, k[chosen]).T, axis=1) + noise(theta)
    return mean, np.sqrt(variance)


def _squared(points: np.ndarray) -> np.ndarray:
    return np.sum((points[:, None] - points[None]) ** 2, axis=-1)
