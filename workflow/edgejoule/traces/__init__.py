"""Traces: recordings in every common format made canonical, and the energy of events, exact for the meter's kind."""

from edgejoule.traces.energy import event_energy
from edgejoule.traces.idle import idle_power
from edgejoule.traces.rails import Rail, with_observed_period
from edgejoule.traces.recording import Recording, check_target, read_nodes, read_recording, write_recording
from edgejoule.traces.steady import slowdown

__all__ = [
    "Rail",
    "Recording",
    "check_target",
    "event_energy",
    "idle_power",
    "read_nodes",
    "read_recording",
    "slowdown",
    "with_observed_period",
    "write_recording",
]
