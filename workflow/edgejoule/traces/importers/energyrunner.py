"""One trace of EEMBC's EnergyRunner by itself, ``trace1-energy.bin``, without the windows that stand beside it."""

from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.importers.mlperf_tiny import RAIL, read_energy
from edgejoule.traces.importers.readings import Rate, Readings, make_readings
from edgejoule.traces.rails import Rail


def is_energy_trace(head: bytes) -> bool:
    """Whether the beginning of a file is that of an EnergyRunner's trace: its mark, and a rate that a meter has."""
    try:
        read_energy(head, "")
    except EdgejouleError:
        return False
    return True


def read_energy_trace(path: Path) -> Readings:
    """Read energy per period as the power averaged over each period; a file that ends inside a reading is noted.

    Raises:
        EdgejouleError: its mark or its rate is wrong, or there are fewer than two readings.
    """
    data = path.read_bytes()
    rate_hz, energy_j = read_energy(data, str(path))
    notes = ("cut off inside a reading, which is left out: the file is not complete",) if (len(data) - 1) % 4 else ()
    t_ns = np.round(np.arange(1, len(energy_j) + 1) * (1e9 / rate_hz)).astype(np.int64)
    rail = Rail(RAIL, "power", "averaged", unit="energy per period")
    clock = "the meter's, since its start"
    return make_readings([(t_ns, [energy_j * rate_hz])], [rail], str(path), clock, Rate(rate_hz), lambda: notes)
