"""Errors in summary: per device, metric, predictor and protocol, each with its own uncertainty."""

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, spearmanr

BOOTSTRAP = 1000
KEYS = ["device", "origin", "metric", "predictor", "protocol"]


def accuracy(validation: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Summarise rows of results/validation/networks.parquet into rows of results/validation/accuracy.parquet.

    Every group appears twice: with the flagged recordings (``flagged`` true) and without them.
    """
    rows = []
    for keys, group in validation.groupby(KEYS, sort=True):
        for flagged in (False, True):
            kept = group if flagged else group[~group["flagged"]]
            rows.append(dict(zip(KEYS, keys, strict=True)) | errors(kept, seed) | {"flagged": flagged})
    return pd.DataFrame(rows)


def errors(group: pd.DataFrame, seed: int = 0) -> dict[str, object]:
    """Return the error figures of one predictor's rows (columns of ACCURACY that are not keys)."""
    judged = group[group["predicted"].notna()]
    relative = (judged["predicted"] / judged["measured"] - 1).to_numpy()
    by_family = pd.Series(np.abs(relative)).groupby(judged["family"].to_numpy()).mean()
    low, high = bootstrap_mape(relative, judged["family"].to_numpy(), seed)
    inside = judged["measured"].between(judged["lower"], judged["upper"])[judged["lower"].notna()]
    stated = inside[judged["stated"].astype(bool)]
    return {
        "networks": len(judged),
        "abstained": len(group) - len(judged),
        "mape_percent": 100 * by_family.mean(),
        "mape_lower_percent": 100 * low,
        "mape_upper_percent": 100 * high,
        "mape_networks_percent": 100 * np.abs(relative).mean() if len(judged) else np.nan,
        "within5_percent": within(relative, 0.05),
        "within10_percent": within(relative, 0.10),
        "within15_percent": within(relative, 0.15),
        "rmspe_percent": 100 * np.sqrt(np.mean(relative**2)) if len(judged) else np.nan,
        "spearman": rank_correlation(spearmanr, judged),
        "kendall": rank_correlation(kendalltau, judged),
        "coverage_percent": 100 * inside.mean() if len(inside) else np.nan,
        "stated": len(stated),
        "coverage_stated_percent": 100 * stated.mean() if len(stated) else np.nan,
        "worst_family": by_family.idxmax() if len(by_family) else None,
        "worst_mape_percent": 100 * by_family.max() if len(by_family) else np.nan,
    }


def within(relative: np.ndarray, bound: float) -> float:
    """Return the percentage of relative errors that are at most ``bound``; NaN where there is none."""
    return float(100 * np.mean(np.abs(relative) <= bound)) if len(relative) else np.nan


def rank_correlation(of, judged: pd.DataFrame) -> float:
    """Return ``of`` measured and predicted; NaN for fewer than three networks or a constant side."""
    if len(judged) < 3 or judged["predicted"].nunique() < 2 or judged["measured"].nunique() < 2:
        return np.nan
    return float(of(judged["measured"], judged["predicted"]).statistic)


def bootstrap_mape(relative: np.ndarray, family: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of the macro-averaged error, networks resampled within their families.

    Families themselves are not resampled: four are too few, and the interval speaks of these families.
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    if not len(relative):
        return np.nan, np.nan
    random = np.random.default_rng(seed)
    means = np.zeros(BOOTSTRAP)
    names = np.unique(family)
    for name in names:
        error = np.abs(relative[family == name])
        means += error[random.integers(len(error), size=(BOOTSTRAP, len(error)))].mean(axis=1)
    low, high = np.quantile(means / len(names), [0.025, 0.975])
    return float(low), float(high)
