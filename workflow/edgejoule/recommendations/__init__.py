"""Recommendations: the most accuracy that an energy budget can buy."""
