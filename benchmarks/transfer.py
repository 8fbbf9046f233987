"""What the error on a new board is made of: how many networks are measured, which, and what known boards are worth.

    OMP_NUM_THREADS=1 python benchmarks/transfer.py results

Needs results/datasets and results/graphs of a finished run. Prints Markdown tables of the error in energy (percent,
averaged within families and then over these) of the networks that were not measured; the last column is the median.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edgejoule.config import load_run
from edgejoule.config.load import read_yaml
from edgejoule.predictors import training_set
from edgejoule.predictors.drawn import STRENGTH, drawn_linear
from edgejoule.predictors.transfer import Catalogue, Transfer, common_networks
from edgejoule.tables import read_table
from edgejoule.tables.contracts import KERNELS, NETWORKS

METRIC = "energy_mj"
SIZES = (5, 10, 15, 20, 30, 40)
DRAWS = 100


def catalogues(results: Path) -> list[Catalogue]:
    """Return the prior devices of the default configuration, with the networks that all of them measured."""
    run, _ = load_run(read_yaml("config/config.yaml"))
    kernels = read_table(results / "graphs" / "kernels.parquet", KERNELS)
    found = []
    for device in run.validation.prior_devices:
        table = read_table(results / "datasets" / device / "networks.parquet", NETWORKS)
        rows, features, costs = training_set(table, kernels)
        found.append(Catalogue(device, rows["board"].iloc[0], features, costs))
    shared = common_networks(found)
    return [catalogue.ordered(shared) for catalogue in found]


def error(new: Catalogue, predicted: np.ndarray, measured: Sequence[int] = ()) -> float:
    """Return the error (percent) of the networks that were not measured."""
    relative = np.abs(predicted / new.costs.metrics[METRIC] - 1)
    left = np.delete(np.arange(len(relative)), measured)
    family = new.costs.family[left]
    return float(100 * np.mean([relative[left][family == name].mean() for name in set(family)]))


def parts(of: Transfer, new: Catalogue, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Return the energy by each part of the predictor and by the whole."""
    few = new.costs.take(chosen)
    both = of.estimate(chosen, few)[0][METRIC]
    linear, free = (
        drawn_linear(of.features, of.linear[METRIC], chosen, few.metrics[METRIC], how) for how in (STRENGTH, 1e-9)
    )
    return {"process": both**2 / linear, "linear, drawn": linear, "linear, not drawn": free, "both": both}


def ceiling(of: Transfer, new: Catalogue) -> float:
    """Return the error where all networks but the one that is predicted are measured."""
    predicted, every = np.empty(len(new.features)), np.arange(len(new.features))
    for out in every:
        chosen = np.delete(every, out)
        predicted[out] = of.estimate(chosen, new.costs.take(chosen))[0][METRIC][out]
    return error(new, predicted)


def at_random(of: Transfer, new: Catalogue, many: int) -> np.ndarray:
    """Return the errors of designs drawn at random."""
    random, errors = np.random.default_rng(0), []
    for _ in range(DRAWS):
        chosen = random.choice(len(new.features), many, replace=False)
        errors.append(error(new, of.estimate(chosen, new.costs.take(chosen))[0][METRIC], chosen))
    return np.array(errors)


def show(title: str, devices: Sequence[Catalogue], rows: dict[str, Callable[[Catalogue], float]]) -> None:
    """Print a Markdown table with one column per device."""
    print(f"\n| {title} | {' | '.join(device.device for device in devices)} | median |")
    print("|---" * (len(devices) + 2) + "|")
    for name, value in rows.items():
        values = [value(device) for device in devices]
        cells = ["" if np.isnan(one) else f"{one:.1f}" for one in [*values, np.nanmedian(values)]]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    known = catalogues(parser.parse_args().results)
    boards = sorted({device.board for device in known})

    def transfer(new: Catalogue, without: str | None = None) -> Transfer:
        priors = [device for device in known if device.board not in (new.board, without)]
        return Transfer(new.features, priors, metered=True)

    to = {device.device: transfer(device) for device in known}

    def predicted(new: Catalogue, many: int, part: str, of: Transfer | None = None) -> float:
        of = of or to[new.device]
        chosen = of.choose(many)
        return error(new, parts(of, new, chosen)[part], chosen)

    rows = {f"{many}": lambda new, many=many: predicted(new, many, "both") for many in SIZES}
    rows["all but the one predicted"] = lambda new: ceiling(to[new.device], new)
    show("networks measured", known, rows)
    for many in (10, 20):
        names = ("process", "linear, drawn", "linear, not drawn", "both")
        show(f"model, {many} measured", known, {n: lambda new, n=n, k=many: predicted(new, k, n) for n in names})
    for many in (10, 20):
        drawn = {device.device: at_random(to[device.device], device, many) for device in known}
        rows = {"the design": lambda new, k=many: predicted(new, k, "both")}
        for name, share in (("random, best of 100", 0), ("random, best tenth", 0.1), ("random, median", 0.5)):
            rows[name] = lambda new, share=share, drawn=drawn: float(np.quantile(drawn[new.device], share))
        show(f"choice of {many}", known, rows)
    for many in (10, 20):
        rows = {"all other boards": lambda new, k=many: predicted(new, k, "both")}
        for board in boards:
            rows[f"without {board}"] = lambda new, board=board, k=many: (
                np.nan if new.board == board else predicted(new, k, "both", transfer(new, board))
            )
        show(f"known boards, {many} measured", known, rows)


if __name__ == "__main__":
    main()
