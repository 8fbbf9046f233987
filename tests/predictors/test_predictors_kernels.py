import json

import numpy as np
import pandas as pd
import pytest

import edgejoule
from edgejoule.predictors import DevicePredictor, training_set
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.predictors.rows import with_durations
from edgejoule.predictors.times import ForestPerKind, RooflineTrees
from edgejoule.predictors.train import train
from edgejoule.validation import validate
from synthetic_board import WATTS, board

#: The profiler's own time per kernel (ns), which is not in the network's latency.
PROFILER_NS = 1500


def profiled(noise: float = 0.05, seed: int = 0):
    """Return networks, kernels and nodes of a device whose kernels follow a law of their own per kind."""
    networks, kernels = board(origin="estimated")
    random = np.random.default_rng(seed)
    law = kernels["kind"].map({"conv+bn+relu": 0.04, "dwconv+bn+relu": 0.4, "fc": 0.1})
    narrow = 1 + (kernels["input_channels"] < 100)
    ms = law * narrow * kernels["macs"] / 1e6 + 0.3 * (kernels["bytes_in"] + kernels["bytes_out"]) / 1e6 + 0.002
    latency = ms.groupby(kernels["network"]).sum()
    networks["latency_ms"] = networks["network"].map(latency)
    networks["energy_mj"] = WATTS * networks["latency_ms"]
    networks["energy_above_idle_mj"] = 0.0
    frames = []
    for number in range(2):
        measured = ms * np.exp(np.abs(noise * random.normal(size=len(ms)))) * 1e6 + PROFILER_NS
        nodes = kernels[["network", "precision", "index", "operator"]].assign(node=kernels["name"])
        frames.append(nodes.assign(**{"pass": number, "duration_ns": measured.astype(int)}))
    nodes = pd.concat(frames, ignore_index=True)
    shapes = [_shapes(kernel) for kernel in kernels.itertuples()] * 2
    return networks, kernels, nodes.assign(input_shapes=[s[0] for s in shapes], output_shapes=[s[1] for s in shapes])


def _shapes(kernel) -> tuple[str, str]:
    """Return a node's shapes as ONNX Runtime's profiler writes them, in blocks of 16 channels."""
    if kernel.operator == "Gemm":
        return '[{"float": [1, 512]}, {"float": [1000, 512]}]', '[{"float": [1, 1000]}]'
    padded = -(-kernel.output_channels // 16) * 16
    before = [1, kernel.input_channels, kernel.input_height, kernel.input_width]
    each = kernel.input_channels // kernel.groups
    weights = [padded, each, kernel.kernel_height, kernel.kernel_width]
    after = [1, padded, kernel.output_height, kernel.output_width]
    return json.dumps([{"float": before}, {"float": weights}]), json.dumps([{"float": after}])


def test_nodes_are_matched_by_what_they_do_and_the_least_pass_counts():
    _, kernels, nodes = profiled()
    matched = with_durations(kernels, nodes.sample(frac=1, random_state=0))
    least = nodes.groupby(["network", "index"])["duration_ns"].min() / 1e6
    expected = [least[key] for key in zip(matched["network"], matched["index"], strict=True)]
    assert matched["duration_ms"].to_numpy() == pytest.approx(expected)
    renamed = nodes.assign(node="another name")
    assert with_durations(kernels, renamed)["duration_ms"].notna().all()


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
    assert "Power is declared: 5 W" in (tmp_path / "synthetic" / "card.md").read_text()
