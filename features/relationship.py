"""How long the customer has been with us, who knows whom, and what was achieved together."""

from __future__ import annotations

import numpy as np

from features.panel import Floats
from features.spec import At, feature


@feature("transactions", unit="days", driver="tenure", null="has never bought", actionable=False)
def purchase_tenure_days(at: At) -> Floats:
    """Days since the first purchase."""
    return at.t - at.purchases.first_at()


@feature(
    "customers.started_at",
    unit="days",
    driver="tenure",
    null="start unknown",
    actionable=False,
    reason="a customer for {tenure_days:.0f} days",
)
def tenure_days(at: At) -> Floats:
    """Days since the customer started."""
    return at.t - at.started_at


@feature(
    "customers.started_at",
    "usage",
    unit="days",
    driver="usage",
    null="has used it, or start unknown",
    reason="started {first_use_wait_days:.0f} days ago and has not used it yet",
)
def first_use_wait_days(at: At) -> Floats:
    """Days since the start without a first use."""
    return np.where(at.usage.count() > 0, np.nan, at.t - at.started_at)


@feature(
    "transactions",
    unit="days",
    driver="frequency",
    null="has not bought exactly once",
    reason="bought once, {second_purchase_wait_days:.0f} days ago, and not again",
)
def second_purchase_wait_days(at: At) -> Floats:
    """Days since the only purchase."""
    return np.where(at.purchases.count() == 1, at.t - at.purchases.last_at(), np.nan)


@feature(
    "transactions.points",
    unit="points",
    driver="loyalty points",
    reason="{points_balance:,.0f} loyalty points not redeemed",
)
def points_balance(at: At) -> Floats:
    """Loyalty points not redeemed."""
    return at.purchases.sum("points")


@feature(
    "transactions.redeemed",
    unit="days",
    driver="loyalty points",
    null="has never redeemed points",
    reason="loyalty points last redeemed {points_redeemed_gap_days:.0f} days ago",
)
def points_redeemed_gap_days(at: At) -> Floats:
    """Days since loyalty points were last redeemed."""
    return at.t - at.purchases.last_at(where="redeemed")


@feature(
    "contacts.contact_person",
    unit="people",
    driver="relationship",
    reason="people on the customer's side in contact with us: {contact_customer_people_count:.0f}",
)
def contact_customer_people_count(at: At) -> Floats:
    """People on the customer's side who have been in contact with us."""
    return at.events("their_people").count()


@feature(
    "contacts.agent",
    unit="days",
    driver="relationship",
    null="knows at most one person of ours",
    reason="a new person of ours took over {contact_new_person_days:.0f} days ago",
)
def contact_new_person_days(at: At) -> Floats:
    """Days since another person of ours took up contact."""
    people = at.events("our_people")
    return np.where(people.count() > 1, at.t - people.last_at(), np.nan)


@feature("customers.started_at", unit="days", driver="tenure", null="start unknown", actionable=False)
def anniversary_days(at: At) -> Floats:
    """Days to the nearest anniversary of the start."""
    year = np.mod(at.t - at.started_at, 365.25)
    return np.minimum(year, 365.25 - year)
