"""Speed of prediction and of training, processor time on one core: what a search loop and the default run pay.

    OMP_NUM_THREADS=1 python benchmarks/predict.py results

Needs results/datasets, results/graphs and results/traces of a finished run. Prints one Markdown table.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

from edgejoule.predictors import kernels_for, network_features
from edgejoule.predictors.serve import ServedPredictor
from edgejoule.predictors.train import train
from edgejoule.tables import read_table
from edgejoule.tables.contracts import KERNEL_COSTS, KERNELS, NETWORKS
from edgejoule.traces import read_nodes


def seconds(work, repeats: int) -> float:
    """Return the median processor time of ``work`` (s), which other processes on the machine do not lengthen much."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    results = parser.parse_args().results
    kernels = read_table(results / "graphs" / "kernels.parquet", KERNELS)
    print("| device | train (s) | one graph (ms) | with breakdown (ms) | batch (graphs/s) | same, features ready |")
    print("|---|---|---|---|---|---|")
    for path in sorted((results / "datasets").glob("*/networks.parquet")):
        networks = read_table(path, NETWORKS)
        recording = results / "traces" / path.parent.name
        nodes = read_nodes(recording if recording.is_dir() else None)
        alone = read_table(path.with_name("kernels.parquet"), KERNEL_COSTS)
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            train(networks, kernels, folder, nodes, alone)
            training = time.process_time() - start
            predictor = ServedPredictor.load(folder)
        first = networks.iloc[0]
        mine = kernels[kernels["precision"].eq(first["precision"]) & kernels["network"].eq(first["network"])]
        mine = kernels_for(mine, first["runtime"])
        many = pd.concat([mine.assign(network=f"n{i}") for i in range(5000)], ignore_index=True)
        features = network_features(many, rows=predictor.needs_kernels)
        single = seconds(lambda one=mine, p=predictor: p.predict_many(one), 200)
        explained = seconds(lambda one=mine, p=predictor: p.predict(one), 200)
        batch = len(features) / seconds(lambda all_=many, p=predictor: p.predict_many(all_), 3)
        ready = len(features) / seconds(lambda all_=features, p=predictor: p.predict_many(all_), 5)
        print(
            f"| {path.parent.name} | {training:.2f} | {1e3 * single:.2f} | {1e3 * explained:.2f} "
            f"| {batch:,.0f} | {ready:,.0f} |"
        )


if __name__ == "__main__":
    main()
