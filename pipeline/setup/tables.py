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
from pipeline.setup.heads import bare_name, heads_of, known_names
from pipeline.setup.table_words import is_stop_list, role_by_name
from pipeline.setup.textfiles import text_settings
from pipeline.sources import databases
from pipeline.sources.connections import Connections
from pipeline.sources.drivers import UnreadableError, asking
from pipeline.sources.looks import head_of
from pipeline.sources.names import words_of
from pipeline.sources.places import is_store, is_url, local_files
from pipeline.sources.profiles import Profile, profiles_of
from pipeline.sources.readers import database_in, read_source

_SCRATCH = "transactions"
SCHEMA_FILE = "churn.schema.json"


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
            elif is_url(one := _as_url(one)):
                for uri in _in_database(one, home, connection, others):
                    yield (uri,), {}
            else:
                files += local_files(one, Path.cwd())
        except UnreadableError as error:
            faults += [_renamed(fault, one) for fault in error.faults]
    groups: dict[Any, list[tuple[Path, str]]] = {}
    for file in dict.fromkeys(files):
        if file.name == SCHEMA_FILE:
            continue  # written by an earlier `churn init`
        for sheet, head in heads_of(file):
            # Tables of the same columns are one, unless their names say that they are about something else.
            name = sheet or bare_name(file.name)
            group = file.parent, head, role_by_name(name), is_stop_list(name)
            groups.setdefault(group, []).append((file, sheet))
    for members in groups.values():
        first = [file for file, _ in members]
        folder = first[0].parent
        sheets = any(sheet for _, sheet in members)
        whole = len(members) > 1 and not sheets and set(first) == set(local_files(str(folder), folder))
        bare = tuple(_from_home(file, home) + (f"#{sheet}" if sheet else "") for file, sheet in members)
        yield (f"{_from_home(folder, home)}/",) if whole else bare, text_settings(first[0])


def _as_url(one: str) -> str:
    """A file that is a database, as the URL of all its tables; anything else as it was given."""
    path = Path.cwd() / Path(one).expanduser()
    scheme = database_in(head_of(path)) if path.is_file() else None
    return one if scheme is None else f"{scheme}:///{path}"


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
    sheet = uris[0].partition("#")[2] if members and "#" in uris[0] else ""
    wanted = known_names(members[0], sheet) if members and not settings.get("fields") else []
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
    # Several sheets of one table have the name of their workbook.
    one = "#" in uris[0] and len(uris) == 1
    tail = unquote(uris[0].rpartition("#")[2]) if one else bare_name(first.name)
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
    moments = [c.name for c in columns if re.match(r"\d{4}-\d\d?-\d\d?[T ]\d\d?:\d\d", c.name)]
    again = [c.name for c in columns if c.name in c.samples and any(map(str.isdigit, c.name))]
    values = values if len(values) * 2 > len(columns) else list(dict.fromkeys([*moments, *again]))
    months = [c.name for c in columns if re.fullmatch(r"(?:19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])", c.name)]
    if len(months) * 2 > len(columns):
        what = f"has a column for each period, such as {', '.join(map(repr, months[:3]))}"
        raise UnreadableError(Fault(uri, what, "export one row a purchase: who, when, and how much"))
    if values:
        what = f"has no header: its first row holds {', '.join(map(repr, values[:3]))}"
        raise UnreadableError(Fault(uri, what, "write the names of the columns above it"))
