"""How much the customer uses the product."""

from __future__ import annotations

import numpy as np

from features.panel import Floats
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


@feature("usage.value", unit="value", driver="usage", windows=True)
def usage_value_sum(at: At, days: int) -> Floats:
    """Value of use in the last {days} days."""
    return at.usage.last(days).sum("value")


@feature("usage.event", unit="kinds", driver="usage")
def usage_breadth(at: At) -> Floats:
    """Different kinds of use so far."""
    return at.usage.distinct("event")
