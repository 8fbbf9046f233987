"""The best choice under several limits at once: linear and mixed-integer programmes, solved by HiGHS through SciPy.

With s_i the share of the requests given to network i, a request's mean cost is sum s_i c_i, so each limit on a mean is
one linear row. A basic optimal solution has at most one positive share more than there are binding rows (Dantzig 1963);
limits on the shares themselves and on how many networks a mix may have make it a mixed-integer programme.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from edgejoule.errors import EdgejouleError

#: Relative slack within which a limit counts as met; HiGHS itself works to 1e-7.
SLACK = 1e-6
#: A share below this is rounding of the solver: HiGHS takes a network that is used by a millionth for unused.
NEGLIGIBLE_SHARE = 2e-6
#: A mix has at most so many networks.
MOST = 3


@dataclass(frozen=True)
class Limit:
    """One limit: ``mean(values) <= most`` over the requests or, with ``each``, ``value <= most`` for each network.

    ``values`` has shape (networks,); a network without a value (NaN) does not meet a limit on each. A lower limit (an
    accuracy floor) is given with both sides negated.
    """

    name: str
    values: np.ndarray
    most: float
    each: bool = False

    def allows(self, mean: float | np.ndarray) -> bool | np.ndarray:
        """Whether a mean meets the limit, within the solver's slack."""
        return mean <= self.most + SLACK * max(abs(self.most), 1e-9)


@dataclass(frozen=True)
class Choice:
    """Networks (indices into the catalogue) and their shares of the requests, largest share first."""

    networks: tuple[int, ...]
    shares: tuple[float, ...]

    def mean(self, values: np.ndarray) -> float:
        """Return the mean of a per-network quantity over the requests."""
        return float(sum(share * values[network] for network, share in zip(self.networks, self.shares, strict=True)))


@dataclass(frozen=True)
class Shares:
    """Limits on the shares: each is 0 or between ``least`` and ``most``; at most ``networks`` are positive."""

    least: float = 0.0
    most: float = 1.0
    networks: int = MOST

    def __post_init__(self) -> None:
        if not (0 <= self.least < 1 and 0 < self.most <= 1 and self.least <= self.most):
            raise EdgejouleError(
                f"--min-share is {self.least:g} and --max-share {self.most:g}; both must lie between 0 and 1, "
                "the least below 1 and no greater than the greatest, the greatest above 0"
            )
        if self.most * self.networks < 1:
            raise EdgejouleError(
                f"--max-share is {self.most:g}: with {self.networks} networks of at most that share each, some "
                f"requests go unserved; allow a share of at least {1 / self.networks:.2f}"
            )


def solve_single(objectives: list[np.ndarray], limits: list[Limit]) -> Choice | None:
    """Return the one network within all limits that is least in the first objective, ties by the next ones."""
    fits = np.ones(len(objectives[0]), bool)
    for limit in limits:
        fits &= limit.allows(limit.values)
    candidates = np.flatnonzero(fits)
    if not len(candidates):
        return None
    order = np.lexsort([objective[candidates] for objective in reversed(objectives)])
    return Choice((int(candidates[order[0]]),), (1.0,))


def solve_mix(objectives: list[np.ndarray], limits: list[Limit], shares: Shares | None = None) -> Choice | None:
    """Return the mix within all limits whose mean is least in the first objective, ties by the next ones.

    Args:
        objectives: per-network quantities to minimise in order of importance, each of shape (networks,).
        limits: limits on means.
        shares: limits on the shares.

    Returns:
        The mix, or None where no mix meets the limits.

    Raises:
        EdgejouleError: HiGHS stopped for another reason than optimality or infeasibility.
    """
    shares = shares or Shares()
    fits = np.ones(len(objectives[0]), bool)
    for limit in limits:
        if limit.each:
            fits &= limit.allows(limit.values)
    if not fits.any():
        return None
    original = np.flatnonzero(fits)
    objectives = [objective[fits] for objective in objectives]
    limits = [replace(limit, values=limit.values[fits]) for limit in limits if not limit.each]
    integral = shares.least > 0 or shares.most < 1
    solution = _lexicographic(objectives, limits, shares, integral)
    if solution is not None and not integral and np.count_nonzero(solution > NEGLIGIBLE_SHARE) > shares.networks:
        solution = _lexicographic(objectives, limits, shares, True)
    if solution is None:
        return None
    chosen = np.flatnonzero(solution > NEGLIGIBLE_SHARE)
    chosen = chosen[np.lexsort((chosen, -solution[chosen]))]
    kept = solution[chosen] / solution[chosen].sum()
    return Choice(tuple(map(int, original[chosen])), tuple(map(float, kept)))


def least_feasible(limits: list[Limit], index: int, shares: Shares | None = None) -> float | None:
    """Return the least value of limit ``index`` with which a mix exists, the others kept; None if there is none."""
    limit = limits[index]
    others = [other for k, other in enumerate(limits) if k != index]
    if not limit.each:
        found = solve_mix([limit.values], others, shares)
        return None if found is None else found.mean(limit.values)
    steps = np.unique(limit.values[np.isfinite(limit.values)])
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        if solve_mix([limit.values * 0], [*others, replace(limit, most=steps[middle])], shares) is None:
            low = middle + 1
        else:
            high = middle
    return None if low == len(steps) else float(steps[low])


def _lexicographic(
    objectives: list[np.ndarray], limits: list[Limit], shares: Shares, integral: bool
) -> np.ndarray | None:
    """Minimise one objective after the other, holding each at its optimum; return the shares."""
    limits = list(limits)
    solution = None
    for objective in objectives:
        found = _minimise(objective, limits, shares, integral)
        if found is None:
            return solution  # the slack of a held objective was too tight for the solver: the earlier stage stands
        solution = found
        limits.append(Limit("optimum", objective, float(objective @ solution)))
    return solution


def _minimise(objective: np.ndarray, limits: list[Limit], shares: Shares, integral: bool) -> np.ndarray | None:
    size = len(objective)
    blocks = [np.ones(size)]
    lower, upper = [1.0], [1.0]
    for limit in limits:
        scale = np.abs(limit.values).max() or 1.0
        blocks.append(limit.values / scale)
        lower.append(-np.inf)
        upper.append(limit.most / scale)
    rows = np.array(blocks)
    costs = objective / (np.abs(objective).max() or 1.0)
    if not integral:
        result = milp(costs, bounds=Bounds(0, 1), constraints=LinearConstraint(rows, lower, upper))
    else:
        # A second variable per network says whether it is chosen: least z <= s <= most z, and sum z <= networks.
        rows = np.hstack([rows, np.zeros_like(rows)])
        eye = np.eye(size)
        used = np.concatenate([np.zeros(size), np.ones(size)])
        constraints = [
            LinearConstraint(rows, lower, upper),
            LinearConstraint(np.hstack([eye, -shares.most * eye]), -np.inf, 0),
            LinearConstraint(np.hstack([-eye, shares.least * eye]), -np.inf, 0),
            LinearConstraint(used, 0, shares.networks),
        ]
        result = milp(
            np.concatenate([costs, np.zeros(size)]),
            integrality=used,
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": 1e-9},
        )
    if result.status == 2:
        return None
    if result.status != 0:
        raise EdgejouleError(f"the solver HiGHS gave up: {result.message}")
    return np.clip(result.x[:size], 0, 1)


def least_ratio(
    above: np.ndarray, below: np.ndarray, limits: list[Limit], shares: Shares | None = None
) -> float | None:
    """Return the least mean(above) / mean(below) of any mix within the limits, e.g. energy over time; None if none is.

    Dinkelbach (1967), *On nonlinear fractional programming*: minimise above - ratio * below, take the ratio of what is
    found, and repeat until it stands. ``below`` must be positive.
    """
    ratio = None
    for _ in range(100):
        objective = above if ratio is None else above - ratio * below
        found = solve_mix([objective], limits, shares)
        if found is None:
            return ratio
        new = found.mean(above) / found.mean(below)
        if ratio is not None and new >= ratio * (1 - 1e-9):
            return ratio
        ratio = new
    return ratio
