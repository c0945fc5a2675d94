"""Runs and registered models; the one room that speaks to MLflow."""
