"""edgejoule: what deep learning costs on edge devices, from measurements."""

__version__ = "0.1.0"
