"""How much the customer spends, and gives back."""

from __future__ import annotations

from features.panel import Floats, ratio
from features.spec import At, feature


@feature("transactions.amount", unit="money", driver="spend", windows=True)
def spend_sum(at: At, days: int) -> Floats:
    """Spend in the last {days} days."""
    return at.purchases.last(days).sum("amount")


@feature(
    "transactions.amount",
    unit="money",
    driver="falling spend",
    windows=True,
    reason="spend of {spend_sum_{days}d:,.0f} in the last {days} days, "
    "{spend_change_{days}d:+,.0f} against the {days} days before",
)
def spend_change(at: At, days: int) -> Floats:
    """Spend in the last {days} days, less that in the {days} days before."""
    return at.purchases.last(days).sum("amount") - at.purchases.last(days, before=days).sum("amount")


@feature("transactions.amount", unit="money", driver="spend", actionable=False)
def spend_sum_ever(at: At) -> Floats:
    """Spend so far."""
    return at.purchases.sum("amount")


@feature("transactions.amount", unit="money", driver="spend", null="has never bought", actionable=False)
def spend_mean(at: At) -> Floats:
    """Mean spend of a purchase."""
    return at.purchases.mean("amount")


@feature("transactions.amount", unit="money", driver="spend", null="has never bought", actionable=False)
def spend_max(at: At) -> Floats:
    """Largest purchase."""
    return at.purchases.max("amount")


@feature("cancellations", unit="cancellations", driver="cancellations", windows=True)
def cancellation_count(at: At, days: int) -> Floats:
    """Cancellations and returns in the last {days} days."""
    return at.events("cancellations").last(days).count()


@feature("cancellations.amount", unit="money", driver="cancellations", windows=True)
def cancellation_sum(at: At, days: int) -> Floats:
    """Money for cancellations and returns in the last {days} days."""
    return at.events("cancellations").last(days).sum("amount")


@feature(
    "cancellations.amount",
    "transactions.amount",
    unit="share",
    driver="cancellations",
    null="has never spent anything",
    reason="{cancellation_spend_share:.0%} of the spend was cancelled or returned",
)
def cancellation_spend_share(at: At) -> Floats:
    """Money for cancellations and returns, as a share of the spend so far."""
    return ratio(at.events("cancellations").sum("amount"), at.purchases.sum("amount"))


@feature("cancellations", "transactions", unit="share", driver="cancellations", null="has never bought")
def cancellation_share(at: At) -> Floats:
    """Cancellations and returns a purchase."""
    return ratio(at.events("cancellations").count(), at.purchases.count())


@feature("cancellations", unit="days", driver="cancellations", null="has never cancelled")
def cancellation_recency_days(at: At) -> Floats:
    """Days since the last cancellation or return."""
    return at.t - at.events("cancellations").last_at()
