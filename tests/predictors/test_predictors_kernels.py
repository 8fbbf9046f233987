import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import edgejoule
from edgejoule.predictors import DevicePredictor, training_set
from edgejoule.predictors.alone import alone_kernels, evidence_of
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.predictors.matching import with_durations
from edgejoule.predictors.metered import halved
from edgejoule.predictors.rows import INPUTS, SYNTHETIC, ZOO, kernel_rows
from edgejoule.predictors.times import ForestPerKind, RooflineTrees
from edgejoule.predictors.train import train
from edgejoule.validation import validate
from synthetic_board import WATTS
from synthetic_kernels import ALONE, PROFILER_NS, measured_alone, profiled


def test_nodes_are_matched_by_what_they_do_and_the_least_pass_counts():
    _, kernels, nodes = profiled()
    matched = with_durations(kernels, nodes.sample(frac=1, random_state=0))
    least = nodes.groupby(["network", "index"])["duration_ns"].min() / 1e6
    expected = [least[key] for key in zip(matched["network"], matched["index"], strict=True)]
    assert matched["duration_ms"].to_numpy() == pytest.approx(expected)
    renamed = nodes.assign(node="another name")
    assert with_durations(kernels, renamed)["duration_ms"].notna().all()


def test_kernels_of_one_name_that_differ_are_not_one_configuration():
    _, kernels, _ = profiled()
    one = kernels.head(1)
    others = [
        one.assign(operator="Other"),
        one.assign(bytes_in=2 * one["bytes_in"]),
        one.assign(bytes_weights=one["bytes_weights"] + 64),
    ]
    table = pd.concat([one, halved(one), *others, one], ignore_index=True)
    rows = kernel_rows(table, np.zeros(6, int), np.zeros(6, int))
    assert rows.same.tolist() == [0, 0, 1, 2, 3, 0]


def test_another_order_of_parallel_branches_changes_nothing():
    _, kernels, nodes = profiled()
    first = nodes["index"].map({1: 2, 2: 1}).fillna(nodes["index"]).astype(int)
    swapped = with_durations(kernels, nodes.assign(index=first))
    pd.testing.assert_frame_equal(with_durations(kernels, nodes), swapped)


def test_an_operator_whose_count_differs_stays_unknown():
    _, kernels, nodes = profiled()
    lost = nodes[~(nodes["network"].eq("beta-3") & nodes["index"].eq(1))]
    matched = with_durations(kernels, lost)
    beta = matched[matched["network"] == "beta-3"].set_index("index")["duration_ms"]
    assert np.isnan(beta[1])
    assert beta[[0, beta.index.max()]].notna().all()
    assert matched.loc[matched["network"] != "beta-3", "duration_ms"].notna().all()


@pytest.mark.parametrize("make", [RooflineTrees, ForestPerKind])
def test_latency_is_the_sum_of_kernels_without_the_profiler(make):
    networks, kernels, nodes = profiled(noise=0)
    _, features, costs = training_set(networks, kernels, nodes)
    model = FromKernels(make).fit(features, costs.metrics["latency_ms"], costs.family)
    error = np.abs(model.predict(features) / costs.metrics["latency_ms"] - 1)
    assert error.mean() < 0.1
    assert model.scale == pytest.approx(1, rel=1e-3)
    assert model.per_count == pytest.approx(-PROFILER_NS / 1e6, rel=0.02)


def test_kernels_of_their_own_beat_totals_on_unseen_families():
    networks, kernels, nodes = profiled()
    timed, _ = validate(networks, kernels, ["edgejoule"], ["leave-one-family-out"], nodes=nodes)
    totals, _ = validate(networks, kernels, ["edgejoule"], ["leave-one-family-out"])
    errors = [(t["predicted"] / t["measured"] - 1).abs().mean() for t in (timed, totals)]
    assert errors[0] < errors[1]
    assert set(timed["metric"]) == {"latency_ms"}


def test_nothing_of_the_left_out_family_reaches_its_prediction():
    networks, kernels, nodes = profiled()
    honest, _ = validate(networks, kernels, ["edgejoule"], ["leave-one-family-out"], nodes=nodes)
    out = networks["family"] == "beta"
    changed = nodes.copy()
    theirs = changed["network"].isin(networks.loc[out, "network"])
    changed.loc[theirs, "duration_ns"] *= 7
    slower = networks.assign(latency_ms=networks["latency_ms"].where(~out, networks["latency_ms"] * 3))
    altered, _ = validate(slower, kernels, ["edgejoule"], ["leave-one-family-out"], nodes=changed)
    columns = ["predictor", "network", "predicted", "lower", "upper"]
    before, after = (table.loc[table["family"] == "beta", columns] for table in (honest, altered))
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_a_predictor_of_kernels_is_passed_over_where_none_has_a_time():
    networks, kernels, nodes = profiled()
    names = ["random-forest-per-kernel", "macs-linear"]
    table, _ = validate(networks, kernels, names, ["leave-one-family-out"])
    assert set(table["predictor"]) == {"macs-linear"}
    few = nodes[nodes["network"].str.startswith("alpha")]
    _, features, _ = training_set(networks, kernels, few)
    assert features.rows is None


def test_a_trained_predictor_of_kernels_survives_the_disk(tmp_path):
    networks, kernels, nodes = profiled()
    train(networks, kernels, tmp_path / "synthetic", nodes)
    _, features, costs = training_set(networks, kernels, nodes)
    fresh = DevicePredictor("edgejoule").fit(features, costs).values(features)
    served = edgejoule.load_predictor("synthetic", tmp_path)
    many = served.predict_many(kernels)
    latency = many[many["metric"] == "latency_ms"].set_index("network")["predicted"]
    assert latency[list(features.networks)].to_numpy() == pytest.approx(fresh["latency_ms"], rel=1e-6)
    one = served.predict(kernels[kernels["network"] == "delta-2"])
    assert one.latency_ms.value == pytest.approx(latency["delta-2"], rel=1e-6)
    assert one.energy_above_idle_mj is None
    assert one.breakdown["network overhead"]["latency_ms"] == 0
    assert one.energy_mj.value == pytest.approx(WATTS * one.latency_ms.value, rel=1e-6)
    assert sum(part["latency_ms"] for part in one.breakdown.values()) == pytest.approx(one.latency_ms.value)
    assert one.power_w.lower is None and one.power_w.note.startswith("declared")
    assert one.energy_mj.lower < one.energy_mj.value and one.energy_mj.note.startswith("latency's interval only")
    assert one.latency_ms.note is None and one.kernels_from.endswith("energy = declared power x latency")
    json.dumps(one.to_dict(), allow_nan=False)
    card = (tmp_path / "synthetic" / "card.md").read_text()
    assert "Power is declared: 5 W" in card
    assert f"{kernels['kernel'].nunique()} inside networks, 0 of the zoo and 0 synthetic ones alone" in card


def test_times_alone_are_corrected_to_what_they_are_inside():
    networks, kernels, nodes = profiled(noise=0)
    _, features, _ = training_set(networks, kernels, nodes, measured_alone(kernels))
    evidence = evidence_of(features.rows)
    assert len(set(evidence.same)) == len(evidence.same)
    alone = features.rows.where(features.rows.evidence == SYNTHETIC)
    learned = evidence.where(np.isin(evidence.same, alone.same))
    assert len(learned.same) == len(alone.same) > 50
    large = alone.duration_ms > 0.1
    # The profiler's own microseconds are in the times inside.
    assert learned.duration_ms[large] / alone.duration_ms[large] == pytest.approx(1 / ALONE, rel=0.1)


def test_a_kernel_that_only_left_out_families_have_is_unknown_and_a_synthetic_one_is_not():
    networks, kernels, nodes = profiled()
    rows, features, _ = training_set(networks, kernels, nodes, measured_alone(kernels))
    out = (rows["family"] == "delta").to_numpy()
    kept = features.take(~out).rows
    alone = kept.where(kept.owner < 0)
    theirs = set(kernels[kernels["network"].str.startswith("delta")]["kernel"])
    others = set(kernels[~kernels["network"].str.startswith("delta")]["kernel"])
    assert theirs - others
    assert (alone.evidence == ZOO).sum() == len(others)
    assert (alone.evidence == SYNTHETIC).sum() == (features.rows.evidence == SYNTHETIC).sum()
    assert kept.inside.owner.max() == (~out).sum() - 1


def test_kernels_alone_never_belong_to_a_prediction():
    networks, kernels, nodes = profiled()
    _, features, costs = training_set(networks, kernels, nodes, measured_alone(kernels))
    model = FromKernels().fit(features, costs.metrics["latency_ms"], costs.family)
    _, plain, _ = training_set(networks, kernels, nodes)
    assert model.predict(features) == pytest.approx(model.predict(plain))


def test_a_law_that_training_lacks_has_no_residual():
    networks, kernels, nodes = profiled(noise=0)
    _, features, _ = training_set(networks, kernels, nodes)
    rows = features.rows
    known = rows.law != rows.law[rows.amounts[:, 1].argmax()]
    model = RooflineTrees().fit(rows.where(known), rows.duration_ms[known])
    unseen = rows.where(~known)
    assert model.predict(unseen) == pytest.approx(model.roofline(unseen))
    assert not np.allclose(model.predict(rows.where(known)), model.roofline(rows.where(known)))


def test_padding_never_makes_a_kernel_cheaper():
    networks, kernels, nodes = profiled()
    _, features, _ = training_set(networks, kernels, nodes)
    model = RooflineTrees().fit(features.rows, features.rows.duration_ms)
    for name, sign in INPUTS.items():
        if sign:
            more = features.rows.inputs.copy()
            more[:, list(INPUTS).index(name)] *= 1.5
            change = model.predict(replace(features.rows, inputs=more)) / model.predict(features.rows)
            assert (sign * np.log(change) >= -1e-6).all(), name


def test_a_kernel_of_the_zoo_that_no_network_has_is_left_out():
    _, kernels, _ = profiled()
    alone = measured_alone(kernels)
    gone = alone.loc[alone["kernel_source"] == "synthetic", "kernel"].iloc[0]
    alone["kernel_source"] = alone["kernel_source"].mask(alone["kernel"] == gone, "zoo")
    assert gone not in set(alone_kernels(alone, kernels)["kernel"])
    unstated = alone_kernels(alone.assign(kernel_source=None), kernels)
    assert unstated.set_index("kernel").loc[gone, "evidence"] == "synthetic"
