"""The audit against counts in pandas."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.errors import DataError
from configs.schema import Churn
from pipeline.retention.definition.movements import statuses
from pipeline.retention.definition.periods import parse_period
from pipeline.retention.tables.audit import audit_table, known_at_start
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, club, online_retail, open_university, shop

AS_OF, START = dt.date(2024, 2, 5), dt.datetime(2024, 2, 1)


def slow_groups(people, lost, facts, fact):
    value = {c: "(none)" if pd.isna(v) else v for c, v in zip(facts.customer_id, facts[fact], strict=True)}
    rows = {}
    for customer in people:
        mine = rows.setdefault(value.get(customer, "(none)"), [0, 0])
        mine[0] += 1
        mine[1] += customer in lost
    return rows


@pytest.mark.parametrize(
    ("load", "fact", "period"),
    [
        (lambda: (*shop(1, customers=200, purchases=1200), AS_OF), "plan", "2023-10"),
        (lambda: (*club(1, customers=400), AS_OF), "plan", "2023-10"),
        (online_retail, "country", "2011-09"),
        (open_university, "age_band", "2013-09"),
    ],
)
def test_audit_counts_equal_the_oracle(load, fact, period):
    frames, churn, as_of = load()
    month = parse_period(period, as_of)
    table = audit_table(as_tables(frames), churn, month, min_customers=1)
    sets = slow.status_sets(frames, churn, month.start, month.end)
    lost = sets["lost"] - sets["not_churn"]
    people = sets["kept"] | lost
    want = slow_groups(people, lost, frames["customers"], fact)
    mine = table[table.fact == fact].set_index("value")
    assert {v: [r.customers, r.lost] for v, r in mine.iterrows()} == want
    assert (mine.customers + mine.others == len(people)).all()
    assert (mine.lost + mine.others_lost == len(lost)).all()
    tenure = table[table.fact == "tenure_days"]
    assert tenure.customers.sum() == len(people)
    assert table.p_value.is_monotonic_increasing


def test_audit_finds_the_plan_that_loses():
    rng = np.random.default_rng(0)
    plan = rng.choice(["basic", "plus"], 2000)
    leaves = rng.random(2000) < np.where(plan == "basic", 0.3, 0.1)
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(2000)],
            "started_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, 2000), "D"),
            "ended_at": pd.Series(pd.Timestamp("2024-01-15"), range(2000)).where(leaves),
            "end_reason": "price",
            "plan": plan,
            "noise": rng.normal(size=2000),
        }
    )
    churn = club()[1].model_copy(update={"not_churn_reasons": []})
    table = audit_table(as_tables({"customers": frame}), churn, parse_period("2024-01", AS_OF))
    assert set(table.fact[:2]) == {"plan"}
    assert table.p_adjusted[0] < 1e-6
    assert 2 < table.risk_ratio[table.value == "basic"].iloc[0] < 4.5
    assert (table.p_adjusted[table.fact == "noise"] > 0.05).all()


def test_audit_refuses_what_it_cannot_compare():
    frames, churn = club()
    with pytest.raises(DataError, match="not over"):
        audit_table(as_tables(frames), churn, parse_period("2024-02", AS_OF))
    with pytest.raises(DataError, match="nothing to compare"):
        audit_table(as_tables(frames), churn, parse_period("2022-01", AS_OF))


def test_the_audit_sees_what_was_on_record_at_the_start_of_the_period():
    """Of a's three purchases one became known in the period and one lies before the active days."""
    bought = [
        ("a", "2024-01-10", "2024-01-10"),
        ("a", "2024-01-20", "2024-02-01"),
        ("a", "2023-12-01", "2023-12-01"),
        ("a", "2024-02-20", "2024-02-20"),
        ("b", "2024-01-15", "2024-01-31"),
    ]
    talks = [
        ("a", "2024-01-12", "2024-01-12"),
        ("b", "2024-01-12", "2024-02-01"),
        ("b", "2024-02-01", "2024-02-01"),
    ]
    answers = [("a", "2024-01-13", "2024-01-13", 9.0), ("b", "2024-01-13", "2024-02-02", 1.0)]
    names = ["customer_id", "occurred_at", "known_at"]
    frames = {
        "transactions": pd.DataFrame(bought, columns=names).assign(amount=10.0),
        "contacts": pd.DataFrame(talks, columns=names),
        "feedback": pd.DataFrame(answers, columns=[*names, "score"]),
    }
    times = {name: lambda f, n=name: pd.to_datetime(f[n]) for name in names[1:]}
    tables = as_tables({role: frame.assign(**times) for role, frame in frames.items()})
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    status = statuses(tables, churn, START, dt.datetime(2024, 3, 1))
    facts = known_at_start(status, tables, churn, START).order_by("customer_id").to_pyarrow().to_pylist()
    assert facts == [
        {
            "customer_id": "a",
            "lost": 0,
            "tenure_days": 62.0,
            "purchases": 1,
            "spend": 10.0,
            "mean_score": 9.0,
            "contacts": 1,
        },
        {
            "customer_id": "b",
            "lost": 1,
            "tenure_days": 17.0,
            "purchases": 1,
            "spend": 10.0,
            "mean_score": None,
            "contacts": None,
        },
    ]


def test_a_role_that_does_not_say_when_rows_became_known_counts_from_when_they_occurred():
    days = pd.to_datetime(["2024-01-10", "2024-01-20", "2024-02-02", "2024-01-15"])
    bought = pd.DataFrame(
        {"customer_id": ["a", "a", "a", "b"], "occurred_at": days, "known_at": days, "amount": 10.0}
    )
    talks = pd.DataFrame(
        {"customer_id": ["b", "b"], "occurred_at": pd.to_datetime(["2024-01-12", "2024-02-01"])}
    )
    tables = as_tables({"transactions": bought, "contacts": talks})
    assert "known_at" not in tables["contacts"].columns
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    status = statuses(tables, churn, START, dt.datetime(2024, 3, 1))
    facts = known_at_start(status, tables, churn, START).order_by("customer_id").to_pandas()
    assert facts["purchases"].tolist() == [2, 1]
    assert facts["contacts"].fillna(0).tolist() == [0, 1]
