import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_gaps import bought
from test_train import AS_OF, SMALL, purchases

from configs.errors import HistoryError
from models.backtest import learning
from models.backtest.learning import customer_curve, history_curve
from models.prediction.boosted import Settings
from models.prediction.sample import Sample
from pipeline.training.advisor import TeamPace, advise, curve_text, recommendations

QUICK = TeamPace(capacity=100_000, rest_days=14)


def paced(gap, customers=400, history=720, leaves=None, seed=0):
    """Customers who buy every `gap` days on average; some leave for good."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(customers):
        days = np.cumsum(rng.exponential(gap, 4 * history // gap + 10)).astype(int) + rng.integers(0, 60)
        stay = history if leaves is None else rng.exponential(leaves)
        found.append(np.unique(days[days < min(history, stay + 60)]))
    return bought(*[c for c in found if len(c)])


def test_the_horizon_grows_with_the_pace_of_the_customers():
    fast = advise(paced(10, customers=1_500, leaves=500), 720, QUICK)
    slow = advise(paced(60, customers=1_500, leaves=600), 720, QUICK)
    assert fast.horizon_days <= 45 < slow.horizon_days
    assert fast.active_days < slow.active_days
    assert slow.horizon_days <= slow.active_days
    assert "shortest horizon" in fast.reason[0]


def test_a_team_that_needs_longer_gets_a_longer_horizon():
    rows, slow = paced(10, customers=1_500, leaves=500), TeamPace(capacity=2, rest_days=28)
    quick, later = advise(rows, 720, QUICK), advise(rows, 720, slow)
    leavers = {h.days: h.churned for h in later.candidates}
    assert quick.horizon_days < later.horizon_days
    assert slow.days_to_act(leavers[later.horizon_days]) <= later.horizon_days
    assert f"the team needs {slow.days_to_act(leavers[later.horizon_days])} days" in later.reason[2]


def test_a_team_that_never_gets_round_is_told_what_would_do():
    rows = paced(60, customers=1_500, leaves=600)
    never = advise(rows, 720, TeamPace(capacity=1, rest_days=14))
    assert never.horizon_days == advise(rows, 720, QUICK).horizon_days
    (leavers,) = [h.churned for h in never.candidates if h.days == never.horizon_days]
    assert f"outreach.capacity: {-(-leavers // (never.horizon_days - 14))} would do" in never.reason[2]
    assert "leaves one contact" in advise(rows, 720, TeamPace(capacity=1, rest_days=400)).reason[2]


def test_when_everybody_comes_back_it_says_that_no_horizon_does():
    advice = advise(paced(120), 720, QUICK)
    assert "no horizon" in advice.reason[0]


def test_too_short_a_history_is_refused_with_numbers():
    with pytest.raises(HistoryError, match="20 days of purchases are too few to look at gaps; 30 are needed"):
        advise(bought([0, 5, 12], [3]), 20, QUICK)


@pytest.mark.slow
def test_later_purchases_change_no_advice(tiny):
    table = purchases()
    late = table.assign(occurred_at=table["occurred_at"] + pd.Timedelta(days=400))
    before, after = (
        recommendations(tiny(transactions=frame, sections=SMALL), AS_OF).values
        for frame in (table, pd.concat([table, late]))
    )
    came = [values.pop("rows")["transactions"]["read"] for values in (before, after)]
    assert came == [len(table), len(table)]
    assert before.pop("notes") == []
    assert len(after.pop("notes")) == 1
    assert before == after


def test_the_command_shows_horizons_snapshots_and_curves(tiny):
    result = recommendations(tiny(transactions=purchases(), sections=SMALL), AS_OF)
    assert "recommended: horizon_days" in result.text
    assert "came back" in result.text
    assert "reach each of them once" in result.text
    snapshots = result.values["snapshots"]
    assert all(row["churners"] <= row["customers"] for row in snapshots)
    assert set(result.values["learning"]) == {"customers", "snapshots"}


def test_too_little_history_for_a_curve_still_gives_advice(tiny):
    result = recommendations(tiny(transactions=purchases(), sections=SMALL), dt.date(2025, 5, 1))
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


def test_of_too_many_rows_customers_are_drawn_and_every_size_has_the_rows_that_it_names(monkeypatch):
    fitted = []
    fit = learning.fit_members

    def watched(sample, *rest, **named):
        fitted.append(len(sample))
        return fit(sample, *rest, **named)

    monkeypatch.setattr(learning, "CURVE_ROWS", 400)
    monkeypatch.setattr(learning, "fit_members", watched)
    settings = Settings(horizon_days=30, trees=5, threads=1)
    train, test = sample_of(900, 1, 0.5), sample_of(300, 9, 0.5)
    for curve_of in (customer_curve, history_curve):
        curve = curve_of(train, test, settings, print)
        assert curve.drawn == (400, 900)
        assert curve.points[-1].rows == 400
        assert set(fitted) == {p.rows for p in curve.points}
        assert "on 400 customers drawn of 900" in curve_text("customers", curve, 0)
        fitted.clear()


def test_a_curve_that_falls_is_called_one():
    """Long ago the sign of what matters was the other one."""
    settings = Settings(horizon_days=30, trees=40, threads=1)
    train, test = sample_of(1_600, 1, 0.5), sample_of(2_000, 9, 0.5)
    old = train.snapshot <= train.snapshots[4]
    curve = history_curve(
        replace(train, churned=np.where(old, 1 - train.churned, train.churned)), test, settings, print
    )
    assert curve.best.size == 4
    assert curve.gain < 0
    text = curve_text("snapshots", curve, later=3)
    assert "raised the log loss" in text
    assert text.endswith("use fewer snapshots, snapshots.max_count: 7")
