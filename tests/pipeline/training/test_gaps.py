"""Gaps between purchases, and who comes back after a silence."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd

from pipeline.sources.opening import open_sources
from pipeline.training.gaps import PurchaseDays, horizon_of, returned_within


def bought(*customers):
    """Purchases of customers, each a list of days since 1970."""
    who = np.repeat(np.arange(len(customers)), [len(c) for c in customers])
    day = pd.to_datetime(np.concatenate(customers).astype(int), unit="D")
    return ibis.memtable(pd.DataFrame({"customer_id": who.astype(str), "occurred_at": day}))


def days_of(*customers):
    return PurchaseDays.of(bought(*customers))


def test_two_purchases_of_a_day_are_one(tiny):
    table = "customer_id,occurred_at\na,2024-01-01 08:00\na,2024-01-01 20:00\nb,2024-01-02\na,2024-01-05\n"
    sources = open_sources(tiny(transactions=table), dt.date(2024, 2, 1))
    found = PurchaseDays.of(sources.local["transactions"])
    by_customer = [found.day[found.customer == c].tolist() for c in np.unique(found.customer)]
    assert sorted(by_customer) == [[19723, 19727], [19724]]


def test_a_gap_that_still_runs_counts_as_long_as_it_has_lasted():
    purchases = days_of([0, 10], [0], [0, 30], [35])
    shares = returned_within(purchases, end=40, days=np.array([5, 10, 30, 40]))
    # at risk at 10 days: all but the gap open since day 35 (5 days): 5 gaps, one of them closes
    np.testing.assert_allclose(shares, [0, 1 / 5, 1 - 4 / 5 * 2 / 3, 1 - 4 / 5 * 2 / 3])


def test_against_counting_when_nothing_is_censored():
    rng = np.random.default_rng(1)
    purchases = days_of(*[np.unique(rng.integers(0, 300, 12)) for _ in range(50)])
    following = purchases.next_day
    closed = following >= 0
    gaps = (following - purchases.day)[closed]
    alone = PurchaseDays(
        np.repeat(np.arange(len(gaps)), 2), np.column_stack([np.zeros(len(gaps), int), gaps]).ravel()
    )
    found = returned_within(alone, end=10_000, days=np.array([10, 50]))
    np.testing.assert_allclose(found, [np.mean(gaps <= 10) / 2, np.mean(gaps <= 50) / 2])


def test_who_churned_and_who_came_back():
    purchases = bought([0, 95], [0, 120, 170], [0, 120], [10, 99, 150], [300])
    found = horizon_of(purchases, end=200, days=50, followed=50, active_days=100)
    assert found.snapshot == 100
    assert (found.customers, found.churned, found.returned) == (4, 2, 1)
