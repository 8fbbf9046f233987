"""Even samples of a series that is too long to hold: of its values, for their median, or of runs of neighbours."""

import numpy as np

#: Most values that are kept.
MOST = 600_000
#: Neighbouring values in a run.
RUN = 4096


class Sample:
    """Every value of a series while they are few; every third, ninth, ... of them when they become many.

    The stride is odd, so as not to fall in step with what repeats itself every two, four or ten values.
    """

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._stride, self._kept, self._next = 1, 0, 0

    def feed(self, values: np.ndarray) -> None:
        """Add the next values."""
        chosen = values[self._next :: self._stride].copy()
        self._next = (self._next - len(values)) % self._stride
        self._parts.append(chosen)
        self._kept += len(chosen)
        while self._kept > MOST:
            # The next value to be kept is number kept x stride; thinned, the next is the first multiple from there on.
            self._next += -self._kept % 3 * self._stride
            self._parts = [np.concatenate(self._parts)[::3].copy()]
            self._kept, self._stride = len(self._parts[0]), 3 * self._stride

    @property
    def values(self) -> np.ndarray:
        """The sample, in order."""
        return np.concatenate(self._parts) if self._parts else np.empty(0)


class Runs:
    """Every run of neighbouring values while they are few; every third, ninth, ... run when they become many.

    Single values, evenly spaced, may fall in step with what repeats itself; runs show it as it is.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[int, np.ndarray]] = []
        self._stride, self._kept, self._count = 1, 0, 0

    def feed(self, values: np.ndarray) -> None:
        """Add the next values."""
        at = 0
        while at < len(values):
            run, into = divmod(self._count, RUN)
            part = values[at : at + RUN - into]
            if run % self._stride == 0:
                self._runs.append((run, part.copy()))
                self._kept += len(part)
            at += len(part)
            self._count += len(part)
        while self._kept > MOST:
            self._stride *= 3
            self._runs = [(run, part) for run, part in self._runs if run % self._stride == 0]
            self._kept = sum(len(part) for _, part in self._runs)

    @property
    def values(self) -> np.ndarray:
        """The sample, in order."""
        return np.concatenate([part for _, part in self._runs]) if self._runs else np.empty(0)
