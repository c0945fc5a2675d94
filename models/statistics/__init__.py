"""Formulas on plain arrays, which know nothing of this project."""
