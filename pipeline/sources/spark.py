"""Spark's session, with this project's code on its workers, and the sources that it reads."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import sys
import tempfile
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ibis
import ibis.expr.types as ir

from configs.errors import Fault, TryAgainError
from configs.schema import Config
from configs.sources import Source
from pipeline.sources.connections import CONNECT_SECONDS
from pipeline.sources.drivers import UnreadableError, asking, first_line

_ENCODINGS = {"utf-8": "UTF-8", "iso8859-1": "ISO-8859-1", "utf-16": "UTF-16"}  # as Java calls them
_DATABASES = ("postgresql", "postgres", "sqlite", "duckdb", "mysql", "mariadb", "snowflake", "bigquery")
_PACKAGES = ("configs", "features", "models", "pipeline")


def connect_spark(config: Config) -> Any:
    """The Ibis backend of a Spark session whose workers know this project's code.

    Raises
    ------
    UnreadableError
        PySpark is not installed.
    TryAgainError
        The master is away: a standalone one that doesn't answer is found out within `CONNECT_SECONDS`.
    """
    try:
        from py4j.protocol import Py4JError
        from pyspark.sql import SparkSession
    except ImportError:
        step = "pip install 'churn[spark]'"
        raise UnreadableError(Fault("engine.kind", "spark needs PySpark", step)) from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # What the tests prove to work; said at every action otherwise.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    settings: dict[str, Any] = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.showConsoleProgress": "false",
        # Otherwise a row is not looked at beyond the columns that are read.
        "spark.sql.csv.parser.columnPruning.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **config.engine.options,
    }
    master = config.engine.master or "local[2]"
    _require_answer(master)
    try:
        builder = SparkSession.builder.appName(f"churn {config.name}").master(master)
        session = builder.config(map=settings).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        session.sparkContext.addPyFile(str(_code()))
        return ibis.pyspark.connect(session)
    except Py4JError as error:
        step = "see that the master runs and that its workers reach this machine, then try again"
        raise TryAgainError(f"no session on {master}: {first_line(error)}; {step}") from error


def _require_answer(master: str) -> None:
    """Knock at a standalone master's door; Spark itself would go on trying, and leave a session that can't work.

    Examples
    --------
    >>> _require_answer("local[2]")
    """
    if not master.startswith("spark://"):
        return
    told = ""
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except (OSError, ValueError) as error:
            told = first_line(error)
        else:
            return
    raise TryAgainError(f"no master at {master}: {told}; see that it runs (engine.master), then try again")


@cache
def _code() -> Path:
    """The project's packages as one file, for workers on which it is not installed."""
    folder = Path(tempfile.mkdtemp(prefix="churn-code-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = Path(__file__).parents[2]
    with zipfile.ZipFile(folder / "churn_code.zip", "w") as archive:
        for package in _PACKAGES:
            for file in sorted((root / package).rglob("*.py")):
                archive.write(file, file.relative_to(root))
    return folder / "churn_code.zip"


def read_on_spark(backend: Any, role: str, source: Source, config: Config) -> ir.Table:
    """The rows of a source as Spark reads them: files, folders and globs on any file system, or `spark:///#table`.

    Raises
    ------
    UnreadableError
        There is no such file or table, or Spark can't read it.
    """
    place = f"sources.{role}.uri"
    head, _, name = source.uris[0].rpartition("#")
    with asking(source):
        if head.startswith("spark:"):
            *database, table = unquote(name).split(".")
            return backend.table(table, database=tuple(database) or None)
        if head.partition("://")[0] in _DATABASES:
            step = "export the table to Parquet, or use engine.kind duckdb, which reads databases"
            raise UnreadableError(Fault(place, "a database is not read by Spark", step))
        paths = [uri if "://" in uri else str(config.path(uri)) for uri in source.uris]
        kind = source.format if source.format != "auto" else "csv" if ".csv" in paths[0] else "parquet"
        if kind == "parquet":
            # Spark takes the paths of Parquet files one by one.
            return ibis.union(*(backend.read_parquet(path) for path in paths))
        if source.encoding not in _ENCODINGS:
            known = ", ".join(_ENCODINGS)
            what = f"is {source.encoding}, and Spark reads {known}"
            raise UnreadableError(
                Fault(f"sources.{role}.encoding", what, "convert the file, or use engine.kind duckdb")
            )
        if kind == "csv":
            options = {"sep": source.delimiter} if source.delimiter else {}
            return backend.read_csv(
                paths,
                # A row that does not fit the header is an error, not one that is cut or filled.
                mode="FAILFAST",
                enforceSchema=False,
                inferSchema=False,
                header=True,
                escape='"',
                multiLine=True,
                encoding=_ENCODINGS[source.encoding],
                **options,
            )
    raise UnreadableError(Fault(place, f"Spark reads CSV and Parquet, not {kind}", "convert the file"))
