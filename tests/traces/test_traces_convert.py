"""From a device file to its recording: a trace file, a folder, archives; and sources that contradict themselves."""

import numpy as np
import pandas as pd
import pytest
from mlperf_runs import START, make_run

from edgejoule.config import Device
from edgejoule.errors import EdgejouleError
from edgejoule.traces import event_energy, idle_power, read_recording, write_recording
from edgejoule.traces.convert import import_device
from edgejoule.traces.events import read_events
from edgejoule.traces.importers.mlperf_inference import MEMBERS
from edgejoule.traces.manifest import PinnedFile, write_rows
from edgejoule.traces.pinning import pin
from edgejoule.traces.retrieve import retrieve

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def device(source, name="board-x"):
    return Device.model_validate(
        {
            "name": name,
            "title": "Board X",
            "board": "x",
            "class": "board",
            "runtime": {"name": "tflite"},
            "meter": {"kind": "external", "accuracy_percent": 0.1, "resolution_w": 0.01},
            "power_scope": "dc",
            "origin": "measured",
            "source": {"kind": "traces"} | source,
        }
    )


@pytest.fixture
def capture(tmp_path):
    t = np.arange(8000) / 1000
    columns = {"t": t * 1e3, "P": np.where((t > 2) & (t < 6), 3000.0, 1000.0)}
    pd.DataFrame(columns).to_csv(tmp_path / "c.csv", index=False)
    return str(tmp_path / "c.csv")


COLUMNS = {"time": "t", "time_unit": "ms", "power": "P", "power_unit": "mW", "sampling": "averaged"}


def test_a_trace_file_with_stated_columns(capture, tmp_path):
    segments = {"workload": "net", "iterations": 100, "least_s": 0.5}
    source = {"format": "generic", "file": capture, "columns": COLUMNS, "segments": segments}
    recording = import_device(device(source))
    write_recording(recording, tmp_path / "r")
    recording = read_recording(tmp_path / "r")
    assert recording.meta["rails"][0]["accuracy_percent"] == 0.1
    assert recording.meta["source"] == "c.csv"
    figures = event_energy(recording).set_index("event").loc["net#0"]
    assert figures["energy_j"] == pytest.approx(12.0, rel=0.001)
    assert figures["uncertainty_j"] > 0.001 * 12 / np.sqrt(3)


def test_a_folder_of_runs_and_the_archives_of_a_manifest_give_the_same(tmp_path):
    mirror = tmp_path / "mirror"
    folder = make_run(mirror, "mobilenet-v1-1.0-224").relative_to(mirror).as_posix()
    run = {"run_dir": folder, "repo": "someone/results_v9", "commit": COMMIT, "system_json": "",
           "model": "mobilenet-v1-1.0-224", "precision": "fp32"}  # fmt: skip
    pinned = pin([run], mirror, MEMBERS)
    write_rows(tmp_path / "board-x.tsv", PinnedFile, pinned)
    retrieve(pinned, tmp_path / "a.zip", mirror=mirror)
    source = {"format": "mlperf-inference", "manifest": str(tmp_path / "board-x.tsv")}
    fetched = import_device(device(source), [tmp_path / "a.zip"])
    local = import_device(device({"format": "mlperf-inference", "folder": str(mirror)}))
    (rail,) = local.rails
    assert (rail.accuracy_percent, rail.resolution_w) == (0.1, 0.01)
    pd.testing.assert_frame_equal(fetched.trace, local.trace)
    assert fetched.events["precision"].unique().tolist() == ["fp32"]
    assert fetched.events["start_ns"].iloc[0] == round(START.timestamp()) * 10**9


def test_a_recording_of_another_device(tmp_path, capture):
    segments = {"workload": "net", "least_s": 0.5}
    source = {"format": "generic", "file": capture, "columns": COLUMNS, "segments": segments}
    write_recording(import_device(device(source, "other")), tmp_path / "r")
    with pytest.raises(EdgejouleError, match="device is 'other', but the device file says 'board-x'"):
        import_device(device({"folder": str(tmp_path / "r")}))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"format": "generic"}, "names one of 'folder', 'manifest', 'file'"),
        ({"format": "generic", "file": "a", "folder": "b"}, "names one of 'folder', 'manifest', 'file'"),
        ({"format": "generic", "file": "a.csv"}, "needs either 'events' or 'segments'"),
        ({"format": "generic", "file": "a.csv", "segments": {"workload": "n"}}, r"a\.csv: no such file"),
        ({"format": "monson", "file": "a.csv", "segments": {"workload": "n"}}, "did you mean 'monsoon'"),
        ({"format": "monsoon", "folder": "b"}, "'monsoon' is one of single files; name it in 'file'"),
        ({"format": "mlperf-tiney", "folder": "b"}, "did you mean 'mlperf-tiny'"),
        ({"format": "mlperf-tiny", "folder": "no-such"}, "neither a folder nor a readable zip archive"),
        ({"format": "canonical", "folder": "no-such"}, "no recording here"),
    ],
)
def test_sources_that_cannot_be(source, message):
    with pytest.raises(EdgejouleError, match=message):
        import_device(device(source))


@pytest.mark.parametrize(
    ("marks", "pauses"),
    [
        (["a,2000000000,6000000000,net,9,network"], [(0, 2000), (6000, 7999)]),
        (
            [
                "b,3000000000,4000000000,relu,9,kernel",
                "a,2000000000,4500000000,net,9,network",
                "c,5000000000,5500000000,net,9,network",
            ],
            [(0, 2000), (5500, 7999)],
        ),
        (["a,2000000000,60000000000,net,9,network"], [(0, 2000)]),
        (["a,0,7900000000,net,9,network"], []),
    ],
)
def test_pauses_between_marks_are_idle(tmp_path, capture, marks, pauses):
    (tmp_path / "e.csv").write_text("\n".join(["event,start_ns,end_ns,workload,iterations,kind", *marks]))
    source = {"format": "generic", "file": capture, "columns": COLUMNS, "events": str(tmp_path / "e.csv")}
    recording = import_device(device(source))
    idle = recording.events[recording.events["kind"] == "idle"]
    ms = idle[["start_ns", "end_ns"]].to_numpy() / 1e6
    np.testing.assert_allclose(ms.reshape(-1, 2), np.array(pauses, float).reshape(-1, 2))
    assert recording.events["event"].tolist()[: len(marks)] == [mark.split(",")[0] for mark in marks]
    power = idle_power(recording)
    assert power["idle_before_w"].iloc[0] == pytest.approx(1.0) if pauses else power["idle_w"].isna().all()


@pytest.mark.parametrize(
    ("marks", "pair"),
    [
        (["a,2,6,net,network", "b,5,7,other,network"], "'a' and 'b'"),
        (["b,5,7,other,application", "a,2,6,net,network"], "'a' and 'b'"),
        (["a,2,6,net,network", "b,3,4,net,network"], "'a' and 'b'"),
        (["a,2,6,net,kernel", "b,2,6,other,kernel"], "'a' and 'b'"),
        (["a,2,4,net,network", "b,3,5,relu,kernel"], "'b' and 'a'"),
        (["a,3,5,net,network", "b,2,6,relu,kernel"], "'b' and 'a'"),
        (["a,2,3,net,network", "c,4,5,net,network", "b,2,5,relu,kernel"], "'b' and 'c'"),
        (["a,2,4,net,network", "c,4,6,other,network"], None),
        (["a,2,6,net,network", "b,2,3,relu,kernel", "c,3,6,add,kernel", "d,6,7,add,kernel"], None),
        (["a,2,6,net,network", "b,1,7,net,warmup"], None),
    ],
)
def test_two_windows_never_get_the_energy_of_the_same_time(tmp_path, marks, pair):
    rows = [
        f"{name},{start}000000000,{end}000000000,{rest},1"
        for name, start, end, rest in (m.split(",", 3) for m in marks)
    ]
    (tmp_path / "e.csv").write_text("\n".join(["event,start_ns,end_ns,workload,kind,iterations", *rows]))
    if pair is None:
        assert len(read_events(tmp_path / "e.csv")) == len(marks)
        return
    with pytest.raises(EdgejouleError, match=rf"e\.csv: events {pair} overlap, so that both would get the energy"):
        read_events(tmp_path / "e.csv")


def test_marked_idle_is_all_the_idle_there_is(tmp_path, capture):
    rows = ["a,2000000000,6000000000,net,9,network", "i,6500000000,7500000000,,0,idle"]
    (tmp_path / "e.csv").write_text("\n".join(["event,start_ns,end_ns,workload,iterations,kind", *rows]))
    source = {"format": "generic", "file": capture, "columns": COLUMNS, "events": str(tmp_path / "e.csv")}
    assert import_device(device(source)).events["event"].tolist() == ["a", "i"]


HOST = 1_700_000_000_000_000_000


@pytest.fixture
def two_hosts(tmp_path, capture):
    """Events and load of a host whose clock counts from 1970, beside a meter's that counts from its start."""
    start, end = HOST + 3 * 10**9, HOST + 5 * 10**9
    (tmp_path / "e.csv").write_text(f"event,start_ns,end_ns,workload,iterations\na,{start},{end},n,9\n")
    t = np.arange(-300, 1100) * 10**7
    busy = ((t > 2e9) & (t < 6e9)).astype(int)
    pd.DataFrame({"host_ns": HOST + t, "load": busy}).to_csv(tmp_path / "load.csv", index=False)
    (tmp_path / "marks.csv").write_text(f"meter_ns,host_ns\n100,{HOST + 100}\n7000000000,{HOST + 7_000_000_400}\n")
    return tmp_path


@pytest.mark.parametrize("alignment", [{"marks": "marks.csv"}, {"load": "load.csv", "limit_s": 4}])
def test_events_of_another_hosts_clock(two_hosts, capture, alignment):
    alignment = {key: str(two_hosts / value) if key != "limit_s" else value for key, value in alignment.items()}
    source = {"format": "generic", "file": capture, "columns": COLUMNS, "events": str(two_hosts / "e.csv")}
    recording = import_device(device(source | {"alignment": alignment}))
    about = recording.meta["alignment"]
    assert about["method"] in alignment and about["offset_ns"] == pytest.approx(-HOST, abs=3e7)
    # One edge of the load cannot say how well it was found.
    assert about["uncertainty_ns"] is None if "load" in alignment else 0 < about["uncertainty_ns"] < 1e4
    assert event_energy(recording)["energy_j"].iloc[0] == pytest.approx(6.0, rel=1e-3)
    write_recording(recording, two_hosts / "r")
    assert read_recording(two_hosts / "r").meta["alignment"] == about


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("marks", "meter_ns,host_ns\n", r"a\.csv: 0 marks on one clock"),
        ("marks", "meter,host_ns\n1,2\n", r"a\.csv: lacks the column\(s\) meter_ns"),
        ("marks", "meter_ns,host_ns\n1,soon\n", r"a\.csv: not a readable CSV of meter_ns, host_ns"),
        ("marks", "meter_ns,host_ns\n1,\n", r"a\.csv: a row is not complete"),
        ("load", "host_ns,load\n5,1\n3,2\n", r"a\.csv: time does not advance in line 3"),
        ("load", "host_ns,load\n5,1\n9,2\n", r"a\.csv: power and load overlap for less than"),
    ],
)
def test_alignments_that_cannot_be(two_hosts, capture, name, text, message):
    (two_hosts / "a.csv").write_text(text)
    source = {"format": "generic", "file": capture, "columns": COLUMNS, "events": str(two_hosts / "e.csv")}
    with pytest.raises(EdgejouleError, match=message):
        import_device(device(source | {"alignment": {name: str(two_hosts / "a.csv")}}))
