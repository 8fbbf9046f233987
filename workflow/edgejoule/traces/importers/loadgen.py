"""Logs of MLPerf LoadGen (``mlperf_log_detail.txt``) and the results of accuracy runs (``accuracy.txt``)."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from edgejoule.errors import EdgejouleError

PREFIX = ":::MLLOG"

#: What is read, and whether a log without it can be used.
KEYS = (
    "power_begin",
    "power_end",
    "result_query_count",
    "result_qps_with_loadgen_overhead",
    "result_mean_latency_ns",
    "result_50.00_percentile_latency_ns",
    "result_90.00_percentile_latency_ns",
    "result_validity",
    "loadgen_version",
)

#: Images in the ImageNet validation set: an accuracy over that many is a top-1, over another number it is not.
IMAGENET = 50_000


@dataclass(frozen=True)
class Run:
    """What LoadGen says of one run.

    Attributes:
        begin_ns: start of the measured window as LoadGen's clock says it, taken as UTC (ns since 1970).
        end_ns: its end.
        iterations: inferences in the window.
        latency_ms: mean latency (ms); likewise the median and the 90th percentile; None where it is not stated.
        valid: whether LoadGen called the run valid; None where it does not say.
        version: LoadGen's version, or None.
    """

    begin_ns: int
    end_ns: int
    iterations: int
    latency_ms: float | None
    latency_p50_ms: float | None
    latency_p90_ms: float | None
    valid: bool | None
    version: str | None


def read_detail(data: bytes, where: str) -> Run:
    """Read ``mlperf_log_detail.txt``. The window is in the *values* of ``power_begin`` and ``power_end``.

    Raises:
        EdgejouleError: a line is cut off, the window or the number of inferences is missing or makes no sense.
    """
    found = _values(data.decode("utf-8", "replace"), where)
    for key in ("power_begin", "power_end"):
        if key not in found:
            raise EdgejouleError(f"{where}: no '{key}'; without the power window the run has no energy")
    begin, end = (_stamp(found[key], where) for key in ("power_begin", "power_end"))
    if end <= begin:
        raise EdgejouleError(
            f"{where}: the power window ends at {found['power_end']}, not after {found['power_begin']}"
        )
    return Run(
        begin,
        end,
        _iterations(found, (end - begin) * 1e-9, where),
        *(_milliseconds(found, key) for key in KEYS[4:7]),
        found["result_validity"] == "VALID" if "result_validity" in found else None,
        found.get("loadgen_version"),
    )


def _values(text: str, where: str) -> dict:
    found = {}
    wanted = tuple(f'"{key}"' for key in KEYS)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith(PREFIX) or not any(key in line[:64] for key in wanted):
            continue
        try:
            entry = json.loads(line.strip()[len(PREFIX) :])
            found[entry["key"]] = entry["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise EdgejouleError(f"{where}: line {number} is cut off or no LoadGen entry: {error}") from error
    if not found:
        raise EdgejouleError(f"{where}: holds no LoadGen entries ('{PREFIX} ...')")
    return found


def _stamp(value: object, where: str) -> int:
    try:
        moment = datetime.strptime(str(value).strip(), "%m-%d-%Y %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError as error:
        raise EdgejouleError(f"{where}: '{value}' is no time of the form MM-DD-YYYY HH:MM:SS.mmm") from error
    return round(moment.timestamp() * 1000) * 1_000_000


def _iterations(found: dict, window_s: float, where: str) -> int:
    count, rate = found.get("result_query_count"), found.get("result_qps_with_loadgen_overhead")
    try:
        number = int(count) if count is not None else round(float(rate) * window_s)
    except (TypeError, ValueError) as error:
        raise EdgejouleError(f"{where}: neither a number of queries nor a rate of queries") from error
    if number < 1:
        raise EdgejouleError(f"{where}: {number} inferences in the window; a run needs at least one")
    return number


def _milliseconds(found: dict, key: str) -> float | None:
    value = found.get(key)
    return float(value) * 1e-6 if isinstance(value, (int, float)) and value > 0 else None


def read_top1(data: bytes) -> float | None:
    """Return the ImageNet top-1 (%) that ``accuracy.txt`` states; None where it is of another task or set."""
    text = data.decode("utf-8", "replace")
    match = re.search(r"accuracy\s*=\s*([0-9.]+)\s*%.*?good\s*=\s*([0-9]+).*?total\s*=\s*([0-9]+)", text)
    if match is None or int(match[3]) != IMAGENET:
        return None
    return 100 * int(match[2]) / IMAGENET
