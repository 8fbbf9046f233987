"""The command line, on top of everything."""

from edgejoule.cli.main import main

__all__ = ["main"]
