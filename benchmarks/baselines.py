"""What tuning gives the baselines on whole networks: trees with customary settings, and with chosen ones.

    OMP_NUM_THREADS=1 python benchmarks/baselines.py results

Needs results/datasets and results/graphs of a finished run. Prints a Markdown table of the error in energy (percent) on
families left out, averaged within families and then over these, of the devices with a meter; last the median of these.
"""

import argparse
from pathlib import Path

import numpy as np

from edgejoule.predictors import training_set
from edgejoule.predictors.trees import TreesNetwork
from edgejoule.tables import read_table
from edgejoule.tables.contracts import KERNELS, NETWORKS


def error(kind: str, tuned: bool, features, costs) -> float:
    """Return the error in energy (percent) on families left out."""
    energy, errors = costs.metrics["energy_mj"], []
    for name in sorted(set(costs.family)):
        out = costs.family == name
        model = TreesNetwork(kind, tuned).fit(features.take(~out), energy[~out], costs.family[~out])
        errors.append(np.abs(model.predict(features.take(out)) / energy[out] - 1).mean())
    return float(100 * np.mean(errors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    results = parser.parse_args().results
    kernels = read_table(results / "graphs" / "kernels.parquet", KERNELS)
    known = {}
    for path in sorted((results / "datasets").glob("*/networks.parquet")):
        table = read_table(path, NETWORKS)
        if table["origin"].iloc[0] == "measured":
            _, features, costs = training_set(table, kernels)
            known[path.parent.name] = features, costs
    print(f"| baseline | {' | '.join(known)} | median |")
    print("|---" * (len(known) + 2) + "|")
    for kind in ("gbm", "random-forest"):
        for tuned in (False, True):
            errors = [error(kind, tuned, *device) for device in known.values()]
            name = f"{kind}, {'chosen' if tuned else 'customary'} settings"
            print(f"| {name} | {' | '.join(f'{e:.1f}' for e in [*errors, np.median(errors)])} |", flush=True)


if __name__ == "__main__":
    main()
