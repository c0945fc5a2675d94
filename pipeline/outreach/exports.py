"""Tables as files that a spreadsheet or a CRM can read, and that run nothing when they are opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from configs.errors import ConfigError, Fault
from configs.outreach import CrmColumn

CONSTANT = "="


def crm_table(chosen: pd.DataFrame, columns: Mapping[str, str | CrmColumn], system: str) -> pd.DataFrame:
    """The list in the columns of a CRM's import.

    Parameters
    ----------
    columns
        The CRM's column to the list's, with its own words or a longest text, or to `=` and a constant.
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
        for name, source in ((name, column_of(rule)) for name, rule in columns.items())
        if source is not None and source not in chosen
    ]
    if faults:
        raise ConfigError(f"the list does not fit the import of {system}", faults)
    return pd.DataFrame({name: _cells(chosen, rule) for name, rule in columns.items()}, index=chosen.index)


def column_of(rule: str | CrmColumn) -> str | None:
    """The list's column that a column of an import is made of; None for a constant."""
    if isinstance(rule, CrmColumn):
        return rule.column
    return None if rule.startswith(CONSTANT) else rule


def _cells(chosen: pd.DataFrame, rule: str | CrmColumn) -> pd.Series[Any]:
    if isinstance(rule, str):
        if rule.startswith(CONSTANT):
            return pd.Series([rule[1:]] * len(chosen), index=chosen.index, dtype="str")
        return chosen[rule]
    cells = chosen[rule.column].astype("str")
    if rule.values or rule.other is not None:
        cells = cells.map(lambda text: rule.values.get(text, text if rule.other is None else rule.other))
    return cells if rule.longest is None else cells.str.slice(0, rule.longest)
