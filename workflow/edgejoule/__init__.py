"""edgejoule: what deep learning costs on edge devices, from measurements.

``load_predictor`` gives a device's trained predictor, ``kernels_of_file`` the kernels of an ONNX file on a runtime, and
``network_features`` what a predictor sees of them; docs/predictors.md shows how they go together. Bad input raises
``EdgejouleError``.
"""

from edgejoule.errors import EdgejouleError

__version__ = "0.1.0"

#: Where the names that need pandas, NumPy or ONNX come from; imported when they are asked for.
_LAZY = {
    "kernels_of_file": "edgejoule.graphs",
    "load_predictor": "edgejoule.predictors",
    "network_features": "edgejoule.predictors",
}

__all__ = ["EdgejouleError", "kernels_of_file", "load_predictor", "network_features"]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'edgejoule' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
