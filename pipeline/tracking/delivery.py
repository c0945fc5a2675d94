"""A training reaches the tracking store at once, or is kept and sent by a later run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.errors import ChurnError, ModelError
from configs.schema import Config
from models.tracking import registry
from models.tracking.registry import Logged, Parcel, TrackingStore
from pipeline.languages.said import Said, said
from pipeline.log import Say
from pipeline.publish import write_atomic
from pipeline.tracking.champion import tracking_of

# From the end of a night on; a training waits for as long as its requests may take.
NIGHT_SECONDS = 120.0


def deliver(tracking: TrackingStore, parcel: Parcel) -> Logged:
    """Log and register a training, and give its model the place that the verdict says."""
    logged = _logged(tracking, parcel)
    if parcel.promote:
        _promote(tracking, parcel, logged.version)
    return logged


def _promote(tracking: TrackingStore, parcel: Parcel, version: int) -> None:
    move = registry.make_challenger if parcel.canary else registry.make_champion
    move(tracking, version, parcel.reason)


def _logged(tracking: TrackingStore, parcel: Parcel) -> Logged:
    held = {name: model for name, model in parcel.models.items() if name != "model"}
    return registry.log_training(tracking, parcel.record, parcel.models["model"], held)


def keep_unsent(folder: Path, parcel: Parcel) -> Path:
    """Keep a training until the store answers; the one of a date replaces an earlier one."""
    file = folder / f"{parcel.record.tags['as_of']}.json"
    write_atomic(file, registry.packed_training(parcel))
    return file


def send_trainings(config: Config, folder: Path, say: Say, seconds: float | None = None) -> tuple[Said, ...]:
    """Send the trainings that wait in a folder, oldest first; what can't be sent stays.

    Parameters
    ----------
    seconds
        How long to wait for the store; None for as long as its requests may take.

    Returns
    -------
    tuple of str
        What a person should look at.
    """
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        return ()
    tracking = tracking_of(config)
    look: list[Said] = []

    def work() -> None:
        for file in files:
            parcel = registry.unpacked_training(file.read_text(encoding="utf-8"), str(file))
            told, warn = _send(tracking, parcel)
            file.unlink(missing_ok=True)
            say(told)
            look.extend(warn)

    try:
        if seconds is None:
            work()
        else:
            registry.within(seconds, work, "tracking store")
    except (ChurnError, OSError) as error:
        left = [file.stem for file in files if file.exists()]
        look.append(
            said(
                "the training as of {days} is not in the tracking store yet: {error}",
                days=left,
                error=str(error),
            )
        )
    return tuple(look)


def _send(tracking: TrackingStore, parcel: Parcel) -> tuple[str, tuple[Said, ...]]:
    """Log a training that was kept, unless an earlier try has, and promote it if the champion is still the same."""
    now = registry.champion_version(tracking)
    day, digest = parcel.record.tags["as_of"], parcel.models["model"].digest
    if parcel.promote and now != parcel.against:
        why = "the champion has changed since it was proven better"
        parcel = replace(parcel, record=registry.with_verdict(parcel.record, "not promoted", why))
    logged = registry.logged_before(tracking, day, digest) or _logged(tracking, parcel)
    told = f"the training as of {day} is in the tracking store now, version {logged.version}"
    if not parcel.promote or now == logged.version:
        return told, ()
    if now != parcel.against:
        before = (
            said("no champion")
            if parcel.against is None
            else said("version {version}", version=str(parcel.against))
        )
        return told, (
            said(
                "version {version}, trained as of {day}, was proven against {before}, and version {now} is champion "
                "now: run `churn train`, or `churn promote {version} --reason WHY`",
                version=str(logged.version),
                day=day,
                before=before,
                now=str(now),
            ),
        )
    _promote(tracking, parcel, logged.version)
    return f"{told}, and {'waits for the place of the champion' if parcel.canary else 'champion'}", ()


def champion_kept(file: Path) -> registry.Champion:
    """The champion that scored last, from the file that the night left.

    Raises
    ------
    ModelError
        It is damaged, or gone.
    """
    try:
        return registry.unpacked_bundle(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise ModelError(f"{file}: not readable: {error.strerror}") from error
