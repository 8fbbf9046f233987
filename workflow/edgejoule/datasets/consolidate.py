"""One table of all devices from one table per device."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from edgejoule.tables import Table, empty, read_provenance, read_table, write_table


def consolidate(files: Sequence[Path | str], table: Table, output: Path | str) -> None:
    """Stack the devices' tables in the order of ``files`` and keep each one's provenance under its file."""
    frames = [frame for frame in (read_table(file, table) for file in files) if len(frame)]
    rows = pd.concat(frames, ignore_index=True) if frames else empty(table)
    about = {f"{Path(file).parent.parent.name}/{Path(file).parent.name}": read_provenance(file) for file in files}
    write_table(rows, output, table, {"sources": about})
