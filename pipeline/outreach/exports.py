"""Tables as files that a spreadsheet or a CRM can read, and that run nothing when they are opened."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from configs.errors import ConfigError, Fault

CONSTANT = "="


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
