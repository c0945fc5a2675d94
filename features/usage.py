"""How much the customer uses the product."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.panel import ratio
from features.spec import At, feature
from features.worse import USUAL, Times, Worse


@feature(
    "usage",
    unit="days",
    driver="falling usage",
    null="has never used it",
    worse=Worse(
        range=Times(above=2, of=USUAL),
        says="has not used the product for {usage_recency_days:day}",
        when={"usage_recency_days": Range(above=28)},
        unless={"usage_recency_ratio": Range(below=2)},
    ),
)
def usage_recency_days(at: At) -> Floats:
    """Days since the last use."""
    return at.t - at.usage.last_at()


@feature("usage", unit="events", driver="usage", windows=True)
def usage_count(at: At, days: int) -> Floats:
    """Uses in the last {days} days."""
    return at.usage.last(days).count()


@feature(
    "usage",
    unit="days",
    driver="usage",
    windows=True,
)
def usage_active_days(at: At, days: int) -> Floats:
    """Days with use in the last {days} days."""
    return at.usage.last(days).active_days()


@feature(
    "usage",
    unit="days",
    driver="falling usage",
    windows=True,
    worse=Worse(
        range=Times(below=-0.9, of="usage_active_days_{days}d"),
        says="used the product on {usage_active_days_{days}d:day} of the last {days}, "
        "{usage_active_days_change_{days}d:-} fewer than in the {days} days before",
        when={
            "usage_active_days_{days}d": Range(above=0),
            "usage_active_days_change_{days}d": Range(below=-2.5),
        },
    ),
)
def usage_active_days_change(at: At, days: int) -> Floats:
    """Days with use in the last {days} days, less those in the {days} days before."""
    return at.usage.last(days).active_days() - at.usage.last(days, before=days).active_days()


@feature(
    "usage",
    unit="times the usual gap",
    driver="falling usage",
    null="used on fewer than two occasions",
    worse=Worse(
        range=Range(above=3),
        says="has not used the product for {usage_recency_days:day}, a much longer break than usual",
        when={"usage_recency_days": Range(above=7)},
    ),
)
def usage_recency_ratio(at: At) -> Floats:
    """Days since the last use, in usual gaps.

    A usual gap below a day counts as a day.
    """
    return usage_recency_days.function(at) / np.maximum(at.usage.mean_gap(), 1.0)


@feature(
    "usage",
    unit="share",
    driver="usage",
    null="has never used it",
    worse=Worse(
        range=Times(below=0.5, of=USUAL),
        says="uses the product on about {usage_active_share:%} of the days, most customers on about {usual:%}",
        when={"usage_active_share": Range(above=0.005)},
    ),
)
def usage_active_share(at: At) -> Floats:
    """Share of the days since the first use on which it was used."""
    return ratio(at.usage.active_days(), at.t - np.floor(at.usage.first_at()))


@feature(
    "usage",
    unit="times the own usual",
    driver="falling usage",
    null="has never used it",
    windows=True,
    worse=Worse(
        range=Range(above=0, below=0.5),
        says="used the product less than half as much in the last {days} days as usual",
    ),
)
def usage_rate_ratio(at: At, days: int) -> Floats:
    """Uses a day in the last {days} days, as a multiple of those since the first use."""
    since = at.t - at.usage.first_at()
    usual = ratio(at.usage.count() * np.minimum(since, days), since)
    return ratio(at.usage.last(days).count(), usual)


@feature(
    "usage",
    unit="days",
    driver="usage",
)
def usage_streak_days(at: At) -> Floats:
    """Days up to now in periods that all have use.

    In whole periods: the statistics don't know the days inside one. A period is the largest number of days that
    divides every window and the step between snapshots.
    """
    return np.where(at.usage.count() > 0, at.usage.periods_in_a_row(), 0) * at.usage.panel.axis.period_days


@feature("usage.value", unit="value", driver="usage", windows=True)
def usage_value_sum(at: At, days: int) -> Floats:
    """Value of use in the last {days} days."""
    return at.usage.last(days).sum("value")


@feature(
    "usage.event",
    unit="kinds",
    driver="usage",
    worse=Worse(
        range=Times(below=0.6, of=USUAL),
        says="has used only {usage_breadth:function} of the product so far, most customers about {usual}",
        when={"usage_breadth": Range(above=0.5)},
        unless={"tenure_days": Range(below=30)},
    ),
)
def usage_breadth(at: At) -> Floats:
    """Different kinds of use so far."""
    return at.usage.distinct("event")


@feature(
    "usage.event",
    unit="kinds",
    driver="usage",
    windows=True,
    worse=Worse(
        range=Times(below=0.55, of="usage_breadth"),
        says="used {usage_kinds_{days}d:function} of the product in the last {days} days, {usage_breadth} before",
        when={
            "usage_kinds_{days}d": Times(above=0, below=0.75, of=USUAL),
            "usage_breadth": Range(above=2.5),
        },
    ),
)
def usage_kinds(at: At, days: int) -> Floats:
    """Different kinds of use in the last {days} days."""
    return at.usage.last(days).distinct("event")
