"""Where a config's models are, and moving the champion by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from configs.errors import ConfigError, Fault, UnfitError
from configs.schema import Churn, Config
from models.tracking import registry
from models.tracking.registry import Champion, TrackingStore
from pipeline.result import Result


def tracking_of(config: Config) -> TrackingStore:
    """Where this config's runs and models are."""
    experiment = config.tracking.experiment or config.name
    return TrackingStore(config.tracking_uri, config.home.absolute(), experiment, config.name)


def definition(config: Config) -> dict[str, Any]:
    """What churn means in a config: two models are comparable only when this is equal."""
    used = {
        "contractual": {"horizon_days", "gap_days", "not_churn_reasons"},
        "non_contractual": {"horizon_days", "gap_days", "active_days"},
        "labelled": {"horizon_days", "churned_values"},
    }
    return config.churn.model_dump(mode="json", include={"kind", *used[config.churn.kind]})


def recipe_of(config: Config) -> str:
    """SHA-256 of all that a config says about how a model is made: a training with the same only has other rows."""
    sources = {
        role: sorted([*source.columns.model_dump(exclude_none=True), *getattr(source, "attributes", ())])
        for role, source in config.sources.given.items()
    }
    aside = {
        "canary_nights",
        "horizons_days",
        "protected",
        "threads",
        "test_snapshots",
        "min_gain",
        "tune_trials",  # what a search finds is taken only where it is better on later snapshots
        "tune_seconds",
    }
    told = {
        "definition": definition(config),
        "sources": sources,
        "snapshots": config.snapshots.model_dump(mode="json"),
        "features": config.features.model_dump(mode="json"),
        "model": config.model.model_dump(mode="json", exclude=aside),
        "seed": config.seed,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def age_days(champion: Champion, as_of: dt.date) -> int:
    """Days from the date as of which the champion was trained to another."""
    return (as_of - dt.date.fromisoformat(champion.metadata["as_of"])).days


def require_same_definition(champion: Champion, config: Config) -> None:
    """Refuse a champion that predicts something else than the config asks for.

    Raises
    ------
    UnfitError
        With each setting that has changed.
    """
    was, now = champion.metadata["definition"], definition(config)
    before = {
        name: field.get_default(call_default_factory=True) for name, field in Churn.model_fields.items()
    } | was
    faults = [
        Fault(f"churn.{name}", f"is {now[name]}, the champion was trained with {before[name]}")
        for name in now
        if now[name] != before[name]
    ]
    if faults:
        raise UnfitError(
            f"what churn means has changed since the champion, version {champion.version}, was trained; "
            "run `churn train`, or set it back",
            faults,
        )


def promote(config: Config, version: int, reason: str) -> Result:
    """Make a version the champion; the reason is kept with it."""
    previous = registry.make_champion(tracking_of(config), version, _said(reason), by_hand=True)
    before = f", version {previous} before" if previous is not None else ""
    values = {"champion": version, "previous": previous, "reason": reason}
    return Result(f"version {version} of {config.name} is champion{before}", values)


def rollback(config: Config, reason: str) -> Result:
    """Bring the previous champion back; the reason is kept with it."""
    replaced, now = registry.restore_champion(tracking_of(config), _said(reason))
    values = {"champion": now, "previous": replaced, "reason": reason}
    return Result(f"version {now} of {config.name} is champion again, version {replaced} before", values)


def _said(reason: str) -> str:
    if not reason.strip():
        raise ConfigError("--reason is empty; say why, for those who read the registry later")
    return reason.strip()
