"""What the figures show: shares, disagreements, ratios, ticks and labels, on tables whose answers are known."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from edgejoule.figures import (
    dataset_summary,
    energy_size,
    error_distribution,
    family_errors,
    interval_coverage,
    kernel_configurations,
    kernel_errors,
    kernel_kinds,
    kernel_shares,
    learning_curve,
    marginal_energy,
    noise_floor,
    power_trace,
    runtimes_compared,
    score_bubbles,
    score_maps,
    transfer,
)
from edgejoule.figures.devices import DeviceLook
from edgejoule.figures.frame import grid
from edgejoule.figures.labels import label_points
from edgejoule.figures.palette import KINDS, OTHER, UNTOLD, kind_looks
from edgejoule.figures.style import log_axis, use_style
from edgejoule.scores.definitions import DEFAULT
from edgejoule.tables import contracts, empty, write_json, write_table


def look(name: str, **other: object) -> DeviceLook:
    values = {
        "name": name,
        "title": f"Board, {name}",
        "board": "board",
        "device_class": "board",
        "runtime": "tflite",
        "origin": "measured",
        "power_scope": "wall",
        "meter": "m",
        "watts": None,
        "note": "",
        "colour": "#0072B2",
        "marker": "o",
        "backend": "cpu",
    }
    return DeviceLook(**(values | other))


@pytest.fixture(autouse=True)
def style():
    use_style()
    yield
    plt.close("all")


def networks(device: str = "a", factor: float = 1.0, **other: object) -> pd.DataFrame:
    rows = {
        "device": device,
        "network": ["n1", "n2", "n3"],
        "family": ["f", "f", "g"],
        "precision": "fp32",
        "runtime": "tflite",
        "latency_ms": np.array([1.0, 2.0, 4.0]) * factor,
        "energy_mj": np.array([5.0, 9.0, 21.0]) * factor,
        "iterations": 600.0,
        "quality": "ok",
        "origin": "measured",
    }
    return pd.DataFrame(rows | other)


def curve(device: str, choice: str, errors: list, near: list, draws: int = 1) -> pd.DataFrame:
    rows = {"kernels": [20 * 2**i for i in range(len(errors))], "minutes": [0.1 * 2**i for i in range(len(errors))]}
    spread = {"mape_percent": errors, "mape_low_percent": errors, "mape_high_percent": errors, "near": near}
    return pd.DataFrame(rows | spread | {"device": device, "source": "mixed", "choice": choice, "draws": draws})


def test_a_learning_curve_says_where_it_begins_ends_and_stops_helping():
    design = curve("a", "design", [30.0, 9.0, 12.0, 8.6, 8.5], [False, True, False, True, True])
    rows = pd.concat([design, curve("a", "random", [40.0, 20.0, 15.0, 9.5], [False] * 4, draws=5)])
    (picture,) = learning_curve.draw({"a": look("a")}, rows)
    assert "chosen by design: 30 % after 6 s (20 kernels), 8.5 % after 1.6 min (320)" in picture.caption
    assert "from 48 s on within a tenth" in picture.caption
    (axes,) = picture.figure.axes
    assert len(axes.lines) == 2 and len(axes.collections) == 1


def test_shares_of_kernel_kinds_are_means_over_networks_and_sum_to_100():
    kernels = pd.DataFrame(
        {
            "network": ["n1", "n1", "n2", "n2", "n2"],
            "precision": "fp32",
            "runtime": "tflite",
            "kind": ["conv", "fc", "conv", "fc", "fc"],
            "kernel": ["c1", "k1", "c1", "k1", "k1"],
        }
    )
    costs = pd.DataFrame({"kernel": ["c1", "k1"], "precision": "fp32", "energy_mj": [3.0, 1.0]})
    shares, partly = kernel_kinds.kind_shares(networks(), kernels, costs)
    assert partly == 0
    assert shares.loc[("f", "fp32", "n1")].to_dict() == pytest.approx({"conv": 75, "fc": 25})
    assert shares.loc[("f", "fp32", "n2")].to_dict() == pytest.approx({"conv": 60, "fc": 40})


def test_networks_with_a_kernel_of_no_known_energy_are_left_out_and_counted():
    kernels = pd.DataFrame(
        {
            "network": ["n1", "n2", "n2", "elsewhere"],
            "precision": "fp32",
            "runtime": "tflite",
            "kind": ["conv", "conv", "fc", "fc"],
            "kernel": ["c1", "c1", "k1", "k1"],
        }
    )
    costs = pd.DataFrame({"kernel": ["c1"], "precision": "fp32", "energy_mj": [3.0]})
    shares, partly = kernel_kinds.kind_shares(networks(), kernels, costs)
    assert shares.index.get_level_values("network").tolist() == ["n1"] and partly == 1


def test_a_kernel_kind_looks_the_same_in_all_pictures_and_like_no_other():
    some = kind_looks(["layernorm", "gelu", "swish"], 7)
    more = kind_looks([*KINDS[:6], "gelu", "31 other kinds"], 7)
    assert some["layernorm"] == more["layernorm"] and some["gelu"] == more["gelu"]
    assert len({kind_looks([kind], 1)[kind] for kind in KINDS}) == len(KINDS)
    assert more["31 other kinds"] == (OTHER, "")
    # A runtime's own names take what the picture leaves free.
    own = kind_looks(["Convolution GEMM", "conv+bn+relu", "x", "fc"], 7)
    assert len(set(own.values())) == 4 and own["fc"] == kind_looks(["fc"], 1)["fc"]


def test_time_of_nodes_that_are_no_kernels_is_shared_by_the_runtimes_own_names():
    nodes = pd.DataFrame(
        {
            "network": "n1",
            "precision": "fp32",
            "index": [0, 1, 2, 0],
            "pass": [0, 0, 0, 1],
            "operator": ["Add (ND)", "Fully Connected (NC, F32) GEMM", "Add (ND)", "Add (ND)"],
            "duration_ns": [20, 60, 30, 10],
        }
    )
    shares = kernel_kinds.operator_shares(networks(), nodes)
    assert shares.loc[("f", "fp32", "n1")].to_dict() == pytest.approx({"Add": 40, "Fully Connected GEMM": 60})


def test_devices_are_side_by_side_over_the_networks_that_all_have():
    kernels = pd.DataFrame(
        {"network": ["n1", "n1", "n2", "n3"], "precision": "fp32", "runtime": "tflite", "index": [0, 1, 0, 0]}
        | {"kind": ["conv", "fc", "fc", "conv"], "kernel": ["c1", "k1", "k1", "c1"]}
    )
    cost = {"kernel": ["c1", "k1"], "precision": "fp32", "energy_mj": [3.0, 1.0], "origin": "inferred"}
    costs = pd.concat([pd.DataFrame(cost | {"device": name}) for name in "ab"])
    rows = pd.concat([networks("a"), networks("b").iloc[:1]], ignore_index=True)
    devices = {"a": look("a", backend="neon"), "b": look("b", backend="opencl")}
    picture = kernel_shares.draw(devices, rows, kernels, costs, [])[0]
    assert "the 1 networks that all 2 devices have" in picture.caption
    assert "conv: Board, a (CPU) 75 %; Board, b (GPU) 75 %." in picture.caption
    assert [text.get_text() for text in picture.figure.axes[0].texts] == ["75", "75", "25", "25"]


def test_profiled_shares_are_of_kinds_and_name_what_cannot_be_told_apart():
    kernels = pd.DataFrame(1, index=range(4), columns=list(contracts.KERNELS.names)).assign(
        network=["n1", "n1", "n2", "n2"],
        precision="fp32",
        runtime="tflite",
        index=[0, 1, 0, 1],
        kind=["add", "softmax", "add", "add"],
        operator=["Add", "Softmax", "Add", "Add"],
    )
    nodes = pd.DataFrame(
        {
            "network": ["n1", "n1", "n1", "n2", "n2"],
            "precision": "fp32",
            "index": [0, 0, 1, 0, 1],
            "pass": [0, 1, 0, 0, 0],
            "node": "",
            "operator": ["Add", "Add", "Softmax", "Add", "Reorder"],
            "duration_ns": [90, 30, 10, 5, 15],
            "input_shapes": "",
            "output_shapes": "",
        }
    )
    # In n1 the second pass has no Softmax, so its kernel's time is what the only pass with one says.
    shares = kernel_kinds.profiled_shares(networks(), kernels, nodes)
    assert shares.loc[("f", "fp32", "n1")].to_dict() == pytest.approx({"add": 75, "softmax": 25, UNTOLD: 0})
    # In n2 the runtime adds once where the graph adds twice: nothing is known of either.
    assert shares.loc[("f", "fp32", "n2")].to_dict() == pytest.approx({"add": 0, "softmax": 0, UNTOLD: 100})


def test_kernels_without_energies_are_a_named_state():
    costs = empty(contracts.KERNEL_COSTS)
    beside, shares = kernel_shares.draw({"a": look("a")}, networks(), empty(contracts.KERNELS), costs, [])
    (configurations,) = kernel_configurations.draw({"a": look("a")}, empty(contracts.KERNELS), costs)
    assert shares.figure is None and "no kernel" in shares.reason
    assert beside.figure is None and "fewer than two" in beside.reason
    assert configurations.figure is None and "no kernel kind" in configurations.reason


def test_halves_disagree_by_what_drift_leaves_and_one_pass_by_nothing():
    passes = pd.DataFrame(
        {
            "device": "a",
            "workload": ["n1", "n1", "n1", "n2"],
            "precision": "fp32",
            "pass": [2, 0, 1, 0],
            "latency_min_ms": [20.0, 8.0, 11.0, 5.0],
            "latency_ms": [25.0, 10.0, 12.0, 6.0],
            # Pooled passes have none: then all of the window counts.
            "slowdown": [2.0, None, 1.0, None],
        }
    )
    found = noise_floor.disagreement(passes)
    assert found["workload"].tolist() == ["n1"]
    assert found["disagreement_percent"].tolist() == pytest.approx([10.0])


def test_a_run_of_single_passes_has_no_noise_floor():
    tables = (empty(table) for table in (contracts.PASSES, contracts.VALIDATION, contracts.NOISE_FLOOR))
    summary, picture = noise_floor.draw({}, *tables)
    assert summary.figure is None and picture.figure is None
    assert "two passes" in picture.reason


def test_the_floors_of_all_devices_stand_beside_their_errors():
    rows = {"device": ["a", "b"], "metric": ["latency_ms", "energy_mj"], "floor_source": ["its passes", "external: x"]}
    ends = {"floor_median_percent": [2.0, 0.5], "floor_p95_percent": [8.0, 4.0]}
    errors = {"error_median_percent": [6.0, 5.0], "error_p95_percent": [20.0, 15.0]}
    floors = pd.DataFrame(rows | ends | errors)
    tables = (empty(table) for table in (contracts.PASSES, contracts.VALIDATION))
    summary, _ = noise_floor.draw({"a": look("a"), "b": look("b")}, *tables, floors)
    assert "The median error is 3 to 10 times the median floor" in summary.caption
    assert "its passes (1); external: x (1)" in summary.caption
    (axes,) = summary.figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["Board, a\nlatency, floor its own", "Board, b\nenergy per inference, floor external"]


def test_the_labels_of_panels_side_by_side_do_not_touch():
    figure, panels = grid(4, 2.6, "Difference in latency, at most (%)", "Networks (%)")
    figure.draw_without_rendering()
    extents = [axes.xaxis.label.get_window_extent() for axes in panels]
    assert all(left.x1 < right.x0 for left, right in pairwise(extents))
    assert extents[-1].x1 < figure.bbox.x1


def test_runtimes_are_compared_on_common_networks_of_one_board_only():
    devices = {"a": look("a"), "b": look("b"), "c": look("c", board="other")}
    rows = pd.concat([networks("a"), networks("b", 2.0), networks("c", 3.0)], ignore_index=True)
    (picture,) = runtimes_compared.draw(devices, rows)
    assert picture.name == "a-and-b"
    assert "latency 2x at the median" in picture.caption
    assert "energy per inference 2x at the median" in picture.caption


def test_modelled_energies_are_not_compared():
    devices = {name: look(name, origin="estimated", watts=15.0) for name in ("a", "b")}
    rows = pd.concat([networks("a"), networks("b", 2.0)], ignore_index=True)
    (picture,) = runtimes_compared.draw(devices, rows)
    assert "energy per inference" not in picture.caption
    assert "Only latency is compared" in picture.caption


def validation(predicted: list, protocol: str = "leave-one-family-out", **other: object) -> pd.DataFrame:
    rows = {
        "device": "a",
        "metric": "energy_mj",
        "predictor": "edgejoule",
        "protocol": protocol,
        "network": [f"n{i}" for i in range(len(predicted))],
        "measured": 100.0,
        "predicted": predicted,
        "lower": np.nan,
        "upper": np.nan,
    }
    return pd.DataFrame(rows | other)


def test_errors_by_family_are_means_and_their_worst_is_named():
    rows = validation([101.0, 103.0, 150.0, None]).assign(family=["f", "f", "g", "h"])
    pictures = {p.name: p for p in family_errors.draw({"a": look("a")}, rows)}
    energy = pictures["energy-mj"]
    assert [text.get_text() for text in energy.figure.axes[0].texts] == ["2.0", "50"]
    assert "Of the 2 pairs of family and device, 50 % have an error of 10 % at most" in energy.caption
    assert "worst 50 % (g, Board, a)" in energy.caption
    assert pictures["latency-ms"].figure is None


def test_errors_of_kernels_stand_by_kind_beside_the_forest():
    kinds = {"all": 100.0, "conv": 70.0, "fc": 29.0, "rare": 1.0}
    rows = [
        {"device": "a", "predictor": name, "kind": kind, "share_percent": share, "kernels": 1200}
        | {"mape_percent": 20.0 * factor, "weighted_mape_percent": 5.0 * factor}
        for name, factor in (("edgejoule", 1), ("random-forest-per-kernel", 3))
        for kind, share in kinds.items()
    ]
    (picture,) = kernel_errors.draw({"a": look("a")}, pd.DataFrame(rows))
    (axes,) = picture.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(kinds)
    assert [line.get_xdata().tolist() for line in axes.lines[:2]] == [[5.0] * 4, [15.0] * 4]
    assert "Board, a: 5.0 % (where each of 1,200 kernels weighs the same: 20 %)" in picture.caption
    assert "the forest per kernel 15 %." in picture.caption
    (none,) = kernel_errors.draw({"a": look("a")}, empty(contracts.KERNEL_ACCURACY))
    assert none.figure is None and "told the times" in none.reason


def test_the_kernel_dataset_is_counted_with_its_range_of_energies():
    costs = pd.DataFrame(
        {
            "device": "a",
            "kind": ["conv", "conv", "fc", "fc"],
            "energy_mj": [0.0123, 45.6, 2.0, np.nan],
            "origin": "inferred",
            "quality": ["ok", "ok", "ok", "failed"],
        }
    )
    rows = networks(quality=["ok", "ok", "failed"])
    whole, kernels = dataset_summary.draw({"a": look("a")}, rows, costs)
    texts = [text.get_text() for text in kernels.figure.axes[0].texts]
    assert texts == ["2", "0.012–46", "1", "2", "inferred"]
    assert "3 unique kernel configurations of 2 kinds on 1 devices; 3 energies inferred" in kernels.caption
    assert "3 rows" in whole.caption and "2 ok, 1 failed; failed rows" in whole.caption
    assert "5–9 mJ\nmeasured" in [text.get_text() for text in whole.figure.axes[0].texts]


def test_kinds_with_enough_configurations_are_all_drawn_over_several_pictures():
    kinds = [f"kind{i:02d}" for i in range(10) for _ in range(12)]
    names = [f"k{i}" for i in range(len(kinds))]
    size = {key: range(1, len(kinds) + 1) for key in ("input_height", "input_channels", "output_channels", "macs")}
    graph = pd.DataFrame({"kernel": names, "precision": "fp32", "kernel_height": 3, "stride": 1} | size)
    costs = pd.DataFrame({"device": "a", "kernel": names, "precision": "fp32", "kind": kinds, "origin": "inferred"})
    first, second = kernel_configurations.draw({"a": look("a")}, graph, costs.assign(energy_mj=1.5))
    assert (first.name, second.name) == ("a", "a-2") and "(1 of 2)" in first.title
    shown = [axes.get_ylabel() for p in (first, second) for axes in p.figure.axes if axes.get_ylabel()]
    assert shown == [f"kind{i:02d}\n(mJ)" for i in range(10)]
    # One filter size and one stride for all: their panels would tell nothing.
    assert not any(axes.has_data() for axes in first.figure.axes[3::6] + first.figure.axes[4::6])


def test_an_abstention_lowers_the_distribution_of_errors():
    pictures = {p.name: p for p in error_distribution.draw({"a": look("a")}, validation([101.0, 105.0, 160.0, None]))}
    (axes,) = pictures["energy-mj"].figure.axes
    shares = axes.lines[0].get_ydata()
    assert max(shares) == pytest.approx(50.0)
    assert pictures["power-w"].figure is None


def test_coverage_counts_measured_values_inside():
    rows = validation([100.0, 100.0, 100.0, 100.0]).assign(lower=[90, 90, 101, 90], upper=[110, 110, 120, 99])
    (picture,) = interval_coverage.draw({"a": look("a")}, rows)
    assert "energy per inference 50 %" in picture.caption


def test_predictors_without_intervals_are_a_named_state():
    (picture,) = interval_coverage.draw({"a": look("a")}, validation([100.0]))
    assert picture.figure is None and "no intervals" in picture.reason


def test_transfer_shows_minutes_from_the_recordings_windows():
    accuracy = pd.DataFrame(
        {
            "device": "a",
            "metric": "energy_mj",
            "predictor": "edgejoule",
            "protocol": ["transfer-k5", "transfer-k10"],
            "mape_percent": [8.0, 6.0],
            "mape_lower_percent": [7.0, 5.0],
            "mape_upper_percent": [9.0, 7.0],
            "flagged": True,
        }
    )
    (picture,) = transfer.draw({"a": look("a")}, accuracy, networks(iterations=60_000.0))
    assert "8.0 % after 5, 6.0 % after 10" in picture.caption
    assert "2 minutes" in picture.caption


def test_performance_counts_only_pairs_that_all_have():
    rows = pd.DataFrame(
        {
            "league": "l",
            "device": ["a", "b", "a"],
            "slot": "CPU1",
            "network": ["n1", "n1", "n2"],
            "latency_ms": [1.0, 4.0, 1000.0],
        }
    )
    found = score_bubbles.performance(rows)
    assert found[("l", "a")] == pytest.approx(250.0)
    assert found[("l", "b")] == pytest.approx(62.5)


def test_columns_of_score_maps_are_in_natural_order():
    assert sorted(["DNN10", "DNN2", "DNN1"], key=score_maps._natural) == ["DNN1", "DNN2", "DNN10"]


def recording(folder, trace: bool):
    write_json(folder / "recording.json", {"device": "a", "rails": [{"name": "counter"}, {"name": "wall"}]})
    event = {"event": "e", "start_ns": 10**10, "end_ns": 2 * 10**10, "kind": "network", "workload": "n1", "pass": 0}
    rows = pd.DataFrame([event | {"iterations": 7, "source": "s", "precision": "fp32"}])
    nothing = {name: np.nan for name in contracts.EVENTS.names if name not in rows}
    write_table(rows.assign(**nothing), folder / "events.parquet", contracts.EVENTS)
    if trace:
        t_ns = np.arange(0, 30) * 10**9
        counter = pd.DataFrame({"t_ns": t_ns, "power_w": np.nan, "energy_j": t_ns * 4e-9, "rail": "counter"})
        rows = pd.DataFrame({"t_ns": t_ns, "power_w": 4.0, "energy_j": np.nan, "rail": "wall"})
        rows = pd.concat([counter, rows])
        write_table(rows, folder / "trace.parquet", contracts.TRACE)
    return [folder / "recording.json"]


def test_a_power_trace_is_drawn_as_it_was_read(tmp_path):
    (picture,) = power_trace.draw({"a": look("a")}, recording(tmp_path, True))
    assert "11 readings at 1 Hz in a window of 10 s, 4 W on average, 7 inferences" in picture.caption


def test_a_recording_without_a_trace_is_a_named_state(tmp_path):
    (picture,) = power_trace.draw({"a": look("a")}, recording(tmp_path, False))
    assert picture.figure is None and "no power trace" in picture.reason


@pytest.mark.parametrize(("low", "high"), [(3, 4), (60, 170), (1, 9), (0.5, 80), (1e-4, 1e4), (9.99, 1000.1)])
def test_logarithmic_axes_have_a_few_plain_ticks(low, high):
    figure, axes = plt.subplots(figsize=(3.5, 2.5))
    axes.plot([low, high], [low, high])
    for which in ("x", "y"):
        log_axis(axes, which)
    figure.canvas.draw()
    inside = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 1 <= len(inside) <= 9
    assert not any("e" in label.get_text() or "^" in label.get_text() for label in axes.get_xticklabels())


def test_labels_cover_neither_each_other_nor_points_nor_leave_the_axes():
    figure, axes = plt.subplots(figsize=(5, 3.5))
    x, y = np.linspace(0, 1, 30), np.linspace(0, 1, 30) ** 2
    axes.scatter(x, y)
    placed = label_points(axes, x.tolist(), y.tolist(), [f"network-{i}" for i in range(30)], most=10)
    assert placed >= 5
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    boxes = [text.get_window_extent(renderer) for text in axes.texts]
    points = axes.transData.transform(np.column_stack([x, y]))
    for i, box in enumerate(boxes):
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
        assert not any(box.x0 < px < box.x1 and box.y0 < py < box.y1 for px, py in points)


def test_the_figures_of_scores_name_the_winner_of_the_default_definition():
    pairs = pd.DataFrame(
        [
            {"device": device, "network": network, "latency_ms": 1.0, "energy_mj": 1.0, "power_w": 1.0}
            for device in ("phone_a", "phone_b")
            for network in ("n1", "n2")
        ]
    ).assign(league="l", slot="CPU1", origin="measured", tdp_w=5.0)
    best = {DEFAULT: "phone_b", "geometric-mean": "phone_a"}
    scores = pd.DataFrame(
        [
            {"device": device, "score": score, "definition": definition, "value": 120.0 if device == winner else 90.0}
            for definition, winner in best.items()
            for device in ("phone_a", "phone_b")
            for score in ("PCS", "IECS")
        ]
    ).assign(league="l", reason="", score_unit="reference = 100")
    for figure in (score_maps, score_bubbles):
        for picture in figure.draw({}, pairs, scores):
            assert f"efinition {DEFAULT}" in picture.caption
            assert "ighest" in picture.caption and "Phone B with 120" in picture.caption


METERED_AND_MODELLED = {
    "a": look("a"),
    "b": look("b", origin="estimated", power_scope="model", watts=4.2),
    "c": look("c", origin="estimated", power_scope="model", watts=8.3),
}


def test_marginal_energies_that_are_modelled_are_called_so_with_their_watts():
    points = {"energy_mj": [1.0, 2.0, 4.0], "top1": [50.0, 60.0, 65.0], "marginal_mj_per_point": [0.1, 0.4, np.nan]}
    rows = [pd.DataFrame(points).assign(device=name) for name in METERED_AND_MODELLED]
    fronts = pd.concat(rows, ignore_index=True).assign(accounting="gross", standing="envelope")
    (picture,) = marginal_energy.draw(METERED_AND_MODELLED, fronts)
    metered, modelled = picture.caption.split("Modelled, 4.2 W or 8.3 W × latency: ")
    assert "Measured at the wall: Board, a from 0.1 to 0.4 mJ per point." in metered
    assert "Board, b" in modelled and "Board, c" in modelled and "Board, b" not in metered
    titles = [axes.get_title(loc) for axes in picture.figure.axes for loc in ("left", "center") if axes.get_title(loc)]
    assert titles == ["Energy measured at the wall", "Energy modelled,\n4.2 W or 8.3 W × latency"]
    assert "(mJ per point)" in picture.figure.axes[0].get_ylabel()


def test_energies_against_size_that_are_modelled_are_called_so_with_their_watts():
    scopes = {"a": "wall", "b": "model", "c": "model"}
    rows = pd.concat([networks(name, power_scope=scope) for name, scope in scopes.items()], ignore_index=True)
    kernels = networks().assign(
        macs=[1e6, 2e6, 4e6], bytes_weights=[1e6, 2e6, 3e6], bytes_in=1, bytes_out=1, runtime="tflite"
    )
    coverage = kernels.assign(parameters=[1e6, 2e6, 3e6])
    wall, model = energy_size.draw(METERED_AND_MODELLED, rows.assign(quality="ok"), kernels, coverage)
    assert "modelled" not in wall.title + wall.caption
    for text in (model.title, model.caption, model.figure.axes[0].get_title("left")):
        assert "modelled, 4.2 W or 8.3 W × latency" in text
