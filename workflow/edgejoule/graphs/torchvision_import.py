"""Importing torchvision beside a CPU build of torch.

torchvision's wheel is built against one exact torch with CUDA. Beside a CPU build of that version its C++ part does not
load, so two operators that its Python part decorates at import are never registered, and the import fails. Declaring
their schemas first lets it through; neither operator is ever called by a classification network.
"""

import sys
from types import ModuleType

from edgejoule.errors import EdgejouleError

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
#: Keeps the declarations alive: a torch library withdraws them when it is collected.
_declared = []


def import_torchvision() -> ModuleType:
    """Import torchvision, with the missing operators declared only if the plain import fails.

    Raises:
        EdgejouleError: torchvision is not installed.
    """
    try:
        import torchvision
    except ImportError as error:
        raise EdgejouleError("zoo: torchvision is missing; pip install 'edgejoule[zoo]'") from error
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        import torch

        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            library.define(schema)
        _declared.append(library)
        import torchvision
    return torchvision
