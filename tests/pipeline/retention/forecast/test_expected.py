"""Forecasts of the rate against what a simulated company did."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.errors import DataError
from configs.schema import Churn
from pipeline.retention.forecast.came import check_forecasts
from pipeline.retention.forecast.expected import (
    forecast_period,
    forecast_rate,
    lost_in_period,
    secure_ids,
)
from tests.oracle.retention_data import as_tables, shop
from tests.oracle.retention_slow import customers_at

AS_OF = dt.date(2023, 9, 1)
NOW = pd.Timestamp(AS_OF)
BUYERS = Churn(kind="non_contractual", horizon_days=60, active_days=90)
MEMBERS = Churn(kind="contractual", horizon_days=60)
CHURN = Churn(kind="non_contractual", horizon_days=30, active_days=45)


def buyers(seed, n=800):
    """Customers at AS_OF with a Poisson rate each; what they buy afterwards is drawn from it."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"{k:05d}" for k in range(n)])
    rate = rng.gamma(1.2, 1 / 60, n)
    last = NOW - pd.to_timedelta(rng.uniform(0.01, 89.9, n), "D")
    later = [NOW + pd.to_timedelta(rng.uniform(0, 200, k), "D") for k in rng.poisson(200 * rate)]
    frame = pd.DataFrame(
        {
            "customer_id": np.concatenate([ids, np.repeat(ids, [len(x) for x in later])]),
            "occurred_at": np.concatenate([last.to_numpy(), *[x.to_numpy() for x in later]]),
        }
    )
    return ids, np.exp(-60 * rate), frame.assign(occurred_at=frame.occurred_at.dt.floor("s"))


def members(seed, n=800):
    rng = np.random.default_rng(seed)
    hazard = rng.gamma(1.5, 1 / 500, n)
    ended = (NOW + pd.to_timedelta(np.minimum(rng.exponential(1 / hazard), 9_000), "D")).floor("s")
    frame = pd.DataFrame(
        {
            "customer_id": [f"{k:05d}" for k in range(n)],
            "started_at": NOW - pd.Timedelta(days=30),
            "ended_at": ended,
            "end_reason": "price",
        }
    )
    return frame.customer_id.to_numpy(), 1 - np.exp(-60 * hazard), frame


def secure_of(frames, churn, unit):
    found = secure_ids(as_tables(frames), churn, AS_OF, unit)
    return [] if found is None else found.to_pandas()["customer_id"].tolist()


@pytest.mark.parametrize("unit", ["week", "month", "quarter"])
@pytest.mark.parametrize(
    ("company", "role", "churn"), [(buyers, "transactions", BUYERS), (members, "customers", MEMBERS)]
)
def test_the_rate_that_comes_lies_in_the_interval(company, role, churn, unit):
    inside, errors = 0, []
    for seed in range(5):
        ids, p, frame = company(seed)
        known = frame[frame.occurred_at < NOW] if role == "transactions" else frame
        secure = np.isin(ids, secure_of({role: known}, churn, unit))
        forecast = forecast_period(p, secure, AS_OF, churn, unit)
        tables = as_tables({role: frame})
        row = check_forecasts(pd.DataFrame([vars(forecast)]), tables, churn, dt.date(2024, 3, 1)).iloc[0]
        assert row.known == len(ids)
        inside += row.inside
        errors.append(row.error)
    assert inside >= 4
    assert abs(np.mean(errors)) < 2.5 * forecast.chance / np.sqrt(5)


def test_with_the_horizon_as_the_period_nothing_is_assumed():
    churn = MEMBERS.model_copy(update={"horizon_days": 30})
    p = np.random.default_rng(0).beta(1, 9, 400)
    rate, window = forecast_period(p, np.zeros(400), AS_OF, churn), forecast_rate(p, AS_OF, churn)
    assert (rate.start, rate.end) == (window.start, window.end)
    assert (rate.rate, rate.low, rate.high) == pytest.approx((window.rate, window.low, window.high))


@pytest.mark.parametrize("unit", ["week", "month", "quarter", "year"])
def test_the_secure_are_customers_at_the_end_without_another_purchase(unit):
    frames, churn = shop(3)
    past = frames["transactions"][frames["transactions"].occurred_at < NOW]
    end = {"week": "2023-09-08", "month": "2023-10-01", "quarter": "2023-12-01", "year": "2024-09-01"}[unit]
    want = customers_at({"transactions": past}, churn, pd.Timestamp(end))
    assert set(secure_of({"transactions": past}, churn, unit)) == set(want)


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 6, 300)
    forecast = forecast_rate(p, AS_OF, CHURN)
    came = 100 * (1 - (rng.random((4000, 300)) < p).mean(1))
    share = ((came >= forecast.low - 1e-9) & (came <= forecast.high + 1e-9)).mean()
    assert 0.94 < share < 0.98
    assert forecast.rate == pytest.approx(100 * (1 - p.mean()))
    assert (forecast.start, forecast.end) == (AS_OF, dt.date(2023, 10, 1))


def test_exact_and_normal_interval_meet():
    p = np.random.default_rng(2).beta(1, 6, 2000)
    exact = forecast_rate(p, AS_OF, CHURN)
    normal = forecast_rate(np.append(p, p.mean()), AS_OF, CHURN)
    assert exact.low == pytest.approx(normal.low, abs=0.06)
    assert exact.high == pytest.approx(normal.high, abs=0.06)
    wide = forecast_rate(p, AS_OF, CHURN, error=0.05)
    assert wide.high - wide.low > 3 * (exact.high - exact.low)


@pytest.mark.parametrize("p", [[], [0.2, np.nan], [1.2], [-0.1]])
def test_no_forecast_from_nonsense(p):
    with pytest.raises(DataError, match="no rate can be forecast"):
        forecast_rate(p, AS_OF, CHURN)


def test_a_chance_over_another_number_of_days():
    """A contract is taken to end at an even rate; no buyer is lost for longer than the active days."""
    club = Churn(kind="contractual", horizon_days=15)
    assert lost_in_period(0.5, dt.date(2024, 4, 1), club, "month") == pytest.approx(0.75)  # 30 days: twice
    shop = Churn(kind="non_contractual", horizon_days=15, active_days=60)
    assert lost_in_period(0.5, dt.date(2024, 4, 1), shop, "month") == pytest.approx(0.25)
    short = shop.model_copy(update={"active_days": 15})
    assert lost_in_period(0.5, dt.date(2024, 4, 1), short, "month") == pytest.approx(0.5)
    assert lost_in_period(0.5, dt.date(2024, 4, 1), short, "year") == pytest.approx(0.5)


def test_a_window_begins_after_the_gap():
    churn = CHURN.model_copy(update={"gap_days": 7})
    forecast = forecast_rate([0.25, 0.75], AS_OF, churn)
    assert (str(forecast.start), str(forecast.end), forecast.measure) == (
        "2023-09-08",
        "2023-10-08",
        "window",
    )
    assert (forecast.customers, forecast.expected_lost, forecast.rate) == (2, 1.0, 50.0)
    assert forecast.chance == pytest.approx(100 * (2 * 0.25 * 0.75) ** 0.5 / 2)
