"""A table as an Excel workbook: filtered, formatted, and without anything that runs when it is opened."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pandas as pd

from pipeline.languages.language import Language
from pipeline.languages.names import name

_FORMATS = {
    "churn_probability": "0%",
    **dict.fromkeys(["value", "value_at_risk", "expected_gain"], "#,##0.00"),
    "contact_gap_days": "0",
}
_DAY = "yyyy-mm-dd"
NARROW, WIDE, WIDEST = 8, 42, 60
LONGEST = 32_767  # characters of a cell


def workbook_bytes(table: pd.DataFrame, as_of: dt.date, language: Language) -> bytes:
    """The table on one sheet: a header in the reader's words that stays in sight, filters on, dates as dates.

    Every text is written as text, whatever it begins with: no formula, no link, no number made of an id. The same
    table gives the same bytes.

    Parameters
    ----------
    table
        Columns of text, numbers and times; times are shown as days.
    as_of
        Stands in the file as the time at which it was made.
    language
        Of the reader: the sheet goes from right to left where the language does.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": ["=1+1", "007"], "expected_gain": [1.5, 2.0]})
    >>> workbook_bytes(table, dt.date(2026, 7, 1), Language("en"))[:2]
    b'PK'
    """
    import xlsxwriter

    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    book.set_properties({"created": dt.datetime.combine(as_of, dt.time())})
    sheet = book.add_worksheet("outreach")
    if language.right_to_left:
        sheet.right_to_left()
    head = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
    for place, key in enumerate(table.columns):
        column, header = table[key], name(language, "columns", str(key))
        cell = book.add_format({"valign": "top", **_form(str(key), column)})
        sheet.set_column(place, place, _width(str(key), header, column))
        sheet.write_string(0, place, header, head)
        _write(sheet, place, column, cell)
    sheet.freeze_panes(1, 0)
    if len(table.columns):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return sink.getvalue()


def _write(sheet: Any, place: int, column: pd.Series[Any], cell: Any) -> None:
    days, numbers = _is_time(column), pd.api.types.is_numeric_dtype(column)
    for row, value in enumerate(column.tolist(), start=1):
        if pd.isna(value):
            sheet.write_blank(row, place, None, cell)
        elif days:
            sheet.write_datetime(row, place, value.to_pydatetime(), cell)
        elif numbers:
            sheet.write_number(row, place, value, cell)
        else:
            sheet.write_string(row, place, str(value)[:LONGEST], cell)


def _is_time(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column))


def _form(name: str, column: pd.Series[Any]) -> dict[str, Any]:
    if _is_time(column):
        return {"num_format": _DAY}
    if pd.api.types.is_numeric_dtype(column):
        return {"num_format": _FORMATS[name]} if name in _FORMATS else {}
    return {"text_wrap": True, "num_format": "@"}


def _width(name: str, header: str, column: pd.Series[Any]) -> int:
    """In characters, so that most cells are readable without pulling at the columns."""
    if _is_time(column) or pd.api.types.is_numeric_dtype(column):
        return max(len(header) + 3, NARROW, 11)
    longest = int(column.dropna().astype("str").str.len().max() or 0) if len(column.dropna()) else 0
    return min(max(len(header) + 3, longest, NARROW), WIDEST if name == "message" else WIDE)
