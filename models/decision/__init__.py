"""Choices under limits."""
