"""Databases: the same matrix as from files, the group-by in PostgreSQL and SQLite, and no password anywhere."""

import ast
import datetime as dt
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import traceback
from functools import cache
from pathlib import Path
from urllib.parse import quote

import duckdb
import numpy as np
import pandas as pd
import postgres_server
import psycopg
import pytest

from configs.errors import ConfigError, DataError, TryAgainError
from configs.schema import Config, load_config
from features.dialects import duckdb_hash
from pipeline import demo
from pipeline.dataset.labelling import build_labels, build_waits
from pipeline.dataset.matrix import build_matrix
from pipeline.monitoring.history import histories
from pipeline.result import Result
from pipeline.retention.tables.rate import retention_table
from pipeline.retention.tables.revenue import revenue_table
from pipeline.setup.init import init
from pipeline.setup.interview import Given
from pipeline.sources import connections
from pipeline.sources.opening import open_sources
from pipeline.sources.readers import connect_duckdb
from tests.forked import forked_churn
from tests.pipeline.sources.in_databases import frames_of, to_mysql, to_postgres, to_sqlite

ROOT = Path(__file__).parents[3]
AS_OF = dt.date(2026, 7, 1)
SNAPSHOTS = [dt.date(2026, 7, 1), dt.date(2026, 4, 2), dt.date(2026, 1, 2)]
SLOW_SQLITE = pytest.param("sqlite", marks=pytest.mark.slow)  # it reads every row by functions of Python
KINDS = {"non_contractual": "demo", "contractual": "demo_contractual"}


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", postgres_server.SESAME)


@pytest.fixture(scope="session", params=KINDS)
def company(request, tmp_path_factory, server):
    """A small company as files, in PostgreSQL, SQLite and, where it is asked for, MariaDB; and the config of each."""
    folder = tmp_path_factory.mktemp(request.param)
    demo.simulate(folder, request.param, 80, demo.START, demo.END, seed=7)
    frames = frames_of(folder)
    schema = f"shop_{request.param}"
    to_postgres(server, schema, frames)
    to_sqlite(folder / "shop.db", frames)

    @cache
    def of_maria():
        maria = request.getfixturevalue("maria")
        to_mysql(maria, schema, frames)
        return maria.url(database=schema)

    def config(where):
        file = ROOT / "configs" / f"{KINDS[request.param]}.yaml"
        environ = {}
        for role, source in load_config(file, environ={}).sources.given.items():
            uri = where(role) if callable(where) else where
            uris = {
                "files": f"{folder}/{source.uri.rpartition('/')[2]}",
                "postgres": f"{server.url()}#{schema}.{role}",
                "sqlite": f"sqlite:///{folder}/shop.db#{role}",
            }
            uris |= {"mysql": f"{of_maria()}#{role}"} if uri == "mysql" else {}
            environ[f"CHURN__SOURCES__{role.upper()}__URI"] = uris[uri]
        return load_config(file, environ=environ)

    return config


def matrix_and_labels(config):
    sources = open_sources(config, AS_OF)
    matrix = build_matrix(sources, config, SNAPSHOTS)
    ids, day = matrix.frame["customer_id"].to_numpy(str), matrix.frame["snapshot"].to_numpy("datetime64[D]")
    waits = build_waits(sources, config, ids, day, AS_OF, [0, 7, 30, 60])
    return matrix.frame.assign(waited=waits.days, event=waits.event), build_labels(
        sources, config, matrix, AS_OF
    )


@pytest.fixture(scope="session")
def of_files(company):
    """The matrix and the labels of the company's files."""
    return matrix_and_labels(company("files"))


def mixed(role):
    return {"customers": "files", "transactions": "postgres", "contacts": "sqlite"}.get(role, "postgres")


SLOW_MIXED = pytest.param(mixed, marks=pytest.mark.slow)


def some(role):
    return {"customers": "mysql", "transactions": "mysql", "contacts": "postgres"}.get(role, "files")


@pytest.mark.parametrize("where", ["postgres", SLOW_SQLITE, SLOW_MIXED, "mysql", some])
def test_the_matrix_and_the_labels_equal_those_of_the_files(company, of_files, where):
    expected, labels = of_files
    found, found_labels = matrix_and_labels(company(where))
    assert len(expected) > 100
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found_labels, labels)
    assert np.isfinite(labels).any()


def half(role):
    return {"usage": "postgres", "feedback": "sqlite"}.get(role, "files")


@pytest.mark.parametrize("where", ["files", half, SLOW_MIXED])
def test_many_shards_give_the_same_matrix(company, of_files, monkeypatch, where):
    expected, _ = of_files
    monkeypatch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 1_500)
    found, _ = matrix_and_labels(company(where))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-6)


def test_ids_that_share_a_hash_stay_apart(company, of_files, monkeypatch):
    expected, _ = of_files
    monkeypatch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 1_500)
    monkeypatch.setattr("pipeline.dataset.shards.duckdb_hash", lambda value: duckdb_hash(value) & 63)
    found, _ = matrix_and_labels(company("files"))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("where", ["postgres", SLOW_SQLITE])
def test_the_rates_equal_those_of_the_files(company, where):
    files, there = company("files"), company(where)
    expected, found = open_sources(files, AS_OF).local, open_sources(there, AS_OF).local
    for zone in ("UTC", "Asia/Kathmandu"):
        frames = [
            retention_table(tables, config.churn, AS_OF, time_zone=zone, segment="plan")
            for tables, config in ((expected, files), (found, there))
        ]
        pd.testing.assert_frame_equal(*frames)
        pd.testing.assert_frame_equal(
            *(revenue_table(tables, AS_OF, time_zone=zone) for tables in (expected, found))
        )
    for role in ("transactions", "usage", "feedback", "contacts"):
        assert found[role].count().execute() == expected[role].count().execute()


@pytest.mark.parametrize("where", ["postgres", SLOW_SQLITE])
def test_the_histories_of_the_monitoring_equal_those_of_the_files(company, where):
    expected, found = (
        {h.role: h for h in histories(open_sources(company(kind), AS_OF), AS_OF)} for kind in ("files", where)
    )
    assert set(expected) == set(found)
    for role, there in found.items():
        here = expected[role]
        assert (there.first, there.dated) == (here.first, here.dated)
        np.testing.assert_array_equal(there.hours, here.hours)
        np.testing.assert_array_equal(there.visits, here.visits)
        for column, present in here.present.items():
            np.testing.assert_array_equal(there.present[column], present)
        for column, number in here.numbers.items():
            np.testing.assert_allclose(there.numbers[column].logs, number.logs)
        for column, (values, counts) in here.categories.items():
            assert there.categories[column][0] == values
            np.testing.assert_array_equal(there.categories[column][1], counts)


def test_the_database_groups_and_sends_partial_statistics_only(company, server):
    config = company("postgres")
    sources = open_sources(config, AS_OF)
    before = len(server.statements())
    build_matrix(sources, config, SNAPSHOTS[:1])
    asked = [s for s in server.statements()[before:] if '"transactions"' in s]
    # The statistics, and of purchases also which customers were there when.
    assert len(asked) == (1 if config.churn.kind == "contractual" else 2)
    for statement in asked:
        query = statement.partition(" FOR ")[2]
        assert "GROUP BY" in query
        with server.connect() as connection:
            came_back = connection.execute(f"select count(*) from ({query}) as q").fetchone()[0]
        assert 0 < came_back < sources.fingerprints["transactions"]["rows"]


def test_nothing_is_written_to_the_database(company, server):
    config = company("postgres")
    before = len(server.statements())
    matrix_and_labels(config)
    asked = server.statements()[before:]
    kinds = {statement.partition(": ")[2].split()[0].upper() for statement in asked}
    assert kinds <= {"SELECT", "DECLARE", "FETCH", "CLOSE", "SET", "BEGIN", "COMMIT"}, kinds
    backend = open_sources(config, AS_OF).tables["transactions"].get_backend()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        backend.create_table("mine", schema={"a": "int"})


HEAD = "customer_id text, occurred_at {time}, amount {number}"


@pytest.fixture
def orders(server):
    """Make `public.orders` with these rows, and the config of a company that reads it."""

    def make(*rows, time="timestamp", number="double precision", uri=None, **settings):
        with server.connect() as connection:
            connection.execute("drop table if exists orders")
            connection.execute(f"create table orders ({HEAD.format(time=time, number=number)})")
            with connection.cursor() as cursor:
                cursor.executemany("insert into orders values (%s, %s, %s)", rows)
        return shop(uri or f"{server.url()}#public.orders", **settings)

    return make


def shop(uri, columns=None, **settings):
    columns = columns or {"customer_id": "customer_id", "occurred_at": "occurred_at", "amount": "amount"}
    return Config.model_validate(
        {
            "name": "shop",
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {"transactions": {"uri": uri, "columns": columns, **settings}},
        }
    )


def rows_of(config):
    table = open_sources(config, AS_OF).tables["transactions"]
    return sorted(tuple(row.values()) for row in table.to_pyarrow().to_pylist())


def refused(config):
    with pytest.raises(DataError) as error:
        open_sources(config, AS_OF)
    return str(error.value)


def at(text):
    return dt.datetime.fromisoformat(text)


def test_text_in_the_database_is_read_as_in_files(orders):
    config = orders(
        (" 007", "2024-02-29 00:00Z", "1.50"),
        ("۱۲", "2024-03-01T10:00:00Z", " 2e1 "),
        ("o'b", "2024-03-01 10:00:00.5+05:30", None),
        time="text",
        number="text",
    )
    assert rows_of(config) == [
        ("007", at("2024-02-29"), 1.5),
        ("o'b", at("2024-03-01 04:30:00.5"), None),
        ("۱۲", at("2024-03-01 10:00"), 20.0),
    ]


def test_unreadable_text_is_a_fault_with_its_customers(orders):
    config = orders(
        ("1", "2024-01-01", "1"),
        ("2", "2023-02-29", "x"),
        ("3", "yesterday", "inf"),
        time="text",
        number="text",
    )
    message = refused(config)
    assert (
        "column occurred_at: is not a date or time of the years 1900 to 9999 in 2 of 3 rows (customer '2', '3')"
        in message
    )
    assert "column amount: is not a number in 2 of 3 rows (customer '2', '3')" in message


def test_what_breaks_a_contract_names_the_customers(orders):
    message = refused(
        orders(("1", "2024-01-01", -1.0), ("2", None, 1.0), ("3", "2024-01-01", "nan"), ("4", "infinity", 2))
    )
    assert "column amount: is negative in 1 of 4 rows (customer '1')" in message
    assert "column occurred_at: is empty in 1 of 4 rows (customer '2')" in message
    assert "column amount: is infinite or not a number in 1 of 4 rows (customer '3')" in message
    assert "column occurred_at: is not a date or time of the years 1900 to 9999 in 1 of 4 rows" in message


@pytest.mark.parametrize(
    ("kind", "expected"), [("timestamptz", "2024-01-01 12:00"), ("timestamp", "2024-01-01 11:00")]
)
def test_zones_of_the_database_and_of_the_config(orders, kind, expected):
    value = "2024-01-01 12:00:00+00" if kind == "timestamptz" else "2024-01-01 12:00:00"
    config = orders(("1", value, 1.0), time=kind, time_zone="Europe/Berlin")
    assert rows_of(config) == [("1", at(expected), 1.0)]


def test_decimals_and_dates_of_the_database(orders):
    assert rows_of(orders(("1", "2024-01-01", "12.30"), time="date", number="numeric(12, 2)")) == [
        ("1", at("2024-01-01"), 12.3)
    ]


def test_a_format_is_for_files(orders):
    config = orders(("1", "01.02.2024", 1.0), time="text")
    columns = {
        **config.sources.transactions.columns.model_dump(),
        "occurred_at": {"column": "occurred_at", "format": "%d.%m.%Y"},
    }
    message = refused(shop(config.sources.transactions.uri, columns=columns))
    assert (
        "sources.transactions.columns.occurred_at.format: a format is read from files only; make a view"
        in message
    )


def test_a_missing_table_or_column_names_the_nearest(orders, server):
    orders(("1", "2024-01-01", 1.0))
    message = refused(shop(f"{server.url()}#public.order"))
    assert "sources.transactions.uri: no table 'order' in postgresql://churn@127.0.0.1" in message
    assert "did you mean 'orders'?" in message
    assert "names no table; add #table or #schema.table" in refused(shop(server.url()))
    with server.connect() as connection:
        connection.execute("alter table orders rename column amount to amounts")
    assert "no column 'amount'" in refused(shop(f"{server.url()}#orders"))


def test_no_right_to_read_is_a_fault(orders, server):
    orders(("1", "2024-01-01", 1.0))
    with server.connect() as connection:
        connection.execute("drop role if exists guest")
        connection.execute(f"create role guest login password '{postgres_server.SESAME}'")
    message = refused(shop(f"{server.url(user='guest')}#public.orders"))
    assert "permission denied for table orders; grant the user SELECT on the table" in message


def leaks(text):
    return any(
        part in text for part in (postgres_server.SESAME, quote(postgres_server.SESAME, safe=""), "s3cr")
    )


def test_the_password_may_come_from_the_url_or_from_the_environment(orders, server, monkeypatch):
    monkeypatch.delenv("PGPASSWORD")
    rows = [("1", at("2024-01-01"), 1.0)]
    config = orders(("1", "2024-01-01", 1.0), uri=f"{server.url(postgres_server.SESAME)}#orders")
    assert rows_of(config) == rows
    monkeypatch.setenv("SHOP_WORD", postgres_server.SESAME)
    assert rows_of(shop(f"postgresql://churn:${{SHOP_WORD}}@127.0.0.1:{server.port}/postgres#orders")) == rows
    monkeypatch.setenv("SHOP_URL", server.url(postgres_server.SESAME))
    assert rows_of(shop("${SHOP_URL}#orders")) == rows
    monkeypatch.delenv("SHOP_URL")
    assert "the environment variable SHOP_URL is not set; export SHOP_URL=..." in refused(
        shop("${SHOP_URL}#orders")
    )


@pytest.mark.parametrize("damage", ["user", "table", "database", "rows", "query", "url"])
def test_no_message_shows_the_password(orders, server, damage, monkeypatch):
    monkeypatch.delenv("PGPASSWORD")
    url = server.url(postgres_server.SESAME)
    rows = [("1", "2024-01-01", -1.0 if damage == "rows" else 1.0)]
    uri = {
        "user": f"{server.url(postgres_server.SESAME, user='nobody')}#orders",
        "table": f"{url}#nothing",
        "database": f"{server.url(postgres_server.SESAME, database='nowhere')}#orders",
        "rows": f"{url}#orders",
        "query": f"{url}?password={quote(postgres_server.SESAME, safe='')}&nonsense=1#orders",
        "url": f"postgresql://churn:{postgres_server.SESAME}@127.0.0.1:{server.port}/postgres#orders",
    }[damage]
    with pytest.raises(DataError) as error:
        open_sources(orders(*rows, uri=uri), AS_OF)
    told = "".join(traceback.format_exception(error.value))
    assert not leaks(told), told
    assert "sources.transactions" in told or ":***@127.0.0.1" in told


def test_a_server_that_is_away_is_tried_again_later(server, monkeypatch):
    pauses = []
    monkeypatch.setattr(connections.time, "sleep", pauses.append)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        uri = f"postgresql://me:s3cret@127.0.0.1:{nobody.getsockname()[1]}/shop#orders"
        with pytest.raises(TryAgainError) as error:
            open_sources(shop(uri), AS_OF)
    told = "".join(traceback.format_exception(error.value))
    assert "postgresql://me:***@127.0.0.1" in told
    assert "is away" in told
    assert not leaks(told)
    assert pauses == [1, 2, 4]


def test_a_wrong_password_is_not_tried_again(orders, server, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "wrong")
    monkeypatch.setattr(connections.time, "sleep", lambda seconds: pytest.fail("waited"))
    assert "check user, database and password" in refused(orders(("1", "2024-01-01", 1.0)))


def test_a_locked_table_and_a_slow_query_end_the_run_for_now(orders, server, monkeypatch):
    config = orders(("1", "2024-01-01", 1.0))
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)
    with server.connect() as other:
        other.autocommit = False
        other.execute("lock table orders in access exclusive mode")
        with pytest.raises(TryAgainError, match=r"is away: .*lock timeout"):
            open_sources(config, AS_OF)
        other.rollback()
    with server.connect() as other:
        other.execute("create or replace view slow as select *, pg_sleep(5)::text as waited from orders")
    engine = config.engine.model_copy(update={"query_seconds": 1})
    slow = shop(f"{server.url()}#slow", {"customer_id": "waited", "occurred_at": "occurred_at"})
    try:
        with pytest.raises(TryAgainError, match=r"is away: .*statement timeout"):
            open_sources(slow.model_copy(update={"engine": engine}), AS_OF)
    finally:
        with server.connect() as other:
            other.execute("drop view slow")


def test_a_server_that_stands_still_is_not_waited_for(orders, server, monkeypatch):
    from pipeline.sources import postgres

    config = orders(("1", "2024-01-01", 1.0))
    sources = open_sources(config, AS_OF)
    connection = sources.tables["transactions"].get_backend().con
    monkeypatch.setattr(postgres, "GRACE_SECONDS", 0)
    connection.seconds = 1
    stopped = connection.info.backend_pid
    os.kill(stopped, signal.SIGSTOP)
    try:
        with pytest.raises(TryAgainError, match="no answer within 1 seconds"):
            build_matrix(sources, config, [dt.date(2024, 1, 10)])
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_a_database_file_that_is_being_written_is_tried_again_later(tmp_path, monkeypatch):
    monkeypatch.setattr(connections.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(connections, "LOCK_SECONDS", 0.1)
    declared = "customer_id text, occurred_at text, amount real"
    config = lite(tmp_path, declared, ("1", "2024-01-01", 1.0))
    with sqlite3.connect(tmp_path / "shop.db") as writer:
        writer.execute("begin exclusive")
        with pytest.raises(TryAgainError, match="database is locked"):
            open_sources(config, AS_OF)


def test_the_connection_may_break_in_the_middle(orders, server):
    config = orders(("1", "2024-01-01", 1.0))
    sources = open_sources(config, AS_OF)
    with server.connect() as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and datname = 'postgres'"
        )
    with pytest.raises(TryAgainError, match="is away"):
        build_matrix(sources, config, [dt.date(2024, 1, 10)])


def test_a_config_error_hides_the_password(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(
        f"name: shop\nchurn: {{kind: non_contractual, horizon_days: 30}}\nsources: {{transactions: '{'postgresql://me:s3cret@host/db#t'}'}}\n"
    )
    with pytest.raises(ConfigError) as error:
        load_config(file, environ={})
    assert not leaks(str(error.value))


@pytest.mark.slow
def test_no_file_that_a_night_leaves_holds_the_password(server, tmp_path, monkeypatch):
    demo.simulate(tmp_path / "demo", "non_contractual", 400, demo.START, demo.END, seed=7)
    to_postgres(server, "night", frames_of(tmp_path / "demo"))
    environ = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "20", "CHURN__SNAPSHOTS__MAX_COUNT": "8"}
    for role in load_config(ROOT / "configs" / "demo.yaml", environ={}).sources.given:
        uri = f"{server.url(postgres_server.SESAME)}#night.{role}"
        environ[f"CHURN__SOURCES__{role.upper()}__URI"] = uri
    monkeypatch.delenv("PGPASSWORD")
    home = tmp_path / "home"
    (home / "configs").mkdir(parents=True)
    for name in ("demo.yaml", "playbook.yaml"):
        shutil.copy(ROOT / "configs" / name, home / "configs" / name)
    told = ""
    for command in ("train", "score", "retention"):
        arguments = [
            forked_churn(),
            command,
            "--config",
            home / "configs" / "demo.yaml",
        ]
        done = subprocess.run(
            [*arguments, "--verbose"],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        told += done.stdout + done.stderr
    assert (home / "mlflow.db").exists()
    assert (home / "data" / "demo" / "latest" / "manifest.json").exists()
    written = [file for file in home.rglob("*") if file.is_file()]
    assert not leaks(told)
    assert not [file for file in written if leaks(file.read_bytes().decode("latin-1"))]


def lite(tmp_path, declared, *rows, **settings):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute(f"create table orders ({declared})")
        connection.executemany("insert into orders values (?, ?, ?)", rows)
    connection.close()
    return shop(f"sqlite:///{tmp_path}/shop.db#orders", **settings)


@pytest.mark.parametrize("kind", ["text", "timestamp", "datetime"])
def test_times_in_sqlite_in_every_form(tmp_path, kind):
    rows = ("1", "2024-01-01", 1), ("2", "2024-01-01T10:00:00.25", 2), ("3", "2024-01-01 23:59:59.9996", 3)
    assert rows_of(lite(tmp_path, f"customer_id integer, occurred_at {kind}, amount real", *rows)) == [
        ("1", at("2024-01-01"), 1.0),
        ("2", at("2024-01-01 10:00:00.250"), 2.0),
        ("3", at("2024-01-01 23:59:59.999"), 3.0),
    ]


def test_what_sqlite_would_misread_is_refused(tmp_path):
    rows = ("1", "2024-02-30", "1"), ("2", 1704067200, "x"), ("3", "now", "1e1")
    message = refused(lite(tmp_path, "customer_id text, occurred_at timestamp, amount real", *rows))
    assert "occurred_at: is not a date or time of the years 1900 to 9999 in 3 of 3 rows" in message
    assert "column amount: is not a number in 1 of 3 rows (customer '2')" in message


def test_sqlite_knows_no_time_zones_and_no_missing_files(tmp_path):
    config = lite(
        tmp_path, "customer_id, occurred_at, amount", ("1", "2024-01-01", 1), time_zone="Asia/Tehran"
    )
    assert "is Asia/Tehran, but SQLite knows no time zones" in refused(config)
    assert "in that folder: shop.db" in refused(shop(f"sqlite:///{tmp_path}/shops.db#orders"))
    assert not (tmp_path / "shops.db").exists()


def test_a_duckdb_file_is_read_in_place(tmp_path):
    with duckdb.connect(tmp_path / "it's.duckdb") as connection:
        connection.execute(
            "create schema sales; create table sales.orders as "
            "select '1' as customer_id, timestamp '2024-01-01' as occurred_at, 5 as amount"
        )
    config = shop(f"duckdb:///{tmp_path}/it's.duckdb#sales.orders")
    assert rows_of(config) == [("1", at("2024-01-01"), 5.0)]
    message = refused(shop(f"duckdb:///{tmp_path}/it's.duckdb#sales.order"))
    assert "did you mean 'orders'?" in message


def awkward(seed):
    """Contacts, feedback and purchases with ties, late knowledge, many kinds, large and small amounts."""
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01")

    def events(n):
        at = start + pd.to_timedelta(random.integers(0, 120 * 24, n), unit="h")
        late = pd.to_timedelta(random.integers(0, 40 * 24, n) * (random.random(n) < 0.3), unit="h")
        who = random.choice(["1", "01", "ب", "o'b"], n)
        frame = pd.DataFrame({"customer_id": who, "occurred_at": at, "known_at": at + late})
        return frame.astype({"occurred_at": "datetime64[us]", "known_at": "datetime64[us]"})

    bought, answered, talked = events(300), events(200), events(600)
    bought["amount"] = random.choice([0.1, 0.2, 1e-9, 1e16, 2.5e17, 333.33], 300)
    bought.loc[:5, "amount"] = np.nan
    answered["score"] = random.choice([1.0, 5.0, 9.0, np.nan], 200)
    talked["topic"] = random.choice([f"topic {i}" for i in range(75)] + ["How to pay", "complaint"], 600)
    talked["direction"] = random.choice(["inbound", "outbound"], 600)
    talked["resolved_at"] = talked["occurred_at"].where(random.random(600) < 0.5) + pd.Timedelta("7h")
    return {"transactions": bought, "feedback": answered, "contacts": talked}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_awkward_rows_give_the_same_matrix_everywhere(server, maria, tmp_path, seed):
    frames = awkward(seed)
    to_mysql(maria, "awkward", frames)
    to_postgres(server, "awkward", frames)
    to_sqlite(tmp_path / "shop.db", frames)
    for role, frame in frames.items():
        frame.to_parquet(tmp_path / f"{role}.parquet")
    found = {}
    places = "{tmp_path}/{role}.parquet", "{url}#awkward.{role}", "sqlite:///{tmp_path}/shop.db#{role}"
    for where in (*places, maria.url(database="awkward") + "#{role}"):
        sources = {
            role: {
                "uri": where.format(tmp_path=tmp_path, url=server.url(), role=role),
                "columns": {name: name for name in frame.columns},
                **({"low_score": 4} if role == "feedback" else {}),
            }
            for role, frame in frames.items()
        }
        churn = {"kind": "non_contractual", "horizon_days": 30, "active_days": 90}
        config = Config.model_validate({"name": "awkward", "churn": churn, "sources": sources})
        opened = open_sources(config, dt.date(2024, 5, 1))
        days = [dt.date(2024, 5, 1), dt.date(2024, 4, 1), dt.date(2024, 3, 1)]
        found[where[:4]] = build_matrix(opened, config, days).frame
    expected, *others = found.values()
    assert len(expected) == 12
    for frame in others:
        pd.testing.assert_frame_equal(frame, expected, rtol=1e-6)


def test_duckdb_keeps_to_the_limit_of_the_config():
    found = connect_duckdb(1, 0.5).raw_sql("select current_setting('memory_limit')").fetchone()[0]
    assert found == "476.8 MiB"


def test_a_config_is_written_from_all_tables_of_a_schema(server, tmp_path):
    rng = np.random.default_rng(0)
    who = rng.integers(0, 60, 1_500)
    days = pd.Timestamp("2025-07-01") + pd.to_timedelta(rng.integers(0, 360, 1_500), unit="D")
    orders = pd.DataFrame({"order_id": range(1_500), "customer_id": who, "ordered_at": days, "total": 9.5})
    people = pd.DataFrame(
        {"customer_id": range(60), "signed_up": pd.Timestamp("2025-01-01"), "plan": "basic"}
    )
    for frame in (orders, people):
        frame["customer_id"] = frame["customer_id"].astype(str)
    people.loc[::2, "plan"] = "pro"
    to_postgres(server, "beginning", {"orders": orders, "people": people})
    url = server.url()
    done = init([f"{url}#beginning.*"], tmp_path / "c.yaml", Given(), None, today=AS_OF, check=not_checked)
    config = load_config(tmp_path / "c.yaml", environ={})
    assert {role: source.uri for role, source in config.sources.given.items()} == {
        "customers": f"{url}#beginning.people",
        "transactions": f"{url}#beginning.orders",
    }
    assert config.sources.transactions.mapped["amount"].column == "total"
    assert config.sources.customers.mapped["started_at"].column == "signed_up"
    opened = open_sources(config, AS_OF)
    assert opened.accounts["transactions"].read == 1_500
    assert done.values["questions"] == 0
    assert postgres_server.SESAME not in (tmp_path / "c.yaml").read_text() + done.text


def not_checked(file, say):
    return Result("", {})


CONTRACTS = """\
id,customer,plan,amount,started_at,ended_at,paused_at,resumed_at,reason
1,ann,basic,10,2026-01-05,2026-02-10,,,upgrade
2,ann,pro,20,2026-02-10,,,,
3,bob,basic,10,2026-01-08,2026-03-04,,,payment_failed
4,bob,basic,10,2026-04-02,2026-08-01,,,dear
5,cy,basic,10,2026-01-20,,2026-03-01,2026-04-15,
5,cy,basic,10,2026-01-20,,2026-03-01,2026-04-15,
6,dee,addon,5,2025-12-20,2026-06-20,,,
"""


def test_rows_of_one_customer_in_a_database_are_refused_or_the_newest_counts(server, tmp_path):
    """What is asked of repeated ids is asked of the server: a yes or no is no number there."""
    frame = pd.DataFrame(
        {
            "customer": ["a", "a", "b", "c", "c"],
            "plan": ["old", "new", "only", None, "known"],
            "written": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-01-01", None, "2023-01-01"]),
        }
    )
    bought = pd.DataFrame({"who": ["a", "b", "c"], "at": pd.to_datetime(["2024-01-05"] * 3)})
    tables = {
        "people": frame.astype({"written": "datetime64[us]"}),
        "bought": bought.astype({"at": "datetime64[us]"}),
    }
    to_postgres(server, "crm", tables)

    def opened(**more):
        people = {
            "uri": f"{server.url()}#crm.people",
            "columns": {"customer_id": "customer"},
            "attributes": ["plan"],
        }
        rows = {"uri": f"{server.url()}#crm.bought", "columns": {"customer_id": "who", "occurred_at": "at"}}
        sources = {"customers": people | more, "transactions": rows}
        churn = {"kind": "non_contractual", "horizon_days": 30, "active_days": 90}
        config = {"name": "crm", "home": tmp_path, "churn": churn, "sources": sources}
        return open_sources(Config.model_validate(config), AS_OF)

    with pytest.raises(DataError, match=r"2 rows repeat an id, such as 'a', 'c', and differ in .*plan"):
        opened()
    plans = opened(latest_by="written").tables["customers"].order_by("customer_id").execute()["plan"]
    assert plans.tolist() == ["new", "only", "known"]


def test_no_yes_or_no_is_cast_to_a_whole_number():
    """PostgreSQL refuses it for large ones; `ibis.ifelse(..., 1, 0)` is the same on every engine."""
    asks = {"notnull", "isnull", "any", "all", "isin", "notin", "between"}

    def is_question(of: ast.expr) -> bool:
        if isinstance(of, ast.Call):
            return isinstance(of.func, ast.Attribute) and of.func.attr in asks
        return isinstance(of, ast.Compare) or (isinstance(of, ast.UnaryOp) and isinstance(of.op, ast.Invert))

    found = [
        f"{file}:{node.lineno}"
        for folder in ("pipeline", "features")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "cast"
        and node.args
        and str(getattr(node.args[0], "value", "")).startswith("int")
        and is_question(node.func.value)
    ]
    assert not found


def test_contracts_in_a_database_are_those_of_the_file(server, tmp_path):
    """Customers, attributes, features and labels follow from contracts alike, wherever these are."""
    (tmp_path / "subs.csv").write_text(CONTRACTS, encoding="utf-8")
    frame = pd.read_csv(tmp_path / "subs.csv", dtype={"id": str})
    for name in ("started_at", "ended_at", "paused_at", "resumed_at"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    to_postgres(server, "billing", {"subs": frame.astype({"amount": "float64"})})
    columns = {"customer_id": "customer", "contract_id": "id", "end_reason": "reason", "plan": "plan"}
    columns |= {n: n for n in ("amount", "started_at", "ended_at", "paused_at", "resumed_at")}
    found = {}
    for uri in ("subs.csv", f"{server.url()}#billing.subs"):
        config = Config.model_validate(
            {
                "name": "saas",
                "home": tmp_path,
                "churn": {"kind": "contractual", "horizon_days": 30},
                "sources": {"contracts": {"uri": uri, "columns": columns}},
            }
        )
        sources = open_sources(config, AS_OF)
        matrix = build_matrix(sources, config, SNAPSHOTS)
        people = sources.tables["customers"].order_by("customer_id").execute()
        labels = build_labels(sources, config, matrix, AS_OF)
        found[uri] = (
            people,
            matrix.frame,
            labels,
            sources.accounts["contracts"].line("contracts"),
            sources.look,
        )
    here, there = found.values()
    assert here[0].customer_id.tolist() == ["ann", "bob", "cy", "dee"]
    assert len(here[1]) > 4
    pd.testing.assert_frame_equal(here[0], there[0])
    pd.testing.assert_frame_equal(here[1], there[1])
    np.testing.assert_array_equal(here[2], there[2])
    assert here[3:] == there[3:]
    assert "1 left out by standing there twice" in here[3]
