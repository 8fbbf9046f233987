"""The runtimes behind their interface, really run."""

import ctypes
import json

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, save
from tiny_models import write_conv, write_tflite

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes import base, open_runtime
from edgejoule.measure.runtimes.inputs import random_input
from edgejoule.measure.runtimes.onnx_runtime import read_profile

ONE_THREAD = {"name": "onnxruntime", "backend": "cpu", "threads": 1}


def test_runs_and_times_every_inference(tmp_path):
    session = open_runtime(ONE_THREAD).prepare(write_conv(tmp_path / "m.onnx"))
    durations = session.run(7)
    session.close()
    assert durations.shape == (7,) and durations.dtype == np.int64 and (durations > 0).all()


def test_a_larger_network_takes_longer(tmp_path):
    runtime = open_runtime(ONE_THREAD)
    small = runtime.prepare(write_conv(tmp_path / "s.onnx", size=16)).run(20)
    large = runtime.prepare(write_conv(tmp_path / "l.onnx", size=128)).run(20)
    assert large.min() > 4 * small.min()


def test_says_version_and_settings():
    runtime = open_runtime({**ONE_THREAD, "threads": 2})
    assert runtime.versions()["onnxruntime"].count(".") == 2
    assert runtime.settings()["intra_op_threads"] == "2"
    assert runtime.settings()["provider"] == "CPUExecutionProvider"


def test_times_the_nodes_as_the_runtime_fused_them(tmp_path):
    nodes = open_runtime(ONE_THREAD).nodes(write_conv(tmp_path / "m.onnx", channels=16, size=64, layers=3), runs=5)
    convolutions = [node for node in nodes if "Conv" in node.operator]
    assert len(convolutions) == 3, "each ReLU is fused into its convolution"
    assert [node.index for node in nodes] == list(range(len(nodes)))
    assert all(node.duration_ns > 0 for node in convolutions)
    assert json.loads(convolutions[0].output_shapes) == [{"float": [1, 16, 64, 64]}]


def test_profile_keeps_the_fastest_run_and_skips_the_first():
    def event(name, duration, index):
        return {"cat": "Node", "name": f"{name}_kernel_time", "dur": duration,
                "args": {"op_name": "Conv", "node_index": index}}  # fmt: skip

    runs = [[1, 2], [9, 8], [7, 6], [5, 9]]
    events = [event(name, dur, str(i)) for run in runs for i, (name, dur) in enumerate(zip("ab", run, strict=True))]
    nodes = read_profile([{"cat": "Session", "name": "model_run", "dur": 3}, *events], skip=1)
    assert [(node.node, node.duration_ns) for node in nodes] == [("a", 5000), ("b", 6000)]


#: Runtime: its package, what makes a small model for it, the model's ending, and the setting that tells its threads.
OTHERS = {
    "litert": ("ai_edge_litert", write_tflite, ".tflite", "threads"),
    "openvino": ("openvino", write_conv, ".onnx", "INFERENCE_NUM_THREADS"),
}


@pytest.fixture(params=OTHERS)
def other(request, tmp_path):
    package, make, suffix, threads = OTHERS[request.param]
    pytest.importorskip(package, reason=f"the package '{package}' is an extra that is not installed")
    return request.param, open_runtime({"name": request.param, "threads": 1}), make(tmp_path / f"m{suffix}"), threads


def test_every_runtime_runs_and_says_what_it_is(other):
    name, runtime, model, threads = other
    durations = runtime.prepare(model).run(5)
    assert durations.shape == (5,) and (durations > 0).all()
    assert runtime.versions()[name][0].isdigit()
    assert runtime.settings()[threads] == "1"


def test_every_runtimes_libraries_are_known_by_their_hashes(other, monkeypatch):
    name, *_ = other
    monkeypatch.setattr(base, "sha256_of", lambda path: f"hash of {path.name}")
    libraries = base.binaries(name)
    assert any(main in " ".join(libraries) for main in ("libLiteRt", "libopenvino", "libtorch_cpu"))
    assert all(digest == f"hash of {library}" for library, digest in libraries.items())


def test_every_runtime_says_which_model_does_not_load(other, tmp_path):
    _, runtime, model, _ = other
    model.write_bytes(b"nothing of the kind")
    with pytest.raises(EdgejouleError, match=rf"{model.name}: \w+ does not load it") as error:
        runtime.prepare(model)
    assert str(tmp_path) not in str(error.value)


def test_openvino_times_what_it_executes(tmp_path):
    pytest.importorskip("openvino", reason="the package 'openvino' is an extra that is not installed")
    nodes = open_runtime({"name": "openvino"}).nodes(write_conv(tmp_path / "m.onnx", channels=16, size=64), runs=3)
    assert sum(node.duration_ns for node in nodes) > 0
    assert [node.index for node in nodes] == sorted(node.index for node in nodes)


@pytest.fixture
def litert():
    pytest.importorskip("ai_edge_litert", reason="the package 'ai-edge-litert' is an extra that is not installed")
    return open_runtime({"name": "litert", "threads": 1})


def test_litert_times_each_operator_as_it_executes_it(litert, tmp_path):
    nodes = litert.nodes(write_tflite(tmp_path / "m.tflite", channels=16, size=64, layers=3), runs=3)
    assert [node.node for node in nodes] == ["xnnpack/0", "xnnpack/1", "xnnpack/2"]
    assert all(node.operator.startswith("Convolution (NHWC, F32)") and node.duration_ns > 0 for node in nodes)


def first_output(model, shape):
    """Return a copy of a model's first output: its buffer locked for reading, which measuring never needs."""
    value, address, buffer = np.empty(shape, np.float32), ctypes.c_void_p(), ctypes.c_void_p(model.outputs[0])
    model.library.call("LiteRtLockTensorBuffer", buffer, ctypes.byref(address), 0)
    ctypes.memmove(value.ctypes.data, address, value.nbytes)
    model.library.call("LiteRtUnlockTensorBuffer", buffer)
    return value


def test_litert_computes_what_onnx_runtime_computes(litert, tmp_path):
    session = litert.prepare(write_tflite(tmp_path / "m.tflite"))
    session.run(1)
    value = random_input("x", [1, 16, 16, 8], np.float32)
    reference = onnxruntime.InferenceSession(write_conv(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    (expected,) = reference.run(None, {"x": value.transpose(0, 3, 1, 2)})
    np.testing.assert_allclose(
        first_output(session.model, (1, 16, 16, 8)), expected.transpose(0, 2, 3, 1), rtol=1e-4, atol=1e-5
    )
    session.close()


def test_litert_says_that_its_profiler_speaks_another_way(litert, tmp_path, monkeypatch):
    from edgejoule.measure.runtimes import litert_library

    class Shorter(ctypes.Structure):
        _fields_ = litert_library._Event._fields_[:-1]

    monkeypatch.setattr(litert_library, "_Event", Shorter)
    with pytest.raises(EdgejouleError, match="profiler events of another length"):
        litert.nodes(write_tflite(tmp_path / "m.tflite"), runs=1)


def test_a_broken_model_leaves_litert_usable(litert, tmp_path):
    (tmp_path / "bad.tflite").write_bytes(b"\0" * 64)
    for _ in range(3):
        with pytest.raises(EdgejouleError, match=r"bad\.tflite: LiteRT does not load it"):
            litert.prepare(tmp_path / "bad.tflite")
    assert litert.prepare(write_tflite(tmp_path / "m.tflite")).run(2).shape == (2,)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"name": "armnn"}, "runtime 'armnn' cannot be measured live"),
        ({"name": "pytorch", "backend": "opencl"}, "PyTorch has no backend 'opencl' here; available: cpu, cuda"),
        ({"name": "onnxruntime", "backend": "cuda"}, "no backend 'cuda' here; available: .*cpu"),
        ({"name": "onnxruntime", "version": "0.1"}, "but the device file says 0.1"),
    ],
)
def test_says_what_cannot_be_opened(settings, sentence):
    with pytest.raises(EdgejouleError, match=sentence):
        open_runtime(settings)


def test_says_which_model_does_not_load(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no protobuf at all")
    with pytest.raises(EdgejouleError, match=r"bad\.onnx: ONNX Runtime does not load it"):
        open_runtime(ONE_THREAD).prepare(tmp_path / "bad.onnx")


def test_says_that_an_input_has_no_fixed_shape(tmp_path):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [out])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    with pytest.raises(EdgejouleError, match=r"'x' has the shape .*batch.* fixed lengths"):
        open_runtime(ONE_THREAD).prepare(tmp_path / "m.onnx")


def test_inputs_are_the_same_each_time_and_fit_their_type():
    assert (random_input("x", [1, 3, 4, 4], np.float32) == random_input("x", [1, 3, 4, 4], np.float32)).all()
    assert random_input("x", [2, 5], np.int64).dtype == np.int64
    assert random_input("x", [2, 5], np.float16).dtype == np.float16
