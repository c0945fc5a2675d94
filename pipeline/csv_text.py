"""Tables as CSV that a spreadsheet can open and that runs nothing; every CSV file goes through here."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

# OWASP, CSV injection; and the full-width forms, which some spreadsheets take for the same.
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    r"""The text, with an apostrophe in front where a spreadsheet would take it for a formula.

    Blanks in front don't help a formula through: some programs drop them. Nor does a carriage return, which CSV
    leaves unquoted and some readers take for the end of the row: it becomes a line feed, which is quoted.

    Examples
    --------
    >>> neutral('=HYPERLINK("http://x")')
    '\'=HYPERLINK("http://x")'
    >>> neutral("O'Neill"), neutral("000123")
    ("O'Neill", '000123')
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(STARTS_FORMULA) or text.lstrip().startswith(STARTS_FORMULA) else text


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV: text neutralised, numbers and dates as they are, the same table the same bytes.

    Parameters
    ----------
    table
        Times without a part of a day are written as dates.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"customer_id": ["=1+1", "007"], "gain": [-1.5, 2.0]})), end="")
    customer_id,gain
    '=1+1,-1.5
    007,2.0
    """
    shown = pd.DataFrame(
        {neutral(str(name)): _cells(table[name]) for name in table.columns}, index=table.index
    )
    sink = io.StringIO()
    shown.to_csv(sink, index=False, lineterminator="\n")
    return sink.getvalue()


def _cells(column: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(column):
        whole = (column.dropna() == column.dropna().dt.normalize()).all()
        return column.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%S")
    if pd.api.types.is_numeric_dtype(column):
        return column
    if not isinstance(column.dtype, pd.StringDtype):
        return column.map(lambda cell: neutral(cell) if isinstance(cell, str) else cell, na_action="ignore")
    suspect = column.str.startswith(STARTS_FORMULA) | column.str.lstrip().str.startswith(STARTS_FORMULA)
    suspect |= column.str.contains("\r", regex=False)
    suspect = suspect.eq(True)
    return column.mask(suspect, column[suspect].map(neutral)) if suspect.any() else column
