"""The threshold of `recommend --refine`, chosen on all boards but one and judged on that one.

    python benchmarks/refine.py --results results

Needs the results of a run: results/datasets and results/validation. Prints what each threshold comes to over
all boards, and what the one chosen without a board comes to on that board. Two rules of choice: the least regret at
three measurements or fewer, and the one that stays furthest from both limits (3 measurements, 0.05 points).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.recommendations import build_catalogue
from edgejoule.recommendations.predicted import predicted_catalogue
from edgejoule.recommendations.refine import Policy, refine
from edgejoule.recommendations.sweep import spread_budgets, sweep
from edgejoule.tables import read_table
from edgejoule.tables.contracts import NETWORKS, VALIDATION

WORTH = (0.06, 0.08, 0.10, 0.12, 0.15)
MOST, LOST = 3.0, 0.05


def judge(results: Path, device: str) -> pd.DataFrame | None:
    """Return regret and measurements of every threshold on one device; None where energy is not measured."""
    catalogue = build_catalogue(read_table(results / "datasets" / device / "networks.parquet", NETWORKS), device=device)
    if catalogue.origin != "measured":
        return None
    predicted = read_table(results / "validation" / device / "networks.parquet", VALIDATION)
    source = predicted_catalogue(catalogue, predicted, "leave-one-family-out").with_one_spread()
    budgets = spread_budgets(catalogue.energy_mj, 100)
    best = sweep(catalogue, budgets)
    span = catalogue.energy_mj[best.envelope]
    inside = (budgets >= span[0]) & (budgets <= span[-1])
    rows = []
    for worth in WORTH:
        for budget, ideal in zip(budgets[inside], best.mix.mean(catalogue.top1)[inside], strict=True):
            settled = refine(source, budget, source.measured_mj.__getitem__, Policy(worth=worth))
            reached = 0.0 if settled.choice is None else settled.choice.mean(source.catalogue.top1)
            rows.append((device, worth, max(0.0, ideal - reached), settled.measurements))
    return pd.DataFrame(rows, columns=["device", "worth", "regret", "measured"])


def main() -> None:
    """Judge, choose, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    results = parser.parse_args().results
    devices = sorted(path.parent.name for path in (results / "validation").glob("*/networks.parquet"))
    judged = pd.concat([part for device in devices if (part := judge(results, device)) is not None])
    means = judged.groupby(["device", "worth"])[["regret", "measured"]].mean()
    print(means.groupby("worth").mean().round(3).to_string())
    for rule in ("least regret within the limit", "furthest from both limits"):
        chosen = []
        for device in sorted(set(judged["device"])):
            others = means.drop(index=device, level="device").groupby("worth").mean()
            if rule == "furthest from both limits":
                worth = np.maximum(others["measured"] / MOST, others["regret"] / LOST).idxmin()
            else:
                within = others[others["measured"] <= MOST]
                worth = (within if len(within) else others)["regret"].idxmin()
            chosen.append({"device": device, "worth": worth} | means.loc[(device, worth)].to_dict())
        table = pd.DataFrame(chosen)
        print(f"\nchosen without the board, {rule}:\n{table.round(3).to_string(index=False)}")
        print(f"mean: {table['regret'].mean():.3f} points, {table['measured'].mean():.2f} measurements")


if __name__ == "__main__":
    main()
