"""Checks of the kernels table: each finds the row that breaks it."""

import pandas as pd
import pytest

from edgejoule.cli.main import main
from edgejoule.datasets.checks import KERNEL_CHECKS, check_kernels
from edgejoule.tables import empty, to_arrow, write_table
from edgejoule.tables.contracts import KERNEL_COSTS, NETWORKS

NETWORK_ROWS = pd.DataFrame({"device": ["board-a", "board-a", "board-b"], "power_w": [6.0, 10.0, 1000.0]})
BREAKS = {
    "energy-is-power-times-latency": {"energy_mj": 11.0},
    "above-idle-below-gross": {"energy_above_idle_mj": 11.0},
    "inferred-power-possible": {"power_w": 16.0, "energy_mj": 32.0},
    "inferred-not-zero": {"energy_mj": 0.0, "power_w": 0.0, "quality": "flagged", "reason": "odd"},
    "reasons-given": {"reason": "odd"},
}


def kernels(*changes: dict) -> pd.DataFrame:
    """Return a sound inferred kernel of 2 ms and 5 W, once per change."""
    sound = {
        **{"device": "board-a", "board": "board-a", "kind": "conv", "precision": "fp32", "runtime": "tflite"},
        **{"kernel_source": "zoo", "latency_ms": 2.0, "power_w": 5.0, "energy_mj": 10.0, "energy_above_idle_mj": 6.0},
        **{"origin": "inferred", "power_scope": "wall", "source": "x", "quality": "ok", "reason": ""},
    }
    rows = pd.DataFrame([{"kernel": f"k{i}"} | sound | change for i, change in enumerate(changes)])
    return to_arrow(rows.reindex(columns=KERNEL_COSTS.names), KERNEL_COSTS).to_pandas()


@pytest.mark.parametrize("check", KERNEL_CHECKS, ids=lambda check: check.name)
def test_each_check_finds_the_row_that_breaks_it(check):
    results = check_kernels(kernels({}, BREAKS[check.name]), NETWORK_ROWS).set_index("check")
    assert results.loc[check.name, "broken"] == 1
    assert results.loc[check.name, "first"] == "board-a: k1"
    assert (check_kernels(kernels({}), NETWORK_ROWS)["broken"] == 0).all()


@pytest.mark.parametrize("clamped", [{"energy_above_idle_mj": 0.0}, {"power_w": None, "energy_above_idle_mj": None}])
def test_a_power_that_is_clamped_or_missing_without_a_flag_is_found(clamped):
    results = check_kernels(kernels(clamped), NETWORK_ROWS).set_index("check")
    assert results.loc["inferred-power-possible", "broken"] == 1


def test_a_flagged_row_without_a_power_and_a_measured_one_beyond_all_networks_pass():
    flagged = {"power_w": None, "energy_above_idle_mj": None, "quality": "flagged", "reason": "no power"}
    measured = {"origin": "measured", "power_w": 20.0, "energy_mj": 40.0}
    assert (check_kernels(kernels(flagged, measured), NETWORK_ROWS)["broken"] == 0).all()
    assert (check_kernels(empty(KERNEL_COSTS), NETWORK_ROWS)["broken"] == 0).all()


def test_the_command_stops_with_the_first_wrong_kernel(tmp_path, capsys):
    write_table(empty(NETWORKS), tmp_path / "networks.parquet", NETWORKS, {"source": "test"})
    write_table(kernels({}, {"reason": "odd"}), tmp_path / "kernels.parquet", KERNEL_COSTS, {"source": "test"})
    options = [f"--{table}={tmp_path / table}.parquet" for table in ("networks", "kernels")]
    with pytest.raises(SystemExit) as stopped:
        main(["datasets", "check", *options, f"--output={tmp_path / 'checks.csv'}"])
    assert stopped.value.code == 2
    assert "reasons-given: 1 row(s)" in capsys.readouterr().err
    assert not (tmp_path / "checks.csv").exists()
