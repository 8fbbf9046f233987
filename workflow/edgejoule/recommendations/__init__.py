"""Recommendations: the most accuracy that an energy budget can buy."""

from edgejoule.recommendations.build import (
    LeftOut,
    build_device,
    build_devices,
    build_tasks,
    build_validation,
    join_validation,
)
from edgejoule.recommendations.catalogue import Catalogue, build_catalogue
from edgejoule.recommendations.recommend import recommend
from edgejoule.recommendations.request import Request

__all__ = [
    "Catalogue",
    "LeftOut",
    "Request",
    "build_catalogue",
    "build_device",
    "build_devices",
    "build_tasks",
    "build_validation",
    "join_validation",
    "recommend",
]
