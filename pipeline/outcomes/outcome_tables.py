"""What `churn outcomes` prints: tables in which no effect stands without its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.effects.sequence import Bounds
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
    """So many months after: effect on the share still there, on days as a customer, and on money."""

    months: int
    customers: int
    kept: Bounds
    days: Bounds
    money: Bounds | None


@dataclass(frozen=True)
class Lasting:
    """What lasts of what the lists changed, soonest first."""

    rows: tuple[LastingRow, ...]

    @property
    def verdict(self) -> str:
        """Delay or prevention, as far as one can say."""
        if not self.rows:
            return "nothing is old enough"
        first, last = self.rows[0].kept, self.rows[-1].kept
        soon, months = self.rows[0].months, self.rows[-1].months
        if len(self.rows) < 2 or not first.fixed_low > 0:
            return "too early to tell prevented from delayed"
        if last.fixed_high < first.estimate / 2:
            return f"the contacts delay: most of what was kept after {soon} months is gone after {months}"
        if last.fixed_low > first.estimate / 2:
            return f"the contacts prevent: what was kept after {soon} months is still there after {months}"
        return f"not clear yet whether the contacts prevent or delay ({months} months)"


def check_table(checks: Sequence[NightCheck], promised: Mapping[str, float]) -> str:
    """The scores of each night, and below them what the backtest promised."""
    header = [
        "night",
        "customers",
        "on list",
        "expected to leave",
        "left",
        "AUC",
        "log loss",
        "ECE",
        "lift 10%",
    ]
    rows = [
        [
            str(c.night),
            f"{c.customers:,}",
            f"{c.listed:,}",
            f"{c.expected:,.0f}",
            f"{c.churned:,}",
            *(_number(v, 3) for v in (c.auc, c.log_loss, c.ece)),
            _number(c.lift_top_tenth, 2),
        ]
        for c in checks
    ]
    if promised:
        three = [_number(promised.get(name), 3) for name in ("auc", "log_loss", "ece")]
        rows.append(["backtest", "", "", "", "", *three, _number(promised.get("lift_top_tenth"), 2)])
    return table(header, rows)


def group_table(groups: list[OutcomeGroup], usual: OutcomeGroup | None) -> str:
    """The effect of being on the list, for all and by action, and against business as usual."""
    header = [
        "action",
        "listed",
        "left alone",
        "kept",
        "alone kept",
        "effect, points",
        "for one look",
        "value, each",
    ]
    rows = [
        [
            g.name,
            f"{g.listed:,}",
            f"{g.alone:,}",
            _share(g.rate),
            _share(g.rate_alone),
            _interval(g.kept, 100, 1),
            _once(g.kept, 100, 1),
            _interval(g.value, 1, 2),
        ]
        for g in [*groups, *([usual] if usual else [])]
    ]
    lines = [
        table(header, rows),
        "effect and value: intervals that hold however often one looks, 95 % together",
    ]
    reached = groups[0]
    if np.isfinite(reached.contacted):
        lines.append(
            f"contacted within {CONTACT_DAYS} days: {_share(reached.contacted)} of the listed, "
            f"{_share(reached.contacted_alone)} of those left alone"
            + (f", {_share(usual.contacted_alone)} of business as usual" if usual else "")
        )
    return "\n".join(lines)


def lasting_table(found: Lasting) -> str:
    """What lasts, by months after the list."""
    rows = [
        [
            f"{row.months} months",
            f"{row.customers:,}",
            _once(row.kept, 100, 1),
            _once(row.days, 1, 1),
            "" if row.money is None else _once(row.money, 1, 2),
        ]
        for row in found.rows
    ]
    return table(["after", "customers", "still there, points", "days each", "money each"], rows)


def precision_lines(precision: Mapping[str, Mapping[str, float]]) -> list[str]:
    """How many of those on the list, and of the control group, left."""
    return [
        f"list precision ({who}): {p['left']:.1%} left [{p['low']:.1%}, {p['high']:.1%}]"
        for name, who in (("list", "on the list"), ("control", "control group, left alone"))
        if (p := precision.get(name))
    ]


def power_line(a_day: float, days: Mapping[float, int]) -> str:
    """When effects of some sizes will be seen.

    Examples
    --------
    >>> power_line(4.2, {0.01: 9_000, 0.1: 0})
    'power: 4.2 customers a day are listed or left alone by chance; an effect of 1 point would be seen not within ten \
years, 10 points now'
    """
    waits = ", ".join(
        f"{100 * points:g} point{'s' * (points > 0.01)} {'would be seen ' * (i == 0)}{_wait(wait)}"
        for i, (points, wait) in enumerate(days.items())
    )
    return f"power: {a_day:.1f} customers a day are listed or left alone by chance; an effect of {waits}"


def _wait(days: int) -> str:
    if days > TEN_YEARS:
        return "not within ten years"
    return f"in about {days:,} days" if days else "now"


def belief_table(found: list[Belief]) -> str:
    """What the next list believes of each action that was tried."""
    if not found:
        return "no action has results yet: the playbook's save rates stay in use"
    rows = [
        [b.action, f"{b.rows:,}", f"{100 * b.effect:+.1f} +- {100 * b.spread:.1f}", f"{b.save_rate:+.1%}"]
        for b in found
    ]
    return table(["action", "rows", "effect, points", "save rate"], rows)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def _share(value: float) -> str:
    return f"{value:.1%}" if np.isfinite(value) else ""


def _interval(found: Bounds, scale: float, digits: int) -> str:
    return _shown(found.estimate, found.low, found.high, scale, digits)


def _once(found: Bounds, scale: float, digits: int) -> str:
    return _shown(found.estimate, found.fixed_low, found.fixed_high, scale, digits)


def _shown(estimate: float, low: float, high: float, scale: float, digits: int) -> str:
    if not np.isfinite(estimate) or (low, high) == (-1.0, 1.0):
        return "not known yet"
    one, two, three = (scale * x for x in (estimate, low, high))
    return f"{one:+,.{digits}f} [{two:+,.{digits}f}, {three:+,.{digits}f}]"


def json_values(values: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold: numbers that are none become None."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()}
