"""Other futures of a table, row by row, and what is said of columns that differ by them."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from features.matrix import Matrix
from features.spec import FeatureColumn
from pipeline.dataset.leakage import LIMITS, Leak, _told, changed, differences, without

DAY = dt.date(2024, 3, 1)
BEFORE, AT, AFTER = "2024-02-29 23:59:59", "2024-03-01", "2024-05-01"


def table_of(**columns):
    frame = pd.DataFrame(columns)
    for name in frame:
        if name.endswith("_at"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
    return ibis.memtable(frame)


def rows(table, *names):
    return [tuple(row[name] for name in names) for row in table.to_pyarrow().to_pylist()]


def moment(text):
    return pd.Timestamp(text).to_pydatetime()


def test_what_occurred_or_became_known_on_the_day_or_later_is_taken_away():
    table = table_of(
        customer_id=list("abcd"),
        occurred_at=[BEFORE, BEFORE, AT, AFTER],
        known_at=[BEFORE, AT, AT, AFTER],
    )
    assert rows(without("transactions", table, DAY), "customer_id") == [("a",)]


def test_an_ending_that_comes_later_is_not_there_yet_nor_is_its_reason():
    table = table_of(
        customer_id=list("abcd"),
        started_at=[BEFORE] * 3 + [AT],
        ended_at=[BEFORE, AT, None, None],
        end_reason=["moved", "moved", None, None],
    )
    found = rows(without("customers", table, DAY), "customer_id", "ended_at", "end_reason")
    assert found == [("a", moment(BEFORE), "moved"), ("b", None, None), ("c", None, None)]


def test_a_resolution_that_comes_later_is_not_there_yet():
    table = table_of(customer_id=["a", "b"], occurred_at=[BEFORE] * 2, resolved_at=[BEFORE, AFTER])
    assert rows(without("contacts", table, DAY), "resolved_at") == [(moment(BEFORE),), (None,)]


def test_all_of_a_later_row_is_changed_but_whose_and_when_it_is():
    table = table_of(
        customer_id=["a", "b", "c"],
        occurred_at=[BEFORE, AT, AFTER],
        amount=[1.0, 1.0, None],
        channel=["mail", "mail", "mail"],
        paid=[False, False, False],
    )
    found = rows(
        changed("transactions", table, DAY), "customer_id", "occurred_at", "amount", "channel", "paid"
    )
    assert found == [
        ("a", moment(BEFORE), 1.0, "mail", False),
        ("b", moment(AT), 4.0, "changed", True),
        ("c", moment(AFTER), 7.0, "changed", True),
    ]


def test_whoever_has_not_ended_by_the_day_ends_on_the_next_for_another_reason():
    table = table_of(
        customer_id=list("abc"),
        started_at=[BEFORE] * 3,
        ended_at=[BEFORE, AFTER, None],
        end_reason=["moved", "moved", None],
    )
    found = rows(changed("customers", table, DAY), "ended_at", "end_reason")
    next_day = dt.datetime(2024, 3, 2)
    assert found == [(moment(BEFORE), "moved"), (next_day, "changed"), (next_day, "changed")]


def test_a_row_without_a_time_is_neither_taken_away_nor_changed():
    table = table_of(customer_id=["a"], occurred_at=[None], amount=[1.0])
    assert len(rows(without("transactions", table, DAY), "amount")) == 1
    assert rows(changed("transactions", table, DAY), "amount") == [(1.0,)]


COLUMNS = tuple(FeatureColumn(name, name, "", "", "d", f"source of {name}", True) for name in ("x", "plan"))


def matrix(*rows_):
    frame = pd.DataFrame(rows_, columns=["snapshot", "customer_id", "x", "plan"])
    frame["snapshot"] = pd.to_datetime(frame["snapshot"])
    frame["plan"] = frame["plan"].astype(pd.CategoricalDtype(sorted({r[3] for r in rows_ if r[3]})))
    return Matrix(frame, COLUMNS, "")


def test_columns_that_differ_by_the_day_are_named_with_the_number_and_the_first_of_the_rows():
    whole = matrix(
        ("2024-03-01", "a", 1.0, "p"), ("2024-03-01", "b", 2.0, "p"), ("2024-03-01", "c", np.nan, None)
    )
    other = matrix(
        ("2024-03-01", "a", 1.0, "p"), ("2024-03-01", "b", 5.0, "q"), ("2024-03-01", "c", 0.0, None)
    )
    assert differences(whole, other, DAY, "changed") == [
        Leak("x", "source of x", "2024-03-01", "changed", 2, "b", 2.0, 5.0),
        Leak("plan", "source of plan", "2024-03-01", "changed", 1, "b", "p", "q"),
    ]
    assert differences(whole, whole, DAY, "changed") == []


def test_a_value_that_appears_is_told_as_null_before():
    whole, other = (matrix(("2024-03-01", "a", x, "p")) for x in (np.nan, 3.0))
    (leak,) = differences(whole, other, DAY, "changed")
    assert (leak.before, leak.after) == (None, 3.0)


def test_rows_after_the_day_may_differ():
    whole, other = (matrix(("2024-03-01", "a", 1.0, "p"), ("2024-03-02", "a", x, "p")) for x in (1.0, 2.0))
    assert differences(whole, other, DAY, "changed") == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_customer_of_one_future_alone_is_named_and_the_others_are_compared(turned):
    whole = matrix(("2024-03-01", "a", 1.0, "p"), ("2024-03-01", "b", 1.0, "p"))
    other = matrix(("2024-03-01", "b", 2.0, "p"))
    surplus, leak = differences(*((other, whole) if turned else (whole, other)), DAY, "taken away")
    assert (surplus.column, surplus.rows, surplus.customer) == ("customer_id", 1, "a")
    assert (leak.column, leak.customer) == ("x", "b")


def test_without_a_leak_the_limits_of_the_proof_are_told():
    whole = matrix(("2024-03-01", "a", 1.0, "p"), ("2024-03-05", "a", 1.0, "p"))
    result = _told(whole, [DAY], [])
    assert result.exit_code == 0
    assert result.text == (
        "no feature sees the future: 2 columns, 1 rows, 1 snapshots, with all after each of them taken away, "
        f"and changed\n{LIMITS}"
    )
    assert result.values == {"columns": 2, "snapshots": ["2024-03-01"], "rows": 1, "leaks": []}


def test_each_column_that_leaks_is_shown_once_with_an_example():
    whole = matrix(("2024-03-01", "a", 1.0, "p"))
    leaks = [
        Leak("x", "usage", "2024-03-01", "taken away", 3, "a", 1_234_567.0, None),
        Leak("x", "usage", "2024-02-01", "changed", 1, "b", 1.0, 2.0),
        Leak("plan", "customers", "2024-03-01", "changed", 2, "c", "p", "q"),
    ]
    result = _told(whole, [DAY], leaks)
    assert result.exit_code == 1
    assert result.text.startswith("2 columns see the future (2 columns, 1 rows, 1 snapshots):\n")
    assert "a: 1.23457e+06 became null" in result.text
    assert "c: p became q" in result.text
    assert "2024-02-01" not in result.text
    assert len(result.values["leaks"]) == 3
    assert _told(whole, [DAY], leaks[:1]).text.startswith("1 column sees the future (")
