"""Measuring kernels as they run inside networks: in a sandwich, with caches flushed between runs."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes import Runtime

#: What ONNX Runtime appends to the names of nodes that it moves to its blocked layout.
BLOCKED = "_nchwc"
#: Runs of a sandwich that count, after one that does not.
RUNS = 6
#: Bytes that are written between runs: more than the last cache of any board, and of one complex of a server.
FLUSH_BYTES = 40 * 2**20


@cache
def _buffer() -> np.ndarray:
    return np.zeros(FLUSH_BYTES // 4, np.float32)


def flush_caches() -> None:
    """Write a buffer that is larger than the caches, so that weights have to come from memory again."""
    buffer = _buffer()
    np.add(buffer, 1, out=buffer)


def measure_kernel(configuration: Mapping, runtime: Runtime, runs: int = RUNS, isolated: bool = False) -> np.ndarray:
    """Return the kernel's duration in each run (ns), shape (runs,).

    Args:
        configuration: a row of a kernel plan.
        runtime: one whose profiler times single nodes.
        runs: how many runs count.
        isolated: by itself and with warm caches, the usual, too favourable way.

    Raises:
        EdgejouleError: the kernel cannot be rebuilt, or the runtime executes it as something else than asked for.
    """
    try:
        from edgejoule.measure.sandwich import MIDDLE, sandwich
    except ModuleNotFoundError as error:
        raise EdgejouleError(f"measuring kernels needs the package '{error.name}' where it is done") from error
    between = (lambda: None) if isolated else flush_caches
    durations, nodes = runtime.middle(sandwich(configuration, isolated), MIDDLE, runs, between)
    if len(nodes) != 1:
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes it as {len(nodes)} nodes "
            f"({'+'.join(operator for _, operator in nodes) or 'none'}), not as one"
        )
    name, operator = nodes[0]
    if "onnxruntime" in runtime.versions() and (BLOCKED in name) != (configuration["layout"] == "nchwc"):
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes it in "
            f"{'its blocked' if BLOCKED in name else 'the plain'} layout between these neighbours"
        )
    if operator != configuration["operator"]:
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes it as {operator} between these neighbours, "
            f"not as {configuration['operator']}"
        )
    return durations
