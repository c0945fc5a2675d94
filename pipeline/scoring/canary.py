"""A model that has earned the champion's place scores beside it for some nights first; the champion makes the lists."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import ModelError, TryAgainError
from models.statistics.top import overlap_of_top, rank_correlation
from models.tracking import registry
from models.tracking.registry import Champion, TrackingStore
from pipeline.languages.said import Said, said
from pipeline.log import Say
from pipeline.publish import as_json, write_atomic

LOAD_SECONDS = 14.0
# Both were proven on the same rows, so tonight they should say about the same of the same customers.
MOST_RATIO, LEAST_CORRELATION = 1.5, 0.5


def side_by_side(mine: Floats, theirs: Floats, listed: int) -> dict[str, float]:
    """Champion and challenger on the same customers.

    Parameters
    ----------
    mine, theirs
        Probabilities of the champion and of the challenger, shape (customers,).
    listed
        How many customers the top holds.

    Examples
    --------
    >>> side_by_side(np.array([0.1, 0.2, 0.6]), np.array([0.2, 0.1, 0.6]), 1)["top_in_common"]
    1.0
    """
    return {
        "customers": float(len(mine)),
        "champion_mean": float(mine.mean()),
        "challenger_mean": float(theirs.mean()),
        "rank_correlation": rank_correlation(mine, theirs),
        "top_in_common": overlap_of_top(mine, theirs, listed),
        "finite": float(np.isfinite(theirs).mean()),
    }


def doubt(found: Mapping[str, float]) -> Said | None:
    """Why a person should look before the challenger makes a list; None where nothing speaks against it.

    Examples
    --------
    >>> doubt(side_by_side(np.array([0.1, 0.2, 0.6]), np.array([0.4, 0.5, 0.9]), 1))
    'it expects 0.600 of the customers to leave, the champion 0.300'
    """
    if found["finite"] < 1:
        return said("it gives no probability for some customers")
    low, high = sorted((found["champion_mean"], found["challenger_mean"]))
    if high > MOST_RATIO * max(low, 1e-9):
        return said(
            "it expects {challenger:.3f} of the customers to leave, the champion {champion:.3f}",
            challenger=found["challenger_mean"],
            champion=found["champion_mean"],
        )
    if found["rank_correlation"] < LEAST_CORRELATION:
        return said(
            "it ranks the customers in another order (rank correlation {rank:.2f})",
            rank=found["rank_correlation"],
        )
    return None


def beside(
    tracking: TrackingStore,
    file: Path,
    champion: Champion,
    features: pd.DataFrame,
    *,
    as_of: dt.date,
    nights: int,
    listed: int,
    say: Say,
) -> tuple[Said, ...]:
    """Score with the challenger that waits, if one does; after so many nights without a doubt it is champion.

    Parameters
    ----------
    file
        Keeps what was compared, by night.
    features
        Of tonight's customers, or of a sample of them.
    nights
        On how many the two score side by side.
    listed
        Customers on a list.

    Returns
    -------
    tuple of str
        What a person should look at.
    """
    try:
        waiting = registry.within(LOAD_SECONDS, lambda: registry.load_challenger(tracking), "tracking store")
        if waiting is None or waiting.version == champion.version:
            return ()
        waiting.model.check_columns(list(features.columns))
        found = side_by_side(
            champion.model.probability(features), waiting.model.probability(features), listed
        )
        kept = _kept(file, waiting.version) | {str(as_of): found}
        write_atomic(file, as_json({"version": waiting.version, "nights": kept}))
        say(_told(waiting.version, found, len(kept), nights))
        if why := next(filter(None, map(doubt, kept.values())), None):
            return (
                said(
                    "version {waiting}, which waits for the place of version {champion}: {why}; look at both with "
                    "`churn plan --model {waiting}`",
                    waiting=str(waiting.version),
                    champion=str(champion.version),
                    why=why,
                ),
            )
        if len(kept) >= nights:
            reason = f"{waiting.why}; {len(kept)} nights beside version {champion.version} without a doubt"
            registry.make_champion(tracking, waiting.version, reason)
            say(f"version {waiting.version} is champion from the next night on")
    except (TryAgainError, ModelError) as error:
        return (
            said(
                "the model that waits for the champion's place could not score beside it: {error}",
                error=str(error),
            ),
        )
    return ()


def _kept(file: Path, version: int) -> dict[str, Any]:
    """The nights so far of that version."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return dict(content["nights"]) if content["version"] == version else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _told(version: int, found: Mapping[str, float], done: int, nights: int) -> str:
    return (
        f"version {version} beside the champion, night {done} of {nights}: mean {found['challenger_mean']:.3f} and "
        f"{found['champion_mean']:.3f}, {found['top_in_common']:.0%} of the top in common"
    )
