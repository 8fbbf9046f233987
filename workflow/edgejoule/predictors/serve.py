"""Predictions for people and for search loops: one network with a breakdown, or thousands at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.names import device_file, did_you_mean
from edgejoule.predictors import store
from edgejoule.predictors.answers import (
    NO_METER,
    UNLIKE,
    Interval,
    NetworkPrediction,
    Unpredicted,
    breakdown,
    dearest,
    named,
    of_batch,
    table,
)
from edgejoule.predictors.device import DevicePredictor
from edgejoule.predictors.features import Features, kernel_features, network_features
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.tables.vocabulary import METRICS


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
            graph: its kernels (columns of results/graphs/kernels.parquet, rows of the device's runtime), or the path of
                an ONNX file.
            precision: in which precision an ONNX file is to run, None = the file's own; kernels carry theirs.
            shapes: static shape of each input of an ONNX file that has dynamic axes, ``{"input": (1, 3, 224, 224)}``.

        Raises:
            EdgejouleError: the file cannot be described, no kernel or more than one network is given, kernels are those
                of another runtime, or the precision was never measured on the device.
        """
        if isinstance(graph, pd.DataFrame):
            kernels, batch = graph, None
        else:
            kernels, batch = self._read(Path(graph), precision, shapes)
        whole = self._features(kernels)
        if len(whole) != 1:
            given = f"{len(whole)} networks" if len(whole) else "no kernels"
            raise EdgejouleError(f"{given} given; predict takes the kernels of one network, predict_many of several")
        each = kernel_features(kernels)
        of_one = self._predictor.values(whole)
        values = {metric: value[0] for metric, value in of_one.items()}
        if not np.isfinite(values["latency_ms"]):
            raise EdgejouleError(self._never_in(whole.precision[0]))
        coverage, distance, judged = self._domain.judge(whole)
        warnings = [*of_batch(batch), *judged[0]]
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
            breakdown=breakdown(kernels["kind"].to_numpy(), costs, values),
            dearest=dearest(kernels, costs),
            coverage=float(coverage[0]),
            distance=float(distance[0]),
            warnings=warnings,
        )

    @property
    def needs_kernels(self) -> bool:
        """Whether features for ``predict_many`` must carry single kernels (``network_features(..., rows=True)``)."""
        return self._predictor.needs_kernels

    def predict_files(
        self,
        paths: Sequence[Path | str],
        precision: str | None = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> Iterator[NetworkPrediction | Unpredicted]:
        """Predict ONNX files one after the other, as ``predict`` does; one that cannot be is stated and stops no other.

        Networks are named after their files: without folder and ending, or, where these repeat, by the path as given.

        Raises:
            EdgejouleError: a path is given twice.
        """
        for path, name in named(paths).items():
            try:
                yield replace(self.predict(path, precision, shapes), network=name)
            except EdgejouleError as error:
                yield Unpredicted(name, str(error))

    def predict_many(
        self,
        graphs: pd.DataFrame | Features | Sequence[Path | str],
        precision: str | None = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> pd.DataFrame:
        """Predict many networks at once: ``network, precision, metric, predicted, lower, upper, distance, note``.

        Four rows per network, metric by metric. What ``predict`` does not state is NaN, and ``note`` says why: also
        where ``predict`` stops, for a precision that was never measured. An ONNX file that cannot be described has NaN,
        precision "" and the error as its note. An empty note: like the training networks, with bounds.

        Args:
            graphs: kernels of all networks, as for ``predict``; or their features (``network_features`` with
                ``rows=needs_kernels``, of the kernels under ``runtime``), where the same networks are asked for again;
                or paths of ONNX files, named as ``predict_files`` does.
            precision, shapes: as for ``predict``, the same for all files.

        Raises:
            EdgejouleError: kernels are those of another runtime, two networks have one name, or a path is given twice.
        """
        if not isinstance(graphs, (pd.DataFrame, Features)):
            paths = [graphs] if isinstance(graphs, (str, Path)) else graphs
            return table(list(self.predict_files(paths, precision, shapes)))
        features = graphs if isinstance(graphs, Features) else self._features(graphs)
        if not len(features):
            return table([])
        rows = self._predictor.predict(features)
        _, distance, warnings = self._domain.judge(features)
        notes, bounded = self._notes(features, rows["predicted"].to_numpy(), warnings)
        return rows.assign(
            **{bound: np.where(bounded, rows[bound].to_numpy(), np.nan) for bound in ("lower", "upper")},
            distance=np.tile(distance, len(METRICS)),
            note=notes,
        )

    def _notes(
        self, features: Features, predicted: np.ndarray, warnings: list[list[str]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return notes, and whether bounds are stated, shape (4 n,), metric by metric; ``predicted`` likewise."""
        known = np.isfinite(predicted).reshape(len(METRICS), -1)
        outside = np.flatnonzero([bool(sentences) for sentences in warnings])
        notes, bounded = np.empty(known.shape, dtype=object), known.copy()
        for i, (states, note) in enumerate(map(self._usual, METRICS)):
            notes[i] = note or ""
            bounded[i, outside if states else slice(None)] = False
            if states:
                notes[i, outside] = ["; ".join(warnings[network]) for network in outside]
        for i, network in np.argwhere(~known):
            precision = features.precision[network]
            notes[i, network] = NO_METER if precision in self._domain.precisions else self._never_in(precision)
        return notes.ravel(), bounded.ravel()

    def _features(self, kernels: pd.DataFrame) -> Features:
        """Return the networks' features, after checking that the kernels are those of the device's runtime."""
        others = sorted({*kernels["runtime"].unique()} - {self.runtime}) if "runtime" in kernels else []
        if others and self._is_described():
            raise EdgejouleError(
                f"kernels of {', '.join(others)} are given, and the predictor of '{self.device}' takes those of "
                f"{self.runtime}: keep the rows whose 'runtime' is '{self.runtime}', or make them, "
                f"kernels_of_file(path, '{self.runtime}')"
            )
        return network_features(kernels, rows=self._predictor.needs_kernels)

    def _is_described(self) -> bool:
        """Whether kernels can be made for the device's runtime; one without rules learned from another's."""
        from edgejoule.graphs.rules import runtimes

        return self.runtime in runtimes()

    def _never_in(self, precision: str) -> str:
        known = ", ".join(self._domain.precisions)
        return f"device '{self.device}' was never measured in {precision}; only in {known}"

    def _usual(self, metric: str) -> tuple[bool, str | None]:
        """Return whether a network like those of the training has bounds, and what there is to say of them."""
        declared = self.origin == "estimated"
        if declared and metric == "power_w":
            return False, "declared, not measured: no interval is known"
        if not np.isfinite(self._predictor.half_width.get(metric, np.nan)):
            return False, "no interval: too few networks to learn one from"
        if declared and metric != "latency_ms":
            return True, "latency's interval only: the error of the declared power is unknown"
        return True, None

    def _interval(self, metric: str, value: float, width: float, inside: bool) -> Interval | None:
        if not np.isfinite(value):
            return None
        bounded, note = self._usual(metric)
        if not bounded:
            return Interval(float(value), None, None, note)
        if not inside:
            return Interval(float(value), None, None, UNLIKE)
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
        if described.kernels.empty:
            raise EdgejouleError(
                f"{path}: the file has no kernel: nothing in it costs anything on {self.runtime}; give a network that "
                "computes something"
            )
        return described.kernels, described.batch


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
    train = "run 'snakemake --cores all predictors'"
    remedy = f"{train}, or name the folder of trained ones (--predictors)"
    if not Path(folder).is_dir():
        raise EdgejouleError(f"{folder}: no such folder; {remedy}")
    trained = trained_devices(folder)
    if device not in trained:
        hint = did_you_mean(device, trained) if trained else remedy
        if file := device_file(device):
            hint = f"{file} is there, but not trained yet: {train}"
        raise EdgejouleError(f"{folder}: no predictor of device '{device}'; {hint}")
    return ServedPredictor.load(Path(folder) / device)


def trained_devices(folder: Path | str) -> Sequence[str]:
    """Return the names of the devices that have a trained predictor under ``folder``."""
    return sorted(path.parent.name for path in Path(folder).glob(f"*/{store.FILE}"))
