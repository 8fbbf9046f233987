"""The configuration: models, loading, and the schema for editors."""

from edgejoule.config.load import device_files, load_device, load_run, load_run_files
from edgejoule.config.models import Device, Run

__all__ = ["Device", "Run", "device_files", "load_device", "load_run", "load_run_files"]
