"""The forecast of the classic rate against companies whose future is drawn from the probabilities given."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from retention_data import as_tables, shop
from retention_slow import customers_at

from configs.schema import Churn
from pipeline.retention.forecasts import apart, model_errors, record, recorded, track_record
from pipeline.retention.rate_forecast import check_forecasts, forecast_period, forecast_rate, secure_customers

AS_OF = dt.date(2023, 9, 1)
NOW = pd.Timestamp(AS_OF)
BUYERS = Churn(kind="non_contractual", horizon_days=60, active_days=90)
MEMBERS = Churn(kind="contractual", horizon_days=60)


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


@pytest.mark.parametrize("unit", ["week", "month", "quarter"])
@pytest.mark.parametrize(
    ("company", "role", "churn"), [(buyers, "transactions", BUYERS), (members, "customers", MEMBERS)]
)
def test_the_rate_that_comes_lies_in_the_interval(company, role, churn, unit):
    inside, errors = 0, []
    for seed in range(5):
        ids, p, frame = company(seed)
        known = frame[frame.occurred_at < NOW] if role == "transactions" else frame
        secure = secure_customers(as_tables({role: known}), churn, AS_OF, unit, ids)
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
    everybody = sorted(set(past["customer_id"]))
    secure = secure_customers(as_tables({"transactions": past}), churn, AS_OF, unit, everybody)
    assert {c for c, is_secure in zip(everybody, secure, strict=True) if is_secure} == set(want)


def test_the_record_keeps_every_night_and_widens_by_what_was_missed(tmp_path):
    ids, p, frame = buyers(1)
    tables = as_tables({"transactions": frame})
    biased = np.clip(p + 0.15, 0, 1)
    for k in range(4):
        day = AS_OF + dt.timedelta(days=31 * k)
        forecasts = [
            forecast_rate(biased, day, BUYERS),
            forecast_period(biased, np.zeros(len(ids), bool), day, BUYERS),
        ]
        file = record(tmp_path, forecasts, "7")
        content = file.read_bytes()
        assert record(tmp_path, forecasts, "7").read_bytes() == content
    assert min(f.name for f in tmp_path.iterdir()) == "2023-09-01.parquet"
    assert len(recorded(tmp_path)) == 8
    assert len(recorded(tmp_path, before=AS_OF)) == 0
    checked = track_record(tmp_path, tables, BUYERS, dt.date(2024, 3, 1))
    assert checked.measure.tolist() == ["rate"] * 4 + ["window"] * 2
    assert (checked.error > 0).all()
    assert not checked.inside.any()
    errors = model_errors(checked)
    assert set(errors) == {"rate"}
    narrow, wide = (forecast_rate(p, AS_OF, BUYERS, error=e) for e in (0.0, errors["rate"]))
    assert wide.high - wide.low > narrow.high - narrow.low
    assert len(track_record(tmp_path, tables, BUYERS, AS_OF + dt.timedelta(days=1))) == 0


def test_overlapping_nights_count_once():
    days = [AS_OF + dt.timedelta(days=k) for k in range(90)]
    rows = pd.DataFrame(
        {"as_of": days, "start": days, "end": [d + dt.timedelta(30) for d in days], "measure": "rate"}
    )
    chosen = apart(rows)
    assert [(d - AS_OF).days for d in chosen.start] == [29, 59, 89]
    assert len(apart(rows, newest=2)) == 2
