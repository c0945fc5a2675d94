"""Tracking stores of the tests, in a folder each."""

from models.tracking.registry import TrackingStore


def tracking_in(home):
    """The store of a config `tiny` whose home is this folder."""
    return TrackingStore(f"sqlite:///{home}/mlflow.db", home, "tiny", "tiny")
