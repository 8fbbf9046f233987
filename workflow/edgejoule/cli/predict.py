"""``edgejoule predict``: what a network will cost on a device, and which of its kernels cost most."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[Path, typer.Argument(help="ONNX file; its weights are not needed.")],
    device: Annotated[str, typer.Option(help="Name of a device with a trained predictor.")],
    precision: Annotated[
        str | None,
        typer.Option(help="Precision to run it in: fp32, fp16 or int8. By default the file's.", show_default=False),
    ] = None,
    shape: Annotated[
        list[str] | None, typer.Option(help="Static shape of an input with dynamic axes: input=1x3x224x224.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    predictors: Annotated[Path, typer.Option(help="Folder of the trained predictors.")] = Path("results/predictors"),
) -> None:
    """Predict latency, power and energy per inference of any ONNX network, with 90 % intervals and a breakdown.

    A network unlike those of the training, or a batch other than 1, gets a warning and no interval.

    Example: edgejoule predict model.onnx --device rpi4-tflite-v2.7.1-ruy --shape input=1x3x224x224
    """
    from edgejoule.graphs.kernels import parse_shapes
    from edgejoule.predictors import load_predictor

    answer = load_predictor(device, predictors).predict(model, precision, parse_shapes(shape or []))
    if json:
        typer.echo(json_module.dumps(answer.to_dict(), indent=2, allow_nan=False))
        return
    for line in _lines(answer):
        typer.echo(line)


def _lines(answer) -> list[str]:
    power = "modelled, latency x a declared power" if answer.origin == "estimated" else answer.origin
    lines = [f"warning: {warning}" for warning in answer.warnings]
    asked = f"{answer.network} ({answer.precision}, batch {answer.batch}) on {answer.device}"
    lines += [f"{asked}; power and energy learned from: {power}", ""]
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
    lines += [f"{one['name'][:44]:<45} {one['kind'][:18]:<18} {_costs(one)}" for one in answer.dearest]
    coverage = (
        f"{100 * answer.coverage:.0f} % of the work (MACs, bytes) in groups of kernels that training networks had"
    )
    distance = f"distance: {answer.distance:.2f} times the training range (1 = inside)"
    return [*lines, "", f"coverage: {coverage}; {distance}"]


def _costs(part: dict) -> str:
    energy = f" {part['energy_mj']:>12.4g}" if "energy_mj" in part else ""
    return f"{part['latency_ms']:>12.4g}{energy}"
