"""Tables of databases: a URL names the database, `#` the table, and nothing but a query is ever sent.

postgresql://user@host:5432/shop#sales.orders     password from PGPASSWORD, ~/.pgpass or a service file
postgresql://user:${SHOP_PASSWORD}@host/shop#orders
${SHOP_URL}#orders                                the whole URL from the environment
sqlite:///data/shop.db#orders                     the path counts from the config's home; //// is absolute
duckdb:///data/shop.duckdb#orders
mysql://..., snowflake://..., bigquery://...      whatever Ibis connects to and is installed
"""

from __future__ import annotations

import difflib
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import IbisError, TableNotFound

from configs.base import redacted
from configs.errors import DataError, Fault, TryAgainError
from configs.schema import Config
from configs.sources import Source
from features.dialects import engine_of

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
# Pauses between tries to connect; a server that restarts is back within them.
PAUSES = (1, 2, 4)
BATCH_ROWS = 100_000
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PASSWORD = re.compile(r"://[^:/@]*:(.*)@")
_DRIVERS = {
    "psycopg": "Error",
    "duckdb": "Error",
    "pymysql": "Error",
    "MySQLdb": "Error",
    "snowflake.connector": "Error",
    "google.api_core.exceptions": "GoogleAPIError",
    "pyspark.errors": "PySparkException",
    "py4j.protocol": "Py4JError",
}
# Spark has one class of error for everything that fails on the other side.
_SPARK_IS_AWAY = ("SparkContext was shut down", "stopped SparkContext", "Master removed our application")
_REFUSED = ("authentication", "password", "does not exist", "no pg_hba.conf entry", "invalid")

Connections = MutableMapping[str, Any]


class UnreadableError(DataError):
    """A source that can't be read; its faults are reported beside those of the other sources."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the data", faults)


def is_url(uri: str) -> bool:
    """Whether a source's URI names a database and not files.

    Examples
    --------
    >>> is_url("postgresql://shop#orders"), is_url("${SHOP_URL}#orders"), is_url("data/orders.csv")
    (True, True, False)
    """
    return "://" in uri or uri.startswith("${")


def table(local: Backend, others: Connections, role: str, source: Source, config: Config) -> ir.Table:
    """The table that a source's URI names, still in its database.

    Parameters
    ----------
    local
        The local DuckDB; it opens DuckDB files itself.
    others
        The connections that are open already, by URL; a new one is added.

    Raises
    ------
    UnreadableError
        The table, the database, the driver or an environment variable is missing, or the server refuses the user.
    TryAgainError
        The server is away.
    """
    url, _, name = source.uris[0].rpartition("#")
    place = f"sources.{role}.uri"
    if not url:
        raise UnreadableError(Fault(place, f"{source.shown} names no table", "add #table or #schema.table"))
    *schema, table_name = unquote(name).split(".")
    url = _expanded(url, place)
    with asking(source, url):
        backend, database = _schema_at(local, others, url, schema, place, config)
        try:
            return backend.table(table_name, database=database)
        except TableNotFound:
            known = _tables_in(backend, database)
            near = difflib.get_close_matches(table_name, known, n=3, cutoff=0.4)
            hint = (
                f"did you mean {' or '.join(map(repr, near))}?"
                if near
                else f"it has: {', '.join(known[:12])}"
            )
            what = f"no table '{table_name}' in {source.shown.rpartition('#')[0]}"
            raise UnreadableError(Fault(place, what, hint if known else "it has no tables")) from None


def tables_at(
    local: Backend, others: Connections, url: str, schema: str, place: str, config: Config
) -> list[str]:
    """The names of all tables and views in a schema, the usual one when it is empty; else as `table`."""
    url = _expanded(url, place)
    with asking(None, url):
        return _tables_in(*_schema_at(local, others, url, [schema] if schema else [], place, config))


def _schema_at(
    local: Backend, others: Connections, url: str, schema: list[str], place: str, config: Config
) -> tuple[Any, Any]:
    """The connection of a URL, opened when it is first asked for, and how it calls a schema."""
    if url not in others:
        others[url] = _patiently(lambda: _connect(local, others, url, place, config))
    backend = others[url]
    if isinstance(backend, str):
        return local, (backend, *(schema or ["main"]))
    return backend, schema[0] if len(schema) == 1 else tuple(schema) or None


def arrow(query: ir.Table, source: Source | None = None) -> pa.Table:
    """Run a query where its tables are and bring the result back.

    Raises
    ------
    UnreadableError
        The database refuses the query.
    TryAgainError
        The server went away.
    """
    with asking(source):
        sizes = {} if engine_of(query) in ("duckdb", "pyspark") else {"chunk_size": BATCH_ROWS}
        return query.to_pyarrow(**sizes)


@contextmanager
def asking(source: Source | None = None, url: str = "") -> Iterator[None]:
    """Turn the errors of drivers into faults and 'try again', without passwords."""
    place = source.shown if source else "the database"
    try:
        yield
    except _driver_errors() as error:
        text = _without_secrets(first_line(error), url)
        if _is_away(error):
            raise TryAgainError(
                f"{place} is away: {text}; see that the server runs, then try again"
            ) from None
        # The driver's own error may quote the URL.
        cause = None if url else error
        raise UnreadableError(Fault(place, f"can't be read: {text}", _next_step(text))) from cause


def first_line(error: BaseException) -> str:
    """The first line of an error's text, which in a database's errors says what is wrong."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _tables_in(backend: Any, database: Any) -> list[str]:
    if backend.name != "duckdb":
        return sorted(backend.list_tables(database=database))
    # Ibis 12 asks DuckDB 2 for its tables by a method that is no longer there.
    query = "select table_name from information_schema.tables where table_catalog = ? and table_schema = ?"
    return sorted(name for (name,) in backend.con.execute(query, list(database)).fetchall())


def _expanded(url: str, place: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            fault = Fault(place, f"the environment variable {found[1]} is not set", f"export {found[1]}=...")
            raise UnreadableError(fault)
        # A variable that begins the URL is a URL; inside it stands for a part, whose marks must not split it.
        return os.environ[found[1]] if found.start() == 0 else quote(os.environ[found[1]], safe="")

    return _VARIABLE.sub(value, url)


def _patiently(connect: Callable[[], Any]) -> Any:
    """Connect; while the server is away, a few times more."""
    for pause in PAUSES:
        try:
            return connect()
        except _driver_errors() as error:
            if not _is_away(error):
                raise
            time.sleep(pause)
    return connect()


def _connect(local: Backend, others: Connections, url: str, place: str, config: Config) -> Any:
    """A connection that can only read; for a DuckDB file the name under which the local DuckDB holds it."""
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
    try:
        return ibis.connect(url)
    except (ImportError, ValueError) as error:
        what = f"can't connect by '{scheme}://': {_without_secrets(first_line(error), url)}"
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


def _file(url: str, place: str, config: Config) -> Path:
    path = config.path(unquote(url.partition(":///")[2]))
    if not path.is_file():
        beside = (
            sorted(p.name for p in path.parent.iterdir() if p.is_file())[:5] if path.parent.is_dir() else []
        )
        hint = (
            f"in that folder: {', '.join(beside)}"
            if beside
            else f"the folder {path.parent} is not there or empty"
        )
        raise UnreadableError(Fault(place, f"no file at {path}", hint))
    return path.absolute()


def _driver_errors() -> tuple[type[Exception], ...]:
    """Base errors of the drivers that are loaded."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _DRIVERS.items()]
    return (IbisError, sqlite3.Error, OSError, *(error for error in found if error is not None))


def _is_away(error: Exception) -> bool:
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if any(sign in str(error) for sign in _SPARK_IS_AWAY):
        return True
    if isinstance(error, sqlite3.OperationalError):
        return "locked" in str(error) or "busy" in str(error)
    if "Could not set lock on file" in str(error):  # DuckDB, while another process writes
        return True
    # Among the subclasses are a lock or a statement that took too long, and a server that shuts down.
    if not {"OperationalError", "InterfaceError"} & {kind.__name__ for kind in type(error).__mro__}:
        return False
    return not any(word in str(error).lower() for word in _REFUSED)


def _next_step(text: str) -> str:
    if any(word in text.lower() for word in _REFUSED):
        return "check user, database and password (PGPASSWORD, ~/.pgpass, or ${NAME} in the uri)"
    if "permission denied" in text.lower():
        return "grant the user SELECT on the table"
    return "check the table's columns and their types"


def _without_secrets(text: str, url: str) -> str:
    found = _PASSWORD.search(url)
    for secret in {found[1], unquote(found[1])} if found and found[1] else set():
        text = text.replace(secret, "***")
    return redacted(text)
