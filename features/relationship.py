"""How long the customer has been with us, who knows whom, and what was achieved together."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.spec import At, feature
from features.worse import USUAL, Times, Worse

NEW_DAYS = 90


@feature(
    "transactions",
    unit="days",
    driver="tenure",
    null="has never bought",
    actionable=False,
    worse=Worse(
        range=Range(above=0.5, below=NEW_DAYS),
        says="a new customer, first purchase {purchase_tenure_days:day} ago",
        unless={"tenure_days": Range(above=0), "recency_days": Range(above=30)},
    ),
)
def purchase_tenure_days(at: At) -> Floats:
    """Days since the first purchase."""
    return at.t - at.purchases.first_at()


@feature(
    "customers.started_at",
    unit="days",
    driver="tenure",
    null="start unknown",
    actionable=False,
    worse=Worse(
        range=Range(above=0.5, below=NEW_DAYS),
        says="a new customer, with us for {tenure_days:day}",
        unless={"recency_days": Range(above=30)},
    ),
)
def tenure_days(at: At) -> Floats:
    """Days since the customer started."""
    return at.t - at.started_at


@feature(
    "customers.started_at",
    "usage",
    unit="days",
    driver="tenure",
    null="has used it, or start unknown",
    worse=Worse(
        range=Range(above=7), says="with us for {first_use_wait_days:day} and has not used the product yet"
    ),
)
def first_use_wait_days(at: At) -> Floats:
    """Days since the start without a first use."""
    return np.where(at.usage.count() > 0, np.nan, at.t - at.started_at)


@feature(
    "transactions",
    unit="days",
    driver="silence",
    null="has not bought exactly once",
    worse=Worse(range=Range(above=30), says="only one purchase so far, {second_purchase_wait_days:day} ago"),
)
def second_purchase_wait_days(at: At) -> Floats:
    """Days since the only purchase."""
    return np.where(at.purchases.count() == 1, at.t - at.purchases.last_at(), np.nan)


@feature(
    "transactions.points",
    unit="points",
    driver="loyalty points",
    worse=Worse(
        range=Times(above=1.5, of=USUAL),
        says="{points_balance:loyalty point} not used",
        when={"points_balance": Range(above=0.5)},
    ),
)
def points_balance(at: At) -> Floats:
    """Loyalty points not redeemed."""
    return at.purchases.sum("points")


@feature(
    "transactions.redeemed",
    unit="days",
    driver="loyalty points",
    null="has never redeemed points",
    worse=Worse(
        range=Range(above=180),
        says="last used loyalty points {points_redeemed_gap_days:day} ago",
        when={"points_balance": Range(above=0.5)},
    ),
)
def points_redeemed_gap_days(at: At) -> Floats:
    """Days since loyalty points were last redeemed."""
    return at.t - at.purchases.last_at(where="redeemed")


@feature(
    "contacts.contact_person",
    unit="people",
    driver="relationship",
    worse=Worse(
        range=Times(below=0.75, of=USUAL),
        says="we know only one person on the customer's side",
        when={"contact_customer_people_count": Range(above=0.5, below=1.5)},
    ),
)
def contact_customer_people_count(at: At) -> Floats:
    """People on the customer's side who have been in contact with us."""
    return at.events("their_people").count()


@feature(
    "contacts.agent",
    unit="days",
    driver="relationship",
    null="knows at most one person of ours",
    worse=Worse(
        range=Range(above=0.5, below=90),
        says="another person of ours took over {contact_new_person_days:day} ago",
        # Somebody at the service desk who answered a question has not taken over.
        when={"contact_outbound_gap_days": Times(below=1.01, of="contact_new_person_days")},
    ),
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
