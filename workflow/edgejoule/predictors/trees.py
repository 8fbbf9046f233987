"""Trees on whole networks: the field's usual learners, as baselines. They cannot predict beyond what they have seen."""

from collections.abc import Mapping
from itertools import product
from typing import Self

import numpy as np

from edgejoule.predictors.features import Features
from edgejoule.predictors.folds import FEW, error_left_out, family_folds

GBM = {
    "n_estimators": 200,
    "max_depth": 3,
    "learning_rate": 0.08,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "min_child_weight": 2,
    "n_jobs": 1,
    "tree_method": "hist",
    "random_state": 0,
}
FOREST = {"n_estimators": 100, "max_features": 0.3, "min_samples_leaf": 1, "random_state": 0, "n_jobs": 1}

#: What is chosen inside the training part, every combination; the first of each stands for it where one family trains.
GRIDS: dict[str, dict[str, tuple]] = {
    "gbm": {"max_depth": (3, 2, 6)},
    "random-forest": {"max_features": (0.3, 1.0), "min_samples_leaf": (1, 4)},
}
#: Trees of a forest while settings are compared: fewer rank them alike.
TRIAL_TREES = 20


class TreesNetwork:
    """Trees on a network's features, on the logarithm of its cost, so that errors are relative.

    Their settings (``GRIDS``) are those with the least error on families left out inside the training part, as the
    weights of ``KernelTotals`` are.

    Args:
        kind: ``gbm`` for gradient boosting (XGBoost) or ``random-forest``.
        tuned: whether to choose settings, or to take the first of each.
    """

    def __init__(self, kind: str, tuned: bool = True) -> None:
        self.kind = kind
        self.tuned = tuned

    def fit(self, features: Features, target: np.ndarray, family: np.ndarray) -> Self:
        """Fit to the cost of each network, ``target`` > 0, shape (n,), of these families, shape (n,)."""
        inputs, logs = tree_inputs(features), np.log(target)
        settings = [dict(zip(GRIDS[self.kind], each, strict=True)) for each in product(*GRIDS[self.kind].values())]
        folds = list(family_folds(family, FEW)) if self.tuned else []
        self.setting = settings[0]
        if folds:
            errors = []
            for setting in settings:
                predicted = np.empty(len(target))
                for out in folds:
                    trees = self._make(setting, trial=True).fit(inputs[~out], logs[~out])
                    predicted[out] = np.exp(trees.predict(inputs[out]))
                errors.append(error_left_out(predicted, target, family))
            self.setting = settings[int(np.argmin(errors))]
        self._trees = self._make(self.setting).fit(inputs, logs)
        self._precisions = set(features.precision)
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for a precision not seen in training."""
        predicted = np.exp(self._trees.predict(tree_inputs(features)).astype(float))
        return np.where([p in self._precisions for p in features.precision], predicted, np.nan)

    def _make(self, setting: Mapping, trial: bool = False):
        if self.kind == "gbm":
            from xgboost import XGBRegressor

            return XGBRegressor(**GBM | setting)
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(**FOREST | setting | ({"n_estimators": TRIAL_TREES} if trial else {}))


def tree_inputs(features: Features) -> np.ndarray:
    """Return logarithms of all sums and the width of the weights, shape (n, m)."""
    bits = np.array([{"fp32": 32.0, "fp16": 16.0, "int8": 8.0}[p] for p in features.precision])
    return np.concatenate([np.log1p(features.flat() * 1e3), bits[:, None]], axis=1)
