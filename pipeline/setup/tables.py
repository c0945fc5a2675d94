"""The tables that a new user names: files, folders, globs, workbooks, and tables of databases, each looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.base import redacted
from configs.errors import ConfigError, DataError, Fault
from configs.schema import Config
from pipeline.setup.textfiles import ENDINGS as TEXTS
from pipeline.setup.textfiles import fixed_widths, known_of, start_of, text_settings
from pipeline.sources import databases
from pipeline.sources.connections import Connections
from pipeline.sources.drivers import UnreadableError, asking
from pipeline.sources.looks import dialect_of
from pipeline.sources.names import words_of
from pipeline.sources.places import TABLES, is_store, is_url, local_files
from pipeline.sources.profiles import Profile, profiles_of
from pipeline.sources.readers import read_source

_SCRATCH = "transactions"
_BOOKS = (".xlsx", ".xls", ".xlsb", ".ods")


@dataclass(frozen=True)
class GivenTable:
    """A table as it was looked at.

    Parameters
    ----------
    uris
        As the config names it, from its home.
    name
        File or table without folder and ending.
    settings
        What its source needs besides: encoding, format, fields.
    """

    uris: tuple[str, ...]
    name: str
    columns: tuple[Profile, ...]
    rows: ir.Table
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uri(self) -> str | list[str]:
        """The value of the source's key `uri`."""
        return self.uris[0] if len(self.uris) == 1 else list(self.uris)

    def column(self, name: str) -> Profile:
        """A column by its name."""
        return next(column for column in self.columns if column.name == name)


def tables_of(given: Sequence[str], home: Path, connection: Backend) -> tuple[list[GivenTable], list[str]]:
    """Look at everything that was named; files with the same columns are one table.

    What can't be read is a fault when it was named, and left out when it only lies in a folder that was named.

    Parameters
    ----------
    given
        Paths and globs from the working folder, URLs of files, `URL#table`, `URL#schema.*`, or a URL for all tables.
    home
        Folder of the config.
    connection
        The local DuckDB.

    Returns
    -------
    The tables, and a line for each file that was left out.

    Raises
    ------
    ConfigError
        When nothing was named.
    DataError
        With a fault for each that can't be read.
    TryAgainError
        When a database or a server is away.
    """
    if not given:
        raise ConfigError("init: name files, folders or tables, such as: churn init orders.csv customers.csv")
    others: Connections = {}
    faults: list[Fault] = []
    found: list[GivenTable] = []
    left_out: list[str] = []
    named = {str(Path.cwd() / one) for one in given} | set(given)
    for uris, settings in _sources(given, home, connection, others, faults):
        try:
            found.append(_looked_at(uris, settings, home, connection, others))
        except UnreadableError as error:
            own = [_renamed(fault, uris[0]) for fault in error.faults]
            if str(home / uris[0]) in named or uris[0] in named:
                faults += own
            else:
                left_out += [f"{fault.where}: {fault.what}" for fault in own]
    if faults or not found:
        faults = faults or [Fault(line, "") for line in left_out]
        raise DataError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in what was named", faults)
    return found, left_out


def _renamed(fault: Fault, uri: str) -> Fault:
    """A fault of the scratch source as one of what the user named."""
    place = f"sources.{_SCRATCH}"
    where = uri if fault.where.startswith(place) else fault.where
    return Fault(where, fault.what, fault.fix.replace(f"{place}.", ""))


def _sources(
    given: Sequence[str], home: Path, connection: Backend, others: Connections, faults: list[Fault]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """URIs and settings of each table."""
    files: list[Path] = []
    for one in given:
        try:
            if is_store(one):
                yield (one,), {}
            elif "#" in one and not is_url(one) and not Path(one).exists():
                yield (_from_home(Path.cwd() / one, home),), {}
            elif is_url(one):
                for uri in _in_database(one, home, connection, others):
                    yield (uri,), {}
            else:
                files += local_files(one, Path.cwd())
        except UnreadableError as error:
            faults += [_renamed(fault, one) for fault in error.faults]
    groups: dict[Any, list[Path]] = {}
    for file in dict.fromkeys(files):
        for sheet in _sheets(file):
            groups.setdefault((file.parent, _header(file) if not sheet else sheet or file), []).append(file)
    for (_, head), members in groups.items():
        bare = [_from_home(file, home) for file in members]
        if isinstance(head, str):
            yield (f"{bare[0]}#{head}",), {}
            continue
        folder = members[0].parent
        whole = len(members) > 1 and set(members) == set(local_files(str(folder), folder))
        uris = (f"{_from_home(folder, home)}/",) if whole else tuple(bare)
        yield uris, text_settings(members[0])


def _from_home(path: Path, home: Path) -> str:
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _in_database(one: str, home: Path, connection: Backend, others: Connections) -> list[str]:
    """The tables that a URL of a database names, each as a URI."""
    url, sign, name = one.partition("#")
    if sign and not name.endswith("*"):
        return [one]
    schema = name.removesuffix("*").removesuffix(".")
    names = databases.tables_at(connection, others, url, schema, "init", _scratch((one,), {}, home))
    if not names:
        raise UnreadableError(Fault(redacted(one), "has no tables", "name a schema: URL#schema.*"))
    return [f"{url}#{schema + '.' if schema else ''}{table}" for table in names]


def _sheets(file: Path) -> list[str]:
    """The sheets of a workbook with several; else one without a name."""
    if file.suffix.lower() not in _BOOKS:
        return [""]
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(str(file)) as book:
            return list(book.sheet_names) if len(book.sheet_names) > 1 else [""]
    except (calamine.CalamineError, OSError):
        return [""]  # the reader says what is wrong


def _header(file: Path) -> tuple[str, ...] | Path:
    """The columns of a file, as cheaply as they can be had; the file itself where they can't."""
    if file.suffix.lower() in (".parquet", ".pq"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return tuple(sorted(pq.read_schema(file).names))
        except (pa.ArrowException, OSError):
            return file
    if file.suffix.lower() not in TEXTS:
        return file
    head = start_of(file)
    return tuple(sorted(dialect_of(head, known_of(head)).names)) if head and not fixed_widths(head) else file


def _scratch(
    uris: Sequence[str], settings: Mapping[str, Any], home: Path, wanted: Sequence[str] = ()
) -> Config:
    """A config that reads a table as it stands."""
    source = {
        "uri": list(uris) if len(uris) > 1 else uris[0],
        "columns": {"customer_id": {"constant": "?"}, "occurred_at": {"constant": "?"}},
        "where": [{"column": name, "is_null": False} for name in wanted],
        **settings,
    }
    churn = {"kind": "non_contractual", "horizon_days": 30}
    values = {"name": "init", "home": home, "churn": churn, "sources": {_SCRATCH: source}}
    return Config.model_validate(values)


def _looked_at(
    uris: tuple[str, ...], settings: dict[str, Any], home: Path, connection: Backend, others: Connections
) -> GivenTable:
    first = Path(uris[0].partition("#")[0])
    path = home / first
    members = local_files(str(path), home) if path.exists() else []
    wanted = (
        known_of(start_of(members[0]))
        if members and members[0].suffix.lower() in TEXTS and not settings.get("fields")
        else []
    )
    config = _scratch(uris, settings, home, wanted)
    source = config.sources.given[_SCRATCH]
    raw = read_source(connection, others, _SCRATCH, source, config)
    with asking(source), raw.reading():
        rows = raw.table
        if rows.get_backend() is connection:
            rows = connection.create_table(f"looked_{abs(hash(uris))}", rows, temp=True, overwrite=True)
        columns = profiles_of(connection, rows)
    if not columns or not columns[0].rows:
        raise UnreadableError(Fault(uris[0], "has no rows", "check the export that writes it"))
    _require_header(uris[0], columns)
    tail = (
        unquote(uris[0].rpartition("#")[2])
        if "#" in uris[0]
        else re.sub(rf"({'|'.join(TABLES)})(\.gz)?$", "", first.name)
    )
    return GivenTable(uris, tail.rpartition(".")[2] if is_url(uris[0]) else tail, columns, rows, settings)


def _require_header(uri: str, columns: Sequence[Profile]) -> None:
    """Names that are values mean that there is no header.

    Raises
    ------
    UnreadableError
        When the first row holds values.
    """
    values = [
        c.name
        for c in columns
        if re.fullmatch(r"[\W\d_]*\d[\W\d_]*", c.name) and not words_of(c.name).isalpha()
    ]
    if len(values) * 2 > len(columns):
        what = f"has no header: its first row holds {', '.join(map(repr, values[:3]))}"
        raise UnreadableError(Fault(uri, what, "write the names of the columns above it"))
