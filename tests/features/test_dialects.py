"""What engines spell differently gives the same values on DuckDB and SQLite, the two that need no server."""

import datetime as dt
import itertools
import math
from fractions import Fraction

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import dialects

ENGINES = {}
COUNTER = itertools.count()
every_engine = pytest.mark.parametrize("engine", ["duckdb", "sqlite"])


@pytest.fixture(scope="module", autouse=True)
def engines():
    ENGINES.update(duckdb=ibis.duckdb.connect(), sqlite=ibis.sqlite.connect())
    yield
    ENGINES.clear()


def table(engine, **columns):
    return ENGINES[engine].create_table(f"t{next(COUNTER)}", pd.DataFrame(columns), temp=engine == "duckdb")


def only(expression):
    return expression.as_table().to_pyarrow()[0].to_pylist()


@every_engine
def test_seconds_keep_their_fraction_and_last_beyond_2038(engine):
    moments = ["1970-01-01", "1969-12-31 23:59:59.5", "2040-02-29 12:00:00.25", "1999-12-31 23:59:59.75"]
    rows = table(engine, at=pd.to_datetime(moments, format="ISO8601"))
    want = [(pd.Timestamp(m) - pd.Timestamp(0)).total_seconds() for m in moments]
    assert sorted(only(dialects.epoch(rows.at, dialects.engine_of(rows)))) == pytest.approx(
        sorted(want), abs=1e-3
    )


@every_engine
@pytest.mark.parametrize("place", [0, 1, 31, 32, 61, 62])
def test_one_bit_of_sixty_four(engine, place):
    rows = table(engine, place=[place])
    assert only(dialects.one_bit(rows.place, engine)) == [1 << place]


@every_engine
def test_any_bits(engine):
    rows = table(engine, bits=[1, 4, 1 << 40], kept=[True, True, False])
    assert dialects.any_bits(rows.bits, rows.kept, engine).to_pyarrow().as_py() == 5


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30))
@every_engine
def test_a_sum_of_decimals_is_exact_in_any_order(engine, cents):
    """Each order of floats gives another sum; the one to ten decimals is the nearest to the true one for all."""
    want = float(sum(Fraction(c, 100) for c in cents))
    for order in (cents, cents[::-1]):
        rows = table(engine, value=[c / 100 for c in order])
        assert dialects.exact_sum(rows.value, None, engine).to_pyarrow().as_py() == pytest.approx(
            want, rel=1e-12, abs=1e-9
        )


@every_engine
def test_a_sum_counts_the_rows_that_are_asked_for(engine):
    rows = table(engine, value=[0.1, 0.2, 1e19, 5.0], kept=[True, True, False, False])
    assert dialects.exact_sum(rows.value, rows.kept, engine).to_pyarrow().as_py() == pytest.approx(
        0.3, abs=1e-12
    )


@every_engine
def test_numbers_too_large_for_decimals_stay_in_the_sum(engine):
    rows = table(engine, value=[1e19, 0.5, -1e19, 2e19])
    assert dialects.exact_sum(rows.value, None, engine).to_pyarrow().as_py() == pytest.approx(2e19)


@every_engine
def test_large_numbers_that_cancel_leave_what_the_small_ones_make(engine):
    rows = table(engine, value=[1e19, 0.5, -1e19])
    assert dialects.exact_sum(rows.value, None, engine).to_pyarrow().as_py() == 0.5


@every_engine
def test_the_newest_row_of_a_group_and_the_largest_of_one_moment(engine):
    rows = table(
        engine,
        who=["a", "a", "a", "b", "b"],
        at_=[1.0, 2.0, 2.0, 5.0, 6.0],
        value=[9.0, 3.0, 7.0, 4.0, None],
    )
    known = rows.value.notnull()
    rows = rows.mutate(newest=dialects.in_newest_row(rows, "value", "at_", known, ["who"]))
    found = rows.filter(rows.newest.notnull()).order_by("who").to_pandas()
    assert found[["who", "newest"]].to_numpy().tolist() == [["a", 7.0], ["b", 4.0]]


@every_engine
@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_text_is_the_same_in_any_order_of_the_rows(engine, order):
    told = {"who": ["a", "a", "a", "b"], "at_": [1.0, 2.0, 2.0, 5.0], "agent": ["Zoe", "Ann", "Bob", None]}
    rows = table(engine, **{name: values[::order] for name, values in told.items()})
    rows, agent = dialects.newest_value(rows, "agent", "at_", rows.agent.notnull(), ["who"])
    found = rows.group_by("who").agg(agent=agent).order_by("who").to_pyarrow()
    assert found["agent"].to_pylist() == ["Bob", None]


@pytest.mark.parametrize("blank", dialects.BLANKS)
def test_blanks_that_nobody_sees_go_from_the_ends_alone(blank):
    rows = table("duckdb", text=[f"{blank}a{blank}b{blank}{blank}", f"{blank}"])
    assert only(dialects.trimmed(rows.text)) == [f"a{blank}b", ""]


def test_letters_that_spark_would_take_for_blanks_stay():
    rows = table("sqlite", text=["fair", "van f", " v "])
    assert only(dialects.trimmed(rows.text)) == ["fair", "van f", "v"]


def test_columns_are_the_same_when_they_are_computed_once():
    for engine in ENGINES:
        rows = table(engine, a=[3.0, 1.0])
        assert sorted(dialects.computed_once(rows, engine).to_pandas().a) == [1.0, 3.0]


def test_a_hash_is_the_same_for_the_same_value():
    rows = table("duckdb", a=["x", "y", "x"], day=[dt.date(2024, 1, 1)] * 3)
    one, two, three = only(dialects.duckdb_hash(rows.a))
    assert one == three != two
    assert all(0 <= bits < 2**64 for bits in (one, two))
    assert not math.isnan(one)
