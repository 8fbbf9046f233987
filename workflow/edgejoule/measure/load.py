"""A workload as a session that can be run: from its model file, or built where it is run."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import model_of
from edgejoule.measure.plan import Workload, sha256_of
from edgejoule.measure.runtimes import Runtime, Session


def load(workload: Workload, models: Path, runtime: Runtime) -> Session:
    """Return a workload ready to run.

    Args:
        workload: a network, application or kernel.
        models: folder that the plan's model files are relative to.
        runtime: what runs it.

    Raises:
        EdgejouleError: the model file is absent or another one, or the kernel cannot be built or run alone.
    """
    if workload.model:
        model = models / workload.model
        if not model.is_file() or sha256_of(model) != workload.sha256:
            raise EdgejouleError(
                f"{workload.model}: not the model file that the plan was made for; delete it and record anew"
            )
        return runtime.prepare(model)
    if "pytorch" in runtime.versions():
        return runtime.build(workload.kind, workload.configuration)
    return load_kernel(workload.configuration, runtime)


def load_kernel(configuration: Mapping, runtime: Runtime) -> Session:
    """Return a kernel alone, as a model that holds nothing else, ready to run.

    Raises:
        EdgejouleError: it cannot be built or run.
    """
    with TemporaryDirectory() as folder:
        # OpenVINO tells formats by the ending, the others do not look at it.
        model = Path(folder) / "kernel.onnx"
        model.write_bytes(model_of(configuration, runtime, isolated=True))
        return runtime.prepare(model)
