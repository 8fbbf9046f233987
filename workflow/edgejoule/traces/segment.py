"""Events without marks: where the power of a trace changes its level."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.sample import Sample

#: Readings are averaged into at most this many blocks before changes are looked for; edges are refined afterwards.
BLOCKS = 20_000
#: A change must explain this many times the variance that noise would, per log of the number of blocks.
PENALTY = 10.0
MOST_CHANGES = 4_000
#: At the ends of a span, a level is not part of the event if it differs from the longest one by this share of the step
#: between low and high, and lasts less than this share of its time.
APART = 0.1
SHORT = 0.2


def change_points(values: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Return the positions at which the mean of a series changes, by binary segmentation.

    A part is split where that lowers its sum of squares most, as long as it does so by more than ``penalty`` x noise
    variance x log(length) (Scott and Knott, Biometrics 1974; the penalty is Schwarz's). The noise is estimated from
    differences of neighbours, which steps hardly affect.

    Args:
        values: shape (n,), without nan.
        penalty: see above.

    Returns:
        First positions of the new levels, rising, none of them 0.
    """
    count = len(values)
    if count < 4:
        return np.empty(0, int)
    noise = (np.median(np.abs(np.diff(values))) / (0.6745 * np.sqrt(2))) ** 2
    threshold = penalty * max(noise, 1e-12 * values.var()) * np.log(count)
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    found: list[int] = []
    parts = [(0, count)]
    while parts and len(found) < MOST_CHANGES:
        first, last = parts.pop()
        length = last - first
        if length < 4:
            continue
        position = np.arange(1, length)
        excess = sums[first + position] - sums[first] - (sums[last] - sums[first]) * position / length
        gain = excess**2 * length / (position * (length - position))
        best = int(np.argmax(gain))
        if gain[best] > threshold:
            cut = first + best + 1
            found.append(cut)
            parts += [(first, cut), (cut, last)]
    return np.sort(np.array(found, int))


#: Yields a trace from its start, however often it is called: times (ns), power (W).
Series = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]


def segment(series: Series, least_s: float, threshold_w: float | None = None) -> np.ndarray:
    """Return the spans in which power is high, in memory that does not grow with the trace.

    Levels between change points count as high above ``threshold_w``; without one, above the threshold that parts the
    levels best, weighed by their lengths (Otsu, IEEE Trans. SMC 1979). High levels that touch are one span.

    Args:
        series: the trace: stamps (ns), rising, and power (W), nan where lost, in pieces.
        least_s: shortest span to report, and shortest pause that ends one (s).
        threshold_w: power above which a level is high (W).

    Returns:
        Starts and ends (ns), shape (spans, 2), rising.

    Raises:
        EdgejouleError: there are too few readings, or all are at one level and no threshold is given.
    """
    coarse = _Blocks(series)
    edges = np.concatenate([[0], change_points(coarse.power_w), [len(coarse.power_w)]])
    edge_ns = np.append(coarse.start_ns, coarse.end_ns)[edges]
    levels = np.add.reduceat(coarse.power_w, edges[:-1]) / np.diff(edges)
    if threshold_w is None:
        threshold_w = _parting(levels, np.diff(edge_ns).astype(float))
    wanted = []
    for first, last in _high_spans(levels > threshold_w, edge_ns, least_s):
        first, last, level = _main_part(levels, np.diff(edge_ns), first, last, threshold_w)
        for edge, beside in ((first, first - 1), (last, last)):
            outside = levels[beside] if 0 <= beside < len(levels) else 2 * threshold_w - level
            wanted.append((edge_ns[edge], (level + outside) / 2))
    crossings = [_Crossing(int(at), 2 * coarse.block_ns, level) for at, level in wanted]
    for t_ns, power_w in _known(series):
        for crossing in crossings:
            crossing.feed(t_ns, power_w)
    spans = np.array([crossing.found_ns for crossing in crossings], np.int64).reshape(-1, 2)
    return spans[(spans[:, 1] - spans[:, 0]) * 1e-9 >= least_s]


def _known(series: Series) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the readings that are not lost."""
    for t_ns, power_w in series():
        lost = np.isnan(power_w)
        if lost.any():
            t_ns, power_w = t_ns[~lost], power_w[~lost]
        if len(t_ns):
            yield t_ns, power_w


class _Blocks:
    """Mean power of blocks of equally many readings, when each starts, and when the last one ends."""

    def __init__(self, series: Series) -> None:
        count = sum(len(t_ns) for t_ns, _ in _known(series))
        if count < 8:
            raise EdgejouleError(f"{count} valid readings are too few to find events in")
        size = -(-count // BLOCKS)
        blocks = -(-count // size)
        sums, self.start_ns = np.zeros(blocks), np.zeros(blocks, np.int64)
        steps, done, self.end_ns = Sample(), 0, 0
        for t_ns, power_w in _known(series):
            steps.feed(np.diff(t_ns, prepend=self.end_ns) if done else np.diff(t_ns))
            starts = np.arange(-done % size, len(t_ns), size)
            self.start_ns[(done + starts) // size] = t_ns[starts]
            cuts = np.union1d([0], starts)
            sums[(done + cuts) // size] += np.add.reduceat(power_w, cuts)
            done, self.end_ns = done + len(t_ns), int(t_ns[-1])
        self.power_w = sums / np.diff(np.append(np.arange(0, count, size), count))
        self.block_ns = size * float(np.median(steps.values))


def _high_spans(high: np.ndarray, edge_ns: np.ndarray, least_s: float) -> list[tuple[int, int]]:
    """Return the first and the last + 1 level of each span of high levels; shorter pauses do not end one."""
    spans: list[tuple[int, int]] = []
    for level in np.flatnonzero(high):
        if spans and (edge_ns[level] - edge_ns[spans[-1][1]]) * 1e-9 < least_s:
            spans[-1] = (spans[-1][0], int(level) + 1)
        else:
            spans.append((int(level), int(level) + 1))
    return spans


def _main_part(
    levels: np.ndarray, lengths: np.ndarray, first: int, last: int, threshold_w: float
) -> tuple[int, int, float]:
    """Return a span without the short levels at its ends that differ from its longest: loading, tidying up."""
    longest = first + int(np.argmax(lengths[first:last]))
    level = levels[longest]
    apart = APART * 2 * (level - threshold_w)
    while first < longest and abs(levels[first] - level) > apart and lengths[first] < SHORT * lengths[longest]:
        first += 1
    while last > longest + 1 and abs(levels[last - 1] - level) > apart and lengths[last - 1] < SHORT * lengths[longest]:
        last -= 1
    return first, last, float(level)


def _parting(levels: np.ndarray, lengths: np.ndarray) -> float:
    order = np.argsort(levels)
    levels, share = levels[order], lengths[order] / lengths.sum()
    if len(levels) < 2 or levels[0] == levels[-1]:
        raise EdgejouleError("the trace is at one level throughout; mark its events in a file, or give a threshold")
    below, sums = np.cumsum(share)[:-1], np.cumsum(share * levels)
    between = (sums[-1] * below - sums[:-1]) ** 2 / (below * (1 - below))
    best = int(np.argmax(between))
    # The middle of the two groups' means, not of their nearest levels: edges are crossed there.
    return float((sums[best] / below[best] + (sums[-1] - sums[best]) / (1 - below[best])) / 2)


class _Crossing:
    """Where power crosses a threshold, on a line between two readings, nearest to a coarse edge."""

    def __init__(self, edge_ns: int, half_ns: float, threshold_w: float) -> None:
        self.found_ns, self._edge_ns, self._threshold_w = edge_ns, edge_ns, threshold_w
        self._from_ns, self._to_ns = edge_ns - half_ns, edge_ns + half_ns
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self._nearest_ns = np.inf

    def feed(self, t_ns: np.ndarray, power_w: np.ndarray) -> None:
        """Look at the next readings."""
        if t_ns[-1] < self._from_ns or (self._last is None and t_ns[0] > self._to_ns):
            return
        first, last = np.searchsorted(t_ns, [self._from_ns, self._to_ns])
        t_ns, power_w = t_ns[first : last + 1], power_w[first : last + 1]
        if self._last is not None:
            t_ns, power_w = np.append(self._last[0], t_ns), np.append(self._last[1], power_w)
        self._last = (t_ns[-1:], power_w[-1:]) if t_ns[-1] <= self._to_ns else None
        above = power_w > self._threshold_w
        flips = np.flatnonzero(above[1:] != above[:-1])
        if not len(flips):
            return
        flip = flips[np.argmin(np.abs(t_ns[flips] - self._edge_ns))]
        if abs(t_ns[flip] - self._edge_ns) < self._nearest_ns:
            self._nearest_ns = abs(t_ns[flip] - self._edge_ns)
            share = (self._threshold_w - power_w[flip]) / (power_w[flip + 1] - power_w[flip])
            self.found_ns = int(t_ns[flip] + share * (t_ns[flip + 1] - t_ns[flip]))
