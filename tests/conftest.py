"""Fixtures that every stage's tests share."""

import os
import re
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


def pytest_sessionfinish(session, exitstatus) -> None:
    """Fail where tests were skipped that must run here: CI names them by their reasons in EDGEJOULE_MUST_RUN."""
    pattern = os.environ.get("EDGEJOULE_MUST_RUN")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not pattern or reporter is None or exitstatus not in (0, 1):
        return
    skipped = [report for report in reporter.stats.get("skipped", []) if re.search(pattern, str(report.longrepr))]
    if skipped:
        reporter.write_line(f"skipped, but must run here: {', '.join(report.nodeid for report in skipped)}", red=True)
        session.exitstatus = 1
