"""How much the customer spends, and gives back."""

from __future__ import annotations

from configs.arrays import Floats
from configs.base import Range
from features.panel import ratio
from features.spec import At, feature
from features.worse import Times, Worse


@feature("transactions.amount", unit="money", driver="spend", windows=True)
def spend_sum(at: At, days: int) -> Floats:
    """Spend in the last {days} days."""
    return at.purchases.last(days).sum("amount")


@feature(
    "transactions.amount",
    unit="money",
    driver="falling spend",
    windows=True,
    worse=Worse(
        range=Times(below=-0.5, of="spend_sum_{days}d"),
        says="spends less per purchase: {spend_sum_{days}d} in the last {days} days, {spend_change_{days}d:-} less "
        "than in the {days} days before",
        when={
            "spend_sum_{days}d": Range(above=0.5),
            "purchase_count_{days}d": Range(above=1.5),
            "purchase_count_change_{days}d": Range(above=-0.5),
        },
    ),
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


@feature(
    "cancellations",
    unit="cancellations",
    driver="cancellations",
    windows=True,
    worse=Worse(
        range=Range(above=1.5),
        says="{cancellation_count_{days}d:purchase} cancelled or returned in the last {days} days",
        when={"cancellation_share": Range(above=0.2), "cancellation_recency_days": Range(below=180)},
    ),
)
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
    worse=Worse(
        range=Range(above=0.2, below=1.005),
        says="{cancellation_spend_share:%} of the money spent was cancelled or returned",
        when={"cancellation_recency_days": Range(below=180)},
    ),
)
def cancellation_spend_share(at: At) -> Floats:
    """Money for cancellations and returns, as a share of the spend so far."""
    return ratio(at.events("cancellations").sum("amount"), at.purchases.sum("amount"))


@feature("cancellations", "transactions", unit="share", driver="cancellations", null="has never bought")
def cancellation_share(at: At) -> Floats:
    """Cancellations and returns a purchase."""
    return ratio(at.events("cancellations").count(), at.purchases.count())


@feature(
    "cancellations",
    unit="days",
    driver="cancellations",
    null="has never cancelled",
    worse=Worse(
        range=Range(above=0.5, below=30),
        says="cancelled or returned a purchase {cancellation_recency_days:day} ago",
        when={"cancellation_share": Range(above=0.2)},
    ),
)
def cancellation_recency_days(at: At) -> Floats:
    """Days since the last cancellation or return."""
    return at.t - at.events("cancellations").last_at()
