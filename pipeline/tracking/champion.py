"""Where a config's models are, and moving the champion by hand."""

from __future__ import annotations

from configs.errors import ConfigError
from configs.schema import Config
from models.tracking import registry
from models.tracking.registry import TrackingStore
from pipeline.result import Result


def tracking_of(config: Config) -> TrackingStore:
    """Where this config's runs and models are."""
    experiment = config.tracking.experiment or config.name
    return TrackingStore(config.tracking_uri, config.home.absolute(), experiment, config.name)


def promote(config: Config, version: int, reason: str) -> Result:
    """Make a version the champion; the reason is kept with it."""
    previous = registry.make_champion(tracking_of(config), version, _said(reason))
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
