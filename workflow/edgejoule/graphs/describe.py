"""From the zoo to the table of kernels: every network on every runtime that needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.export import save, tidy, trace
from edgejoule.graphs.fusion import Kernel, fuse
from edgejoule.graphs.fusion_check import check_fusion
from edgejoule.graphs.kernels import table_of
from edgejoule.graphs.macs import demand_countable
from edgejoule.graphs.model import Graph, read_graph
from edgejoule.graphs.rules import Rules, load_rules
from edgejoule.graphs.rules import runtimes as known_runtimes
from edgejoule.graphs.runtimes import ASKED, ask, demand_askable
from edgejoule.names import did_you_mean
from edgejoule.tables import empty, read_table
from edgejoule.tables.contracts import CATALOGUE, CONVERSIONS, COVERAGE, FUSION_CHECK, KERNELS
from edgejoule.tables.vocabulary import PRECISIONS


def shard_of(zoo: pd.DataFrame, shard: int, shards: int) -> pd.DataFrame:
    """Return the rows of one of ``shards`` parts (from 1): whole families, largest first to the emptiest part.

    Raises:
        EdgejouleError: there is no such part.
    """
    if not 1 <= shard <= shards:
        raise EdgejouleError(f"graphs: shard {shard} of {shards} does not exist; count from 1")
    once = zoo.drop_duplicates("architecture")
    # A network takes a third of a second, and its weights' time where a runtime is asked.
    effort = (1.0 + once["parameters"] / 25e6).groupby(once["family"]).sum()
    load = [0.0] * shards
    mine = set()
    for family in sorted(effort.index, key=lambda name: (-effort[name], name)):
        part = load.index(min(load))
        load[part] += effort[family]
        if part == shard - 1:
            mine.add(family)
    return zoo[zoo["family"].isin(mine)].reset_index(drop=True)


@dataclass(frozen=True)
class Described:
    """What is known of some networks: tables KERNELS, COVERAGE and FUSION_CHECK."""

    kernels: pd.DataFrame
    coverage: pd.DataFrame
    fusion_check: pd.DataFrame


def describe_zoo(
    zoo: pd.DataFrame,
    runtimes: Sequence[str],
    graphs: Path | str | None = None,
    asked: Sequence[str] | None = None,
    precisions: Sequence[str] = (),
) -> Described:
    """Describe networks on runtimes.

    Each architecture is exported once, whatever its precisions. Where a runtime is asked, its rules are applied as
    well, to show where they disagree.

    Args:
        zoo: rows of the zoo.
        runtimes: runtimes that have rules; each takes the builders and precisions that its rules file lists.
        graphs: folder to keep the graph files in (without weights), or None.
        asked: runtimes to ask; the others are described by their rules. None = ONNX Runtime, if it is described.
        precisions: describe every network in these, by rules only. Empty = in those of the zoo that a runtime's rules
            file lists.

    Raises:
        EdgejouleError: a runtime has no rules, cannot be asked or is not described; a precision is unknown; a network
            cannot be exported or costed, or has another number of parameters than the zoo says.
    """
    for precision in precisions:
        if precision not in PRECISIONS:
            raise EdgejouleError(f"graphs: --precision is '{precision}'; {did_you_mean(precision, PRECISIONS)}")
    if precisions and asked:
        raise EdgejouleError(
            "graphs: a runtime is asked in the zoo's own precisions only; leave --precision or --ask out"
        )
    if asked is None:
        asked = [runtime for runtime in ASKED if runtime in runtimes and not precisions]
    demand_askable(asked, runtimes)
    parts = [Described(empty(KERNELS).assign(layout="", implementation=""), empty(COVERAGE), empty(FUSION_CHECK))]
    rules = [load_rules(runtime) for runtime in runtimes]
    for _, rows in zoo.groupby("architecture", sort=True):
        wanted = {rule.runtime: _rows_for(rows, rule, precisions) for rule in rules}
        if not any(wanted.values()):
            continue
        row = next(rows.itertuples())
        where = f"network '{row.architecture}'"
        exported = trace(row)
        model = tidy(exported, where)
        if graphs is not None:
            save(model, Path(graphs) / f"{row.architecture}.onnx")
        graph = read_graph(model, where)
        demand_countable(graph, where)
        _demand_parameters(graph, rows)
        for rule in rules:
            if wanted[rule.runtime]:
                told = ask(rule.runtime, model, graph, where, exported) if rule.runtime in asked else None
                parts.append(_on_runtime(told, graph, wanted[rule.runtime], rule))
    return Described(*(_stack([getattr(part, field.name) for part in parts]) for field in fields(Described)))


def _demand_parameters(graph: Graph, rows: pd.DataFrame) -> None:
    """Stop if the zoo states another number of parameters than was built: the one or the other is another network."""
    wrong = rows[rows["parameters"] != graph.parameters]
    if len(wrong):
        row = wrong.iloc[0]
        raise EdgejouleError(
            f"network '{row['network']}': the zoo states {row['parameters']} parameters, but {row['builder']} builds "
            f"{graph.parameters} from {row['arguments']}; correct the row"
        )


def summarise(coverage: pd.DataFrame) -> str:
    """Return how many kernels table COVERAGE speaks of, and how many of them are of a known kind, in one line."""
    kernels, other = int(coverage["kernels"].sum()), int(coverage["other_kernels"].sum())
    known = f"{100 * (1 - other / kernels):.3g} % of a known kind" if kernels else "none was described"
    return f"{kernels} kernels of {coverage['network'].nunique()} network(s), {known}"


def demand_described(coverage: pd.DataFrame, rows: pd.DataFrame, runtimes: Sequence[str]) -> None:
    """Stop if none of the named networks is described on any of the runtimes.

    Args:
        coverage: table COVERAGE of what was described.
        rows: their rows of the zoo.
        runtimes: the runtimes that were asked for.

    Raises:
        EdgejouleError: nothing is described; it names the runtimes that would describe the first network.
    """
    if len(coverage):
        return
    row = next(rows.itertuples())
    takers = [name for name in known_runtimes() if _rows_for(rows.head(1), load_rules(name), ())]
    raise EdgejouleError(
        f"network '{row.network}' ({row.builder}, {row.precision}) is not described on {', '.join(runtimes)}; "
        f"it is on --runtime {', '.join(takers)}"
    )


def _rows_for(rows: pd.DataFrame, rules: Rules, precisions: Sequence[str]) -> list:
    """Return the rows of one architecture that a runtime executes, or one row for each precision that is asked for."""
    rows = rows[rows["builder"].isin(rules.builders)]
    if precisions:
        return [
            row._replace(network=row.architecture, precision=precision)
            for row in rows.head(1).itertuples()
            for precision in precisions
        ]
    return list(rows[rows["precision"].isin(rules.precisions)].itertuples())


def _stack(parts: list[pd.DataFrame]) -> pd.DataFrame:
    full = [part for part in parts if len(part)]
    return pd.concat(full or parts[:1], ignore_index=True)


def _on_runtime(told: tuple[Graph, list[Kernel]] | None, graph: Graph, rows: list, rules: Rules) -> Described:
    fused, by_rules, views = fuse(graph, rules)
    tables, covers, compared = [], [], []
    for row in rows:
        ruled = table_of(fused, by_rules, row.network, row.precision, rules.runtime, rules.layout)
        if told is None:
            tables.append(ruled)
            covers.append(_cover(ruled, graph, len(views), row, None))
        else:
            tables.append(table_of(*told, row.network, row.precision, rules.runtime, "nchw"))
            compared.append(check_fusion(tables[-1], ruled))
            both = compared[-1]
            differ = int((both["told"] + both["ruled"] - 2 * both["agreed"]).sum())
            covers.append(_cover(tables[-1], graph, 0, row, differ))
    return Described(_stack(tables), pd.DataFrame(covers), _stack(compared or [empty(FUSION_CHECK)]))


def _cover(table: pd.DataFrame, graph: Graph, views: int, row, disagree: int | None) -> dict[str, object]:
    other = table["kind"].str.startswith("other:")
    moved = table["bytes_in"] + table["bytes_out"] + table["bytes_weights"]

    def known(amount: pd.Series) -> float:
        return 100.0 if amount.sum() == 0 else float(100 * amount[~other].sum() / amount.sum())

    return {
        "network": row.network,
        "precision": row.precision,
        "runtime": table["runtime"].iloc[0],
        "told_by": "rules" if disagree is None else "runtime",
        "nodes": len(graph.nodes),
        "views": views,
        "kernels": len(table),
        "other_kernels": int(other.sum()),
        "known_kernels_percent": float(100 * (~other).mean()),
        "known_macs_percent": known(table["macs"]),
        "known_bytes_percent": known(moved),
        "macs": int(table["macs"].sum()),
        "parameters": graph.parameters,
        "zoo_parameters": row.parameters,
        "rules_disagree": disagree,
    }


#: Tables that are made in parts, by the ending of the parts' names.
PARTS = {"kernels": KERNELS, "coverage": COVERAGE, "fusion-check": FUSION_CHECK, "conversions": CONVERSIONS}


def collect(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read parts of tables; return each table whole, sorted by its key, by its name in ``PARTS``.

    Raises:
        EdgejouleError: a file's name ends in the name of no such table.
    """
    found: dict[str, list[pd.DataFrame]] = {}
    for path in paths:
        name = next((name for name in PARTS if path.stem == name or path.stem.endswith(f"-{name}")), None)
        if name is None:
            raise EdgejouleError(f"{path}: is no part of a table; names of parts end in {', '.join(PARTS)}")
        found.setdefault(name, []).append(read_table(path, PARTS[name]))
    return {name: _stack(parts).sort_values(list(PARTS[name].key), ignore_index=True) for name, parts in found.items()}


#: What sets kernels of one name apart: a clip or a ReLU, a bias, a product with a map or with a number per channel.
APART = ["operator", "macs", "bytes_in", "bytes_out", "bytes_weights"]


def catalogue(kernels: pd.DataFrame, zoo: pd.DataFrame) -> pd.DataFrame:
    """Return the unique kernel configurations: how often each occurs, in how many networks, in which families.

    Args:
        kernels: table KERNELS.
        zoo: the zoo, for the families.

    Returns:
        Table CATALOGUE with the configuration's columns, the most frequent first. Of kernels that bear one name, the
        first is described, which is the one that a plan has measured.
    """
    families = dict(zip(zoo["architecture"], zoo["family"], strict=True)) | zoo.set_index("network")["family"].to_dict()
    found = kernels.assign(family=kernels["network"].map(families))
    groups = found.groupby(["kernel", "runtime"], sort=True)
    counted = groups.agg(
        occurrences=("network", "size"),
        networks=("network", "nunique"),
        families=("family", lambda names: ",".join(sorted(set(names)))),
    ).reset_index()
    different = found.drop_duplicates(["kernel", "runtime", *APART]).groupby(["kernel", "runtime"], sort=True).size()
    counted["configurations"] = different.to_numpy()
    once = found.drop_duplicates(["kernel", "runtime"]).drop(columns=["network", "index", "name", "family"])
    table = counted.merge(once, on=["kernel", "runtime"], validate="one_to_one")
    table = table.sort_values(["runtime", "occurrences", "kernel"], ascending=[True, False, True], ignore_index=True)
    return table[[*CATALOGUE.names, *(name for name in table if name not in CATALOGUE.names)]]


def ambiguous(catalogue: pd.DataFrame) -> str:
    """Return a sentence on how many names of table CATALOGUE stand for several kernels."""
    several = int(catalogue["configurations"].gt(1).sum())
    return f"{several} of {len(catalogue)} kernels' names stand for several kernels, of which the first is described"
