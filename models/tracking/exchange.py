"""What trainings and nights hand to the tracking store, and what comes back: plain values, no MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.prediction.classifier import FittedModel


@dataclass(frozen=True)
class TrackingStore:
    """Where runs and models are kept.

    Parameters
    ----------
    uri
        Absolute tracking URI.
    home
        The config's home; holds `mlartifacts/` and the lock.
    experiment
        Experiment of the trainings; `<experiment> baselines` and `<experiment> nightly` stand beside it.
    name
        Registered model.
    """

    uri: str
    home: Path
    experiment: str
    name: str


@dataclass(frozen=True)
class TrainingRecord:
    """What is logged of one training; no customer ids and no rows.

    Parameters
    ----------
    run_name, description
        For the list of runs and the page of the run.
    params, metrics, tags
        Flat values; metrics that are not finite are left out.
    headline
        Names of the metrics that the table of runs shows.
    steps
        Metric name to (step, milliseconds, value): one step a test snapshot.
    baselines
        Baseline name to its metrics; a child run each.
    datasets
        Role to fingerprint.
    files
        Path to content, such as pictures.
    metadata
        Goes with the model: label window, dates, feature catalogue.
    trials
        Sizes and log loss of each try of a search; a child run each.
    """

    run_name: str
    description: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    headline: Sequence[str] = ()
    steps: Mapping[str, Sequence[tuple[int, int, float]]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    trials: Sequence[tuple[Mapping[str, float], float]] = ()


@dataclass(frozen=True)
class Champion:
    """A registered model, read and checked.

    Parameters
    ----------
    model
        What scores: D of `models.backtest.recipe`.
    held
        The other models by name: E as `holdout`, or those of the cross-validation.
    metadata
        As in `TrainingRecord.metadata`.
    version, run_id
        In the registry.
    digest
        SHA-256 of its files.
    files
        What the digest covers: name to content.
    why
        Of a challenger that waits: why it was proven.
    """

    model: FittedModel
    held: Mapping[str, FittedModel]
    metadata: Mapping[str, Any]
    version: int
    run_id: str
    digest: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    why: str = ""

    @property
    def holdout(self) -> FittedModel:
        """E of `models.backtest.recipe`, which has not seen the newest mature snapshot of its training."""
        return self.held["holdout"]


@dataclass(frozen=True)
class Logged:
    """Where a training went.

    Parameters
    ----------
    url
        Of its run; None where no server serves it.
    """

    run_id: str
    version: int
    url: str | None
