"""CSV that a spreadsheet can open and that runs nothing."""

import csv
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


def test_a_header_is_text_too():
    assert csv_text(pd.DataFrame({"=1": [1], 2: [3]})) == "'=1,2\n1,3\n"


def test_the_same_table_gives_the_same_bytes_whatever_its_index():
    table = pd.DataFrame({"x": ["a", "=b"]})
    assert csv_text(table) == csv_text(table.set_index(pd.Index([7, 3])))
    assert table.x.tolist() == ["a", "=b"]
