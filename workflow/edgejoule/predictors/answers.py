"""Answers of a served predictor: one network's with a breakdown, and the table of several."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.tables.vocabulary import METRICS

#: Columns of the table of several networks.
COLUMNS = ("network", "precision", "metric", "predicted", "lower", "upper", "distance", "note")
NO_METER = "not known on this device: no meter measured it"
UNLIKE = "no interval: unlike the training networks, see the warnings"


@dataclass(frozen=True)
class Interval:
    """A prediction and its 90 % interval, in the metric's unit.

    Bounds are None where none is known; ``note`` says why, or what the bounds leave out.
    """

    value: float
    lower: float | None
    upper: float | None
    note: str | None = None


@dataclass(frozen=True)
class NetworkPrediction:
    """What one network will cost on one device.

    Attributes:
        device, network, precision: what was asked.
        batch: of an ONNX file, the first axis of its first input; None where kernels were given.
        latency_ms, power_w, energy_mj, energy_above_idle_mj: per run of the whole batch; None where the device has no
            meter.
        origin: where the power and energy that the predictor learned from are from.
        kernels_from: where the costs of single kernels are from.
        breakdown: kernel kind: its kernels, latency (ms) and energy (mJ); ``network overhead`` is what lies between.
        dearest: the ten kernels with most energy (most latency without a meter).
        coverage: share of the work (the lesser of MACs' and bytes') in groups of kernels that training had, 0 to 1.
        distance: largest factor by which a total of the network, or the MACs of a group of kernels that matters in it,
            lie outside the training range; 1 = inside.
        warnings: sentences; empty where the network is like those of the training. With a warning no metric has bounds.
            Of what is outside the training range, they name the farthest.
    """

    device: str
    network: str
    precision: str
    batch: int | None
    latency_ms: Interval
    power_w: Interval | None
    energy_mj: Interval | None
    energy_above_idle_mj: Interval | None
    origin: str
    kernels_from: str
    breakdown: dict[str, dict[str, float | None]]
    dearest: list[dict]
    coverage: float
    distance: float
    warnings: list[str]

    def to_dict(self) -> dict:
        """Return it as JSON-able values."""
        return asdict(self)


@dataclass(frozen=True)
class Unpredicted:
    """A network of several that has no prediction, and the reason."""

    network: str
    error: str

    def to_dict(self) -> dict:
        """Return it as JSON-able values."""
        return asdict(self)


def table(answers: Sequence[NetworkPrediction | Unpredicted]) -> pd.DataFrame:
    """Return answers in the columns ``COLUMNS``, metric by metric."""
    return pd.DataFrame([_row(answer, metric) for metric in METRICS for answer in answers], columns=list(COLUMNS))


def _row(answer: NetworkPrediction | Unpredicted, metric: str) -> tuple:
    if isinstance(answer, Unpredicted):
        return (answer.network, "", metric, *[np.nan] * 4, answer.error)
    interval = getattr(answer, metric) or Interval(np.nan, None, None, NO_METER)
    note = "; ".join(answer.warnings) if interval.note == UNLIKE else interval.note or ""
    bounds = (np.nan if bound is None else bound for bound in (interval.lower, interval.upper))
    return (answer.network, answer.precision, metric, interval.value, *bounds, answer.distance, note)


def named(paths: Sequence[Path | str]) -> dict[Path, str]:
    """Return the name of each file's network: its stem, or its path where several files have one stem."""
    files = [Path(path) for path in paths]
    stems, given = Counter(path.stem for path in files), Counter(files)
    for path in files:
        if given[path] > 1:
            raise EdgejouleError(f"{path}: given {given[path]} times; give each file once")
    return {path: path.stem if stems[path.stem] == 1 else str(path) for path in files}


def of_batch(batch: int | None) -> list[str]:
    """Return a warning where the batch is known and is not 1."""
    if batch in (None, 1):
        return []
    return [f"the batch is {batch}, and costs are those of all {batch}: the predictor learned from batches of 1 only"]


def breakdown(
    kinds: np.ndarray, costs: dict[str, np.ndarray], values: dict[str, float]
) -> dict[str, dict[str, float | None]]:
    """Return each kind's number of kernels and costs, and what lies between them and the network's.

    Args:
        kinds: kind of each kernel, shape (k,).
        costs: ``latency_ms`` and perhaps ``energy_mj`` of each kernel, shape (k,).
        values: the network's.
    """
    names, kind = np.unique(kinds.astype(str), return_inverse=True)
    counts = np.bincount(kind)
    sums = {metric: np.bincount(kind, cost) for metric, cost in costs.items()}
    table = {
        str(name): {"kernels": int(counts[i])} | {metric: float(each[i]) for metric, each in sums.items()}
        for i, name in enumerate(names)
    }
    overhead = {metric: float(values[metric] - cost.sum()) for metric, cost in costs.items()}
    # Where kernels make up the whole, rounding is no overhead.
    overhead = {metric: 0.0 if abs(rest) < 1e-9 * values[metric] else rest for metric, rest in overhead.items()}
    return table | {"network overhead": {"kernels": 0} | overhead}


def dearest(kernels: pd.DataFrame, costs: dict[str, np.ndarray], many: int = 10) -> list[dict]:
    """Return the kernels with most energy (most latency without a meter); ``costs`` as in ``breakdown``."""
    index, names, kinds = (kernels[column].to_numpy() for column in ("index", "name", "kind"))
    order = np.lexsort((index, -costs.get("energy_mj", costs["latency_ms"])))[:many]
    return [
        {"index": int(index[i]), "name": str(names[i]), "kind": str(kinds[i])}
        | {metric: float(cost[i]) for metric, cost in costs.items()}
        for i in order
    ]
