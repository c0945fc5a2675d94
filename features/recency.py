"""How long ago the customer bought, against the own rhythm."""

from __future__ import annotations

import numpy as np

from features.panel import Floats, ratio
from features.spec import At, feature


@feature(
    "transactions",
    unit="days",
    driver="silence",
    null="has never bought",
    reason="no purchase for {recency_days:.0f} days; usual gap {purchase_gap_mean_days:.0f} days",
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
    reason="no purchase for {recency_days:.0f} days; usual gap {purchase_gap_mean_days:.0f} days",
)
def recency_ratio(at: At) -> Floats:
    """Days since the last purchase, in usual gaps.

    A usual gap below a day counts as a day.
    """
    return recency_days.function(at) / np.maximum(purchase_gap_mean_days.function(at), 1.0)


@feature("transactions", unit="share", driver="silence", null="has never bought")
def recency_share(at: At) -> Floats:
    """Silence since the last purchase, as a share of the time since the first."""
    return ratio(recency_days.function(at), at.t - at.purchases.first_at())
