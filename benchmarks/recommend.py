"""Speed of recommendation, on one core: 1,000 networks under 1,000 budgets, and one request under several limits.

    OMP_NUM_THREADS=1 python benchmarks/recommend.py

Needs no results: networks are drawn at random, seed 0. Prints one Markdown table; each time is the median of five.
"""

import time
from collections.abc import Callable

import numpy as np

from edgejoule.recommendations.front import best_mix, best_single, concave_envelope, pareto_front
from edgejoule.recommendations.solve import Limit, Shares, solve_mix

NETWORKS, BUDGETS = 1000, 1000


def seconds(work: Callable[[], object]) -> float:
    """Return the median time of five runs of ``work`` (s)."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[2]


def main() -> None:
    random = np.random.default_rng(0)
    energy = np.exp(random.uniform(2, 8, NETWORKS))
    top1 = 40 + 6 * np.log(energy) + random.normal(0, 3, NETWORKS)
    latency = energy / 4 * np.exp(random.normal(0, 0.2, NETWORKS))
    budgets = np.geomspace(energy.min(), energy.max(), BUDGETS)
    objectives = [-top1, energy, latency]

    def sweep() -> None:
        front = pareto_front(energy, top1, latency)
        best_single(energy, front, budgets)
        best_mix(energy, concave_envelope(energy, top1, front), budgets)

    limits = [Limit("budget", energy, 300.0), Limit("mean latency", latency, 60.0)]
    print("| what | seconds |")
    print("|---|---|")
    print(f"| single and mix, {NETWORKS} networks x {BUDGETS} budgets | {seconds(sweep):.4f} |")
    print(f"| one mix under two limits (HiGHS) | {seconds(lambda: solve_mix(objectives, limits)):.4f} |")
    shares = Shares(0.05, 0.6)
    print(f"| and with limits on the shares | {seconds(lambda: solve_mix(objectives, limits, shares)):.4f} |")


if __name__ == "__main__":
    main()
