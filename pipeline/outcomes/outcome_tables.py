"""What `churn outcomes` prints: tables in which no effect stands without its interval."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.effects.control_group import Effect
from pipeline.outcomes.save_rates import SaveRates
from pipeline.result import table

CONTACT_DAYS = 14
TEN_YEARS = 3_650


@dataclass(frozen=True)
class Check:
    """The scores of one night against what happened; nights are a label window apart.

    Parameters
    ----------
    listed
        How many were on the list: they may have stayed because of it.
    expected, churned
        Sum of the probabilities, and how many left.
    """

    night: dt.date
    customers: int
    listed: int
    expected: float
    churned: int
    auc: float
    log_loss: float
    ece: float
    lift_top_tenth: float


@dataclass(frozen=True)
class Group:
    """One group of customers with the effect of being on the list: all, or those of an action."""

    name: str
    kept: Effect
    value: Effect
    contacted: float
    contacted_control: float

    def values(self) -> dict[str, Any]:
        """As plain values; NaN and infinities are None."""
        return {
            "name": self.name,
            "kept": plain(asdict(self.kept)),
            "customers_kept": plain(dict(zip(("estimate", "low", "high"), self.kept.total, strict=True))),
            "value_kept": plain(dict(zip(("estimate", "low", "high"), self.value.total, strict=True))),
            **plain({"contacted": self.contacted, "contacted_control": self.contacted_control}),
        }


def check_table(checks: list[Check], promised: Mapping[str, float]) -> str:
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


def group_table(groups: list[Group]) -> str:
    """The effect of being on the list, for all and by action."""
    header = [
        "action",
        "on list",
        "control",
        "kept",
        "control kept",
        "effect, points",
        "customers kept",
        "value kept",
    ]
    rows = [
        [
            g.name,
            f"{g.kept.listed:,}",
            f"{g.kept.control:,}",
            _share(g.kept.rate),
            _share(g.kept.rate_control),
            _interval(100 * g.kept.effect, 100 * g.kept.low, 100 * g.kept.high, 1),
            _interval(*g.kept.total, 0),
            _interval(*g.value.total, 0),
        ]
        for g in groups
    ]
    reached = groups[0]
    said = (
        f"contacted within {CONTACT_DAYS} days: {_share(reached.contacted)} of the list, "
        f"{_share(reached.contacted_control)} of the control group"
    )
    return "\n".join([table(header, rows), said] if np.isfinite(reached.contacted) else [table(header, rows)])


def precision_lines(precision: Mapping[str, Mapping[str, float]]) -> list[str]:
    """How many of those on the list, and of the control group, left."""
    return [
        f"list precision ({who}): {p['left']:.1%} left [{p['low']:.1%}, {p['high']:.1%}]"
        for name, who in (("list", "on the list"), ("control", "control group, left alone"))
        if (p := precision.get(name))
    ]


def power_line(smallest: float, days: Mapping[float, int]) -> str:
    """How large an effect must be to be seen, and when smaller ones will be.

    Examples
    --------
    >>> power_line(0.09, {0.01: 9_000, 0.1: 0})
    'power: an effect of 9.0 points would be seen 4 times in 5; 1 point not within ten years, 10 points now'
    """
    waits = ", ".join(
        f"{100 * points:g} point{'s' * (points > 0.01)} {_wait(wait)}" for points, wait in days.items()
    )
    return f"power: an effect of {100 * smallest:.1f} points would be seen 4 times in 5; {waits}"


def _wait(days: int) -> str:
    if days > TEN_YEARS:
        return "not within ten years"
    return f"in about {days:,} days" if days else "now"


def rate_table(rates: SaveRates) -> str:
    """The save rates that were measured."""
    rows = [
        [name, f"{r.mean:.1%}", f"{r.saved:.1f}", f"{r.lost:.1f}", f"{r.prior_weight:.0%}"]
        for name, r in rates.rates.items()
        if r.prior_weight < 1
    ]
    if not rows:
        return "no action has results of both groups yet: the playbook's save rates stay in use"
    return table(["action", "save rate", "saved", "lost", "playbook's weight"], rows)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def _share(value: float) -> str:
    return f"{value:.1%}" if np.isfinite(value) else ""


def _interval(estimate: float, low: float, high: float, digits: int) -> str:
    if not np.isfinite([estimate, low, high]).all():
        return "not known"
    return f"{estimate:+,.{digits}f} [{low:+,.{digits}f}, {high:+,.{digits}f}]"


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold: numbers that are none become None."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()}
