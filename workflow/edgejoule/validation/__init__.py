"""Proof of the predictors on networks that they have not seen."""
