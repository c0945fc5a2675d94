"""A look at a text file before it is read: its encoding, separator, quotes and header, and how many rows it has.

What is found is pinned: the reader is told everything and guesses nothing, so that a row which does not fit is an
error that names it and never a row that is missing.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SEPARATORS = (",", ";", "\t", "|")
_CHUNK = 1 << 22
_HEAD_BYTES = 1 << 16
_HEAD_RECORDS = 50
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPED_QUOTE = re.compile(rb'\\"(?![,;|\t\r\n]|$)')

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Dialect:
    """How the rows of a text file are written.

    Parameters
    ----------
    names
        The columns, by the header; a name that is empty or stands there twice has its place added.
    skipped
        Lines before the header: a title, blank lines.
    """

    separator: str
    quote: str
    escape: str
    skipped: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """What a look at a whole file found.

    Parameters
    ----------
    rows
        Records below the header, counted without the reader; blank lines are none.
    headers
        How many of them repeat the header.
    even
        Whether every line ends in the same way; else the file has to be written anew for the reader.
    """

    dialect: Dialect
    rows: int
    headers: int
    even: bool


def opened(file: Path) -> IO[bytes]:
    """The file's bytes, unpacked when it is gzip."""
    with file.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return gzip.open(file) if packed else file.open("rb")  # type: ignore[return-value]


def head_of(file: Path) -> bytes:
    """The first bytes, unpacked."""
    with opened(file) as stream:
        return stream.read(_HEAD_BYTES)


def encoding_of(head: bytes, given: str) -> str:
    """The encoding that a byte order mark tells, else the given one.

    Examples
    --------
    >>> encoding_of("Zoë".encode("utf-16"), "utf-8"), encoding_of(b"Zoe", "cp1252")
    ('utf-16', 'cp1252')
    """
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), given)


def dialect_of(text: str, wanted: Collection[str], separator: str | None = None) -> Dialect:
    r"""The dialect under which the head of a file names most of the wanted columns.

    Parameters
    ----------
    text
        The head of the file.
    wanted
        Columns that the config names. The header is the first record that has most of them.
    separator
        The one of the config; else it is found out.

    Examples
    --------
    >>> dialect_of("Orders of May\n\nid; at;id\n1;2024-05-01;2\n", ["id", "at"])
    Dialect(separator=';', quote='"', escape='"', skipped=2, names=('id_1', 'at', 'id_3'))
    """
    text = text.removeprefix("\ufeff")
    quote = "'" if re.match(r"\s*'[^'\n]*'\s*[,;|\t]\s*'", text) else '"'
    escape = "\\" if quote == '"' and _ESCAPED_QUOTE.search(text.encode()) else quote
    best, found = (-1, 0), Dialect(separator or ",", quote, escape, 0, ())
    for candidate in [separator] if separator else SEPARATORS:
        records = list(_head_records(text, candidate, quote, escape))
        widths = [len(fields) for _, fields in records]
        for place, (line, fields) in enumerate(records):
            names = [name.strip() for name in fields]
            alike = widths[place + 1 :].count(len(names)) if len(names) > 1 else 0
            score = len(set(wanted) & set(names)), alike
            # A later record is the header only when it knows more of the wanted names.
            if score > best and (place == 0 or score[0] > best[0]):
                best, found = score, Dialect(candidate, quote, escape, line, _unique(names))
    return found


def _head_records(text: str, separator: str, quote: str, escape: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the number of lines before them; the last one may be cut and is left out."""
    reader = reader_of(io.StringIO(text, newline=""), separator, quote, escape, strict=False)
    before, held = 0, None
    for fields in reader:
        if held is not None:
            yield held
        held = (before, fields) if any(field.strip() for field in fields) else None
        before = reader.line_num
        if before > _HEAD_RECORDS:
            break
    if held is not None:
        yield held


def reader_of(lines: Iterable[str], separator: str, quote: str, escape: str, *, strict: bool) -> Any:
    """Python's reader for a dialect."""
    doubled = escape == quote
    if len(separator) > 1:
        # Python's reader parts fields at one character only: here at one that text does not have.
        parts, separator = separator, "\x1f"
        lines = (line.replace(parts, separator) for line in lines)
    return csv.reader(
        lines,
        delimiter=separator,
        quotechar=quote,
        doublequote=doubled,
        escapechar=None if doubled else escape,
        skipinitialspace=True,
        strict=strict,
    )


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """The names with their places where they are empty or, in whatever case, not the only ones: nobody could tell."""
    often = Counter(name.lower() for name in names)
    return tuple(
        name if name and often[name.lower()] == 1 else f"{name or 'column'}_{place}"
        for place, name in enumerate(names, 1)
    )


def look_at(file: Path, dialect: Dialect) -> Look:
    """Count the rows of a file in UTF-8 by its bytes.

    A quote in the middle of a bare field misleads the count; reading record by record settles a difference.
    """
    quote = dialect.quote.encode()
    inside, last, lines = False, b"", 0
    with opened(file) as stream:
        for _ in range(dialect.skipped):
            stream.readline()
        first = stream.readline()
        unix, returns, both = (first.count(end) for end in (b"\n", b"\r", b"\r\n"))
        header = b"\n" + first.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
        repeats, tail = 0, b"\n"
        while chunk := stream.read(_CHUNK):
            returns += chunk.count(b"\r")
            unix += chunk.count(b"\n")
            both += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
            if inside or quote in chunk:
                for place, piece in enumerate(chunk.split(quote)):
                    inside ^= place > 0
                    lines += 0 if inside else piece.count(b"\n")
            else:
                lines += chunk.count(b"\n")
            window = tail + chunk
            repeats += window.count(header + b"\n") + window.count(header + b"\r")
            tail, last = window[-len(header) :], chunk[-1:]
    rows = lines + (last not in (b"\n", b""))
    return Look(dialect, rows, repeats, even=returns == both == 0 or returns == unix == both)
