"""An answer for people and for programs."""

from dataclasses import asdict

from edgejoule.recommendations.answer import LEAST_POINTS, Answer
from edgejoule.recommendations.catalogue import BEYOND, UNMEASURED, UNSTATED
from edgejoule.recommendations.obstacles import Obstacle
from edgejoule.recommendations.solve import Choice
from edgejoule.recommendations.units import show_energy, show_time

#: A budget this many times the dearest network's energy is rather a slip of its unit.
FAR_BEYOND = 1000


def as_dict(result: Answer) -> dict:
    """Return an answer as JSON-able data; names end in their units, ``None`` where there is no value."""
    catalogue = result.catalogue
    return {
        "device": catalogue.device,
        "energy": catalogue.label,
        "accounting": catalogue.accounting,
        "request": result.request.in_words,
        "budget_mj": result.request.per_request_mj,
        "networks": len(catalogue),
        "excluded": len(catalogue.excluded),
        "ruled_out": result.ruled_out,
        "feasible": result.mix is not None,
        "predicted": int(catalogue.predicted.sum()),
        "single": _choice(result, result.single),
        "mix": _choice(result, result.mix),
        "binding": list(result.binding),
        "points_for_one_percent_more": result.step_points,
        "next_cheaper": _network(result, result.cheaper),
        "next_dearer": _network(result, result.dearer),
        "obstacles": [asdict(obstacle) for obstacle in result.obstacles],
        "together": [asdict(obstacle) for obstacle in result.together],
        "warnings": warnings(result),
    }


def _choice(result: Answer, choice: Choice | None) -> dict | None:
    if choice is None:
        return None
    catalogue = result.catalogue
    return {
        "networks": [
            _network(result, network) | {"share": share}
            for network, share in zip(choice.networks, choice.shares, strict=True)
        ],
        "energy_mj": choice.mean(catalogue.energy_mj),
        "latency_ms": choice.mean(catalogue.latency_at_most_ms),
        "top1": choice.mean(catalogue.top1),
        "predicted": bool(catalogue.predicted[list(choice.networks)].any()),
        "latency_predicted": bool(catalogue.latency_predicted[list(choice.networks)].any()),
    }


def _network(result: Answer, network: int | None) -> dict | None:
    if network is None:
        return None
    catalogue = result.catalogue
    return {
        "network": str(catalogue.network[network]),
        "energy_mj": float(catalogue.energy_mj[network]),
        "latency_ms": float(catalogue.latency_at_most_ms[network]),
        "top1": float(catalogue.top1[network]),
        "licence": str(catalogue.licence[network]),
        "predicted": bool(catalogue.predicted[network]),
        "latency_predicted": bool(catalogue.latency_predicted[network]),
    }


def as_rows(result: Answer) -> list[tuple[str, str, str, str, str, str]]:
    """Return the table for people: what, share, network, energy, latency, top-1."""
    rows = []
    data = as_dict(result)
    for name, title in (("single", "best single"), ("mix", "best mix")):
        choice = data[name]
        if choice is None or (name == "mix" and len(choice["networks"]) == 1 and data["single"]):
            continue
        for member in choice["networks"]:
            rows.append((title, f"{100 * member['share']:.1f} %", *_figures(member)))
            title = ""
        if len(choice["networks"]) > 1:
            rows.append(("", "100 %", *_figures(choice | {"network": "= together"})))
    for name, title in (("next_cheaper", "next cheaper"), ("next_dearer", "next dearer")):
        if data[name]:
            rows.append((title, "", *_figures(data[name])))
    return rows


def _figures(entry: dict) -> tuple[str, str, str, str]:
    # What is predicted is planned with at a bound.
    energy = ("≤ " if entry["predicted"] else "") + show_energy(entry["energy_mj"])
    latency = ("≤ " if entry["latency_predicted"] else "") + show_time(entry["latency_ms"])
    return entry["network"], energy, latency, f"{entry['top1']:.2f} %"


def energies(result: Answer, source: str, confidence: float) -> str:
    """Return in words where an answer's energies are from.

    Args:
        result: the answer.
        source: ``measured``, ``predictor``, or the protocol whose predictions were used.
        confidence: probability with which a predicted energy, or latency, is not exceeded.
    """
    catalogue = result.catalogue
    if source == "measured":
        return catalogue.label
    count, networks = int(catalogue.predicted.sum()), len(catalogue)
    if not count:
        return f"{catalogue.label}: the device has run all {networks}, nothing is predicted"
    words = f"predicted ({source}), not exceeded with probability {confidence:g}"
    words += ", nor is any latency with ≤" if catalogue.latency_predicted.any() else ""
    words += f"; {catalogue.label}" if catalogue.origin == "estimated" else ""
    if count < networks:
        words += f"; of the {networks - count} networks without ≤ that the device has run: {catalogue.label}"
    return words


def refined(result: Answer, source: str, measurements: int) -> str:
    """Return in words where the energies of a refined answer are from.

    Args:
        result: the answer, among networks that the device has run.
        source: ``predictor``, or the protocol whose predictions were refined.
        measurements: how many networks were measured on the way.
    """
    catalogue = result.catalogue
    before = len(catalogue) - measurements
    others = (catalogue.excluded["reason"] == UNMEASURED).any()
    if not others and not measurements:
        return f"{catalogue.label}: the device has run all {before}, nothing is predicted"
    known = f"{measurements} networks" + (f" now, {before} before" if before else "")
    return f"{catalogue.label}: {known}" + (f"; the others predicted ({source})" if others else "")


def reason(result: Answer) -> str:
    """Return why these were chosen, in a few sentences."""
    catalogue, data = result.catalogue, as_dict(result)
    sentences = []
    out = [f"{count} by the {name}" for name, count in result.ruled_out.items() if count]
    unseen = int(catalogue.excluded["reason"].isin([UNMEASURED, BEYOND]).sum())
    left = f"Of {len(catalogue) + unseen} networks, "
    if unseen:
        left += f"{len(catalogue)} {'was' if len(catalogue) == 1 else 'were'} measured; of these, "
    left += f"ruled out on their own: {', '.join(out)}; " if out else ""
    goal = "the least energy" if result.step_points is None else "the most accuracy"
    if result.single is not None:
        sentences.append(f"{left}the best single one of the rest gives {goal}.")
    elif result.request.shares.most < 1:
        sentences.append(f"{left}no single one may serve all requests.")
    else:
        sentences.append(f"{left}no single one is left, but a mix meets every limit.")
    if result.single is not None and len(result.mix.networks) > 1:
        gain = data["mix"]["top1"] - data["single"]["top1"]
        saving = data["single"]["energy_mj"] - data["mix"]["energy_mj"]
        if result.step_points is None or gain < LEAST_POINTS:
            sentences.append(f"The mix saves {show_energy(saving)} per inference.")
        else:
            used = f" and uses up the {' and the '.join(result.binding)}" if result.binding else ""
            sentences.append(f"The mix adds {gain:.2f} points{used}.")
    elif result.slight is not None:
        names = " and ".join(catalogue.network[list(result.slight.networks)])
        sentences.append(f"A mix of {names} would gain next to nothing: not worth a second network.")
    elif result.single is not None:
        sentences.append("No mix is better.")
    if result.step_points is not None:
        more = f"1 % more budget buys {result.step_points:.3f} points"
        sentences.append(more + "." if result.step_points > 0 else "More budget buys nothing under the other limits.")
    silent = int((catalogue.licence == UNSTATED).sum())
    if result.request.exclude_licences and silent:
        sentences.append(
            f"{silent} of the {len(catalogue)} state no licence of their weights: --exclude-licence {UNSTATED} rules "
            "them out."
        )
    return " ".join(sentences)


def warnings(result: Answer) -> list[str]:
    """Return what looks like a slip in the request."""
    budget_mj, dearest_mj = result.request.per_request_mj, float(result.catalogue.energy_mj.max())
    if budget_mj is None or budget_mj <= FAR_BEYOND * dearest_mj:
        return []
    return [
        f"the budget of {show_energy(budget_mj)} is more than {FAR_BEYOND} times what the dearest network takes "
        f"({show_energy(dearest_mj)}); is its unit right? mJ are millijoules, MJ megajoules"
    ]


def infeasible(result: Answer) -> str:
    """Return which limits fail, and the nearest feasible ones."""
    moves = [_move(result, obstacle) for obstacle in result.obstacles if obstacle.nearest is not None]
    stuck = [obstacle.limit for obstacle in result.obstacles if obstacle.nearest is None]
    catalogue = result.catalogue
    sentence = f"no network or mix on '{catalogue.device}' meets the request"
    if (catalogue.excluded["reason"] == UNMEASURED).any():
        sentence = f"of {len(catalogue)} networks measured on '{catalogue.device}' no one and no mix meets the request"
    if moves:
        sentence += f"; with everything else kept, {' or '.join(moves)} would do"
    if stuck:
        sentence += f"; relaxing only the {' or only the '.join(stuck)} does not help"
    if result.together:
        both = " and ".join(_move(result, obstacle) for obstacle in result.together)
        sentence += f"; together, {both} would do"
    if catalogue.accounting == "duty-cycle":
        sentence += f"; the device draws {catalogue.idle_w:.4g} W when idle"
    if any(limit.name == "average power" for limit in result.limits):
        sentence += f"; {_without_rate(result)}"
    return sentence


def _without_rate(result: Answer) -> str:
    """Return what an average power means without a rate, and whether one could help."""
    idle_w, busy = result.catalogue.idle_w, "without --rate one inference follows the other"
    if idle_w >= result.request.mean_power_w:
        return f"{busy}, and with one the device draws {idle_w:.4g} W between them: more than is asked"
    return f"{busy}; with one, such as --rate 1/s, the device is idle between them"


def _move(result: Answer, obstacle: Obstacle) -> str:
    request, nearest = result.request, obstacle.nearest
    match obstacle.limit:
        case "budget":
            text = f"a budget of at least {show_energy(nearest)} per inference (asked: {show_energy(obstacle.asked)})"
            if request.mean_power_w is not None and not result.together:
                watts = nearest * 1e-3 * request.rate_hz
                text += f", which is {watts:.4g} W on average (asked: {request.mean_power_w:.4g} W)"
            return text
        case "average power":
            return f"an average power of at least {nearest:.4g} W (asked: {obstacle.asked:.4g} W)"
        case "mean latency" | "p90 latency":
            return f"a {obstacle.limit} limit of at least {show_time(nearest)} (asked: {show_time(obstacle.asked)})"
        case "rate":
            side = "most" if nearest >= obstacle.asked else "least"
            return f"a rate of at {side} {1e3 / nearest:.4g}/s (asked: {1e3 / obstacle.asked:.4g}/s)"
        case "accuracy":
            return f"an accuracy of at most {-nearest:.2f} % (asked: {-obstacle.asked:g} %)"
        case "size":
            return f"a size limit of at least {nearest / 1e6:.4g} MB (asked: {obstacle.asked / 1e6:.4g} MB)"
    raise ValueError(f"unknown limit {obstacle.limit}")
