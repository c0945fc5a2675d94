"""Attributes that were written after the fact, or that name the customer, and the lines that leave them out."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.prediction.sample import Sample
from pipeline.dataset.attributes import constant_of_late, doubts_of_table, suspects_of, suspicious
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
        ("RetentionCalls", [1.0, 2.0], "has the name of something that is kept up to date"),
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
        ("Marital_Status", ["single", "married"]),
        ("existing_customer", ["yes", "no"]),
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


def table_of(n=400, seed=0, **columns):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {"fee": rng.normal(size=n), "plan": pd.Categorical(rng.choice(["a", "b"], n)), **columns}
    )
    y = (rng.random(n) < 0.3).astype(float)
    return Sample(X, y, np.arange(n).astype(str), np.full(n, np.datetime64("2026-01-01")))


def doubted(sample, allowed=()):
    return doubts_of_table(sample, list(sample.X.columns), allowed)


def test_a_plain_table_raises_no_doubt():
    assert doubted(table_of()) == []
    coarse = table_of()
    assert doubted(coarse.columns(["plan"])) == []  # two plans: equal rows are no wonder


@pytest.mark.parametrize(
    "name",
    [
        "RetentionOffersAccepted",
        "Churn Score",
        "cancel_reason",
        "AccountStatus",
        "win_back_calls",
        "Attrition_Flag_2",
    ],
)
def test_columns_named_after_the_outcome_are_told_with_the_lines_that_settle_it(name):
    sample = table_of(**{name: np.zeros(400)})
    (line,) = doubted(sample)
    assert f"features.exclude: [{name}]" in line
    assert f"model.allow_leaks: [{name}]" in line
    assert doubted(sample, [name]) == []


def test_a_column_that_nearly_knows_the_answer_is_told_before_it_is_refused():
    plain = table_of()
    told = np.where(np.random.default_rng(1).random(400) < 0.97, plain.churned, 1 - plain.churned)
    (line,) = doubted(table_of(calls=told))
    assert line.startswith("attribute calls alone separates churned from kept customers with AUC 0.9")


def test_rows_that_stand_there_under_several_ids_are_counted():
    once = table_of()
    twice = once.rows(np.r_[np.arange(400), np.arange(30)])
    twice = replace(twice, customer=np.arange(430).astype(str))
    (line,) = doubted(twice)
    assert line.startswith("30 of 430 rows are equal to another")
    same_customers = replace(twice, customer=np.r_[once.customer, once.customer[:30]])
    assert doubted(same_customers) == []  # of one customer, never on both sides of a fold


def test_rows_that_are_equal_because_the_attributes_are_coarse_are_no_doubt():
    rng = np.random.default_rng(2)
    months = rng.integers(0, 72, 500) * 1.0
    X = pd.DataFrame({"months": months, "paid": months * 20.5, "yearly": rng.integers(0, 2, 500) * 1.0})
    day = np.full(500, np.datetime64("2026-01-01"))
    sample = Sample(X, (rng.random(500) < 0.2) * 1.0, np.arange(500).astype(str), day)
    assert X.duplicated().sum() > 200
    assert doubted(sample) == []


@pytest.mark.parametrize(("late", "told"), [(1, 0), (2, 1), (4, 1)])
def test_a_source_that_stops_is_told_and_a_season_is_not(late, told):
    days, each = np.arange("2025-01", "2025-11", dtype="datetime64[M]").astype("datetime64[D]"), 20
    day = np.repeat(days, each)
    rng = np.random.default_rng(0)
    calls = np.where(day > days[-late - 1], 0.0, rng.poisson(3, len(day)))
    X = pd.DataFrame({"calls": calls, "season": day.astype(float), "fee": rng.normal(size=len(day))})
    X["seats"] = np.where(day > days[-late - 1], np.nan, rng.poisson(9, len(day)))
    X["wait"] = np.where(
        (day > days[-late - 1]) | (rng.random(len(day)) < 0.6), np.nan, rng.poisson(9, len(day))
    )
    sample = Sample(X, np.zeros(len(day)), np.tile(np.arange(each), 10).astype(str), day)
    found = [line.split(", and")[0] for line in constant_of_late(sample, list(X.columns))]
    since = f"for all customers since {days[-late]}"
    assert found == ([f"calls has one value {since}", f"seats has no value {since}"] if told else [])
