"""Tables as CSV that a spreadsheet can open and that runs nothing; every CSV file goes through here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# OWASP, CSV injection; and the full-width forms, which some spreadsheets take for the same.
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# What begins with a letter or a digit and has none of these is written as it is.
_LOOKED_AT = r'^[^\p{L}\p{N}]|[\r\n",]'
_TEXT = pa.large_string()


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

    Columns are written one by one: a night has a million rows of a few columns, which a writer of rows takes many times
    as long for.

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
    cells = {_quoted(neutral(str(name))): _cells(table[name]) for name in table.columns}
    if len(cells) > 1:
        rows = pc.binary_join_element_wise(*cells.values(), pa.scalar(",", _TEXT)).to_pylist()
    else:  # an empty line would be no row
        rows = [text or '""' for column in cells.values() for text in column.to_pylist()]
    return "\n".join([",".join(cells), *rows, ""])


def _cells(column: pd.Series[Any]) -> pa.Array:
    """The texts of a column, quoted where they must be; what is missing is empty."""
    if pd.api.types.is_datetime64_any_dtype(column):
        of, times = pd.factorize(column)
        whole = (times == times.normalize()).all()
        return _each(of, times.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%S"))
    if column.dtype == np.float64:
        # By their bits, since -0.0 is no 0.0.
        of, bits = pd.factorize(column.to_numpy().view(np.int64))
        numbers = bits.view(np.float64)
        return _each(of, np.where(np.isnan(numbers), "", numbers.astype(str)))
    if column.dtype == np.int64:
        return pc.cast(pa.array(column.to_numpy()), _TEXT)
    if isinstance(column.dtype, pd.StringDtype):
        found = pa.array(column, _TEXT)
        texts = pc.fill_null(found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found, "")
        looked_at = pc.match_substring_regex(texts, _LOOKED_AT)
        fresh = [_quoted(neutral(text)) for text in texts.filter(looked_at).to_pylist()]
        return pc.replace_with_mask(texts, looked_at, pa.array(fresh, _TEXT))
    # Numbers of 32 bits stay numbers of NumPy, which are shown with no more digits than they have.
    cells = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.to_numpy(object)
    shown = ["" if none else _quoted(_shown(cell)) for cell, none in zip(cells, column.isna(), strict=True)]
    return pa.array(shown, _TEXT)


def _each(of: Any, texts: Any) -> pa.Array:
    """For each row the text of that number; empty for -1."""
    return pa.array([*texts, ""], _TEXT).take(pa.array(np.where(of < 0, len(texts), of)))


def _shown(cell: Any) -> str:
    return neutral(cell) if isinstance(cell, str) else str(cell)


def _quoted(text: str) -> str:
    """As the CSV module of Python quotes what must be."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(c in text for c in ',"\n') else text
