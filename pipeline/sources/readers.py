"""From a source's URI to its raw table: files through DuckDB, tables where they are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.schema import Config
from configs.sources import Source
from pipeline.sources import databases
from pipeline.sources.databases import Connections, UnreadableError, first_line

_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".gz": "csv",
}


def connect(threads: int, memory_gb: float | None = None) -> Backend:
    """A DuckDB that works in memory, spills to the system's temporary folder, and thinks in UTC."""
    limit = {} if memory_gb is None else {"memory_limit": f"{memory_gb * 1e9:.0f}B"}
    connection = ibis.duckdb.connect(
        threads=threads, temp_directory=str(Path(tempfile.gettempdir()) / "churn-spill"), **limit
    )
    connection.raw_sql("SET TimeZone = 'UTC'")
    return connection


def read(connection: Backend, others: Connections, role: str, source: Source, config: Config) -> ir.Table:
    """The rows as they stand in the source: text for CSV and fixed-width files, typed for Parquet and tables.

    Parameters
    ----------
    connection
        The local DuckDB, which reads files.
    others
        Connections to databases by URL, shared by the sources; new ones are added.

    Raises
    ------
    UnreadableError
        When no file or table matches, or the files are damaged or of another format.
    TryAgainError
        When a database is away.
    """
    if config.engine.kind == "spark":
        from pipeline.sources import spark

        if "spark" not in others:
            others["spark"] = spark.connect(config)
        return spark.read(others["spark"], role, source, config)
    if databases.is_url(source.uri):
        return databases.table(connection, others, role, source, config)
    files = _files(role, source, config)
    if not any(Path(file).stat().st_size for file in files):
        raise UnreadableError(Fault(source.shown, "is empty", "check the export that writes it"))
    kind = source.format if source.format != "auto" else _FORMATS.get(Path(files[0]).suffix.lower())
    try:
        if kind == "parquet":
            return connection.read_parquet(files)
        if kind == "csv":
            options: dict[str, Any] = {"delim": source.delimiter} if source.delimiter else {}
            return connection.read_csv(
                files, all_varchar=True, header=True, union_by_name=True, encoding=source.encoding, **options
            )
        if kind == "fixed_width":
            return _fixed_width(connection, files, source)
    except (duckdb.Error, OSError) as error:
        if "not utf-8" in str(error) or "invalid unicode" in str(error).lower():
            what = f"{source.shown} is not {source.encoding} text"
            step = f"set sources.{role}.encoding, such as latin-1"
            raise UnreadableError(Fault(f"sources.{role}", what, step)) from error
        raise UnreadableError(
            Fault(f"sources.{role}", f"can't read {source.shown}: {first_line(error)}")
        ) from error
    raise UnreadableError(
        Fault(
            f"sources.{role}.format",
            f"is auto, but the ending of {source.shown} tells no format",
            "set it to csv, parquet or fixed_width",
        )
    )


def _files(role: str, source: Source, config: Config) -> list[str]:
    path = config.path(source.uri)
    files = sorted(str(found) for found in Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if files:
        return files
    beside = sorted(p.name for p in path.parent.iterdir() if p.is_file())[:5] if path.parent.is_dir() else []
    hint = (
        f"in that folder: {', '.join(beside)}"
        if beside
        else f"the folder {path.parent} does not exist or is empty"
    )
    raise UnreadableError(Fault(f"sources.{role}.uri", f"no file at {path}", hint))


def _fixed_width(connection: Backend, files: list[str], source: Source) -> ir.Table:
    # A separator that can't occur in text makes each line one column.
    lines = connection.read_csv(
        files,
        columns={"line": "VARCHAR"},
        header=False,
        auto_detect=False,
        delim="\x1f",
        quote="",
        escape="",
        encoding=source.encoding,
    )
    return lines.select(
        **{
            name: lines.line.substr(first - 1, last - first + 1).re_replace(r"^\s+|\s+$", "").nullif("")
            for name, (first, last) in (source.fields or {}).items()
        }
    )
