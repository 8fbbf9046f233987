import numpy as np
import pandas as pd
import pytest

from edgejoule.cli.main import main
from edgejoule.errors import EdgejouleError
from edgejoule.predictors import MODELS
from edgejoule.tables import empty, read_table, write_table
from edgejoule.tables.contracts import ACCURACY, KERNELS, NETWORKS, NOISE_FLOOR, PASSES, SPLITS, SUBSETS, VALIDATION
from edgejoule.validation import validate
from edgejoule.validation.accuracy import accuracy, bootstrap_mape
from edgejoule.validation.splits import splits
from edgejoule.validation.summary import markdown
from synthetic_board import FAMILIES, board

LINEAR = ["edgejoule", "macs-linear", "macs-bytes-linear"]


def test_a_linear_device_is_predicted_exactly_on_unseen_families():
    table, _ = validate(*board(), ["edgejoule"], ["leave-one-family-out"])
    assert len(table) == 48 * 4
    assert table["predicted"].to_numpy() == pytest.approx(table["measured"].to_numpy(), rel=2e-3)
    assert table["measured"].between(table["lower"] * (1 - 1e-9), table["upper"] * (1 + 1e-9)).mean() > 0.85


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_the_left_out_family_reaches_its_prediction(name):
    networks, kernels = board(noise=0.05)
    honest, _ = validate(networks, kernels, [name], ["leave-one-family-out"])
    out = networks["family"] == "beta"
    changed = networks.copy()
    costs = ["latency_ms", "power_w", "energy_mj", "energy_above_idle_mj"]
    changed.loc[out, costs] *= np.random.default_rng(0).uniform(0.1, 10, (out.sum(), 4))
    changed.loc[out, "quality"] = "flagged"
    altered, _ = validate(changed, kernels, [name], ["leave-one-family-out"])
    columns = ["metric", "network", "predicted", "lower", "upper"]
    before, after = (table.loc[table["family"] == "beta", columns] for table in (honest, altered))
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    others = [table.loc[table["family"] == "alpha", "predicted"] for table in (honest, altered)]
    assert not np.allclose(*others)


def test_every_network_is_left_out_once_per_protocol():
    networks, kernels = board()
    table, used = validate(networks, kernels, LINEAR, ["leave-one-family-out", "ten-fold"], seed=3)
    assert used.groupby("protocol")["network"].nunique().eq(48).all()
    assert not used.duplicated(["protocol", "network"]).any()
    by_family = used[used["protocol"] == "leave-one-family-out"]
    assert (by_family["fold"] == by_family["family"]).all()
    assert set(by_family["fold"]) == set(FAMILIES)
    assert used[used["protocol"] == "ten-fold"]["fold"].nunique() == 10
    assert not table.duplicated(["protocol", "predictor", "metric", "network"]).any()


def test_random_folds_depend_on_the_seed_and_not_on_the_order_of_rows():
    networks, _ = board()
    first = splits(networks, "ten-fold", 0)
    pd.testing.assert_frame_equal(first, splits(networks.sample(frac=1, random_state=0), "ten-fold", 0))
    assert not first.equals(splits(networks, "ten-fold", 1))


def test_modelled_energy_is_not_judged():
    table, _ = validate(*board(origin="estimated"), LINEAR, ["leave-one-family-out"])
    assert set(table["metric"]) == {"latency_ms"}


def test_a_device_with_one_family_has_nothing_to_prove():
    networks, kernels = board()
    table, used = validate(networks[networks["family"] == "alpha"], kernels, LINEAR, ["leave-one-family-out"])
    assert table.empty
    assert len(used) == 12


def test_a_misspelt_predictor_stops():
    with pytest.raises(EdgejouleError, match="did you mean 'edgejoule'"):
        validate(*board(), ["edgejuole"], ["leave-one-family-out"])


def _rows(measured, predicted, family, flagged=False):
    about = {"device": "d", "board": "b", "origin": "measured", "metric": "energy_mj", "predictor": "edgejoule"}
    rows = pd.DataFrame({"measured": measured, "predicted": predicted, "family": family})
    rows["network"] = [f"n{i}" for i in range(len(rows))]
    rows["lower"], rows["upper"] = rows["predicted"] * 0.9, rows["predicted"] * 1.1
    return rows.assign(**about, protocol="leave-one-family-out", stated=True, flagged=flagged)


def test_errors_are_averaged_over_families_and_counted_by_network():
    rows = _rows([100.0, 100, 100, 100], [104.0, 96, 112, 130], ["a", "a", "a", "b"])
    found = accuracy(rows).set_index("flagged").loc[True]
    assert found["mape_percent"] == pytest.approx(((4 + 4 + 12) / 3 + 30) / 2)
    assert found["mape_networks_percent"] == pytest.approx((4 + 4 + 12 + 30) / 4)
    assert (found["within5_percent"], found["within10_percent"], found["within15_percent"]) == (50, 50, 75)
    assert found["rmspe_percent"] == pytest.approx(np.sqrt((16 + 16 + 144 + 900) / 4))
    assert (found["worst_family"], found["worst_mape_percent"]) == ("b", pytest.approx(30))
    assert found["coverage_percent"] == 50


def test_coverage_is_told_of_all_networks_and_of_those_with_a_stated_interval():
    rows = _rows([100.0, 100, 100, 100], [101.0, 102, 99, 150], ["a", "a", "b", "b"])
    found = accuracy(rows.assign(stated=[True, True, False, False])).set_index("flagged").loc[True]
    assert (found["coverage_percent"], found["stated"], found["coverage_stated_percent"]) == (75, 2, 100)
    assert accuracy(rows.assign(stated=False))["coverage_stated_percent"].isna().all()


def test_an_interval_is_stated_where_a_network_is_like_the_training_ones():
    networks, kernels = board(noise=0.05)
    # One network twice as large as any other is beyond every training part.
    out = kernels["network"] == "beta-3"
    amounts = ["macs", "bytes_in", "bytes_out", "bytes_weights"]
    kernels[amounts] = kernels[amounts].mul(np.where(out, 40, 1), axis=0)
    networks.loc[networks["network"] == "beta-3", "latency_ms"] *= 40
    table, _ = validate(networks, kernels, LINEAR, ["leave-one-family-out"])
    ours = table[(table["predictor"] == "edgejoule") & (table["metric"] == "latency_ms")].set_index("network")
    assert ours["lower"].notna().all() and not ours.loc["beta-3", "stated"] and ours["stated"].any()
    assert not table.loc[table["predictor"] == "macs-linear", "stated"].any()


def test_a_protocol_that_judges_nothing_on_a_device_is_named():
    one = _rows([100.0, 100], [101.0, 102], ["a", "b"])
    both = pd.concat([one, one.assign(protocol="transfer-k5"), one.assign(device="e")])
    text = markdown(accuracy(both), empty(SUBSETS))
    assert "Not judged" in text and "- e: transfer-k5" in text and "- d:" not in text
    assert "Not judged" not in markdown(accuracy(one), empty(SUBSETS))


def test_flagged_recordings_are_shown_with_and_without():
    rows = _rows([100.0, 100, 100], [101.0, 102, 200], ["a", "a", "b"])
    rows.loc[2, "flagged"] = True
    found = accuracy(rows).set_index("flagged")
    assert (found.loc[True, "networks"], found.loc[False, "networks"]) == (3, 2)
    assert found.loc[False, "mape_percent"] == pytest.approx(1.5)


def test_abstentions_are_counted_and_not_judged():
    rows = _rows([100.0, 100, 100], [101.0, np.nan, 103], ["a", "a", "a"])
    found = accuracy(rows).set_index("flagged").loc[True]
    assert (found["networks"], found["abstained"]) == (2, 1)
    assert found["mape_percent"] == pytest.approx(2)


def test_the_bootstrap_brackets_the_mean_and_repeats():
    random = np.random.default_rng(0)
    relative, family = random.normal(0, 0.1, 60), np.repeat(["a", "b", "c"], 20)
    low, high = bootstrap_mape(relative, family, 0)
    assert low < np.abs(relative).mean() < high
    assert (low, high) == bootstrap_mape(relative, family, 0)
    assert (low, high) != bootstrap_mape(relative, family, 1)


def test_the_commands_write_what_the_contracts_declare(tmp_path, root):
    networks, kernels = board(noise=0.05)
    write_table(networks, tmp_path / "networks.parquet", NETWORKS)
    write_table(kernels, tmp_path / "kernels.parquet", KERNELS)
    out = tmp_path / "synthetic"
    files = ["--networks", "networks.parquet", "--kernels", "kernels.parquet"]
    files = [str(tmp_path / name) if name.endswith("parquet") else name for name in files]
    run = [
        "validation",
        "run",
        *files,
        "--output",
        str(out / "networks.parquet"),
        "--splits",
        str(out / "splits.parquet"),
    ]
    run += [f"--predictor={name}" for name in LINEAR] + ["--protocol=leave-one-family-out", "--protocol=ten-fold"]
    with pytest.raises(SystemExit) as stop:
        main(run)
    assert not stop.value.code
    assert len(read_table(out / "networks.parquet", VALIDATION)) == 48 * 4 * 3 * 2
    assert len(read_table(out / "splits.parquet", SPLITS)) == 48 * 2
    write_table(empty(PASSES), tmp_path / "passes.parquet", PASSES)
    summary = [
        "--passes",
        str(tmp_path / "passes.parquet"),
        "--zoo",
        str(root / "config/networks.tsv"),
        "--output",
        str(tmp_path),
    ]
    with pytest.raises(SystemExit) as stop:
        main(["validation", "summarise", str(out / "networks.parquet"), *summary])
    assert not stop.value.code
    errors = read_table(tmp_path / "accuracy.parquet", ACCURACY)
    assert len(errors) == 4 * 3 * 2 * 2
    assert len(pd.read_csv(tmp_path / "accuracy.csv")) == len(errors)
    assert "## ten-fold" in (tmp_path / "accuracy.md").read_text()
    floor = read_table(tmp_path / "noise-floor.parquet", NOISE_FLOOR)
    assert floor["floor_source"].str.startswith("external").all() and len(floor) == 1
