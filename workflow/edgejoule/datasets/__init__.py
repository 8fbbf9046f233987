"""Datasets: recordings and tables to energy per network, kernel and application."""
