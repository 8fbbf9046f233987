"""What scores are made of, how they react, how they agree with published ones, and what they mean to a user."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from edgejoule.config import Applications, load_applications
from edgejoule.config.load import check
from edgejoule.datasets.applications import build_applications
from edgejoule.errors import EdgejouleError
from edgejoule.scores.agreement import compare_with_published, rank_table
from edgejoule.scores.compute import compute_scores
from edgejoule.scores.decomposition import decompose
from edgejoule.scores.definitions import DEFAULT, DEFINITIONS, pose
from edgejoule.scores.labels import footprint, label_scores, letter, typical_footprint
from edgejoule.scores.league import build_leagues
from edgejoule.scores.reports import agreement_markdown, explanation_markdown, labels_markdown
from edgejoule.scores.sensitivity import analyse_sensitivity
from edgejoule.scores.uncertainty import ranks
from edgejoule.tables import empty, to_arrow
from edgejoule.tables.contracts import (
    AGREEMENT,
    APPLICATIONS,
    CONTRIBUTIONS,
    DISAGREEMENTS,
    FOOTPRINT,
    LABELS,
    NETWORKS,
    SENSITIVITY,
)


@pytest.fixture(scope="module")
def config(request):
    return load_applications(request.config.rootpath / "config/applications.yaml")


@pytest.fixture(scope="module")
def phones(request, config):
    return build_applications(empty(NETWORKS), [], config, request.config.rootpath)


@pytest.fixture(scope="module")
def scores(phones, config):
    return compute_scores(phones, config, 200, 0)[0]


@pytest.fixture(scope="module")
def sensitivity(phones, config):
    return analyse_sensitivity(phones, config)


@pytest.fixture(scope="module")
def agreement(request, phones, config):
    return compare_with_published(phones, config, 200, 0, request.config.rootpath)


# -- ranks -----------------------------------------------------------------------------------------------------------


def test_ranks_are_what_settled_orders_allow():
    above = np.array([[0.5, 0.6, 0.99], [0.4, 0.5, 0.99], [0.01, 0.01, 0.5]])
    found = ranks(above, np.ones(3, bool), 0.95)
    np.testing.assert_array_equal(found, [[1, 2], [1, 2], [3, 3]])
    found = ranks(above, np.array([True, False, True]), 0.95)
    np.testing.assert_array_equal(found, [[1, 1], [np.nan] * 2, [2, 2]])


def test_a_chain_of_unsettled_neighbours_keeps_what_is_settled():
    above = np.array([[0.5, 0.6, 0.99], [0.4, 0.5, 0.6], [0.01, 0.4, 0.5]])
    found = ranks(above, np.ones(3, bool), 0.95)
    np.testing.assert_array_equal(found, [[1, 2], [1, 3], [2, 3]])


def test_a_settled_order_shows_in_the_ranks_and_every_place_lies_within_them(phones, config):
    scores, comparisons = compute_scores(phones, config, 300, 0)
    assert (scores["rank"] <= scores["place"]).all()
    assert (scores["place"] <= scores["rank_worst"]).all()
    last = scores.set_index(["score", "definition", "device"]).loc[("PCS", DEFAULT, "motorola_one_macro")]
    assert last["rank"] > 1 and last["rank_worst"] == 8
    sure = comparisons[comparisons["settled"] & (comparisons["probability"] > 0.5)]
    beaten = sure.groupby(["score", "definition", "other"]).size()
    rank = scores.set_index(["score", "definition", "device"])["rank"]
    assert len(beaten) and (rank.loc[beaten.index].to_numpy() == 1 + beaten.to_numpy()).all()


# -- decomposition ---------------------------------------------------------------------------------------------------


def test_factors_multiply_to_the_score(phones, config, scores):
    parts = decompose(phones, config)
    to_arrow(parts, CONTRIBUTIONS)
    default = scores[scores["definition"] == DEFAULT].set_index(["device", "score"])["value"]
    for (device, score, _), rows in parts.groupby(["device", "score", "grouping"]):
        assert 100 * rows["factor"].prod() == pytest.approx(default[device, score])
        assert rows["weight"].sum() == pytest.approx(1)
        assert rows["pairs"].sum() + rows["missing"].sum() == 35


def test_a_failed_pair_is_named_and_costs_a_full_cut(phones, config):
    parts = decompose(phones, config)
    note = parts[(parts["device"] == "xiaomi_redmi_note8") & (parts["grouping"] == "pair")]
    missing = note[note["failed"] == 1]
    assert set(missing["item"]) == {"DNN2 on CPU4", "DNN11 on NNAPI"}
    assert missing["ratio"].isna().all()
    assert len(parts[(parts["grouping"] == "pair") & (parts["cut"] == 1)]) > 0


def test_a_pair_that_was_not_measured_makes_up_no_part_of_a_score(phones, config):
    note = (phones["device"] == "xiaomi_redmi_note8") & (phones["quality"] == "failed")
    rows = phones.assign(tried=~note)
    parts = decompose(rows, config)
    pairs = parts[
        (parts["grouping"] == "pair") & (parts["device"] == "xiaomi_redmi_note8") & (parts["score"] == "IECS")
    ]
    lacking = pairs[pairs["missing"] == 1]
    assert len(lacking) == 2 and (lacking["failed"] == 0).all()
    assert (lacking["weight"] == 0).all() and (lacking["factor"] == 1).all()
    scores, _ = compute_scores(rows, config, 5, 0)
    whole = scores.set_index(["device", "score", "definition"])["value"]["xiaomi_redmi_note8", "IECS", DEFAULT]
    assert 100 * pairs["factor"].prod() == pytest.approx(whole)
    assert pairs["weight"].sum() == pytest.approx(1)


# -- sensitivity -----------------------------------------------------------------------------------------------------


def test_every_choice_is_changed(sensitivity, config):
    to_arrow(sensitivity, SENSITIVITY)
    default = sensitivity[sensitivity["definition"] == DEFAULT]
    found = default.groupby("change")["what"].nunique()
    assert found["leave out network"] == 12
    assert found["leave out application"] == 6
    assert found["reference"] == 8
    assert found["weights"] == 4
    same = default[(default["change"] == "weights") & (default["what"] == config.weights)]
    assert same["shift_percent"].abs().max() < 1e-9
    assert (same["moved"] == 0).all()


def test_leaving_failed_pairs_out_helps_who_failed_them_and_nobody_else(sensitivity):
    rows = sensitivity[(sensitivity["change"] == "failed pairs") & (sensitivity["what"] == "left-out")]
    shift = rows.set_index(["device", "score"])["shift_percent"]
    assert shift["xiaomi_redmi_note8", "IECS"] == pytest.approx(3.7, abs=0.1)
    assert shift["xiaomi_redmi_note8", "PCS"] == pytest.approx(3.7, abs=0.1)
    assert shift.drop("xiaomi_redmi_note8").abs().max() < 1e-9


def test_the_rounding_of_numbers_is_no_change(sensitivity):
    shift = sensitivity["shift_percent"].dropna()
    assert len(shift) > 0 and shift[shift != 0].abs().min() >= 1e-9


def test_the_default_is_robust_and_the_sums_are_not(sensitivity):
    wild = sensitivity[sensitivity["change"].str.startswith("one pair")]
    worst = wild.groupby(["score", "definition"])["shift_percent"].agg(lambda shift: shift.abs().max())
    assert worst["IECS", "robust"] < 8
    assert worst["PCS", "robust"] < 8
    assert worst["IECS", "geometric-mean"] > 30
    assert worst["IECS", "sum"] > 1000


def test_a_wild_value_is_judged_against_the_true_ones(sensitivity):
    rows = sensitivity[(sensitivity["change"] == "one pair 100 times worse") & (sensitivity["definition"] == "sum")]
    assert (rows["moved"] <= 0).all()


# -- agreement -------------------------------------------------------------------------------------------------------


def test_the_default_agrees_with_the_published_scores(agreement):
    rows = to_arrow(agreement[0], AGREEMENT).to_pandas()
    chosen = rows[rows["chosen"]].set_index("score")
    assert chosen.loc["IECS", "kendall"] >= 0.85
    assert chosen.loc["IECS", "spearman"] >= 0.93
    assert chosen.loc["PCS", "kendall"] >= 0.65
    assert chosen.loc["PCS", "spearman"] >= 0.8
    assert (rows["devices"] == 8).all()


def test_the_plain_readings_agree_as_was_measured_beforehand(agreement):
    plain = agreement[0].set_index(["score", "definition"])
    assert plain.loc[("IECS", "sum"), ["pearson", "spearman", "kendall"]].tolist() == pytest.approx(
        [0.94, 0.86, 0.71], abs=0.006
    )
    assert plain.loc[("PCS", "sum-tdp-per-power"), ["pearson", "spearman", "kendall"]].tolist() == pytest.approx(
        [0.07, -0.17, -0.18], abs=0.006
    )


def test_the_documented_agreement_has_every_definition_and_its_figures(agreement, root):
    documented = (root / "docs/scores.md").read_text().replace("−", "-")
    rows = agreement[0]
    for row in rows[rows["chosen"] | (rows["definition"] != DEFAULT)].itertuples():
        figures = " | ".join(f"{value:.2f}" for value in (row.pearson, row.spearman, row.kendall))
        assert f"| {row.score} `{row.definition}` | {figures} |" in documented


def test_the_factor_is_the_usual_corner_for_the_scatter_of_the_phones(phones, config):
    league = next(league for league in build_leagues(phones, config) if league.name == "phone-dc")
    for definition in DEFINITIONS:
        if definition.name == DEFAULT:
            problem = pose(league, definition, config)
            ratio = np.where(np.isfinite(problem.log_merit), problem.log_merit - problem.log_reference, np.nan)
            scatter = 1.4826 * np.nanmedian(np.abs(ratio - np.nanmedian(ratio, axis=1, keepdims=True)))
            assert 1.3 < np.exp(1.345 * scatter) < config.factor


def test_other_orders_are_named_with_their_causes(agreement):
    rows = to_arrow(agreement[1], DISAGREEMENTS).to_pandas()
    assert (rows["value"] > rows["value_other"]).all()
    assert (rows["published"] < rows["published_other"]).all()
    iecs = rows[rows["score"] == "IECS"]
    assert list(zip(iecs["device"], iecs["other"], strict=True)) == [("huawei_p40_lite", "huawei_mate40_pro")]
    assert iecs["causes"].iloc[0].startswith("DNN11 on NNAPI")


def test_the_rank_table_has_both_orders(scores, config, root):
    table = rank_table(scores, config, root)
    assert len(table) == 16
    first = table[table["score"] == "IECS"].iloc[0]
    assert (first["device"], first["published place"], first["place here"]) == ("huawei_p40_pro", 1, 1)
    assert first["rank here"] == "1 to 2"


# -- for end users ---------------------------------------------------------------------------------------------------


def test_letters_have_stated_thresholds(scores, config):
    assert [letter(value, config.labels) for value in (200, 199, 100, 35, 34)] == ["A", "B", "C", "F", "G"]
    labels = label_scores(scores, config)
    to_arrow(labels, LABELS)
    assert len(labels) == 16
    assert (labels["label_lower"] >= labels["label"]).all()
    assert (labels["label_upper"] <= labels["label"]).all()


def test_estimated_energies_earn_no_letter(phones, config):
    rows = phones.assign(origin="estimated")
    scores, _ = compute_scores(rows, config, 20, 0)
    assert len(label_scores(scores, config)) == 0
    pairs = footprint(rows, config)
    assert pairs["reason"].str.match(r"modelled, [0-9.]+ W x latency").all()
    text = labels_markdown(label_scores(scores, config), pairs, config)
    assert "### Modelled: latency times a declared power" in text and "Declared power (W)" in text
    assert "### Published" not in text and "### Measured" not in text


def test_battery_and_carbon_by_hand(phones, config):
    pairs = footprint(phones, config)
    to_arrow(pairs, FOOTPRINT)
    assert len(pairs) == 278
    rows = pairs.set_index(["device", "network", "delegate"])
    # 0.3209 J: 17.3 Wh are 62280 J; one a second for 62280 / 0.3209 s; a million are 0.0891 kWh at 436 g.
    row = rows.loc[("oneplus_8_pro", "DNN1", "CPU1")]
    assert row["inferences_per_battery_percent"] == pytest.approx(622.8 / 0.3209)
    assert row["battery_hours"] == pytest.approx(62280 / 0.3209 / 3600)
    assert row["carbon_g_per_million"] == pytest.approx(320900 / 3.6e6 * 436)
    slow = rows.loc[("huawei_p40_lite_e", "DNN9", "GPU")]
    assert np.isnan(slow["battery_hours"])
    assert slow["reason"] == "slower than 1 inference a second"


def test_the_typical_pair_is_consistent(phones, config):
    typical = typical_footprint(footprint(phones, config), config)
    product = typical["energy_mj"] * typical["inferences_per_battery_percent"]
    assert product.max() == pytest.approx(product.min())
    assert typical.groupby("device")["pairs"].sum().to_dict() == phones.groupby("device")["energy_mj"].count().to_dict()
    note = typical[(typical["device"] == "xiaomi_redmi_note8") & (typical["application"] == "image classification")]
    assert f"| {note['application'].item()} | {note['pairs'].item()} |" in labels_markdown(
        label_scores(compute_scores(phones, config, 5, 0)[0], config), footprint(phones, config), config
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"A": 100, "C": 50}}, "without a gap"),
        ({"labels": {"A": 50, "B": 100}}, "fall from A on"),
        ({"weight": "pair"}, "unknown key 'weight'; did you mean 'weights'"),
        ({"weights": "pairs"}, "did you mean 'pair'"),
        ({"factor": 1}, "greater than 1"),
        ({"settled": 0.4}, "greater than 0.5"),
        ({"spread": {"measurd": 0.1}}, "measurd"),
        ({"references": {"phone-dc": []}}, "references.phone-dc"),
        ({"application_weights": {"x": -1}}, "greater than or equal to 0"),
    ],
)
def test_wrong_settings_stop(change, message):
    with pytest.raises(EdgejouleError, match=message):
        check(Applications, change, "applications.yaml")


# -- what people read, and nothing to read ---------------------------------------------------------------------------


def test_reports(phones, config, scores, sensitivity, agreement, root):
    text = explanation_markdown(decompose(phones, config), sensitivity, config)
    assert "## IECS, phone-dc, by delegate" in text
    text = agreement_markdown(*agreement, rank_table(scores, config, root))
    assert "DNN11 on NNAPI" in text
    text = labels_markdown(label_scores(scores, config), footprint(phones, config), config)
    assert "## League phone-dc, published\n\n| Device | Energy (IECS) | Power (PCS) |" in text
    assert "reference, which scores 100: A from 200" in text
    assert "| Hours at 1 inference a second |" in text
    assert "### Published" in text and "### Modelled" not in text
    lines = text.splitlines()
    heads = [above for above, line in pairwise(lines) if line.startswith("| ---")]
    assert len(heads) == 2 and not any("_" in head for head in heads)
    assert "nan" not in text.lower()


def test_reports_of_nothing(config, root):
    nothing = empty(APPLICATIONS)
    scores, _ = compute_scores(nothing, config, 5, 0)
    alike, apart = compare_with_published(nothing, config, 5, 0, root)
    assert len(to_arrow(alike, AGREEMENT)) == len(to_arrow(apart, DISAGREEMENTS)) == 0
    assert "# Agreement" in agreement_markdown(alike, apart, rank_table(scores, config, root))
    made_of, changed = decompose(nothing, config), analyse_sensitivity(nothing, config)
    assert "# What drives" in explanation_markdown(made_of, changed, config)
    assert "# Labels" in labels_markdown(label_scores(scores, config), footprint(nothing, config), config)


def test_two_devices_are_too_few_to_correlate(phones, config, root):
    few = phones[phones["device"].isin(["oneplus_8_pro", "huawei_p40_pro"])]
    alike, _ = compare_with_published(few, config, 5, 0, root)
    assert alike["kendall"].isna().all()
    assert (alike["devices"] == 2).all()
    assert isinstance(alike, pd.DataFrame)
