"""Whether the data suffice, from figures by hand: churners, snapshots, advice, and what is behind a fault."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.doctor.data import AFTER_SOURCES, UNDATED, _of_churners, data_findings

AS_OF = dt.date(2024, 7, 1)


@pytest.mark.parametrize(
    ("churners", "customers", "state", "told"),
    [
        (0, 0, "look", "0 of 0 rows churned (0.0%): nothing to tell apart; look at churn and at the dates"),
        (0, 50, "look", "0 of 50 rows churned (0.0%): nothing to tell apart"),
        (50, 50, "look", "50 of 50 rows churned (100.0%): nothing to tell apart"),
        (1, 1_000, "ok", "1 of 1,000 rows churned (0.1%): fewer than "),
        (5_000, 20_000, "ok", "5,000 of 20,000 rows churned (25.0%)"),
    ],
)
def test_both_kinds_must_be_there_and_few_are_said_to_be_noisy(churners, customers, state, told):
    found = _of_churners("enough data", churners, customers, "rows", {})
    assert found.state == state
    assert found.told.startswith(told)
    assert ("noisy" in found.told) == (churners == 1)
    assert found.values == {"churners": churners, "customers": customers}


def test_the_number_of_snapshots_stands_first():
    found = _of_churners("enough data", 5_000, 20_000, "rows", {"snapshots": 12})
    assert found.told == "12 mature snapshots; 5,000 of 20,000 rows churned (25.0%)"


def purchases(customers=60, days=400):
    """Every customer buys every 20 days; a third stops 100 days before the end."""
    rows = [
        (f"{k:03d}", pd.Timestamp(AS_OF) - pd.Timedelta(days=days - d), 5.0)
        for k in range(customers)
        for d in range(k % 20, days - (100 if k % 3 == 0 else 0), 20)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])


def by_name(findings):
    return {found.name: found for found in findings}


def findings(config, as_of=AS_OF):
    found, opened = data_findings(config, as_of, lambda line: None)
    return by_name(found), opened


def test_behind_a_fault_of_the_sources_nothing_is_reached_and_all_faults_are_told(tiny):
    found, opened = findings(tiny(transactions="customer_id,occurred_at\n,2024-01-01\n2,later\n"))
    assert opened is None
    assert found["sources"].state == "fault"
    assert found["sources"].told == "2 faults"
    assert len(found["sources"].more) == 2
    assert [found[name].state for name in AFTER_SOURCES] == ["not reached"] * len(AFTER_SOURCES)


def test_a_sound_shop_is_told_by_its_numbers(tiny):
    """60 customers; the newest mature snapshot is 2024-06-01, when a third had not bought for 60 days or more."""
    found, opened = findings(tiny(transactions=purchases()))
    assert {one.state for one in found.values()} == {"ok"}
    rows = len(purchases())
    assert found["sources"].told == f"rows read: {rows:,} transactions"
    assert found["joins"].told == "one source alone, nothing to join"
    assert found["attributes"].told == "0, none looks like written after the fact"
    told = found["enough data"]
    assert told.values["customers"] == 60
    assert told.values["churners"] == 20
    assert (
        f"{told.values['snapshots']} mature snapshots; 20 of 60 customers at 2024-06-01 churned (33.3%)"
        in told.told
    )
    assert set(opened.tables) == {"transactions"}


@pytest.mark.parametrize(
    ("history", "snapshots"),
    [(1, 13), (310, 3), (311, None)],  # 370 days lie before 2024-06-01, and a snapshot is every 30 days
)
def test_mature_snapshots_are_counted_back_to_the_history_that_is_asked_for(tiny, history, snapshots):
    sections = {"snapshots": {"min_history_days": history, "step_days": 30}}
    told = findings(tiny(transactions=purchases(), sections=sections))[0]["enough data"]
    if snapshots is None:
        assert told.state == "look"
        assert told.told.startswith(
            "2 mature snapshots, 3 are needed; bring more history, or lower snapshots.step_days"
        )
    else:
        assert told.values["snapshots"] == snapshots


def test_the_definition_is_held_against_the_gaps_between_purchases(tiny):
    found = findings(tiny(transactions=purchases()))[0]["definition"]
    assert found.told.startswith(
        "non_contractual, horizon_days 30, active_days 90; the gaps between purchases would"
    )
    advice = found.values
    settled = tiny(
        transactions=purchases(),
        churn={"horizon_days": advice["horizon_days"], "active_days": advice["active_days"]},
    )
    again = findings(settled)[0]["definition"]
    assert again.told.endswith(", as the gaps between purchases advise")


def test_old_data_are_a_fault_or_a_look_and_say_which_day_would_do(tiny):
    found = findings(tiny(transactions=purchases()), AS_OF + dt.timedelta(days=30))[0]["freshness"]
    assert found.state in ("fault", "look")
    assert "2024-06-30" in found.told


def test_a_table_without_dates_is_judged_by_its_labels(tiny):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "customer_id": [f"{i:04d}" for i in range(400)],
            "age": rng.normal(40, 9, 400),
            "plan": rng.choice(["a", "b"], 400),
            "churned": np.where(rng.random(400) < 0.3, "yes", "no"),
        }
    )
    config = tiny(
        kind="labelled",
        churn={"churned_values": ["yes"]},
        customers=table,
        mapped={"customers": {"customer_id": "customer_id", "churned": "churned"}},
        settings={"customers": {"attributes": ["age", "plan"]}},
    )
    found, _ = findings(config)
    ones = int((table.churned == "yes").sum())
    assert found["freshness"].told == UNDATED
    assert found["definition"].told == "labelled, horizon_days 30"
    assert found["enough data"].told.startswith(f"{ones} of 400 rows with a label churned")
    assert found["attributes"].told == "2, none looks like written after the fact"
