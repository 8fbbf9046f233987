"""Predictors of latency, power and energy."""
