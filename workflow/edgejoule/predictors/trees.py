"""Trees on whole networks: the field's usual learners, as baselines. They cannot predict beyond what they have seen."""

from typing import Self

import numpy as np

from edgejoule.predictors.features import Features

#: Customary values for about a hundred rows; not tuned to any device.
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


class TreesNetwork:
    """Trees on a network's features, on the logarithm of its cost, so that errors are relative.

    Args:
        kind: ``gbm`` for gradient boosting (XGBoost) or ``random-forest``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fit(self, features: Features, target: np.ndarray, family: np.ndarray | None = None) -> Self:
        """Fit to the cost of each network, ``target`` > 0, shape (n,); families do not matter here."""
        if self.kind == "gbm":
            from xgboost import XGBRegressor

            self._trees = XGBRegressor(**GBM)
        else:
            from sklearn.ensemble import RandomForestRegressor

            self._trees = RandomForestRegressor(**FOREST)
        self._trees.fit(tree_inputs(features), np.log(target))
        self._precisions = set(features.precision)
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for a precision not seen in training."""
        predicted = np.exp(self._trees.predict(tree_inputs(features)).astype(float))
        return np.where([p in self._precisions for p in features.precision], predicted, np.nan)


def tree_inputs(features: Features) -> np.ndarray:
    """Return logarithms of all sums and the width of the weights, shape (n, m)."""
    bits = np.array([{"fp32": 32.0, "fp16": 16.0, "int8": 8.0}[p] for p in features.precision])
    return np.concatenate([np.log1p(features.flat() * 1e3), bits[:, None]], axis=1)
