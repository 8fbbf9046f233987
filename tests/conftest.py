"""Fixtures that every stage's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public recordings that lie beside some checkouts; a test that needs them is skipped where they are absent."""
    folder = Path(os.environ.get("EDGEJOULE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "mlperf_inference" / "index.csv").is_file():
        pytest.skip("public MLPerf recordings are not beside the checkout (set EDGEJOULE_SHARED_DATA)")
    return folder
