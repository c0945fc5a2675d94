"""The registered models of a config: the champion, how it is read, and how it is moved.

Scoring does not run the code of a logged model: it reads text and JSON itself, after checking them against a SHA-256
that is kept as a tag, outside the artifact.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from configs.base import redacted
from configs.errors import ModelError, StoreError, UnfitError
from models.prediction.classifier import digest_of
from models.tracking import standing, store
from models.tracking.bundle import champion_of, packed, unpacked_bundle
from models.tracking.exchange import Champion, Logged, TrackingStore, TrainingRecord
from models.tracking.leftovers import end_broken_runs, scratch
from models.tracking.nights import clean_nightly, log_scoring
from models.tracking.parcel import Parcel, packed_training, unpacked_training
from models.tracking.runs import comparison_url, data_files, log_training, logged_before
from models.tracking.session import experiment_id, is_away, mlflow_module, spoken_to, within
from models.tracking.standing import with_verdict

__all__ = [
    "Champion",
    "Logged",
    "Parcel",
    "TrackingStore",
    "TrainingRecord",
    "champion_at",
    "champion_version",
    "check_store",
    "clean_nightly",
    "close_runs",
    "comparison_url",
    "load_challenger",
    "load_champion",
    "load_version",
    "log_scoring",
    "log_training",
    "logged_before",
    "make_challenger",
    "make_champion",
    "newest_training",
    "packed",
    "packed_training",
    "restore_champion",
    "unpacked_bundle",
    "unpacked_training",
    "with_verdict",
    "within",
]

CHALLENGER = "challenger"
CHAMPION, PREVIOUS, REASON = "champion", "previous_champion", "promotion_reason"
LAST = "9999"


def check_store(tracking: TrackingStore) -> None:
    """Make sure that the store answers, before hours of work depend on it, and end runs whose process was killed.

    Verdicts that no longer hold, since the champion was moved by somebody else, are written anew.

    Raises
    ------
    TryAgainError
        When it does not.
    """
    with spoken_to(tracking) as client:
        experiment_id(client, tracking, tracking.experiment)
        standing.keep_current(client, tracking, alias_version(client, tracking, CHAMPION))
    close_runs(tracking)


def close_runs(tracking: TrackingStore) -> int:
    """End the runs that killed processes of this machine have left running; returns how many."""
    with spoken_to(tracking) as client:
        return end_broken_runs(client, tracking)


def champion_version(tracking: TrackingStore) -> int | None:
    """Version that the alias `champion` points to; None without one."""
    with spoken_to(tracking) as client:
        return alias_version(client, tracking, CHAMPION)


def alias_version(client: Any, tracking: TrackingStore, alias: str) -> int | None:
    from mlflow.exceptions import MlflowException

    try:
        return int(client.get_registered_model(tracking.name).aliases[alias])
    except KeyError:
        return None
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def newest_training(tracking: TrackingStore) -> str | None:
    """As-of date of the newest version, champion or not; None without one."""
    with spoken_to(tracking) as client:
        newest = _newest_version(client, tracking)
        return None if newest is None else newest.tags.get("as_of")


def load_champion(tracking: TrackingStore) -> Champion:
    """Read the champion's text and JSON, after checking them against the tag; none of its code is run.

    Raises
    ------
    StoreError
        Without a champion, or when the store refuses; a SQLite file that is missing is not made.
    UnfitError
        When its files are damaged.
    TryAgainError
        When the tracking server is away.
    """
    none = f"no champion of {tracking.name} in {redacted(tracking.uri)}; run `churn train` first"
    if store.is_missing(tracking.uri):
        raise StoreError(none)
    with spoken_to(tracking) as client:
        version = alias_version(client, tracking, CHAMPION)
        if version is None:
            raise StoreError(_not_promoted(client, tracking) or none)
        return _read(client, tracking, version)


def make_challenger(tracking: TrackingStore, version: int, reason: str) -> None:
    """Let a version wait for the champion's place; one that has waited before gives way."""
    with spoken_to(tracking) as client, store.locked(tracking.home):
        client.set_model_version_tag(tracking.name, str(version), REASON, redacted(reason))
        client.set_registered_model_alias(tracking.name, CHALLENGER, str(version))


def load_challenger(tracking: TrackingStore) -> Champion | None:
    """Read the version that waits for the champion's place; None where none does.

    Raises
    ------
    UnfitError
        When its files are damaged.
    TryAgainError
        When the tracking server is away.
    """
    if store.is_missing(tracking.uri):
        return None
    with spoken_to(tracking) as client:
        version = alias_version(client, tracking, CHALLENGER)
        if version is None:
            return None
        tags = client.get_model_version(tracking.name, str(version)).tags
        return replace(_read(client, tracking, version), why=str(tags.get(REASON, "")))


def load_version(tracking: TrackingStore, version: int) -> Champion:
    """Read any version in the same way.

    Raises
    ------
    ModelError
        When it does not exist or its files are damaged.
    """
    with spoken_to(tracking) as client:
        return _read(client, tracking, version)


def champion_at(tracking: TrackingStore, day: dt.date) -> Champion | None:
    """The newest of those who were ever champion that was trained as of a day or earlier; None without one.

    Raises
    ------
    TryAgainError, StoreError
        When the store does not answer, or refuses.
    """
    if store.is_missing(tracking.uri):
        return None
    with spoken_to(tracking) as client:
        promoted = [
            found
            for found in client.search_model_versions(f"name='{tracking.name}'")
            if REASON in found.tags
            and str(client.get_run(found.run_id).data.tags.get("as_of", LAST)) <= str(day)
        ]
        newest = max((int(found.version) for found in promoted), default=None)
        return None if newest is None else _read(client, tracking, newest)


def _read(client: Any, tracking: TrackingStore, version: int) -> Champion:
    found = client.get_model_version(tracking.name, str(version))
    with scratch() as folder:
        uri = f"models:/{tracking.name}/{version}"
        try:
            files = data_files(_downloaded(uri, folder))
        except OSError as error:
            raise UnfitError(
                f"version {version} of {tracking.name} has lost its files; restore "
                f"{_where(client, tracking, version)}, or run `churn train`"
            ) from error
        digest = digest_of(files)
        if digest != found.tags.get("sha256"):
            raise UnfitError(
                f"version {version} of {tracking.name} was changed after training (SHA-256 {digest[:12]}, registered "
                f"{str(found.tags.get('sha256'))[:12]}); "
                f"restore {_where(client, tracking, version)} from a backup, or run `churn train`"
            )
    return champion_of(files, version, str(found.run_id), digest)


def _downloaded(uri: str, folder: Path) -> Path:
    """The files of a logged model; FileNotFoundError when the store knows it and they are gone."""
    from mlflow.exceptions import MlflowException

    try:
        return Path(mlflow_module().artifacts.download_artifacts(uri, dst_path=str(folder))) / "artifacts"
    except MlflowException as error:
        if is_away(error):
            raise
        raise FileNotFoundError(str(error)) from error


def _where(client: Any, tracking: TrackingStore, version: int) -> str:
    """Where a version's files should be."""
    place = str(client.get_model_version_download_uri(tracking.name, str(version)))
    return store.local_path(place) or redacted(place)


def _newest_version(client: Any, tracking: TrackingStore) -> Any | None:
    found = client.search_model_versions(
        f"name='{tracking.name}'", order_by=["version_number DESC"], max_results=1
    )
    return found[0] if found else None


def _not_promoted(client: Any, tracking: TrackingStore) -> str | None:
    """What to do where trainings have left versions and no champion; None without a version."""
    newest = _newest_version(client, tracking)
    if newest is None:
        return None
    why = str(newest.description or "").partition("\n")[0].replace("*", "")
    return (
        f"no champion of {tracking.name}: version {newest.version} was trained ({why}); look at it with `churn ui`, "
        f"and use it by `churn promote {newest.version} --reason WHY`, or train again with more history"
    )


def make_champion(tracking: TrackingStore, version: int, reason: str, *, by_hand: bool = False) -> int | None:
    """Make a version the champion, keep the reason with it, and return the previous champion's version.

    One step alone moves the champion; which one was before it stands with the version already. What the pages say
    of both follows; where that fails the champion has moved all the same, and the next `check_store` says it.

    Raises
    ------
    ModelError
        When the version does not exist or its files are damaged.
    """
    from mlflow.exceptions import MlflowException

    with spoken_to(tracking) as client, store.locked(tracking.home):
        _read(client, tracking, version)
        previous = alias_version(client, tracking, CHAMPION)
        client.set_model_version_tag(tracking.name, str(version), REASON, redacted(reason))
        if previous is not None and previous != version:
            client.set_model_version_tag(tracking.name, str(version), PREVIOUS, str(previous))
        client.set_registered_model_alias(tracking.name, CHAMPION, str(version))
        if (
            alias_version(client, tracking, CHALLENGER) is not None
        ):  # proven against a champion that is none now
            client.delete_registered_model_alias(tracking.name, CHALLENGER)
        verdict = standing.BY_HAND if by_hand else standing.PROMOTED
        with suppress(MlflowException):
            found = client.get_model_version(tracking.name, str(version))
            standing.tell_verdict(client, tracking, found, verdict, reason)
            standing.keep_current(client, tracking, version)
        return previous


def _previous(client: Any, tracking: TrackingStore) -> int | None:
    """The champion before the present one; earlier versions of churn kept it as an alias."""
    now = alias_version(client, tracking, CHAMPION)
    tags = {} if now is None else client.get_model_version(tracking.name, str(now)).tags
    return int(tags[PREVIOUS]) if PREVIOUS in tags else alias_version(client, tracking, PREVIOUS)


def restore_champion(tracking: TrackingStore, reason: str) -> tuple[int | None, int]:
    """Bring the previous champion back; returns the version that was replaced and the one that is champion now.

    Raises
    ------
    ModelError
        When there is no previous champion.
    """
    with spoken_to(tracking) as client:
        previous = _previous(client, tracking)
        if previous is None:
            raise ModelError(
                f"{tracking.name} has no previous champion; `churn train` replaces one that can't be used, and "
                "`churn promote VERSION --reason WHY` any"
            )
    return make_champion(tracking, previous, f"rollback: {reason}", by_hand=True), previous
