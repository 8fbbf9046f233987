"""The model card: what a predictor is, what it learned from, what it may be used for."""

import math

from edgejoule.predictors.intervals import FLOOR

TITLES = {
    "latency_ms": "latency",
    "power_w": "power",
    "energy_mj": "energy",
    "energy_above_idle_mj": "energy above idle",
}


def model_card(content: dict, training_errors: dict[str, float]) -> str:
    """Return the card in Markdown.

    Args:
        content: what ``predictor.json`` holds.
        training_errors: metric: mean absolute relative error on the training networks (percent).
    """
    model = content["model"]
    domain = model["domain"]
    families = ", ".join(f"{family} ({count})" for family, count in content["families"].items())
    lines = [
        f"# Predictor of {content['device']}",
        "",
        f"Latency, power and energy per inference of a network on {content['device']} (board {content['board']}, "
        f"runtime {content['runtime']}, batch 1), from the kernels it is made of.",
        "",
        "## Learned from",
        "",
        f"{content['networks']} networks, {content['flagged']} of them flagged: {families}. "
        f"Precisions: {', '.join(domain['precisions'])}.",
        *_kernels(content["kernels"]),
        _origin(content),
        "",
        "## Range",
        "",
        "Totals per network that training covered; beyond them the predictor extrapolates and says so.",
        "",
        "| quantity | least | greatest |",
        "|---|---|---|",
        *(f"| {_quantity(q)} | {low:.4g} | {high:.4g} |" for q, (low, high) in domain["ranges"].items()),
        "",
        f"Groups of kernels that training had: {', '.join(domain['groups'])}.",
        "",
        "## Error",
        "",
        "Nominal 90 % intervals are learned from whole families left out, and are wider where models of different "
        "grain disagree and beyond the range. Errors on unseen families are in `results/validation/accuracy.md`; those "
        "below are on the training networks and flatter."
        + (" Those of single kernels: `results/validation/kernel-accuracy.md`." if content["kernels"] else ""),
        "",
        "| metric | error on training networks | 90 % interval at its narrowest |",
        "|---|---|---|",
        *(
            f"| {TITLES[metric]} | {error:.1f} % | {_interval(model, metric)} |"
            for metric, error in training_errors.items()
        ),
        "",
        "## Form",
        "",
        *_form(model),
        "",
        "The file is JSON; its sha256 is checked when it is loaded.",
    ]
    return "\n".join(lines) + "\n"


def _origin(content: dict) -> str:
    if content["origin"] == "estimated":
        return "Power and energy are modelled (a declared constant power x latency), not measured."
    return f"Power and energy are {content['origin']} (scope: {content['power_scope']})."


def _kernels(counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    alone = f"{counts['zoo']} of the zoo and {counts['synthetic']} synthetic ones alone"
    seen = f" A meter measured the energy of {counts['metered']} of them alone." if counts["metered"] else ""
    return [f"Times of kernels, by configuration: {counts['nodes']} inside networks, {alone}.{seen}"]


def _quantity(name: str) -> str:
    return {
        "macs": "multiply-accumulates (M)",
        "bytes_activations": "activation bytes (MB)",
        "bytes_weights": "weight bytes (MB)",
        "count": "kernels",
    }[name]


def _interval(model: dict, metric: str) -> str:
    width = model["half_width"].get(metric)
    return "none" if width is None else f"x or / {math.exp(width * FLOOR):.3f}"


def _from_kernels(model: dict, cost: str, unit: str) -> str:
    laws = len(model["kernels"]["laws"])
    silent = ", ".join(model["silent"])
    what = "time" if cost == "latency" else "energy"
    rest = "" if not silent else f" Of these laws no kernel's {what} is known; networks' totals tell it: {silent}."
    return (
        f"Predicted {cost} ({unit}) is {model['scale']:.4g} x the sum of the kernels' own "
        f"{model['per_count']:+.3g} x their number. A kernel's {what} is a non-negative roofline ({laws} laws by kind "
        f"and layout) times a factor that gradient-boosted trees (XGBoost) learned from kernels." + rest
    )


def _form(model: dict) -> list[str]:
    lines = [] if model["watts"] is None else [f"Power is declared: {model['watts']:.4g} W.", ""]
    for cost, unit in (("latency", "ms"), ("energy", "mJ")):
        if model[cost] is None:
            continue
        if model[cost]["form"] == "kernels":
            lines += [_from_kernels(model[cost], cost, unit), ""]
            continue
        lines.append(f"Predicted {cost} ({unit}) is the weighted geometric mean of these non-negative linear models:")
        lines.append("")
        for weight, member in zip(model[cost]["weights"], model[cost]["members"], strict=True):
            for precision, coefficients in member["coefficients"].items():
                terms = ", ".join(f"{value:.4g} x {name}" for name, value in coefficients.items() if value > 0)
                lines.append(f"- {member['basis']} (weight {weight:.2f}), {precision}: {terms}")
        lines.append("")
    return [*lines, "Quantities are counted in millions of MACs, megabytes and kernels; `network` is one per network."]
