"""Reading a meter at a steady rate, in a process of its own, while another process runs the workload.

The readings go from a bounded buffer to a file as they come, so a long recording needs no memory; both processes read
one clock (``time.monotonic_ns`` is the same for all processes of a machine). The processes talk in lines of JSON. When
the recorder dies, its end of the pipe closes and the sampler ends too.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters import open_meter

#: Readings that are kept in memory before they are written.
BUFFER = 512
#: How often the end is looked for (ns); between two looks a wait is slept through, which costs less.
LOOK_NS = 50_000_000
#: Longest wait for the sampler to end (s).
PATIENCE_S = 30.0


class MeterError(EdgejouleError):
    """The meter failed; the workload is not to blame."""


class Sampler:
    """A process that samples a meter into a file of ``t_ns,rail,value`` lines.

    Used as a context: the first reading has been made when the context is entered, the last one is on disk when it is
    left. ``share`` is then the share of one core that sampling took, ``observed_hz`` the rate that it reached, and
    ``rails`` what was read.
    """

    def __init__(self, meter: Mapping, path: Path, shift_ns: int = 0) -> None:
        self.request = {"meter": dict(meter), "path": str(path), "shift_ns": shift_ns}
        self.rails: list[dict] = []
        self.share: float | None = None
        self.observed_hz: float | None = None

    def __enter__(self) -> "Sampler":
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edgejoule.measure.sampler"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        self.process.stdin.write(json.dumps(self.request) + "\n")
        self.process.stdin.flush()
        try:
            self.rails = self._answer()["rails"]
        except EdgejouleError:
            self._end()
            raise
        return self

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"meter '{self.request['meter']['kind']}': the sampler died"}
        if "error" in answer:
            raise MeterError(answer["error"])
        return answer

    def _end(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.process.stdin.close()
        try:
            answer = self._answer()
            self.share, self.observed_hz = answer["share"], answer["observed_hz"]
        except EdgejouleError:
            # What stopped the workload says more than what then stopped the sampler.
            if kind is None:
                raise
        finally:
            self._end()


def sample(request: Mapping, control: TextIO, answers: TextIO) -> None:
    """Sample until ``control`` is closed; the body of the sampling process.

    A reading is due one period after the one before was, or at once where that has passed: one that comes late by more
    than a period moves those behind it, and none are made up for in a hurry. A reading without a stamp of its own gets
    the middle between the moments before and after the meter was asked.
    """

    def answer(**value: object) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    try:
        meter = open_meter(request["meter"])
        with Path(request["path"]).open("w", encoding="utf-8") as handle:
            statistics = read_until_closed(meter, request["shift_ns"], control, handle, answer)
        meter.close()
    except EdgejouleError as error:
        answer(error=str(error))
    except OSError as error:
        answer(error=f"{request['path']}: cannot be written: {error.strerror}")
    else:
        answer(**statistics)


def read_until_closed(meter, shift_ns: int, control: TextIO, handle: TextIO, answer) -> dict:
    """Read a meter into a file until ``control`` is closed; return the share of one core and the rate (Hz)."""
    period = int(1e9 / meter.rate_hz)
    count, buffer, closed = 0, [], False
    start, used = time.monotonic_ns(), time.process_time()
    due, look = start, start + LOOK_NS
    while True:
        before = time.monotonic_ns()
        readings = meter.read()
        middle = (before + time.monotonic_ns()) // 2
        buffer += [f"{(stamp or middle) + shift_ns},{rail},{value!r}\n" for rail, value, stamp in readings]
        count += 1
        if count == 1:
            answer(rails=list(meter.rails))
        if len(buffer) >= BUFFER or closed:
            handle.writelines(buffer)
            buffer.clear()
        if closed:
            wall = (time.monotonic_ns() - start) / 1e9
            return {"share": (time.process_time() - used) / wall, "observed_hz": (count - 1) / wall}
        now = time.monotonic_ns()
        due = max(due + period, now)
        if due < look:
            time.sleep((due - now) / 1e9)
        else:
            closed = bool(select.select([control], [], [], (due - now) / 1e9)[0])
            look = due + LOOK_NS


def main() -> None:
    """Read one request from standard input and sample until it is closed."""
    sample(json.loads(sys.stdin.readline()), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
