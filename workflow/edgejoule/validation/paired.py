"""Whether the predictor beats a baseline on the same networks: a paired test, families as the unit."""

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from edgejoule.tables import empty
from edgejoule.tables.contracts import PAIRED
from edgejoule.validation.subsets import SLOW, subsets

OURS = "edgejoule"
BOOTSTRAP = 2000


def paired(validation: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return rows of table PAIRED: our errors against each baseline's on the networks that both predict.

    Args:
        validation: rows of results/validation/networks.parquet.
        seed: seed of the bootstrap.
    """
    rows = []
    slow = subsets(validation, set())[SLOW]
    for subset, mask in (("all", pd.Series(True, validation.index)), (SLOW, slow)):
        for (device, metric, protocol), group in validation[mask].groupby(["device", "metric", "protocol"], sort=True):
            wide = group.pivot(index=["family", "network"], columns="predictor", values="predicted")
            measured = group.drop_duplicates("network").set_index(["family", "network"])["measured"]
            errors = 100 * (wide.div(measured, axis=0) - 1).abs()
            for baseline in errors.columns.difference([OURS]):
                if OURS in errors:
                    about = {"device": device, "metric": metric, "protocol": protocol, "subset": subset}
                    rows.append(about | {"baseline": baseline} | compare(errors[[OURS, baseline]].dropna(), seed))
    return pd.DataFrame(rows)[PAIRED.names] if rows else empty(PAIRED)


def compare(errors: pd.DataFrame, seed: int = 0) -> dict[str, object]:
    """Return how the second column's errors compare with the first's, network by network.

    The interval is a two-stage bootstrap: families are drawn, then networks within each (Davison and Hinkley, Bootstrap
    Methods and their Application, 1997, section 3.8). The test is Wilcoxon's signed-rank test, exact for few pairs,
    once with a family's mean as one pair, once with each network as one; networks of one family are alike, so the
    latter flatters.

    Args:
        errors: percent; index family and network, two columns.
    """
    difference = errors.iloc[:, 1] - errors.iloc[:, 0]
    families = [values.to_numpy() for _, values in difference.groupby(level="family")]
    means = np.array([values.mean() for values in families])
    low, high = _two_stage(families, np.random.default_rng(seed)) if families else (np.nan, np.nan)
    by_family = errors.groupby(level="family").mean().mean()
    return {
        "networks": len(errors),
        "families": len(families),
        "mape_percent": by_family.iloc[0],
        "baseline_mape_percent": by_family.iloc[1],
        "difference_percent": means.mean() if len(means) else np.nan,
        "lower_percent": low,
        "upper_percent": high,
        "p_families": _signed_rank(means),
        "p_networks": _signed_rank(difference.to_numpy()),
    }


def _two_stage(families: list[np.ndarray], random: np.random.Generator) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean of families' means."""
    draws = np.stack(
        [values[random.integers(len(values), size=(BOOTSTRAP, len(values)))].mean(1) for values in families]
    )
    # A family that is drawn twice brings two draws of its networks: another bootstrap replicate each.
    chosen = random.integers(len(families), size=(BOOTSTRAP, len(families)))
    replicate = random.integers(BOOTSTRAP, size=chosen.shape)
    low, high = np.quantile(draws[chosen, replicate].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _signed_rank(differences: np.ndarray) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; NaN where nothing differs."""
    if not np.any(differences):
        return np.nan
    return float(wilcoxon(differences).pvalue)
