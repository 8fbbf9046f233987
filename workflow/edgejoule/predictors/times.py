"""The time of one kernel: a roofline per law with trees on its residual, or the field's forest per kind."""

import json
from collections.abc import Mapping
from typing import Self

import numpy as np
from scipy.optimize import nnls

from edgejoule.predictors.rows import INPUTS, KernelRows

#: A profiler counts whole microseconds; shorter kernels are taken for this (ms).
SHORTEST_MS = 1e-3
#: Configurations that a law must have in training for a roofline of its own; else it takes that of all kernels, or of
#: all that multiply nothing where it does not either, times a factor of its own, and no residual.
THIN = 20
#: That factor counts as much as none from this many configurations on: one may be an oddity, ten are the law.
SHRINK = 3
#: Residuals are predicted within this factor's logarithm.
MOST = 2.0

TREES = {
    "max_depth": 8,
    "max_bin": 64,
    "eta": 0.12,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "min_child_weight": 5,
    "monotone_constraints": tuple(INPUTS.values()),
    "tree_method": "hist",
    "nthread": 1,
    "seed": 0,
}
ROUNDS = 60
FOREST = {"n_estimators": 10, "max_features": 0.6, "min_samples_leaf": 2, "random_state": 0, "n_jobs": 1}


class RooflineTrees:
    """Non-negative roofline per law, times the exponential of what trees say of the logarithm of its residual.

    Williams, Waterman and Patterson, Roofline (Communications of the ACM 52, 2009), as a sum instead of a maximum.
    The roofline extrapolates; the trees learn what it cannot: padding to vector widths, caches, small maps; where
    physics says which way (``INPUTS``), they are monotone. Kernels weigh the square root of their time in the trees and
    their time in the roofline, so that microseconds do not rule.
    """

    def fit(self, rows: KernelRows, duration_ms: np.ndarray) -> Self:
        """Fit to the time of each kernel, shape (k,)."""
        import xgboost

        time = np.maximum(duration_ms, SHORTEST_MS)
        idle = rows.amounts[:, 1] == 0
        self.pooled = _roofline(rows.amounts, time)
        self.light = _roofline(rows.amounts[idle], time[idle]) if idle.sum() >= THIN else self.pooled
        self.laws = {}
        for law in np.unique(rows.law):
            mine = rows.law == law
            if mine.sum() >= THIN:
                self.laws[str(law)] = _roofline(rows.amounts[mine], time[mine])
        logarithm = np.log(time / self.roofline(rows))
        self.thin = {}
        for law in np.unique(rows.law[self._thin(rows)]):
            own = logarithm[rows.law == law]
            self.thin[str(law)] = float(np.exp(np.median(own) * len(own) / (len(own) + SHRINK)))
        residual = np.clip(logarithm, -MOST, MOST)
        weight = np.sqrt(time)
        data = xgboost.DMatrix(rows.inputs, residual, weight=weight / weight.mean())
        self.trees = xgboost.train(TREES, data, ROUNDS)
        return self

    def roofline(self, rows: KernelRows) -> np.ndarray:
        """Return the roofline's time (ms), shape (k,): the law's own, or that of all kernels."""
        laws, position = np.unique(rows.law, return_inverse=True)
        coefficients = np.array([self.laws.get(str(law), self.pooled) for law in laws])[position]
        coefficients[self._thin(rows) & (rows.amounts[:, 1] == 0)] = self.light
        return np.maximum((rows.amounts * coefficients).sum(axis=1), SHORTEST_MS)

    def law(self, rows: KernelRows) -> np.ndarray:
        """Return the time by the kernel's law alone (ms), shape (k,): its roofline, or another's times a factor."""
        laws, position = np.unique(rows.law, return_inverse=True)
        return self.roofline(rows) * np.array([self.thin.get(str(law), 1.0) for law in laws])[position]

    def predict(self, rows: KernelRows) -> np.ndarray:
        """Return the predicted time (ms), shape (k,)."""
        residual = self.trees.inplace_predict(rows.inputs).astype(float)
        residual[self._thin(rows)] = 0
        return self.law(rows) * np.exp(np.clip(residual, -MOST, MOST))

    def _thin(self, rows: KernelRows) -> np.ndarray:
        """Return which kernels are of a law that training hardly had, shape (k,)."""
        laws, position = np.unique(rows.law, return_inverse=True)
        return np.array([str(law) not in self.laws for law in laws], bool)[position]

    def to_dict(self) -> dict:
        """Return the model as JSON-able values, the trees in XGBoost's own JSON."""
        return {
            "pooled": self.pooled.tolist(),
            "light": self.light.tolist(),
            "laws": {law: coefficients.tolist() for law, coefficients in self.laws.items()},
            "thin": self.thin,
            "trees": json.loads(bytes(self.trees.save_raw("json"))),
        }

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        import xgboost

        model = cls()
        model.pooled, model.light = np.array(value["pooled"]), np.array(value["light"])
        model.laws = {law: np.array(coefficients) for law, coefficients in value["laws"].items()}
        model.thin = dict(value["thin"])
        model.trees = xgboost.Booster({"nthread": 1})
        model.trees.load_model(bytearray(json.dumps(value["trees"]).encode()))
        return model


class ForestPerKind:
    """One random forest per law on the kernel's configuration, as nn-Meter and DeepEn2023 have it.

    Zhang et al., nn-Meter (MobiSys 2021); Tu et al. (SEC 2023). A law that training lacks, which both count as nothing,
    takes the forest of all kernels here.
    """

    def fit(self, rows: KernelRows, duration_ms: np.ndarray) -> Self:
        """Fit to the time of each kernel, shape (k,)."""
        from sklearn.ensemble import RandomForestRegressor

        self.forests = {}
        for law in [None, *np.unique(rows.law)]:
            mine = np.ones(len(rows.law), bool) if law is None else rows.law == law
            if mine.sum() >= THIN:
                self.forests[law] = RandomForestRegressor(**FOREST).fit(rows.inputs[mine], duration_ms[mine])
        return self

    def predict(self, rows: KernelRows) -> np.ndarray:
        """Return the predicted time (ms), shape (k,)."""
        predicted = np.empty(len(rows.law))
        for law in np.unique(rows.law):
            mine = rows.law == law
            forest = self.forests.get(law, self.forests[None])
            predicted[mine] = forest.predict(rows.inputs[mine])
        return predicted


def _roofline(amounts: np.ndarray, time: np.ndarray) -> np.ndarray:
    scaled = amounts / np.sqrt(time)[:, None]
    norm = np.linalg.norm(scaled, axis=0)
    norm[norm == 0] = 1.0
    return nnls(scaled / norm, np.sqrt(time))[0] / norm
