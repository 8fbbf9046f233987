"""The stage's files: what each subcommand of ``edgejoule recommendations`` reads and writes."""

from pathlib import Path

import numpy as np

from edgejoule.recommendations.catalogue import build_catalogue
from edgejoule.recommendations.pages import device_page
from edgejoule.recommendations.sweep import front_table, recommendation_table, spread_budgets, sweep
from edgejoule.tables import read_table, write_table, write_text
from edgejoule.tables.contracts import FRONTS, NETWORKS, RECOMMENDATIONS

#: Significant digits of tables for people.
DIGITS = "%.7g"


def build_device(
    networks: Path,
    output: Path,
    fronts: Path,
    budgets: int = 100,
    budgets_mj: list[float] | None = None,
    accounting: str = "gross",
    rate_hz: float | None = None,
) -> None:
    """Write one device's recommendations and fronts, each as Parquet with CSV beside it, and a page in Markdown.

    Args:
        networks: the device's rows of table ``networks``.
        output: table ``recommendations``; the page goes beside it.
        fronts: table ``fronts``.
        budgets: how many budgets, evenly spaced in log between the least and the greatest energy.
        budgets_mj: or these budgets (mJ per inference).
        accounting: how energy is counted.
        rate_hz: requests a second, for accounting ``duty-cycle``.
    """
    rows = read_table(networks, NETWORKS)
    catalogue = build_catalogue(rows, accounting, rate_hz, str(networks))
    asked = np.array(sorted(set(budgets_mj))) if budgets_mj else spread_budgets(catalogue.energy_mj, budgets)
    result = sweep(catalogue, asked)
    chosen, standing = recommendation_table(result), front_table(result, rows)
    about = {"device": catalogue.device, "energy": catalogue.label, "accounting": accounting, "source": networks.name}
    if rate_hz is not None:
        about["rate_hz"] = rate_hz
    for table, path, contract in ((chosen, output, RECOMMENDATIONS), (standing, fronts, FRONTS)):
        write_table(table, path, contract, about)
        write_text(path.with_suffix(".csv"), table.to_csv(index=False, float_format=DIGITS, lineterminator="\n"))
    write_text(output.with_suffix(".md"), device_page(result, standing, catalogue.device))
