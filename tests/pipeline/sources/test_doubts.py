"""What all rows together tell of a column: mixed zones, mixed currencies, three decimals."""

import ibis
import pytest

from configs.sources import Column, Source
from pipeline.sources.doubts import counts_of, faults_of_writing, writing_marks
from pipeline.sources.values import value_of

SOURCE = Source(uri="x.csv")


def faults(values, kind="number", source=SOURCE):
    rows = ibis.memtable({"x": values})
    marks = writing_marks({"amount": value_of(rows, "amount", Column(column="x"), kind, source)})
    table = rows.mutate(**marks)
    found = table.aggregate(**counts_of(table, list(marks))).to_pyarrow().to_pylist()[0] if marks else {}
    return [fault.what for fault in faults_of_writing("transactions", source, found, ["amount"])]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["1.250", "3.000"], "all 2 numbers with a point have three digits behind it, so 1.250 may be 1250"),
        (["1.250", "3.00"], None),
        (["0.125", "0.500"], None),  # below one they can't be thousands
        (["1250", "7"], None),
        (["€ 5", "6 USD"], "amounts are in more than one currency, such as 'USD' and '€'"),
        (["€ 5", "6"], None),  # one that is not written may be the same
        (["€ 5", "6 €"], None),
        ([None, None], None),
    ],
)
def test_how_amounts_are_written(values, says):
    assert faults(values) == ([] if says is None else [says])


def test_a_sign_that_the_config_names_is_no_doubt():
    assert faults(["1.250"], source=Source(uri="x.csv", decimal=".")) == []
    assert faults(["1.250"], source=Source(uri="x.csv", thousands=".")) == []


def test_times_with_and_without_a_zone_are_not_mixed():
    mixed = ["2024-01-01 10:00:00Z", "2024-01-01 10:00:00", "2024-01-02 10:00:00"]
    assert faults(mixed, "time") == ["1 rows carry a time zone and 2 do not"]
    assert faults(mixed[1:], "time") == faults(mixed[:1], "time") == []


def test_typed_columns_leave_no_doubt():
    assert faults([1.25, 3.0]) == []
