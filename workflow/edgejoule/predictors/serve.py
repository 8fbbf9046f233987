"""Predictions for people and for search loops: one network with a breakdown, or thousands at once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.predictors import store
from edgejoule.predictors.device import DevicePredictor
from edgejoule.predictors.features import Features, kernel_features, network_features
from edgejoule.predictors.kernelwise import FromKernels


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


class ServedPredictor:
    """A device's trained predictor, as loaded from results/predictors/<device>/."""

    def __init__(self, content: dict) -> None:
        self.device = content["device"]
        self.origin = content["origin"]
        self.runtime = content["runtime"]
        self._predictor = DevicePredictor.from_dict(content["model"])
        self._domain = self._predictor.domain

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Load from a folder that ``edgejoule predictors train`` wrote; its hash is checked."""
        return cls(store.load(folder))

    def predict(
        self,
        graph: pd.DataFrame | Path | str,
        precision: str | None = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> NetworkPrediction:
        """Predict one network.

        Args:
            graph: its kernels (columns of results/graphs/kernels.parquet), or the path of an ONNX file.
            precision: in which precision an ONNX file is to run, None = the file's own; kernels carry theirs.
            shapes: static shape of each input of an ONNX file that has dynamic axes, ``{"input": (1, 3, 224, 224)}``.
        """
        if isinstance(graph, pd.DataFrame):
            kernels, batch = graph, None
        else:
            kernels, batch = self._read(Path(graph), precision, shapes)
        each, whole = kernel_features(kernels), network_features(kernels, rows=self._predictor.needs_kernels)
        if len(whole) != 1:
            raise EdgejouleError(f"{len(whole)} networks given; predict takes one, predict_many takes more")
        of_one = self._predictor.values(whole)
        values = {metric: value[0] for metric, value in of_one.items()}
        if not np.isfinite(values["latency_ms"]):
            known = ", ".join(self._domain.precisions)
            raise EdgejouleError(f"device '{self.device}' was never measured in {whole.precision[0]}; only in {known}")
        coverage, distance, judged = self._domain.judge(whole)
        warnings = [*_of_batch(batch), *judged[0]]
        widths = {metric: width[0] for metric, width in self._predictor.widths(whole, of_one).items()}
        intervals = {
            metric: self._interval(metric, value, widths[metric], not warnings) for metric, value in values.items()
        }
        costs = self._predictor.kernel_costs(each, np.zeros(len(each), int), whole)
        return NetworkPrediction(
            device=self.device,
            network=str(whole.networks[0]),
            precision=str(whole.precision[0]),
            batch=batch,
            **intervals,
            origin=self.origin,
            kernels_from=self._kernels_from(),
            breakdown=_breakdown(kernels["kind"].to_numpy(), costs, values),
            dearest=_dearest(kernels, costs),
            coverage=float(coverage[0]),
            distance=float(distance[0]),
            warnings=warnings,
        )

    @property
    def needs_kernels(self) -> bool:
        """Whether features for ``predict_many`` must carry single kernels (``network_features(..., rows=True)``)."""
        return self._predictor.needs_kernels

    def predict_many(self, kernels: pd.DataFrame | Features) -> pd.DataFrame:
        """Predict many networks at once: ``network, precision, metric, predicted, lower, upper``.

        Bounds are NaN where ``predict`` states none.

        Args:
            kernels: kernels of all networks, or their features where the same networks are asked for again.
        """
        if not isinstance(kernels, Features):
            kernels = network_features(kernels, rows=self._predictor.needs_kernels)
        table = self._predictor.predict(kernels)
        outside = np.array([bool(warnings) for warnings in self._domain.judge(kernels)[2]], dtype=bool)
        without = np.tile(outside, len(table) // max(len(kernels), 1))
        if self.origin == "estimated":
            without |= (table["metric"] == "power_w").to_numpy()
        return table.assign(
            **{bound: np.where(without, np.nan, table[bound].to_numpy()) for bound in ("lower", "upper")}
        )

    def _interval(self, metric: str, value: float, width: float, inside: bool) -> Interval | None:
        if not np.isfinite(value):
            return None
        declared = self.origin == "estimated"
        if declared and metric == "power_w":
            return Interval(float(value), None, None, "declared, not measured: no interval is known")
        if not inside:
            return Interval(float(value), None, None, "no interval: unlike the training networks, see the warnings")
        if not np.isfinite(width):
            return Interval(float(value), None, None, "no interval: too few networks to learn one from")
        note = "latency's interval only: the error of the declared power is unknown" if declared else None
        note = None if metric == "latency_ms" else note
        return Interval(float(value), float(value * np.exp(-width)), float(value * np.exp(width)), note)

    def _kernels_from(self) -> str:
        if not self._predictor.needs_kernels:
            return "inferred from networks' totals, not measured"
        latency = (
            "latency learned from the profiler's times of single kernels (their errors, kind by kind: "
            "results/validation/kernel-accuracy.md)"
        )
        if self.origin == "estimated":
            return f"{latency}; energy = declared power x latency"
        if isinstance(self._predictor.energy, FromKernels):
            return "latency and energy learned from single kernels, whose energy a meter saw alone"
        metered = self._predictor.energy is not None or np.isfinite(self._predictor.watts)
        return f"{latency}; energy inferred from networks' totals" if metered else latency

    def _read(
        self, path: Path, precision: str | None, shapes: Mapping[str, Sequence[int]] | None
    ) -> tuple[pd.DataFrame, int]:
        """Return an ONNX file's kernels and its batch."""
        from edgejoule.graphs.kernels import describe_file

        described = describe_file(path, self.runtime, precision, shapes)
        return described.kernels, described.batch


def _of_batch(batch: int | None) -> list[str]:
    if batch in (None, 1):
        return []
    return [f"the batch is {batch}, and costs are those of all {batch}: the predictor learned from batches of 1 only"]


def _breakdown(
    kinds: np.ndarray, costs: dict[str, np.ndarray], values: dict[str, float]
) -> dict[str, dict[str, float | None]]:
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


def _dearest(kernels: pd.DataFrame, costs: dict[str, np.ndarray], many: int = 10) -> list[dict]:
    index, names, kinds = (kernels[column].to_numpy() for column in ("index", "name", "kind"))
    order = np.lexsort((index, -costs.get("energy_mj", costs["latency_ms"])))[:many]
    return [
        {"index": int(index[i]), "name": str(names[i]), "kind": str(kinds[i])}
        | {metric: float(cost[i]) for metric, cost in costs.items()}
        for i in order
    ]


def load_predictor(device: str, folder: Path | str = "results/predictors") -> ServedPredictor:
    """Return a device's trained predictor.

    >>> predictor = load_predictor("rpi4-tflite-v2.7.1-ruy")  # doctest: +SKIP
    >>> predictor.predict("model.onnx").energy_mj  # doctest: +SKIP
    Interval(value=..., lower=..., upper=...)

    Args:
        device: name of the device.
        folder: folder of all devices' predictors.

    Raises:
        EdgejouleError: no predictor of that name, or a damaged one.
    """
    path = Path(folder) / device
    remedy = "run 'snakemake --cores all predictors', or give the folder of trained ones with --predictors"
    if not Path(folder).is_dir():
        raise EdgejouleError(f"{folder}: no such folder; {remedy}")
    if not path.is_dir():
        trained = trained_devices(folder)
        hint = did_you_mean(device, trained) if trained else remedy
        raise EdgejouleError(f"{folder}: no predictor of device '{device}'; {hint}")
    return ServedPredictor.load(path)


def trained_devices(folder: Path | str) -> Sequence[str]:
    """Return the names of the devices that have a trained predictor under ``folder``."""
    return sorted(path.parent.name for path in Path(folder).glob(f"*/{store.FILE}"))
