"""The file of the embedded store: told from other places, from a damaged one, and copied while others write."""

import sqlite3
import threading
from contextlib import closing

import pytest

from configs.errors import TryAgainError
from models.tracking import store
from models.tracking.store import (
    LOCK_FILE,
    back_up,
    damage,
    is_damaged,
    is_missing,
    local_path,
    locked,
    revision,
    sqlite_file,
    write_ahead,
)


def database(file, *statements):
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return file


def uri_of(file):
    return f"sqlite:///{file}"


@pytest.mark.parametrize(
    "uri", ["http://host/sqlite:///a.db", "postgresql://host/db", "databricks", "file:///a"]
)
def test_another_store_has_no_file_and_is_neither_missing_nor_damaged(uri):
    assert sqlite_file(uri) is None
    assert not is_missing(uri)
    assert not is_damaged(uri)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///srv/a%20b", "/srv/a b"),
        ("/srv/a b", "/srv/a b"),
        ("http://host/a", None),
        ("mlflow-artifacts:/1", None),
    ],
)
def test_a_place_on_this_machine_is_told_from_others(uri, path):
    assert local_path(uri) == path


def test_a_file_that_is_not_there_is_missing_and_not_damaged(tmp_path):
    uri = uri_of(tmp_path / "mlflow.db")
    assert (is_missing(uri), is_damaged(uri)) == (True, False)
    database(tmp_path / "mlflow.db", "CREATE TABLE t (x)")
    assert (is_missing(uri), is_damaged(uri)) == (False, False)


def test_a_file_that_is_no_database_is_damaged_and_the_way_out_is_told(tmp_path):
    file = tmp_path / "mlflow.db"
    file.write_bytes(b"no database " * 100)
    assert is_damaged(uri_of(file))
    assert damage(uri_of(file)) == (
        f"{file}: the tracking store is damaged; restore it from a backup, or `mv {file} {file}.damaged` and run "
        "`churn train`, which makes a new one"
    )


def test_a_torn_page_is_damage(tmp_path):
    file = database(tmp_path / "mlflow.db", "CREATE TABLE t (x)", "CREATE INDEX i ON t (x)")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(f"row {i}" * 20,) for i in range(500)])
    content = bytearray(file.read_bytes())
    content[8_192:12_288] = b"\xff" * 4_096
    file.write_bytes(content)
    assert is_damaged(uri_of(file))


@pytest.fixture
def impatient(monkeypatch):
    """Whoever asks a store does not wait for those who write to it."""
    whole = sqlite3.connect
    monkeypatch.setattr(
        store.sqlite3, "connect", lambda place, **more: whole(place, **{"timeout": 0.01, **more})
    )


def test_a_store_that_another_writes_to_is_not_damaged(tmp_path, impatient):
    file = database(tmp_path / "mlflow.db", "CREATE TABLE t (x)")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert not is_damaged(uri_of(file))


def test_the_revision_is_that_of_the_schema(tmp_path):
    file = tmp_path / "mlflow.db"
    assert revision(file) is None
    database(file, "CREATE TABLE other (x)")
    assert revision(file) is None
    database(file, "CREATE TABLE alembic_version (version_num TEXT)")
    assert revision(file) is None
    database(file, "INSERT INTO alembic_version VALUES ('abc123')")
    assert revision(file) == "abc123"


def test_a_store_that_can_not_be_asked_is_not_taken_for_an_empty_one(tmp_path, impatient):
    file = database(tmp_path / "mlflow.db", "CREATE TABLE alembic_version (version_num TEXT)")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            revision(file)


def test_a_copy_holds_what_was_committed_and_nothing_half_done(tmp_path):
    file = database(tmp_path / "mlflow.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")
    write_ahead(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO t VALUES (2)")
        copy = back_up(file, "before")
        writer.execute("COMMIT")
    assert copy == tmp_path / "mlflow.db.before.bak"
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_readers_do_not_wait_for_a_writer_once_it_writes_ahead(tmp_path):
    file = database(tmp_path / "mlflow.db", "CREATE TABLE t (x)")
    write_ahead(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (1)")
        with closing(sqlite3.connect(file, timeout=0.01)) as reader:
            assert reader.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_the_lock_makes_its_folder_and_is_free_afterwards(tmp_path):
    home = tmp_path / "new" / "home"
    for _ in range(2):
        with locked(home):
            assert (home / LOCK_FILE).exists()


def test_whoever_waits_too_long_for_the_lock_is_told_to_try_again(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_LOCK_SECONDS", 0.05)
    held, done = threading.Event(), threading.Event()

    def other():
        with locked(tmp_path):
            held.set()
            done.wait(5)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(5)
    try:
        with (
            pytest.raises(TryAgainError, match="another run is changing the tracking store"),
            locked(tmp_path),
        ):
            pass
    finally:
        done.set()
        thread.join()
