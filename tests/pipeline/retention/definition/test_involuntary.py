"""Who left since a payment failed: against loops, for contracts and for purchases."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.retention.definition.involuntary import with_unpaid
from pipeline.retention.definition.periods import parse_period
from pipeline.retention.tables.audit import involuntary
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, club, shop

AS_OF = dt.date(2024, 2, 5)
DAY = pd.Timedelta(days=1)


def payments(ids, seed):
    rng = np.random.default_rng(seed)
    at = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 380, 1500), "D")
    wait = pd.to_timedelta(rng.integers(1, 60, 1500), "D")
    paid = pd.Series(at + wait).where(rng.random(1500) < 0.5)
    return pd.DataFrame({"customer_id": rng.choice(ids, 1500), "occurred_at": at, "recovered_at": paid})


def is_unpaid(failed, who, end, days):
    return any(
        end - days * DAY <= row.occurred_at <= end and not row.recovered_at <= end
        for row in failed[failed.customer_id == who].itertuples()
    )


@pytest.mark.parametrize("company", [shop, club])
def test_the_share_of_a_period_equals_a_loop(company):
    frames, churn = company(seed=3, customers=200)
    column = "ended_at" if churn.kind == "contractual" else "occurred_at"
    days = 30 if churn.kind == "contractual" else 30 + churn.active_days
    rows = frames["customers" if churn.kind == "contractual" else "transactions"]
    failed = payments(rows.customer_id.unique(), seed=4)
    month = parse_period("2023-10", AS_OF)
    sets = slow.status_sets(frames, churn, month.start, month.end)
    lost = sets["lost"] - sets["not_churn"]
    ends = rows[rows.customer_id.isin(lost)].groupby("customer_id")[column].max()
    if churn.kind != "contractual":
        before = rows[rows.occurred_at < pd.Timestamp(month.end) - churn.active_days * DAY]
        ends = before[before.customer_id.isin(lost)].groupby("customer_id").occurred_at.max()
        ends = ends + churn.active_days * DAY
    wanted = sum(is_unpaid(failed, who, end, days) for who, end in ends.items())
    assert wanted
    found = involuntary(as_tables({**frames, "failed_payments": failed}), churn, month, 30)
    assert found == (wanted, len(lost))


def test_edges():
    """A day of grace more or less, paid at the end or a second later."""
    end = pd.Timestamp("2024-03-31")
    cases = {
        "on the first day": (end - 30 * DAY, None, True),
        "too early": (end - 30 * DAY - pd.Timedelta("1s"), None, False),
        "at the end": (end, None, True),
        "after it": (end + pd.Timedelta("1s"), None, False),
        "paid by then": (end - DAY, end, False),
        "paid too late": (end - DAY, end + pd.Timedelta("1s"), True),
    }
    ended = pd.DataFrame({"customer_id": [*cases, "never failed"], "ended_at": end})
    failed = pd.DataFrame(
        [(who, at, paid) for who, (at, paid, _) in cases.items()],
        columns=["customer_id", "occurred_at", "recovered_at"],
    ).astype({"recovered_at": "datetime64[us]"})
    tables = as_tables({"ended": ended, "failed_payments": failed})
    found = with_unpaid(tables["ended"], tables, 30).execute()
    wanted = {who: unpaid for who, (_, _, unpaid) in cases.items()} | {"never failed": False}
    assert dict(zip(found.customer_id, found.unpaid, strict=True)) == wanted


def test_without_failed_payments_nobody_is_unpaid():
    frames, _ = club(seed=1)
    tables = as_tables(frames)
    assert not with_unpaid(tables["customers"], tables, 30).unpaid.any().execute()
