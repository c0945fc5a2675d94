"""A night in a few lines: how many leave, the head of the list, the newest rate that there is."""

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.languages.language import Language
from pipeline.scoring.summary import SHOWN, summary

DAY = dt.date(2026, 7, 1)
RATES = [
    ("2026-05", 80.0, 1_200, 30, 990),
    ("2026-06", 75.04, 1_100, 40, 865),
    ("2026-07", None, 900, 2, 880),
]


def night(listed=2, rates=RATES, customers=1_234):
    """What a summary reads of a night."""
    chosen = pd.DataFrame(
        {
            "rank": range(1, listed + 1),
            "customer_id": [f"c{i:02d}" for i in range(listed)],
            "churn_probability": 0.5,
            "expected_gain": 12.5,
            "action": "call",
            "title": "Call them",
            "reason_1": "no purchase for 74 days",
        }
    )
    table = pd.DataFrame(rates, columns=["period", "rate", "S", "N", "E"])
    return SimpleNamespace(
        config=SimpleNamespace(name="shop", churn=SimpleNamespace(horizon_days=60)),
        as_of=DAY,
        champion=SimpleNamespace(version=7),
        everybody=SimpleNamespace(customers=customers, expected_to_leave=310.4),
        decision=SimpleNamespace(chosen=chosen),
        rates=SimpleNamespace(table=table),
    )


def told(days=3, code="en", **given):
    return summary(night(**given), Language(code), days)


def test_a_night_in_english():
    first, listed, table, rate = told()
    assert first == (
        "shop as of 2026-07-01: 1,234 customers, 310 expected to leave in 60 days (version 7, trained 3 days ago)"
    )
    assert listed == "list: 2 customers, expected gain 25.00"
    header, *rows = table.splitlines()
    assert header.split() == ["rank", "customer", "chance", "gain", "action", "why"]
    assert rows[0].split(maxsplit=5) == ["1", "c00", "0.50", "12.50", "call", "no purchase for 74 days"]
    assert rate == "retention 2026-06: 75.0% (S=1,100, N=40, E=865)"


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, "trained 0 days ago"),
        (1, "trained 1 day ago"),
        (-1, "trained 1 day later"),
        (-9, "trained 9 days later"),
    ],
)
def test_the_age_of_the_model_is_told_also_where_it_was_trained_later(days, age):
    assert told(days)[0].endswith(f"(version 7, {age})")


def test_one_customer_is_one():
    assert ": 1 customer, " in told(customers=1)[0]
    assert told(listed=1)[1] == "list: 1 customer, expected gain 12.50"


def test_of_a_long_list_the_head_is_shown():
    _, listed, table, _ = told(listed=SHOWN + 5)
    assert listed.startswith(f"list: {SHOWN + 5} customers, ")
    assert len(table.splitlines()) == 1 + SHOWN


def test_an_empty_list_has_no_table():
    assert told(listed=0)[1:] == [
        "list: 0 customers, expected gain 0.00",
        "retention 2026-06: 75.0% (S=1,100, N=40, E=865)",
    ]


def test_without_a_period_that_has_a_rate_none_is_told():
    assert len(told(rates=[("2026-07", None, 900, 2, 880)])) == 3


def test_another_reader_gets_titles_and_the_digits_of_the_language():
    first, _, table, rate = told(code="fa")
    assert "۱٬۲۳۴" in first
    assert "2026-07-01" not in first
    assert "Call them" in table
    assert "call " not in table
    assert "2026-06" not in rate
