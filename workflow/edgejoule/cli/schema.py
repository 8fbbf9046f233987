"""``edgejoule schema``: the data dictionary, and the schemas of the configuration files."""

import json
from enum import StrEnum
from typing import Annotated

import typer


class What(StrEnum):
    """What to print."""

    tables = "tables"
    run = "run"
    device = "device"
    applications = "applications"


def command(
    what: Annotated[
        What, typer.Argument(help="tables: the data dictionary; run, device, applications: JSON schema.")
    ] = What.tables,
) -> None:
    """Print the data dictionary of all tables, or the JSON schema of a configuration file.

    Example: edgejoule schema tables
    """
    from edgejoule.config import Applications, Device, Run
    from edgejoule.tables.contracts import ALL

    if what is What.tables:
        typer.echo("\n".join(_describe(table) for table in ALL))
    else:
        model = {What.run: Run, What.device: Device, What.applications: Applications}[what]
        typer.echo(json.dumps(model.model_json_schema(), indent=2))


def _describe(table) -> str:
    lines = [f"## {table.name}", "", table.meaning, "", "| column | type | unit | nullable | meaning |"]
    lines.append("|---|---|---|---|---|")
    for column in table.columns:
        meaning = column.meaning + (f" ({', '.join(column.choices)})" if column.choices else "")
        null = "yes" if column.nullable else ""
        lines.append(f"| {column.name} | {column.type} | {column.unit or ''} | {null} | {meaning} |")
    return "\n".join([*lines, ""])
