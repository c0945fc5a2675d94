"""Tables that follow from those of the roles, and the conditions on their rows."""

import ibis
import pandas as pd
import pytest
from literal import at, table_of

from features.panel import Stat
from features.tables import DERIVED, OF_CONTRACTS, PREDICATES, columns_read, complaints, derived


def told(table, *columns):
    frame = table.order_by(*columns).to_pandas()
    return [
        tuple(str(v) if isinstance(v, pd.Timestamp) else v for v in row)
        for row in frame[list(columns)].itertuples(index=False)
    ]


def test_a_source_without_the_columns_has_no_derived_table():
    tables = {
        "contacts": table_of([at("a", "2024-01-01")]),
        "transactions": table_of([at("a", "2024-01-01")]),
    }
    assert set(derived(tables)) == {"contacts", "transactions"}
    assert set(OF_CONTRACTS) <= set(DERIVED)


def test_an_issue_is_resolved_when_that_is_known():
    rows = [
        at("a", "2024-01-01", direction="inbound", resolved_at="2024-01-05", known_at="2024-01-02"),
        at("b", "2024-01-01", direction="inbound", resolved_at="2024-01-05", known_at="2024-01-09"),
        at(
            "c", "2024-01-03", direction="inbound", resolved_at="2024-01-01", known_at="2024-01-03"
        ),  # before it began
        at("d", "2024-01-01", direction="outbound", resolved_at="2024-01-05", known_at="2024-01-01"),
        at("e", "2024-01-01", direction="inbound", resolved_at=None, known_at="2024-01-01"),
    ]
    found = derived({"contacts": table_of(rows)})["resolutions"]
    assert told(found, "customer_id", "occurred_at", "known_at", "wait_days") == [
        ("a", "2024-01-05 00:00:00", "2024-01-05 00:00:00", 4.0),
        ("b", "2024-01-05 00:00:00", "2024-01-09 00:00:00", 4.0),
        ("c", "2024-01-03 00:00:00", "2024-01-03 00:00:00", 0.0),
    ]


def test_a_person_counts_from_the_first_moment_at_which_it_was_known():
    rows = [
        at("a", "2024-01-10", agent="Ada", known_at="2024-01-11"),
        at("a", "2024-01-01", agent="Ada", known_at="2024-02-01"),  # an older contact, entered later
        at("a", "2024-01-20", agent="Bo", known_at="2024-01-02"),  # known before it occurred: it can't be
        at("a", "2024-01-20", agent=None, known_at="2024-01-20"),
    ]
    found = derived({"contacts": table_of(rows)})["our_people"]
    assert told(found, "customer_id", "occurred_at") == [
        ("a", "2024-01-11 00:00:00"),
        ("a", "2024-01-20 00:00:00"),
    ]


@pytest.mark.parametrize(
    ("topic", "direction", "is_one"),
    [
        ("COMPLAINT about price", "inbound", True),
        ("complaint", None, True),
        ("complaint", "outbound", False),
        ("offen: Beschwerde", "inbound", True),
        (None, "inbound", False),
        ("praise", "inbound", False),
    ],
)
def test_which_contact_is_a_complaint(topic, direction, is_one):
    rows = table_of([at("a", "2024-01-01", topic=topic, direction=direction)])
    assert complaints(rows, ["complain", "BESCHWERDE"]).as_table().to_pyarrow()[0].to_pylist() == [is_one]
    assert complaints(rows, []).as_table().to_pyarrow()[0].to_pylist() == [False]


def test_without_topics_nothing_is_a_complaint():
    rows = table_of([at("a", "2024-01-01", direction="inbound")])
    assert rows.mutate(c=complaints(rows, ["complain"])).to_pandas().c.tolist() == [False]


@pytest.mark.parametrize(("role", "name"), [(r, n) for r, names in PREDICATES.items() for n in names])
def test_a_condition_reads_the_columns_that_it_names(role, name):
    needs, condition = PREDICATES[role][name]
    kinds = {"points": "float64", "change": "float64", "resolved_at": "timestamp"}
    flags = dict.fromkeys(("low", "unscored", "complaint"), "boolean")
    schema = {column: (kinds | flags).get(column, "string") for column in needs}
    assert condition(ibis.table(schema, name="t")).type().is_boolean()


def test_only_what_is_read_is_asked_for():
    schema = {
        "customer_id": "string", "occurred_at": "timestamp", "known_at": "timestamp", "direction": "string",
        "resolved_at": "timestamp", "topic": "string", "channel": "string", "agent": "string",
    }  # fmt: skip
    tables = {"contacts": ibis.table(schema, name="contacts")}
    stats = {
        "contacts": {Stat("count"), Stat("count", "", "inbound"), Stat("bits", "channel")},
        "resolutions": {Stat("sum", "wait_days")},
    }
    assert columns_read(tables, ["contacts"], stats) == {
        "contacts": ["customer_id", "occurred_at", "known_at", "direction", "channel"]
    }
    assert columns_read(tables, ["contacts", "resolutions"], stats) == {
        "contacts": ["customer_id", "occurred_at", "known_at", "direction", "resolved_at", "channel"]
    }
