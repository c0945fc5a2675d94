"""What a table is asked, and when its sources are opened."""

import datetime as dt

import ibis
import pytest

from pipeline.retention.definition.scope import Scope
from pipeline.retention.table import Question, Shown, Table

AS_OF = dt.date(2024, 7, 1)
TABLES = {
    "transactions": ibis.memtable({"customer_id": ["a"], "amount": [1.0]}),
    "customers": ibis.memtable({"customer_id": ["a"]}),
}


@pytest.fixture
def asked(tiny):
    """A question about a small shop, and how often its sources were opened."""
    config, opened = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n"), []

    def open_tables():
        opened.append(1)
        return TABLES

    return Question(config, AS_OF, Scope.of(config.retention), open_tables), opened


def test_sources_are_opened_once_and_only_by_who_looks(asked):
    question, opened = asked
    assert question.language.code == "en"
    assert opened == []
    assert question.tables is question.tables is TABLES
    assert opened == [1]


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("transactions", True),
        ("transactions.amount", True),
        ("transactions.points", False),
        ("usage", False),
        ("usage.value", False),
        ("customers.", True),
    ],
)
def test_a_role_or_its_column_is_there_or_not(asked, name, there):
    assert asked[0].has(name) is there


def test_a_table_declares_nothing_that_it_does_not_say():
    table = Table(None)
    assert (table.reads, table.needs, table.nightly, table.drawn) == ({}, (), None, None)
    assert (table.span, table.segment, table.picture) == (True, True, False)
    assert Table(None).reads is not table.reads


def test_what_is_shown_has_no_more_values_unless_they_are_given():
    one, other = Shown(None, "", ()), Shown(None, "", ())
    assert one.more == {} == other.more
    assert one.more is not other.more
    assert one.picture is None
