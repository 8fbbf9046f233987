"""Figures from Parquet."""
