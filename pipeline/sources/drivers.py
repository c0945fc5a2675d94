"""The errors of databases' drivers, told as faults or as 'try again', without passwords."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from ibis.common.exceptions import IbisError

from configs.base import redacted
from configs.errors import DataError, Fault, TryAgainError
from configs.sources import Source

_PASSWORD = re.compile(r"://[^:/@]*:(.*)@")
_DRIVERS = {
    "psycopg": "Error",
    "duckdb": "Error",
    "pymysql": "MySQLError",
    "snowflake.connector": "Error",
    "google.api_core.exceptions": "GoogleAPIError",
    "pyspark.errors": "PySparkException",
    "py4j.protocol": "Py4JError",
}
# Spark has one class of error for everything that fails on the other side.
_SPARK_IS_AWAY = ("SparkContext was shut down", "stopped SparkContext", "Master removed our application")
_REFUSED = (
    "authentication",
    "password",
    "does not exist",
    "no pg_hba.conf entry",
    "invalid",
    "unknown database",
)
_DENIED = ("permission denied", "command denied", "access denied")


class UnreadableError(DataError):
    """A source that can't be read; its faults are reported beside those of the other sources."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the data", faults)


@contextmanager
def asking(source: Source | None = None, url: str = "") -> Iterator[None]:
    """Turn the errors of drivers into faults and 'try again', without passwords."""
    place = source.shown if source else "the database"
    try:
        yield
    except driver_errors() as error:
        text = without_password(first_line(error), url)
        if server_is_away(error):
            raise TryAgainError(
                f"{place} is away: {text}; see that the server runs, then try again"
            ) from None
        # The driver's own error may quote the URL.
        cause = None if url else error
        raise UnreadableError(Fault(place, f"can't be read: {text}", _next_step(text))) from cause


def first_line(error: BaseException) -> str:
    r"""The first line of an error's text, which in a database's errors says what is wrong.

    Examples
    --------
    >>> first_line(ValueError("no such table\nLINE 1: select")), first_line(OSError()), first_line(OSError(7, "off"))
    ('no such table', 'OSError', '[Errno 7] off')
    """
    # MySQL's drivers give a number and a text.
    numbered = len(error.args) == 2 and not isinstance(error, OSError) and isinstance(error.args[0], int)
    text = str(error.args[1] if numbered else error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def driver_errors() -> tuple[type[Exception], ...]:
    """Base errors of the drivers that are loaded."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _DRIVERS.items()]
    return (IbisError, sqlite3.Error, OSError, *(error for error in found if error is not None))


def server_is_away(error: Exception) -> bool:
    """Whether a later try may succeed: the server is away, or what was asked is locked or took too long."""
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
    return not any(word in str(error).lower() for word in (*_REFUSED, *_DENIED))


def _next_step(text: str) -> str:
    if any(word in text.lower() for word in _REFUSED):
        return (
            "check user, database and password (${NAME} in the uri; of PostgreSQL also PGPASSWORD, ~/.pgpass)"
        )
    if any(word in text.lower() for word in _DENIED):
        return "grant the user SELECT on the table"
    return "check the table's columns and their types"


def without_password(text: str, url: str) -> str:
    """A text without the password of a URL.

    Examples
    --------
    >>> without_password("no entry for me with pa%40ss or pa@ss", "mysql://me:pa%40ss@host/shop")
    'no entry for me with *** or ***'
    """
    found = _PASSWORD.search(url)
    for secret in {found[1], unquote(found[1])} if found and found[1] else set():
        text = text.replace(secret, "***")
    return redacted(text)
