"""``edgejoule graphs``: networks to kernels."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

command = typer.Typer(no_args_is_help=True, help="Kernels of the zoo's networks, as each runtime executes them.")

Zoo = Annotated[Path, typer.Option(help="The zoo.")]
Output = Annotated[Path, typer.Option(help="What is written.")]
Runtimes = Annotated[list[str], typer.Option("--runtime", help="A runtime; give the option once per runtime.")]


@command.command()
def describe(
    runtime: Runtimes,
    output: Annotated[Path, typer.Option(help="Kernels (Parquet) of this part of the zoo.")],
    coverage: Annotated[Path, typer.Option(help="Coverage (Parquet) of this part.")],
    zoo: Zoo = Path("config/networks.tsv"),
    graphs: Annotated[Path | None, typer.Option(help="Folder to keep the graph files in, without weights.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="Only this network or family; may be repeated.")] = None,
    shard: Annotated[str, typer.Option(help="Which part of how many, such as 1-of-4; families stay whole.")] = "1-of-1",
    ask: Annotated[
        list[str] | None, typer.Option(help="Ask this runtime itself; may be repeated. By default onnxruntime.")
    ] = None,
    only_rules: Annotated[bool, typer.Option(help="Ask no runtime.")] = False,
    precision: Annotated[
        list[str] | None,
        typer.Option(help="Describe every network in this precision, by rules; may be repeated. By default the zoo's."),
    ] = None,
    fusion_check: Annotated[
        Path | None, typer.Option(help="Where runtimes that were asked and their rules disagree (Parquet).")
    ] = None,
) -> None:
    """Export networks without weights and list their kernels.

    Example: edgejoule graphs describe --runtime onnxruntime --network resnet --output k.parquet --coverage c.parquet
    """
    from edgejoule.errors import EdgejouleError
    from edgejoule.graphs.describe import demand_described, describe_zoo, shard_of, summarise
    from edgejoule.graphs.zoo import parse_shard, read_zoo, select
    from edgejoule.tables import write_table
    from edgejoule.tables.contracts import COVERAGE, FUSION_CHECK, KERNELS

    rows = read_zoo(zoo)
    if network:
        rows = select(rows, network, str(zoo))
    if only_rules and ask:
        raise EdgejouleError("graphs: --ask and --only-rules exclude each other; leave one out")
    asked = [] if only_rules else ask or None
    rows = shard_of(rows, *parse_shard(shard))
    found = describe_zoo(rows, runtime, graphs, asked, precision or ())
    # A shard of the zoo may well hold nothing that a runtime takes; who names a network wants it.
    if network and len(rows):
        demand_described(found.coverage, rows, runtime)
    write_table(found.kernels, output, KERNELS, {"zoo": str(zoo)})
    write_table(found.coverage, coverage, COVERAGE, {"zoo": str(zoo)})
    if fusion_check is not None:
        write_table(found.fusion_check, fusion_check, FUSION_CHECK, {"zoo": str(zoo)})
    typer.echo(f"{output}: {summarise(found.coverage)}", err=True)


@command.command()
def collect(
    parts: Annotated[
        list[Path], typer.Argument(help="Parts of tables: names end in kernels, coverage, fusion-check or conversions.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for the whole tables, the catalogue and fusion-kinds.")],
    zoo: Zoo = Path("config/networks.tsv"),
) -> None:
    """Join the parts of tables; list the unique kernel configurations, and where runtimes and rules disagree.

    Example: edgejoule graphs collect --output results/graphs results/graphs/parts/*.parquet
    """
    from edgejoule.graphs.describe import PARTS, ambiguous, catalogue
    from edgejoule.graphs.describe import collect as join
    from edgejoule.graphs.fusion_check import by_kind
    from edgejoule.graphs.zoo import read_zoo
    from edgejoule.tables import write_table, write_text
    from edgejoule.tables.contracts import CATALOGUE, FUSION_KINDS

    about = {"zoo": str(zoo)}
    for name, joined in join(parts).items():
        write_table(joined, output / f"{name}.parquet", PARTS[name], about)
        if name == "kernels":
            unique = catalogue(joined, read_zoo(zoo))
            write_table(unique, output / "catalogue.parquet", CATALOGUE, about)
            typer.echo(ambiguous(unique), err=True)
        if name == "fusion-check":
            kinds = by_kind(joined)
            write_table(kinds, output / "fusion-kinds.parquet", FUSION_KINDS, about)
            write_text(output / "fusion-kinds.csv", kinds.to_csv(index=False, lineterminator="\n"))


@command.command()
def convert(
    output: Annotated[Path, typer.Option(help="How far each file's output is from the reference (Parquet).")],
    zoo: Zoo = Path("config/networks.tsv"),
    network: Annotated[list[str] | None, typer.Option(help="Only this network or family; may be repeated.")] = None,
    shard: Annotated[str, typer.Option(help="Which part of how many, such as 1-of-4; families stay whole.")] = "1-of-1",
    precision: Annotated[
        list[str] | None, typer.Option(help="fp32, fp16 or int8; may be repeated. By default all three.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random weights and inputs.")] = 0,
) -> None:
    """Export networks with weights, run them in ONNX Runtime, convert them to FP16 and INT8 and run them again.

    FP32 is compared with PyTorch, the others with FP32. No file is kept: edgejoule graphs export writes one.

    Example: edgejoule graphs convert --network resnet --precision int8 --output conversions.parquet
    """
    from edgejoule.graphs.conversions import check_conversions
    from edgejoule.graphs.describe import shard_of
    from edgejoule.graphs.zoo import parse_shard, read_zoo, select
    from edgejoule.tables import write_table
    from edgejoule.tables.contracts import CONVERSIONS
    from edgejoule.tables.vocabulary import PRECISIONS

    rows = read_zoo(zoo)
    if network:
        rows = select(rows, network, str(zoo))
    found = check_conversions(shard_of(rows, *parse_shard(shard)), precision or PRECISIONS, seed)
    write_table(found, output, CONVERSIONS, {"zoo": str(zoo), "seed": seed})
    counts = found.groupby(["precision", "state"]).size()
    typer.echo("; ".join(f"{precision}: {number} {state}" for (precision, state), number in counts.items()))


@command.command()
def check(
    coverage: Annotated[Path, typer.Option(help="The described zoo's coverage (Parquet).")],
    output: Annotated[Path, typer.Option(help="Every network beside the counter (Parquet).")],
    zoo: Zoo = Path("config/networks.tsv"),
) -> None:
    """Count multiply-accumulates and parameters anew with PyTorch's own counter; exits with status 2 if they differ.

    Example: edgejoule graphs check --coverage results/graphs/coverage.parquet --output counts.parquet
    """
    from edgejoule.graphs.counts import check_counts, demand_agreement
    from edgejoule.graphs.zoo import read_zoo
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import COUNTS, COVERAGE

    counts = check_counts(read_zoo(zoo), read_table(coverage, COVERAGE))
    typer.echo(demand_agreement(counts, str(coverage)))
    write_table(counts, output, COUNTS, {"zoo": str(zoo)})


@command.command()
def export(
    network: Annotated[str, typer.Argument(help="A network of the zoo.")],
    output: Annotated[Path, typer.Option(help="The ONNX file, or a TensorFlow Lite file if it ends in .tflite.")],
    zoo: Zoo = Path("config/networks.tsv"),
    weights: Annotated[bool, typer.Option(help="With weights, to run it.")] = False,
    pretrained: Annotated[bool, typer.Option(help="Published weights instead of random ones (needs network).")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random weights.")] = 0,
    precision: Annotated[str, typer.Option(help="Of a file with weights: fp32, fp16 or int8 (QDQ).")] = "fp32",
) -> None:
    """Write one network as ONNX, or as a TensorFlow Lite file (always with weights, FP32).

    Example: edgejoule graphs export mobilenet-v1-1.0-224-quantized --weights --output mobilenet.onnx
    """
    from edgejoule.errors import EdgejouleError
    from edgejoule.graphs.export import describe as without_weights
    from edgejoule.graphs.export import save
    from edgejoule.graphs.precision import convert
    from edgejoule.graphs.runnable import export_with_weights
    from edgejoule.graphs.tflite import export_tflite
    from edgejoule.graphs.zoo import read_zoo, select
    from edgejoule.tables import atomic_path

    row = next(select(read_zoo(zoo), [network], str(zoo)).itertuples())
    if output.suffix == ".tflite":
        if precision != "fp32":
            raise EdgejouleError(f"{output}: TensorFlow Lite files are written in fp32 only, not '{precision}'")
        with atomic_path(output) as temporary:
            difference = export_tflite(row, temporary, seed, pretrained)
        typer.echo(f"{output}: largest difference from PyTorch: {100 * difference:.2g} % of the largest output")
    elif not (weights or pretrained):
        if precision != "fp32":
            raise EdgejouleError(f"{output}: a file without weights has no precision '{precision}'; give --weights too")
        save(without_weights(row), output)
        typer.echo(f"{output}: without weights, to be described; --weights makes one that runs", err=True)
    elif precision == "fp32":
        difference = export_with_weights(row, output, seed=seed, pretrained=pretrained)
        typer.echo(f"{output}: largest difference from PyTorch: {100 * difference:.2g} % of the largest output")
    else:
        with TemporaryDirectory() as folder:
            export_with_weights(row, Path(folder) / "fp32.onnx", seed=seed, pretrained=pretrained)
            difference = convert(Path(folder) / "fp32.onnx", output, precision, seed, f"network '{row.network}'")
        typer.echo(f"{output}: largest difference from FP32: {100 * difference:.2g} % of the largest output")


@command.command()
def plan(
    output: Annotated[Path, typer.Option(help="The plan (Parquet); how it covers each feature lies beside it (CSV).")],
    runtime: Annotated[str, typer.Option(help="The device's runtime.")],
    budget: Annotated[float, typer.Option(help="Minutes that one pass over all of them may take.")],
    catalogue: Annotated[Path, typer.Option(help="The zoo's unique configurations.")] = Path(
        "results/graphs/catalogue.parquet"
    ),
    synthetic: Annotated[float, typer.Option(help="Share of the budget for synthetic kernels, 0 to 1.")] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the synthetic sample.")] = 0,
) -> None:
    """Choose the kernels to measure on a device: from the zoo, and from a synthetic sample.

    Example: edgejoule graphs plan --runtime onnxruntime --budget 3 --output plan.parquet
    """
    from edgejoule.graphs.plan import coverage, left_out, make_plan
    from edgejoule.tables import read_table, write_table, write_text
    from edgejoule.tables.contracts import CATALOGUE, PLAN

    found = read_table(catalogue, CATALOGUE)
    chosen = make_plan(found, runtime, budget, seed, synthetic)
    about = {"runtime": runtime, "budget_minutes": budget, "synthetic_share": synthetic, "seed": seed}
    write_table(chosen, output, PLAN, about | {"left_out": left_out(found, runtime)})
    write_text(output.with_suffix(".csv"), coverage(chosen).to_csv(index=False))


@command.command()
def agree(
    models: Annotated[Path, typer.Argument(help="Folder with <network>.tflite files.")],
    kernels: Annotated[Path, typer.Option(help="Kernels as the rules have them.")] = Path(
        "results/graphs/kernels.parquet"
    ),
    runtime: Annotated[str, typer.Option(help="Whose rules: litert or tflite.")] = "litert",
) -> None:
    """Print how far rules foresee what converted networks are made of, kind by kind, as a Markdown table.

    Example: edgejoule graphs agree results/measure/work/models
    """
    from edgejoule.graphs.tflite_operators import agreement, as_markdown
    from edgejoule.tables import read_table
    from edgejoule.tables.contracts import KERNELS

    typer.echo(as_markdown(agreement(models, read_table(kernels, KERNELS), runtime)))


@command.command()
def variants(
    output: Annotated[Path, typer.Option(help="The variants (TSV), a zoo of its own: give it to describe --zoo.")],
    family: Annotated[list[str] | None, typer.Option(help="Only this family; may be repeated.")] = None,
    count: Annotated[int, typer.Option(help="Variants per family.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Number of the first one.")] = 0,
) -> None:
    """Draw variants of nine families: output channels and kernel sizes anew, layer by layer.

    Example: edgejoule graphs variants --family resnet --count 5 --output variants.tsv
    """
    from edgejoule.graphs.variants import FAMILIES
    from edgejoule.graphs.variants import variants as draw
    from edgejoule.graphs.zoo import write_zoo

    write_zoo(draw(family or FAMILIES, count, seed), output)
