"""What a night needs of the tracking store and gets without it: the champion, and a place for what it logs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.errors import ModelError, StoreError, TryAgainError
from configs.schema import Config
from models.tracking import registry
from models.tracking.registry import Champion, TrackingStore
from pipeline.languages.said import Said, said, said_n
from pipeline.log import Say
from pipeline.publish import as_json
from pipeline.tracking.champion import tracking_of

# A store that gives no champion is not asked again to take the log: a list waits for one of the two.
LOAD_SECONDS, SEND_SECONDS = 14.0, 14.0
# Where none is kept there is no list without the store: then it may be slow, as on a machine that is busy.
ONLY_SECONDS = 90.0


def champion_tonight(config: Config, kept: Path, say: Say) -> tuple[Champion, tuple[Said, ...]]:
    """The champion; when the store can't be asked, the one that scored last.

    Parameters
    ----------
    kept
        File that the last night left.

    Returns
    -------
    tuple
        The champion, and what a person should look at: nothing when the store has answered.

    Raises
    ------
    TryAgainError, StoreError
        When the store does not give it, and none is kept.
    ModelError
        When the champion's files are damaged, in the store or beside the runs.
    """
    tracking = tracking_of(config)
    seconds = LOAD_SECONDS if kept.is_file() else ONLY_SECONDS
    try:
        return registry.within(seconds, lambda: registry.load_champion(tracking), "tracking store"), ()
    except (TryAgainError, StoreError) as error:
        if not kept.is_file():
            raise
        say(str(error))
        away = isinstance(error, TryAgainError)
    champion = registry.unpacked_bundle(kept.read_text(encoding="utf-8"), str(kept))
    version = str(champion.version)
    if away:
        told = said(
            "the tracking store does not answer: version {version}, which scored last, was used; what the night logs "
            "is sent by the next run that reaches the store",
            version=version,
        )
    else:
        told = said(
            "the tracking store gives no champion: version {version}, which scored last, was used; what the night "
            "logs is sent by the next run that reaches the store",
            version=version,
        )
    return champion, (told,)


def to_be_sent(
    run_name: str,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    steps: Mapping[str, Sequence[tuple[int, int, float]]],
    description: str,
    files: Mapping[str, str],
) -> str:
    """What a night logs, as the text of a file that `send_nights` reads; the parameters are those of `log_scoring`."""
    # The pages print every digit that they get.
    finite = {name: round(value, 5) for name, value in metrics.items() if math.isfinite(value)}
    lines = {name: [point for point in line if math.isfinite(point[2])] for name, line in steps.items()}
    told = {"run_name": run_name, "metrics": finite, "tags": dict(tags), "steps": lines}
    return as_json({**told, "description": description, "files": dict(files)})


def send_nights(config: Config, unsent: Path) -> tuple[Said, ...]:
    """Log the nights that wait in a folder, oldest first, within a bound; what can't be sent stays.

    Returns
    -------
    tuple of str
        What a person should look at.
    """
    files = sorted(unsent.glob("*.json")) if unsent.is_dir() else []
    if not files:
        return ()
    tracking = tracking_of(config)
    try:
        registry.within(SEND_SECONDS, lambda: _send(tracking, files), "tracking store")
    except (TryAgainError, ModelError) as error:
        left = sum(file.exists() for file in files)
        return (
            said_n(
                "what the night logged is not in the tracking store yet, the next run sends it: {error}",
                "what {n} nights logged is not in the tracking store yet, the next run sends it: {error}",
                max(left, 1),
                error=str(error),
            ),
        )
    return ()


def _send(tracking: TrackingStore, files: Sequence[Path]) -> None:
    registry.close_runs(tracking)
    for file in files:
        registry.log_scoring(tracking, **_read(file))
        file.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        needed = {name: content[name] for name in ("run_name", "metrics", "tags", "steps")}
        # Nights of earlier versions wait without these.
        return {**needed, **{name: content[name] for name in ("description", "files") if name in content}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file}: not readable ({str(error)[:100]}); delete it") from error
