"""Power logs of SPEC PTDaemon (``spl.txt``): one line a period, label and value in turn, separated by commas."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from edgejoule.errors import EdgejouleError
from edgejoule.traces.importers.readings import Rate, Readings, make_readings
from edgejoule.traces.rails import Rail

#: Power must be volts x amperes x power factor within this ratio, or one of the columns has another unit.
UNIT_RATIO = 1.5


@dataclass(frozen=True)
class PowerLog:
    """Readings of a power log.

    Attributes:
        t_ns: stamps as the log's clock says them, taken as UTC (ns since 1970), strictly rising.
        power_w: mean power since the stamp before (W); nan = lost (PTDaemon writes negative values in every field).
        incomplete: lines that did not have all their fields.
    """

    t_ns: np.ndarray
    power_w: np.ndarray
    incomplete: int


def is_power_log(head: bytes) -> bool:
    """Whether the beginning of a file is a power log."""
    labels = [label.strip() for label in head.split(b"\n")[0].split(b",")[::2]]
    return head.startswith(b"Time,") and b"Watts" in labels


def read_ptdaemon(path: Path, rate_hz: float | None) -> Readings:
    """Read one power log by itself, without the logs of what ran.

    Raises:
        EdgejouleError: see ``read_power_log``; or there are fewer than two readings, or the rate is not ``rate_hz``.
    """
    log = read_power_log(path.read_bytes(), str(path))
    notes = (f"{log.incomplete} incomplete line(s) left out",) if log.incomplete else ()
    rail = Rail("wall", "power", "averaged", unit="W")
    clock = "the log's own, taken as UTC"
    return make_readings([(log.t_ns, [log.power_w])], [rail], str(path), clock, Rate(rate_hz), lambda: notes)


def read_power_log(data: bytes, where: str) -> PowerLog:
    """Read ``spl.txt``; line ends and spacing may vary.

    Raises:
        EdgejouleError: it holds no readings, lacks time or power, its unit is not watt, or time goes backwards.
    """
    lines = data.replace(b"\r", b"").strip().split(b"\n")
    width = len(lines[0].split(b","))
    complete = [line for line in lines if line.count(b",") == width - 1]
    labels = [label.strip() for label in lines[0].decode("utf-8", "replace").split(",")[::2]]
    for label in ("Time", "Watts"):
        if label not in labels:
            raise EdgejouleError(f"{where}: line 1 has no field '{label}', but {', '.join(labels)[:80]}")
    table = _parse(b"\n".join(complete), width, where)
    power = _numbers(table, labels, "Watts", where)
    lost = power < 0
    _check_unit(table, labels, power, ~lost, where)
    t_ns = _stamps(table[2 * labels.index("Time") + 1], where)
    # PTDaemon stamps a reading that it lost like the late one before it: it speaks for no time, and is left out.
    empty = lost & (np.diff(t_ns, prepend=-1) == 0)
    t_ns, power, lost = t_ns[~empty], power[~empty], lost[~empty]
    back = np.flatnonzero(np.diff(t_ns) <= 0)
    if len(back):
        raise EdgejouleError(f"{where}: time does not advance in reading {back[0] + 2}; the meter's clock was changed")
    return PowerLog(t_ns, np.where(lost, np.nan, power), len(lines) - len(complete))


def _parse(data: bytes, width: int, where: str) -> pa.Table:
    names = [str(i) for i in range(width)]
    try:
        return pa.csv.read_csv(
            pa.BufferReader(data),
            pa.csv.ReadOptions(column_names=names, use_threads=False),
            pa.csv.ParseOptions(quote_char=False),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise EdgejouleError(f"{where}: not a power log: {error}") from error


def _numbers(table: pa.Table, labels: list[str], label: str, where: str) -> np.ndarray:
    column = 2 * labels.index(label)
    wrong = pc.index(pc.equal(pc.utf8_trim_whitespace(table[column]), label), False).as_py()
    if wrong >= 0:
        raise EdgejouleError(f"{where}: reading {wrong + 1} has '{table[column][wrong]}' where '{label}' was before")
    try:
        return pc.cast(pc.utf8_trim_whitespace(table[column + 1]), pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise EdgejouleError(f"{where}: field '{label}': {error}") from error


def _check_unit(table: pa.Table, labels: list[str], power: np.ndarray, known: np.ndarray, where: str) -> None:
    if not known.any() or not {"Volts", "Amps", "PF"} <= set(labels):
        return
    volts, amps, factor = (_numbers(table, labels, label, where)[known] for label in ("Volts", "Amps", "PF"))
    expected = np.median(volts * amps * factor)
    ratio = np.median(power[known]) / expected if expected > 0 else 1.0
    if not 1 / UNIT_RATIO < ratio < UNIT_RATIO:
        raise EdgejouleError(
            f"{where}: 'Watts' is {ratio:.3g} times volts x amperes x power factor; the unit of a field is wrong"
        )


def _stamps(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """Return the stamps ``MM-DD-YYYY HH:MM:SS.mmm`` as ns since 1970, taken as UTC."""
    text = pc.utf8_trim_whitespace(column)
    day, clock = pc.utf8_slice_codeunits(text, 0, 5), pc.utf8_slice_codeunits(text, 11, 64)
    year = pc.utf8_slice_codeunits(text, 6, 10)
    iso = pc.binary_join_element_wise(year, "-", day, "T", pc.utf8_trim_whitespace(clock), "")
    try:
        return pc.cast(pc.cast(iso, pa.timestamp("ns")), pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise EdgejouleError(f"{where}: a time is not MM-DD-YYYY HH:MM:SS.mmm: {error}") from error


@dataclass(frozen=True)
class Server:
    """What the power server's ``server.json`` says.

    Attributes:
        meter: make and model of the meter as PTDaemon identifies it, or None.
        period_ns: time between readings that was asked for (ns), or None.
        start_s: when the run of the measured phase had begun to record, UTC (s since 1970), or None.
    """

    meter: str | None = None
    period_ns: int | None = None
    start_s: float | None = None


def read_server(data: bytes, where: str) -> Server:
    """Read ``server.json``.

    Raises:
        EdgejouleError: it is not JSON of the expected shape.
    """
    try:
        value = json.loads(data)
        replies = {message["cmd"]: message["reply"] for message in value["ptd_messages"]}
        phase = value["phases"]["testing"]
        start = float(phase[1][0])
        go = [command for command in replies if command.startswith("Go,")]
        period = int(go[-1].split(",")[1]) * 1_000_000 if go else None
        meter = replies["Identify"].split(",")[0] if "Identify" in replies else None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise EdgejouleError(f"{where}: not the JSON of a power server: {error!r}") from error
    return Server(meter, period, start)
