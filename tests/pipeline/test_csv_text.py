"""CSV that a spreadsheet can open and that runs nothing."""

import csv
import datetime as dt
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.csv_text import STARTS_FORMULA, csv_text, neutral

TEXT = st.text(
    st.sampled_from([*STARTS_FORMULA, "a", "1", " ", "\u00a0", '"', ",", "'", "\n", "é"]), max_size=6
)


@given(TEXT)
def test_no_cell_begins_a_formula_whatever_stands_before_it(text):
    assert not neutral(text).lstrip().startswith(STARTS_FORMULA)
    same = text.replace("\r\n", "\n").replace("\r", "\n")
    assert neutral(text) in (same, f"'{same}")


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.sampled_from(["object", "str"]))
def test_what_is_written_reads_back_but_for_the_apostrophe(rows, kind):
    table = pd.DataFrame(rows, columns=["a", "b"]).astype(kind)
    found = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert found[0] == ["a", "b"]
    assert [tuple(row) for row in found[1:] if row] == [tuple(map(neutral, row)) for row in rows if row]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([1, -2], ["1", "-2"]),
        ([1.5, np.nan], ["1.5", '""']),
        (pd.to_datetime(["2024-01-01", None]), ["2024-01-01", '""']),
        (
            pd.to_datetime(["2024-01-01", "2024-01-02 10:00:05"], format="ISO8601"),
            ["2024-01-01T00:00:00", "2024-01-02T10:00:05"],
        ),
        (["-1", None], ["'-1", '""']),
        ([True, False], ["True", "False"]),
        ([["=1"], "=1"], ["['=1']", "'=1"]),
        (pd.array(["=a", None], "str"), ["'=a", '""']),
        (pd.Categorical(["+a", "b"]), ["'+a", "b"]),
    ],
    ids=str,
)
def test_numbers_and_dates_stay_and_text_is_neutral(values, cells):
    text = csv_text(pd.DataFrame({"x": values}))
    assert text == "\n".join(["x", *cells, ""])


def by_rows(table):
    """The oracle: pandas' own writer of rows, on texts that are neutral already."""
    shown = pd.DataFrame(
        {
            name: pd.Series(
                [neutral(cell) if isinstance(cell, str) else cell for cell in column], dtype="object"
            )
            if name in ("str", "object")
            else column
            for name, column in table.items()
        }
    )
    return shown.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S")


ROWS = st.tuples(
    st.none() | TEXT,
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none()
    | st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    st.floats(width=32),
    st.none() | st.integers(0, 9),
)


@given(st.lists(ROWS, max_size=8))
def test_every_kind_of_column_is_written_as_by_rows(rows):
    # One time has a part of a day, so that no column of times is one of dates.
    rows = [*rows, ("a", -0.0, 1, True, dt.datetime(2026, 1, 1, 1), None, 0.1, None)]
    kinds = ["str", "float64", "int64", "bool", "datetime64[us]", "object", "float32", "Int64"]
    table = pd.DataFrame(
        {kind: pd.Series([row[i] for row in rows], dtype=kind) for i, kind in enumerate(kinds)}
    )
    assert csv_text(table) == by_rows(table)


def test_a_table_without_columns_or_rows():
    assert csv_text(pd.DataFrame({"a": [], "b": []})) == "a,b\n"
    assert csv_text(pd.DataFrame()) == "\n"


def test_a_header_is_text_too():
    assert csv_text(pd.DataFrame({"=1": [1], 2: [3]})) == "'=1,2\n1,3\n"


def test_the_same_table_gives_the_same_bytes_whatever_its_index():
    table = pd.DataFrame({"x": ["a", "=b"]})
    assert csv_text(table) == csv_text(table.set_index(pd.Index([7, 3])))
    assert table.x.tolist() == ["a", "=b"]
