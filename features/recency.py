"""How long ago the customer bought, against the own rhythm."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.panel import ratio
from features.spec import At, feature
from features.worse import USUAL, Times, Worse


@feature(
    "transactions",
    unit="days",
    driver="silence",
    null="has never bought",
    worse=Worse(
        range=Times(above=1.5, of=USUAL),
        says="no purchase for {recency_days:day}",
        when={"recency_days": Range(above=30), "recency_ratio": Range(above=1.5)},
        unless={"purchase_gap_mean_days": Range(above=1.5)},
    ),
)
def recency_days(at: At) -> Floats:
    """Days since the last purchase."""
    return at.t - at.purchases.last_at()


@feature("transactions", unit="days", driver="rhythm", null="fewer than two purchases", actionable=False)
def purchase_gap_mean_days(at: At) -> Floats:
    """Usual days between purchases."""
    return at.purchases.mean_gap()


@feature(
    "transactions",
    unit="times the usual gap",
    driver="silence",
    null="fewer than two purchases",
    worse=Worse(
        range=Range(above=1.5),
        says="no purchase for {recency_days:day}, before that one about every {purchase_gap_mean_days:day}",
        when={
            "recency_days": Range(above=14),
            "purchase_gap_mean_days": Range(above=1.5),
            "purchase_count_ever": Range(above=2),
        },
    ),
)
def recency_ratio(at: At) -> Floats:
    """Days since the last purchase, in usual gaps.

    A usual gap below a day counts as a day.
    """
    return recency_days.function(at) / np.maximum(purchase_gap_mean_days.function(at), 1.0)


@feature(
    "transactions",
    unit="share",
    driver="silence",
    null="has never bought",
    worse=Worse(
        range=Range(above=0.6),
        says="only two purchases so far, the last one {recency_days:day} ago",
        when={"recency_days": Range(above=30), "purchase_count_ever": Range(above=1.5, below=2.5)},
    ),
)
def recency_share(at: At) -> Floats:
    """Silence since the last purchase, as a share of the time since the first."""
    return ratio(recency_days.function(at), at.t - at.purchases.first_at())
