"""A look at all rows: what breaks the contract of its role, and what is borne, counted and said."""

import ibis
import pandas as pd
import pytest

from configs.roles import PurchaseColumns, RoleSource
from pipeline.sources.contracts import checked_rows
from pipeline.sources.rows import look, whose

GOOD = [(f"c{i}", "2024-01-01", "1.5") for i in range(98)]


def looked(*rows, aside=False, more=None, **settings):
    raw = ibis.memtable(pd.DataFrame([*GOOD, *rows], columns=["id", "day", "paid"], dtype="str"))
    columns = {"customer_id": "id", "occurred_at": "day", "amount": "paid"}
    given = {"uri": "x.csv", "columns": columns, "max_unreadable_share": 0.02, **settings}
    source = RoleSource[PurchaseColumns].model_validate(given)
    checked = checked_rows("transactions", source, raw)
    return look("transactions", source, raw, checked, None, more, aside=aside), checked


def kept(seen, checked):
    return seen.kept(checked).count().execute()


def test_good_rows_are_all_kept_and_nothing_is_said():
    seen, checked = looked()
    assert (seen.rows, seen.faults, seen.notes, seen.rules) == (98, [], [], {})
    assert kept(seen, checked) == 98


def test_a_few_times_that_can_not_be_read_leave_their_rows_out():
    seen, checked = looked(("a", "someday", "1"), ("b", "never", "1"))
    assert (seen.faults, seen.rules) == ([], {"no readable occurred_at": 2})
    assert kept(seen, checked) == 98
    assert "in 2 of 100 rows (data row 99, 100), such as 'never', 'someday'" in seen.notes[0]
    assert seen.notes[0].endswith("these rows are left out")


def test_a_few_numbers_that_can_not_be_read_are_empty():
    seen, checked = looked(("a", "2024-01-01", "many"))
    assert (seen.faults, seen.rules) == ([], {})
    assert kept(seen, checked) == 99
    assert seen.notes[0].endswith("they count as empty")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("", "2024-01-01", "1"), "column customer_id: is empty in 1 of 99 rows (data row 99); fill it in"),
        (("a", "", "1"), "column occurred_at: is empty in 1 of 99 rows (data row 99)"),
        (("a", "2024-01-01", "1,5"), "is not a number in 1 of 99 rows (data row 99), such as '1,5'"),
        (("a", "01.02.2024", "1"), "such as '01.02.2024'; write"),
    ],
)
def test_what_a_line_of_the_config_would_read_is_never_borne(row, says):
    seen, _ = looked(row)
    assert len(seen.faults) == 1
    assert says in str(seen.faults[0])


def test_more_than_a_few_are_a_fault_with_samples():
    seen, _ = looked(*((f"x{i}", "2024-01-01", f"many{i}") for i in range(3)))
    (fault,) = seen.faults
    assert "is not a number in 3 of 101 rows (data row 99, 100, 101), such as 'many0', 'many1'" in str(fault)


def test_many_rows_are_told_by_the_first():
    seen, _ = looked(*((f"x{i}", "2024-01-01", "many") for i in range(9)))
    assert "(data row 99, 100, 101, 102, 103, ...)" in str(seen.faults[0])


def test_aside_tells_whatever_is_broken_and_no_fault():
    seen, checked = looked(("", "2024-01-01", "1"), ("a", "someday", "x"), aside=True)
    assert seen.faults == []
    assert set(seen.bad) == {"null_customer_id", "bad_occurred_at", "bad_amount"}
    assert kept(seen, checked) == 98


def test_what_else_is_asked_is_answered_by_the_same_pass():
    raw = ibis.memtable({"id": ["a", "b"], "day": ["2024-01-01"] * 2})
    source = RoleSource[PurchaseColumns].model_validate(
        {"uri": "x.csv", "columns": {"customer_id": "id", "occurred_at": "day"}}
    )
    checked = checked_rows("transactions", source, raw)
    seen = look("transactions", source, raw, checked, None, {"people": checked.table.customer_id.nunique()})
    assert seen.answers == {"people": 2}


def test_whose_rows_they_are_once_each_and_five_at_most():
    rows = ibis.memtable({"customer_id": [*"ggfedcba"], "bad": [True] * 8})
    assert whose(rows, rows.bad) == "customer 'a', 'b', 'c', 'd', 'e'"
