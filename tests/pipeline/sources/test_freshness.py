"""Data that end before the as-of date: said from two weeks on, refused where they can't tell who left."""

import datetime as dt

import pytest

from configs.errors import DataError
from pipeline.retention.definition.at_hand import Seen
from pipeline.retention.registry import RATE, table_of
from pipeline.retention.results import asked, result_of
from pipeline.sources.opening import open_sources

PURCHASES = "customer_id,occurred_at\na,2024-01-01\nb,2024-05-01 10:00\nb,2024-07-01\n"


def opened(config, day):
    return open_sources(config, dt.date.fromisoformat(day))


def test_old_data_are_said_with_the_line_to_set(tiny):
    config = tiny(transactions=PURCHASES)
    assert opened(config, "2024-05-15").look == ()
    assert opened(config, "2024-05-16").look == (
        "the newest row is of 2024-05-01, 15 days before 2024-05-16: bring newer data, or write `as_of: 2024-05-02`",
    )
    assert opened(config, "2024-05-02").look == ()  # the advice


def test_no_row_in_the_label_window_is_refused(tiny):
    """The horizon is 30 days: from the 31st on everybody would seem to have left."""
    config = tiny(transactions=PURCHASES)
    opened(config, "2024-05-31").freshness.require()
    with pytest.raises(
        DataError, match=r"the data end too early: .* write `as_of: 2024-05-02` in the config"
    ):
        opened(config, "2024-06-01").freshness.require()


def test_contracts_may_go_on_without_a_row(tiny):
    """A contract needs no row to go on: old data are said, by the newest start or ending, and not refused."""
    contracts = (
        "customer_id,started_at,ended_at\na,2024-01-01,2024-02-10\nb,2024-01-05,\nc,2024-01-05,2025-01-01\n"
    )
    found = opened(tiny(kind="contractual", customers=contracts), "2024-06-01")
    assert found.freshness.newest == dt.date(2024, 2, 10)
    found.freshness.require()
    assert len(found.look) == 1


def test_a_rate_of_old_data_is_looked_at(tiny):
    """Months after the last purchase in which everybody seems to have left are not told as if they were right."""
    config = tiny(transactions="customer_id,occurred_at\na,2024-01-01\nb,2024-01-20\n")
    table = table_of(RATE)
    question = asked(table, config, dt.date(2024, 6, 1), periods=2)
    found = result_of(table.show(question), question)
    assert found.exit_code == 3
    assert found.text.endswith(
        "look: the newest row is of 2024-01-20, 133 days before 2024-06-01: bring newer data, "
        "or write `as_of: 2024-01-21`"
    )


def test_feedback_without_scores_is_none_of_a_rates_business(tiny):
    config = tiny(
        transactions="customer_id,occurred_at\na,2024-05-01\n",
        feedback="customer_id,occurred_at\na,2024-05-02\n",
    )
    sources = opened(config, "2024-05-10")
    assert "feedback" in sources.tables
    assert "feedback" not in Seen(sources, {"feedback": frozenset({"score"})})
