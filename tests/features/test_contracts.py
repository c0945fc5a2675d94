"""The rules of contracts, one table on one screen each; `tests/oracle` has them in loops over random companies."""

import datetime as dt

import ibis
import pandas as pd
import pytest
from literal import table_of

from features import contracts
from features.contracts import marked

DEFAULTS = {"ended_at": None, "status": None, "trial": None, "trial_ends_at": None, "paused_at": None}


def contract(who, start, end=None, **more):
    return {"customer_id": who, **DEFAULTS, "started_at": start, "ended_at": end, **more}


def rules(*rows, plans=(), grace=0):
    return marked(table_of(rows, status="str", trial="str", plan="str", end_reason="str"), plans, grace)


def days(table, *columns):
    """The rows as tuples, dates as text."""
    frame = table.to_pandas().sort_values(["customer_id", *columns])[["customer_id", *columns]]
    return [
        tuple(None if pd.isna(v) else str(v.date()) if hasattr(v, "date") else v for v in row)
        for row in frame.itertuples(index=False)
    ]


@pytest.mark.parametrize(
    ("more", "runs_from", "tried"),
    [
        ({}, "2024-01-01", False),
        ({"trial": "yes"}, None, True),
        ({"trial": "no"}, "2024-01-01", False),
        ({"status": "Trialing"}, None, True),
        ({"status": "active"}, "2024-01-01", False),
        ({"status": "incomplete"}, None, False),
        ({"status": "incomplete", "trial": "yes"}, None, False),  # what never began was not tried either
        ({"trial_ends_at": "2024-01-15"}, "2024-01-15", True),
        ({"trial_ends_at": "2023-12-01"}, "2024-01-01", False),  # over before it began
        ({"trial_ends_at": "2024-01-15", "trial": "yes"}, "2024-01-15", True),  # converted
        ({"trial_ends_at": "2024-01-15", "ended_at": "2024-01-15"}, None, True),
        ({"trial_ends_at": "2024-01-15", "ended_at": "2024-01-16"}, "2024-01-15", True),
        ({"ended_at": "2024-01-01"}, None, False),  # ends when it starts
        ({"ended_at": "2023-01-01"}, None, False),
    ],
)
def test_when_a_contract_runs(more, runs_from, tried):
    table = rules(contract("a", "2024-01-01") | more)
    assert days(table, "paid_at", "tried") == [("a", runs_from, tried)]


def test_the_level_is_the_amount_or_the_place_of_the_plan():
    both = rules(
        contract("a", "2024-01-01", plan="Pro", amount=None), contract("b", "2024-01-01", amount=7.5)
    )
    assert days(both, "level") == [("a", 0.0), ("b", 7.5)]
    rows = [
        contract(who, "2024-01-01", plan=plan)
        for who, plan in zip("abcd", ("PRO", "basic", "gold", None), strict=True)
    ]
    assert days(rules(*rows, plans=["Basic", "Pro"]), "level") == [("a", 2), ("b", 1), ("c", 0), ("d", 0)]


@pytest.mark.parametrize(
    ("grace", "spells"),
    [
        (0, [("2024-01-01", "2024-02-01"), ("2024-02-08", "2024-03-01")]),
        (6, [("2024-01-01", "2024-02-07"), ("2024-02-08", "2024-03-07")]),
        (7, [("2024-01-01", "2024-03-08")]),  # a gap that is no longer than the grace is bridged
    ],
)
def test_a_gap_is_bridged_by_days_of_grace(grace, spells):
    table = rules(
        contract("a", "2024-01-01", "2024-02-01"), contract("a", "2024-02-08", "2024-03-01"), grace=grace
    )
    found = days(contracts.contract_spells(table), "number", "started_at", "ended_at")
    assert found == [("a", i, *spell) for i, spell in enumerate(spells)]


def test_a_short_contract_within_a_long_one_ends_nothing():
    table = rules(
        contract("a", "2024-01-01", "2024-12-01"),
        contract("a", "2024-02-01", "2024-03-01"),
        contract("a", "2024-11-01", None),
    )
    assert days(contracts.contract_spells(table), "started_at", "ended_at") == [("a", "2024-01-01", None)]


def test_the_reason_is_that_of_the_contract_that_ended_last():
    table = rules(
        contract("a", "2024-01-01", "2024-03-01", end_reason="moved"),
        contract("a", "2024-02-01", "2024-04-01", end_reason="price"),
        contract("a", "2024-06-01", None, end_reason=None),
    )
    found = days(contracts.contract_spells(table), "number", "end_reason", "next_at")
    assert found == [("a", 0, "price", "2024-06-01"), ("a", 1, None, None)]


@pytest.mark.parametrize(
    ("as_of", "ended", "reason"),
    [
        ("2024-03-01", None, None),  # its end is not before that time
        ("2024-03-02", "2024-03-01", "price"),
        ("2024-06-02", None, None),  # somebody who came back is there
    ],
)
def test_who_was_a_customer_before_a_time(as_of, ended, reason):
    table = rules(
        contract("a", "2024-01-01", "2024-03-01", end_reason="price", plan="pro"),
        contract("a", "2024-01-01", "2024-02-01", end_reason="moved", plan="basic"),
        contract("a", "2024-06-01", None, end_reason=None, plan="gold"),
        contract("b", "2024-07-01", plan="pro"),
        contract("c", "2024-01-01", trial="yes", plan="pro"),
    )
    found = contracts.people(table, dt.datetime.fromisoformat(as_of))
    told = days(found, "started_at", "ended_at", "end_reason", "first_plan")
    assert told == [("a", "2024-01-01", ended, reason, "basic")]


def test_a_change_is_a_rise_or_a_fall_of_all_that_runs():
    table = rules(
        contract("a", "2024-01-01", "2024-02-01", amount=10.0),
        contract("a", "2024-02-01", "2024-03-01", amount=25.0),  # an upgrade
        contract("a", "2024-02-10", None, amount=5.0),  # one beside it
        # On 1 March the larger ends: a downgrade.
        contract("b", "2024-01-01", "2024-02-01", amount=10.0),
        contract("b", "2024-05-01", None, amount=90.0),  # a return, no upgrade
        contract("c", "2024-01-01", "2024-02-01", amount=10.0),
        contract("c", "2024-02-01 12:00", None, amount=10.0),  # the same day, the same level
    )
    found = days(contracts.changes(table), "occurred_at", "change")
    assert found == [("a", "2024-02-01", 15.0), ("a", "2024-02-10", 5.0), ("a", "2024-03-01", -25.0)]


def test_a_change_across_a_bridged_gap_counts():
    rows = [
        contract("a", "2024-01-01", "2024-02-01", amount=10.0),
        contract("a", "2024-02-06", None, amount=4.0),
    ]
    assert days(contracts.changes(rules(*rows, grace=4)), "change") == []
    assert days(contracts.changes(rules(*rows, grace=5)), "occurred_at", "change") == [
        ("a", "2024-02-06", -6.0)
    ]


def test_events_of_contracts():
    table = rules(
        contract("a", "2024-01-01", "2024-02-01", amount=3.0, term_ends_at="2024-01-31"),
        contract("b", "2024-01-05", trial="yes", amount=1.0, term_ends_at=None),
        contract("b", "2024-01-20", amount=2.0, term_ends_at=None),
    )
    assert days(contracts.starts(table), "occurred_at", "amount") == [
        ("a", "2024-01-01", 3),
        ("b", "2024-01-20", 2),
    ]
    assert days(contracts.ends(table), "occurred_at", "amount") == [("a", "2024-02-01", 3)]
    assert days(contracts.trials(table), "occurred_at") == [("b", "2024-01-05")]
    assert days(contracts.conversions(table), "occurred_at") == [("b", "2024-01-20")]
    term_day = (dt.date(2024, 1, 31) - dt.date(1970, 1, 1)).days
    assert days(contracts.contract_terms(table), "occurred_at", "term_day") == [("a", "2024-01-01", term_day)]


def test_who_paid_before_the_first_trial_was_not_won_by_it():
    table = rules(contract("a", "2024-01-01"), contract("a", "2024-02-01", trial="yes"))
    assert days(contracts.conversions(table), "occurred_at") == []


@pytest.mark.parametrize(
    ("ended", "resumed", "over"),
    [
        (None, None, None),
        (None, "2024-03-01", "2024-03-01"),
        ("2024-02-20", None, "2024-02-20"),
        ("2024-02-20", "2024-03-01", "2024-02-20"),
        ("2024-03-10", "2024-03-01", "2024-03-01"),
        (None, "2024-01-15", "2024-02-01"),  # gone on before it paused: over at once
    ],
)
def test_a_pause_is_over_when_the_contract_goes_on_or_ends(ended, resumed, over):
    row = contract("a", "2024-01-01", ended, paused_at="2024-02-01", resumed_at=resumed)
    table = rules(row, contract("b", "2024-01-01", resumed_at=None))
    assert days(contracts.pauses(table), "occurred_at") == [("a", "2024-02-01")]
    assert days(contracts.resumptions(table), "occurred_at") == ([("a", over)] if over else [])


def test_without_a_column_of_resumptions_a_pause_lasts_to_the_end():
    table = rules(contract("a", "2024-01-01", "2024-05-01", paused_at="2024-02-01"))
    assert days(contracts.resumptions(table), "occurred_at") == [("a", "2024-05-01")]


def test_columns_that_say_nothing_more_are_gone():
    table = rules(contract("a", "2024-01-01", contract_id=1.0))
    assert not {"status", "trial", "contract_id"} & set(table.columns)
    plain = ibis.memtable(
        pd.DataFrame({"customer_id": ["a"], "started_at": pd.to_datetime(["2024-01-01"])}).assign(
            ended_at=pd.NaT
        )
    )
    assert not {"tried", "level", "resumed_at"} & set(marked(plain, [], 0).columns)
