"""Reading the zoo: which networks there are, how each is built, and its published accuracy."""

import csv
import json
from pathlib import Path

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.tables import to_arrow, write_text
from edgejoule.tables.contracts import ZOO

LICENCES = ("licence", "licence_source")
INPUT = "give channels x height x width, such as 3x224x224"
BUILDERS = ("edgejoule", "reference", "timm", "torchvision", "variant")


def read_zoo(path: Path | str = "config/networks.tsv") -> pd.DataFrame:
    """Read the zoo, one row per network, checked.

    Args:
        path: tab-separated file with the columns of table ZOO.

    Returns:
        The table ZOO, in the file's order.

    Raises:
        EdgejouleError: the file is absent or no such table, or a row's builder, arguments or input shape are wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise EdgejouleError(f"{path}: no such file; 'zoo.file' names the table of networks")
    try:
        zoo = pd.read_csv(
            path,
            sep="\t",
            quoting=csv.QUOTE_NONE,
            dtype={"parameters": "Int64", "top1": "float64"},
            keep_default_na=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise EdgejouleError(f"{path}: not a table of networks: {error}") from error
    zoo = to_arrow(_with_licences(zoo).astype(dict.fromkeys(LICENCES, "string")), ZOO, str(path)).to_pandas()
    for line, row in enumerate(zoo.itertuples(), start=2):
        _check(row, f"{path}, line {line} ('{row.network}')")
    return zoo


def _with_licences(zoo: pd.DataFrame) -> pd.DataFrame:
    """Return a zoo with the columns of licences, which a zoo of one's own need not have."""
    return zoo.reindex(columns=[*zoo.columns, *(name for name in LICENCES if name not in zoo)])


def _check(row, where: str) -> None:
    if row.builder not in BUILDERS:
        raise EdgejouleError(f"{where}: unknown builder '{row.builder}'; {did_you_mean(row.builder, BUILDERS)}")
    arguments_of(row.arguments, where)
    # References take words and spectra too; all others take images.
    if len(input_shape(row.input, where)) != 4 and row.builder != "reference":
        raise EdgejouleError(f"{where}: input is '{row.input}'; {INPUT}")
    if not pd.isna(row.top1) and not (1 <= row.top1 < 100 and isinstance(row.top1_source, str)):
        raise EdgejouleError(f"{where}: top1 is {row.top1}; give percent, and where it is from in top1_source")
    if not pd.isna(row.licence) and pd.isna(row.licence_source):
        raise EdgejouleError(f"{where}: licence is '{row.licence}'; say in licence_source who states it")


def arguments_of(text: str, where: str = "zoo") -> dict:
    """Return a builder's arguments from their JSON."""
    try:
        arguments = json.loads(text)
    except json.JSONDecodeError as error:
        raise EdgejouleError(f"{where}: arguments are no JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise EdgejouleError(f"{where}: arguments are '{text}'; give a JSON object, {{}} for none")
    return arguments


def input_shape(text: str, where: str = "zoo") -> tuple[int, ...]:
    """Return an input's shape with the batch of one, from ``CxHxW``.

    >>> input_shape("3x224x224")
    (1, 3, 224, 224)
    """
    parts = str(text).split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise EdgejouleError(f"{where}: input is '{text}'; {INPUT}")
    return (1, *map(int, parts))


def write_zoo(zoo: pd.DataFrame, path: Path | str) -> None:
    """Write networks in the zoo's format, atomically."""
    checked = to_arrow(_with_licences(zoo).convert_dtypes(), ZOO, str(path)).to_pandas()
    write_text(path, checked.to_csv(sep="\t", index=False, quoting=csv.QUOTE_NONE))


def select(zoo: pd.DataFrame, names: list[str], where: str = "zoo") -> pd.DataFrame:
    """Return the rows of the named networks, architectures or families, in the zoo's order.

    Raises:
        EdgejouleError: a name is none of them.
    """
    known = set(zoo["network"]) | set(zoo["architecture"]) | set(zoo["family"])
    for name in names:
        if name not in known:
            raise EdgejouleError(f"{where}: unknown network or family '{name}'; {did_you_mean(name, known)}")
    chosen = zoo["network"].isin(names) | zoo["architecture"].isin(names) | zoo["family"].isin(names)
    return zoo[chosen].reset_index(drop=True)


def parse_shard(text: str) -> tuple[int, int]:
    """Return part and number of parts from ``1-of-4``.

    Raises:
        EdgejouleError: it reads otherwise.
    """
    part, _, parts = text.partition("-of-")
    if not (part.isdecimal() and parts.isdecimal()):
        raise EdgejouleError(f"graphs: shard is '{text}'; write it as 1-of-4")
    return int(part), int(parts)
