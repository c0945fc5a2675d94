"""A night in a few lines on the terminal, in the language of the config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.result import table

if TYPE_CHECKING:
    from pipeline.scoring.night import Night

SHOWN = 10


def summary(night: Night, language: Language, days: int) -> list[str]:
    """Who is expected to leave, the head of the list, and the rate.

    Parameters
    ----------
    days
        Age of the model; negative when it was trained later.
    """
    return [
        _customers_line(night, language, days),
        *_list_lines(night, language),
        *_rate_lines(night, language),
    ]


def _customers_line(night: Night, language: Language, days: int) -> str:
    config, everybody = night.config, night.everybody
    age = (
        language.several("trained {n} day ago", "trained {n} days ago", days)
        if days >= 0
        else language.several("trained {n} day later", "trained {n} days later", -days)
    )
    return language.several(
        "{company} as of {day}: {n} customer, {left} expected to leave in {days} days (version {version}, {age})",
        "{company} as of {day}: {n} customers, {left} expected to leave in {days} days (version {version}, {age})",
        everybody.customers,
        company=config.name,
        day=night.as_of if language.code == "en" else language.day(night.as_of),
        left=language.number(everybody.expected_to_leave),
        days=language.number(config.churn.horizon_days),
        version=language.digits(str(night.champion.version)),
        age=age,
    )


def _list_lines(night: Night, language: Language) -> list[str]:
    """How long the list is and what it gains, and its first `SHOWN` rows."""
    listed = night.decision.chosen
    line = language.several(
        "list: {n} customer, expected gain {gain}",
        "list: {n} customers, expected gain {gain}",
        len(listed),
        gain=language.amount(float(listed["expected_gain"].sum()), 2),
    )
    if not len(listed):
        return [line]
    header = [
        language.text(word)
        for word in (N_("rank"), N_("customer"), N_("chance"), N_("gain"), N_("action"), N_("why"))
    ]
    rows = [
        [
            language.number(row.rank),
            row.customer_id,
            language.number(row.churn_probability, 2),
            language.number(row.expected_gain, 2),
            row.action if language.code == "en" else row.title,
            row.reason_1,
        ]
        for row in listed.head(SHOWN).itertuples()
    ]
    return [line, table(header, rows)]


def _rate_lines(night: Night, language: Language) -> list[str]:
    """The newest period that has a rate; none where no period has."""
    return [
        language.text(
            "retention {period}: {rate} (S={start}, N={new}, E={end})",
            period=row.period if language.code == "en" else " ".join(language.period(row.period)).strip(),
            rate=language.percent(row.rate),
            start=language.number(row.S),
            new=language.number(row.N),
            end=language.number(row.E),
        )
        for row in night.rates.table.dropna(subset="rate").tail(1).itertuples()
    ]
