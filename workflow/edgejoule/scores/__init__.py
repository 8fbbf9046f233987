"""Scores of devices: PCS and IECS."""
