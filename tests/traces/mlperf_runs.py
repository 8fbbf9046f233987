"""Makes folders of MLPerf Inference runs as LoadGen and PTDaemon write them, for tests to spoil."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
IDLE_W, BUSY_W = 2.0, 6.0
BEGIN_S, END_S, LENGTH_S = 20.25, 80.75, 100
QUERIES = 6050


def stamp(start: datetime, seconds: float) -> str:
    return (start + timedelta(seconds=seconds)).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]


def power_line(start: datetime, second: float, watts: float) -> str:
    volts, amps, factor = 250.0, watts / 125, 0.5
    if watts < 0:
        volts = amps = factor = watts
    fields = f"Watts,{watts:.6f},Volts,{volts:.6f},Amps,{amps:.6f},PF,{factor:.6f}"
    return f"Time,{stamp(start, second)},{fields},Mark,session_testing"


def power_lines(start: datetime = START) -> list[str]:
    """Averages over each second of a square pulse from ``BEGIN_S`` to ``END_S``."""
    lines = []
    for second in range(LENGTH_S):
        busy = max(0.0, min(second, END_S) - max(second - 1, BEGIN_S))
        lines.append(power_line(start, second, IDLE_W + (BUSY_W - IDLE_W) * busy))
    return lines


def detail_lines(start: datetime = START) -> list[str]:
    values = {
        "loadgen_version": "2.0 @ ee487389aa",
        "power_begin": stamp(start, BEGIN_S),
        "power_end": stamp(start, END_S),
        "result_validity": "VALID",
        "result_query_count": QUERIES,
        "result_qps_with_loadgen_overhead": QUERIES / (END_S - BEGIN_S),
        "result_mean_latency_ns": 9_900_000,
        "result_50.00_percentile_latency_ns": 9_800_000,
        "result_90.00_percentile_latency_ns": 10_100_000,
    }
    about = {"time_ms": 0.1, "namespace": "mlperf::logging", "event_type": "POINT_IN_TIME", "metadata": {}}
    return [f":::MLLOG {json.dumps({'key': key, 'value': value} | about)}" for key, value in values.items()]


def server(start: datetime = START) -> dict:
    at = start.timestamp()
    return {
        "timezone": -3600,
        "ptd_messages": [
            {"cmd": "Identify", "reply": "YokogawaWT310E,1000,1"},
            {"cmd": "Go,1000,0,session_testing", "reply": "Starting"},
        ],
        "phases": {"testing": [[at - 15, 0], [at - 0.3, 0], [at + LENGTH_S, 0], [at + LENGTH_S + 9, 0]]},
    }


def write_logs(folder: Path, start: datetime, clock_s: float = 0) -> None:
    """Write both logs and the server's messages of a run that starts at ``start``, on clocks ``clock_s`` off UTC."""
    shown = start + timedelta(seconds=clock_s)
    (folder / "performance/run_1/spl.txt").write_text("\n".join(power_lines(shown)) + "\n")
    (folder / "performance/run_1/mlperf_log_detail.txt").write_text("\n".join(detail_lines(shown)) + "\n")
    (folder / "performance/power/server.json").write_text(json.dumps(server(start)))


def make_run(root: Path, network: str = "net-a", start: datetime = START, system: str = "board-x") -> Path:
    """Write one good run and return its folder."""
    folder = root / "results_v9" / "open" / "Someone" / "results" / system / network / "singlestream"
    for name in ("performance/run_1", "performance/power", "accuracy"):
        (folder / name).mkdir(parents=True)
    write_logs(folder, start)
    (folder / "accuracy/accuracy.txt").write_text("accuracy=52.446%, good=26223, total=50000\nhash=0\n")
    return folder
