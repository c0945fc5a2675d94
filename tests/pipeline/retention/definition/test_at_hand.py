"""Tables at hand give the figures of the tables themselves."""

import datetime as dt

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.dataset.shards import NumberedRows
from pipeline.retention.definition.at_hand import AtHand, at_hand
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.activity import activity_table
from pipeline.retention.tables.audit import audit_table
from pipeline.retention.tables.cohorts import cohort_table
from pipeline.retention.tables.rate import retention_of
from pipeline.retention.tables.revenue import revenue_table
from pipeline.retention.tables.survival import lifetimes
from tests.oracle.retention_data import as_tables, club, shop

AS_OF = dt.date(2024, 1, 1)
MONTHS = periods_until(AS_OF, "month", 10)
TIMES = sorted({moment for p in MONTHS for moment in (p.start, p.end)})
TABLES = {
    "rate": lambda t, churn: retention_of(t, churn, MONTHS, AS_OF),
    "rate of some": lambda t, churn: retention_of(t, churn, MONTHS[3:7:2], AS_OF),
    "rate of weeks": lambda t, churn: retention_of(t, churn, periods_until(AS_OF, "week", 70), AS_OF),
    "rate by plan": lambda t, churn: retention_of(t, churn, MONTHS, AS_OF, "plan"),
    "cohorts": lambda t, churn: cohort_table(t, churn, AS_OF, periods=10),
    "audit": lambda t, churn: audit_table(t, churn, MONTHS[-1], min_customers=2),
    "survival": lambda t, churn: lifetimes(t, churn, AS_OF),
}


def activity_of(tables, churn):
    return activity_table(tables, MONTHS, AS_OF, retention_of(tables, churn, MONTHS, AS_OF), churn)


OF_PURCHASES = {
    "activity": activity_of,
    "revenue": lambda t, churn: revenue_table(t, AS_OF, churn=churn),
    "revenue by plan": lambda t, churn: revenue_table(t, AS_OF, segment="plan"),
}
CASES = [(club, make) for make in TABLES.values()]
CASES += [(shop, make) for make in (TABLES | OF_PURCHASES).values()]


@pytest.mark.parametrize(
    ("company", "make"),
    CASES,
    ids=[f"club {n}" for n in TABLES] + [f"shop {n}" for n in TABLES | OF_PURCHASES],
)
def test_figures_at_hand_are_those_of_the_tables(company, make):
    frames, churn = company(seed=4)
    tables = as_tables(frames)
    near = at_hand(tables, TIMES)
    assert isinstance(near, AtHand)
    want, got = make(tables, churn), make(near, churn)
    assert len(want)
    pd.testing.assert_frame_equal(got, want, check_dtype=False)


def test_a_query_runs_once():
    frames, _ = shop(seed=1)
    near = at_hand(as_tables(frames), TIMES)
    first, second = (near.made(near["transactions"].group_by("customer_id").count()) for _ in range(2))
    assert first.get_name() == second.get_name()
    assert first.count().execute() == frames["transactions"].customer_id.nunique()


def test_events_that_are_only_counted_stay_where_they_are():
    frames, _ = shop(seed=2)
    frames["usage"] = frames["transactions"][["occurred_at"]]
    tables = as_tables(frames)
    near = at_hand(tables, TIMES)
    assert near["usage"] is tables["usage"]
    assert near["transactions"].customer_id.type().is_integer()
    assert near["transactions"].count().execute() == len(frames["transactions"])


@pytest.mark.parametrize("company", [shop, club])
def test_more_times_than_a_word_has_bits(company):
    frames, churn = company(seed=3)
    tables, weeks = as_tables(frames), periods_until(AS_OF, "week", 80)
    near = at_hand(tables, sorted({moment for p in weeks for moment in (p.start, p.end)}))
    for periods in (weeks, weeks[3::7], weeks[-70:]):
        want = retention_of(tables, churn, periods, AS_OF)
        pd.testing.assert_frame_equal(retention_of(near, churn, periods, AS_OF), want)


@pytest.mark.parametrize("numbered", [False, True])
def test_contacts_of_whom_no_other_source_knows_do_not_count(numbered):
    days = pd.to_datetime(["2023-05-01"] * 3).astype("datetime64[us]")
    frames = {
        "transactions": pd.DataFrame({"customer_id": ["b", "a"], "occurred_at": days[:2]}),
        "contacts": pd.DataFrame({"customer_id": ["a", "stranger", "b"], "occurred_at": days}),
    }
    tables = {role: ibis.memtable(frame) for role, frame in frames.items()}
    rows = None
    if numbered:
        ids = pa.array(["a", "b", "stranger"])
        places = {"a": 0, "b": 1, "stranger": 2}
        made = {
            role: pa.Table.from_pandas(frame.replace({"customer_id": places}), preserve_index=False)
            for role, frame in frames.items()
        }
        rows = NumberedRows(ids, made)
    near = at_hand(tables, TIMES, rows=rows)
    assert near["contacts"].count().execute() == 2
    named = near.with_own_ids(ibis.memtable(near["contacts"].select("customer_id").to_pyarrow()))
    assert sorted(named.to_pyarrow()["customer_id"].to_pylist()) == ["a", "b"]
    assert near.customers == 2
