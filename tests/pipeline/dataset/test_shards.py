"""Rows that are divided by customer come out as they went in, with numbers for the customers."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema import load_config
from features.dialects import duckdb_hash
from pipeline import demo
from pipeline.dataset.matrix import matrix_and_rows
from pipeline.dataset.shards import ROWS_A_SHARD, NumberedRows, by_shard, shards_for, with_customers
from pipeline.sources.databases import arrow
from pipeline.sources.opening import open_sources
from tests.pipeline.sources.in_databases import to_sqlite

AS_OF = dt.date(2024, 7, 1)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A config of the demo's files, or with a role in a database."""
    folder = tmp_path_factory.mktemp("shards")
    demo.simulate(folder, "non_contractual", 80, dt.date(2023, 7, 1), AS_OF, seed=5)
    file = Path(__file__).parents[3] / "configs" / "demo.yaml"
    given = load_config(file, environ={}).sources.given

    def config(there=()):
        environ = {}
        for role, source in given.items():
            path = folder / source.uri.rpartition("/")[2]
            if role in there:
                to_sqlite(folder / "shop.db", {role: pd.read_parquet(path)})
            place = f"sqlite:///{folder}/shop.db#{role}" if role in there else path
            environ[f"CHURN__SOURCES__{role.upper()}__URI"] = str(place)
        return load_config(file, environ=environ)

    return config


def plain(table, columns):
    frame = table.select(columns).to_pandas()
    return frame.sort_values(columns, ignore_index=True)


@pytest.mark.parametrize("mask", [None, 63])
def test_rows_come_out_as_they_went_in(company, monkeypatch, mask):
    """With hashes of six bits customers share them, so that ids stand for themselves."""
    monkeypatch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 500)
    if mask is not None:
        monkeypatch.setattr("pipeline.dataset.shards.duckdb_hash", lambda value: duckdb_hash(value) & mask)
    sources = open_sources(company(), AS_OF)
    matrix, rows = matrix_and_rows(sources, company(), [AS_OF])
    assert isinstance(rows, NumberedRows)
    assert len(matrix.frame) > 20
    assert set(rows.tables) == {"transactions", "contacts", "feedback", "usage"} & set(sources.tables)
    ids = rows.ids.combine_chunks()
    assert sorted(ids.to_pylist()) == sorted(arrow(sources.ids.table)["customer_id"].to_pylist())
    for role, table in rows.tables.items():
        columns = table.column_names
        named = with_customers(table, ids.take(table["customer_id"].combine_chunks()))
        pd.testing.assert_frame_equal(plain(named, columns), plain(arrow(sources.tables[role]), columns))


def test_what_a_database_groups_has_no_rows_here(company, monkeypatch):
    monkeypatch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 500)
    config = company(there=["transactions"])
    _, rows = matrix_and_rows(open_sources(config, AS_OF), config, [AS_OF])
    assert "transactions" not in rows.tables
    assert "contacts" in rows.tables


def test_nothing_is_kept_of_few_rows_or_unasked(company, monkeypatch):
    sources = open_sources(company(), AS_OF)
    assert matrix_and_rows(sources, company(), [AS_OF])[1] is None
    monkeypatch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 500)
    assert matrix_and_rows(sources, company(), [AS_OF], keep=False)[1] is None


@pytest.mark.parametrize(
    ("rows", "shards"),
    [(0, 1), (1, 1), (ROWS_A_SHARD, 1), (ROWS_A_SHARD + 1, 2), (5 * ROWS_A_SHARD, 8)],
)
def test_shards_are_a_power_of_two_that_holds_the_rows(rows, shards):
    assert shards_for(rows) == shards


@given(st.lists(st.integers(0, 7), max_size=50))
def test_rows_are_parted_by_their_shard_in_their_order(numbers):
    rows = pa.table(
        {"place": pa.array(range(len(numbers)), pa.int64()), "shard_": pa.array(numbers, pa.int64())}
    )
    parts = by_shard(rows, 8)
    assert [part["place"].to_pylist() for part in parts] == [
        [place for place, number in enumerate(numbers) if number == shard] for shard in range(8)
    ]
    assert all(part.column_names == ["place"] for part in parts)
