"""Connections: files of databases are opened for reading alone, and a server that restarts is waited for."""

import sqlite3

import duckdb
import pytest

from pipeline.sources import connections
from pipeline.sources.connections import beside_file, connected, names_in
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.readers import connect_duckdb


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


@pytest.fixture
def config(tiny):
    return tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n")


def test_a_file_of_sqlite_is_opened_once_and_never_written(duck, config, tmp_path):
    with sqlite3.connect(tmp_path / "it's a shop.db") as made:
        made.execute("create table orders (id text)")
    opened = {}
    url = "sqlite:///it%27s%20a%20shop.db"
    found = connected(duck, opened, url, "sources.transactions.uri", config)
    assert found.list_tables() == ["orders"]
    assert connected(duck, opened, url, "x", config) is found
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        found.con.execute("insert into orders values ('1')")


def test_a_file_of_duckdb_is_attached_for_reading(config, tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as made:
        made.execute("create table orders as select '1' as id")
    local = connect_duckdb(1)
    alias = connected(local, {}, "duckdb:///shop.duckdb", "x", config)
    assert local.con.execute(f"select id from {alias}.main.orders").fetchall() == [("1",)]
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        local.con.execute(f"delete from {alias}.main.orders")


def test_a_file_that_is_not_there_names_those_that_are(duck, config, tmp_path):
    for name in ("shop.db", "mlflow.db", ".hidden.db", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnreadableError, match=r"no file at .*shp\.db; in that folder: shop\.db"):
        connected(duck, {}, "sqlite:///shp.db", "x", config)
    assert "is not there or empty" in beside_file(tmp_path / "nowhere" / "x.db")
    assert ".hidden.db" not in names_in(tmp_path)


def test_a_url_that_is_none_is_a_fault_without_its_password(duck, config):
    with pytest.raises(UnreadableError, match="is no URL of PostgreSQL; write @") as caught:
        connected(duck, {}, "postgresql://me:se%cret@host/shop?nonsense=1", "sources.usage.uri", config)
    assert "se%cret" not in str(caught.value)
    with pytest.raises(UnreadableError, match="can't connect by 'oracel://"):
        connected(duck, {}, "oracel://me:secret@host/shop", "sources.usage.uri", config)


@pytest.mark.parametrize(("away", "tries"), [(0, 1), (2, 3), (3, 4), (9, 4)])
def test_a_server_that_restarts_is_waited_for(monkeypatch, away, tries):
    asked, pauses = [], []
    monkeypatch.setattr(connections.time, "sleep", pauses.append)

    def connect():
        asked.append(1)
        if len(asked) <= away:
            raise ConnectionRefusedError
        return "here"

    if away < tries:
        assert connections._patiently(connect) == "here"
    else:
        with pytest.raises(ConnectionRefusedError):
            connections._patiently(connect)
    assert len(asked) == tries
    assert pauses == list(connections.PAUSES[: tries - 1])


def test_what_no_waiting_mends_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(connections.time, "sleep", lambda seconds: pytest.fail("waited"))

    def refuse():
        raise sqlite3.OperationalError("no such table")

    with pytest.raises(sqlite3.OperationalError):
        connections._patiently(refuse)
