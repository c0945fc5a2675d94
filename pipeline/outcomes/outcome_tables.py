"""What `churn outcomes` prints: tables in which no effect stands without its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.effects.sequence import Bounds
from pipeline.languages.language import Language
from pipeline.languages.said import Said, figure, said, said_n, spoken
from pipeline.outcomes.learned import NightCheck
from pipeline.result import table

CONTACT_DAYS = 14
TEN_YEARS = 3_650


@dataclass(frozen=True)
class OutcomeGroup:
    """One group of customers with the effect of being on the list: all, or those of an action.

    Parameters
    ----------
    listed, alone
        Customers whom chance listed, and those it did not.
    rate, rate_alone
        Share kept of each.
    kept, value
        Effect on the share kept, and on the value kept of a customer.
    contacted, contacted_alone
        Share of each whom the contact log says was contacted.
    """

    name: str
    listed: int
    alone: int
    rate: float
    rate_alone: float
    kept: Bounds
    value: Bounds
    contacted: float
    contacted_alone: float

    def values(self) -> dict[str, Any]:
        """As plain values; NaN and infinities are None."""
        return json_values(
            asdict(self) | {"kept": json_values(asdict(self.kept)), "value": json_values(asdict(self.value))}
        )


@dataclass(frozen=True)
class Belief:
    """What the next list believes of an action: effect in chance of leaving, its spread, and as a save rate."""

    action: str
    rows: int
    effect: float
    spread: float
    save_rate: float


@dataclass(frozen=True)
class LastingRow:
    """So many months after: effect on the share still there, on days as a customer, and on money.

    `soon` is the effect on the share of the same customers that was still there after the first months, `lasts` that
    on the share of now less half of it: below 0, most of what was kept is gone.
    """

    months: int
    customers: int
    kept: Bounds
    days: Bounds
    money: Bounds | None
    soon: Bounds
    lasts: Bounds


@dataclass(frozen=True)
class Lasting:
    """What lasts of what the lists changed, soonest first."""

    rows: tuple[LastingRow, ...]

    @property
    def verdict(self) -> Said:
        """Delay or prevention, by the longest time of which one can say.

        The same customers are looked at twice: newer lists may have chosen others, and better ones.
        """
        if not self.rows:
            return said("nothing is old enough")
        months, kept = self.rows[0].months, [row for row in self.rows[1:] if row.soon.fixed_low > 0]
        for row in reversed(kept):
            if row.lasts.fixed_high < 0:
                return said(
                    "the contacts delay: most of what was kept after {soon} months is gone after {months}",
                    soon=months,
                    months=row.months,
                )
            if row.lasts.fixed_low > 0:
                return said(
                    "the contacts prevent: what was kept after {soon} months is still there after {months}",
                    soon=months,
                    months=row.months,
                )
        if not kept:
            return said("too early to tell prevented from delayed")
        return said(
            "not clear yet whether the contacts prevent or delay ({months} months)", months=kept[-1].months
        )


def check_table(checks: Sequence[NightCheck], promised: Mapping[str, float], language: Language) -> str:
    """The scores of each night, and below them what the backtest promised."""
    header = [
        language.word("night"),
        language.word("customers"),
        language.word("on list"),
        language.word("expected to leave"),
        language.word("left"),
        language.word("AUC"),
        language.word("log loss"),
        language.word("ECE"),
        language.word("lift 10%"),
    ]
    rows = [
        [
            spoken(said("{day}", day=c.night), language),
            *(figure(n, ",.0f", language) for n in (c.customers, c.listed, c.expected, c.churned)),
            *_scores((c.auc, c.log_loss, c.ece, c.lift_top_tenth), language),
        ]
        for c in checks
    ]
    if promised:
        four = [promised.get(name) for name in ("auc", "log_loss", "ece", "lift_top_tenth")]
        rows.append([language.word("backtest"), "", "", "", "", *_scores(four, language)])
    return table(header, rows)


def group_table(groups: list[OutcomeGroup], usual: OutcomeGroup | None, language: Language) -> str:
    """The effect of being on the list, for all and by action, and against business as usual."""
    header = [
        language.word("action"),
        language.word("listed"),
        language.word("left alone"),
        language.word("kept"),
        language.word("alone kept"),
        language.word("effect, points"),
        language.word("for one look"),
        language.word("value, each"),
    ]
    # Actions are called by their keys in the playbook, which `--resume` takes.
    names = [language.word("all"), *(g.name for g in groups[1:]), language.word("business as usual")]
    rows = [
        [
            name,
            figure(g.listed, ",.0f", language),
            figure(g.alone, ",.0f", language),
            _share(g.rate, language),
            _share(g.rate_alone, language),
            _interval(g.kept, 100, 1, language),
            _once(g.kept, 100, 1, language),
            _interval(g.value, 1, 2, language),
        ]
        for name, g in zip(names, [*groups, *([usual] if usual else [])], strict=False)
    ]
    lines = [
        table(header, rows),
        language.word("effect and value: intervals that hold however often one looks, 95 % together"),
    ]
    reached = groups[0]
    if np.isfinite(reached.contacted):
        shares = [
            said("{share} of the listed", share=_share(reached.contacted, language)),
            said("{share} of those left alone", share=_share(reached.contacted_alone, language)),
        ]
        if usual:
            shares.append(said("{share} of business as usual", share=_share(usual.contacted_alone, language)))
        lines.append(
            spoken(said("contacted within {days} days: {shares}", days=CONTACT_DAYS, shares=shares), language)
        )
    return "\n".join(lines)


def lasting_table(found: Lasting, language: Language) -> str:
    """What lasts, by months after the list."""
    rows = [
        [
            spoken(said("{months} months", months=row.months), language),
            figure(row.customers, ",.0f", language),
            _once(row.kept, 100, 1, language),
            _once(row.days, 1, 1, language),
            "" if row.money is None else _once(row.money, 1, 2, language),
        ]
        for row in found.rows
    ]
    header = [
        language.word("after"),
        language.word("customers"),
        language.word("still there, points"),
        language.word("days each"),
        language.word("money each"),
    ]
    return table(header, rows)


def precision_lines(precision: Mapping[str, Mapping[str, float]], language: Language) -> list[str]:
    """How many of those on the list, and of the control group, left."""
    lines = []
    for name, who in (("list", said("on the list")), ("control", said("control group, left alone"))):
        if p := precision.get(name):
            left, low, high = (_share(p[field], language) for field in ("left", "low", "high"))
            line = said(
                "list precision ({who}): {left} left [{range}]", who=who, left=left, range=[low, high]
            )
            lines.append(spoken(line, language))
    return lines


def power_line(a_day: float, days: Mapping[float, int]) -> Said:
    """When effects of some sizes will be seen.

    Examples
    --------
    >>> print(power_line(4.2, {0.01: 9_000, 0.1: 0}))
    power: 4.2 customers a day are listed or left alone by chance; an effect of 1 point would be seen not within ten \
years, 10 points now
    """
    waits = [
        said_n("{n} point {wait}", "{n} points {wait}", 100 * points, wait=_wait(wait))
        if i
        else said_n(
            "{n} point would be seen {wait}",
            "{n} points would be seen {wait}",
            100 * points,
            wait=_wait(wait),
        )
        for i, (points, wait) in enumerate(days.items())
    ]
    return said(
        "power: {a_day:.1f} customers a day are listed or left alone by chance; an effect of {waits}",
        a_day=a_day,
        waits=waits,
    )


def _wait(days: int) -> Said:
    if days > TEN_YEARS:
        return said("not within ten years")
    return said("in about {days} days", days=days) if days else said("now")


def belief_table(found: list[Belief], language: Language) -> str:
    """What the next list believes of each action that was tried."""
    if not found:
        return language.word("no action has results yet: the playbook's save rates stay in use")
    rows = [
        [
            b.action,
            figure(b.rows, ",.0f", language),
            f"{figure(100 * b.effect, '+.1f', language)} +- {figure(100 * b.spread, '.1f', language)}",
            figure(b.save_rate, "+.1%", language),
        ]
        for b in found
    ]
    header = [
        language.word("action"),
        language.word("rows"),
        language.word("effect, points"),
        language.word("save rate"),
    ]
    return table(header, rows)


def _scores(values: Sequence[float | None], language: Language) -> list[str]:
    """AUC, log loss, calibration error and lift."""
    return [
        "" if value is None or not np.isfinite(value) else figure(value, spec, language)
        for value, spec in zip(values, (".3f", ".3f", ".3f", ".2f"), strict=True)
    ]


def _share(value: float, language: Language) -> str:
    return figure(value, ".1%", language) if np.isfinite(value) else ""


def _interval(found: Bounds, scale: float, digits: int, language: Language) -> str:
    return _shown((found.estimate, found.low, found.high), scale, digits, language)


def _once(found: Bounds, scale: float, digits: int, language: Language) -> str:
    return _shown((found.estimate, found.fixed_low, found.fixed_high), scale, digits, language)


def _shown(values: tuple[float, float, float], scale: float, digits: int, language: Language) -> str:
    if not np.isfinite(values[0]) or values[1:] == (-1.0, 1.0):
        return language.word("not known yet")
    one, two, three = (figure(scale * x, f"+,.{digits}f", language) for x in values)
    return f"{one} [{two}{language.comma}{three}]"


def json_values(values: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold: numbers that are none become None."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()}
