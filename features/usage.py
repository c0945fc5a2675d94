"""How much the customer uses the product."""

from __future__ import annotations

import numpy as np

from features.panel import Floats, Window, ratio
from features.spec import At, feature


@feature(
    "usage",
    unit="days",
    driver="falling usage",
    null="has never used it",
    reason="not used for {usage_recency_days:.0f} days",
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
    reason="used on {usage_active_days_{days}d:.0f} of the last {days} days",
)
def usage_active_days(at: At, days: int) -> Floats:
    """Days with use in the last {days} days."""
    return at.usage.last(days).active_days()


@feature(
    "usage",
    unit="days",
    driver="falling usage",
    windows=True,
    reason="used on {usage_active_days_{days}d:.0f} of the last {days} days, "
    "{usage_active_days_change_{days}d:+.0f} against the {days} days before",
)
def usage_active_days_change(at: At, days: int) -> Floats:
    """Days with use in the last {days} days, less those in the {days} days before."""
    return at.usage.last(days).active_days() - at.usage.last(days, before=days).active_days()


@feature(
    "usage",
    unit="times the usual gap",
    driver="falling usage",
    null="used on fewer than two occasions",
    reason="not used for {usage_recency_days:.0f} days, {usage_recency_ratio:.1f} times the usual gap",
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
    reason="used on {usage_active_share:.0%} of the days since the first use",
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
    reason="use in the last {days} days at {usage_rate_ratio_{days}d:.0%} of the own usual",
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
    reason="used without a break for {usage_streak_days:.0f} days",
)
def usage_streak_days(at: At) -> Floats:
    """Days up to now in periods that all have use.

    In whole periods: the statistics don't know the days inside one. A period is the largest number of days that
    divides every window and the step between snapshots.
    """
    return np.where(at.usage.count() > 0, _periods_in_a_row(at.usage), 0) * at.usage.panel.axis.period_days


def _periods_in_a_row(window: Window) -> Floats:
    """Number of periods with an event, without a gap, up to the end of a window of everything so far."""
    panel = window.panel
    rows = np.arange(len(panel.period))
    begins = np.diff(panel.period, prepend=-2) != 1
    begins[panel.start[panel.start < len(rows)]] = True
    length = np.append(rows - np.maximum.accumulate(np.where(begins, rows, 0)) + 1, 0)
    newest = np.where(window.hi > window.lo, window.hi - 1, -1)
    unbroken = np.append(panel.period, -1)[newest] == window.to_edge - 1
    return np.where(unbroken, length[newest], 0).astype(np.float64)


@feature("usage.value", unit="value", driver="usage", windows=True)
def usage_value_sum(at: At, days: int) -> Floats:
    """Value of use in the last {days} days."""
    return at.usage.last(days).sum("value")


@feature("usage.event", unit="kinds", driver="usage")
def usage_breadth(at: At) -> Floats:
    """Different kinds of use so far."""
    return at.usage.distinct("event")


@feature(
    "usage.event",
    unit="kinds",
    driver="usage",
    windows=True,
    reason="kinds of use in the last {days} days: {usage_kinds_{days}d:.0f} of {usage_breadth:.0f} so far",
)
def usage_kinds(at: At, days: int) -> Floats:
    """Different kinds of use in the last {days} days."""
    return at.usage.last(days).distinct("event")
