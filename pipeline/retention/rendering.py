"""Tables of figures for the terminal: headers, digits and marks by column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.languages.names import in_words
from pipeline.languages.said import Said, figure, said, said_before, spoken
from pipeline.result import table

_UNKNOWN = "-"
_EN = Language("en")
_RUNNING, _SHORT = N_("(running)"), " *"
_Format = Callable[[Any, Language], str]
# What is shown of the columns that carry keys: those that are called by their names, and values of ours.
_CALLED = {
    "customer_id": N_("customer_id"),
    "mean_score": N_("mean_score"),
    "last_score": N_("last_score"),
    "last_at": N_("last_at"),
    "last_answer_at": N_("last_answer_at"),
    "last_asked_at": N_("last_asked_at"),
    "mean_slope": N_("mean_slope"),
    "slope": N_("slope"),
    "answers": N_("answers"),
    "unanswered": N_("unanswered"),
    "falling": N_("falling"),
    "steady": N_("steady"),
    "rising": N_("rising"),
    "kind": N_("kind"),
    "measure": N_("measure"),
    "asked": N_("asked"),
    "answered": N_("answered"),
    "reason": N_("reason"),
    "controllable": N_("controllable"),
    "customers": N_("customers"),
    "share": N_("share"),
    "period": N_("period"),
    "segment": N_("segment"),
    "cohort": N_("cohort"),
    "size": N_("size"),
    "metric": N_("metric"),
    "unit": N_("unit"),
    "wanted": N_("wanted"),
    "value": N_("value"),
    "before": N_("before"),
    "status": N_("status"),
    "by": N_("by"),
    "since": N_("since"),
    "periods": N_("periods"),
    "subject": N_("subject"),
    "industry": N_("industry"),
    "figure": N_("figure"),
    "source": N_("source"),
    "dated": N_("dated"),
}
_OURS = {
    "status": {"reached": N_("reached"), "missed": N_("missed"), "unknown": N_("unknown")},
    "controllable": {"yes": N_("yes"), "no": N_("no"), "unknown": N_("unknown")},
    "measure": {"mean": N_("mean"), "rate": N_("rate"), "window": N_("window")},
}
# Rows that stand for all: their names come from the figures.
_WHOLE = (N_("(all)"), N_("(total)"), N_("(none)"))
_GROUPS = {"metric": "metrics", "unit": "units", "fact": "facts", "kind": "surveys", "measure": "surveys"}


def count(value: float, language: Language) -> str:
    """A whole number with separators."""
    return figure(value, ",.0f", language)


def percent(value: float, language: Language) -> str:
    """A value of 0..100."""
    return f"{value:.1f} %" if language.code == "en" else language.percent(value)


def points(value: float, language: Language) -> str:
    """A difference of two percentages."""
    return figure(value, "+.1f", language)


def within_a_line(show: _Format, value: float, language: Language) -> Said:
    """A figure as the table shows it, for a line that says the same in English and in the language."""
    return said_before(show(value, _EN), show(value, language))


def _number(value: float, language: Language) -> str:
    """Any other number."""
    return figure(value, ",.2f", language)


def _chance(value: float, language: Language) -> str:
    """A p-value."""
    return f"<{figure(0.0001, '.4f', language)}" if value < 0.0001 else figure(value, ".4f", language)


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


def show_table(
    frame: pd.DataFrame, columns: Mapping[str, str] | Sequence[str], language: Language = _EN
) -> str:
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
        [
            _cell(name, row[name], language) + (_marks(row, language) if name == "period" else "")
            for name in headers
        ]
        for row in frame.to_dict("records")
    ]
    return table([language.digits(spoken(header, language)) for header in headers.values()], rows)


def notes_of(frame: pd.DataFrame) -> list[Said]:
    """The marks that `show_table` makes, explained."""
    found = []
    if "complete" in frame and not frame["complete"].all():
        found.append(said("(running) is not over: counts up to as-of, no rate"))
    if "full_history" in frame and not frame["full_history"].all():
        found.append(said("* the records do not reach back far enough to know every customer at the start"))
    return found


def _marks(row: Mapping[Any, Any], language: Language) -> str:
    running = f" {language.word(_RUNNING)}" if not row.get("complete", True) else ""
    return running + ("" if row.get("full_history", True) else _SHORT)


def _cell(name: str, value: Any, language: Language) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return _UNKNOWN
    if name in _FORMATS:
        return _FORMATS[name](value, language)
    if isinstance(value, bool):
        return language.word("yes") if value else language.word("no")
    if isinstance(value, dt.date):
        day = value.date() if isinstance(value, dt.datetime) else value
        return str(day) if language.code == "en" else language.day(day)
    if isinstance(value, float):
        return _number(value, language)
    return str(value) if language.code == "en" else _word(name, str(value), language)


def _word(name: str, value: str, language: Language) -> str:
    """A key or a text of ours in the language; what comes from the data stays as it is."""
    if name in ("period", "cohort", "since"):
        return " ".join(filter(None, language.period(value)))
    if value in _OURS.get(name, ()) or name == "reason" or value in _WHOLE:
        return language.word(value)
    return spoken(in_words(_GROUPS[name], value), language) if name in _GROUPS else value
