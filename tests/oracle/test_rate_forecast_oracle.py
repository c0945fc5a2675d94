import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from retention_data import as_tables, club, shop
from retention_slow import customers_at
from scipy import stats

from configs.errors import DataError
from configs.schema import Churn
from pipeline.retention.periods import Period
from pipeline.retention.rate import retention_of
from pipeline.retention.rate_forecast import check_forecasts, forecast_rate, poisson_binomial, window_rate

AS_OF = dt.date(2023, 9, 1)
CHURN = Churn(kind="non_contractual", horizon_days=30, active_days=45)


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 6, 300)
    forecast = forecast_rate(p, AS_OF, CHURN)
    came = 100 * (1 - (rng.random((4000, 300)) < p).mean(1))
    share = ((came >= forecast.low - 1e-9) & (came <= forecast.high + 1e-9)).mean()
    assert 0.94 < share < 0.98
    assert forecast.rate == pytest.approx(100 * (1 - p.mean()))
    assert (forecast.start, forecast.end) == (AS_OF, dt.date(2023, 10, 1))


def test_chances_equal_scipy():
    p = np.random.default_rng(0).random(40)
    np.testing.assert_allclose(poisson_binomial(p), stats.poisson_binom.pmf(np.arange(41), p), atol=1e-12)


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


@pytest.mark.parametrize("gap", [0, 7])
def test_what_came_equals_the_labels_by_hand(gap):
    frames, churn = shop(4)
    churn = churn.model_copy(update={"gap_days": gap})
    here = customers_at(frames, churn, pd.Timestamp(AS_OF))
    start = pd.Timestamp(AS_OF) + pd.Timedelta(days=gap)
    t = frames["transactions"]
    back = set(t.customer_id[(t.occurred_at >= start) & (t.occurred_at < start + pd.Timedelta(days=30))])
    assert window_rate(as_tables(frames), churn, AS_OF) == (len(here), len(here - back))


def test_contractual_without_gap_is_the_rate_itself():
    frames, churn = club(4)
    tables = as_tables(frames)
    known, churned = window_rate(tables, churn, AS_OF)
    a = dt.datetime.combine(AS_OF, dt.time())
    row = retention_of(tables, churn, [Period("w", a, a + dt.timedelta(days=30))], dt.date(2024, 2, 1)).iloc[
        0
    ]
    assert (known, churned) == (row.S - row.not_churn, row.lost - row.not_churn)
    assert row.adjusted_rate == pytest.approx(100 * (1 - churned / known))


def test_a_contract_that_ends_in_the_gap_is_not_known():
    frame = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "started_at": pd.Timestamp("2023-01-01"),
            "ended_at": pd.to_datetime(["2023-09-03", "2023-09-08", "2023-10-08", None]),
            "end_reason": ["price"] * 4,
        }
    )
    churn = Churn(kind="contractual", horizon_days=30, gap_days=7)
    assert window_rate(as_tables({"customers": frame}), churn, AS_OF) == (3, 1)


def test_past_forecasts_beside_what_came():
    frames, churn = shop(4)
    tables = as_tables(frames)
    made = [forecast_rate(np.full(30, 0.3), day, churn) for day in (AS_OF, dt.date(2024, 1, 20))]
    record = check_forecasts(
        pd.DataFrame([dataclasses.asdict(f) for f in made]), tables, churn, dt.date(2024, 2, 5)
    )
    known, churned = window_rate(tables, churn, AS_OF)
    assert record.came[0] == pytest.approx(100 * (1 - churned / known))
    assert record.error[0] == pytest.approx(record.came[0] - 70.0)
    assert record.inside[0] == (made[0].low <= record.came[0] <= made[0].high)
    assert record[["known", "came", "inside"]].iloc[1].isna().all()
