"""What is told of one customer, word for word, from plain values."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from features.spec import FeatureColumn
from models.prediction.change import SmallestChange
from pipeline.explaining.explanation import Explanation, Moved, NightDifference
from pipeline.explaining.night import Published
from pipeline.outreach.reasons import Reason

NIGHT = dt.date(2026, 7, 1)
COLUMNS = (
    FeatureColumn(
        "recency_days", "Days since the last purchase", "days", "", "silence", "transactions", True
    ),
    FeatureColumn("plan", "Plan", "", "", "profile", "customers", False),
)
QUIET = Reason("silence", "no purchase for 40 days", 0.9)
MOVED = (
    Moved("Days since the last purchase", "10", "40", 0.4),
    Moved("Plan", "basic", "plus", -0.1),
)


@pytest.fixture
def told(tiny, tmp_path):
    config = tiny(transactions="customer_id,occurred_at\n7,2026-06-01")
    now = Published(NIGHT, tmp_path, 0.42, 3, "digest")
    row = pd.DataFrame({"recency_days": [40.0], "plan": ["plus"]})
    return Explanation(config, "7", now, 0.42, 0.2, (QUIET,), None, None, row, COLUMNS)


def test_a_customer_without_an_earlier_night_and_without_a_way_out(told):
    assert told.text.splitlines() == [
        "7 at 2026-07-01: 42.0% to leave within 30 days (version 3); the average customer 20.0%",
        "not considered for the list",
        "",
        "why tonight:",
        "- no purchase for 40 days",
        "",
        "no earlier night has this customer",
        "",
        "smallest change to come below the average: none among the customers looked at",
        "",
        "for the customer:",
        told.for_the_customer,
    ]
    assert told.values["since"] is None
    assert told.values["smallest_change"] is None
    assert told.values["reasons"] == ["no purchase for 40 days"]


@pytest.mark.parametrize(("config_changed", "rest"), [(True, "the config"), (False, "rows that came late")])
def test_the_difference_to_an_earlier_night_is_told_in_parts(told, config_changed, rest):
    since = NightDifference(dt.date(2026, 6, 30), 0.30, 0.1, 0.05, -0.03, config_changed, MOVED)
    lines = replace(told, difference=since).text.splitlines()
    at = lines.index("since 2026-06-30 (30.0%): +12.0%")
    assert lines[at + 1 : at + 5] == [
        "- the customer's data and time: +10.0%",
        "    Days since the last purchase: 10 -> 40 (raises)",
        "    Plan: basic -> plus (lowers)",
        "- another model version: +5.0%",
    ]
    assert lines[at + 5].startswith(f"- {rest}")
    assert lines[at + 5].endswith(": -3.0%")
    values = replace(told, difference=since).values["since"]
    assert (values["since"], values["moved"][1]["push"]) == ("2026-06-30", -0.1)


def test_the_smallest_change_names_the_columns_that_change_and_those_alone(told):
    change = SmallestChange(
        ("silence",), pd.DataFrame({"recency_days": [12.0], "plan": ["basic"]}), probability=0.15
    )
    found = replace(told, change=change, chance=0.42)
    lines = found.text.splitlines()
    at = lines.index("smallest change to come below the average (15.0%): silence")
    assert lines[at + 1 : at + 3] == ["- Days since the last purchase: 40 -> 12", ""]
    assert found.values["smallest_change"] == {
        "groups": ["silence"],
        "probability": 0.15,
        "columns": [{"label": "Days since the last purchase", "before": "40", "now": "12"}],
    }
    assert "only this were as with a customer much like you: silence." in found.for_the_customer


def test_sources_that_have_changed_since_are_said(told):
    assert "the sources have changed" not in told.text
    later = replace(told, chance=0.5)
    assert "the sources have changed since: the same night would say 50.0% now" in later.text.splitlines()
    assert later.values["as_read_now"] == 0.5
    assert later.values["churn_probability"] == 0.42


def test_the_customer_is_told_of_chance_reasons_and_rights(told):
    assert told.for_the_customer == (
        "From your records we estimate how likely it is that you leave within 30 days: 42%. For the average customer "
        "it is 20%. What counts most: no purchase for 40 days. You may have this explained by a person, have wrong "
        "data corrected, and object to it."
    )
    nothing = replace(told, reasons=())
    assert "What counts most" not in nothing.for_the_customer
    assert "- Nothing in the records points to a reason for leaving." in nothing.text


@pytest.mark.parametrize(
    ("file", "row", "line"),
    [
        ("outreach", {"customer_id": ["7"], "title": ["Call"]}, "on the list, to Call"),
        ("suppressed", {"customer_id": ["7"], "rules": ["control group"]}, "not on the list: control group"),
        ("suppressed", {"customer_id": ["8"], "rules": ["control group"]}, "not considered for the list"),
    ],
)
def test_whether_the_customer_is_on_the_list(told, file, row, line):
    pd.DataFrame(row).to_parquet(told.now.folder / f"{file}.parquet")
    assert told.text.splitlines()[1] == line
