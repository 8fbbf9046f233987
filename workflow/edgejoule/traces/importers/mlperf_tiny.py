"""Recordings of MLPerf Tiny with power, made by EEMBC's EnergyRunner or the runner of v1.3.

Up to v1.2 a run is ``results.txt``, ``trace1-energy.bin`` (byte 0xF1, the rate in Hz as float32-LE, then microjoule per
period as float32-LE) and ``trace1-timestamps.json`` (seconds; window k of ``results.txt`` spans stamps k-1 to k). From
v1.3 it is ``results.json``: per trial joule per millisecond, and stamps in milliseconds, of which the last two bound
the window. Neither has a calendar clock: sessions are laid one after the other. Energies derived are not MLPerf scores.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.traces.files import Files
from edgejoule.traces.importers.runs import RunFacts, problem, problem_table, system_description
from edgejoule.traces.rails import Rail
from edgejoule.traces.recording import Recording

TRACE = "trace1-energy.bin"
STAMPS = "trace1-timestamps.json"
RESULTS = "results.txt"
TRIALS = "results.json"
MEMBERS = (RESULTS, TRACE, STAMPS, TRIALS)

MARK = 0xF1
RATES_HZ = (1.0, 10e6)
#: Rate of the runner of v1.3, which states none: its stamps in ms index its samples.
TRIAL_RATE_HZ = 1000.0

RAIL = "supply"
#: Time between two sessions on the common clock (ns); no reading speaks for it.
BETWEEN_NS = 60 * 1_000_000_000


@dataclass(frozen=True)
class Window:
    """A measured window: start and end in its session (s), inferences, and the energy that the runner reported (J)."""

    start_s: float
    end_s: float
    iterations: int
    reported_j: float | None


@dataclass(frozen=True)
class Session:
    """Readings of one continuous trace: energy per period (J) at a rate (Hz), and the windows in it."""

    rate_hz: float
    energy_j: np.ndarray
    windows: list[Window]


def import_mlperf_tiny(
    files: Files, meta: Mapping, system: str | None = None, facts: Mapping[str, RunFacts] | None = None
) -> Recording:
    """Return all runs of one device as one recording.

    Args:
        files: the upstream files.
        meta: ``device``, ``board``, ``meter``, ``power_scope`` and whatever else ``recording.json`` is to say.
        system: upstream name of the system, if ``files`` hold several.
        facts: network and precision by run folder.

    Raises:
        EdgejouleError: there are no runs, or not one that can be used.
    """
    folders = sorted({str(PurePosixPath(name).parent) for name in files.ending(TRACE) + files.ending(TRIALS)})
    if system is not None:
        # A device's name has no slash; a system's may: microtvm_native/NUCLEO_L4R5ZI.
        part = f"-results-{system.replace('/', '-')}-"
        folders = [folder for folder in folders if part in f"/{folder}/".replace("/", "-")]
    if not folders:
        raise EdgejouleError(f"{files}: neither '{TRACE}' nor '{TRIALS}'" + (f" of '{system}'" if system else ""))
    problems, frames, events, rates, offset = [], [], [], [], 0
    for folder in folders:
        about = (facts or {}).get(folder, RunFacts(PurePosixPath(folder).parent.name, None))
        try:
            sessions = read_sessions(files, folder)
        except EdgejouleError as error:
            problems.append(problem(about.network, about.precision, folder, error))
            continue
        number = sum(event["kind"] == "network" and event["workload"] == about.network for event in events)
        for session in sessions:
            frames.append(_frame(session, offset))
            events += _events(session, offset, about, folder, number)
            rates.append(session.rate_hz)
            number += len(session.windows)
            offset = int(frames[-1]["t_ns"].iloc[-1]) + BETWEEN_NS
    if not events:
        raise EdgejouleError(f"{files}: none of {len(folders)} runs can be used; the first: {problems[0]['reason']}")
    period = round(1e9 / min(rates))
    rail = Rail(RAIL, "power", "averaged", period, period, period, unit="energy per period")
    more = {
        "rails": [rail.to_meta()],
        "clock": "time of each session, the sessions laid one after the other",
        "rate_hz": min(rates),
        "observed_rate_hz": min(rates),
        "system": system_description(files),
    }
    return Recording(
        dict(meta) | more, pd.DataFrame(events), pd.concat(frames, ignore_index=True), problems=problem_table(problems)
    )


def read_sessions(files: Files, folder: str) -> list[Session]:
    """Return the sessions of one run.

    Raises:
        EdgejouleError: a file is missing, cut off or inconsistent.
    """
    if files.has(f"{folder}/{TRIALS}"):
        return _read_trials(files, folder)
    rate_hz, energy_j = read_energy(files.read(f"{folder}/{TRACE}"), f"{folder}/{TRACE}")
    stamps = _json(files, f"{folder}/{STAMPS}")
    if not isinstance(stamps, list) or not all(_is_time(stamp) for stamp in stamps):
        raise EdgejouleError(f"{folder}/{STAMPS}: should hold a list of seconds")
    windows = []
    for k, iterations, reported in _windows(files.read(f"{folder}/{RESULTS}"), f"{folder}/{RESULTS}"):
        if not 1 <= k < len(stamps):
            raise EdgejouleError(f"{folder}/{RESULTS}: window {k} has no stamps in {STAMPS}")
        windows.append(Window(stamps[k - 1], stamps[k], iterations, reported))
    return [_checked(Session(rate_hz, energy_j, windows), folder)]


def read_energy(data: bytes, where: str) -> tuple[float, np.ndarray]:
    """Return rate (Hz) and energy of each period (J) of ``trace1-energy.bin``.

    Raises:
        EdgejouleError: the mark or the rate is wrong, or there are no readings.
    """
    if len(data) < 9 or data[0] != MARK:
        raise EdgejouleError(f"{where}: does not start with byte 0x{MARK:X} and a rate; not a trace of EnergyRunner")
    values = np.frombuffer(data[1 : 1 + (len(data) - 1) // 4 * 4], "<f4").astype(float)
    rate = float(values[0])
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise EdgejouleError(f"{where}: states a rate of {rate:g} Hz, which no meter of this kind has")
    return rate, np.where(np.isfinite(values[1:]), values[1:], np.nan) * 1e-6


def _windows(data: bytes, where: str) -> list[tuple[int, int, float]]:
    """Return number, inferences and reported energy (J) of each window of ``results.txt``."""
    text = data.decode("utf-8", "replace")
    energies = re.findall(r"Energy data for window (\d+)[^\n]*\n[^\n]*?Energy\s*:\s*([\d.]+)\s*uJ", text)
    counts = dict(re.findall(r"Performance results for window (\d+)[^\n]*\n[^\n]*?# Inferences\s*:\s*(\d+)", text))
    if not energies:
        raise EdgejouleError(f"{where}: no 'Energy data for window ...'")
    for number, _ in energies:
        if not counts.get(number, "0").strip("0"):
            raise EdgejouleError(f"{where}: window {number} has no number of inferences")
    try:
        return [(int(number), int(counts[number]), float(energy) * 1e-6) for number, energy in energies]
    except ValueError as error:
        raise EdgejouleError(f"{where}: the energy of a window is no number: {error}") from error


def _read_trials(files: Files, folder: str) -> list[Session]:
    where = f"{folder}/{TRIALS}"
    text = ""
    if files.has(f"{folder}/{RESULTS}"):
        text = files.read(f"{folder}/{RESULTS}").decode("utf-8", "replace")
    sessions = []
    try:
        reported = [float(value) * 1e-6 for value in re.findall(r"Total Energy\s*:\s*([\d.]+)\s*uJ", text)]
        for number, trial in enumerate(_json(files, where)):
            energy_j = np.array(trial["power"]["samples"], float)
            start, end = (float(stamp[1]) / TRIAL_RATE_HZ for stamp in trial["power"]["timestamps"][-2:])
            energy = reported[number] if number < len(reported) else None
            window = Window(start, end, int(trial["infer"]["iterations"]), energy)
            sessions.append(_checked(Session(TRIAL_RATE_HZ, energy_j, [window]), where))
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise EdgejouleError(f"{where}: not the results of a runner of MLPerf Tiny v1.3: {error!r}") from error
    if not sessions:
        raise EdgejouleError(f"{where}: holds no trials")
    return sessions


def _json(files: Files, name: str) -> object:
    try:
        return json.loads(files.read(name))
    except (ValueError, RecursionError) as error:
        raise EdgejouleError(f"{name}: not valid JSON: {error}") from error


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < 1e6


def _checked(session: Session, where: str) -> Session:
    if session.energy_j.ndim != 1 or not len(session.energy_j):
        raise EdgejouleError(f"{where}: its samples are no list of numbers")
    for window in session.windows:
        if not (_is_time(window.start_s) and _is_time(window.end_s)) or window.end_s <= window.start_s:
            raise EdgejouleError(f"{where}: a window from {window.start_s} s to {window.end_s} s")
        if window.iterations < 1:
            raise EdgejouleError(f"{where}: a window with {window.iterations} inferences")
    return session


def _frame(session: Session, offset_ns: int) -> pd.DataFrame:
    ends = np.arange(1, len(session.energy_j) + 1)
    return pd.DataFrame(
        {
            "t_ns": offset_ns + np.round(ends * (1e9 / session.rate_hz)).astype(np.int64),
            "power_w": session.energy_j * session.rate_hz,
            "energy_j": np.nan,
            "rail": RAIL,
        }
    )


def _events(session: Session, offset_ns: int, about: RunFacts, folder: str, first: int) -> list[dict]:
    last_s = len(session.energy_j) / session.rate_hz
    bounds = [0.0, *(window.end_s for window in session.windows)]
    nexts = [*(window.start_s for window in session.windows[1:]), last_s]
    rows = []
    for number, window in enumerate(session.windows):
        name = f"{about.network}#{first + number}"
        common = {
            "workload": about.network,
            "precision": about.precision,
            "pass": first + number,
            "source": folder,
            "latency_ms": None,
            "latency_p50_ms": None,
            "latency_p90_ms": None,
            "top1": None,
        }
        for event, kind, start, end, iterations, reported in (
            (f"{name}:idle-before", "idle", bounds[number], window.start_s, 0, None),
            (name, "network", window.start_s, window.end_s, window.iterations, window.reported_j),
            (f"{name}:idle-after", "idle", window.end_s, nexts[number], 0, None),
        ):
            if end > start:
                edges = {"start_ns": offset_ns + round(start * 1e9), "end_ns": offset_ns + round(end * 1e9)}
                what = {"event": event, "kind": kind, "iterations": iterations, "reported_energy_j": reported}
                rows.append(common | edges | what)
    return rows
