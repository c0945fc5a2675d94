"""What became of each version, said on the pages of its run and of the version, and kept current.

The tag `verdict` and the first paragraph of the description say the same. They follow the alias `champion`, also one
that was moved in the MLflow pages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from configs.base import redacted
from models.tracking.exchange import TrackingStore, TrainingRecord

TO_BE_PROMOTED, PROMOTED, BY_HAND = "to be promoted", "promoted", "promoted by hand"
NOTE = "mlflow.note.content"
_TRAINED = "At training: "


def verdict_headline(verdict: str, reason: str) -> str:
    """First paragraph of a description.

    Examples
    --------
    >>> verdict_headline("not promoted", "no better than the champion")
    '**Not promoted**: no better than the champion'
    """
    return f"**{verdict.capitalize()}**: {reason}"


def restated(description: str, verdict: str, reason: str) -> str:
    r"""A description with another verdict; what the training said stays as its second paragraph.

    Examples
    --------
    >>> print(restated("**Not promoted**: too close\n\ntest 2026-05-02", "promoted by hand", "the old one is stale"))
    **Promoted by hand**: the old one is stale
    <BLANKLINE>
    At training: Not promoted: too close
    <BLANKLINE>
    test 2026-05-02
    """
    first, _, rest = description.partition("\n\n")
    if not rest.startswith(_TRAINED) and reason not in first:
        rest = f"{_TRAINED}{first.replace('**', '')}\n\n{rest}"
    return f"{verdict_headline(verdict, reason)}\n\n{rest}".rstrip()


def with_verdict(record: TrainingRecord, verdict: str, reason: str) -> TrainingRecord:
    """A record with another verdict in its tag and its description."""
    description = restated(record.description, verdict, reason)
    return replace(record, description=description, tags={**record.tags, "verdict": verdict})


def tell_verdict(client: Any, tracking: TrackingStore, version: Any, verdict: str, reason: str) -> None:
    """Write a verdict on a version and on its run; a run that was deleted has no page to write on."""
    from mlflow.exceptions import MlflowException

    reason = redacted(reason)
    text = restated(str(version.description or ""), verdict, reason)
    client.set_model_version_tag(tracking.name, version.version, "verdict", verdict)
    client.update_model_version(tracking.name, version.version, text)
    try:
        client.set_tag(version.run_id, "verdict", verdict)
        client.set_tag(version.run_id, NOTE, text)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE"):
            raise


def keep_current(client: Any, tracking: TrackingStore, champion: int | None) -> None:
    """Let every version say what it is now that `champion` is champion; nothing is written where all do."""
    if champion is None:
        return
    for version in client.search_model_versions(f"name='{tracking.name}'"):
        said = str(version.tags.get("verdict", ""))
        if int(version.version) == champion and not said.startswith(PROMOTED):
            tell_verdict(
                client,
                tracking,
                version,
                BY_HAND,
                version.tags.get("promotion_reason", "the alias was moved in MLflow"),
            )
        elif int(version.version) != champion and said.startswith(PROMOTED):
            tell_verdict(
                client, tracking, version, f"replaced by version {champion}", "it was champion before"
            )
