"""What a person asks for, and what that means per request."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.recommendations.catalogue import UNSTATED, Catalogue
from edgejoule.recommendations.solve import Limit, Shares
from edgejoule.recommendations.units import parse_quantity, show_energy
from edgejoule.tables.vocabulary import ACCOUNTINGS


@dataclass(frozen=True)
class Request:
    """A question about one device. Give one of ``budget_mj``, ``power_w``, or ``battery_j`` with ``duration_s``.

    Without any of them the energy at ``min_top1`` is minimised instead of accuracy being maximised.
    """

    budget_mj: float | None = None
    battery_j: float | None = None
    duration_s: float | None = None
    power_w: float | None = None
    rate_hz: float | None = None
    accounting: str | None = None
    max_latency_ms: float | None = None
    latency: str = "mean"
    min_top1: float | None = None
    max_size_bytes: float | None = None
    exclude: tuple[str, ...] = ()
    exclude_licences: tuple[str, ...] = ()
    shares: Shares = field(default_factory=Shares)

    def __post_init__(self) -> None:
        budgets = {"--budget": self.budget_mj, "--power": self.power_w, "--battery": self.battery_j}
        given = [name for name, value in budgets.items() if value is not None]
        if len(given) > 1:
            raise EdgejouleError(f"{' and '.join(given)} are given; a request has one budget")
        if not given and self.min_top1 is None:
            raise EdgejouleError(
                "no budget and no accuracy to reach; give --budget 50mJ, --power 2W, --battery 10Wh --duration 24h, "
                "or --min-top1 70 for the least energy"
            )
        if (self.battery_j is None) != (self.duration_s is None):
            raise EdgejouleError("a battery lasts for a time: give both --battery and --duration, e.g. 10Wh and 24h")
        if self.latency not in ("mean", "p90"):
            raise EdgejouleError(f"--latency is '{self.latency}'; {did_you_mean(self.latency, ('mean', 'p90'))}")
        if self.accounting is not None and self.accounting not in ACCOUNTINGS:
            raise EdgejouleError(f"--accounting is '{self.accounting}'; {did_you_mean(self.accounting, ACCOUNTINGS)}")
        if self.min_top1 is not None and not 0 < self.min_top1 <= 100:
            raise EdgejouleError(f"--min-top1 is {self.min_top1:g}; accuracy is in percent, above 0 and at most 100")

    @property
    def counted(self) -> str:
        """The accounting: as asked; else idle time counts where a rate leaves some."""
        return self.accounting or ("gross" if self.rate_hz is None else "duty-cycle")

    @property
    def mean_power_w(self) -> float | None:
        """The average power that the request allows (W), where it is given as power or as a battery."""
        return self.battery_j / self.duration_s if self.battery_j is not None else self.power_w

    @property
    def per_request_mj(self) -> float | None:
        """The budget per request (mJ); None where there is none, or where the device is busy all the time."""
        if self.mean_power_w is None:
            return self.budget_mj
        return None if self.rate_hz is None else 1e3 * self.mean_power_w / self.rate_hz

    @property
    def in_words(self) -> str:
        """What the budget is, and where it comes from."""
        if self.mean_power_w is not None:
            source = "" if self.battery_j is None else f" = {self.battery_j / 3600:g} Wh / {self.duration_s / 3600:g} h"
            if self.rate_hz is None:
                return f"average power {self.mean_power_w:.4g} W{source}, one inference after the other"
            budget = f"{show_energy(self.per_request_mj)} per request"
            return f"{budget} = {self.mean_power_w:.4g} W{source}, at {self.rate_hz:g}/s"
        if self.budget_mj is not None:
            rate = "" if self.rate_hz is None else f", at {self.rate_hz:g}/s"
            return f"{show_energy(self.budget_mj)} per inference{rate}"
        return f"least energy for {self.min_top1:g} % top-1"


def make_limits(request: Request, catalogue: Catalogue, sizes: np.ndarray | None = None) -> list[Limit]:
    """Return the request's limits, the budget first where there is one.

    An average power P without a rate lets inferences follow each other, so energy over time, sum s e / sum s l, must
    not exceed P; that is linear in the shares: mean(e - P l) <= 0. A rate is served as long as the mean latency does
    not exceed its period. A limit on the 90th percentile of latency holds for each network of a mix: if each of them
    answers 90 % of its requests in time, so does the mix.

    Limits on the mean latency are asked of what a predicted one does not exceed, as the budget is of energy. Under an
    average power a longer latency is no cost but an allowance, so it counts as predicted there, without a margin.
    """
    limits = []
    if request.per_request_mj is not None:
        limits.append(Limit("budget", catalogue.energy_mj, request.per_request_mj))
    elif request.mean_power_w is not None:
        surplus = catalogue.energy_mj - request.mean_power_w * catalogue.latency_ms
        limits.append(Limit("average power", surplus, 0.0))
    if request.max_latency_ms is not None:
        p90 = request.latency == "p90"
        values = catalogue.latency_p90_ms if p90 else catalogue.latency_at_most_ms
        limits.append(Limit("p90 latency" if p90 else "mean latency", values, request.max_latency_ms, each=p90))
    if request.rate_hz is not None:
        limits.append(Limit("rate", catalogue.latency_at_most_ms, 1e3 / request.rate_hz))
    if request.min_top1 is not None:
        limits.append(Limit("accuracy", -catalogue.top1, -request.min_top1))
    if request.max_size_bytes is not None:
        limits.append(Limit("size", sizes, request.max_size_bytes, each=True))
    return limits


def exclusion_reasons(
    catalogue: Catalogue,
    networks: Iterable[str],
    licences: Iterable[str],
    known_networks: Iterable[str] = (),
    known_licences: Iterable[str] = (),
) -> np.ndarray:
    """Return why each network is left out, empty where it is not; shape (networks,).

    Args:
        catalogue: what may be chosen.
        networks: patterns of names to leave out (``*`` and ``?`` as in file names).
        licences: patterns of licences to leave out, in upper or lower case; ``unstated`` where none is stated.
        known_networks: names beyond the catalogue's that a pattern may stand for.
        known_licences: licences beyond the catalogue's that a pattern may stand for.

    Raises:
        EdgejouleError: a pattern matches nothing that is known.
    """
    reasons = np.full(len(catalogue), "", dtype=object)
    names = sorted({*catalogue.network, *catalogue.excluded["network"], *known_networks})
    for pattern in networks:
        if not any(fnmatchcase(name, pattern) for name in names):
            hint = did_you_mean(pattern, names)
            raise EdgejouleError(f"--exclude '{pattern}' matches no network of '{catalogue.device}'; {hint}")
        matches = np.array([fnmatchcase(name, pattern) for name in catalogue.network], dtype=bool)
        reasons[matches & (reasons == "")] = f"excluded by '{pattern}'"
    words = sorted({*catalogue.licence, *known_licences, UNSTATED})
    for pattern in licences:
        plain = pattern.lower()
        if not any(fnmatchcase(word.lower(), plain) for word in words):
            hint = did_you_mean(pattern, words)
            raise EdgejouleError(f"--exclude-licence '{pattern}' is no licence of the zoo's or the device's; {hint}")
        matches = np.array([fnmatchcase(word.lower(), plain) for word in catalogue.licence], dtype=bool)
        for i in np.flatnonzero(matches & (reasons == "")):
            reasons[i] = f"excluded by licence '{catalogue.licence[i]}'"
    return reasons


def parse_request(options: dict[str, str | float | list[str] | None]) -> Request:
    """Return the request that command-line options describe, their texts read as quantities with units.

    Args:
        options: option names without dashes to values; texts for quantities.
    """
    quantities = {
        "budget": ("budget_mj", "millijoule", "50mJ"),
        "battery": ("battery_j", "joule", "10Wh or 3000mAh*3.7V"),
        "duration": ("duration_s", "second", "24h"),
        "power": ("power_w", "watt", "2W"),
        "rate": ("rate_hz", "1/second", "2/s"),
        "max_latency": ("max_latency_ms", "millisecond", "30ms"),
        "max_size": ("max_size_bytes", "byte", "20MB"),
    }
    values = {}
    for option, (name, unit, example) in quantities.items():
        text = options.get(option)
        if text is not None:
            values[name] = parse_quantity(str(text), unit, f"--{option.replace('_', '-')}", example)
    plain = {name: options[name] for name in ("accounting", "latency", "min_top1") if options.get(name) is not None}
    given = {"least": options.get("min_share"), "most": options.get("max_share")}
    shares = Shares(**{name: float(share) for name, share in given.items() if share is not None})
    left_out = {"exclude": options.get("exclude"), "exclude_licences": options.get("exclude_licence")}
    patterns = {name: tuple(given or ()) for name, given in left_out.items()}
    return Request(**values, **plain, **patterns, shares=shares)
