"""Recordings: importers, integration, quality."""
