"""The contract of a role: what a config names and a file lacks, rows that break it, lines that become one purchase."""

import datetime as dt

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from configs.schema import Config
from pipeline.sources import contracts

ORDERS = {"customer_id": "id", "occurred_at": "day", "amount": "sum"}
DAY = dt.datetime(2024, 1, 5)


def source_of(columns, role="transactions", **more):
    values = {"uri": "x.csv", "columns": columns, **more}
    churn = {"kind": "non_contractual", "horizon_days": 30}
    sources = {"transactions": {"uri": "y.csv", "columns": ORDERS}, role: values}
    config = Config.model_validate({"name": "t", "churn": churn, "sources": sources})
    return config.sources.given[role]


def missing(names, columns=ORDERS, **more):
    return contracts.missing_columns("transactions", source_of(columns, **more), names, "x.csv")


def test_each_column_that_the_file_lacks_is_named_with_the_nearest_one():
    faults = missing(["id", "Day", "total"], where=[{"column": "state", "equals": "paid"}])
    assert [(f.where, f.what, f.fix) for f in faults] == [
        ("sources.transactions.columns.occurred_at", "no column 'day' in x.csv", "did you mean 'Day'?"),
        ("sources.transactions.columns.amount", "no column 'sum' in x.csv", "it has: id, Day, total"),
        ("sources.transactions.where", "no column 'state' in x.csv", "did you mean 'total'?"),
    ]
    assert missing(["id", "day", "sum", "more"]) == []


@pytest.mark.parametrize(
    ("names", "what", "fix"),
    [
        ([], "has no header", "check the export that writes it"),
        (
            ["id;day;sum"],
            "has none of the columns id, day, sum",
            "write delimiter: ';' beside sources.transactions.uri",
        ),
        (
            ["17", "2024-01-05", "x"],
            "has none of the columns id, day, sum",
            "its first line holds values (17, 2024-01-05, x): write the names of the columns above it",
        ),
    ],
)
def test_a_file_with_none_of_the_columns_has_another_fault(names, what, fix):
    (fault,) = missing(names)
    assert (fault.where, fault.what, fault.fix) == ("x.csv", what, fix)


def test_a_name_that_the_header_has_twice_is_said():
    (fault,) = missing(["id", "day", "sum_1", "sum_2"])
    assert fault.fix == "the header has that name more than once; write 'sum_1' or 'sum_2'"


def test_every_column_is_named_once():
    source = source_of(
        ORDERS | {"transaction_id": {"join": ["id", "no"]}}, where=[{"column": "sum", "above": 0}]
    )
    assert contracts.columns_named(source) == ("id", "day", "sum", "no")


def joined(*lines):
    rows = pd.DataFrame(lines, columns=["customer_id", "transaction_id", "occurred_at", "known_at", "amount"])
    found = contracts.one_row_a_transaction("transactions", ibis.memtable(rows))
    return found.order_by("customer_id", "transaction_id").to_pyarrow().to_pylist()


def test_a_purchase_of_several_lines_is_known_when_its_last_line_is():
    """First time, latest knowledge, sum of the amounts; lines of another customer are another purchase."""
    day = [DAY + dt.timedelta(days=i) for i in range(5)]
    assert joined(
        ("a", "1", day[1], day[2], 10.0), ("a", "1", day[0], day[4], 2.5), ("b", "1", day[3], day[3], 7.0)
    ) == [
        {
            "customer_id": "a",
            "transaction_id": "1",
            "occurred_at": day[0],
            "known_at": day[4],
            "amount": 12.5,
        },
        {"customer_id": "b", "transaction_id": "1", "occurred_at": day[3], "known_at": day[3], "amount": 7.0},
    ]


def checked(frame, columns=ORDERS, role="transactions", **more):
    source = source_of(columns, role, **more)
    return contracts.checked_rows(role, source, ibis.memtable(pd.DataFrame(frame)))


def test_rows_that_break_the_contract_are_marked_by_column():
    found = checked(
        {
            "id": ["a", None, "c", "d"],
            "day": ["2024-01-05", "2024-01-05", "", "soon"],
            "sum": ["1", "x", "2", None],
        }
    )
    assert found.columns == ("customer_id", "occurred_at", "amount")
    table = found.table.to_pandas()
    assert table[found.conditions.keys()].fillna(value=False).to_dict("list") == {
        "null_customer_id": [False, True, False, False],
        "bad_occurred_at": [False, False, False, True],
        "null_occurred_at": [False, False, True, False],
        "bad_amount": [False, True, False, False],
    } | {name: table[name].tolist() for name in found.conditions if name == "null_amount"}
    assert found.conditions["null_customer_id"].fix == (
        "fill it in, or leave such rows out by sources.transactions.where: [{column: 'id', is_null: false}]"
    )


def test_what_became_known_is_the_time_itself_where_nothing_else_is_said():
    frame = {"id": ["a", "b"], "day": ["2024-01-05"] * 2, "sum": [1, 2], "seen": ["2024-01-09", None]}
    table = checked(frame, ORDERS | {"known_at": "seen"}).table.order_by("customer_id").to_pandas()
    assert table["known_at"].tolist() == [pd.Timestamp("2024-01-09"), pd.Timestamp("2024-01-05")]


def test_rows_that_a_condition_leaves_out_are_counted_for_the_first_that_does():
    source = source_of(ORDERS, where=[{"column": "sum", "above": 0}, {"column": "state", "equals": "paid"}])
    rows = ibis.memtable({"sum": [1.0, -1.0, -1.0, 5.0], "state": ["paid", "paid", "open", "open"]})
    first, second = contracts.left_out(source, rows)
    assert rows.aggregate(first=first, second=second).to_pyarrow().to_pylist() == [{"first": 2, "second": 1}]


def test_of_customers_with_several_rows_the_newest_counts():
    frame = {
        "id": ["a", "a", "b", "a"],
        "plan": ["x", "y", "z", "w"],
        "at": ["2024-01-02", "2024-03-01", "2024-01-01", "no day"],
    }
    source = source_of({"customer_id": "id"}, "customers", attributes=["plan"], latest_by="at")
    table = contracts.checked_rows("customers", source, ibis.memtable(pd.DataFrame(frame))).table.order_by(
        "customer_id"
    )
    assert table.to_pandas()[["customer_id", "plan"]].to_numpy().tolist() == [["a", "y"], ["b", "z"]]


def test_amounts_that_no_purchase_has_are_asked_of_whole_rows():
    amounts = pa.array(
        [1.0, -0.5, float("inf"), float("nan"), 0.0]
    )  # pandas would make the last but one a null
    rows = ibis.memtable(pa.table({"amount": amounts}))
    found = contracts.whole_row_checks("transactions", source_of(ORDERS), rows)
    marked = {name: rows.select(bad=bad).to_pyarrow()["bad"].to_pylist() for name, (bad, _) in found.items()}
    assert marked == {
        "negative_amount": [False, True, False, False, False],
        "infinite_amount": [False, False, True, True, False],
    }
