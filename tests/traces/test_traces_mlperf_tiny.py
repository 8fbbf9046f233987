"""MLPerf Tiny: the runner's own window energies are met; damaged runs are problems."""

import csv
import json
import struct

import numpy as np
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.traces import event_energy, write_recording
from edgejoule.traces.files import Files
from edgejoule.traces.importers.mlperf_tiny import import_mlperf_tiny, read_energy
from edgejoule.traces.importers.runs import RunFacts

META = {"device": "m", "board": "m", "meter": {"kind": "external"}, "power_scope": "dc"}

RESULTS = """\
00100.000 ulp-ml: Energy data for window 2 at time 2.00 for 3.00 sec.:
00100.000 ulp-ml:   Energy       :   60000.000 uJ
00100.000 ulp-ml: Performance results for window 2:
00100.000 ulp-ml:   # Inferences :           30
"""


def make_run(root, task="kws"):
    folder = root / "tiny" / "closed" / "Someone" / "results" / "m" / task / "energy"
    folder.mkdir(parents=True)
    energy = np.full(7000, 5.0)
    energy[2000:5000] = 20.0
    (folder / "trace1-energy.bin").write_bytes(struct.pack("<Bf", 0xF1, 1000.0) + energy.astype("<f4").tobytes())
    (folder / "trace1-timestamps.json").write_text("[0.01, 2.0, 5.0]")
    (folder / "results.txt").write_text(RESULTS)
    return folder


def make_trials(root):
    folder = make_run(root, "ic")
    for path in folder.iterdir():
        path.unlink()
    power = {
        "samples": [5e-6] * 2000 + [20e-6] * 3000 + [5e-6] * 500,
        "timestamps": [["0", 9], ["1", 2000], ["2", 5000]],
    }
    (folder / "results.json").write_text(json.dumps([{"infer": {"iterations": 30}, "power": power}] * 2))
    return folder


def test_both_generations(tmp_path):
    make_run(tmp_path)
    make_trials(tmp_path)
    recording = import_mlperf_tiny(Files([tmp_path]), META)
    write_recording(recording, tmp_path / "r")
    figures = event_energy(recording).set_index("event")
    assert figures.loc[["kws#0", "ic#0", "ic#1"], "energy_j"].to_numpy() == pytest.approx([0.06] * 3, rel=1e-6)
    assert figures.loc[["kws#0:idle-before", "ic#0:idle-after"], "idle_w"].to_numpy() == pytest.approx([0.005] * 2)
    assert recording.events.set_index("event").loc["kws#0", "reported_energy_j"] == pytest.approx(0.06)


def spoil_json(folder):
    (folder / "trace1-timestamps.json").write_text("[0.01, 2.0")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: (f / "trace1-energy.bin").write_bytes(b"\xf1\x00"), "does not start with byte 0xF1"),
        (lambda f: (f / "trace1-energy.bin").write_bytes(struct.pack("<Bff", 0xF1, 4e12, 1)), "a rate of 4e.12 Hz"),
        (lambda f: (f / "trace1-energy.bin").write_bytes(struct.pack("<Bff", 0xF1, float("nan"), 1)), "rate of nan"),
        (spoil_json, "not valid JSON"),
        (lambda f: (f / "trace1-timestamps.json").write_text('["soon"]'), "list of seconds"),
        (lambda f: (f / "trace1-timestamps.json").write_text("[0.01, 2.0]"), "window 2 has no stamps"),
        (lambda f: (f / "trace1-timestamps.json").write_text("[0.01, 2.0, 1.0]"), "window from 2.0 s to 1.0 s"),
        (lambda f: (f / "results.txt").write_text("all went well"), "no 'Energy data for window"),
        (lambda f: (f / "results.txt").write_text(RESULTS.replace("30", "0")), "no number of inferences"),
        (lambda f: (f / "results.txt").unlink(), "no such file"),
        (lambda f: (f / "results.json").write_text('[{"power": {}}]'), "not the results of a runner"),
        (lambda f: (f / "results.json").write_text("[]"), "holds no trials"),
    ],
)
def test_a_damaged_run_is_a_problem(tmp_path, spoil, reason):
    make_trials(tmp_path)
    spoil(make_run(tmp_path))
    recording = import_mlperf_tiny(Files([tmp_path]), META)
    assert set(recording.events["workload"]) == {"ic"}
    assert recording.problems["reason"].str.contains(reason).all(), recording.problems["reason"].iloc[0]


def test_no_runs(tmp_path):
    with pytest.raises(EdgejouleError, match=r"neither 'trace1-energy\.bin' nor"):
        import_mlperf_tiny(Files([tmp_path]), META)
    spoil_json(make_run(tmp_path))
    with pytest.raises(EdgejouleError, match="none of 1 runs can be used"):
        import_mlperf_tiny(Files([tmp_path]), META)


def test_readings_that_are_no_numbers_are_lost():
    rate, energy = read_energy(struct.pack("<Bffff", 0xF1, 1000.0, 1.0, float("nan"), float("inf")) + b"\x00", "x")
    assert rate == 1000 and energy[0] == pytest.approx(1e-6) and np.isnan(energy[1:]).all() and len(energy) == 3


def test_every_reported_window_energy_is_met(shared_data):
    """Median relative difference at most 0.01 %, worst at most 0.15 %; below 1 s, two readings instead."""
    root = shared_data / "mlperf_tiny"
    differences = []
    with (root / "index.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    files, facts = Files([root]), {row["run_dir"]: RunFacts(row["model"], None) for row in rows}
    recordings = {name: import_mlperf_tiny(files, META, name, facts) for name in {row["system"] for row in rows}}
    energies = {name: event_energy(recording) for name, recording in recordings.items()}
    for row in rows:
        events = recordings[row["system"]].events
        runs = events[(events["kind"] == "network") & (events["source"] == row["run_dir"])]
        reported = [float(value) * 1e-6 for value in row["window_energy_uJ"].split(";")]
        assert runs["reported_energy_j"].to_numpy() == pytest.approx(reported, rel=1e-9)
        assert runs["iterations"].tolist() == [int(value) for value in row["window_inferences"].split(";")]
        figures = energies[row["system"]].loc[runs.index]
        for energy, power, expected in zip(figures["energy_j"], figures["power_w"], reported, strict=True):
            differences.append(abs(energy / expected - 1))
            if energy / power < 1:
                assert abs(energy - expected) <= 2 * power * 1e-3
            else:
                assert differences[-1] <= 0.0015
    assert len(rows) == 17 and len(differences) == 84
    assert np.median(differences) <= 1e-4 and np.max(differences) <= 0.0015
