"""``edgejoule predict``: what networks will cost on a device, and which of their kernels cost most."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer


def command(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help="ONNX files; weights are not needed.")],
    device: Annotated[str, typer.Option(help="Name of a device with a trained predictor.")],
    precision: Annotated[
        str | None,
        typer.Option(help="Precision to run it in: fp32, fp16 or int8. By default the file's.", show_default=False),
    ] = None,
    shape: Annotated[
        list[str] | None, typer.Option(help="Static shape of an input with dynamic axes: input=1x3x224x224.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs; of several files, a list.")] = False,
    predictors: Annotated[Path, typer.Option(help="Folder of the trained predictors.")] = Path("results/predictors"),
) -> None:
    """Predict latency, power and energy per inference of any ONNX network, with a breakdown.

    With 90 % intervals where the network is like those of the training and the batch is 1; otherwise with a warning.
    Of several files one table, in which a file that cannot be predicted has its reason; the status is then 2.

    Example: edgejoule predict model.onnx --device rpi4-tflite-v2.7.1-ruy --shape input=1x3x224x224
    """
    from edgejoule.graphs.kernels import parse_shapes
    from edgejoule.predictors import Unpredicted, load_predictor
    from edgejoule.predictors.show import one, several

    predictor, shapes = load_predictor(device, predictors), parse_shapes(shape or [])
    if len(models) == 1:
        answer = predictor.predict(models[0], precision, shapes)
        typer.echo(_json(answer.to_dict()) if json else one(answer))
        return
    answers = list(predictor.predict_files(models, precision, shapes))
    typer.echo(_json([answer.to_dict() for answer in answers]) if json else several(answers, device, predictor.origin))
    if any(isinstance(answer, Unpredicted) for answer in answers):
        raise typer.Exit(2)


def _json(content: dict | list) -> str:
    return json_module.dumps(content, indent=2, allow_nan=False)
