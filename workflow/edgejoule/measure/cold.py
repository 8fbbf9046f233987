"""Measuring kernels as they run inside networks: in a sandwich, with caches flushed between runs."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes import Runtime

#: What the names of all operators of the kernel hold, in a sandwich.
MIDDLE = "middle"
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


def _for_onnxruntime(configuration: Mapping, isolated: bool) -> bytes:
    from edgejoule.measure.sandwich import sandwich

    return sandwich(configuration, isolated)


def _for_openvino(configuration: Mapping, isolated: bool) -> bytes:
    """Put the kernel between softmaxes, which OpenVINO fuses with nothing; it chooses layouts itself."""
    from edgejoule.measure.sandwich import sandwich

    return sandwich({**configuration, "layout": "plain"}, isolated, ("Softmax", {"axis": 1}))


def _for_litert(configuration: Mapping, isolated: bool) -> bytes:
    from edgejoule.measure.sandwich_tflite import sandwich

    return sandwich(configuration, isolated)


#: Runtime whose profiler tells one node from its neighbours: what builds its sandwiches.
SANDWICHES: dict[str, Callable[[Mapping, bool], bytes]] = {
    "onnxruntime": _for_onnxruntime,
    "openvino": _for_openvino,
    "litert": _for_litert,
}


def has_sandwiches(runtime: Runtime) -> bool:
    """Return whether a runtime's profiler tells a kernel from its neighbours."""
    return any(name in runtime.versions() for name in SANDWICHES)


def model_of(configuration: Mapping, runtime: Runtime, isolated: bool) -> bytes:
    """Return the model file of one kernel between its neighbours, or ``isolated``, for one of ``SANDWICHES``.

    Raises:
        EdgejouleError: the kernel cannot be rebuilt, or what builds models is not installed.
    """
    name = next(name for name in SANDWICHES if name in runtime.versions())
    try:
        return SANDWICHES[name](configuration, isolated)
    except ModuleNotFoundError as error:
        raise EdgejouleError(f"measuring kernels needs the package '{error.name}' where it is done") from error


def measure_kernel(configuration: Mapping, runtime: Runtime, runs: int = RUNS, isolated: bool = False) -> np.ndarray:
    """Return the kernel's duration in each run (ns), shape (runs,).

    Args:
        configuration: a row of a kernel plan.
        runtime: one of ``SANDWICHES``. What rules call one kernel may be several nodes; they are summed.
        runs: how many runs count.
        isolated: by itself and with warm caches, the usual, too favourable way.

    Raises:
        EdgejouleError: the kernel cannot be rebuilt, the runtime executes it as something else than in a network, or
            faster than its profiler can tell.
    """
    model = model_of(configuration, runtime, isolated)
    durations, nodes = runtime.middle(model, MIDDLE, runs, (lambda: None) if isolated else flush_caches)
    if "onnxruntime" in runtime.versions():
        check_told(configuration, nodes)
    elif not durations.all():
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes "
            f"{'+'.join(operator for _, operator in nodes) or 'nothing'}, for no time that its profiler can tell"
        )
    return durations


def check_told(configuration: Mapping, nodes: list[tuple[str, str]]) -> None:
    """Check that ONNX Runtime, which was asked for its kernels, executes this one as it does in a network.

    Raises:
        EdgejouleError: as several nodes, in another layout, or as another operator.
    """
    if len(nodes) != 1:
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes it as {len(nodes)} nodes "
            f"({'+'.join(operator for _, operator in nodes) or 'none'}), not as one"
        )
    name, operator = nodes[0]
    if (BLOCKED in name) != (configuration["layout"] == "nchwc"):
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes it in "
            f"{'its blocked' if BLOCKED in name else 'the plain'} layout between these neighbours"
        )
    if operator != configuration["operator"]:
        raise EdgejouleError(
            f"kernel '{configuration['kernel']}': the runtime executes it as {operator} between these neighbours, "
            f"not as {configuration['operator']}"
        )
