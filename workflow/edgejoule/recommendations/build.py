"""The stage's files: what each subcommand of ``edgejoule recommendations`` reads and writes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.recommendations.catalogue import Catalogue, build_catalogue
from edgejoule.recommendations.devices import (
    break_even_table,
    choice_table,
    comparable,
    span_targets,
    with_board_idle,
)
from edgejoule.recommendations.pages import device_page, devices_page, tasks_page, validation_page
from edgejoule.recommendations.predicted import PREDICTOR, predicted_catalogue
from edgejoule.recommendations.request import exclusion_reasons
from edgejoule.recommendations.sweep import front_table, recommendation_table, spread_budgets, sweep
from edgejoule.recommendations.tasks import read_accuracies, read_tasks, task_table
from edgejoule.recommendations.validate import summarise, validate_device
from edgejoule.tables import empty, read_table, write_table, write_text
from edgejoule.tables.contracts import (
    BREAK_EVENS,
    DEVICE_CHOICES,
    FRONTS,
    NETWORKS,
    RECOMMENDATION_VALIDATION,
    RECOMMENDATIONS,
    TASK_CHOICES,
    VALIDATION,
)

#: Significant digits of tables for people.
DIGITS = "%.7g"


@dataclass(frozen=True)
class LeftOut:
    """What the tables do not recommend: patterns of networks and licences; each must match the zoo or the device."""

    zoo: Path
    networks: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()

    @cached_property
    def _known(self) -> pd.DataFrame:
        return read_zoo(self.zoo)

    def of(self, catalogue: Catalogue) -> Catalogue:
        """Return the catalogue without them."""
        zoo = self._known
        reasons = exclusion_reasons(catalogue, self.networks, self.licences, zoo["network"], zoo["licence"].dropna())
        return catalogue.keep(reasons == "", reasons)


def build_device(
    device: str,
    networks: Path,
    output: Path,
    fronts: Path,
    budgets: int = 100,
    budgets_mj: list[float] | None = None,
    accounting: str = "gross",
    rate_hz: float | None = None,
    left_out: LeftOut | None = None,
) -> None:
    """Write one device's recommendations and fronts, each as Parquet with CSV beside it, and a page in Markdown.

    Args:
        device: the device's name.
        networks: its rows of table ``networks``.
        output: table ``recommendations``; the page goes beside it.
        fronts: table ``fronts``.
        budgets: how many budgets, evenly spaced in log between the least and the greatest energy.
        budgets_mj: or these budgets (mJ per inference).
        accounting: how energy is counted.
        rate_hz: requests a second, for accounting ``duty-cycle``.
        left_out: networks and licences that are not recommended.
    """
    rows = read_table(networks, NETWORKS)
    catalogue = build_catalogue(rows, accounting, rate_hz, str(networks), device)
    if left_out is not None:
        catalogue = left_out.of(catalogue)
    if budgets_mj and not min(budgets_mj) > 0:
        raise EdgejouleError(f"a budget of {min(budgets_mj):g} mJ per inference; budgets must be positive")
    asked = np.array(sorted(set(budgets_mj))) if budgets_mj else spread_budgets(catalogue.energy_mj, budgets)
    result = sweep(catalogue, asked)
    chosen, standing = recommendation_table(result), front_table(result, rows)
    about = {"device": catalogue.device, "energy": catalogue.label, "accounting": accounting, "source": networks.name}
    if rate_hz is not None:
        about["rate_hz"] = rate_hz
    if left_out is not None:
        about |= {"exclude": list(left_out.networks), "exclude_licences": list(left_out.licences)}
    for table, path, contract in ((chosen, output, RECOMMENDATIONS), (standing, fronts, FRONTS)):
        write_table(table, path, contract, about)
        _write_csv(table, path)
    write_text(output.with_suffix(".md"), device_page(result, standing, catalogue.device))


def build_validation(
    device: str,
    networks: Path,
    predictions: Path,
    output: Path,
    protocols: list[str],
    budgets: int = 100,
    confidence: float = 0.9,
) -> None:
    """Judge every method on one device and write table ``recommendation-validation``.

    Energy that was not measured proves nothing: the table of such a device is empty. A protocol under which the device
    has no predictions, or none with an interval, is named in the file's provenance and not judged.

    Args:
        device: the device's name.
        networks: its rows of table ``networks``.
        predictions: the device's rows of table ``validation``.
        output: where to write.
        protocols: whose predictions to choose from.
        budgets: how many, evenly spaced in log.
        confidence: of method ``mix-margin``.
    """
    catalogue = build_catalogue(read_table(networks, NETWORKS), where=str(networks), device=device)
    predicted = read_table(predictions, VALIDATION)
    offered = predicted[(predicted["metric"] == "energy_mj") & (predicted["predictor"] == PREDICTOR)]
    bounded = offered[offered["lower"].notna() & offered["upper"].notna()]
    used = [protocol for protocol in protocols if protocol in set(bounded["protocol"])]
    table = empty(RECOMMENDATION_VALIDATION).assign(inside=pd.Series(dtype=bool))
    if catalogue.origin == "measured" and len(catalogue):
        chosen = {name: predicted_catalogue(catalogue, predicted, name, str(predictions)) for name in used}
        table = validate_device(catalogue, chosen, budgets, confidence)
    about = {
        "device": catalogue.device,
        "energy": catalogue.label,
        "predictor": PREDICTOR,
        "confidence": confidence,
        "protocols": used,
        "protocols_without_predictions": [name for name in protocols if name not in used],
    }
    write_table(table, output, RECOMMENDATION_VALIDATION, about)


def join_validation(devices: list[Path], output: Path) -> None:
    """Stack the devices' validation; CSV of all rows and a Markdown summary go beside the Parquet."""
    parts = [read_table(path, RECOMMENDATION_VALIDATION) for path in sorted(devices, key=lambda path: path.stem)]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    write_table(table, output, RECOMMENDATION_VALIDATION)
    _write_csv(table, output)
    write_text(output.with_suffix(".md"), validation_page(summarise(table), [p.stem for p in devices]))


def build_devices(networks: list[Path], output: Path, break_evens: Path, left_out: LeftOut | None = None) -> None:
    """Compare devices whose energy was measured with one scope of power; each table as Parquet and CSV, and a page.

    Args:
        networks: each device's rows of table ``networks``.
        output: table ``device-choices``; the page goes beside it.
        break_evens: table ``break-evens``.
        left_out: networks and licences that are not recommended.
    """
    tables = {path: read_table(path, NETWORKS) for path in networks}
    tables = {path: rows for path, rows in tables.items() if len(rows)}
    catalogues = [build_catalogue(rows, where=str(path)) for path, rows in tables.items()]
    if left_out is not None:
        catalogues = [left_out.of(catalogue) for catalogue in catalogues]
    catalogues.sort(key=lambda catalogue: catalogue.device)
    boards = {rows["device"].iloc[0]: rows["board"].iloc[0] for rows in tables.values()}
    groups = comparable(with_board_idle(catalogues, boards))
    choices = [choice_table(group, boards, span_targets(group)) for group in groups]
    rates = [break_even_table(group, span_targets(group)) for group in groups]
    chosen = pd.concat(choices, ignore_index=True) if choices else empty(DEVICE_CHOICES)
    changes = pd.concat(rates, ignore_index=True) if rates else empty(BREAK_EVENS)
    compared = {catalogue.device for group in groups for catalogue in group}
    alone = {c.device: c.label for c in catalogues if c.device not in compared}
    for table, path, contract in ((chosen, output, DEVICE_CHOICES), (changes, break_evens, BREAK_EVENS)):
        write_table(table, path, contract, {"left_out": alone})
        _write_csv(table, path)
    write_text(output.with_suffix(".md"), devices_page(chosen, changes, alone))


def build_tasks(networks: list[Path], tasks: Path, accuracies: Path, output: Path) -> None:
    """Rank devices by energy in each task beside ImageNet; table ``task-choices`` as Parquet and CSV, and a page.

    Args:
        networks: each device's rows of table ``networks``.
        tasks: CSV of the tasks.
        accuracies: CSV of what devices reach in them.
        output: where to write; CSV and page go beside it.
    """
    rows = pd.concat([read_table(path, NETWORKS) for path in networks], ignore_index=True)
    about = read_tasks(tasks)
    table = task_table(rows, about, read_accuracies(accuracies))
    write_table(table, output, TASK_CHOICES, {"tasks": tasks.name, "accuracies": accuracies.name})
    _write_csv(table, output)
    write_text(output.with_suffix(".md"), tasks_page(table, about))


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    write_text(path.with_suffix(".csv"), table.to_csv(index=False, float_format=DIGITS, lineterminator="\n"))
