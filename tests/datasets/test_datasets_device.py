import numpy as np
import pandas as pd
import pytest

from edgejoule.config import Device
from edgejoule.datasets.checks import CHECKS, check_networks
from edgejoule.datasets.device import derive, derive_device
from edgejoule.datasets.published import read_networks, write_networks
from edgejoule.datasets.quality import flag_implausible, flag_networks
from edgejoule.errors import EdgejouleError
from edgejoule.tables import empty, to_arrow
from edgejoule.tables.contracts import EVENTS, NETWORKS, PROBLEMS, SAMPLES, TRACE, ZOO
from edgejoule.traces import Recording, read_recording, write_recording

S = 1_000_000_000


def device(**changes) -> Device:
    value = {
        "name": "board-a",
        "title": "Board A",
        "board": "board-a",
        "class": "board",
        "runtime": {"name": "tflite"},
        "meter": {"kind": "external"},
        "power_scope": "wall",
        "origin": "measured",
        "source": {"kind": "traces", "folder": "x"},
    }
    return Device.model_validate(value | changes)


def zoo(*rows: dict) -> pd.DataFrame:
    default = {
        "network": "net",
        "architecture": "net-arch",
        "family": "nets",
        "precision": "int8",
        "builder": "timm",
        "arguments": "{}",
        "input": "3x224x224",
        "parameters": 1,
        "top1": 60.0,
        "top1_source": "paper",
        "licence": "mit",
        "licence_source": "its publisher",
    }
    return to_arrow(pd.DataFrame([default | row for row in rows or ({},)]), ZOO).to_pandas()


def fit(rows: list[dict], table) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return to_arrow(frame.reindex(columns=table.names), table).to_pandas()


def event(name: str, start: float, end: float, kind: str, **more) -> dict:
    base = {"event": name, "start_ns": int(start * S), "end_ns": int(end * S), "kind": kind, "workload": "net"}
    return base | {"precision": "int8", "pass": 0, "iterations": 0, "source": "log"} | more


def metered(power_at) -> Recording:
    """Idle 20 s, a window of 100 s with 1000 inferences, idle 20 s; read once a second."""
    seconds = np.arange(0, 141)
    trace = [{"t_ns": int(s * S), "power_w": float(power_at(s)), "rail": "total"} for s in seconds]
    events = [
        event("idle-0", 0, 20, "idle"),
        event("run-0", 20, 120, "network", iterations=1000, latency_p50_ms=99.0, latency_p90_ms=110.0, top1=71.5),
        event("idle-1", 120, 140, "idle"),
    ]
    rail = {"name": "total", "quantity": "power", "sampling": "averaged", "period_ns": S}
    meta = {
        "device": "board-a",
        "board": "board-a",
        "meter": {"kind": "external"},
        "clock": "utc",
        "power_scope": "wall",
        "rails": [rail],
    }
    return Recording(meta, fit(events, EVENTS), fit(trace, TRACE))


def test_energy_latency_idle_and_accuracy_of_a_metered_run():
    recording = metered(lambda s: 10.0 if 20 < s <= 120 else 4.0)
    row = derive(recording, device(), zoo(), zoo())["networks"].iloc[0]
    assert row["latency_ms"] == pytest.approx(100.0)
    assert row["power_w"] == pytest.approx(10.0)
    assert row["energy_mj"] == pytest.approx(1000.0)
    assert (row["idle_before_w"], row["idle_after_w"]) == pytest.approx((4.0, 4.0))
    assert row["energy_above_idle_mj"] == pytest.approx(600.0)
    assert row["energy_std_mj"] == pytest.approx(0.0, abs=1e-9)
    assert (row["latency_p50_ms"], row["latency_p90_ms"]) == (99.0, 110.0)
    assert row["top1"] == 71.5, "the accuracy of this very run goes before the published one"
    assert row["licence"] == "mit"
    assert (row["architecture"], row["family"], row["precision"]) == ("net-arch", "nets", "int8")
    assert (row["quality"], row["reason"]) == ("ok", "")


def test_drift_is_flagged_with_its_figure():
    recording = metered(lambda s: 10.0 + 0.02 * s if 20 < s <= 120 else 4.0)
    row = derive(recording, device(), zoo(), zoo())["networks"].iloc[0]
    assert row["drift"] > 0.05
    assert row["quality"] == "flagged"
    assert "drift of +" in row["reason"]


def test_a_declared_power_gives_an_estimate_from_latency():
    events = [
        event(f"run-{p}", 10 * p, 10 * p + 0.006 + 0.003 * p, "network", iterations=3, **{"pass": p}) for p in range(2)
    ]
    samples = [
        {"event": f"run-{p}", "iteration": i, "duration_ns": 1_000_000 * (1 + i + p)}
        for p in range(2)
        for i in range(3)
    ]
    meta = {
        "device": "cpu",
        "board": "cpu",
        "meter": {"kind": "constant", "watts": 5.0},
        "clock": "monotonic",
        "power_scope": "model",
        "rails": [],
    }
    recording = Recording(meta, fit(events, EVENTS), samples=fit(samples, SAMPLES))
    cpu = device(meter={"kind": "constant", "watts": 5.0}, power_scope="model", origin="estimated")
    tables = derive(recording, cpu, zoo(), zoo())
    row = tables["networks"].iloc[0]
    assert row["latency_ms"] == pytest.approx((6 + 9) / 6), "all passes' windows / all inferences"
    assert row["energy_mj"] == pytest.approx(5.0 * row["latency_ms"])
    assert row["origin"] == "estimated"
    assert np.isnan(row["idle_before_w"])
    assert np.isnan(row["energy_above_idle_mj"])
    passes = tables["passes"]
    assert passes["latency_ms"].tolist() == pytest.approx([2.0, 3.0])
    assert passes["latency_min_ms"].tolist() == pytest.approx([1.0, 2.0])


def test_what_could_not_be_read_is_a_row_with_the_reason():
    recording = metered(lambda s: 10.0)
    recording.problems = fit(
        [{"workload": "other", "kind": "network", "precision": "fp32", "source": "log", "reason": "no power window"}],
        PROBLEMS,
    )
    rows = derive(recording, device(), zoo(), zoo())["networks"].set_index("network")
    assert rows.loc["other", "quality"] == "failed"
    assert rows.loc["other", "reason"] == "no power window"
    assert np.isnan(rows.loc["other", "energy_mj"])
    assert rows.loc["net", "quality"] != "failed"


def test_a_recording_in_which_nothing_ran_is_a_sentence(tmp_path):
    recording = metered(lambda s: 5.0)
    recording.events = recording.events[recording.events["kind"] == "idle"]
    write_recording(recording, tmp_path / "r")
    with pytest.raises(EdgejouleError, match=r"recording of board-a: no event of it is a run of anything$"):
        derive(read_recording(tmp_path / "r"), device(), zoo(), zoo())
    recording.events = recording.events.iloc[:0]
    recording.problems = fit([{"workload": "net", "kind": "network", "source": "log", "reason": "lost"}], PROBLEMS)
    with pytest.raises(EdgejouleError, match="run of anything; what failed first: net: lost"):
        derive(recording, device(), zoo(), zoo())


def test_idle_power_that_changes_by_half_is_flagged():
    rows = networks(
        {"idle_before_w": 2.0, "idle_after_w": 3.0}, {"network": "b", "idle_before_w": 2.0, "idle_after_w": 1.8}
    )
    judged = flag_networks(rows, zoo()).set_index("network")
    assert judged.loc["net", "reason"] == "idle power +50 % after the window against before"
    assert judged.loc["b", "quality"] == "ok"


def test_reference_networks_are_kept_apart_from_the_zoo():
    recording = metered(lambda s: 10.0)
    recording.events["kind"] = recording.events["kind"].replace("network", "application")
    row = {"workload": "bert", "kind": "application", "precision": "fp32", "source": "log", "reason": "no export"}
    recording.problems = fit([row], PROBLEMS)
    known = zoo({"family": "detectors"}, {"network": "bert", "family": "language", "input": "384"})
    tables = derive(recording, device(), zoo(), known)
    assert tables["networks"].empty
    rows = tables["references"].set_index("network")
    assert rows.loc["net", "energy_mj"] == pytest.approx(1000.0)
    assert rows["family"].to_dict() == {"net": "detectors", "bert": "language"}
    assert (rows.loc["bert", "quality"], rows.loc["bert", "reason"]) == ("failed", "no export")


def test_a_network_that_the_zoo_lacks_is_a_family_of_its_own():
    row = derive(metered(lambda s: 10.0), device(), zoo({"network": "another"}), zoo())["networks"].iloc[0]
    assert row["family"] == row["architecture"] == "net"


def test_an_unknown_network_of_unknown_precision_is_named():
    recording = metered(lambda s: 10.0)
    recording.events["precision"] = None
    with pytest.raises(
        EdgejouleError, match=r"the zoo has no network 'net' \(valid: another\), and its precision is not"
    ):
        derive(recording, device(), zoo({"network": "another"}), zoo())


def test_events_that_count_no_inference_have_a_reason_and_no_figures():
    recording = metered(lambda s: 10.0)
    recording.events["iterations"] = 0
    row = derive(recording, device(), zoo(), zoo())["networks"].iloc[0]
    assert np.isnan(row["energy_mj"])
    assert (row["quality"], row["reason"]) == ("failed", "its events count no inference")


def networks(*rows: dict) -> pd.DataFrame:
    default = {
        "device": "board-a",
        "board": "board-a",
        "network": "net",
        "architecture": "net-arch",
        "family": "nets",
        "precision": "int8",
        "runtime": "tflite",
        "latency_ms": 100.0,
        "latency_p50_ms": 99.0,
        "latency_p90_ms": 110.0,
        "power_w": 10.0,
        "idle_before_w": 4.0,
        "idle_after_w": 4.0,
        "energy_mj": 1000.0,
        "energy_above_idle_mj": 600.0,
        "energy_std_mj": 1.0,
        "drift": 0.0,
        "iterations": 1000,
        "top1": 70.0,
        "origin": "measured",
        "power_scope": "wall",
        "source": "log",
        "quality": "ok",
        "reason": "",
    }
    return fit([default | row for row in rows or ({},)], NETWORKS)


def test_two_modes_of_latency_are_flagged():
    row = flag_networks(networks({"latency_p90_ms": 250.0}), zoo()).iloc[0]
    assert row["quality"] == "flagged"
    assert "two modes" in row["reason"]


def test_a_larger_input_that_costs_a_third_less_flags_both_neighbours():
    names = {"small": "3x96x96", "middle": "3x128x128", "large": "3x224x224"}
    side = {name: shape.split("x")[1] for name, shape in names.items()}
    shapes = zoo(
        *(
            {"network": name, "input": shape, "arguments": f'{{"line": "x", "side": {side[name]}}}'}
            for name, shape in names.items()
        )
    )
    costs = {"small": 1000.0, "middle": 500.0, "large": 2000.0}
    rows = networks(*({"network": name, "energy_mj": energy} for name, energy in costs.items()))
    flagged = flag_networks(rows, shapes).set_index("network")["quality"]
    assert flagged.to_dict() == {"small": "flagged", "middle": "flagged", "large": "ok"}


def test_failed_rows_stay_failed():
    rows = networks({"quality": "failed", "reason": "lost", "latency_p90_ms": 999.0})
    assert flag_networks(rows, zoo()).iloc[0]["quality"] == "failed"


def test_figures_that_no_device_has_are_flagged_even_where_they_agree():
    sound = {"latency_ms": 100.0, "power_w": 10.0, "energy_mj": 1000.0, "energy_above_idle_mj": None}
    odd = {"small": 1e-4, "large": 1e3}
    rows = networks(
        *({"network": name, **sound, "latency_ms": 100 * x, "energy_mj": 1000 * x} for name, x in odd.items()),
        {"network": "hot", **sound, "power_w": 1e4, "energy_mj": 1e6, "reason": "odd", "quality": "flagged"},
        {"network": "gone", "latency_ms": None, "power_w": None, "quality": "failed", "reason": "lost"},
        {"network": "sound", **sound},
    )
    assert (check_networks(rows)["broken"] == 0).all()
    judged = flag_implausible(rows, "board").set_index("network")
    assert judged["quality"].to_dict() == {
        **dict.fromkeys(("small", "large", "hot"), "flagged"),
        "gone": "failed",
        "sound": "ok",
    }
    assert judged["reason"].to_dict() == {
        "small": "0.01 ms for an inference is implausible: is the unit right?",
        "large": "1e+05 ms for an inference is implausible: is the unit right?",
        "hot": "odd; 1e+04 W is implausible for a board: is the unit right?",
        "gone": "lost",
        "sound": "",
    }
    assert (flag_implausible(rows, "accelerator").set_index("network").loc["hot", "reason"]) == "odd"


def test_networks_that_the_zoo_lacks_are_said(tmp_path):
    rows = networks({"network": "net"}, {"network": "nets"})
    write_networks(rows, tmp_path / "rows.csv")
    to_csv = {"sep": "\t", "index": False}
    zoo().to_csv(tmp_path / "zoo.tsv", **to_csv)
    table = device(source={"kind": "table", "file": "rows.csv"})
    counts, (note,) = derive_device(table, tmp_path / "rows.csv", *[tmp_path / "zoo.tsv"] * 2, tmp_path / "out")
    assert counts == {"networks": 2, "references": 0, "passes": 0, "kernels": 0}
    assert "lacks 1 of 2 networks, such as 'nets' (did you mean 'net'?); each is a family of its own" in note
    outside = device(source={"kind": "table", "file": "rows.csv"}, in_zoo=False)
    assert derive_device(outside, tmp_path / "rows.csv", *[tmp_path / "zoo.tsv"] * 2, tmp_path / "out") == (counts, ())


BREAKS = {
    "figures-positive": {"power_w": -1.0, "energy_mj": -100.0},
    "energy-is-power-times-latency": {"energy_mj": 1001.0},
    "above-idle-below-gross": {"energy_above_idle_mj": 1100.0},
    "percentiles-ordered": {"latency_p50_ms": 120.0},
    "top1-in-percent": {"top1": 101.0},
    "top1-no-fraction": {"top1": 0.7},
    "latency-present": {"latency_ms": np.nan},
    "energy-present": {"energy_mj": np.nan},
    "estimates-are-labelled": {"origin": "estimated", "power_w": 20.0, "energy_mj": 2000.0},
    "reasons-given": {"reason": "odd"},
    "one-board-one-scope": {"board": "board-b"},
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_each_check_finds_the_row_that_breaks_it(check):
    companions = [{"network": "a"}, {"network": "b"}]
    if BREAKS[check.name].get("origin") == "estimated":
        companions = [companion | {"origin": "estimated"} for companion in companions]
    good = networks(*companions, {})
    assert not len(check.broken(good))
    results = check_networks(networks(*companions, BREAKS[check.name])).set_index("check")
    assert results.loc[check.name, "broken"] > 0
    assert "net" in results.loc[check.name, "first"] or check.name == "one-board-one-scope"


def test_a_table_of_figures_survives_the_csv(tmp_path):
    rows = networks(
        {"reason": 'odd, "very"', "quality": "flagged"},
        {"network": "b", "top1": np.nan, "latency_ms": 400 / 3, "latency_p90_ms": 200.0, "energy_mj": 4000 / 3},
    )
    write_networks(rows, tmp_path / "rows.csv")
    back = read_networks(tmp_path / "rows.csv", device(), zoo())
    expected = rows.sort_values("network").reset_index(drop=True)
    assert back.pop("licence").tolist()[1:] == ["mit"], "the licence of weights is the zoo's to state"
    expected = expected.drop(columns="licence")
    pd.testing.assert_frame_equal(back, expected, rtol=1e-9)


MINIMUM = "network,precision,latency_ms,energy_mj"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a readable CSV"),
        ("a,b\n1,2\n", r"lacks the column\(s\) network, precision, latency_ms, energy_mj; a table needs"),
        ("device,network,latency_ms,energy_mj\nboard-a,net,1,2\n", r"lacks the column\(s\) precision; a table needs"),
        (f"device,{MINIMUM}\nboard-b,net,int8,1,2\n", "no row of device 'board-a'; did you mean 'board-b'"),
        (f"{MINIMUM}\n", "no row of device 'board-a'; there is none to choose from"),
        (
            f"device,{MINIMUM}\nboard-b,x,int8,1,2\nboard-a,net,int8,1,-5\n",
            "line 3: .*more than 0, but .*_mj is -5; cor",
        ),
        (
            f"{MINIMUM},power_w\nnet,int8,10,1000,2\n",
            "line 2: gross energy = power x latency, but .* leave out the col",
        ),
        (
            f"{MINIMUM},top1\nnet,int8,1,2,0.69\n",
            "line 2: top-1 is in percent, not a fraction of one, but here top1 is 0.69",
        ),
        (f"{MINIMUM}\nnet,int8,1,\n", "line 2: every usable measured row has an energy, but .*energy_mj is empty"),
        ("device;network\nboard-a;net\n", "`edgejoule schema tables`; parted by commas, not by ';'"),
        ("device,network,device\nboard-a,net,x\n", "has two columns 'device'; keep one"),
        (f'{MINIMUM}\na,int8,1,2\nb,int8,"1,5",2\n', "line 3: latency_ms is '1,5'; give a number, its decimals"),
        (f"{MINIMUM},power_w\na,int8,1,2,\nb,int8,1,2,inf\n", "line 3: power_w is 'inf'; give a number"),
        ("device,network\nboard-a,é\n".encode("latin-1"), "not text in UTF-8; save it in UTF-8"),
    ],
)
def test_a_bad_table_stops_with_a_sentence(tmp_path, text, message):
    path = tmp_path / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(EdgejouleError, match=message):
        read_networks(path, device(), zoo())


def test_a_table_of_four_columns_is_enough(tmp_path):
    (tmp_path / "rows.csv").write_text(f"{MINIMUM}\nnet,int8,100,250\nnet2,int8,50,100\nnew,fp32,20,80\n")
    known = zoo({}, {"network": "net2", "precision": "fp32"})
    rows = read_networks(tmp_path / "rows.csv", device(), known).set_index("network")
    assert rows["power_w"].tolist() == [2.5, 2.0, 4.0]
    assert rows["family"].to_dict() == {"net": "nets", "net2": "nets", "new": "new"}
    assert rows["top1"].fillna(-1).tolist() == [60.0, -1, -1], "a published accuracy is that of one precision"
    assert rows[["latency_p50_ms", "idle_before_w", "iterations"]].isna().all(axis=None)
    row = rows.loc["net"]
    assert (row["device"], row["board"], row["runtime"], row["source"]) == ("board-a", "board-a", "tflite", "rows.csv")
    assert (row["origin"], row["power_scope"], row["quality"], row["reason"]) == ("measured", "wall", "ok", "")
    assert (check_networks(rows.reset_index())["broken"] == 0).all()


def test_a_recording_whose_accuracy_is_a_fraction_stops(tmp_path):
    recording = metered(lambda s: 10.0)
    recording.events["top1"] = 0.69
    write_recording(recording, tmp_path / "traces")
    zoo().to_csv(tmp_path / "zoo.tsv", sep="\t", index=False)
    with pytest.raises(EdgejouleError, match=r"traces: 'net': top-1 is in percent, .*, but here top1 is 0.69; correct"):
        derive_device(device(), tmp_path / "traces/recording.json", *[tmp_path / "zoo.tsv"] * 2, tmp_path / "out")


def test_a_table_need_not_state_the_mean_latency(tmp_path):
    write_networks(networks({"latency_mean_ms": 104.0}), tmp_path / "rows.csv")
    assert read_networks(tmp_path / "rows.csv", device(), zoo())["latency_mean_ms"].tolist() == [104.0]
    pd.read_csv(tmp_path / "rows.csv").drop(columns="latency_mean_ms").to_csv(tmp_path / "old.csv", index=False)
    assert read_networks(tmp_path / "old.csv", device(), zoo())["latency_mean_ms"].isna().all()


def test_a_table_of_another_scope_is_refused(tmp_path):
    write_networks(networks({"power_scope": "rail"}), tmp_path / "rows.csv")
    with pytest.raises(EdgejouleError, match="another power_scope"):
        read_networks(tmp_path / "rows.csv", device(), zoo())


def test_an_empty_networks_table_passes_every_check():
    assert (check_networks(empty(NETWORKS))["broken"] == 0).all()


def test_a_kernel_between_two_others_costs_what_its_source_states_not_its_window():
    kernel = event("k/0", 0, 10, "kernel", workload="k", iterations=4, latency_ms=0.5) | {"kernel_kind": "relu"}
    samples = [{"event": "k/0", "iteration": i, "duration_ns": ns} for i, ns in enumerate([500_000, 510_000] * 2)]
    meta = {
        "device": "board-a",
        "board": "board-a",
        "meter": {"kind": "constant", "watts": 2.0},
        "clock": "monotonic",
        "power_scope": "model",
        "rails": [],
    }
    network = event("net/0", 20, 21, "network", iterations=10)
    events = fit([kernel, network], EVENTS).assign(kernel_kind=["relu", None])
    recording = Recording(meta, events, samples=fit(samples, SAMPLES))
    modelled = device(meter={"kind": "constant", "watts": 2.0}, origin="estimated", power_scope="model")
    row = derive(recording, modelled, zoo(), zoo())["kernels"].iloc[0]
    assert (row["kernel"], row["kind"], row["iterations"]) == ("k", "relu", 4)
    assert row["latency_ms"] == pytest.approx(0.5)
    assert row["energy_mj"] == pytest.approx(1.0)


def shared_machine(slow: float) -> Recording:
    """Thirty networks of 20 to 49 ms in two passes of ten inferences, four undisturbed; one pass slower; no meter."""
    rows, samples = [], []
    for turn, factor in enumerate((1.0, slow)):
        for index in range(30):
            usual = (0.020 + 0.001 * index) * factor
            durations = [1.1 * usual] * 5 + [usual] * 4 + [0.5]
            start = 60.0 * turn + 2.0 * index
            rows.append(event(f"net{index}/{turn}", start, start + sum(durations), "network", iterations=10))
            rows[-1] |= {"pass": turn, "flag": "", "workload": f"net{index}"}
            samples += [
                {"event": f"net{index}/{turn}", "iteration": i, "duration_ns": round(value * S)}
                for i, value in enumerate(durations)
            ]
    meta = {"rails": [], "meter": {"kind": "constant", "watts": 4.0}}
    return Recording(meta, fit(rows, EVENTS), None, fit(samples, SAMPLES), None, empty(PROBLEMS))


def without_meter(**changes) -> Device:
    meter = {"kind": "constant", "watts": 4.0, "watts_source": "data sheet"}
    return device(meter=meter, origin="estimated", power_scope="model", **changes)


@pytest.mark.parametrize("slow", [1.1, 0.9])
def test_steadied_passes_have_neither_spikes_nor_drift(slow):
    tables = derive(shared_machine(slow), without_meter(passes="steadied"), zoo(), zoo())
    networks = tables["networks"].set_index("network")
    # The usual speed lies between the two passes, in the middle of their logarithms. Where one pass follows the other,
    # the neighbours belong to both.
    middle = range(4, 26)
    usual = [(20 + index) * slow**0.5 for index in middle]
    assert networks["latency_ms"].loc[[f"net{index}" for index in middle]].tolist() == pytest.approx(usual, rel=1e-3)
    assert (networks["iterations"] == 20).all()
    assert networks["energy_mj"].tolist() == pytest.approx((4.0 * networks["latency_ms"]).tolist())
    passes = tables["passes"]
    # What a user sees is the mean over all inferences, disturbed ones included.
    mean = networks["latency_mean_ms"]
    assert mean["net0"] == pytest.approx((9.5 * 20 * (1 + slow) + 2 * 500) / 20)
    assert (mean > 1.5 * networks["latency_ms"]).all() and "latency_mean_ms" not in tables["kernels"]
    drift = passes.groupby("pass")["slowdown"].median()
    assert drift[1] / drift[0] == pytest.approx(slow, rel=1e-3)
    first = passes[(passes["workload"] == "net0") & (passes["pass"] == 0)].iloc[0]
    assert first["latency_ms"] == pytest.approx((9.5 * 20 + 500) / 10)
    assert (check_networks(tables["networks"])["broken"] == 0).all()


def test_pooled_passes_count_every_inference():
    tables = derive(shared_machine(1.1), without_meter(), zoo(), zoo())
    networks = tables["networks"].set_index("network")
    assert networks["latency_ms"]["net0"] == pytest.approx((9.5 * 20 + 9.5 * 22 + 2 * 500) / 20)
    assert networks["latency_mean_ms"].tolist() == networks["latency_ms"].tolist()
    assert tables["passes"]["slowdown"].isna().all()


def test_metered_device_cannot_ask_for_steadied_passes():
    with pytest.raises(ValueError, match="steadied"):
        device(passes="steadied")


def test_declared_power_tells_nothing_of_idle():
    recording = metered(lambda second: 2.0)
    recording.meta |= {"rails": [], "meter": {"kind": "constant", "watts": 4.0}}
    recording.trace = None
    row = derive(recording, without_meter(), zoo(), zoo())["networks"].iloc[0]
    assert row["energy_mj"] == pytest.approx(4.0 * row["latency_ms"])
    assert row[["idle_before_w", "idle_after_w", "energy_above_idle_mj"]].isna().all()
