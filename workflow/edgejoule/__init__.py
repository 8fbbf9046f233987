"""edgejoule: what deep learning costs on edge devices, from measurements."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Give ``edgejoule.load_predictor`` without loading pandas and friends for those who do not ask for it."""
    if name == "load_predictor":
        from importlib import import_module

        return import_module("edgejoule.predictors").load_predictor
    raise AttributeError(f"module 'edgejoule' has no attribute '{name}'")
