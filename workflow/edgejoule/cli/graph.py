"""``edgejoule graph``: the kernels of one ONNX file."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[Path, typer.Argument(help="An ONNX file; weights outside it are not needed.")],
    runtime: Annotated[str, typer.Option(help="Who executes it.")] = "onnxruntime",
    precision: Annotated[
        str | None,
        typer.Option(
            help="Precision to count bytes in: fp32, fp16 or int8. By default the file's.", show_default=False
        ),
    ] = None,
    shape: Annotated[
        list[str] | None, typer.Option(help="Static shape of an input with dynamic axes: input=1x3x224x224.")
    ] = None,
    ask: Annotated[
        bool | None,
        typer.Option(
            "--ask/--only-rules",
            help="Ask the runtime itself (onnxruntime, openvino), or apply its fusion rules: faster, blind to layout. "
            "By default, and in the pipeline, onnxruntime is asked and no other.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write all kernels here (Parquet) as well.")] = None,
) -> None:
    """List the kernels that a network is made of on a runtime.

    Example: edgejoule graph resnet50.onnx --runtime tflite --shape input=1x3x224x224
    """
    from edgejoule.graphs.kernels import describe_file, parse_shapes, summary
    from edgejoule.tables import write_table
    from edgejoule.tables.contracts import KERNELS

    kernels, told_by, batch = describe_file(model, runtime, precision, parse_shapes(shape or []), ask)
    if output is not None:
        write_table(kernels, output, KERNELS, {"model": str(model), "runtime": runtime, "told_by": told_by})
    who = f"told by {runtime} itself" if told_by == "runtime" else f"by the fusion rules of {runtime}"
    typer.echo(f"{summary(kernels)}\nKernels are {who}; batch {batch}.")
