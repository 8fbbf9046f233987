"""The first session of a process decides how its main thread treats denormal numbers from then on.

The recorder's sessions flush them to zero, which hypothesis rightly complains of; so an ordinary one comes first.
"""

import onnxruntime
from onnx import TensorProto, helper

_value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
_graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "first", [_value],
                           [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])  # fmt: skip
_model = helper.make_model(_graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(_model.SerializeToString(), providers=["CPUExecutionProvider"])
