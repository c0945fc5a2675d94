"""The matrix as a file for others: its columns, its labels as whole numbers, and the catalogue beside it."""

import datetime as dt
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.extract import feature_catalogue, write_matrix

AS_OF = dt.date(2024, 7, 1)
# Two snapshots 30 days apart, a horizon of 30 days and 90 days of activity.
SALES = """customer_id,occurred_at
often,2024-01-10
often,2024-05-20
often,2024-06-20
silent,2024-05-20
late,2024-06-25
"""


@pytest.fixture
def config(tiny):
    return tiny(transactions=SALES, sections={"snapshots": {"step_days": 30}})


def written(config, tmp_path, *, labels=False, count=2):
    out, said = tmp_path / "matrix.parquet", []
    result = write_matrix(config, AS_OF, count, out, labels=labels, say=said.append)
    return result, pq.read_table(out)


def test_a_row_is_a_customer_at_a_snapshot_with_the_columns_of_the_catalogue(config, tmp_path):
    result, table = written(config, tmp_path)
    rows = [(str(row["snapshot"])[:10], row["customer_id"]) for row in table.to_pylist()]
    assert rows == [
        ("2024-06-01", "often"),
        ("2024-06-01", "silent"),
        ("2024-07-01", "late"),
        ("2024-07-01", "often"),
        ("2024-07-01", "silent"),
    ]
    kept = json.loads((tmp_path / "matrix.catalogue.json").read_text())
    assert table.column_names[:2] == ["customer_id", "snapshot"]
    assert set(table.column_names[2:]) == set(kept)
    assert result.values["features"] == len(kept)
    assert result.values["snapshots"] == ["2024-06-01", "2024-07-01"]
    assert result.text == f"{tmp_path / 'matrix.parquet'}: 5 rows, {len(kept)} features, 2 snapshots"


def test_labels_are_whole_numbers_and_null_where_the_time_is_not_over(config, tmp_path):
    """Of 2024-06-01 it is known who bought in the 30 days after; of 2024-07-01 nobody knows."""
    _, table = written(config, tmp_path, labels=True)
    assert table.schema.field("churned").type == pa.int8()
    assert table["churned"].to_pylist() == [0, 1, None, None, None]
    assert table.column_names[-1] == "churned"


def test_values_that_customers_are_priced_by_are_no_features(config, tmp_path):
    _, table = written(config, tmp_path)
    assert not [name for name in table.column_names if name.startswith(("net_spend", "kept_spend"))]


def test_the_same_matrix_is_the_same_bytes(config, tmp_path):
    written(config, tmp_path)
    before = (tmp_path / "matrix.parquet").read_bytes()
    result, _ = written(config, tmp_path)
    assert (tmp_path / "matrix.parquet").read_bytes() == before
    again, _ = written(config, tmp_path, count=1)
    assert again.values["catalogue_hash"] == result.values["catalogue_hash"]


def test_the_catalogue_says_of_each_column_what_it_is(config, tmp_path):
    found = feature_catalogue(config, AS_OF)
    by_name = {column["name"]: column for column in found.values}
    assert by_name["recency_days"]["unit"] == "days"
    assert by_name["recency_days"]["null"] == "has never bought"
    header, *lines = found.text.splitlines()
    assert header.split() == ["column", "unit", "driver", "label", "null", "means"]
    assert len(lines) == len(found.values)
    _, table = written(config, tmp_path)
    assert set(by_name) == set(table.column_names) - {"customer_id", "snapshot"}


def test_what_is_worth_a_look_comes_with_the_result(tiny, tmp_path):
    sales = "customer_id,occurred_at\n" + "".join(f"n{i},2024-06-20\n" for i in range(20))
    half = pd.DataFrame({"customer_id": [f"n{i}" for i in range(10)], "plan": ["a", "b"] * 5})
    config = tiny(
        transactions=sales,
        customers=half,
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {"attributes": ["plan"]}},
    )
    result, table = written(config, tmp_path)
    assert result.exit_code == 3
    assert "look: " in result.text
    assert "plan" in table.column_names
