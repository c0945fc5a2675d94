"""What came of forecasts, against the definition by hand."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.schema import Churn
from pipeline.retention.definition.periods import Period
from pipeline.retention.forecast.came import check_forecasts, window_rate
from pipeline.retention.forecast.expected import forecast_rate
from pipeline.retention.tables.rate import retention_of
from tests.oracle.retention_data import as_tables, club, shop
from tests.oracle.retention_slow import customers_at

AS_OF, LATER = dt.date(2023, 9, 1), dt.date(2024, 2, 1)


@pytest.mark.parametrize("gap", [0, 7])
def test_what_came_equals_the_labels_by_hand(gap):
    frames, churn = shop(4)
    churn = churn.model_copy(update={"gap_days": gap})
    here = customers_at(frames, churn, pd.Timestamp(AS_OF))
    start = pd.Timestamp(AS_OF) + pd.Timedelta(days=gap)
    t = frames["transactions"]
    back = set(t.customer_id[(t.occurred_at >= start) & (t.occurred_at < start + pd.Timedelta(days=30))])
    assert window_rate(as_tables(frames), churn, AS_OF, LATER) == (len(here), len(here - back))


def test_contractual_without_gap_is_the_rate_itself():
    frames, churn = club(4)
    tables = as_tables(frames)
    known, churned = window_rate(tables, churn, AS_OF, LATER)
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
    assert window_rate(as_tables({"customers": frame}), churn, AS_OF, LATER) == (3, 1)


def test_past_forecasts_beside_what_came():
    frames, churn = shop(4)
    tables = as_tables(frames)
    made = [forecast_rate(np.full(30, 0.3), day, churn) for day in (AS_OF, dt.date(2024, 1, 20))]
    record = check_forecasts(
        pd.DataFrame([dataclasses.asdict(f) for f in made]), tables, churn, dt.date(2024, 2, 5)
    )
    known, churned = window_rate(tables, churn, AS_OF, LATER)
    assert record.came[0] == pytest.approx(100 * (1 - churned / known))
    assert record.error[0] == pytest.approx(record.came[0] - 70.0)
    assert record.inside[0] == (made[0].low <= record.came[0] <= made[0].high)
    assert record[["known", "came", "inside"]].iloc[1].isna().all()


@pytest.mark.parametrize("company", [shop, club])
def test_what_happens_from_the_as_of_date_on_changes_no_record(company):
    """Windows that are over look at nothing later; the others at nothing at all."""
    frames, churn = company(4)
    churn = churn.model_copy(update={"gap_days": 7})
    as_of = dt.date(2023, 10, 8)
    days = [
        AS_OF,
        AS_OF + dt.timedelta(days=1),
    ]  # the window of the first is over on 2023-10-08, not the second's
    made = pd.DataFrame([dataclasses.asdict(forecast_rate([0.1, 0.2], day, churn)) for day in days])
    found = check_forecasts(made, as_tables(frames), churn, as_of)
    assert found["known"].notna().tolist() == [True, False]
    cut = dict(frames)
    if "transactions" in frames:
        cut["transactions"] = frames["transactions"][frames["transactions"].occurred_at < pd.Timestamp(as_of)]
    else:
        people = frames["customers"]
        late = people.ended_at >= pd.Timestamp(as_of)
        cut["customers"] = people.assign(
            ended_at=people.ended_at.mask(late), end_reason=people.end_reason.mask(late)
        )
    pd.testing.assert_frame_equal(check_forecasts(made, as_tables(cut), churn, as_of), found)
