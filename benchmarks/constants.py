"""How far the constants of the predictor ``edgejoule`` move its errors: each changed by itself, all else as it is.

    OMP_NUM_THREADS=1 python benchmarks/constants.py results

Needs results/datasets, results/graphs and results/traces of a finished run. Prints two Markdown tables of errors
(percent) on families left out, averaged within families and then over these. First energy of the devices with a meter,
from networks' totals, family by family; then latency of networks of 2 ms and more of the devices whose runtime tells
kernels' times, in five groups of families. The last column is their median.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from edgejoule.predictors import Costs, Features, alone, ensemble, linear, times, training_set
from edgejoule.predictors.folds import error_left_out, family_folds
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.tables import read_table
from edgejoule.tables.contracts import KERNEL_COSTS, KERNELS, NETWORKS
from edgejoule.traces import read_nodes
from edgejoule.validation.kernels import GROUPS
from edgejoule.validation.subsets import LEAST_MS

Known = dict[str, tuple[Features, Costs]]
#: What a change is called: the module, its constant, the other value.
Changes = dict[str, tuple[ModuleType, str, object]]


@contextmanager
def changed(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Let a module's constant have another value for a while."""
    usual = getattr(module, name)
    setattr(module, name, value)
    linear._sums.cache_clear()
    try:
        yield
    finally:
        setattr(module, name, usual)
        linear._sums.cache_clear()


def bases(activations: float = 0.03, count: float = 0.03, macs: float = 1e-5) -> dict[str, linear.Basis]:
    """Return the bases of networks' totals with other weights of their ties."""
    return linear.BASES | {
        "one-law": linear._kinds(10, 10, 10, count),
        "by-kind": linear._kinds(macs, 10, activations, count),
        "by-kind-and-window": linear._kinds(macs, macs, activations, count),
    }


def energy_error(features: Features, costs: Costs) -> float:
    """Return the error in energy where networks' totals alone are learned from."""
    energy, predicted = costs.metrics["energy_mj"], np.full(len(features), np.nan)
    for out in family_folds(costs.family):
        model = ensemble.KernelTotals().fit(features.take(~out), energy[~out], costs.family[~out])
        predicted[out] = model.predict(features.take(out))
    return 100 * error_left_out(predicted, energy, costs.family)


def latency_error(features: Features, costs: Costs) -> float:
    """Return the error in latency where kernels' own times are learned from."""
    latency, predicted = costs.metrics["latency_ms"], np.full(len(features), np.nan)
    for out in family_folds(costs.family, GROUPS):
        model = FromKernels().fit(features.take(~out), latency[~out], costs.family[~out])
        predicted[out] = model.predict(features.take(out))
    slow = latency >= LEAST_MS
    return 100 * error_left_out(predicted[slow], latency[slow], costs.family[slow])


TOTALS = {
    "temperature 0.005 (0.02)": (ensemble, "TEMPERATURE", 0.005),
    "temperature 0.01": (ensemble, "TEMPERATURE", 0.01),
    "temperature 0.04": (ensemble, "TEMPERATURE", 0.04),
    "temperature 0.1": (ensemble, "TEMPERATURE", 0.1),
    **{
        f"ties of {what} {value:g} ({usual:g})": (linear, "BASES", bases(**{what: value}))
        for what, usual, values in (
            ("activations", 0.03, (0.003, 0.3)),
            ("count", 0.03, (0.003, 0.3)),
            ("macs", 1e-5, (1e-6, 1e-4)),
        )
        for value in values
    },
}
SINGLE = {
    "thin law 10 (20)": (times, "THIN", 10),
    "thin law 40": (times, "THIN", 40),
    "factor of thin laws drawn by 1 (3)": (times, "SHRINK", 1),
    "factor of thin laws drawn by 10": (times, "SHRINK", 10),
    "factor inside / alone drawn by 3 (10)": (alone, "SHRINK", 3),
    "factor inside / alone drawn by 30": (alone, "SHRINK", 30),
    "30 rounds of trees (60)": (times, "ROUNDS", 30),
    "120 rounds of trees": (times, "ROUNDS", 120),
    "depth 5 (8)": (times, "TREES", times.TREES | {"max_depth": 5}),
    "depth 11": (times, "TREES", times.TREES | {"max_depth": 11}),
    "trees not monotone": (times, "TREES", times.TREES | {"monotone_constraints": (0,) * len(times.INPUTS)}),
}


def show(title: str, known: Known, error: Callable[[Features, Costs], float], changes: Changes) -> None:
    """Print a Markdown table with one column per device and one row per change."""
    print(f"\n| {title} | {' | '.join(known)} | median |\n" + "|---" * (len(known) + 2) + "|")
    for name, (module, constant, value) in {"as it is": (times, "THIN", times.THIN), **changes}.items():
        with changed(module, constant, value):
            errors = [error(*device) for device in known.values()]
        print(f"| {name} | {' | '.join(f'{one:.1f}' for one in [*errors, np.median(errors)])} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    results = parser.parse_args().results
    kernels = read_table(results / "graphs" / "kernels.parquet", KERNELS)
    metered, profiled = {}, {}
    for path in sorted((results / "datasets").glob("*/networks.parquet")):
        table, name = read_table(path, NETWORKS), path.parent.name
        recording = results / "traces" / name
        nodes = read_nodes(recording if recording.is_dir() else None)
        _, features, costs = training_set(
            table, kernels, nodes, read_table(path.with_name("kernels.parquet"), KERNEL_COSTS)
        )
        if table["origin"].iloc[0] == "measured":
            metered[name] = features, costs
        elif features.rows is not None:
            profiled[name] = features, costs
    show("energy, networks' totals", metered, energy_error, TOTALS)
    show("latency, kernels' own times", profiled, latency_error, SINGLE)


if __name__ == "__main__":
    main()
