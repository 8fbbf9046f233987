"""Colours, markers and the names that people read. Nothing heavy is imported here."""

from collections import Counter
from collections.abc import Iterable

#: Okabe and Ito's palette (Wong, Nature Methods 8, 441, 2011), safe for colour-blind readers. Their yellow and black,
#: which do not show as a line on white and as one device among many, give way to a violet and a brown.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#5B4B8A", "#8C6D31")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "h")
OTHER = "#9ca3af"
INK = "#1f2937"
FAINT = "#6b7280"

PRECISION_MARKERS = {"fp32": "o", "fp16": "D", "int8": "s"}

#: Metric: what it is called, its unit.
METRICS = {
    "latency_ms": ("latency", "ms"),
    "power_w": ("power", "W"),
    "energy_mj": ("energy per inference", "mJ"),
    "energy_above_idle_mj": ("energy above idle", "mJ"),
}

#: Predictor: name in legends, colour, line style.
PREDICTORS = {
    "edgejoule": ("edgejoule", "#0072B2", "-"),
    "macs-bytes-linear": ("linear in MACs and bytes", "#009E73", "-"),
    "gbm-network": ("gradient boosting on networks", "#E69F00", "--"),
    "random-forest-network": ("random forest on networks", "#CC79A7", "--"),
    "random-forest-per-kernel": ("random forest on kernels", "#56B4E9", "--"),
    "macs-linear": ("linear in MACs", "#D55E00", ":"),
}

#: Method of recommendation: name in legends, colour, line style.
METHODS = {
    "oracle-mix": ("oracle, mix of two", "#1f2937", "-"),
    "oracle-single": ("oracle, one network", "#6b7280", "--"),
    "refine": ("mix, refined by measuring", "#0072B2", "-"),
    "mix": ("mix of two", "#56B4E9", "-"),
    "mix-margin": ("mix with a margin", "#009E73", "-"),
    "single": ("one network", "#E69F00", "-"),
    "hanafy2021": ("Hanafy et al. 2021", "#CC79A7", "-"),
    "nearest-budget": ("nearest to the budget", "#8C6D31", ":"),
    "accuracy-per-joule": ("best accuracy per joule", "#D55E00", ":"),
}


def family_colours(families: Iterable[str]) -> dict[str, str]:
    """Give each of the most frequent families a colour, in order of name; the rest share grey.

    Args:
        families: family of each row, over all devices, so that a family has one colour in all figures.
    """
    counts = Counter(families)
    frequent = sorted(counts, key=lambda family: (-counts[family], family))[: len(COLOURS)]
    shown = dict(zip(sorted(frequent), COLOURS, strict=False))
    return {family: shown.get(family, OTHER) for family in sorted(counts)}


def number(value: float) -> str:
    r"""Write a figure with three significant digits and no exponent.

    >>> [number(value) for value in (0, 0.01234, 4.5678, 123.4, 12345)]
    ['0', '0.0123', '4.57', '123', '12\xa0300']
    """
    rounded = float(f"{value:.3g}")
    if abs(rounded) < 1000:
        return f"{rounded:.12f}".rstrip("0").rstrip(".")
    return f"{rounded:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def percent(value: float) -> str:
    """Write a percentage: one digit behind the point below ten, none above.

    >>> percent(4.321), percent(43.21)
    ('4.3 %', '43 %')
    """
    return f"{value:.1f} %" if abs(value) < 9.95 else f"{value:.0f} %"
