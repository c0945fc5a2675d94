"""Tables as files that a spreadsheet or a CRM can read, and that run nothing when they are opened."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from configs.errors import ConfigError, Fault

# OWASP, CSV injection; and the full-width forms, which some spreadsheets take for the same.
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
CONSTANT = "="


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


def crm_table(chosen: pd.DataFrame, columns: Mapping[str, str], system: str) -> pd.DataFrame:
    """The list in the columns of a CRM's import.

    Parameters
    ----------
    columns
        The CRM's column to the list's, or to `=` and a constant.
    system
        Its name, for errors.

    Raises
    ------
    ConfigError
        For columns that the list doesn't have, all at once.

    Examples
    --------
    >>> listed = pd.DataFrame({"title": ["Call"], "crm_id": ["A7"]})
    >>> crm_table(listed, {"Subject": "title", "Status": "=Open", "WhoId": "crm_id"}, "ours").to_dict("records")
    [{'Subject': 'Call', 'Status': 'Open', 'WhoId': 'A7'}]
    """
    faults = [
        Fault(
            f"outreach.crm.{system}.{name}",
            f"the list has no column {source!r}",
            f"add it to the attributes or facts of sources.customers; the list has {', '.join(chosen.columns)}",
        )
        for name, source in columns.items()
        if not source.startswith(CONSTANT) and source not in chosen
    ]
    if faults:
        raise ConfigError(f"the list does not fit the import of {system}", faults)
    return pd.DataFrame(
        {
            name: pd.Series([source[1:]] * len(chosen), index=chosen.index, dtype="str")
            if source.startswith(CONSTANT)
            else chosen[source]
            for name, source in columns.items()
        }
    )
