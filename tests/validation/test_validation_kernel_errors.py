import numpy as np
import pandas as pd
import pytest

from edgejoule.cli.main import main
from edgejoule.predictors import own_kernels, training_set
from edgejoule.tables import read_table, to_arrow, write_table
from edgejoule.tables.contracts import KERNEL_ACCURACY, KERNEL_VALIDATION
from edgejoule.validation.kernel_errors import kernel_accuracy, predict_kernels
from synthetic_board import board
from synthetic_kernels import PROFILER_NS, measured_alone, profiled, true_ms


def predicted(networks, kernels, nodes):
    rows, features, costs = training_set(networks, kernels, nodes, measured_alone(kernels))
    return predict_kernels(rows, own_kernels(rows, kernels), features, costs)


@pytest.fixture(scope="module")
def table():
    return predicted(*profiled(noise=0.0))


def test_each_kernel_of_each_network_is_judged_once_per_predictor_by_its_own_time(table):
    networks, kernels, _ = profiled(noise=0.0)
    to_arrow(table, KERNEL_VALIDATION)
    mine = table[table["predictor"] == "edgejoule"]
    truth = kernels.assign(ms=true_ms(kernels) + PROFILER_NS * 1e-6).groupby(["network", "kernel"])["ms"]
    assert len(mine) == len(truth.mean()) and set(table["predictor"]) == {"edgejoule", "random-forest-per-kernel"}
    measured = mine.set_index(["network", "kernel"])["measured"]
    assert measured.to_numpy() == pytest.approx(truth.mean().loc[measured.index].to_numpy(), abs=1e-6)
    assert mine.set_index(["network", "kernel"])["executions"].equals(
        truth.size().loc[measured.index].rename("executions")
    )
    assert mine["network"].map(networks.set_index("network")["family"]).tolist() == mine["family"].tolist()
    errors = kernel_accuracy(table).set_index(["predictor", "kind"])["weighted_mape_percent"]
    assert errors["edgejoule", "all"] < 10 and errors["edgejoule", "all"] < errors["random-forest-per-kernel", "all"]


def test_nothing_of_the_left_out_family_reaches_its_kernels(table):
    networks, kernels, nodes = profiled(noise=0.0)
    out = networks.loc[networks["family"] == "beta", "network"]
    theirs = nodes["network"].isin(out)
    nodes["duration_ns"] = nodes["duration_ns"].where(~theirs, nodes["duration_ns"] * 3)
    changed = predicted(
        networks.assign(latency_ms=networks["latency_ms"].where(~networks["network"].isin(out), 99.0)), kernels, nodes
    )
    both = (frame.set_index(["predictor", "network", "kernel"])["predicted"] for frame in (table, changed))
    before, after = (frame[frame.index.get_level_values("network").isin(out)] for frame in both)
    pd.testing.assert_series_equal(before, after)


def test_shared_is_what_another_family_has(table):
    families = table.groupby("kernel")["family"].transform("nunique")
    # Four families are left out one by one.
    assert (table["shared"] == (families > 1)).all() and table["shared"].nunique() == 2


def test_a_name_of_which_training_knows_some_kernels_only_is_one_row_and_not_shared():
    # A sum and a scale of one name: bytes tell them apart, and only one family runs the second.
    networks, kernels, nodes = profiled(noise=0.0)
    first = kernels["network"].iloc[0]
    chosen = kernels["network"].eq(first) & ~kernels.duplicated(["network", "kernel"])
    twins = kernels[chosen & kernels["kernel"].isin(kernels.loc[kernels["network"].ne(first), "kernel"])].head(1)
    name = twins["kernel"].iloc[0]
    kernels = kernels.copy()
    kernels.loc[twins.index, "bytes_in"] += 4096
    found = predicted(networks, kernels, nodes)
    to_arrow(found, KERNEL_VALIDATION)
    mine = found[(found["network"] == first) & (found["kernel"] == name) & (found["predictor"] == "edgejoule")]
    assert len(mine) == 1 and not mine["shared"].any()


def judged(**columns) -> pd.DataFrame:
    """Three kernels: of 1 ms twice, of 0.1 ms, of 2 µs."""
    about = {"device": "d", "predictor": "edgejoule", "kind": ["conv", "conv", "relu"], "executions": [2, 1, 1]}
    rows = pd.DataFrame(about | {"measured": [1.0, 0.1, 0.002], "predicted": [1.05, 0.12, 0.004]})
    return rows.assign(**{"shared": [True, False, True]} | columns)


def test_errors_are_told_by_kernel_by_time_and_by_kind():
    found = kernel_accuracy(judged()).set_index("kind")
    assert list(found.index) == ["all", "conv", "relu"]
    everything = found.loc["all"]
    assert everything["mape_percent"] == pytest.approx((5 + 20 + 100) / 3)
    assert everything["median_percent"] == pytest.approx(20) and everything["within10_percent"] == pytest.approx(
        100 / 3
    )
    assert everything["weighted_mape_percent"] == pytest.approx((2 * 5 + 0.1 * 20 + 0.002 * 100) / 2.102)
    assert everything["long_mape_percent"] == pytest.approx(12.5) and everything["new_mape_percent"] == pytest.approx(
        20
    )
    assert found.loc["relu", "share_percent"] == pytest.approx(100 * 0.002 / 2.102)
    assert np.isnan(found.loc["relu", "long_mape_percent"]) and np.isnan(found.loc["relu", "new_mape_percent"])


def test_the_command_stacks_devices_and_says_where_there_are_none(tmp_path, table):
    rows, features, costs = training_set(*board())
    none = predict_kernels(rows, own_kernels(rows, board()[1]), features, costs)
    assert none.empty
    for name, frame in {"profiled": table, "totals": none}.items():
        write_table(frame, tmp_path / name / "kernels.parquet", KERNEL_VALIDATION)
    for names, text in ((("profiled", "totals"), "| all |"), (("totals",), "No runtime of this run")):
        files = [str(tmp_path / name / "kernels.parquet") for name in names]
        with pytest.raises(SystemExit) as stop:
            main(["validation", "summarise-kernels", *files, "--output", str(tmp_path / "all")])
        assert not stop.value.code
        errors = read_table(tmp_path / "all" / "kernel-accuracy.parquet", KERNEL_ACCURACY)
        assert len(pd.read_csv(tmp_path / "all" / "kernel-accuracy.csv")) == len(errors)
        assert text in (tmp_path / "all" / "kernel-accuracy.md").read_text()
