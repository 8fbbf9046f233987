"""MLPerf Inference runs: good ones, each way in which one can be bad, and the real ones where they are present."""

import csv
import re
from datetime import timedelta

import numpy as np
import pytest
from mlperf_runs import BEGIN_S, BUSY_W, END_S, IDLE_W, QUERIES, START, make_run, power_line, write_logs

from edgejoule.errors import EdgejouleError
from edgejoule.traces import event_energy, idle_power, read_recording, write_recording
from edgejoule.traces.files import Files
from edgejoule.traces.importers.mlperf_inference import import_mlperf_inference
from edgejoule.traces.importers.runs import RunFacts

META = {"device": "board-x", "board": "x", "meter": {"kind": "external"}, "power_scope": "wall"}
LOG = "performance/run_1/spl.txt"
DETAIL = "performance/run_1/mlperf_log_detail.txt"


def run_import(root, **more):
    return import_mlperf_inference(Files([root]), META, **more)


def edit(path, *changes):
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def test_a_good_run(tmp_path):
    folder = make_run(tmp_path)
    key = folder.relative_to(tmp_path).as_posix()
    recording = run_import(tmp_path, facts={key: RunFacts("net-a", "int8")})
    write_recording(recording, tmp_path / "r")
    recording = read_recording(tmp_path / "r")
    assert list(recording.events["event"]) == ["net-a:idle-before", "net-a", "net-a:idle-after"]
    event = recording.events.iloc[1]
    assert event["start_ns"] == round((START.timestamp() + BEGIN_S) * 1000) * 1_000_000
    assert (event["iterations"], event["precision"], event["top1"]) == (QUERIES, "int8", pytest.approx(52.446))
    assert (event["latency_ms"], event["latency_p50_ms"], event["latency_p90_ms"]) == pytest.approx((9.9, 9.8, 10.1))
    assert len(recording.problems) == 0
    figures = event_energy(recording).set_index("event").loc["net-a"]
    # An edge inside a reading takes its share of that reading's mean: the closed form for this pulse.
    window = END_S - BEGIN_S
    lost_at_edges = (BUSY_W - IDLE_W) * (0.75 * 0.25 + 0.75 * 0.25)
    assert figures["energy_j"] == pytest.approx(BUSY_W * window - lost_at_edges, rel=1e-9)
    assert abs(figures["energy_j"] - BUSY_W * window) < 2 * figures["uncertainty_j"]
    idle = idle_power(recording).iloc[0]
    assert (idle["idle_before_w"], idle["idle_after_w"]) == pytest.approx((IDLE_W, IDLE_W))


def test_line_ends_spacing_and_clocks_do_not_matter(tmp_path):
    expected = event_energy(run_import(make_run(tmp_path / "plain").parents[5]))
    folder = make_run(tmp_path / "odd")
    write_logs(folder, START, clock_s=8 * 3600)
    path = folder / LOG
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").replace(b",Watts,", b", Watts ,  "))
    odd = run_import(tmp_path / "odd")
    assert odd.events["start_ns"].iloc[1] == round((START.timestamp() + BEGIN_S) * 1000) * 1_000_000
    np.testing.assert_allclose(event_energy(odd)["energy_j"], expected["energy_j"], rtol=1e-12)


def test_lost_readings_are_null_and_a_lost_one_on_the_stamp_of_another_is_none(tmp_path):
    folder = make_run(tmp_path)
    lines = (folder / LOG).read_text().splitlines()
    lines[40] = power_line(START, 40, -2.0)
    lines.insert(51, power_line(START, 50, -1.0))
    (folder / LOG).write_text("\n".join(lines))
    recording = run_import(tmp_path)
    assert recording.trace["power_w"].isna().sum() == 1 and len(recording.trace) == 100
    figures = event_energy(recording).iloc[1]
    assert figures["observed"] == pytest.approx(1 - 1 / (END_S - BEGIN_S))
    assert figures["power_w"] == pytest.approx(BUSY_W, rel=0.01)


def test_a_run_without_query_count_takes_the_rate(tmp_path):
    folder = make_run(tmp_path)
    lines = [line for line in (folder / DETAIL).read_text().splitlines() if "query_count" not in line]
    (folder / DETAIL).write_text("\n".join(lines))
    assert run_import(tmp_path).events["iterations"].max() == QUERIES


def test_a_second_run_of_a_network_is_a_second_pass(tmp_path):
    make_run(tmp_path)
    again = make_run(tmp_path / "other-round", start=START + timedelta(hours=3))
    recording = run_import(tmp_path)
    assert again.exists() and list(recording.events["pass"].unique()) == [0, 1]
    assert recording.events["event"].is_unique


def truncate_power_log(folder):
    text = (folder / LOG).read_text()
    (folder / LOG).write_text(text[: len(text) * 55 // 100 - 30])


def cut_detail(folder):
    text = (folder / DETAIL).read_text()
    (folder / DETAIL).write_text(text[: text.index("power_end") + 20])


def no_window(folder):
    lines = [line for line in (folder / DETAIL).read_text().splitlines() if "power_" not in line]
    (folder / DETAIL).write_text("\n".join(lines))


def clock_set_back(folder):
    lines = (folder / LOG).read_text().splitlines()
    lines[50:] = lines[45:-5]
    (folder / LOG).write_text("\n".join(lines))


def milliwatts(folder):
    lines = (folder / LOG).read_text().splitlines()
    fields = [line.split(",") for line in lines]
    for line in fields:
        line[3] = str(float(line[3]) * 1000)
    (folder / LOG).write_text("\n".join(",".join(line) for line in fields))


#: What is wrong, and what the row of ``problems`` says.
UNUSABLE = {
    "no power window": (no_window, "without the power window"),
    "detail log cut off": (cut_detail, "is cut off"),
    "detail log empty": (lambda folder: (folder / DETAIL).write_text(""), "holds no LoadGen entries"),
    "detail log missing": (lambda folder: (folder / DETAIL).unlink(), "no such file"),
    "power log empty": (lambda folder: (folder / LOG).write_text(""), "no field 'Time'"),
    "power log is binary": (lambda folder: (folder / LOG).write_bytes(bytes(range(256)) * 9), "no field 'Time'"),
    "clock set back": (clock_set_back, "time does not advance in reading 51"),
    "milliwatts in the field of watts": (milliwatts, "1e\\+03 times volts"),
    "field called milliwatts": (lambda f: edit(f / LOG, ("Watts", "Milliwatts")), "no field 'Watts'"),
    "power that is no number": (lambda f: edit(f / LOG, ("Watts,6.000000", "Watts,lots")), "'Watts'.*lots"),
    "time that is no time": (lambda f: edit(f / LOG, ("03-01-2026 12:00:07", "yesterday")), "not MM-DD-YYYY"),
    "window backwards": (lambda f: edit(f / DETAIL, ("12:01:20.750", "12:00:02.000")), "not after"),
    "no queries": (lambda f: edit(f / DETAIL, (f": {QUERIES},", ": 0,")), "0 inferences"),
    "server without phases": (
        lambda f: (f / "performance/power/server.json").write_text("{}"),
        "not the JSON of a power server",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_run_is_a_problem_and_the_others_are_used(tmp_path, case):
    spoil, reason = UNUSABLE[case]
    make_run(tmp_path, "good", START + timedelta(hours=1))
    spoil(make_run(tmp_path, "bad"))
    recording = run_import(tmp_path)
    assert set(recording.events["workload"]) == {"good"}
    assert list(recording.problems["workload"]) == ["bad"]
    assert recording.problems["reason"].str.contains(reason).all(), recording.problems["reason"].iloc[0]


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_single_unusable_run_stops_with_its_reason(tmp_path, case):
    spoil, reason = UNUSABLE[case]
    spoil(make_run(tmp_path))
    with pytest.raises(EdgejouleError, match=f"none of 1 runs can be used.*{reason}"):
        run_import(tmp_path)


def lose_all(folder):
    lines = [power_line(START, second, -2.0) for second in range(100)]
    (folder / LOG).write_text("\n".join(lines))


def window_elsewhere(folder):
    edit(folder / DETAIL, ("12:00:20.250", "12:02:20.250"), ("12:01:20.750", "12:03:20.750"))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate_power_log, "cover 54.1 % of it"),
        (lose_all, "or in a gap of it"),
        (window_elsewhere, "lies outside the trace"),
    ],
)
def test_a_window_without_readings_has_no_energy_and_a_reason(tmp_path, spoil, reason):
    spoil(make_run(tmp_path))
    recording = run_import(tmp_path)
    figures = event_energy(recording).set_index("event").loc["net-a"]
    assert np.isnan(figures["energy_j"]) and np.isnan(figures["power_w"])
    assert recording.events["latency_ms"].max() == pytest.approx(9.9)
    assert re.search(reason, figures["reason"]), figures["reason"]


def test_notes_on_runs_that_are_used(tmp_path):
    folder = make_run(tmp_path)
    (folder / "accuracy/accuracy.txt").unlink()
    (folder / "performance/power/server.json").unlink()
    with (folder / LOG).open("a") as handle:
        handle.write("Time,03-01-2026 12:01:40.0")
    edit(folder / DETAIL, ('"VALID"', '"INVALID"'))
    recording = run_import(tmp_path)
    assert len(recording.events) == 3 and recording.events["top1"].isna().all()
    reasons = " | ".join(recording.problems["reason"])
    for part in ("the accuracy is unknown", "no server.json", "1 incomplete line", "calls the run invalid"):
        assert part in reasons


def test_the_same_trace_twice_is_used_once(tmp_path):
    make_run(tmp_path, "net-a")
    make_run(tmp_path, "net-b")
    recording = run_import(tmp_path)
    assert set(recording.events["workload"]) == {"net-a"}
    assert list(recording.problems["workload"]) == ["net-b"]
    assert "the same trace as" in recording.problems["reason"].iloc[0]


def test_overlapping_traces_are_not_mixed(tmp_path):
    make_run(tmp_path, "net-a")
    make_run(tmp_path, "net-b", START + timedelta(seconds=30))
    recording = run_import(tmp_path)
    assert "overlaps in time" in recording.problems["reason"].iloc[0]
    assert len(recording.trace) == 100


def test_accuracy_of_another_task_is_no_top1(tmp_path):
    folder = make_run(tmp_path)
    (folder / "accuracy/accuracy.txt").write_text('{"exact_match": 83.236, "f1": 90.440}\n')
    assert run_import(tmp_path).events["top1"].isna().all()
    (folder / "accuracy/accuracy.txt").write_text("accuracy=90.1%, good=901, total=1000\n")
    assert run_import(tmp_path).events["top1"].isna().all()


def test_empty_folders_and_mixed_systems(tmp_path):
    with pytest.raises(EdgejouleError, match=r"no 'performance/run_1/spl\.txt'"):
        run_import(tmp_path)
    make_run(tmp_path, system="one")
    make_run(tmp_path, system="two")
    with pytest.raises(EdgejouleError, match="several systems \\(one, two\\)"):
        run_import(tmp_path)
    assert len(run_import(tmp_path, system="two").events) == 3


@pytest.mark.slow
def test_the_real_recordings(shared_data):
    root = shared_data / "mlperf_inference"
    with (root / "index.csv").open() as handle:
        index = list(csv.DictReader(handle))
    files = Files([root])
    duplicates = {row["run_dir"] for row in index if row["same_trace_as"]}
    for system in sorted({row["system"] for row in index}):
        rows = {row["run_dir"]: row for row in index if row["system"] == system}
        facts = {key: RunFacts(row["model"], row["precision"]) for key, row in rows.items()}
        recording = import_mlperf_inference(files, META, system, facts)
        runs = recording.events[recording.events["kind"] == "network"].set_index("source")
        assert set(runs.index) == rows.keys() - duplicates
        assert set(recording.problems["source"]) == rows.keys() & duplicates
        for key, run in runs.iterrows():
            assert run["precision"] == rows[key]["precision"]
            if rows[key]["accuracy_metric"] == "top1_pct":
                assert run["top1"] == pytest.approx(float(rows[key]["accuracy_value"]), abs=1e-3)
            else:
                assert np.isnan(run["top1"])
        figures = event_energy(recording)
        assert (figures["reason"] == "").all()
        assert (figures["observed"] > 0.99).all()
        trace = recording.trace.set_index("t_ns")["power_w"]
        for event, run in runs.reset_index().set_index("event").iterrows():
            # The submission checker's rule: mean of the readings stamped inside the window.
            mean = trace.loc[run["start_ns"] : run["end_ns"]].mean()
            assert figures.set_index("event").loc[event, "power_w"] == pytest.approx(mean, rel=0.005)
