"""What importers of whole runs share: facts from the manifest, rows of problems, descriptions of systems."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from edgejoule.tables import contracts, empty
from edgejoule.traces.files import Files


@dataclass(frozen=True)
class RunFacts:
    """What a manifest knows of a run that its own logs do not say.

    Attributes:
        network: its network's name.
        precision: precision of the weights; None where the submitter states none, or one that is no word of ours.
    """

    network: str
    precision: str | None


def problem(workload: str, precision: str | None, source: str, reason: object) -> dict:
    """Return a row of table ``problems`` about a run."""
    return {"workload": workload, "kind": "network", "precision": precision, "source": source, "reason": str(reason)}


def problem_table(rows: Sequence[dict]) -> pd.DataFrame:
    """Return the rows as table ``problems``."""
    return pd.DataFrame(rows, columns=contracts.PROBLEMS.names) if rows else empty(contracts.PROBLEMS)


def system_description(files: Files, ending: str = ".json") -> dict:
    """Return what a file ``systems/**/*<ending>`` says of hardware and software, in its words; empty ones left out.

    One file of MLPerf Tiny is not valid JSON: then there is a ``note`` that says so.
    """
    for name in files.names():
        if "/systems/" not in f"/{name}" or not name.endswith(ending):
            continue
        try:
            value = json.loads(files.read(name).decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            return {"note": f"{name} is not valid JSON: {error}"}
        if not isinstance(value, dict):
            return {"note": f"{name} holds no mapping"}
        return {key.strip(): text for key, text in value.items() if isinstance(text, str) and text not in ("", "-")}
    return {}
