"""A connection to the database that a URL names; nothing but a query is ever sent through it."""

from __future__ import annotations

import difflib
import os
import sqlite3
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import ibis
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.schema import TRACKING_FILE, Config
from pipeline.sources.drivers import (
    UnreadableError,
    driver_errors,
    first_line,
    server_is_away,
    without_password,
)

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
# Pauses between tries to connect; a server that restarts is back within them.
PAUSES = (1, 2, 4)
_NAMES = 5

Connections = MutableMapping[str, Any]


def connected(local: Backend, others: Connections, url: str, place: str, config: Config) -> Any:
    """The connection of a URL, opened when it is first asked for; while the server is away, tried a few times more.

    Returns
    -------
    A backend of Ibis; for a DuckDB file the name under which the local DuckDB holds it.
    """
    if url not in others:
        others[url] = _patiently(lambda: _connect(local, others, url, place, config))
    return others[url]


def _patiently(connect: Callable[[], Any]) -> Any:
    for pause in PAUSES:
        try:
            return connect()
        except driver_errors() as error:
            if not server_is_away(error):
                raise
            time.sleep(pause)
    return connect()


def _connect(local: Backend, others: Connections, url: str, place: str, config: Config) -> Any:
    scheme = urlsplit(url).scheme
    if scheme in ("sqlite", "duckdb"):
        file = _file(url, place, config)
        if scheme == "sqlite":
            found = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=LOCK_SECONDS)
            return ibis.sqlite.from_connection(found)
        alias = f"database_{len(others)}"
        local.attach(str(file).replace("'", "''"), alias, read_only=True)
        return alias
    if scheme in ("postgres", "postgresql"):
        return _connect_postgres(url, place, config.engine.query_seconds)
    if scheme in ("mysql", "mariadb"):
        return _connect_mysql(url, place, config.engine.query_seconds)
    try:
        return ibis.connect(url)
    except (ImportError, ValueError) as error:
        what = f"can't connect by '{scheme}://': {without_password(first_line(error), url)}"
        raise UnreadableError(Fault(place, what, f"pip install 'ibis-framework[{scheme}]'")) from None


def _connect_postgres(url: str, place: str, query_seconds: int) -> Any:
    try:
        import psycopg

        from pipeline.sources.postgres import Bounded
    except ImportError:
        step = "pip install 'churn[postgres]'"
        raise UnreadableError(Fault(place, "PostgreSQL needs the driver psycopg", step)) from None
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        step = "write @ : / # ? in the password as %40 %3A %2F %23 %3F, and look at the options after ?"
        raise UnreadableError(Fault(place, "is no URL of PostgreSQL", step)) from None
    defaults: dict[str, Any] = (
        {} if "PGCONNECT_TIMEOUT" in os.environ else {"connect_timeout": CONNECT_SECONDS}
    )
    # libpq reads the URL, PGPASSWORD, ~/.pgpass and service files by its own rules.
    connection = Bounded.connect(
        url, autocommit=True, **{k: v for k, v in defaults.items() if k not in given}
    )
    connection.seconds = query_seconds
    connection.read_only = True
    if "options" not in given and "PGOPTIONS" not in os.environ:
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.execute(f"SET statement_timeout = '{query_seconds:d}s'")
    # All rows of a cursor are fetched: plan for the whole result, not for the first rows.
    connection.execute("SET cursor_tuple_fraction = 1")
    return ibis.postgres.from_connection(connection)


def _connect_mysql(url: str, place: str, query_seconds: int) -> Any:
    try:
        from pipeline.sources.mysql import connect_mysql
    except ImportError:
        step = "pip install 'churn[mysql]'"
        raise UnreadableError(Fault(place, "MySQL needs the driver PyMySQL", step)) from None
    try:
        return connect_mysql(url, CONNECT_SECONDS, LOCK_SECONDS, query_seconds)
    except ValueError as error:
        step = "mysql://user:${PASSWORD}@host:3306/database#table"
        raise UnreadableError(Fault(place, f"is no URL of MySQL: {error}", f"write {step}")) from None


def _file(url: str, place: str, config: Config) -> Path:
    path = config.path(unquote(url.partition(":///")[2]))
    if not path.is_file():
        raise UnreadableError(Fault(place, f"no file at {path}", beside_file(path)))
    return path.absolute()


def beside_file(path: Path) -> str:
    """What there is in place of a file that is not: the names in its folder, the nearest first."""
    names = names_in(path.parent) if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=_NAMES, cutoff=0)
    return f"in that folder: {', '.join(near)}" if near else f"the folder {path.parent} is not there or empty"


def names_in(folder: Path) -> list[str]:
    """The files in a folder, without hidden ones and those of the tracking store."""
    names = (file.name for file in folder.iterdir() if file.is_file())
    return sorted(name for name in names if not name.startswith((".", TRACKING_FILE)))
