"""Standard uncertainty of an event's energy, after JCGM 100:2008 (GUM): independent parts, summed in quadrature."""

import numpy as np

from edgejoule.traces.rails import Rail


def energy_uncertainty(
    rail: Rail,
    energy_j: np.ndarray,
    duration_s: np.ndarray,
    step_start_w: np.ndarray,
    step_end_w: np.ndarray,
    power_std_w: np.ndarray,
    blocks: int,
) -> np.ndarray:
    """Return one standard deviation of the energy of each event (J), as far as it can be known from one rail.

    - *Edges*: where inside one reading an edge lies is not known; the error is the step of power across the edge times
      a time that is uniform over one reading, of standard deviation reading / sqrt(12).
    - *Sampling*, for instantaneous power only: the standard error of the mean over the event's blocks.
    - *Quantisation*, where the rail states its resolution: uniform over one step in each reading.
    - *Accuracy*, where the rail states it: a uniform bound of so many percent of the reading, the same for all of them.

    Args:
        rail: the rail, with its period.
        energy_j: energy of each event (J), shape (events,); so are the following.
        duration_s: duration (s).
        step_start_w: change of power across the start (W).
        step_end_w: change of power across the end (W).
        power_std_w: standard deviation of power over the blocks of the event (W).
        blocks: number of blocks.
    """
    reading_s = rail.reading_ns * 1e-9
    variance = (np.nan_to_num(step_start_w) ** 2 + np.nan_to_num(step_end_w) ** 2) * reading_s**2 / 12
    if rail.sampling == "instantaneous":
        variance = variance + (duration_s * np.nan_to_num(power_std_w)) ** 2 / blocks
    if rail.resolution_w:
        variance = variance + (rail.resolution_w * reading_s) ** 2 / 12 * np.maximum(duration_s / reading_s, 1)
    if rail.accuracy_percent:
        variance = variance + (rail.accuracy_percent / 100 * energy_j) ** 2 / 3
    return np.sqrt(variance)
