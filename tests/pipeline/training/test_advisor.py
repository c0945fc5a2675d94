import datetime as dt

import numpy as np
import pandas as pd
import pytest
from test_train import AS_OF, SMALL, purchases

from configs.errors import HistoryError
from models.backtest.learning import customer_curve, history_curve
from models.prediction.boosted import Settings
from models.prediction.sample import Sample
from pipeline.sources.opening import open_sources
from pipeline.training.advisor import advise, check
from pipeline.training.gaps import PurchaseDays, horizon_of, returned_within


def days_of(*customers):
    """Purchase days of customers, each a list of days."""
    return PurchaseDays(
        np.repeat(np.arange(len(customers)), [len(c) for c in customers]),
        np.concatenate(customers).astype(int),
    )


def paced(gap, customers=400, history=720, leaves=None, seed=0):
    """Customers who buy every `gap` days on average; some leave for good."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(customers):
        days = np.cumsum(rng.exponential(gap, 4 * history // gap + 10)).astype(int) + rng.integers(0, 60)
        stay = history if leaves is None else rng.exponential(leaves)
        found.append(np.unique(days[days < min(history, stay + 60)]))
    return days_of(*[c for c in found if len(c)])


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
    purchases = days_of([0, 95], [0, 120, 170], [0, 120], [10, 99, 150], [300])
    found = horizon_of(purchases, end=200, days=50, followed=50, active_days=100)
    assert found.snapshot == 100
    assert (found.customers, found.churned, found.returned) == (4, 2, 1)


def test_the_horizon_grows_with_the_pace_of_the_customers():
    fast = advise(paced(10, customers=1_500, leaves=500), 0, 720)
    slow = advise(paced(60, customers=1_500, leaves=600), 0, 720)
    assert fast.horizon_days <= 45 < slow.horizon_days
    assert fast.active_days < slow.active_days
    assert slow.horizon_days <= slow.active_days
    assert "shortest horizon" in fast.reason[0]


def test_when_everybody_comes_back_it_says_that_no_horizon_does():
    advice = advise(paced(120), 0, 720)
    assert "no horizon" in advice.reason[0]


def test_too_short_a_history_is_refused_with_numbers():
    with pytest.raises(HistoryError, match=r"20 days"):
        advise(paced(5, history=20), 0, 20)


def test_later_purchases_change_no_advice(tiny):
    table = purchases()
    late = table.assign(occurred_at=table["occurred_at"] + pd.Timedelta(days=400))
    before, after = (
        check(tiny(transactions=frame, sections=SMALL), AS_OF).values
        for frame in (table, pd.concat([table, late]))
    )
    assert before == after


def test_the_command_shows_horizons_snapshots_and_curves(tiny):
    result = check(tiny(transactions=purchases(), sections=SMALL), AS_OF)
    assert "recommended: horizon_days" in result.text
    assert "came back" in result.text
    snapshots = result.values["snapshots"]
    assert all(row["churners"] <= row["customers"] for row in snapshots)
    assert set(result.values["learning"]) == {"customers", "snapshots"}


def test_too_little_history_for_a_curve_still_gives_advice(tiny):
    result = check(tiny(transactions=purchases(), sections=SMALL), dt.date(2025, 5, 1))
    assert "recommended" in result.text
    assert "no learning curve" in result.text


def sample_of(n, seed, signal):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    y = (rng.random(n) < 1 / (1 + np.exp(-signal * X @ np.arange(6)))).astype(float)
    frame = pd.DataFrame(X, columns=list("abcdef")).astype("float32")
    days = np.repeat(np.datetime64("2026-01-01") + 30 * np.arange(8), n // 8 + 1)[:n].astype("datetime64[D]")
    return Sample(frame, y, np.arange(n).astype(str), days)


def test_more_customers_help_when_there_is_something_to_learn():
    settings = Settings(horizon_days=30, trees=40, threads=1)
    test = sample_of(2_000, 9, 0.5)
    learn = customer_curve(sample_of(600, 1, 0.5), test, settings, lambda line: None)
    losses = [p.log_loss for p in learn.points]
    assert losses[-1] < losses[0] - 0.01
    assert learn.gain > 0
    nothing = customer_curve(sample_of(600, 1, 0.0), sample_of(2_000, 9, 0.0), settings, lambda line: None)
    assert nothing.gain < 0.02


def test_history_counts_the_newest_snapshots():
    settings = Settings(horizon_days=30, trees=10, threads=1)
    curve = history_curve(sample_of(900, 1, 0.5), sample_of(500, 9, 0.5), settings, lambda line: None)
    assert [p.size for p in curve.points] == [1, 2, 4, 8]
    assert curve.points[-1].rows == 900
