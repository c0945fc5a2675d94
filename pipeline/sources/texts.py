"""Text files as tables: read by a pinned dialect, and gone through record by record when a row does not fit."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.sources import Source
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.looks import (
    Dialect,
    Look,
    dialect_of,
    encoding_of,
    head_of,
    look_at,
    opened,
    reader_of,
)

_SAMPLES = 5
_CHUNK = 1 << 22
_PLAIN = ("utf-8", "utf-8-sig")
_WINDOWS = range(0x80, 0xA0)

NewFile = Callable[[], Path]
Ragged = tuple[int, list[str]]  # the line in which a record ends, and its fields


@dataclass(frozen=True)
class TextFile:
    """A file of records in UTF-8.

    Parameters
    ----------
    path
        What is read: the file itself, or a copy in UTF-8.
    shown
        The file's name for messages.
    origin
        Of a copy: the file whose lines a person sees; None where records have no lines of their own.
    ragged
        Records of the origin that are not in the copy, since they do not fit the header.
    """

    path: Path
    shown: str
    look: Look
    origin: TextFile | None = None
    ragged: tuple[Ragged, ...] = ()

    @property
    def lined(self) -> bool:
        """Whether a record can be told by its line."""
        return self.origin is not None


def prepared(
    file: Path,
    shown: str,
    role: str,
    source: Source,
    wanted: Collection[str],
    new: NewFile,
    *,
    aside: bool = False,
) -> TextFile:
    """Look at a text file, and copy it where the reader could not read it as it is.

    Parameters
    ----------
    aside
        Leave rows that do not fit the header out of a copy.

    Raises
    ------
    UnreadableError
        The text is of another encoding, or a row of a file that has to be copied does not fit.
    """
    file = plain_copy(file, shown, role, source, new)
    dialect = dialect_of(head_of(file).decode("utf-8", errors="replace"), wanted, source.delimiter)
    found = TextFile(file, shown, look_at(file, dialect))
    if aside and (faults := misfits(found, role)):
        return _without_ragged(found, faults, new())
    if found.look.even:
        return replace(found, origin=found)
    # The reader takes one kind of line end a file.
    faults = misfits(found, role)
    if faults:
        raise UnreadableError(*faults)
    return replace(
        written_rows(dialect.names, (fields for _, fields in records(found)), shown, new()), origin=found
    )


def _without_ragged(found: TextFile, faults: Sequence[Fault], copy: Path) -> TextFile:
    """A copy of the rows that fit the header.

    Raises
    ------
    UnreadableError
        The text can't be parted into records, so that nobody knows which of them are at fault.
    """
    names, ragged = found.look.dialect.names, list[Ragged]()

    def even() -> Iterator[list[str]]:
        for line, fields in records(found):
            if len(fields) == len(names):
                yield fields
            else:
                ragged.append((line, fields))

    try:
        kept = written_rows(names, even(), found.shown, copy)
    except (csv.Error, UnicodeDecodeError):
        raise UnreadableError(*faults) from None
    return replace(kept, origin=found, ragged=tuple(ragged))


def written_rows(names: Sequence[str], rows: Iterable[Sequence[str]], shown: str, file: Path) -> TextFile:
    """Rows from elsewhere as a text file."""
    with file.open("w", encoding="utf-8", newline="") as out:
        # A lone empty field would be a blank line.
        writer = csv.writer(
            out, lineterminator="\n", quoting=csv.QUOTE_ALL if len(names) == 1 else csv.QUOTE_MINIMAL
        )
        writer.writerow(names)
        count = 0
        for row in rows:
            writer.writerow(row)
            count += 1
    return TextFile(file, shown, Look(Dialect(",", '"', '"', 0, tuple(names)), count, 0, even=True))


def plain_copy(file: Path, shown: str, role: str, source: Source, new: NewFile) -> Path:
    """The file itself when it is UTF-8, else a copy in UTF-8.

    Raises
    ------
    UnreadableError
        The text is of another encoding than it says.
    """
    encoding = encoding_of(head_of(file), source.encoding)
    return file if encoding in _PLAIN else _decoded(file, shown, role, encoding, new())


def filled_lines(file: Path) -> int:
    """Lines that are not blank."""
    with opened(file) as stream:
        return sum(1 for line in stream if line.strip())


def _decoded(file: Path, shown: str, role: str, encoding: str, copy: Path) -> Path:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with opened(file) as stream, copy.open("wb") as out:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeError:
                what = f"line {lines} or one soon after it is not {encoding} text"
                step = f"set sources.{role}.encoding to the one that wrote the file"
                raise UnreadableError(Fault(shown, what, step)) from None
            lines += text.count("\n")
            out.write(text.removeprefix("\ufeff").encode())
            if not chunk:
                return copy


def text_table(connection: Backend, files: Sequence[TextFile]) -> ir.Table:
    """The records of files of one dialect, all text."""
    dialect = files[0].look.dialect
    options: dict[str, Any] = {"compression": "gzip"} if _is_gzip(files[0].path) else {}
    rows = connection.read_csv(
        [str(file.path) for file in files],
        columns=dict.fromkeys(dialect.names, "VARCHAR"),
        auto_detect=False,
        header=True,
        skip=dialect.skipped,
        delim=dialect.separator,
        quote=dialect.quote,
        escape=dialect.escape,
        comment="",
        strict_mode=True,
        null_padding=False,
        **options,
    )
    if not any(file.look.headers for file in files):
        return rows
    again = [rows[name] == name for name in dialect.names if name]
    header = again[0]
    for other in again[1:]:
        header &= other
    return rows.filter(~header.fill_null(False))


def _is_gzip(file: Path) -> bool:
    with file.open("rb") as raw:
        return raw.read(2) == b"\x1f\x8b"


def lines_counted(files: Iterable[TextFile]) -> int:
    """Rows below the headers, counted record by record."""
    return sum(
        1
        for file in files
        for _, fields in records(file)
        if tuple(map(str.strip, fields)) != file.look.dialect.names
    )


def misfits(file: TextFile, role: str) -> list[Fault]:
    """A fault that names the rows which have another number of fields than the header, or can't be parted."""
    dialect = file.look.dialect
    width = len(dialect.names)
    found: list[tuple[int, int, list[str]]] = []
    count = 0
    try:
        for line, fields in records(file):
            if len(fields) != width:
                count += 1
                found += [(line, len(fields), fields)] * (len(found) < _SAMPLES)
    except UnicodeDecodeError:
        return undecodable(file.path, file.shown, role)
    except csv.Error as error:
        return [_quote_fault(file, str(error))]
    if not found:
        return []
    first_line, _, first = found[0]
    rows = ", ".join(f"line {line} has {n} fields" for line, n, _ in found) + (
        ", ..." if count > _SAMPLES else ""
    )
    what = f"{count} rows do not fit the header: {rows}; {width} expected ({', '.join(dialect.names[:12])})"
    if len({name.strip() for name in first} & set(dialect.names)) * 2 > width:
        step = (
            f"line {first_line} is a second header: cut the file before it and name both parts, "
            f"sources.{role}.uri: [first.csv, second.csv]"
        )
    else:
        step = f"correct them: text that holds {dialect.separator!r} belongs in quotes"
        if all(n < width for _, n, _ in found):
            step += ", and a line that is no row, such as a footer, is to be cut"
    return [Fault(file.shown, what, step)]


def _quote_fault(file: TextFile, told: str) -> Fault:
    line = file.look.dialect.skipped + 1
    try:
        for line, _ in records(file):  # noqa: B007
            pass
    except csv.Error:
        pass
    quote = file.look.dialect.quote
    if "unexpected end" in told:
        what = f"a quote {quote} that opens after line {line} is never closed"
    else:
        what = f"a row after line {line} goes on behind a closing quote {quote}"
    return Fault(file.shown, what, f"close the quote, or write a quote inside quotes twice: {quote * 2}")


def undecodable(file: Path, shown: str, role: str) -> list[Fault]:
    """A fault for the first line that is not UTF-8."""
    with opened(file) as stream:
        for line, raw in enumerate(stream, 1):
            try:
                raw.decode()
            except UnicodeDecodeError:
                step = f"set sources.{role}.encoding, such as {likely_encoding(raw)}"
                return [Fault(shown, f"line {line} is not utf-8 text", step)]
    return []


def likely_encoding(line: bytes) -> str:
    """A guess for a line that is not UTF-8.

    Examples
    --------
    >>> likely_encoding("Zoë".encode("latin-1")), likely_encoding("“Zoë”".encode("cp1252"))
    ('latin-1, or cp1256 for Persian and Arabic', 'cp1252, or cp1256 for Persian and Arabic')
    """
    if b"\x00" in line:
        return "utf-16-le"
    western = "latin-1"
    if any(byte in _WINDOWS for byte in line):
        western = "cp1252"
    return f"{western}, or cp1256 for Persian and Arabic"


def records(file: TextFile) -> Iterator[tuple[int, list[str]]]:
    """Records below the header, each with the line that it ends in; blank lines are none."""
    dialect = file.look.dialect
    with io.TextIOWrapper(opened(file.path), encoding="utf-8-sig", newline="") as text:
        for _ in range(dialect.skipped):
            next(text, None)
        reader = reader_of(text, dialect.separator, dialect.quote, dialect.escape, strict=True)
        next(reader, None)
        for fields in reader:
            if len(fields) == len(dialect.names) + 1 and not fields[-1]:
                fields.pop()  # the separator ends the row
            if fields:
                yield dialect.skipped + reader.line_num, fields
