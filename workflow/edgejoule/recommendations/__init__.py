"""Recommendations: the most accuracy that an energy budget can buy."""

from edgejoule.recommendations.build import build_device
from edgejoule.recommendations.catalogue import Catalogue, build_catalogue

__all__ = ["Catalogue", "build_catalogue", "build_device"]
