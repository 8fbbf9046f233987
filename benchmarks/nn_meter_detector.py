"""Time nn-Meter's converter and kernel detector on ONNX files, in an environment of its own.

    python3.11 -m venv nn-meter && nn-meter/bin/pip install nn-meter==2.0 onnx onnxsim "setuptools<70"
    python benchmarks/graphs.py --nn-meter nn-meter/bin/python

Called by ``benchmarks/graphs.py``; imports nothing of this project. Files are simplified first, as nn-Meter needs it,
and outside the clock. nn-Meter's own fusion rules come with its predictors, a download of their own; without them it
detects the blocks that it has built in. Prints one JSON object: file name to processor seconds and kernels, or to an
error.
"""

import json
import sys
import time

import onnx
import onnxsim
from nn_meter.ir_converter.utils import onnx_model_to_graph
from nn_meter.kernel_detector import KernelDetector


def detect(path: str, repeats: int) -> dict[str, object]:
    model, _ = onnxsim.simplify(onnx.load(path))
    times = []
    for _ in range(repeats):
        start = time.process_time()
        try:
            detector = KernelDetector(None)
            detector.load_graph(onnx_model_to_graph(model))
            kernels = detector.get_kernels()
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
            return {"error": f"{type(error).__name__}: {error}"[:80]}
        times.append(time.process_time() - start)
    return {"seconds": sorted(times)[len(times) // 2], "kernels": len(kernels)}


if __name__ == "__main__":
    print(json.dumps({path: detect(path, int(sys.argv[1])) for path in sys.argv[2:]}))
