"""Predictions as text for people."""

from collections.abc import Sequence

from edgejoule.predictors.answers import Interval, NetworkPrediction, Unpredicted
from edgejoule.predictors.domain import times


def one(answer: NetworkPrediction) -> str:
    """Return every metric, the kinds of kernels and the dearest kernels; warnings first."""
    lines = [f"warning: {warning}" for warning in answer.warnings]
    asked = f"{answer.network} ({answer.precision}, batch {answer.batch}) on {answer.device}"
    lines += [f"{asked}; power and energy learned from: {_learned_from(answer.origin)}", ""]
    for title, interval, unit in (
        ("latency", answer.latency_ms, "ms"),
        ("power", answer.power_w, "W"),
        ("energy", answer.energy_mj, "mJ"),
        ("energy above idle", answer.energy_above_idle_mj, "mJ"),
    ):
        if interval is not None:
            bounds = f"   90 %: {interval.lower:.4g} to {interval.upper:.4g}" if interval.lower is not None else ""
            note = f"   ({interval.note})" if interval.note else ""
            lines.append(f"{title:<18} {interval.value:>9.4g} {unit:<3}{bounds}{note}")
    costs = f"{'latency (ms)':>12}" + (f" {'energy (mJ)':>12}" if answer.energy_mj is not None else "")
    lines += ["", f"kernels: {answer.kernels_from}", f"{'by kind':<45} {'kernels':>18} {costs}"]
    for kind, part in sorted(answer.breakdown.items(), key=lambda item: -item[1]["latency_ms"]):
        lines.append(f"{kind:<45} {part['kernels']:>18} {_costs(part)}")
    lines += ["", f"{'dearest kernels':<45} {'kind':<18} {costs}"]
    lines += [f"{kernel['name'][:44]:<45} {kernel['kind'][:18]:<18} {_costs(kernel)}" for kernel in answer.dearest]
    coverage = (
        f"{100 * answer.coverage:.0f} % of the work (MACs, bytes) in groups of kernels that training networks had"
    )
    distance = f"distance: {times(answer.distance)} times the training range (1 = inside)"
    return "\n".join([*lines, "", f"coverage: {coverage}; {distance}"])


def _costs(part: dict) -> str:
    energy = f" {part['energy_mj']:>12.4g}" if "energy_mj" in part else ""
    return f"{part['latency_ms']:>12.4g}{energy}"


def _learned_from(origin: str) -> str:
    return "modelled, latency x a declared power" if origin == "estimated" else origin


def several(answers: Sequence[NetworkPrediction | Unpredicted], device: str, origin: str) -> str:
    """Return one line per network, and below them what there is to say of single ones."""
    rows = [("network", "precision", "latency (ms)", "90 %", "energy (mJ)", "90 %", "distance")]
    for answer in answers:
        if isinstance(answer, Unpredicted):
            rows.append((answer.network, *["-"] * 6))
        else:
            costs = (*_figures(answer.latency_ms), *_figures(answer.energy_mj))
            rows.append((answer.network, answer.precision, *costs, times(answer.distance)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    said = [
        f"{answer.network}: {sentence}"
        for answer in answers
        for sentence in ([answer.error] if isinstance(answer, Unpredicted) else answer.warnings)
    ]
    bounds = ", whose error the bounds of energy leave out" if origin == "estimated" else ""
    title = f"on {device}; energy learned from: {_learned_from(origin)}{bounds}"
    return "\n".join([title, "", *lines, "", *said]).rstrip()


def _figures(interval: Interval | None) -> tuple[str, str]:
    if interval is None:
        return "-", "-"
    bounds = "-" if interval.lower is None else f"{interval.lower:.4g} to {interval.upper:.4g}"
    return f"{interval.value:.4g}", bounds
