"""The table of kernels: which kernels a network is made of on a runtime, by rules or as the runtime itself says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import costs
from edgejoule.graphs.export import clean, strip
from edgejoule.graphs.files import fix_shapes, load
from edgejoule.graphs.fusion import Kernel, fuse
from edgejoule.graphs.half import as_float, is_half
from edgejoule.graphs.integers import as_qdq, is_quantised, without_quantisation
from edgejoule.graphs.macs import demand_countable
from edgejoule.graphs.model import (
    Graph,
    Node,
    Shape,
    read_graph,
)
from edgejoule.graphs.rules import load_rules
from edgejoule.graphs.runtimes import ASKED, ask
from edgejoule.names import did_you_mean
from edgejoule.tables import empty
from edgejoule.tables.contracts import KERNELS
from edgejoule.tables.vocabulary import PRECISIONS

#: Largest whole number of a table, and of an axis.
MOST = 2**63 - 1


def identifier(row: Mapping[str, object]) -> str:
    """Return the name of a kernel configuration on one runtime.

    Batch, channels x height x width in and out, window, stride, dilation, groups, number of inputs, fused tail, layout,
    precision. Recordings know kernels by it. It does not tell all kernels apart: see ``describe.APART``.
    """
    return (
        f"{row['kind']}_b{row['batch']}"
        f"_i{row['input_channels']}x{row['input_height']}x{row['input_width']}"
        f"_o{row['output_channels']}x{row['output_height']}x{row['output_width']}"
        f"_k{row['kernel_height']}x{row['kernel_width']}"
        f"_s{row['stride']}_d{row['dilation']}_g{row['groups']}_n{row['inputs']}"
        f"{'_' + str(row['tail']) if row['tail'] else ''}_{row['layout']}_{row['precision']}"
    )


def table_of(
    graph: Graph, kernels: Sequence[Kernel], network: str, precision: str, runtime: str, layout: str
) -> pd.DataFrame:
    """Return the rows of table KERNELS of one network.

    Two further columns: ``layout`` in memory, and the ``implementation`` that the runtime names, empty if it does not.

    Raises:
        EdgejouleError: a kernel's work or traffic is beyond 64 bits.
    """
    rows = []
    for index, kernel in enumerate(kernels):
        executed = kernel.precision or precision
        # Folded into the weights, normalisation is no longer there to be seen.
        tail = kernel.tail[1:] if kernel.tail[:1] == ("bn",) and kernel.anchor.operator != "Add" else kernel.tail
        row = {
            "network": network,
            "precision": precision,
            "runtime": runtime,
            "index": index,
            "kind": costs.kind_of(graph, kernel),
            "name": kernel.anchor.name,
            "operator": kernel.anchor.operator,
            "tail": "+".join(tail),
            "layout": kernel.layout or layout,
            "implementation": kernel.implementation,
            **costs.configuration(graph, kernel),
            "macs": costs.macs_of(graph, kernel),
            **costs.bytes_of(graph, kernel, executed),
        }
        row["kernel"] = identifier(row | {"precision": executed})
        for column in ("macs", "bytes_in", "bytes_out", "bytes_weights"):
            if row[column] > MOST:
                raise EdgejouleError(
                    f"network '{network}': kernel '{row['kernel']}' has {row[column]} {column}, more than any table "
                    "holds; check the shape of the input"
                )
        rows.append(row)
    if not rows:
        return empty(KERNELS)
    return pd.DataFrame(rows)[[*KERNELS.names, "layout", "implementation"]]


def by_rules(graph: Graph, network: str, precision: str, runtime: str) -> tuple[pd.DataFrame, list[Node]]:
    """Return a network's kernels as a runtime's rules have them, and the views that cost nothing."""
    rules = load_rules(runtime)
    fused, kernels, views = fuse(graph, rules)
    return table_of(fused, kernels, network, precision, runtime, rules.layout), views


def kernels_of_file(
    path: Path | str,
    runtime: str = "onnxruntime",
    precision: str | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    asked: bool | None = None,
) -> pd.DataFrame:
    """Return the kernels of any ONNX file as table KERNELS; see ``describe_file``."""
    return describe_file(path, runtime, precision, shapes, asked).kernels


class Description(NamedTuple):
    """What a file describes: the table KERNELS, who told of them (``runtime`` or ``rules``), and its batch.

    The batch is the first axis of the first input, 1 where that has a single axis.
    """

    kernels: pd.DataFrame
    told_by: str
    batch: int


def describe_file(
    path: Path | str,
    runtime: str = "onnxruntime",
    precision: str | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    asked: bool | None = None,
) -> Description:
    """Return the kernels of any ONNX file, who told them (the ``runtime`` itself, or its ``rules``), and its batch.

    Args:
        path: ONNX model; weights outside the file are not needed (only what is no weight: bounds, shapes).
        runtime: one that has a rules file.
        precision: precision to count bytes in. None = the file's own: int8 if it is quantised, fp16 if its weights
            are; only a file in fp32 may be counted in another.
        shapes: static shape of each input that has dynamic axes.
        asked: ask the runtime, or only apply its rules: faster, and blind to changes of layout. None = as the zoo is
            described, so that predictors find the kernels that they learned from: ONNX Runtime is asked, no other.

    The network in the table is the file's name without its ending.

    Raises:
        EdgejouleError: the file is no ONNX model or of another precision, an axis is dynamic, an operator cannot be
            costed, or the runtime cannot be asked.
    """
    if precision not in (None, *PRECISIONS):
        raise EdgejouleError(f"{path}: precision is '{precision}'; {did_you_mean(precision, PRECISIONS)}")
    load_rules(runtime)
    network, where = Path(path).stem, str(path)
    exported = fix_shapes(strip(load(path)), shapes or {}, where)
    half = is_half(exported)
    if half:
        exported = as_float(exported)
    model = clean(exported, where)
    graph = read_graph(as_qdq(model, where), where)
    quantised = is_quantised(graph)
    if quantised:
        # Integer operators are the runtime's own business; their rules are those of the operators that they replace.
        graph = without_quantisation(graph)
    demand_countable(graph, where)
    if not graph.nodes:
        raise EdgejouleError(f"{where}: nothing in it depends on an input, so there is nothing to execute")
    first = graph.shapes[graph.inputs[0]]
    batch = first[0] if len(first) > 1 else 1
    own = "int8" if quantised else "fp16" if half else "fp32"
    if own != "fp32":
        _demand_own(own, precision, asked, where)
    if own != "fp32" or not (runtime in ASKED if asked is None else asked):
        return Description(by_rules(graph, network, precision or own, runtime)[0], "rules", batch)
    told, kernels = ask(runtime, model, graph, where, exported)
    return Description(table_of(told, kernels, network, precision or own, runtime, "nchw"), "runtime", batch)


def _demand_own(own: str, precision: str | None, asked: bool | None, where: str) -> None:
    """Stop at a request that a file in FP16 or INT8 does not allow."""
    if precision not in (None, own):
        raise EdgejouleError(f"{where}: precision is '{precision}', but the file is in {own}; leave it out")
    if asked:
        raise EdgejouleError(f"{where}: a file in {own} is described by rules only; leave --ask out")


def parse_shapes(texts: Sequence[str]) -> dict[str, Shape]:
    """Return input shapes from ``name=1x3x224x224``.

    Raises:
        EdgejouleError: one reads otherwise.
    """
    shapes = {}
    for text in texts:
        name, _, sizes = text.rpartition("=")
        parts = sizes.split("x")
        if not name or not all(part.isdecimal() and 0 < int(part) <= MOST for part in parts):
            raise EdgejouleError(f"--shape is '{text}'; write it as input=1x3x224x224")
        shapes[name] = tuple(map(int, parts))
    return shapes


def summary(kernels: pd.DataFrame) -> str:
    """Return a table for people: kernels, multiply-accumulates and bytes by kind, and the share of known kinds."""
    if kernels.empty:
        return "no kernels: nothing in it costs anything"
    moved = kernels["bytes_in"] + kernels["bytes_out"]
    table = (
        kernels.assign(activations=moved)
        .groupby("kind", sort=True)
        .agg(
            kernels=("kind", "size"),
            macs=("macs", "sum"),
            activations=("activations", "sum"),
            weights=("bytes_weights", "sum"),
        )
        .sort_values(["macs", "activations"], ascending=False)
    )
    known = 100 * (~kernels["kind"].str.startswith("other:")).mean()
    shown = pd.DataFrame(
        {
            "kernels": table["kernels"],
            "MACs (M)": (table["macs"] / 1e6).round(2),
            "activations (MB)": (table["activations"] / 1e6).round(2),
            "weights (MB)": (table["weights"] / 1e6).round(2),
        }
    )
    total = (
        f"{len(kernels)} kernels, {kernels['macs'].sum() / 1e6:.1f} million MACs, "
        f"{kernels['bytes_weights'].sum() / 1e6:.2f} MB of weights; {known:.1f} % of kernels of a known kind"
    )
    return f"{shown.to_string()}\n{total}"
