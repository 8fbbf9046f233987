import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.costs import KINDS
from edgejoule.predictors import MODELS, DevicePredictor, kernel_features, network_features, training_set
from edgejoule.predictors.device import OWN_POWER, Costs
from edgejoule.predictors.ensemble import MEMBERS, KernelTotals
from edgejoule.predictors.features import GROUPS, group_of
from edgejoule.predictors.folds import error_left_out, family_folds
from edgejoule.predictors.intervals import difficulty, family_quantile
from edgejoule.predictors.linear import NonNegativeLinear, relative_nnls
from edgejoule.predictors.trees import GRIDS, TreesNetwork
from synthetic_board import IDLE_W, TRUTH, WATTS, board


@pytest.fixture(scope="module")
def known():
    networks, kernels = board()
    return training_set(networks, kernels)


@pytest.mark.parametrize(
    ("kind", "window", "groups", "channels", "pixels", "group"),
    [
        ("conv+bn+relu", 3, 1, 3, 49, "conv"),
        ("conv+bn", 1, 1, 64, 49, "pointwise"),
        ("dwconv+bn+relu", 3, 64, 64, 49, "depthwise"),
        ("dwconv+bn", 5, 64, 64, 49, "depthwise-large"),
        ("conv+bn+relu", 3, 32, 256, 49, "grouped"),
        ("conv+bn+relu", 1, 1, 64, 1, "fc"),
        ("fc", 0, 1, 1024, 49, "fc"),
        ("global avgpool", 7, 1, 512, 49, "pooling"),
        ("add+relu", 0, 1, 64, 49, "elementwise"),
        ("other:Einsum", 0, 1, 64, 49, "other"),
        ("never-seen", 0, 1, 64, 49, "other"),
    ],
)
def test_group_of_a_kernel(kind, window, groups, channels, pixels, group):
    assert group_of(kind, window, groups, channels, pixels) == group


def test_every_kind_that_graphs_names_has_a_group():
    unknown = [kind for kind in KINDS if group_of(kind, 3, 1, 64, 49) == "other"]
    assert unknown == []


def test_kernels_add_up_to_their_network():
    _, kernels = board()
    each, whole = kernel_features(kernels), network_features(kernels)
    for i, name in enumerate(whole.networks):
        assert np.allclose(each.values[each.networks == name].sum(axis=0), whole.values[i])
    assert whole.total("macs").sum() == pytest.approx(kernels["macs"].sum() / 1e6)
    assert set(each.precision) == {"fp32", "int8"}
    assert whole.values.shape[1] == len(GROUPS)


def test_known_coefficients_are_found_again(known):
    _, features, costs = known
    model = NonNegativeLinear("one-law").fit(features, costs.metrics["latency_ms"])
    for precision, (macs, activations, weights, each, whole) in TRUTH.items():
        found = model.to_dict()["coefficients"][precision]
        by_quantity = {"macs": macs, "activations": activations, "bytes of weights": weights, "convolutions": each}
        for word, value in by_quantity.items():
            terms = {name: c for name, c in found.items() if name.startswith(word)}
            assert terms == {name: pytest.approx(value, rel=1e-3) for name in terms}
        assert found["network"] == pytest.approx(whole, rel=1e-3)


def test_a_kind_that_training_lacks_costs_what_its_relative_costs(known):
    _, features, costs = known
    assert features.values[:, GROUPS.index("depthwise-large")].sum() == 0
    for basis in MEMBERS:
        model = NonNegativeLinear(basis).fit(features, costs.metrics["latency_ms"])
        for coefficients in model.to_dict()["coefficients"].values():
            seen, unseen = coefficients["macs of depthwise 3x3"], coefficients["macs of depthwise 5x5"]
            assert unseen == pytest.approx(seen, rel=1e-6)
            assert unseen > 0


def test_a_strong_tie_makes_coefficients_one_and_no_tie_leaves_them_alone():
    random = np.random.default_rng(0)
    amounts = random.uniform(1, 10, (40, 2))
    target = amounts @ np.array([1.0, 3.0])
    assert relative_nnls(amounts, target) == pytest.approx([1, 3])
    tied = relative_nnls(amounts, target, [([0, 1], [0, 1], 1e6)])
    assert tied[0] == pytest.approx(tied[1], rel=1e-3)
    assert 1 < tied[0] < 3


def test_members_that_fail_on_families_left_out_weigh_less():
    networks, kernels = board()
    dearer = networks["family"].isin(["alpha", "beta"])
    networks.loc[dearer, "latency_ms"] *= np.random.default_rng(0).uniform(0.5, 2, dearer.sum())
    _, features, costs = training_set(networks, kernels)
    model = KernelTotals().fit(features, costs.metrics["latency_ms"], costs.family)
    assert model.weights.sum() == pytest.approx(1)
    assert model.weights.max() > model.weights.min()
    alone = costs.family == "gamma"
    single = KernelTotals().fit(features.take(alone), costs.metrics["latency_ms"][alone], costs.family[alone])
    assert single.weights == pytest.approx(np.full(len(MEMBERS), 1 / len(MEMBERS)))


@given(st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=60))
def test_folds_leave_every_family_out_once_and_whole(letters):
    family = np.array(letters, object)
    folds = list(family_folds(family))
    if len(set(letters)) < 2:
        assert folds == []
        return
    assert np.sum(folds, axis=0).tolist() == [1] * len(family)
    for out in folds:
        assert not set(family[out]) & set(family[~out])
        assert (~out).any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_coefficients_are_never_negative_and_scale_with_the_target(seed):
    random = np.random.default_rng(seed)
    terms = random.uniform(0, 10, (20, 4))
    target = random.uniform(0.1, 100, 20)
    once, thousandfold = relative_nnls(terms, target), relative_nnls(terms, 1000 * target)
    assert (once >= 0).all()
    assert np.allclose(1000 * once, thousandfold, rtol=1e-6, atol=1e-9)


def test_metrics_agree_with_each_other(known):
    _, features, costs = known
    values = DevicePredictor().fit(features, costs).values(features)
    assert np.allclose(values["power_w"] * values["latency_ms"], values["energy_mj"])
    assert values["power_w"] == pytest.approx(np.full(len(features), WATTS), rel=1e-6)
    above = values["energy_mj"] - IDLE_W * values["latency_ms"]
    assert values["energy_above_idle_mj"] == pytest.approx(above, rel=1e-6)


@pytest.mark.parametrize("name", OWN_POWER)
def test_trees_predict_power_by_a_model_of_its_own(known, name):
    _, features, costs = known
    # Power follows the precision alone, latency and energy a noise in common that two models need not share.
    watts = np.where(features.precision == "int8", 4.0, 6.0)
    latency = costs.metrics["latency_ms"] * np.exp(0.3 * np.random.default_rng(0).normal(size=len(watts)))
    energy = watts * latency
    metrics = {"latency_ms": latency, "power_w": watts, "energy_mj": energy}
    changed = Costs(costs.family, metrics | {"energy_above_idle_mj": energy - IDLE_W * latency})
    out = costs.family == "delta"
    values = DevicePredictor(name).fit(features.take(~out), changed.take(~out)).values(features.take(out))
    direct, ratio = (
        np.abs(power / watts[out] - 1).mean()
        for power in (values["power_w"], values["energy_mj"] / values["latency_ms"])
    )
    assert direct < min(0.02, ratio / 2)


@pytest.mark.parametrize("name", MODELS)
def test_every_predictor_beats_a_constant_on_its_own_training_set(known, name):
    _, features, costs = known
    latency = costs.metrics["latency_ms"]
    predicted = DevicePredictor(name).fit(features, costs).values(features)["latency_ms"]
    constant = np.abs(np.exp(np.log(latency).mean()) / latency - 1).mean()
    assert np.abs(predicted / latency - 1).mean() < constant / 2


def test_settings_of_trees_are_chosen_on_families_left_out(known):
    _, features, costs = known
    latency = costs.metrics["latency_ms"]
    for kind, grid in GRIDS.items():
        chosen = TreesNetwork(kind).fit(features, latency, costs.family).setting
        assert all(chosen[name] in values for name, values in grid.items())
        # Targets without any pattern leave nothing to split on: coarse trees win over those that learn noise.
        noise = np.exp(np.random.default_rng(2).normal(size=len(latency)))
        coarse = TreesNetwork(kind).fit(features, noise, costs.family).setting
        assert coarse != {name: values[0] for name, values in grid.items()}
        one = costs.family == "gamma"
        single = TreesNetwork(kind).fit(features.take(one), latency[one], costs.family[one]).setting
        assert single == {name: values[0] for name, values in grid.items()}


def test_the_error_on_families_left_out_weighs_families_the_same():
    predicted, target = np.array([1.1, 1.1, 1.3, 9.0, np.nan]), np.ones(5)
    family = np.array(["a", "a", "b", "c", "d"], object)
    assert error_left_out(predicted, target, family) == pytest.approx((0.1 + 0.3 + 1) / 3)
    assert np.isnan(error_left_out(np.full(5, np.nan), target, family))


@pytest.mark.parametrize("name", MODELS)
def test_unknown_precision_is_an_abstention_not_a_guess(known, name):
    _, features, costs = known
    fp32 = features.precision == "fp32"
    predictor = DevicePredictor(name).fit(features.take(fp32), costs.take(fp32))
    values = predictor.values(features)["latency_ms"]
    assert np.isnan(values[~fp32]).all()
    assert np.isfinite(values[fp32]).all()


def test_intervals_hold_what_they_promise_on_noisy_networks():
    rows, features, costs = training_set(*board(noise=0.1))
    fresh = board(noise=0.1, seed=1)[0]["latency_ms"].to_numpy()
    table = DevicePredictor().fit_with_intervals(features, costs).predict(features)
    latency = table[table["metric"] == "latency_ms"]
    inside = (latency["lower"].to_numpy() <= fresh) & (fresh <= latency["upper"].to_numpy())
    assert len(rows) == 48
    assert 0.8 <= inside.mean() <= 1.0


@given(st.lists(st.tuples(st.floats(0, 10), st.sampled_from("abc")), min_size=1, max_size=200))
def test_the_quantile_covers_nine_tenths_of_families_or_of_networks_where_these_are_few(scored):
    scores, family = np.array([score for score, _ in scored]), np.array([name for _, name in scored], object)
    quantile = family_quantile(scores, family)
    inside, sizes = scores <= quantile, np.array([np.sum(family == name) for name in set(family)])
    if np.mean(1 / (sizes + 1)) <= 0.1:
        assert np.mean([inside[family == name].mean() for name in set(family)]) >= 0.9 - 1e-9
    elif len(scores) >= 9:
        assert inside.mean() >= 0.9 - 1e-9
    else:
        assert np.isnan(quantile)


def covered(families: int, networks: tuple[int, ...], new: bool, draws: int = 3000) -> float:
    """Return how often the quantile covers one more network: of a new family, or of one of these drawn at random."""
    random = np.random.default_rng(0)
    sizes = np.resize(networks, families)
    member, inside = np.repeat(np.arange(families), sizes), 0
    for _ in range(draws):
        scale = np.exp(random.normal(size=families + 1))
        scores = scale[member] * np.abs(random.normal(size=len(member)))
        of = families if new else random.integers(families)
        inside += scale[of] * abs(random.normal()) <= family_quantile(scores, member)
    return inside / draws


@pytest.mark.parametrize(("families", "networks"), [(9, (1,)), (10, (1,)), (19, (1, 2, 5)), (40, (3,))])
def test_nine_families_and_more_cover_a_fresh_network_of_a_new_one(families, networks):
    assert 0.89 <= covered(families, networks, new=True) < 0.985


@pytest.mark.parametrize(("families", "networks"), [(1, (9,)), (3, (6,)), (3, (10,)), (4, (9, 10, 32, 43))])
def test_fewer_families_cover_a_fresh_network_of_theirs_and_say_less_of_new_ones(families, networks):
    assert 0.89 <= covered(families, networks, new=False) < 0.985
    assert covered(families, networks, new=True) >= 0.9 * families / (families + 1) - 0.01


def test_a_family_of_many_networks_does_not_hide_one_of_few():
    scores, family = np.repeat([1.0, 2.0], [100, 9]), np.repeat(np.array(["large", "small"], object), [100, 9])
    assert family_quantile(scores, family) == 2.0


@pytest.mark.parametrize(
    ("scores", "family"),
    [([0.1, 0.2], "ab"), (range(8), "a" * 8), (range(8), "abcdefgh"), (range(8), "aabbccdd"), ([], "")],
)
def test_a_level_out_of_reach_is_no_quantile(scores, family):
    assert np.isnan(family_quantile(np.array(scores, float), np.array(list(family), object)))


def test_a_predictor_of_too_few_networks_states_no_interval_and_says_so(known):
    networks, kernels = board()
    few = networks.groupby("family").head(2).reset_index(drop=True)
    _, features, costs = training_set(few, kernels)
    predictor = DevicePredictor().fit_with_intervals(features, costs)
    assert predictor.half_width == {}
    table = predictor.predict(features)
    assert table[["lower", "upper"]].isna().all(axis=None)
    assert table["predicted"].notna().all()


def test_a_network_is_harder_where_models_disagree_and_beyond_the_range():
    hard = difficulty(np.array([0.0, 0.2, 0.0]), np.array([1.0, 1.0, np.e]))
    assert hard == pytest.approx([0.1, 0.3, 0.2])


def test_models_trained_without_a_family_disagree_where_families_differ(known):
    _, features, costs = known
    latency, one = costs.metrics["latency_ms"], costs.family == "gamma"
    alike = KernelTotals().fit(features, latency, costs.family)
    apart = KernelTotals().fit(features, np.where(one, 2 * latency, latency), costs.family)
    assert len(alike.without) == len(set(costs.family))
    same, other = (model.disagreement(features, model.predict(features)) for model in (alike, apart))
    assert same.max() < 0.01
    assert other.mean() > 0.05
    single = KernelTotals().fit(features.take(one), latency[one], costs.family[one])
    assert single.without == []
    assert np.isfinite(single.disagreement(features.take(one), single.predict(features.take(one)))).all()


def test_a_precision_that_one_family_alone_has_leaves_weights_and_disagreement_finite(known):
    _, features, costs = known
    kept = (costs.family == "gamma") == (features.precision == "int8")
    assert set(features.precision[kept]) == {"fp32", "int8"}
    latency = costs.metrics["latency_ms"][kept]
    model = KernelTotals().fit(features.take(kept), latency, costs.family[kept])
    predicted = model.predict(features.take(kept))
    assert np.isfinite(model.weights).all()
    assert np.isfinite(model.disagreement(features.take(kept), predicted)).all()


def test_predictions_survive_json(known):
    _, features, costs = known
    predictor = DevicePredictor().fit_with_intervals(features, costs)
    again = DevicePredictor.from_dict(json.loads(json.dumps(predictor.to_dict())))
    pd.testing.assert_frame_equal(predictor.predict(features), again.predict(features), check_exact=True)


def test_kernels_and_overhead_add_up_to_the_prediction(known):
    _, features, costs = known
    _, kernels = board()
    each, whole = kernel_features(kernels), network_features(kernels)
    row = pd.Series(range(len(whole)), whole.networks)[each.networks].to_numpy()
    predictor = DevicePredictor().fit(features, costs)
    shares = predictor.kernel_costs(each, row, whole)
    sums = np.bincount(row, shares["energy_mj"])
    overhead = predictor.values(whole)["energy_mj"] - sums
    assert (shares["energy_mj"] >= 0).all()
    expected = np.array([WATTS * TRUTH[p][4] for p in whole.precision])
    assert overhead == pytest.approx(expected, rel=1e-4)


def test_a_network_without_a_graph_stops_with_its_name():
    networks, kernels = board()
    with pytest.raises(EdgejouleError, match=r"1 measured networks have no graph in that precision \(beta-3"):
        training_set(networks, kernels[kernels["network"] != "beta-3"])


def test_networks_of_two_devices_stop():
    networks, kernels = board()
    networks.loc[0, "device"] = "another"
    with pytest.raises(EdgejouleError, match="networks of 2 devices"):
        training_set(networks, kernels)


def test_failed_rows_are_not_learned_from():
    networks, kernels = board()
    networks.loc[5, ["quality", "reason"]] = ["failed", "window outside the trace"]
    networks.loc[5, "latency_ms"] = np.nan
    rows, features, _ = training_set(networks, kernels)
    assert len(rows) == len(features) == 47
    assert networks.loc[5, "network"] not in set(rows["network"])


def test_the_graph_of_the_device_s_own_runtime_wins():
    networks, kernels = board()
    other = kernels.assign(runtime="tflite", macs=kernels["macs"] * 2)
    both = pd.concat([kernels, other], ignore_index=True)
    _, features, _ = training_set(networks.assign(runtime="tflite"), both)
    _, plain, _ = training_set(networks, both)
    assert np.allclose(features.total("macs"), 2 * plain.total("macs"))
