"""Checks of the machine and of what earlier runs have left: disk, lock, tracking, model, versions."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from configs.base import redacted
from configs.errors import ChurnError, TryAgainError, UnfitError
from configs.schema import Config
from models.tracking import store
from models.tracking.registry import Champion, champion_version, load_version, newest_training
from models.tracking.session import within
from pipeline.doctor.findings import Finding
from pipeline.layout import layout_of
from pipeline.tracking.champion import require_same_definition, tracking_of

FEWEST_GB = 2.0
OLD_DAYS = 60
PATIENCE_SECONDS = 15
LIBRARIES = ("duckdb", "lightgbm", "mlflow", "scikit-learn")


def system_findings(config: Config, as_of: dt.date) -> list[Finding]:
    """Every check of the machine; nothing is written."""
    tracking, champion, trained = _tracking(config)
    model = _model(config, champion, tracking, as_of)
    if trained is not None:
        model = replace(model, values={**model.values, "trained": trained})
    return [_outputs(config), _lock(config), tracking, model, *_alerts(config), _versions()]


def _alerts(config: Config) -> list[Finding]:
    """Whether the secrets are here by which a night tells people; nothing where it tells nobody."""
    alerts = config.nightly.alerts
    if alerts.webhook_env is None and alerts.mail is None:
        return []
    if missing := [name for name in alerts.variables if not os.environ.get(name)]:
        told = f"{', '.join(missing)} not set; set it where cron or systemd starts `churn nightly`"
        return [Finding("alerts", "look", told)]
    return [Finding("alerts", "ok", f"told when: {alerts.when}")]


def _outputs(config: Config) -> Finding:
    folder = config.path(config.outputs.folder)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        return Finding(
            "outputs", "fault", f"{there} can't be written; choose another outputs.folder, or its owner"
        )
    free = shutil.disk_usage(there).free / 1e9
    if free < FEWEST_GB:
        told = f"{free:.1f} GB are free at {there}, less than {FEWEST_GB:g}; clear up, or choose another outputs.folder"
        return Finding("outputs", "look", told)
    return Finding(
        "outputs",
        "ok",
        f"{folder} can be written, {free:,.0f} GB are free",
        values={"free_gb": round(free, 1)},
    )


def _lock(config: Config) -> Finding:
    layout = layout_of(config)
    locks = [path for folder in (layout.runs, layout.ledger) for path in sorted(folder.glob(".*.lock"))]
    busy = [path.name.strip(".").removesuffix(".lock") for path in locks if _is_held(path)]
    if busy:
        told = f"churn {' and '.join(busy)} is at work in {layout.folder}; wait until it has ended"
        return Finding("lock", "later", told)
    return Finding("lock", "ok", "no other run is at work")


def _is_held(path: Path) -> bool:
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _tracking(config: Config) -> tuple[Finding, Champion | None, str | None]:
    """The store, its champion, and the as-of date of the newest training."""
    place = redacted(config.tracking_uri)
    if store.is_missing(config.tracking_uri):
        return Finding("tracking", "ok", f"{place} is made by the first `churn train`"), None, None
    tracking = tracking_of(config)

    def champion() -> tuple[Champion | None, str | None]:
        number = champion_version(tracking)
        return None if number is None else load_version(tracking, number), newest_training(tracking)

    try:
        found, trained = within(PATIENCE_SECONDS, champion, f"tracking store {place}")
    except TryAgainError as error:
        return Finding("tracking", "later", str(error)), None, None
    except ChurnError as error:
        unfit = {"unfit": True} if isinstance(error, UnfitError) else {}
        return Finding("tracking", "fault", str(error), values=unfit), None, None
    return Finding("tracking", "ok", f"{place} answers"), found, trained


def _model(config: Config, champion: Champion | None, tracking: Finding, as_of: dt.date) -> Finding:
    if champion is None:
        if tracking.state != "ok":
            return Finding("model", "not reached", "mend tracking first")
        return Finding("model", "ok", "no champion yet; run `churn train` next")
    try:
        require_same_definition(champion, config)
    except ChurnError as error:
        first, *rest = str(error).splitlines()
        return Finding("model", "fault", first, tuple(rest))
    age = (as_of - dt.date.fromisoformat(str(champion.metadata["as_of"]))).days
    told = f"champion version {champion.version}, trained as of {champion.metadata['as_of']}, {age} days ago"
    values = {"version": champion.version, "age_days": age}
    if age > OLD_DAYS:
        return Finding("model", "look", f"{told}; run `churn train`, weekly from cron", values=values)
    return Finding("model", "ok", told, values=values)


def _versions() -> Finding:
    found = {"churn": version("churn"), "python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    return Finding(
        "versions", "ok", ", ".join(f"{k} {v}" for k, v in found.items()), values={"versions": found}
    )
