"""Runnable networks in FP16 and INT8, from the FP32 file, and how far they compute something else.

INT8 is ONNX Runtime's static quantisation in QDQ form, calibrated with random inputs: good enough for cost, which does
not depend on the values, and useless for accuracy; the file says so in its metadata.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.tables import atomic_path

#: Metadata keys: what the weights and scales are good for; the largest difference from the FP32 output.
CALIBRATION = "edgejoule.calibration"
DIFFERENCE = "edgejoule.difference_from_fp32"
_BATCHES = 2


def convert(source: Path | str, target: Path | str, precision: str, seed: int = 0) -> float:
    """Write a runnable FP32 network in another precision.

    Args:
        source: ONNX file with weights, one floating-point input.
        target: the converted file.
        precision: fp16 (weights and activations; input and output stay float32) or int8 (QDQ).
        seed: seed of the random inputs, for calibration and comparison.

    Returns:
        The largest difference from the FP32 output over the largest FP32 output, on one random input. The file says it
        too, in its metadata.

    Raises:
        EdgejouleError: the precision is neither, or the network has other than one floating-point input.
    """
    if precision not in ("fp16", "int8"):
        raise EdgejouleError(f"{source}: cannot convert to '{precision}'; {did_you_mean(precision, ('fp16', 'int8'))}")
    name, shape = _input(Path(source))
    random = np.random.default_rng(seed)
    inputs = [{name: random.standard_normal(shape, dtype=np.float32)} for _ in range(_BATCHES)]
    with atomic_path(target) as temporary:
        if precision == "fp16":
            _to_fp16(Path(source), temporary)
        else:
            _to_int8(Path(source), temporary, inputs)
        difference = _difference(Path(source), temporary, inputs[0])
        _note(temporary, DIFFERENCE, f"{difference:.3g} of the largest output, on a random input")
        return difference


def _note(path: Path, key: str, value: str) -> None:
    model = onnx.load(path)
    entry = model.metadata_props.add()
    entry.key, entry.value = key, value
    onnx.save(model, path)


def _input(source: Path) -> tuple[str, tuple[int, ...]]:
    graph = onnx.load(source, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        raise EdgejouleError(
            f"{source}: conversion needs one float32 input, but there are {len(inputs)} of other kinds"
        )
    return inputs[0].name, tuple(axis.dim_value for axis in inputs[0].type.tensor_type.shape.dim)


def _to_fp16(source: Path, target: Path) -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


def _to_int8(source: Path, target: Path, inputs: list[dict[str, np.ndarray]]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Random(CalibrationDataReader):
        """Hands out the random inputs one by one."""

        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._left, None)

    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Normalisation is folded first, as runtimes do, so that convolutions are quantised with it.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Random(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    _note(target, CALIBRATION, "random inputs: for cost, not for accuracy")


def _difference(source: Path, target: Path, given: dict[str, np.ndarray]) -> float:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    first, second = (
        ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, given)[0]
        for path in (source, target)
    )
    return float(np.abs(first - second).max() / np.abs(first).max())
