"""Attributes that were written after the fact, or that name the customer, and the lines that leave them out."""

import datetime as dt

import pytest

from pipeline.dataset.attributes import suspects_of, suspicious
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 3, 1)
STARTED = [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 5)]


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("state", ["active", "churned"], "says 'churned' of 1 of 2 customers"),
        ("state", ["Past due", "Cancelled"], "says 'Cancelled', 'Past due' of 2 of 2 customers"),
        ("seen", ["2024-02-10", "2024-01-05"], "holds days after the customer's start, such as 2024-02-10"),
        ("lastOrder", ["x", "y"], "has the name of something that is kept up to date"),
        ("Total spend", [1.0, 2.0], "has the name of something that is kept up to date"),
        ("days_since_login", [1.0, 2.0], "has the name of something that is kept up to date"),
    ],
)
def test_written_after_the_fact(name, values, reason):
    (suspect,) = suspicious({name: values}, STARTED)
    assert suspect.reason.startswith(reason)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("plan", ["basic", "pro"]),
        ("birthday", ["1970-01-01", "1980-05-05"]),
        ("signup", ["2024-01-01", "2024-01-05"]),
        ("company_size", [10.0, 20.0]),
        ("activation", ["fast", None]),
    ],
)
def test_facts_of_the_start_are_none(name, values):
    assert suspicious({name: values}, STARTED) == []


def test_one_value_a_row_names_the_customer():
    (suspect,) = suspicious({"mail": [f"u{i}@x.com" for i in range(30)]})
    assert str(suspect) == (
        "attribute mail has 30 different values in 30 rows: it says who it is; write it under sources.customers.facts, "
        "or features.exclude: [mail]"
    )


def test_the_lines_that_are_advised_end_the_warning(tiny):
    def found(**sections):
        config = tiny(
            transactions="customer_id,occurred_at\na,2024-02-20\nb,2024-02-20\n",
            customers="customer_id,started_at,status\na,2024-01-01,active\nb,2024-01-01,inactive\n",
            mapped={"customers": {"customer_id": "customer_id", "started_at": "started_at"}},
            settings={"customers": {"attributes": ["status"]}},
            sections=sections,
        )
        return [str(suspect) for suspect in suspects_of(open_sources(config, AS_OF), config)]

    assert found() == [
        "attribute status says 'inactive' of 1 of 2 customers: it was probably written after they left; write "
        "features.exclude: [status], or, if it was known at the start, model.allow_leaks: [status]"
    ]
    assert found(features={"exclude": ["status"]}) == []
    assert found(model={"allow_leaks": ["status"]}) == []
