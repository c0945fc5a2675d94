"""Text, numbers and times of raw columns: a mark on the row, never an error, for what can't be read."""

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.parsing import as_number, as_text, as_time, tidy, tidy_format, without_nulls


@pytest.fixture(scope="module")
def engines():
    found = {"duckdb": ibis.duckdb.connect(), "sqlite": ibis.sqlite.connect()}
    found["duckdb"].raw_sql("SET TimeZone = 'UTC'")
    return found


def columns(engines, engine, values, read):
    """The values as the engine reads them, and which are bad."""
    frame = pd.DataFrame({"place": range(len(values)), "raw": values})
    rows = engines[engine].create_table("t", frame, overwrite=True)
    value, bad = read(rows.raw)
    bad = ibis.literal(False) if bad is None else bad
    table = rows.select("place", value=value, bad=bad).order_by("place").to_pyarrow()
    return table["value"].to_pylist(), [bool(b) for b in table["bad"].to_pylist()]


every_engine = pytest.mark.parametrize("engine", ["duckdb", "sqlite"])


@every_engine
def test_iso_times_are_read_and_days_that_are_none_are_bad(engines, engine):
    texts = ["2024-02-29", "2024-02-29 10:30:00", "2023-02-29", "now", "20240101", "", None, "1899-12-31"]
    value, bad = columns(engines, engine, texts, lambda raw: as_time(raw, (), "UTC"))
    assert value[:2] == [dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29, 10, 30)]
    assert bad[2:4] == [True, True]
    assert (value[6], bad[6]) == (None, False)
    assert (value[7], bad[7]) == (None, True)
    assert not any(v for v, b in zip(value, bad, strict=True) if b)


@pytest.mark.parametrize(
    ("text", "formats", "zone", "utc"),
    [
        ("2024-07-01 10:00", (), "Europe/Berlin", "2024-07-01 08:00"),
        ("2024-01-01 10:00", (), "Europe/Berlin", "2024-01-01 09:00"),
        ("2024-07-01 10:00+02:00", (), "America/New_York", "2024-07-01 08:00"),  # its own zone counts
        ("2024-07-01T10:00:00Z", (), "Europe/Berlin", "2024-07-01 10:00"),
        ("01.07.2024 10:00", ("%d.%m.%Y %H:%M",), "Europe/Berlin", "2024-07-01 08:00"),
        ("01.07.2024 10:00 +0500", ("%d.%m.%Y %H:%M %z",), "Europe/Berlin", "2024-07-01 05:00"),
        ("7/1/24", ("%Y-%m-%d", "%m/%d/%y"), "UTC", "2024-07-01"),
        ("1719792000", ("unix_s",), "Europe/Berlin", "2024-07-01"),
        ("1719792000000", ("unix_ms",), "UTC", "2024-07-01"),
        ("1719792000000000", ("unix_us",), "UTC", "2024-07-01"),
        ("45474", ("excel",), "UTC", "2024-07-01"),
        ("45474.5", ("excel",), "Europe/Berlin", "2024-07-01 10:00"),
        ("۲۰۲۴-۰۷-۰۱", (), "UTC", "2024-07-01"),
        ("2024-07-01  7:05 p.m.", ("%Y-%m-%d %I:%M %p",), "UTC", "2024-07-01 19:05"),
        ("epoch", (), "UTC", None),
        ("infinity", (), "UTC", None),
        ("0001-01-01", (), "UTC", None),
        ("31.02.2024", ("%d.%m.%Y",), "UTC", None),
        ("tomorrow", (), "UTC", None),
    ],
)
def test_when_a_text_says(engines, text, formats, zone, utc):
    value, bad = columns(engines, "duckdb", [text], lambda raw: as_time(raw, formats, zone))
    assert bad == [utc is None]
    assert bad[0] or value == [pd.Timestamp(utc).to_pydatetime()]


def test_persian_dates_beside_gregorian_ones(engines):
    value, _ = columns(
        engines, "duckdb", ["1403/01/10", "2024-03-29", "1403-13-01"],
        lambda raw: as_time(raw, (), "UTC", "jalali"),
    )  # fmt: skip
    assert value == [dt.datetime(2024, 3, 29), dt.datetime(2024, 3, 29), None]


@every_engine
def test_numbers_and_what_is_none(engines, engine):
    value, bad = columns(engines, engine, ["1.5", " -3 ", "x", "", None, "1e2"], as_number)
    assert value == [1.5, -3, None, None, None, 100]
    assert bad == [False, False, True, False, False, False]


@settings(max_examples=20, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
@every_engine
def test_a_number_written_by_python_reads_back(engines, engine, number):
    value, bad = columns(engines, engine, [repr(number)], as_number)
    assert not bad[0] or "e" in repr(number)
    assert value[0] is None or value[0] == pytest.approx(number, rel=1e-15, abs=0)


def test_text_in_a_column_of_numbers_is_bad_on_sqlite(engines):
    connection = engines["sqlite"]
    connection.raw_sql("DROP TABLE IF EXISTS odd")
    connection.raw_sql("CREATE TABLE odd (n REAL)")
    connection.raw_sql("INSERT INTO odd VALUES (1.5), ('many')")
    connection.con.commit()
    rows = connection.table("odd")
    _, bad = as_number(rows.n)
    assert sorted(bool(b) for b in rows.select(bad=bad).to_pyarrow()["bad"].to_pylist()) == [False, True]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([17850.0, 1.5, None], ["17850", "1.5", None]),
        ([7, 8, 9], ["7", "8", "9"]),
        ([" a ", "", "\u00a0b\u00a0"], ["a", None, "b"]),
        (["plain", "zwei Wörter", "~"], ["plain", "zwei Wörter", "~"]),
        ([True, False, None], ["true", "false", None]),
    ],
)
def test_any_value_as_text(engines, values, texts):
    found, _ = columns(engines, "duckdb", values, lambda raw: (as_text(raw), None))
    assert found == texts


def test_words_for_an_empty_cell_are_those_of_the_source(engines):
    values = ["N/A", " null ", "none of it", "-", "x", " "]
    usual, _ = columns(engines, "duckdb", values, lambda raw: (without_nulls(raw, None), None))
    assert usual == [None, None, "none of it", None, "x", None]
    own, _ = columns(engines, "duckdb", values, lambda raw: (without_nulls(raw, ["x", "(?"]), None))
    assert own == ["N/A", "null", "none of it", "-", None, None]


@pytest.mark.parametrize(
    ("text", "fmt", "tidied"),
    [
        ("1  Sept 2024", "%d %b %Y", "1 Sep 2024"),
        ("7 A.M.", "%I %p", "7 Am"),
        ("10:00:00.1234567", None, "10:00:00.123456"),
        ("10:00:00 UTC", None, "10:00:00+0000"),
        ("10:00 -05:00", "%H:%M %z", "10:00-05:00"),
        ("10:00 -05:00", "%H:%M", "10:00 -05:00"),
    ],
)
def test_what_is_written_differently_and_means_the_same(text, fmt, tidied):
    assert tidy(text, fmt) == tidied
    assert tidy(tidied, fmt) == tidied
    assert tidy_format("%d  %b %Y %z") == "%d %b %Y%z"
