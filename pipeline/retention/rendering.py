"""Tables of figures for the terminal: headers, digits and marks by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.result import table

_UNKNOWN = "-"
RUNNING, SHORT = " (running)", " *"
SHORT_NOTE = "* the records do not reach back far enough to know every customer at the start"
RUNNING_NOTE = "(running) is not over: counts up to as-of, no rate"
_Format = Callable[[Any], str]


def count(value: float) -> str:
    """A whole number with separators."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """A value of 0..100."""
    return f"{value:.1f} %"


def points(value: float) -> str:
    """A difference of two percentages."""
    return f"{value:+.1f}"


def _number(value: float) -> str:
    """Any other number."""
    return f"{value:,.2f}"


def _chance(value: float) -> str:
    """A p-value."""
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


_COUNTS = """S N E kept lost not_churn new returned came_and_went size customers others others_lost asked answered
at_risk left age days falling steady rising unanswered answers known expected_lost purchases buyers repeat_buyers
revenue base_revenue lost_revenue contraction expansion won_revenue periods median_days median_days_of_leavers"""
_PERCENTS = """rate rate_low rate_high churn_rate adjusted_rate lost_share share answer_rate share_before share_after
rate_before rate_after gross_retention net_retention repeat_share came"""
_FORMATS: Mapping[str, _Format] = {
    **dict.fromkeys(_COUNTS.split(), count),
    **dict.fromkeys(_PERCENTS.split(), percent),
    **dict.fromkeys(["mix_effect", "rate_effect", "change", "error"], points),
    **dict.fromkeys(["p_value", "p_adjusted"], _chance),
}


def show_table(frame: pd.DataFrame, columns: Mapping[str, str] | Sequence[str]) -> str:
    """Some columns of a frame as a text table; what is not known is a dash.

    Parameters
    ----------
    columns
        Column to header, or columns that are called by their names. `period` and `cohort` carry the marks of rows that
        are not `complete` or lack `full_history`.

    Examples
    --------
    >>> frame = pd.DataFrame({"period": ["2026-06", "2026-07"], "S": [1200, 1300], "rate": [91.24, None],
    ...     "complete": [True, False]})
    >>> print(show_table(frame, ["period", "S", "rate"]))
    period                 S    rate
    2026-06            1,200  91.2 %
    2026-07 (running)  1,300       -
    """
    headers = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
    rows = [
        [_cell(name, row[name]) + (_marks(row) if name == "period" else "") for name in headers]
        for row in frame.to_dict("records")
    ]
    return table(list(headers.values()), rows)


def notes_of(frame: pd.DataFrame) -> list[str]:
    """The marks that `show_table` makes, explained."""
    found = []
    if "complete" in frame and not frame["complete"].all():
        found.append(RUNNING_NOTE)
    if "full_history" in frame and not frame["full_history"].all():
        found.append(SHORT_NOTE)
    return found


def _marks(row: Mapping[Any, Any]) -> str:
    running = not row.get("complete", True)
    return (RUNNING if running else "") + ("" if row.get("full_history", True) else SHORT)


def _cell(name: str, value: Any) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return _UNKNOWN
    if name in _FORMATS:
        return _FORMATS[name](value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    return _number(value) if isinstance(value, float) else str(value)
