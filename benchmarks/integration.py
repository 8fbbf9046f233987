"""Energy of 10,000 events from a canonical trace of 100 million readings: time and memory of whole processes.

    python benchmarks/integration.py [--readings 100000000] [--events 10000] [--runs 3] [--alone]

Makes the recording in the temporary folder, integrates it by ``edgejoule.traces.event_energy``, which streams it, by
pandas (read all, index by time, slice and sum per event) and by ``numpy.trapezoid`` per event, each in a process of its
own, and prints one Markdown table. ``--alone`` leaves the other two out, which hold the whole trace in memory: a
billion readings take 7 GB of disk and, alone, no more memory than a hundred million.
"""

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pipeline import watch

from edgejoule.tables import write_batches, write_json, write_table
from edgejoule.tables.contracts import EVENTS, TRACE

PERIOD_NS = 100_000
BATCH = 1 << 20

EDGEJOULE = """
import sys
from edgejoule.traces import event_energy, read_recording
energies = event_energy(read_recording(sys.argv[1], whole=False))
assert (energies["reason"] == "").all()
print(energies["energy_j"].sum())
"""

PANDAS = """
import sys
import pandas as pd
trace = pd.read_parquet(sys.argv[1] + "/trace.parquet", columns=["t_ns", "power_w"]).set_index("t_ns")["power_w"]
events = pd.read_parquet(sys.argv[1] + "/events.parquet")
total = 0.0
for event in events.itertuples():
    total += trace.loc[event.start_ns : event.end_ns].mean() * (event.end_ns - event.start_ns) * 1e-9
print(total)
"""

NUMPY = """
import sys
import numpy as np
import pyarrow.parquet as pq
trace = pq.read_table(sys.argv[1] + "/trace.parquet", columns=["t_ns", "power_w"])
t_ns, power = trace["t_ns"].to_numpy(), trace["power_w"].to_numpy()
events = pq.read_table(sys.argv[1] + "/events.parquet").to_pandas()
total = 0.0
for event in events.itertuples():
    first, last = np.searchsorted(t_ns, [event.start_ns, event.end_ns])
    total += np.trapezoid(power[first:last], t_ns[first:last] * 1e-9)
print(total)
"""


def make_recording(folder: Path, readings: int, count: int) -> None:
    """Write a recording of white noise and load steps, batch by batch."""
    rng = np.random.default_rng(0)

    # Making a billion readings should not take longer than integrating them: every row group has the same noise.
    noise = np.round(rng.normal(0, 0.1, BATCH), 3)

    def batches() -> Iterator[pa.Table]:
        for first in range(0, readings, BATCH):
            rows = min(BATCH, readings - first)
            t_ns = (first + np.arange(rows, dtype=np.int64)) * PERIOD_NS
            power = np.where(t_ns // 10**9 % 2, 6.0, 2.0) + noise[:rows]
            columns = [t_ns, power, pa.nulls(rows, pa.float64()), pa.repeat("usb", rows)]
            yield pa.table(columns, names=TRACE.names)

    write_batches(batches(), folder / "trace.parquet", TRACE)
    span = readings * PERIOD_NS
    start = np.sort(rng.integers(span // 100, span - span // 50, count))
    unknown = dict.fromkeys(("latency_ms", "latency_p50_ms", "latency_p90_ms", "top1"), np.nan)
    events = pd.DataFrame(
        {
            "event": [f"e{i}" for i in range(count)],
            "start_ns": start,
            "end_ns": start + rng.integers(10**7, span // 200, count),
            "kind": "network",
            "workload": "net",
            "precision": "fp32",
            "pass": 0,
            "iterations": 10,
            "source": "made",
        }
        | unknown
    )
    write_table(events, folder / "events.parquet", EVENTS)
    rail = {"name": "usb", "quantity": "power", "sampling": "instantaneous", "period_ns": PERIOD_NS}
    about = {"device": "d", "board": "b", "meter": {"kind": "external"}, "clock": "made", "power_scope": "dc"}
    write_json(folder / "recording.json", about | {"rails": [rail]})


def cpu_s() -> float:
    """Return the processor time of all child processes that have ended (s): it hardly depends on what else runs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Make the recording, run the three, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=100_000_000)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    scripts = {"edgejoule": EDGEJOULE} | ({} if options.alone else {"pandas": PANDAS, "numpy.trapezoid": NUMPY})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_recording(folder, options.readings, options.events)
        size = (folder / "trace.parquet").stat().st_size / 1e6
        print(f"{options.readings:,} readings, {options.events:,} events, {size:.0f} MB of Parquet\n")
        print("| what | wall s, median | of runs | CPU s | peak MB | times edgejoule |\n|---|---|---|---|---|---|")
        first = None
        for what, script in scripts.items():
            walls, peaks, before = [], [], cpu_s()
            for _ in range(options.runs):
                wall, peak, status = watch([sys.executable, "-c", script, str(folder)], folder)
                if status:
                    sys.exit(f"{what}: failed with status {status}; {json.dumps(str(folder))}")
                walls.append(wall)
                peaks.append(peak)
            wall = float(np.median(walls))
            first = first or wall
            runs = ", ".join(f"{each:.1f}" for each in walls)
            used = (cpu_s() - before) / options.runs
            print(f"| {what} | {wall:.1f} | {runs} | {used:.1f} | {max(peaks):.0f} | {wall / first:.2f} |", flush=True)


if __name__ == "__main__":
    main()
