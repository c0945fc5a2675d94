"""From a source's URIs to its raw table: files through DuckDB, tables where they are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.roles import RoleSource
from configs.schema import Config
from pipeline.sources import contracts, databases, documents, places, texts
from pipeline.sources.connections import Connections
from pipeline.sources.drivers import UnreadableError, first_line
from pipeline.sources.lines import Spots, in_fixed_width, in_parquet, in_texts
from pipeline.sources.looks import encoding_of, head_of
from pipeline.sources.places import Copies, Found, copies_of
from pipeline.sources.texts import TextFile

_ENDINGS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".xlsx", ".xls", ".xlsb", ".ods"), "excel"),
}
_TEXT = 1_000
_NO_TABLES = {
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<table": "a web page",
    b"<?xml": "XML",
    b"%pdf": "a PDF",
}


@dataclass(frozen=True)
class Raw:
    """The rows as they stand in a source.

    Parameters
    ----------
    table
        Text for text files, typed for Parquet and tables.
    rows
        How many there are, counted without the reader; None where the engine is asked.
    beside
        Lines of text files that are no rows: titles above the header, headers that come again.
    recount
        Counts them once more, slowly and exactly.
    explain
        Faults that name the rows which do not fit; slow.
    spots
        Where rows stand, by their numbers from 1 through all files; slow. None where there is no file.
    files
        How many there are.
    ragged
        File, line and fields of rows that do not fit the header and are left aside.
    names
        The columns of text files.
    paths
        Of Parquet files that all have the same columns, which their content alone tells.
    """

    table: ir.Table
    rows: int | None = None
    beside: int = 0
    recount: Callable[[], int | None] = field(default=lambda: None)
    explain: Callable[[], list[Fault]] = field(default=list)
    spots: Spots | None = None
    files: int = 0
    ragged: Sequence[tuple[str, int | None, list[str]]] = ()
    names: Sequence[str] = ()
    paths: Sequence[Path] = ()

    @property
    def place(self) -> Callable[[Collection[int]], list[str]] | None:
        """Names rows by file and line; None where there is one file, or none."""
        spots = self.spots
        if spots is None or self.files < 2:
            return None
        return lambda rows: [str(spot) for _, spot in sorted(spots(rows).items())]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn an error of the reader into faults that name the rows.

        Raises
        ------
        UnreadableError
            A row does not fit, or the text is of another encoding.
        """
        try:
            yield
        except duckdb.Error as error:
            faults = self.explain()
            if not faults:
                raise
            raise UnreadableError(*faults) from error


def connect_duckdb(threads: int, memory_gb: float | None = None) -> Backend:
    """A DuckDB that works in memory, spills to the system's temporary folder, and thinks in UTC."""
    limit = {} if memory_gb is None else {"memory_limit": f"{memory_gb * 1e9:.0f}B"}
    connection = ibis.duckdb.connect(
        threads=threads, temp_directory=str(Path(tempfile.gettempdir()) / "churn-spill"), **limit
    )
    connection.raw_sql("SET TimeZone = 'UTC'")
    # What a table of a night took goes back to the machine when it is dropped; DuckDB would keep it for later queries.
    connection.raw_sql("SET allocator_background_threads = true")
    return connection


def read_source(
    connection: Backend,
    others: Connections,
    role: str,
    source: RoleSource[Any],
    config: Config,
    *,
    aside: bool = False,
) -> Raw:
    """The rows of a source.

    Parameters
    ----------
    connection
        The local DuckDB, which reads files.
    others
        Connections to databases by URL, shared by the sources; new ones are added.
    aside
        Leave rows of text files that do not fit the header aside.

    Raises
    ------
    UnreadableError
        When no file or table matches, a file is damaged, of another format, or lacks a column.
    TryAgainError
        When a database or an object store is away.
    """
    if config.engine.kind == "spark":
        from pipeline.sources import spark

        if "spark" not in others:
            others["spark"] = spark.connect_spark(config)
        return Raw(spark.read_on_spark(others["spark"], role, source, config))
    if places.is_table(source.uris[0]):
        return Raw(databases.readable_table(connection, others, role, source, config))
    copies = copies_of(connection, others)
    files = places.files_of(role, source, config, copies)
    kinds = {file: _kind(file, role, source) for file in files}
    if set(kinds.values()) == {"parquet"}:
        return _parquet(connection, files, role, source)
    if "parquet" in kinds.values():
        other = next(file.shown for file, kind in kinds.items() if kind != "parquet")
        what = f"{other} is {kinds[next(f for f in files if f.shown == other)]} among Parquet files"
        raise UnreadableError(Fault(f"sources.{role}.uri", what, "name files of one format"))
    if set(kinds.values()) == {"fixed_width"}:
        return _fixed_width(connection, files, role, source, copies)
    return _texts(connection, kinds, role, source, copies, aside=aside)


def _kind(file: Found, role: str, source: RoleSource[Any]) -> str:
    """The format of a file: what its first bytes say, then its ending."""
    try:
        head = head_of(file.path)
    except (OSError, EOFError) as error:
        what = f"can't read {file.shown}: {first_line(error)}"
        raise UnreadableError(Fault(f"sources.{role}", what, "fetch or export it again")) from None
    if not head:
        raise UnreadableError(Fault(file.shown, "is empty", "check the export that writes it"))
    if (scheme := database_in(head)) is not None:
        step = f"name its tables: {scheme}:///{file.path.absolute()}#TABLE"
        raise UnreadableError(Fault(file.shown, "is a database, not a table", step))
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    for sign, what in _NO_TABLES.items():
        if start.startswith(sign):
            step = "the download needs a login, or the address is not that of the file; fetch it again"
            raise UnreadableError(Fault(file.shown, f"is {what}, not a table", step))
    if source.format != "auto":
        return source.format
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    ending = _ENDINGS.get(_bare(file.path).suffix.lower())
    if ending == "excel" and (b"\x00" not in head[:_TEXT] or encoding_of(head, "")):
        return "csv"  # text under the name of a workbook, as older systems export it
    if start.startswith((b"{", b"[{")) and ending in (None, "csv"):
        return "json"
    if ending is None and b"\x00" not in head[:_TEXT] and any(s in head.splitlines()[0] for s in b",;\t|"):
        return "csv"  # such as .asc or .dat
    if ending is None:
        what = f"is auto, but the ending of {file.shown} tells no format"
        step = "set it to csv, json, excel, parquet or fixed_width"
        raise UnreadableError(Fault(f"sources.{role}.format", what, step))
    return ending


def database_in(head: bytes) -> str | None:
    """The scheme of the URI by which a file is read that is a database, by its first bytes; None for any other file.

    Examples
    --------
    >>> database_in(b"SQLite format 3"), database_in(b"id,name")
    ('sqlite', None)
    """
    if head.startswith(b"SQLite format 3"):
        return "sqlite"
    return "duckdb" if head[8:12] == b"DUCK" else None


def _bare(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def _missing(role: str, source: RoleSource[Any], files: Sequence[tuple[str, Collection[str]]]) -> None:
    """Every file has the columns that the config names.

    Raises
    ------
    UnreadableError
        With a fault for each file and column.
    """
    faults = [
        fault
        for shown, names in files
        for fault in contracts.missing_columns(role, source, tuple(names), shown)
    ]
    if faults:
        raise UnreadableError(*faults)


def _parquet(connection: Backend, files: Sequence[Found], role: str, source: RoleSource[Any]) -> Raw:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas, lengths = [], []
    for file in files:
        try:
            found = pq.ParquetFile(file.path)
        except (pa.ArrowException, OSError, ValueError) as error:
            what = f"can't read {file.shown}: {first_line(error)}"
            raise UnreadableError(
                Fault(f"sources.{role}", what, "the file is damaged; export it again")
            ) from None
        with found:
            schemas.append(found.schema_arrow)
            lengths.append(found.metadata.num_rows)
    _missing(role, source, [(f.shown, _leaves(s)) for f, s in zip(files, schemas, strict=True)])
    # Whether a column may be empty is no difference: it follows from the rows of each file.
    kinds = [(schema.names, schema.types) for schema in schemas]
    by_name = any(kind != kinds[0] for kind in kinds)
    try:
        table = connection.read_parquet([str(file.path) for file in files], union_by_name=by_name)
    except (duckdb.Error, OSError) as error:
        what = f"can't read {source.shown}: {first_line(error)}"
        raise UnreadableError(Fault(f"sources.{role}", what)) from error
    plain = len(parted := _parted(table)) == len(table.columns)
    ends = list(accumulate(lengths))
    # The name of a folder such as day=2026-07-01 is a column of the files in it.
    alike = plain and not by_name and not any("=" in str(file.path) for file in files)
    return Raw(
        table.select(**parted) if not plain else table,
        ends[-1],
        spots=partial(in_parquet, [f.shown for f in files], ends),
        files=len(files),
        paths=[file.path for file in files] if alike else (),
    )


def _leaves(fields: Any, before: str = "") -> list[str]:
    """The columns of a Parquet schema; of a structure its parts, such as `customer.id`."""
    import pyarrow as pa

    found: list[str] = []
    for one in fields:
        name = f"{before}{one.name}"
        found += _leaves(one.type, f"{name}.") if pa.types.is_struct(one.type) else [name]
    return found


def _parted(table: ir.Table) -> dict[str, Any]:
    """Name to column, with the parts of structures in their places."""

    def parts(name: str, column: Any) -> Iterator[tuple[str, Any]]:
        if not column.type().is_struct():
            yield name, column
            return
        for part in column.names:
            yield from parts(f"{name}.{part}", column[part])

    return dict(pair for name in table.columns for pair in parts(name, table[name]))


def _texts(
    connection: Backend,
    kinds: dict[Found, str],
    role: str,
    source: RoleSource[Any],
    copies: Copies,
    *,
    aside: bool,
) -> Raw:
    wanted = contracts.columns_named(source)
    files = [_text(file, kind, role, source, wanted, copies, aside=aside) for file, kind in kinds.items()]
    _missing(role, source, [(file.shown, file.look.dialect.names) for file in files])
    groups: dict[Any, list[TextFile]] = {}
    for file in files:
        groups.setdefault((file.look.dialect, file.path.suffix), []).append(file)
    tables = [texts.text_table(connection, group) for group in groups.values()]
    in_order = [file for group in groups.values() for file in group]
    if len(tables) > 1:
        shared = [
            n
            for n in dict.fromkeys(n for t in tables for n in t.columns)
            if all(n in t.columns for t in tables)
        ]
        tables = [table.select(*shared) for table in tables]
    beside = sum(file.look.dialect.skipped + file.look.headers for file in files)
    return Raw(
        ibis.union(*tables) if len(tables) > 1 else tables[0],
        sum(file.look.rows - file.look.headers for file in files),
        beside,
        recount=lambda: texts.lines_counted(files),
        explain=lambda: [fault for file in files for fault in texts.misfits(file, role)],
        spots=partial(in_texts, in_order),
        files=len(files),
        ragged=[(f.shown, line, fields) for f in in_order for line, fields in f.ragged],
        names=files[0].look.dialect.names,
    )


def _text(
    file: Found,
    kind: str,
    role: str,
    source: RoleSource[Any],
    wanted: Collection[str],
    copies: Copies,
    *,
    aside: bool,
) -> TextFile:
    if kind == "csv":
        return texts.prepared(file.path, file.shown, role, source, wanted, copies.new, aside=aside)
    names, rows = (
        documents.workbook(file, role, wanted)
        if kind == "excel"
        else documents.objects(file, source.encoding, role)
    )
    if not names:
        raise UnreadableError(Fault(file.shown, "has no rows", "check the export that writes it"))
    return texts.written_rows(names, rows, file.shown, copies.new())


def _fixed_width(
    connection: Backend, files: Sequence[Found], role: str, source: RoleSource[Any], copies: Copies
) -> Raw:
    plain = [texts.plain_copy(file.path, file.shown, role, source, copies.new) for file in files]
    # A separator that can't occur in text makes each line one column.
    lines = connection.read_csv(
        [str(path) for path in plain],
        columns={"line": "VARCHAR"},
        header=False,
        auto_detect=False,
        delim="\x1f",
        quote="",
        escape="",
    )
    named = {
        name: lines.line.substr(first - 1, last - first + 1).re_replace(r"^\s+|\s+$", "").nullif("")
        for name, (first, last) in (source.fields or {}).items()
    }
    rows = lines.filter(lines.line.strip() != "").select(**named)
    _missing(role, source, [(file.shown, rows.columns) for file in files])
    return Raw(
        rows,
        sum(texts.filled_lines(path) for path in plain),
        explain=lambda: [
            f for p, file in zip(plain, files, strict=True) for f in texts.undecodable(p, file.shown, role)
        ],
        spots=partial(in_fixed_width, [(p, file.shown) for p, file in zip(plain, files, strict=True)]),
        files=len(files),
    )
