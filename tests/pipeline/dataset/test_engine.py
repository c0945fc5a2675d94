"""Partial statistics of the sources: the same in one piece as in shards, each customer in one of them."""

import datetime as dt
from collections import Counter

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dialects import duckdb_hash
from features.panel import Stat, Window
from features.snapshots import TimeAxis
from pipeline.dataset.engine import Grouped, different_ids, kinds_of, panel_of, people_of, scan
from pipeline.dataset.shards import shard_of
from pipeline.sources.readers import connect_duckdb

T = dt.date(2024, 3, 1)
AXIS = TimeAxis.of([T], [30])
IDS = [f"c{i:02d}" for i in range(40)]
STATS = {
    "transactions": [Stat("count"), Stat("sum", "amount"), Stat("last_at")],
    "contacts": [Stat("count"), Stat("bits", "channel")],
}


@pytest.fixture
def duck():
    return connect_duckdb(1)


def events(seed, rows=600):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": rng.choice(IDS, rows),
            "occurred_at": pd.Timestamp(T) - pd.to_timedelta(rng.integers(1, 200 * 24, rows), unit="h"),
            "amount": np.where(rng.random(rows) < 0.2, np.nan, rng.choice([0.1, 2.5, 1e6], rows)),
            "channel": rng.choice(["mail", "phone", None], rows),
        }
    )
    return frame.astype({"occurred_at": "datetime64[us]"})


def tables_of(duck):
    made = {
        "transactions": events(1)[["customer_id", "occurred_at", "amount"]],
        "contacts": events(2)[["customer_id", "occurred_at", "channel"]],
    }
    return {role: duck.create_table(role, frame) for role, frame in made.items()}


def first_purchase(tables):
    rows = tables["transactions"]
    return rows.group_by("customer_id").agg(first=rows.occurred_at.min())


def windows(duck, shards):
    """Counts, sums and kinds of the last 30 and 90 days of every customer, added over the shards."""
    tables = tables_of(duck)
    everybody = ibis.union(*(table.select("customer_id") for table in tables.values()), distinct=True)
    ids, members, edge = pa.array(IDS), np.arange(len(IDS)), AXIS.edge(T)
    total = {}
    with scan(duck, tables, STATS, AXIS, shards, everybody=everybody, grouped={}) as found:
        for number in range(shards):
            part = found.load(number)
            for role, stats in STATS.items():
                at = Window(panel_of(part[role], ids, stats, AXIS).known_at(edge), members, None, edge)
                values = [at.last(30).count(), at.last(90).count()]
                values += [at.last(90).sum("amount")] if role == "transactions" else [at.distinct("channel")]
                total[role] = total.get(role, 0) + np.array(values, float)
    return total


def by_hand():
    """The same from the rows, with pandas."""
    found = {}
    for role, seed in (("transactions", 1), ("contacts", 2)):
        frame = events(seed)
        age = (pd.Timestamp(T) - frame.occurred_at) / pd.Timedelta(days=1)
        counts = [frame[age <= days].groupby("customer_id").size() for days in (30, 90)]
        if role == "transactions":
            counts.append(frame[age <= 90].groupby("customer_id").amount.sum())
        else:
            counts.append(frame.groupby("customer_id").channel.nunique())
        found[role] = np.array([c.reindex(IDS).fillna(0).to_numpy(float) for c in counts])
    return found


@pytest.mark.parametrize("shards", [1, 4])
def test_the_statistics_are_those_of_the_rows_in_one_piece_or_several(duck, shards):
    expected, found = by_hand(), windows(duck, shards)
    for role in STATS:
        np.testing.assert_allclose(found[role], expected[role], rtol=1e-12)


@pytest.mark.parametrize("same_hash", [False, True])
def test_a_customer_is_in_one_shard_with_all_rows_and_keeps_the_own_id(duck, monkeypatch, same_hash):
    if same_hash:  # of ids that end alike: then the id itself is the key
        monkeypatch.setattr(
            "pipeline.dataset.shards.duckdb_hash", lambda name: duckdb_hash(name.substr(2, 1))
        )
    tables = tables_of(duck)
    everybody = tables["transactions"].select("customer_id").distinct()
    stats = {"transactions": STATS["transactions"]}
    more = {"firsts": Grouped(first_purchase, "transactions")}
    with scan(duck, tables, stats, AXIS, 4, everybody=everybody, grouped=more) as found:
        parts = [found.load(number)["firsts"] for number in range(4)]
    owners = Counter(name for part in parts for name in part["customer_id"].to_pylist())
    firsts = events(1).groupby("customer_id").occurred_at.min()
    assert owners == Counter(firsts.index)
    assert sum(len(part) > 0 for part in parts) > 1
    said = {row["customer_id"]: row["first"] for part in parts for row in part.to_pylist()}
    assert said == {name: time.to_pydatetime() for name, time in firsts.items()}


def test_a_scan_leaves_the_connection_as_it_was(duck):
    def setting(name):
        return duck.con.sql(f"SELECT current_setting('{name}')").fetchall()[0][0]

    before = [setting(name) for name in ("threads", "preserve_insertion_order")]
    tables = tables_of(duck)
    names = duck.con.sql("SHOW TABLES").fetchall()
    everybody = tables["transactions"].select("customer_id").distinct()
    stats = {"transactions": STATS["transactions"]}

    def interrupted():
        with scan(duck, tables, stats, AXIS, 2, everybody=everybody, grouped={}) as found:
            found.load(0)
            assert setting("threads") == 1
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert [setting(name) for name in ("threads", "preserve_insertion_order")] == before
    assert duck.con.sql("SHOW TABLES").fetchall() == names


def test_a_role_without_statistics_is_not_read(duck):
    tables = tables_of(duck)
    everybody = tables["transactions"].select("customer_id").distinct()
    stats = {"transactions": STATS["transactions"], "contacts": []}
    with scan(duck, tables, stats, AXIS, everybody=everybody, grouped={}) as found:
        assert set(found.load(0)) == {"transactions"}


def test_the_shard_of_an_id_is_the_same_for_ever(duck):
    table = duck.create_table("ids", pd.DataFrame({"customer_id": IDS}))
    numbers = table.mutate(shard=shard_of(table.customer_id, 8)).order_by("customer_id").to_pyarrow()
    assert set(numbers["shard"].to_pylist()) <= set(range(8))
    fewer = table.mutate(shard=shard_of(table.customer_id, 4)).order_by("customer_id").to_pyarrow()
    assert [n % 4 for n in numbers["shard"].to_pylist()] == fewer["shard"].to_pylist()


@given(
    st.lists(st.lists(st.one_of(st.none(), st.text("abé1", max_size=3)), max_size=6), min_size=1, max_size=4)
)
def test_different_ids_are_sorted_without_nulls(columns):
    arrays = [pa.chunked_array([pa.array(column, pa.string())]) for column in columns]
    found = different_ids(*arrays).to_pylist()
    expected = {name for column in columns for name in column if name is not None}
    assert found == sorted(expected, key=lambda name: name.encode())


PEOPLE = pa.table(
    {
        "customer_id": ["b", "a", "z"],
        "started_at": pa.array([dt.datetime(1970, 1, 2), None, dt.datetime(2024, 1, 1)], pa.timestamp("us")),
        "plan": ["pro", None, "basic"],
        "size": pa.array([1.5, 2.0, None], pa.float64()),
    }
)


def test_customers_are_told_in_the_order_asked_for_and_nothing_of_strangers():
    kinds = kinds_of(PEOPLE, ["plan", "size"])
    found = people_of(PEOPLE, kinds, pa.array(["a", "b", "x"]))
    np.testing.assert_array_equal(found.started_at, [np.nan, 86_400.0, np.nan])
    assert np.isnan(found.ended_at).all()  # the source has no endings
    assert found.attributes["plan"].isna().tolist() == [True, False, True]
    assert found.attributes["plan"][1] == "pro"
    np.testing.assert_array_equal(found.attributes["size"], [2.0, 1.5, np.nan])


def test_a_text_has_all_levels_that_there_are_and_a_number_is_short():
    kinds = kinds_of(PEOPLE, ["plan", "size"])
    assert kinds["plan"].categories.tolist() == ["basic", "pro"]
    assert kinds["size"] == np.float32
    assert kinds_of(None, ["plan"]) == {}


def test_without_a_customers_source_nothing_is_known():
    found = people_of(None, {}, pa.array(["a", "b"]))
    assert np.isnan([found.started_at, found.ended_at]).all()
    assert found.attributes == {}


def test_rows_of_those_whom_nobody_asks_for_are_left_out():
    rows = pa.table(
        {
            "customer_id": ["a", "stranger", "b"],
            "period": pa.array([AXIS.edge(T) - 1] * 3, pa.int32()),
            "n_count": pa.array([2, 50, 3], pa.int64()),
        }
    ).rename_columns(["customer_id", "period", Stat("count").name])
    panel = panel_of(rows, pa.array(["a", "b", "c"]), [Stat("count")], AXIS)
    at = Window(panel.known_at(AXIS.edge(T)), np.arange(3), None, AXIS.edge(T))
    assert at.count().tolist() == [2, 3, 0]
