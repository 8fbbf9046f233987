"""Importers: one module per format; each gives a canonical ``Recording``."""
