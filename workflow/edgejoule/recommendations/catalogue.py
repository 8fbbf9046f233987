"""The networks of one device that may be chosen, with what each costs under an accounting; and those that may not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError

#: Best evidence first; a device whose networks differ in origin is ranked within its best one only.
ORIGINS_BY_EVIDENCE = ("measured", "published", "inferred", "estimated")

#: Why refining left networks out: they were neither needed nor allowed.
UNMEASURED, BEYOND = "not measured", "beyond a limit"

#: The licence of weights whose publisher states none.
UNSTATED = "unstated"

#: What a catalogue holds per network.
ARRAYS = (
    "slowness",
    *("network", "family", "precision", "energy_mj", "latency_ms", "latency_p90_ms", "top1", "licence", "predicted"),
    "latency_bound_ms",
)


@dataclass(frozen=True)
class Cost:
    """What an inference of one network was measured to cost; ``latency_p90_ms`` is NaN where none was recorded."""

    energy_mj: float
    latency_ms: float
    latency_p90_ms: float


@dataclass(frozen=True)
class Catalogue:
    """Candidates in order of name; every array has shape (networks,).

    ``energy_mj`` is per request under ``accounting``; ``origin`` and ``power_scope`` are the same for all of them.
    ``idle_w`` is the device's idle power (median over its recordings), NaN where none was recorded, and ``watts`` the
    declared power where energy is estimated as power x latency. ``flagged`` names candidates whose recording breaks a
    stated rule: they are used, and named wherever the catalogue is shown. ``licence`` is that of the pretrained
    weights, ``UNSTATED`` where their publisher states none. ``predicted`` says of which networks the energy is a
    predictor's, not the device's own. ``latency_bound_ms`` is what a predictor's latency does not exceed with the
    probability that was asked for; NaN where the latency is the device's own.

    ``slowness`` is mean latency / ``latency_ms``: above 1 where the latter is that of inferences that nothing
    disturbed, 1 where no other mean is known.
    """

    device: str
    accounting: str
    origin: str
    power_scope: str
    idle_w: float
    watts: float
    network: np.ndarray
    family: np.ndarray
    precision: np.ndarray
    energy_mj: np.ndarray
    latency_ms: np.ndarray
    slowness: np.ndarray
    latency_p90_ms: np.ndarray
    top1: np.ndarray
    licence: np.ndarray
    predicted: np.ndarray
    latency_bound_ms: np.ndarray
    excluded: pd.DataFrame
    flagged: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.network)

    @property
    def label(self) -> str:
        """How its energies are to be labelled wherever they are shown."""
        if self.origin == "estimated":
            return f"modelled, {self.watts:.4g} W x latency"
        return f"{self.origin}, {self.power_scope}"

    @property
    def latency_mean_ms(self) -> np.ndarray:
        """How long an inference occupies the device on average (ms), disturbed as it was when recorded."""
        return self.latency_ms * self.slowness

    @property
    def latency_predicted(self) -> np.ndarray:
        """Of which networks the latency is a predictor's."""
        return ~np.isnan(self.latency_bound_ms)

    @property
    def latency_at_most_ms(self) -> np.ndarray:
        """The mean latencies to hold against a limit: as recorded, or of a predicted one its bound, disturbed alike."""
        return np.where(self.latency_predicted, self.latency_bound_ms, self.latency_ms) * self.slowness

    def extended(self, **arrays: np.ndarray) -> "Catalogue":
        """Return the catalogue with further networks, each array of ``ARRAYS`` given for them, but ``slowness``.

        That is the median of the known networks; 1 where there are none.
        """
        usual = np.median(self.slowness) if len(self) else 1.0
        arrays = {"slowness": np.full(len(arrays["network"]), usual)} | arrays
        return replace(self, **{name: np.concatenate([getattr(self, name), arrays[name]]) for name in ARRAYS})

    def keep(self, mask: np.ndarray, reason: str | np.ndarray) -> "Catalogue":
        """Return the catalogue of those in ``mask``; the others become excluded, for one reason or each its own."""
        reasons = np.broadcast_to(np.asarray(reason, dtype=object), mask.shape)
        dropped = pd.DataFrame({"network": self.network[~mask], "reason": reasons[~mask]})
        return replace(
            self,
            excluded=pd.concat([self.excluded, dropped], ignore_index=True).astype(str),
            **{name: getattr(self, name)[mask] for name in ARRAYS},
        )

    def with_energy(self, energy_mj: np.ndarray, predicted: np.ndarray | None = None) -> "Catalogue":
        """Return the same networks with other energies; ``predicted`` says which are a predictor's, if that changes."""
        predicted = self.predicted if predicted is None else predicted
        return replace(self, energy_mj=np.asarray(energy_mj, float), predicted=predicted)

    def with_measured(self, costs: Mapping[int, Cost]) -> "Catalogue":
        """Return the same networks, some of them (by index) with what they were measured to cost since."""
        at = np.array(list(costs), dtype=int)
        arrays = {name: getattr(self, name).copy() for name in ARRAYS}
        for name in ("energy_mj", "latency_ms", "latency_p90_ms"):
            arrays[name][at] = [getattr(cost, name) for cost in costs.values()]
        arrays["predicted"][at], arrays["latency_bound_ms"][at] = False, np.nan
        return replace(self, **arrays)


def waiting_mj(idle_w: float, rate_hz: float, latency_ms: float | np.ndarray | pd.Series) -> float | np.ndarray:
    """Return the idle energy between the end of an inference and the next request (mJ)."""
    return idle_w * (1e3 / rate_hz - latency_ms)


def build_catalogue(
    networks: pd.DataFrame,
    accounting: str = "gross",
    rate_hz: float | None = None,
    where: str = "networks",
    device: str | None = None,
) -> Catalogue:
    """Return what may be chosen on a device, given its rows of table ``networks``.

    Energy per request, by accounting:
        gross: all energy between the start and the end of an inference.
        above-idle: what exceeds the idle power recorded before and after.
        duty-cycle: gross, and idle power until the next request is due: E + P_idle (1/rate - latency). At a rate of
            1/latency it equals gross. P_idle is one figure per device, the median over its recordings.

    Args:
        networks: rows of table ``networks`` of one device.
        accounting: one of the vocabulary's ACCOUNTINGS.
        rate_hz: requests a second, for duty-cycle.
        where: the file, for messages.
        device: the device's name; needed where there may be no rows.

    Raises:
        EdgejouleError: rows of another device or of several, an accounting that the recordings do not allow, no rate.
    """
    rows = networks.sort_values("network", kind="stable").reset_index(drop=True)
    held = sorted(set(rows["device"]))
    asked = [device] if device else held
    if len(asked) != 1 or held not in ([], asked):
        raise EdgejouleError(
            f"{where}: holds {', '.join(held) or 'no device'}, but a recommendation is for one device"
            + (f", here '{device}'" if device else "")
        )
    if rate_hz is not None and not rate_hz > 0:
        raise EdgejouleError(f"the rate is {rate_hz:g} requests a second; it must be positive")
    idle_w = _device_idle(rows)
    energy = _energy(rows, accounting, rate_hz, idle_w, where)
    reasons = _reasons(rows, energy, accounting)
    chosen = (reasons == "").to_numpy()
    origin, scope = _common(rows, chosen)
    same = ((rows["origin"] == origin) & (rows["power_scope"] == scope)).to_numpy()
    other = rows["origin"] + " (" + rows["power_scope"] + ") energy is not ranked with " + f"{origin} ({scope})"
    reasons = reasons.where(~chosen | same, other)
    chosen = chosen & same
    kept = rows[chosen]
    power = (kept["energy_mj"] / kept["latency_ms"]).median() if origin == "estimated" else np.nan
    excluded = pd.DataFrame({"network": rows["network"][~chosen], "reason": reasons[~chosen]})
    return Catalogue(
        device=asked[0],
        accounting=accounting,
        origin=origin,
        power_scope=scope,
        idle_w=idle_w,
        watts=float(power),
        network=kept["network"].to_numpy(dtype=object),
        family=kept["family"].to_numpy(dtype=object),
        precision=kept["precision"].to_numpy(dtype=object),
        energy_mj=energy[chosen].to_numpy(float),
        latency_ms=kept["latency_ms"].to_numpy(float),
        slowness=(kept["latency_mean_ms"] / kept["latency_ms"]).astype(float).fillna(1.0).to_numpy(),
        latency_p90_ms=kept["latency_p90_ms"].to_numpy(float),
        top1=kept["top1"].to_numpy(float),
        licence=licences(kept["licence"]),
        predicted=np.zeros(len(kept), bool),
        latency_bound_ms=np.full(len(kept), np.nan),
        excluded=excluded.reset_index(drop=True).astype(str),
        flagged=tuple(kept.loc[kept["quality"] == "flagged", "network"]),
    )


def licences(stated: pd.Series) -> np.ndarray:
    """Return licences with a word for those that nobody states; shape (networks,)."""
    return stated.astype(object).where(stated.notna(), UNSTATED).to_numpy(dtype=object)


def _device_idle(rows: pd.DataFrame) -> float:
    idle = rows.loc[rows["quality"] != "failed", ["idle_before_w", "idle_after_w"]].astype(float).mean(axis=1)
    return float(idle.median()) if idle.notna().any() else float("nan")


def _energy(rows: pd.DataFrame, accounting: str, rate_hz: float | None, idle_w: float, where: str) -> pd.Series:
    if accounting == "gross" or rows.empty:
        return rows["energy_mj"].astype(float)
    device = rows["device"].iloc[0]
    if accounting == "above-idle":
        energy = rows["energy_above_idle_mj"].astype(float)
        if energy.isna().all():
            raise EdgejouleError(f"{where}: no idle power was recorded for '{device}'; use accounting 'gross'")
        return energy
    if accounting != "duty-cycle":
        raise EdgejouleError(f"accounting is '{accounting}'; valid: gross, above-idle, duty-cycle")
    if rate_hz is None:
        raise EdgejouleError("accounting 'duty-cycle' counts idle time between requests; give --rate, e.g. 2/s")
    if np.isnan(idle_w):
        raise EdgejouleError(f"{where}: no idle power was recorded for '{device}'; use accounting 'gross'")
    return rows["energy_mj"].astype(float) + waiting_mj(idle_w, rate_hz, rows["latency_ms"].astype(float))


def _reasons(rows: pd.DataFrame, energy: pd.Series, accounting: str) -> pd.Series:
    """Return why each row cannot be chosen; empty where it can."""
    reasons = pd.Series("", index=rows.index)
    checks = (
        (rows["quality"] == "failed", "recording failed: " + rows["reason"].astype(str)),
        (rows["top1"].isna(), "no ImageNet top-1"),
        (rows["energy_mj"].isna(), "no energy"),
        (rows["latency_ms"].isna(), "no latency"),
        (energy.isna(), f"no energy under accounting '{accounting}'"),
        (energy <= 0, f"energy under accounting '{accounting}' is not positive"),
    )
    for failed, reason in checks:
        reasons = reasons.mask((reasons == "") & failed.fillna(False).astype(bool), reason)
    return reasons


def _common(rows: pd.DataFrame, chosen: np.ndarray) -> tuple[str, str]:
    """Return the origin with the best evidence among the candidates, and its most frequent scope; empty for no rows."""
    if rows.empty:
        return "", ""
    candidates = rows[chosen] if chosen.any() else rows
    origin = min(candidates["origin"], key=ORIGINS_BY_EVIDENCE.index)
    scope = candidates.loc[candidates["origin"] == origin, "power_scope"].mode().iloc[0]
    return str(origin), str(scope)
