"""Every network as a file with weights that ONNX Runtime runs, in each precision: how far its output is, or why not."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError
from edgejoule.graphs.precision import convert
from edgejoule.graphs.runnable import export_with_weights
from edgejoule.names import did_you_mean
from edgejoule.tables import empty
from edgejoule.tables.contracts import CONVERSIONS
from edgejoule.tables.vocabulary import PRECISIONS


def check_conversions(zoo: pd.DataFrame, precisions: Sequence[str] = PRECISIONS, seed: int = 0) -> pd.DataFrame:
    """Export each architecture with random weights, run it, convert it and run it again; no file is kept.

    Args:
        zoo: rows of the zoo; of networks that differ only in precision, the first is taken.
        precisions: fp32 (compared with PyTorch), fp16 and int8 (each compared with the FP32 file).
        seed: seed of weights and inputs.

    Returns:
        Table CONVERSIONS, one row per architecture and precision. What a converter refuses is a row with its reason.

    Raises:
        EdgejouleError: a precision is unknown, or a network cannot be built or exported.
    """
    for precision in precisions:
        if precision not in PRECISIONS:
            raise EdgejouleError(f"graphs: --precision is '{precision}'; {did_you_mean(precision, PRECISIONS)}")
    rows = []
    for row in zoo.drop_duplicates("architecture").itertuples():
        with TemporaryDirectory() as folder:
            rows += _convert(row, precisions, Path(folder), seed)
    return pd.DataFrame(rows, columns=list(CONVERSIONS.names)) if rows else empty(CONVERSIONS)


def _convert(row, precisions: Sequence[str], folder: Path, seed: int) -> list[dict[str, object]]:
    """Return an architecture's rows; without an FP32 file there is nothing to convert."""
    single, found, missing = folder / "fp32.onnx", [], None
    try:
        exact = export_with_weights(row, single, seed)
    except RefusedError as error:
        exact, missing = None, str(error)
    for precision in precisions:
        about = {"network": row.architecture, "family": row.family, "precision": precision, "difference_percent": None}
        about |= {"compared_with": "pytorch" if precision == "fp32" else "fp32", "state": "refused", "reason": missing}
        if missing is None:
            path, difference = folder / f"{precision}.onnx", exact
            try:
                if precision != "fp32":
                    difference = convert(single, path, precision, seed, f"network '{row.architecture}'")
            except RefusedError as error:
                about["reason"] = str(error)
            else:
                about |= {"state": "runs", "difference_percent": 100 * difference, "file_bytes": path.stat().st_size}
        found.append(about)
    return found
