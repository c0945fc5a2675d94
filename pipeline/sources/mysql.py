"""MySQL and MariaDB, from which rows are read as they are.

Their own comparisons take 'a' for 'A', and their times end in 2038: nothing is compared, matched or converted there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis
import ibis.expr.datatypes as dtypes
import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions, convert_date, convert_datetime
from pymysql.cursors import SSCursor

# Ibis asks for another driver by this name; it has to be compiled where it is installed.
pymysql.install_as_MySQLdb()

from ibis.backends.mysql import Backend  # noqa: E402
from ibis.backends.sql import SQLBackend  # noqa: E402

PORT = 3306
_OPTIONS = {"ssl_ca": "ssl_ca", "ssl_cert": "ssl_cert", "ssl_key": "ssl_key", "socket": "unix_socket"}
_NO_DATE = "0000-00-00"


class Streaming(Backend):  # type: ignore[misc]
    """Ibis's own, but that rows come in batches instead of all at once, and that every value comes."""

    to_pyarrow_batches = SQLBackend.to_pyarrow_batches

    def _post_connect(self) -> None:
        # Many servers know no zone by name, and Ibis would only warn.
        with self.con.cursor() as cursor:
            cursor.execute("SET SESSION time_zone = '+00:00'")

    def get_schema(self, name: str, **given: Any) -> Any:
        """The columns; years and bits don't fit into the types that Ibis has for them, and hours are texts here."""
        found = super().get_schema(name, **given)
        return ibis.schema({column: _wide(kind) for column, kind in found.items()})


def _wide(kind: Any) -> Any:
    if kind.is_time():
        return dtypes.string
    return dtypes.int64 if kind.is_integer() and kind != dtypes.uint64(nullable=kind.nullable) else kind


def connect_mysql(url: str, connect_seconds: int, lock_seconds: int, query_seconds: int) -> Streaming:
    """A connection that can only read.

    Raises
    ------
    ValueError
        The URL names no database, or an option that is not known.
    """
    parts = urlsplit(url)
    database = unquote(parts.path.strip("/"))
    if not database:
        raise ValueError("it names no database")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(given) - set(_OPTIONS):
        raise ValueError(f"its options are {', '.join(_OPTIONS)}, not {', '.join(sorted(unknown))}")
    options: dict[str, Any] = {_OPTIONS[name]: value for name, value in given.items()}
    connection = pymysql.connect(
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
        host=parts.hostname or "localhost",
        port=parts.port or PORT,
        database=database,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=connect_seconds,
        read_timeout=query_seconds,
        # Rows are fetched as they are read, not all before the first.
        cursorclass=SSCursor,
        conv={**conversions, **_READ},
        **options,
    )
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute(f"SET SESSION lock_wait_timeout = {lock_seconds:d}")
        # The server gives up on a client that takes long to work on a batch.
        cursor.execute(f"SET SESSION net_write_timeout = {query_seconds:d}")
    return Streaming.from_connection(connection)


def _moment(text: str) -> Any:
    """A date or time; null for the zeros that stand for none.

    Raises
    ------
    pymysql.DataError
        The text is no date, as '2024-02-00'.
    """
    if text.startswith(_NO_DATE):
        return None
    value = convert_datetime(text) if len(text) > len(_NO_DATE) else convert_date(text)
    if not isinstance(value, dt.date):
        raise pymysql.DataError(0, f"'{text}' is no date")
    return value


_READ: dict[Any, Any] = {
    **dict.fromkeys((FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.DATE), _moment),
    FIELD_TYPE.TIME: str,
    FIELD_TYPE.BIT: lambda bits: int.from_bytes(bits, "big"),
}
