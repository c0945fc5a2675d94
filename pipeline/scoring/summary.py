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
    config, listed, everybody = night.config, night.decision.chosen, night.everybody
    age = (
        language.several("trained {n} day ago", "trained {n} days ago", days)
        if days >= 0
        else language.several("trained {n} day later", "trained {n} days later", -days)
    )
    lines = [
        language.several(
            "{company} as of {day}: {n} customer, {left} expected to leave in {days} days (version {version}, {age})",
            "{company} as of {day}: {n} customers, {left} expected to leave in {days} days (version {version}, {age})",
            everybody.customers,
            company=config.name,
            day=night.as_of if language.code == "en" else language.day(night.as_of),
            left=language.number(everybody.expected_to_leave),
            days=language.number(config.churn.horizon_days),
            version=language.digits(str(night.champion.version)),
            age=age,
        ),
        language.several(
            "list: {n} customer, expected gain {gain}",
            "list: {n} customers, expected gain {gain}",
            len(listed),
            gain=language.amount(float(listed["expected_gain"].sum()), 2),
        ),
    ]
    if len(listed):
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
        lines.append(table(header, rows))
    for row in night.rates.table.dropna(subset="rate").tail(1).itertuples():
        period = row.period if language.code == "en" else " ".join(language.period(row.period)).strip()
        lines.append(
            language.text(
                "retention {period}: {rate} (S={start}, N={new}, E={end})",
                period=period,
                rate=language.percent(row.rate),
                start=language.number(row.S),
                new=language.number(row.N),
                end=language.number(row.E),
            )
        )
    return lines
