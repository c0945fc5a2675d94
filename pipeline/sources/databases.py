"""Tables of databases: a URL names the database, `#` the table, and nothing but a query is ever sent.

postgresql://user@host:5432/shop#sales.orders     password from PGPASSWORD, ~/.pgpass or a service file
postgresql://user:${SHOP_PASSWORD}@host/shop#orders
${SHOP_URL}#orders                                the whole URL from the environment
sqlite:///data/shop.db#orders                     the path counts from the config's home; //// is absolute
duckdb:///data/shop.duckdb#orders
mysql://user:${SHOP_PASSWORD}@host:3306/shop#orders     MariaDB as well
snowflake://..., bigquery://...                   whatever else Ibis connects to and is installed

The first three group their own rows, and only the partial statistics travel. Of all others the columns that the config
names travel, once a run, by one plain SELECT: what their own SQL makes of texts and time zones differs too much.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

from configs.errors import Fault
from configs.roles import RoleSource
from configs.schema import Config
from configs.sources import Source
from features.dialects import engine_of
from pipeline.sources import contracts
from pipeline.sources.connections import Connections, connected
from pipeline.sources.drivers import UnreadableError, asking
from pipeline.sources.places import copies_of

BATCH_ROWS = 100_000
# Engines whose SQL the features and the checks of the sources are proven in.
GROUPING = ("duckdb", "postgres", "sqlite", "pyspark")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def table_there(local: Backend, others: Connections, role: str, source: Source, config: Config) -> ir.Table:
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


def readable_table(
    local: Backend, others: Connections, role: str, source: RoleSource[Any], config: Config
) -> ir.Table:
    """The table where it is, or a local copy of the columns that the config names; raises as `table_there` does."""
    there = table_there(local, others, role, source, config)
    if engine_of(there) in GROUPING:
        return there
    if faults := contracts.missing_columns(role, source, there.columns, source.shown):
        raise UnreadableError(*faults)
    wanted = contracts.columns_named(source) or there.columns
    with asking(source):
        return brought_here(local, there.select(*wanted), copies_of(local, others).new(".parquet"))


def tables_at(
    local: Backend, others: Connections, url: str, schema: str, place: str, config: Config
) -> list[str]:
    """The names of all tables and views in a schema, the usual one when it is empty; else as `table_there`."""
    url = _expanded(url, place)
    with asking(None, url):
        return _tables_in(*_schema_at(local, others, url, [schema] if schema else [], place, config))


def _schema_at(
    local: Backend, others: Connections, url: str, schema: list[str], place: str, config: Config
) -> tuple[Any, Any]:
    """The connection of a URL, and how it calls a schema."""
    backend = connected(local, others, url, place, config)
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


def brought_here(connection: Backend, query: ir.Table, file: Path) -> ir.Table:
    """The result of a query as a table of the local DuckDB, by way of a file when another engine runs it.

    Raises
    ------
    UnreadableError
        The database refuses the query.
    TryAgainError
        The server went away.
    """
    if query.get_backend() is connection:
        return query
    with (
        asking(),
        query.to_pyarrow_batches(chunk_size=BATCH_ROWS) as batches,
        pq.ParquetWriter(file, batches.schema, compression="zstd") as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
    return connection.read_parquet(file)


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
