"""Where every row of a source went; an account that does not add up is a fault."""

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.roles import CustomerSource, PurchaseColumns, RoleSource
from pipeline.sources.accounts import Account, account_of
from pipeline.sources.readers import Raw

ROWS = pd.DataFrame({"id": ["a", "a", "b", None], "day": ["2024-01-01"] * 4, "paid": ["1", "1", "-2", "3"]})
COLUMNS = {"customer_id": "id", "occurred_at": "day"}


@given(st.integers(0, 99), st.integers(0, 99), st.dictionaries(st.text("ab"), st.integers(0, 99), max_size=3))
def test_an_account_adds_up_or_not(read, joined, left):
    whole = read + joined + sum(left.values())
    assert Account(whole, read, left, joined).adds_up
    assert not Account(whole + 1, read, left, joined).adds_up


def test_the_line_leaves_out_what_did_not_happen():
    told = Account(1200, 1000, {"Total above 0": 200, "equal to another": 0}, beside=3)
    assert told.line("usage") == (
        "usage: 1,200 rows = 1,000 read + 200 left out by Total above 0 (and 3 lines that are no rows)"
    )
    assert told.values() == {
        "in_source": 1200, "read": 1000, "left_out": {"Total above 0": 200}, "joined": 0, "beside": 3
    }  # fmt: skip


def account(rows, kept, *, in_file=None, recount=None, source=RoleSource[PurchaseColumns], **settings):
    raw = ibis.memtable(rows)
    found = Raw(raw, in_file, recount=recount or (lambda: None))
    given_ = source.model_validate({"uri": "x.csv", "columns": COLUMNS, **settings})
    return account_of(given_, found, raw, kept)


def test_each_condition_leaves_out_what_earlier_ones_have_let_through():
    where = [{"column": "paid", "above": 0}, {"column": "id", "is_null": False}]
    found, faults = account(ROWS, 2, in_file=4, where=where)
    assert (found.left_out, found.adds_up, faults) == ({"paid above 0.0": 1, "id is_null False": 1}, True, [])


def test_the_same_condition_twice_is_one_rule():
    where = [{"column": "paid", "above": 0}, {"column": "paid", "above": 0}]
    assert account(ROWS, 3, in_file=4, where=where)[0].left_out == {"paid above 0.0": 1}


def test_rows_that_repeat_another_are_counted():
    found, faults = account(ROWS, 3, in_file=4, distinct=True)
    assert (found.left_out["equal to another row (distinct)"], faults) == (1, [])


def test_older_rows_of_a_customer_are_counted():
    columns = {"customer_id": "id", "started_at": "day"}
    found, faults = account(ROWS[:3], 2, in_file=3, source=CustomerSource, columns=columns, latest_by="day")
    assert (found.left_out, faults) == ({"older than another of the customer (latest_by)": 1}, [])


def test_a_row_that_is_missing_is_a_fault_unless_a_slow_count_finds_it():
    where = [{"column": "paid", "above": -9}]
    found, (fault,) = account(ROWS, 4, in_file=5, where=where)
    assert not found.adds_up
    assert str(fault).startswith("x.csv: 5 rows stand in the source, and the reader gave 4; set the source's")
    assert account(ROWS, 4, in_file=5, recount=lambda: 4, where=where)[1] == []


def test_without_a_count_the_engine_is_believed():
    found, faults = account(ROWS, 4)
    assert (found.in_source, found.read, faults) == (4, 4, [])


@pytest.mark.parametrize("kept", [5, 3])
def test_more_or_fewer_rows_than_the_file_has_are_a_fault(kept):
    assert account(ROWS, kept, in_file=4)[1]
