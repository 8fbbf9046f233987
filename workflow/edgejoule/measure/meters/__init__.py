"""Power meters behind one interface. Modules import nothing but the standard library and the meter's own package."""

from edgejoule.measure.meters.base import Meter, open_meter

__all__ = ["Meter", "open_meter"]
