"""How often the customer buys, and whether that changes."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.panel import ratio
from features.spec import At, feature
from features.worse import Times, Worse


@feature(
    "transactions",
    unit="purchases",
    driver="frequency",
    windows=True,
)
def purchase_count(at: At, days: int) -> Floats:
    """Purchases in the last {days} days."""
    return at.purchases.last(days).count()


@feature(
    "transactions",
    unit="purchases",
    driver="falling frequency",
    windows=True,
    worse=Worse(
        range=Times(below=-0.9, of="purchase_count_{days}d"),
        says="{purchase_count_{days}d:purchase} in the last {days} days, {purchase_count_change_{days}d:-} fewer "
        "than in the {days} days before",
        when={"purchase_count_change_{days}d": Range(below=-1.5)},
    ),
)
def purchase_count_change(at: At, days: int) -> Floats:
    """Purchases in the last {days} days, less those in the {days} days before."""
    return at.purchases.last(days).count() - at.purchases.last(days, before=days).count()


@feature("transactions", unit="purchases", driver="frequency", actionable=False)
def purchase_count_ever(at: At) -> Floats:
    """Purchases so far."""
    return at.purchases.count()


@feature("transactions", unit="purchases", driver="frequency", windows=True)
def purchase_intensity(at: At, days: int) -> Floats:
    """Recent purchase activity (half-life {days} days)."""
    return at.purchases.decayed_count(days)


@feature(
    "transactions",
    unit="purchases a year",
    driver="frequency",
    null="has never bought",
)
def purchase_rate(at: At) -> Floats:
    """Purchases a year since the first one."""
    return ratio(at.purchases.count() * 365.25, at.t - at.purchases.first_at())


@feature("transactions", unit="share", driver="rhythm")
def purchase_regularity(at: At) -> Floats:
    """Share of the periods since the first purchase that have one."""
    window = at.purchases
    periods = np.ceil((at.t - window.first_at()) / window.panel.axis.period_days)
    return np.nan_to_num(ratio(window.active_periods(), periods))
