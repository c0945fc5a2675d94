"""Workbooks and JSON as rows of text; both are written anew as text files, see `pipeline.sources.texts`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from configs.errors import Fault
from pipeline.sources.drivers import UnreadableError, first_line
from pipeline.sources.looks import encoding_of, head_of, opened
from pipeline.sources.places import Found

Rows = Iterator[list[str]]


def workbook(file: Found, role: str, wanted: Collection[str]) -> tuple[list[str], Rows]:
    """Columns and rows of a sheet: the one that the URI names, else the only one.

    The header is the first row that has most of the wanted columns.

    Raises
    ------
    UnreadableError
        The workbook is damaged, or has several sheets and the URI names none of them.
    """
    import python_calamine as calamine

    place = f"sources.{role}.uri"
    try:
        book = calamine.CalamineWorkbook.from_path(str(file.path))
    except (calamine.CalamineError, OSError) as error:
        what = f"can't read the workbook {file.shown}: {first_line(error)}"
        raise UnreadableError(
            Fault(place, what, "save it again, without a password, or export it as CSV")
        ) from None
    with book:
        sheet = file.sheet or book.sheet_names[0]
        if sheet not in book.sheet_names or (file.sheet is None and len(book.sheet_names) > 1):
            names = ", ".join(book.sheet_names)
            what = f"{file.shown} has the sheets {names}" + (f" and no {sheet!r}" if file.sheet else "")
            raise UnreadableError(Fault(place, what, f"name one: uri: '{file.shown}#{book.sheet_names[0]}'"))
        cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=True)
    rows = [[as_cell(cell) for cell in row] for row in cells]
    known = [len(set(wanted) & {c.strip() for c in row}) for row in rows]
    start = known.index(max(known)) if known else 0
    if not rows:
        return [], iter(())
    return [name.strip() for name in rows[start]], (row for row in rows[start + 1 :] if any(row))


def as_cell(value: Any) -> str:
    """A value as text that reads back the same: whole numbers without `.0`, times as ISO 8601.

    Examples
    --------
    >>> as_cell(17850.0), as_cell(dt.datetime(2024, 5, 1, 8, 30)), as_cell(True), as_cell(None), as_cell({"a": 1})
    ('17850', '2024-05-01 08:30:00', 'true', '', '{"a": 1}')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return str(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def flattened(one: Mapping[str, Any]) -> dict[str, Any]:
    """An object with the parts of those in it beside its own.

    Examples
    --------
    >>> flattened({"id": 1, "customer": {"id": 7, "home": {"city": "Pune"}}, "tags": ["a"], "note": {}})
    {'id': 1, 'customer.id': 7, 'customer.home.city': 'Pune', 'tags': ['a']}
    """
    found: dict[str, Any] = {}
    for name, value in one.items():
        within = flattened(value) if isinstance(value, Mapping) else {"": value}
        found |= {f"{name}.{part}" if part else name: inner for part, inner in within.items()}
    return found


def objects(file: Found, encoding: str, role: str) -> tuple[list[str], Rows]:
    """Columns and rows of a JSON file: an object a line, or one list of objects.

    The parts of an object within an object are columns of their own: `customer.id`.

    Raises
    ------
    UnreadableError
        A line is no JSON object.
    """
    found = [flattened(one) for one in _objects(file, encoding, role)]
    names = list(dict.fromkeys(name for one in found for name in one))
    return names, ([as_cell(one.get(name)) for name in names] for one in found)


def _objects(file: Found, encoding: str, role: str) -> Iterable[Mapping[str, Any]]:
    encoding = encoding_of(head_of(file.path), "utf-8-sig" if encoding == "utf-8" else encoding)
    with opened(file.path) as stream:
        try:
            text = stream.read().decode(encoding)
        except UnicodeError:
            what = f"is not {encoding} text"
            raise UnreadableError(Fault(file.shown, what, f"set sources.{role}.encoding")) from None
    step = "write one JSON object a line, or one list of objects"
    lines: Iterable[tuple[int, Any]]
    if text.lstrip().startswith("["):
        try:
            whole = json.loads(text)
        except ValueError as error:
            raise UnreadableError(Fault(file.shown, f"is no JSON: {error}", step)) from None
        lines = enumerate(whole, 1)
    else:
        lines = _lines(text, file.shown, step)
    for place, one in lines:
        if not isinstance(one, dict):
            raise UnreadableError(Fault(file.shown, f"value {place} is no JSON object", step))
        yield one


def _lines(text: str, shown: str, step: str) -> Iterator[tuple[int, Any]]:
    for place, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield place, json.loads(line)
            except ValueError as error:
                raise UnreadableError(Fault(shown, f"line {place} is no JSON: {error}", step)) from None
