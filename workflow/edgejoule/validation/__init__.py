"""Proof of the predictors on networks that they have not seen."""

from edgejoule.validation.run import validate
from edgejoule.validation.summary import summarise

__all__ = ["summarise", "validate"]
