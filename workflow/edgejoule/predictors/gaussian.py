"""A Gaussian process over networks: how a new board's cost deviates from that of known boards.

Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006: covariances (chapter 4), prediction (2.23 to
2.26), marginal likelihood (2.30) and its slope (5.9). The design is I-optimal: what is measured leaves least predictive
variance, averaged over all networks. It begins greedily (Krause, Singh and Guestrin, JMLR 9, 2008, give the greedy
choice's bounds for related criteria) and goes on by exchanges (Fedorov, Theory of Optimal Experiments, 1972).
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
#: Positions of the smooth part's variance and of the noise among the hyper-parameters; linear parts come first.
_SMOOTH, _NOISE = 6, 11
#: Rounds of exchanges in the design; it takes two to five.
_ROUNDS = 10


def covariance(theta: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return the covariance of log cost between networks without noise, shape (n, n).

    Linear parts let the new board be faster or slower as a whole, in a precision, with size, in a kind of kernels, or
    like one known device rather than another; the last part is smooth in all of these.
    """
    return _covariance(np.exp(theta), *_parts(inputs))[0]


def noise(theta: np.ndarray) -> float:
    """Return the variance of log cost that no network explains."""
    return float(np.exp(theta[_NOISE]))


def learn(tasks: Sequence[tuple[Inputs, np.ndarray]]) -> np.ndarray:
    """Return the hyper-parameters that best explain tasks of the same sort, shape (12,).

    Args:
        tasks: inputs and log cost minus its mean on the task's known devices, shape (n,), of one pretended new board
            each.
    """
    return _most_likely([(*_parts(inputs), values) for inputs, values in tasks], USUAL)


def adapt(theta: np.ndarray, inputs: Inputs, chosen: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the hyper-parameters after measuring ``values``, shape (k,), at ``chosen``: those before are the prior."""
    linear, distance = (part[:, chosen[:, None], chosen] for part in _parts(inputs))
    return _most_likely([(linear, distance, values)], theta)


def _most_likely(parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], usual: np.ndarray) -> np.ndarray:
    """Return the hyper-parameters of greatest posterior density, shape (12,).

    Args:
        parts: linear parts, squared distances (as ``_parts`` gives them) and values of one task each.
        usual: what is likely beforehand, with ``SPREAD``.
    """

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        v = np.exp(theta)
        total, slope = 0.5 * np.sum(((theta - usual) / SPREAD) ** 2), (theta - usual) / SPREAD**2
        for linear, distance, values in parts:
            k, smooth = _covariance(v, linear, distance)
            factor = cho_factor(k + v[_NOISE] * np.eye(len(k)), lower=True)
            explained = cho_solve(factor, values)
            total += 0.5 * values @ explained + np.log(np.diag(factor[0])).sum()
            # Rasmussen and Williams, 5.9; a parameter is the logarithm of what it multiplies.
            w = cho_solve(factor, np.eye(len(k))) - np.outer(explained, explained)
            by_part = np.concatenate(
                [
                    np.tensordot(linear, w, 2),
                    [np.sum(w * smooth) / v[_SMOOTH]],
                    -0.5 * np.tensordot(distance, w * smooth, 2),
                    [np.trace(w)],
                ]
            )
            slope = slope + 0.5 * v * by_part
        return float(total), slope

    bounds = [(each - 4 * SPREAD, each + 4 * SPREAD) for each in usual]
    return minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}).x


def choose(theta: np.ndarray, inputs: Inputs, many: int, weight: np.ndarray) -> np.ndarray:
    """Return the positions of the networks to measure, shape (many,): those that leave least variance.

    From the greedy choice on, each network in turn is exchanged for the one that serves better beside the others, until
    none does.

    Args:
        theta: hyper-parameters.
        inputs: n networks.
        many: how many to measure.
        weight: what each network's variance counts, shape (n,).
    """
    k, level = covariance(theta, inputs), noise(theta)

    def best_beside(others: list[int]) -> int:
        known = k[:, others]
        remaining = k - known @ np.linalg.solve(k[np.ix_(others, others)] + level * np.eye(len(others)), known.T)
        gain = weight @ remaining**2 / (np.diag(remaining) + level)
        gain[others] = -1
        return int(gain.argmax())

    chosen: list[int] = []
    for _ in range(many):
        chosen.append(best_beside(chosen))
    for _ in range(_ROUNDS):
        before = list(chosen)
        for i in range(many):
            chosen[i] = best_beside(chosen[:i] + chosen[i + 1 :])
        if chosen == before:
            break
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


def _parts(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return the linear parts, shape (6, n, n), and the squared distances of the smooth one, shape (4, n, n)."""
    sign = np.where(inputs.low, 1.0, -1.0)
    same = np.equal.outer(inputs.low, inputs.low).astype(float)
    shares = inputs.shares - inputs.shares.mean(axis=0)
    deviations = inputs.deviations / np.sqrt(inputs.deviations.shape[1])
    kinds, totals = shares @ shares.T, inputs.totals @ inputs.totals.T
    linear = [np.ones_like(same), np.outer(sign, sign), totals, kinds, kinds * same, deviations @ deviations.T]
    distance = [_squared(inputs.totals), _squared(inputs.shares), 1 - same, _squared(deviations / 0.3)]
    return np.stack(linear), np.stack(distance)


def _covariance(v: np.ndarray, linear: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariance, shape (n, n), and its smooth part alone."""
    smooth = v[_SMOOTH] * np.exp(-0.5 * np.tensordot(v[_SMOOTH + 1 : _NOISE], distance, 1))
    return np.tensordot(v[:_SMOOTH], linear, 1) + smooth, smooth


def _squared(points: np.ndarray) -> np.ndarray:
    return np.sum((points[:, None] - points[None]) ** 2, axis=-1)
