"""The configuration: models, loading, and the schema for editors."""

from edgejoule.config.applications import Applications, load_applications
from edgejoule.config.load import check_files, device_files, load_device, load_run
from edgejoule.config.models import Device, Run

__all__ = [
    "Applications",
    "Device",
    "Run",
    "check_files",
    "device_files",
    "load_applications",
    "load_device",
    "load_run",
]
