"""What must hold of every score, whatever the figures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.config import Applications, load_applications
from edgejoule.datasets.applications import build_applications
from edgejoule.errors import EdgejouleError
from edgejoule.scores.compute import compute_scores
from edgejoule.scores.definitions import DEFINITIONS, pose
from edgejoule.scores.labels import label_scores
from edgejoule.scores.league import build_leagues
from edgejoule.scores.people import describe_scores, scores_markdown
from edgejoule.tables import empty, to_arrow
from edgejoule.tables.contracts import APPLICATIONS, COMPARISONS, NETWORKS, SCORES

DRAWS = 60
PLAIN = Applications(references={"board-wall": ["a"]})


def table(devices=4, networks=8, seed=0, league="board-wall", origin="measured"):
    """A made-up league: each device has a typical cost, each network a size, and each pair some scatter."""
    random = np.random.default_rng(seed)
    rows = []
    for place in range(devices):
        for network in range(networks):
            energy = 100 * 2 ** (place / 2) * 3 ** (network / 4) * np.exp(random.normal(0, 0.2))
            rows.append(
                {
                    "device": "abcdefgh"[place],
                    "board": "board",
                    "league": league,
                    "application": "image classification" if network % 2 else "object detection",
                    "network": f"n{network}",
                    "delegate": "CPU1",
                    "slot": "own",
                    "precision": "fp32",
                    "latency_ms": energy / 4,
                    "power_w": 4.0,
                    "energy_mj": energy,
                    "spread": 0.01,
                    "tdp_w": 10.0,
                    "tried": True,
                    "origin": origin,
                    "power_scope": "wall",
                    "source": "made up",
                    "quality": "ok",
                    "reason": "",
                }
            )
    return pd.DataFrame(rows)


def failing(rows, which):
    """The same rows; those at these labels were tried and did not run."""
    figures = ["energy_mj", "latency_ms", "power_w"]
    changed = rows.assign(quality=rows["quality"].mask(rows.index.isin(which), "failed"))
    changed.loc[which, figures] = np.nan
    return changed


def untried(rows, which):
    """The same rows; nobody tried those at these labels."""
    return failing(rows, which).assign(tried=~rows.index.isin(which))


def default(scores, device, score="IECS"):
    """The row of one device's default score."""
    kept = (scores["device"] == device) & (scores["score"] == score) & (scores["definition"] == "robust")
    return scores[kept].iloc[0]


def values(rows, config=PLAIN, definition="robust"):
    """Scores alone, without the resamples behind their intervals."""
    found = {}
    for league in build_leagues(rows, config):
        for chosen in DEFINITIONS:
            if chosen.name == definition:
                scores = np.exp(pose(league, chosen, config).log_scores())
                found |= {(chosen.score, device): score for device, score in zip(league.devices, scores, strict=True)}
    return pd.Series(found)


@pytest.fixture(scope="module")
def phones(request):
    root = request.config.rootpath
    config = load_applications(root / "config/applications.yaml")
    return build_applications(empty(NETWORKS), [], config, root), config


def test_the_reference_is_100():
    assert values(table())["IECS", "a"] == pytest.approx(100)
    assert values(table())["PCS", "a"] == pytest.approx(100)


@pytest.mark.parametrize("definition", ["robust", "geometric-mean"])
@given(scale=st.floats(1e-6, 1e6))
@settings(max_examples=10, deadline=None)
def test_units_decide_nothing(definition, scale):
    rows = table()
    scaled = rows.assign(energy_mj=rows["energy_mj"] * scale, latency_ms=rows["latency_ms"] * scale)
    pd.testing.assert_series_equal(values(scaled, definition=definition), values(rows, definition=definition))


@given(seed=st.integers(0, 50), row=st.integers(0, 31), factor=st.floats(1, 100))
@settings(max_examples=25, deadline=None)
def test_spending_less_never_lowers_a_score(seed, row, factor):
    rows = table(seed=seed)
    better = rows.copy()
    better.loc[row, ["energy_mj", "latency_ms"]] /= factor
    device = rows.loc[row, "device"]
    if device != "a":
        for score in ("IECS", "PCS"):
            assert values(better)[score, device] >= values(rows)[score, device] * (1 - 1e-9)


@given(seed=st.integers(0, 50), row=st.integers(8, 31))
@settings(max_examples=25, deadline=None)
def test_failing_to_run_a_pair_never_helps(seed, row):
    rows = table(seed=seed)
    device = rows.loc[row, "device"]
    for definition in ("robust", "sum"):
        before, after = values(rows, definition=definition), values(failing(rows, [row]), definition=definition)
        assert after["IECS", device] <= before["IECS", device] * (1 + 1e-9)


@given(seed=st.integers(0, 50), row=st.integers(0, 31))
@settings(max_examples=25, deadline=None)
def test_a_device_of_the_reference_gains_nothing_by_failing_either(seed, row):
    panel = Applications(references={"board-wall": ["a", "b", "c"]})
    rows = table(seed=seed)
    device = rows.loc[row, "device"]
    before, after = values(rows, panel), values(failing(rows, [row]), panel)
    assert after["IECS", device] <= before["IECS", device] * (1 + 1e-9)


@pytest.mark.parametrize("definition", ["robust", "geometric-mean", "sum"])
def test_a_pair_that_nobody_tried_and_a_pair_without_a_row_are_left_out(definition):
    equal = PLAIN.model_copy(update={"weights": "pair"})
    rows, without = table(), table().query("network != 'n1'")
    pd.testing.assert_series_equal(
        values(untried(rows, [9]), equal, definition), values(rows.drop(9), equal, definition)
    )
    assert values(rows.drop(9), equal, definition)["IECS", "b"] == pytest.approx(
        values(without, equal, definition)["IECS", "b"]
    )


def test_a_failed_pair_is_worse_than_one_that_nobody_tried_and_both_are_counted():
    rows = table()
    failed, left_out = failing(rows, [9, 10]), untried(rows, [9, 10])
    assert values(failed)["IECS", "b"] < 0.9 * values(left_out)["IECS", "b"]
    for changed, counts, said in ((failed, (6, 2, 2), "2 failed"), (left_out, (6, 2, 0), "2 not measured")):
        scores, comparisons = compute_scores(changed, PLAIN, DRAWS, 0)
        assert tuple(default(scores, "b")[["pairs", "missing", "failed"]]) == counts
        assert f"6 of 8 pairs ({said}); rank" in describe_scores(scores, "b", "robust")
        shown = f"| 6 | {counts[2]} | {2 - counts[2]} |"
        assert shown in scores_markdown(scores, comparisons, changed, PLAIN)


def test_a_pair_that_ran_without_a_meter_is_not_measured_in_energy_alone():
    rows = table()
    rows.loc[9, ["energy_mj", "power_w"]] = np.nan
    scores, _ = compute_scores(rows, PLAIN, DRAWS, 0)
    assert tuple(default(scores, "b")[["pairs", "missing", "failed"]]) == (7, 1, 0)
    assert default(scores, "b", "PCS")["missing"] == 0


def test_half_of_a_device_is_scored_as_the_whole_and_stands_beside_it():
    """A board of one's own that was measured in one precision only, such as FP32, is no worse for it."""
    rows = table(3, networks=40)
    half = rows[(rows["device"] == "b") & (rows["network"].str[1:].astype(int) < 22)].assign(device="mine")
    scores, comparisons = compute_scores(pd.concat([rows, half], ignore_index=True), PLAIN, 300, 0)
    whole, mine = default(scores, "b"), default(scores, "mine")
    assert mine["value"] == pytest.approx(whole["value"], rel=0.1)
    assert mine["upper"] - mine["lower"] > 1.1 * (whole["upper"] - whole["lower"])
    assert (mine["rank"], mine["rank_worst"]) == (whole["rank"], whole["rank_worst"]) == (2, 3)
    assert (mine["pairs"], mine["missing"], mine["failed"]) == (22, 18, 0)
    chance = comparisons.set_index(["score", "definition", "device", "other"])["probability"]
    assert 0.3 < chance["IECS", "robust", "mine", "b"] < 0.7


def test_two_devices_are_compared_on_the_pairs_of_both():
    """Who leaves out the pairs on which everybody is bad has a better score, and is still below."""
    rows = table(2, networks=20).assign(energy_mj=100.0)
    bad = rows["network"].str[1:].astype(int) >= 11
    rows.loc[bad & (rows["device"] == "b"), "energy_mj"] = 400.0
    picked = rows[~bad & (rows["device"] == "b")].assign(device="c", energy_mj=110.0)
    scores, comparisons = compute_scores(pd.concat([rows, picked], ignore_index=True), PLAIN, 300, 0)
    assert default(scores, "c")["value"] > default(scores, "b")["value"]
    assert default(scores, "c")["rank"] == 3
    chance = comparisons.set_index(["score", "definition", "device", "other"])["probability"]
    assert chance["IECS", "robust", "b", "c"] > 0.95


def test_a_pair_that_a_reference_device_was_not_measured_on_does_not_move_the_reference():
    panel = Applications(references={"board-wall": ["a", "b", "c"]})
    rows = table()
    middle = rows[(rows["network"] == "n1") & (rows["device"] != "d")]["energy_mj"].idxmax()
    pair = values(untried(rows, [middle]).query("network == 'n1'"), panel)
    kept = values(rows.drop(middle).query("network == 'n1'"), Applications(references={"board-wall": ["a", "b"]}))
    assert rows.loc[middle, "device"] == "c"
    assert pair["IECS", "d"] == pytest.approx(kept["IECS", "d"])


def test_an_interval_without_a_lower_end_says_so():
    rows = table(networks=20)
    scores, comparisons = compute_scores(failing(rows, range(20, 29)), PLAIN, 300, 0)
    row = default(scores, "b")
    assert np.isnan(row["lower"]) and row["upper"] > row["value"] > 0
    assert row["reason"].startswith("no lower end: in ")
    assert "| none to " in scores_markdown(scores, comparisons, rows, PLAIN)
    assert "[none, " in describe_scores(scores, "b", "robust")
    labels = label_scores(scores, PLAIN).set_index(["device", "score"])
    assert labels.loc[("b", "IECS"), "label_lower"] == "G"
    # A few failed pairs leave one.
    scores, _ = compute_scores(failing(rows, range(20, 23)), PLAIN, 300, 0)
    assert default(scores, "b")["lower"] > 0 and default(scores, "b")["reason"] == ""


def test_a_reference_that_this_run_lacks_is_named():
    config = Applications(references={"board-wall": ["b", "z"], "phone-dc": ["y"]})
    scores, comparisons = compute_scores(table(), config, DRAWS, 0)
    assert scores.set_index(["device", "score", "definition"]).loc[("b", "IECS", "robust"), "value"] == pytest.approx(
        100
    )
    assert "Reference: b; not in this run: z." in scores_markdown(scores, comparisons, table(), config)
    first, _ = compute_scores(table(), Applications(references={"board-wall": ["z"]}), DRAWS, 0)
    assert set(first["reference"]) == {"a"}


def test_a_new_device_changes_nobody_elses_score_or_interval():
    old, _ = compute_scores(table(3), PLAIN, DRAWS, 0)
    new, _ = compute_scores(table(4), PLAIN, DRAWS, 0)
    columns = ["device", "score", "definition", "value", "lower", "upper", "pairs", "missing"]
    kept = new[new["device"] != "d"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[columns], old[columns])


def test_a_device_with_networks_of_its_own_gains_nothing_by_them():
    rows = table()
    extra = rows[rows["device"] == "b"].head(1).assign(network="only-b", energy_mj=1e-3, latency_ms=1e-3)
    for definition in ("robust", "geometric-mean", "sum"):
        both = pd.concat([rows, extra], ignore_index=True)
        pd.testing.assert_series_equal(values(both, definition=definition), values(rows, definition=definition))


def test_one_wild_value_moves_the_default_little():
    rows = table()
    wild = rows.copy()
    wild.loc[9, "energy_mj"] /= 1000
    shift = values(wild)["IECS", "b"] / values(rows)["IECS", "b"]
    assert 1 <= shift < 1.5 ** (1 / 3)
    assert values(wild, definition="geometric-mean")["IECS", "b"] / values(rows, definition="geometric-mean")[
        "IECS", "b"
    ] == pytest.approx(1000 ** (1 / 8))


def test_a_wild_value_of_one_reference_device_does_not_enter_everybodys_ratio():
    config = Applications(references={"board-wall": ["a", "b", "c"]})
    rows = table()
    wild = rows.copy()
    wild.loc[1, "energy_mj"] *= 1000
    shift = values(wild, config)["IECS", "d"] / values(rows, config)["IECS", "d"]
    assert abs(np.log(shift)) < np.log(1.5) / 4


def test_estimated_energies_are_shown_and_never_ranked():
    rows = table(origin="estimated", league="computer-model")
    scores, comparisons = compute_scores(rows, Applications(), DRAWS, 0)
    assert scores["value"].notna().all()
    assert scores["rank"].isna().all()
    assert scores["place"].isna().all()
    assert set(scores["reason"]) == {"modelled, 4 W x latency: shown, never ranked"}
    assert len(comparisons) == 0


def test_a_device_without_a_meter_has_a_pcs_and_no_iecs_and_no_rank():
    rows = table(origin="estimated", league="computer-model").assign(energy_mj=np.nan, power_w=np.nan)
    scores, _ = compute_scores(rows, Applications(), DRAWS, 0)
    figures = scores[scores["definition"] == "robust"].set_index(["score", "device"])
    assert figures.loc["IECS", "value"].isna().all()
    assert figures.loc["PCS", "value"].notna().all()
    assert figures["rank"].isna().all()
    assert set(figures.loc["PCS", "reason"]) == {"its energy is not measured: shown, never ranked"}


def test_estimated_devices_do_not_enter_others_ranks():
    rows = table(3)
    rows.loc[rows["device"] == "a", "origin"] = "estimated"
    scores, _ = compute_scores(rows, PLAIN, DRAWS, 0)
    best = scores[(scores["device"] == "b") & (scores["definition"] == "robust") & (scores["score"] == "IECS")].iloc[0]
    assert (best["rank"], best["place"]) == (1, 1)


def test_equal_devices_share_the_rank():
    rows = table(1)
    rows = pd.concat([rows, rows.assign(device="b"), rows.assign(device="c", energy_mj=rows["energy_mj"] * 3)])
    scores, comparisons = compute_scores(rows, PLAIN, 200, 0)
    iecs = scores[(scores["score"] == "IECS") & (scores["definition"] == "robust")].set_index("device")
    assert list(iecs["rank"]) == [1, 1, 3]
    assert list(iecs["rank_worst"]) == [2, 2, 3]
    pair = comparisons[(comparisons["score"] == "IECS") & (comparisons["definition"] == "robust")]
    pair = pair.set_index(["device", "other"])["probability"]
    assert pair["a", "c"] == 1
    assert pair["a", "b"] == pytest.approx(1 - pair["b", "a"])
    assert 0.3 < pair["a", "b"] < 0.7


def test_without_a_thermal_design_power_there_is_no_pcs_and_a_reason():
    rows = table()
    rows.loc[rows["device"] == "b", "tdp_w"] = np.nan
    scores, _ = compute_scores(rows, PLAIN, DRAWS, 0)
    row = scores[(scores["device"] == "b") & (scores["score"] == "PCS")]
    assert row["value"].isna().all()
    assert row["rank"].isna().all()
    assert row["reason"].str.contains("thermal design power").all()
    assert scores.loc[scores["device"] == "c", "value"].notna().all()


def test_a_device_that_lacks_half_of_the_weight_has_no_score():
    rows = failing(table(), [11])
    rows = rows[(rows["device"] != "b") | rows["network"].isin(["n0", "n1", "n2", "n3", "n4"])]
    scores, comparisons = compute_scores(rows, PLAIN, DRAWS, 0)
    of_b = scores[(scores["device"] == "b") & (scores["score"] == "IECS")]
    assert of_b["value"].isna().all() and of_b["rank"].isna().all()
    said = (
        "too few pairs: 4 of 8 have a figure (1 failed, 3 not measured), and a score needs more than half of the weight"
    )
    assert set(of_b["reason"]) == {said}
    assert "b" not in set(comparisons["device"])


def test_a_device_that_shares_no_pair_says_so():
    rows = table(2)
    rows.loc[rows["device"] == "b", "network"] += "-other"
    scores, _ = compute_scores(rows, PLAIN, DRAWS, 0)
    assert scores.loc[(scores["device"] == "b") & (scores["score"] == "IECS"), "reason"].str.contains("no pair").all()


def test_weights_are_configuration():
    rows = table()
    only = PLAIN.model_copy(update={"application_weights": {"object detection": 0.0}})
    kept = rows[rows["application"] == "image classification"]
    pd.testing.assert_series_equal(values(rows, only), values(kept))
    nothing = PLAIN.model_copy(update={"application_weights": dict.fromkeys(rows["application"].unique(), 0.0)})
    with pytest.raises(EdgejouleError, match="leaves no application with a weight"):
        compute_scores(rows, nothing, DRAWS, 0)


def test_an_excluded_network_is_no_pair_for_anybody_and_the_reason_is_shown():
    rows = table()
    without = PLAIN.model_copy(update={"excluded": {"board-wall": {"n3": "another data set"}}})
    pd.testing.assert_series_equal(values(rows, without), values(rows[rows["network"] != "n3"]))
    text = scores_markdown(*compute_scores(rows, without, DRAWS, 0), rows, without)
    assert "Left out, n3: another data set." in text
    nothing = PLAIN.model_copy(update={"excluded": {"board-wall": dict.fromkeys(rows["network"], "all")}})
    scores, _ = compute_scores(rows, nothing, DRAWS, 0)
    assert scores["value"].isna().all()
    assert scores["reason"].str.contains("no pair").all()


def test_a_pair_twice_or_a_device_of_two_origins_stops():
    rows = table()
    with pytest.raises(EdgejouleError, match="'a' has n0 twice"):
        compute_scores(pd.concat([rows, rows.head(1).assign(delegate="GPU")]), PLAIN, DRAWS, 0)
    rows.loc[0, "origin"] = "published"
    with pytest.raises(EdgejouleError, match="'a' mixes origins"):
        compute_scores(rows, PLAIN, DRAWS, 0)


def test_an_empty_table_gives_empty_scores():
    scores, comparisons = compute_scores(empty(APPLICATIONS), PLAIN, DRAWS, 0)
    assert len(to_arrow(scores, SCORES)) == len(to_arrow(comparisons, COMPARISONS)) == 0


def test_the_phones_plain_sums(phones):
    scores, comparisons = compute_scores(*phones, 200, 0)
    to_arrow(scores, SCORES)
    to_arrow(comparisons, COMPARISONS)
    figures = scores.set_index(["device", "score", "definition"])["value"]
    assert figures["oneplus_8_pro", "IECS", "sum"] == pytest.approx(148.8, abs=0.05)
    assert figures["huawei_p40_lite", "PCS", "sum-tdp-per-power"] == pytest.approx(241.4, abs=0.05)
    assert figures["xiaomi_redmi_note8", "PCS", "sum-throughput-per-tdp"] == pytest.approx(60.7, abs=0.05)
    note = scores[scores["device"] == "xiaomi_redmi_note8"]
    assert set(note["pairs"]) == {33}
    assert set(note["missing"]) == {2}
    assert (scores["lower"] <= scores["upper"]).all()


def test_a_league_of_few_pairs_shows_them_and_one_without_a_score_says_why():
    rows = table(2).assign(tdp_w=np.nan)
    text = scores_markdown(*compute_scores(rows, PLAIN, DRAWS, 0), rows, PLAIN)
    assert "### PCS\n\nNone: no thermal design power" in text
    assert "| device | n0 | n1 | n2 | n3 | n4 | n5 | n6 | n7 |" in text
    many = table(2, networks=20)
    assert "### Energy" not in scores_markdown(*compute_scores(many, PLAIN, DRAWS, 0), many, PLAIN)


def test_equal_input_gives_equal_scores(phones):
    one, two = compute_scores(*phones, 50, 3), compute_scores(*phones, 50, 3)
    for left, right in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(left, right)


def test_what_people_read(phones):
    scores, comparisons = compute_scores(*phones, 50, 0)
    text = scores_markdown(scores, comparisons, *phones)
    assert "## League phone-dc" in text
    assert text.count("| huawei_p40_pro |") == 2
    assert "Reference: the median of huawei_mate40_pro," in text
    one = describe_scores(scores, "huawei_p40_pro", "robust")
    assert one.count("\n") == 1
    assert "35 of 35 pairs; rank 1 to 2 of 8 in league phone-dc, not settled" in one
    assert "rank 5 to 8 of 8 in league phone-dc, not settled" in describe_scores(scores, "motorola_one_macro", "robust")
    assert "| 5 to 8 | motorola_one_macro |" in text
    # As read from a file in which other devices are not ranked.
    floats = scores.astype({"rank": float, "rank_worst": float})
    assert "; rank 5 to 8 of 8" in describe_scores(floats, "motorola_one_macro", "robust")
    with pytest.raises(EdgejouleError, match="did you mean 'huawei_p40_pro'"):
        describe_scores(scores, "huawei_p40_por", "robust")
    with pytest.raises(EdgejouleError, match="did you mean 'robust'"):
        describe_scores(scores, "huawei_p40_pro", "rubust")
