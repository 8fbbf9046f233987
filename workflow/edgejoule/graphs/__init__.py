"""Networks to kernels: the zoo, its export, and the kernels that each runtime executes.

``zoo`` reads the list of networks, ``builders`` builds them, ``export`` writes them as ONNX, ``model`` reads ONNX back as
a light graph, ``fusion`` applies a runtime's rules to it, ``runtimes`` asks a runtime instead, and ``kernels`` puts
either answer into the table that other stages read. Modules import torch, timm and ONNX Runtime only where they work.
"""
