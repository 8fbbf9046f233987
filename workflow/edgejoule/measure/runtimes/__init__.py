"""Inference runtimes behind one interface. Modules import nothing but the standard library, NumPy and the runtime."""

from edgejoule.measure.runtimes.base import NodeTime, Runtime, Session, binaries, open_runtime

__all__ = ["NodeTime", "Runtime", "Session", "binaries", "open_runtime"]
