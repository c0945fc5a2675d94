"""What stands in the columns of a table, whatever the types of its file say."""

import pandas as pd
import pytest

from pipeline.sources.profiles import Profile, profiles_of
from pipeline.sources.readers import connect_duckdb


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


def profile(duck, values):
    rows = duck.create_table("rows", pd.DataFrame({"x": values}), temp=True, overwrite=True)
    return profiles_of(duck, rows)[0]


@pytest.mark.parametrize(
    ("values", "kind", "more"),
    [
        (["2024-01-31", "2024-02-01 10:00:00"], "time", {"formats": ()}),
        (["31.12.2024", "01.02.2025"], "time", {"formats": (("%d.%m.%Y",),)}),
        (["1403/01/10", "1403/01/11"], "time", {"calendar": "jalali"}),
        (["1.50", "-3"], "number", {"decimal": None, "thousands": None, "unsure": ""}),
        (["€ 1,50", "2,25"], "number", {"decimal": ",", "thousands": None}),
        (["1,234.50", "7"], "number", {"decimal": None}),
        (["1,250", "3,000"], "number", {"thousands": ",", "unsure": "1,250 could also be one and a quarter"}),
        (["1.250", "3.000"], "number", {"thousands": ".", "unsure": "1.250 could also be one and a quarter"}),
        (["007", "012"], "text", {}),
        (["yes", "No"], "flag", {}),
        (["basic", "pro"], "text", {}),
        ([None, " ", "n/a"], "empty", {"filled": 0, "different": 0}),
        ([1.0, 2.5], "number", {"low": "1.0", "high": "2.5"}),
        ([True, None], "flag", {"filled": 1}),
        (pd.to_datetime(["2024-01-01", None]), "time", {"filled": 1}),
    ],
    ids=str,
)
def test_what_the_values_of_a_column_are(duck, values, kind, more):
    found = profile(duck, values)
    assert found.kind == kind
    assert {name: getattr(found, name) for name in more} == more


def test_day_and_month_that_can_not_be_told_apart_are_said(duck):
    found = profile(duck, ["01/02/2024", "03/04/2024"])
    assert {formats[0] for formats in found.formats} == {"%m/%d/%Y", "%d/%m/%Y"}
    assert found.unsure == "day and month could be the other way round"


def test_a_few_values_that_are_none_do_not_hide_a_kind(duck):
    assert profile(duck, [*(f"{n}.5" for n in range(200)), "many"]).kind == "number"
    assert profile(duck, [*(f"{n}.5" for n in range(50)), "many"]).kind == "text"


def test_numbers_that_could_be_days_carry_the_format(duck):
    assert profile(duck, ["20240131", "20240201"]).formats == (("%Y%m%d",),)


def test_counts_ends_and_samples(duck):
    found = profile(duck, ["a", "b", "b", None])
    assert (found.rows, found.filled, found.different, found.low, found.high) == (4, 3, 2, "a", "b")
    assert set(found.samples) == {"a", "b"}
    assert (found.empty_share, found.is_unique) == (0.25, False)
    assert profile(duck, ["a", "b", None]).is_unique
    assert not profile(duck, [None, " "]).is_unique
    assert Profile("x", "empty", 0, 0, 0).empty_share == 0
