"""Payments that failed: a customer who leaves because a card expired did not decide to leave."""

from __future__ import annotations

from configs.arrays import Floats
from configs.base import Range
from features.spec import At, feature
from features.worse import Worse


@feature(
    "failed_payments.recovered_at",
    unit="payments",
    driver="failed payments",
    worse=Worse(range=Range(above=0.5), says="failed and unpaid so far: {open_failed_payment_count:payment}"),
)
def open_failed_payment_count(at: At) -> Floats:
    """Payments that failed and were not paid since."""
    return at.events("failed_payments").count() - at.events("recoveries").count()


@feature(
    "failed_payments",
    unit="payments",
    driver="failed payments",
    windows=True,
    worse=Worse(
        range=Range(above=0.5),
        says="{failed_payment_count_{days}d:payment} failed in the last {days} days",
        unless={"open_failed_payment_count": Range(below=0.5)},  # all were paid since
    ),
)
def failed_payment_count(at: At, days: int) -> Floats:
    """Payments that failed in the last {days} days."""
    return at.events("failed_payments").last(days).count()


@feature(
    "failed_payments",
    unit="days",
    driver="failed payments",
    null="no payment has failed",
)
def failed_payment_gap_days(at: At) -> Floats:
    """Days since a payment last failed."""
    return at.t - at.events("failed_payments").last_at()


@feature(
    "failed_payments.amount",
    unit="money",
    driver="failed payments",
    windows=True,
)
def failed_payment_sum(at: At, days: int) -> Floats:
    """Money of the payments that failed in the last {days} days."""
    return at.events("failed_payments").last(days).sum("amount")


@feature(
    "failed_payments.recovered_at",
    unit="days",
    driver="failed payments",
    null="no failed payment was paid yet",
)
def recovery_wait_mean_days(at: At) -> Floats:
    """Mean days until a failed payment was paid."""
    return at.events("recoveries").mean("wait_days")
