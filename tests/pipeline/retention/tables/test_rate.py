"""The rate by hand, at its edges, and against a slow count of customers."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from configs.errors import DataError
from configs.schema import Churn
from pipeline.retention.definition.movements import COUNTS
from pipeline.retention.definition.periods import Period, periods_until
from pipeline.retention.tables.rate import check_identity, rate, retention_of, retention_table
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, cdnow, club, online_retail, open_university, shop

NUMBERS = ["S", "N", "E", *COUNTS[2:]]


def agree(fast, rows):
    keys = [c for c in ("period", "segment") if c in fast]
    want = pd.DataFrame(rows).set_index(keys)[NUMBERS].sort_index()
    pd.testing.assert_frame_equal(fast.set_index(keys)[NUMBERS].sort_index(), want, check_index_type=False)


SHOP = Churn(kind="non_contractual", horizon_days=30, active_days=30)


def purchases(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at"])
    return {"transactions": ibis.memtable(frame.assign(occurred_at=pd.to_datetime(frame.occurred_at)))}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("company", [shop, club])
@pytest.mark.parametrize(
    ("unit", "count", "options"),
    [
        ("month", 12, {"running": True}),
        ("week", 70, {"first_weekday": 6, "time_zone": "Asia/Tehran"}),
        ("quarter", 4, {"rolling": True}),
        ("year", 1, {"time_zone": "America/New_York", "running": True}),
    ],
)
def test_every_period_equals_the_oracle(company, seed, unit, count, options):
    frames, churn = company(seed)
    as_of = dt.date(2024, 2, 5)
    fast = retention_table(as_tables(frames), churn, as_of, unit, periods=count, **options)
    agree(fast, slow.retention(frames, churn, periods_until(as_of, unit, count, **options), as_of))


@pytest.mark.parametrize("company", [shop, club])
def test_segments_equal_the_oracle_and_add_up(company):
    frames, churn = company(5)
    as_of = dt.date(2024, 2, 5)
    tables = as_tables(frames)
    fast = retention_table(tables, churn, as_of, periods=6, segment="plan")
    agree(fast, slow.retention(frames, churn, periods_until(as_of, "month", 6), as_of, "plan"))
    total = retention_table(tables, churn, as_of, periods=6)
    pd.testing.assert_frame_equal(
        fast.groupby("period")[NUMBERS].sum(), total.set_index("period")[NUMBERS], check_index_type=False
    )
    ranges = retention_table(tables, churn, as_of, periods=6, segment="size")
    assert ranges.groupby("period").S.sum().tolist() == total.S.tolist()
    assert ranges.segment.nunique() in (4, 5)


@pytest.mark.parametrize("load", [online_retail, cdnow, open_university])
def test_real_data_equal_the_oracle(load):
    frames, churn, as_of = load()
    fast = retention_table(as_tables(frames), churn, as_of, running=True)
    agree(fast, slow.retention(frames, churn, periods_until(as_of, "month", 12, running=True), as_of))


def test_worked_examples():
    assert rate(start=20, new=5, end=24) == 95.0
    assert f"{rate(start=44, new=12, end=43):.4f}" == "70.4545"


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((0, 1, 2), "S (start): is 0"),
        ((10, 5, 4), "E (end): is 4, below N = 5"),
        ((10, -1, 4), "N (new): is -1"),
        ((10, 1, -4), "E (end): is -4"),
        ((-10, 1, 4), "S (start): is -10"),
        ((10, 1, 14), "more than the S = 10"),
    ],
)
def test_impossible_counts_are_refused(counts, says):
    with pytest.raises(DataError) as caught:
        rate(*counts)
    assert says in str(caught.value)


def test_one_month_by_hand():
    tables = purchases(
        ("kept", "2024-01-20"),
        ("kept", "2024-02-20"),
        ("lost", "2024-01-15"),
        ("new", "2024-02-10"),
        ("returned", "2023-06-01"),
        ("returned", "2024-02-28"),
        ("long gone", "2023-06-01"),
    )
    row = retention_table(tables, SHOP, dt.date(2024, 3, 1), periods=1).iloc[0]
    assert row[["S", "N", "E", "kept", "lost", "new", "returned"]].tolist() == [2, 2, 3, 1, 1, 1, 1]
    assert (row.rate, row.churn_rate, row.adjusted_rate) == (50.0, 50.0, 50.0)
    assert row.complete
    assert row.full_history


def test_customer_at_the_edges_of_the_window():
    tables = purchases(
        ("on the far edge", "2024-01-02 00:00:00"),
        ("just too early", "2024-01-01 23:59:59"),
        ("just before", "2024-01-31 23:59:59"),
        ("at the edge", "2024-02-01 00:00:00"),
    )
    row = retention_table(tables, SHOP, dt.date(2024, 3, 1), periods=1).iloc[0]
    assert row.S == 2
    assert row.new == 1
    assert row.N == 1


def test_an_unfinished_period_is_never_final():
    tables = purchases(("a", "2024-01-20"), ("a", "2024-02-20"))
    table = retention_table(tables, SHOP, dt.date(2024, 2, 25), periods=1, running=True)
    assert table.complete.tolist() == [True, False]
    assert table.S.tolist() == [0, 1]
    assert table[["rate", "rate_low", "rate_high", "churn_rate", "adjusted_rate"]].isna().all(axis=None)


def test_periods_before_the_window_is_filled_are_marked():
    tables = purchases(("a", "2024-01-20"), ("a", "2024-02-10"), ("a", "2024-03-05"))
    table = retention_table(tables, SHOP, dt.date(2024, 4, 1), periods=2)
    assert table.full_history.tolist() == [False, True]


def test_endings_that_do_not_count_stand_apart():
    frame = pd.DataFrame(
        {
            "customer_id": ["stays", "quits", "completes", "came and went"],
            "started_at": pd.to_datetime(["2024-01-05"] * 3 + ["2024-02-02"]),
            "ended_at": pd.to_datetime([None, "2024-02-10", "2024-02-11", "2024-02-12"]),
            "end_reason": [None, "price", "completed", "price"],
        }
    )
    churn = Churn(kind="contractual", horizon_days=28, not_churn_reasons=["completed"])
    tables = {"customers": ibis.memtable(frame)}
    row = retention_table(tables, churn, dt.date(2024, 3, 1), periods=1).iloc[0]
    assert row[["S", "N", "E", "lost", "not_churn", "came_and_went"]].tolist() == [3, 0, 1, 2, 1, 1]
    assert round(row.rate, 4) == 33.3333
    assert row.adjusted_rate == 50.0


def test_a_contract_that_ends_at_an_edge_still_counts_there():
    frame = pd.DataFrame(
        {
            "customer_id": ["a"],
            "started_at": pd.to_datetime(["2024-01-05"]),
            "ended_at": pd.to_datetime(["2024-02-01"]),
        }
    )
    churn = Churn(kind="contractual", horizon_days=28)
    table = retention_table({"customers": ibis.memtable(frame)}, churn, dt.date(2024, 3, 1), periods=2)
    assert table.E.tolist() == [1, 0]
    assert table.lost.tolist() == [0, 1]


def test_identity_violations_stop_the_run():
    row = {"period": "2024-02", "S": 2, "N": 0, "E": 1, "kept": 1, "lost": 0}
    with pytest.raises(DataError, match="2024-02: S 2, N 0, E 1, kept 1, lost 0"):
        check_identity(pd.DataFrame([row]))


def test_more_edges_than_a_word_holds():
    days = [dt.datetime(2023, 1, 1) + dt.timedelta(days=k) for k in range(150)]
    periods = [Period(str(a.date()), a, a + dt.timedelta(days=1)) for a in days]
    tables = purchases(("a", "2023-03-01 12:00"), ("b", "2023-01-31 12:00"))
    table = retention_of(tables, SHOP, periods, dt.date(2024, 1, 1)).set_index("period")
    assert table.S.gt(0).sum() == 59
    assert table.S.max() == 2
    assert table.new.sum() == 2
    assert table.lost.sum() == 2


def test_a_month_that_met_nobody_has_a_row_of_zeros_as_each_segment_has():
    tables = purchases(("a", "2024-01-10"), ("b", "2024-04-10"))
    tables["customers"] = ibis.memtable({"customer_id": ["a", "b"], "plan": ["basic", "plus"]})
    months = periods_until(dt.date(2024, 5, 1), "month", 4)
    found = retention_of(tables, SHOP, months, dt.date(2024, 5, 1))
    assert found.period.tolist() == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert found.loc[found.period == "2024-03", NUMBERS].values.tolist() == [[0] * len(NUMBERS)]
    parts = retention_of(tables, SHOP, months, dt.date(2024, 5, 1), "plan")
    assert parts.loc[parts.period == "2024-03", ["segment", "S", "E"]].values.tolist() == [
        ["basic", 0, 0],
        ["plus", 0, 0],
    ]
    assert len(parts) == 8
