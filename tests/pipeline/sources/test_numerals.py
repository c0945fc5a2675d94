"""Which attributes of a text file are numbers."""

import ibis
import pytest

from configs.roles import CustomerSource, PurchaseColumns, RoleSource
from pipeline.sources.numerals import with_numbers


def read(values, keep=(), **settings):
    source = CustomerSource.model_validate(
        {"uri": "c.csv", "columns": {"customer_id": "id"}, "attributes": ["x"], **settings}
    )
    raw = ibis.memtable(
        {"place": [str(i) for i in range(len(values))], "id": ["1"] * len(values), "x": values}
    )
    rows, notes, faults = with_numbers(source, raw.cast({"x": "string"}), keep)
    return rows.order_by(rows.place.cast("int64")).to_pyarrow()["x"].to_pylist(), notes, faults


@pytest.mark.parametrize(
    "values",
    [
        ["007", "12"],  # a code
        ["basic", "plus", "3"],
        [None, " "],
        ["1", "2", "x"],  # more than a few are none
    ],
)
def test_what_is_text_stays_text(values):
    found, _, faults = read(values)
    assert found == values
    assert faults == []


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["29.85", " ", "-3"], [29.85, None, -3]),
        (["0", "0.5"], [0, 0.5]),
        (["1,234.50", "7"], [1234.5, 7]),
        (["n/a", "7"], [None, 7]),
        (["1e3", "7"], [1000, 7]),
    ],
)
def test_what_is_a_number_becomes_one(values, numbers):
    assert read(values) == (numbers, [], [])


def test_a_segment_stays_text():
    assert read(["1", "2"], keep=["x"])[0] == ["1", "2"]


def test_a_few_values_that_are_none_are_empty_and_said():
    found, (note,), faults = read([*(str(n) for n in range(1, 100)), "many"], max_unreadable_share=0.01)
    assert (found[-1], faults) == (None, [])
    assert "x: 1 of 100 values is no number, such as 'many'; they count as empty" in note


def test_more_than_a_few_keep_the_attribute_text():
    found, (note,), _ = read(["1", "2", "3", "4", "5", "6", "7", "8", "many", "few"])
    assert found[-1] == "few"
    assert "it is taken for text" in note


def test_numbers_in_another_writing_are_a_fault_with_the_line():
    _, _, (fault,) = read([*(str(n) for n in range(9)), "1,5"])
    assert fault.where == "c.csv, column x"
    assert "decimal: ','" in str(fault)


def test_what_is_infinite_is_no_number():
    found, _, _ = read([*(str(n) for n in range(1, 100)), "inf"], max_unreadable_share=0.01)
    assert found[-1] is None


def test_only_customers_have_attributes():
    source = RoleSource[PurchaseColumns].model_validate(
        {"uri": "t.csv", "columns": {"customer_id": "id", "occurred_at": "x"}}
    )
    raw = ibis.memtable({"id": ["1"], "x": ["2024"]})
    assert with_numbers(source, raw)[0] is raw
