"""Networks to kernels: the zoo, its export, and the kernels that each runtime executes.

``zoo`` reads the list of networks, ``builders`` builds them, ``export`` writes them as ONNX, ``files`` reads anybody's
ONNX, ``model`` makes a light graph of it, ``fusion`` applies a runtime's ``rules`` to it or ``runtimes`` asks the
runtime, ``costs`` says what each kernel is and does, ``kernels`` makes the table that other stages read, ``describe``
does all that for the zoo. Only functions that build networks import torch and timm.
"""

from edgejoule.graphs.zoo import read_zoo, select

__all__ = ["kernels_of_file", "read_zoo", "select"]


def __getattr__(name: str):
    # Reading ONNX takes imports that those who only want the zoo should not wait for.
    if name == "kernels_of_file":
        from edgejoule.graphs.kernels import kernels_of_file

        return kernels_of_file
    raise AttributeError(f"module 'edgejoule.graphs' has no attribute '{name}'")
