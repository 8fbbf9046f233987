"""``edgejoule recommend``: what should I use?"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def command(
    device: Annotated[str, typer.Option(help="Device, as under results/datasets.")],
    budget: Annotated[str | None, typer.Option(help="Energy per inference, e.g. 50mJ.")] = None,
    battery: Annotated[
        str | None, typer.Option(help="Or a battery, e.g. 10Wh or 3000mAh*3.7V; with --duration.")
    ] = None,
    duration: Annotated[str | None, typer.Option(help="How long the battery is to last, e.g. 24h.")] = None,
    power: Annotated[str | None, typer.Option(help="Or an average power, e.g. 2W.")] = None,
    rate: Annotated[str | None, typer.Option(help="Requests, e.g. 2/s; idle energy between them then counts.")] = None,
    accounting: Annotated[
        str | None, typer.Option(help="gross, above-idle or duty-cycle; duty-cycle if a rate is given.")
    ] = None,
    max_latency: Annotated[str | None, typer.Option(help="Limit on latency, e.g. 30ms.")] = None,
    latency: Annotated[str, typer.Option(help="Which latency: mean of the mix, or p90 of each network.")] = "mean",
    min_top1: Annotated[
        float | None, typer.Option(help="Least accuracy (%); without a budget: at the least energy.")
    ] = None,
    max_size: Annotated[str | None, typer.Option(help="Limit on each network's weights, e.g. 20MB.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Network or pattern such as '*-quantized'; repeatable.")
    ] = None,
    exclude_licence: Annotated[
        list[str] | None,
        typer.Option(help="Licence of the weights, such as cc-by-nc-4.0, or unstated; repeatable."),
    ] = None,
    min_share: Annotated[float | None, typer.Option(help="Least share of a network in a mix, e.g. 0.1.")] = None,
    max_share: Annotated[float | None, typer.Option(help="Greatest share of a network in a mix, e.g. 0.8.")] = None,
    energies: Annotated[
        str,
        typer.Option(
            help="measured; a protocol, for its predictions; predictor, for the whole zoo; or, on a new board, the "
            "file that `edgejoule predictors transfer` wrote."
        ),
    ] = "measured",
    confidence: Annotated[
        float, typer.Option(help="With predictions: probability of meeting the budget, and each limit on latency.")
    ] = 0.9,
    refine: Annotated[
        bool, typer.Option("--refine", help="Start from predictions; measure only the networks that matter.")
    ] = False,
    live: Annotated[
        Path | None, typer.Option(help="With --refine: YAML file of the live device, to measure now, not look up.")
    ] = None,
    results: Annotated[Path, typer.Option(help="The pipeline's results folder.")] = Path("results"),
    zoo: Annotated[Path, typer.Option(help="The table of networks: sizes and licences.")] = Path("config/networks.tsv"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recommend the network, or the mix of networks, with the most accuracy that a budget can buy.

    Example: edgejoule recommend --device rpi4-tflite-v2.7.1-ruy --budget 150mJ --max-latency 30ms
    """
    from edgejoule.errors import EdgejouleError
    from edgejoule.graphs import read_zoo
    from edgejoule.recommendations.predicted import check_confidence
    from edgejoule.recommendations.recommend import ZOO_FILE, recommend, recommend_refined
    from edgejoule.recommendations.request import parse_request
    from edgejoule.recommendations.show import as_dict, infeasible
    from edgejoule.recommendations.show import energies as energies_in_words
    from edgejoule.recommendations.show import refined as refined_in_words
    from edgejoule.recommendations.units import show_energy, show_time
    from edgejoule.recommendations.unmeasured import live_measurement

    request = parse_request(
        {
            "budget": budget,
            "battery": battery,
            "duration": duration,
            "power": power,
            "rate": rate,
            "accounting": accounting,
            "max_latency": max_latency,
            "latency": latency,
            "min_top1": min_top1,
            "max_size": max_size,
            "exclude": exclude,
            "exclude_licence": exclude_licence,
            "min_share": min_share,
            "max_share": max_share,
        }
    )
    check_confidence(confidence)
    if zoo != ZOO_FILE:
        # A table of one's own is checked even where the answer does not need it.
        read_zoo(zoo)
    if live and not refine:
        raise EdgejouleError("--live measures for --refine; give both")
    steps = []
    if refine:
        source = "leave-one-family-out" if energies == "measured" else energies
        measure = None if live is None else live_measurement(live, zoo, results / "recommendations" / "live" / device)
        result, steps = recommend_refined(results, device, request, source, zoo, measure)
    else:
        result = recommend(results, device, request, energies, confidence, zoo)
    if as_json:
        measured = [asdict(step) for step in steps]
        known = f"refined from {source}" if refine else energies
        given = as_dict(result) | {"energies": known, "measured": measured}
        if result.mix is None:
            raise EdgejouleError(infeasible(result), given)
        typer.echo(json.dumps(given, indent=2))
        return
    if result.mix is None:
        raise EdgejouleError(infeasible(result))
    if refine:
        _print(result, refined_in_words(result, source, len(steps)))
        for step in steps:
            figures = [_change(step.predicted_mj, step.measured_mj, show_energy)]
            if step.predicted_ms is not None:
                figures.append(_change(step.predicted_ms, step.measured_ms, show_time))
            typer.echo(f"measured {step.network}: {'; '.join(figures)}")
    else:
        _print(result, energies_in_words(result, energies, confidence))


def _change(predicted: float, measured: float, show: Callable[[float], str]) -> str:
    return f"{show(predicted)} predicted, {show(measured)} measured ({100 * (measured / predicted - 1):+.1f} %)"


def _print(result, known: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from edgejoule.recommendations.show import as_rows, reason, warnings

    catalogue = result.catalogue
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (
        ("choice", "left"),
        ("share", "right"),
        ("network", "left"),
        ("energy", "right"),
        ("latency", "right"),
        ("top-1", "right"),
    ):
        table.add_column(title, justify=justify, no_wrap=True)
    for row in as_rows(result):
        table.add_row(*row)
    console = Console(highlight=False)
    console.width = max(console.width, 120)
    for warning in warnings(result):
        console.print(f"warning: {warning}", style="yellow", soft_wrap=True)
    console.print(f"[bold]{catalogue.device}[/bold]: {result.request.in_words}", soft_wrap=True)
    console.print(f"energy {known}; accounting {catalogue.accounting}", style="dim", soft_wrap=True)
    console.print(table)
    console.print(reason(result), soft_wrap=True)
