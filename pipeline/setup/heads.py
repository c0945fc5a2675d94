"""The columns of a file before it is read: by them files and sheets are told to be one table, and a header is found."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.setup.textfiles import fixed_widths, is_text, known_of, start_of
from pipeline.sources.documents import as_cell, flattened
from pipeline.sources.looks import dialect_of
from pipeline.sources.places import PACKED, TABLES

_BOOKS = (".xlsx", ".xls", ".xlsb", ".ods")
_OBJECTS = (".json", ".jsonl", ".ndjson")
_FIRST_ROWS = 20

Head = tuple[str, ...] | str
"""The columns, sorted; or a name of its own for what can't be told cheaply."""


def bare_name(name: str) -> str:
    """A file's name without its ending.

    Examples
    --------
    >>> bare_name("orders.2024.csv.gz"), bare_name("orders")
    ('orders.2024', 'orders')
    """
    endings = "|".join(re.escape(end) for end in TABLES)
    packed = "|".join(re.escape(end) for end in PACKED)
    return re.sub(rf"({endings})?({packed})?$", "", name, flags=re.IGNORECASE)


def heads_of(file: Path) -> list[tuple[str, Head]]:
    """The tables of a file: the name of a sheet where there are several, and the columns of each."""
    ending = file.suffix.lower()
    if ending in _BOOKS:
        return _sheets(file)
    if ending in (".parquet", ".pq"):
        return [("", _of_parquet(file))]
    if file.name.lower().removesuffix(".gz").endswith(_OBJECTS):
        return [("", _of_objects(start_of(file)) or str(file))]
    if not is_text(file.name):
        return [("", str(file))]
    head = start_of(file)
    if not head or fixed_widths(head):
        return [("", str(file))]
    return [("", tuple(sorted(dialect_of(head, known_of(head)).names)))]


def known_names(file: Path, sheet: str = "") -> list[str]:
    """The names that tell where the header of a text or of a sheet stands: below a title, for example."""
    if file.suffix.lower() in _BOOKS:
        return known_of(next((text for name, text in _texts(file) if sheet in ("", name)), ""))
    return known_of(start_of(file)) if is_text(file.name) else []


def _of_parquet(file: Path) -> Head:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(sorted(pq.read_schema(file).names))
    except (pa.ArrowException, OSError):
        return str(file)


def _of_objects(head: str) -> tuple[str, ...]:
    """The names in the first object; empty where the text is cut in it, or no JSON."""
    start = head.lstrip().removeprefix("[").lstrip()
    try:
        first: Any = json.JSONDecoder().raw_decode(start)[0]
    except ValueError:
        return ()
    return tuple(sorted(flattened(first))) if isinstance(first, dict) else ()


def _texts(file: Path) -> list[tuple[str, str]]:
    """The sheets of a workbook and the first rows of each, as text; none where it can't be read."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(str(file)) as book:
            found = []
            for name in book.sheet_names:
                rows = islice(book.get_sheet_by_name(name).iter_rows(), _FIRST_ROWS)
                cells = [[re.sub(r"\s+", " ", as_cell(cell)) for cell in row] for row in rows]
                found.append((name, "\n".join("\t".join(row) for row in cells if any(row))))
            return found
    except (calamine.CalamineError, OSError):
        return []  # the reader says what is wrong


def _sheets(file: Path) -> list[tuple[str, Head]]:
    texts = _texts(file)
    found: list[tuple[str, Head]] = []
    for name, text in texts:
        known = set(known_of(text))
        rows = [[cell.strip() for cell in line.split("\t")] for line in text.splitlines()]
        best = max(rows, key=lambda row: len(known & set(row)), default=[])
        head: Head = tuple(sorted(cell for cell in best if cell)) if known else f"{file}#{name}"
        found.append((name if len(texts) > 1 else "", head))
    return found or [("", str(file))]
