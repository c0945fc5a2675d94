"""Goals from the config: reached or missed, by how much, since when; and other companies' figures as context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.errors import ConfigError, Fault


@dataclass(frozen=True)
class Goal:
    """One goal: a metric at least or at most a value, or rising (or falling) from each period to the next.

    Parameters
    ----------
    metric
        Name of a column of the histories given to `goal_table`, such as `rate` or `engagement`.
    at_least, at_most
        The line to keep, in the metric's own unit.
    change
        `rising` or `falling` instead of a line.
    unit
        The length of the periods that are looked at.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    change: str | None = None
    unit: str = "month"

    def __post_init__(self) -> None:
        given = [self.at_least is not None, self.at_most is not None, self.change is not None]
        if sum(given) != 1 or self.change not in (None, "rising", "falling"):
            raise ConfigError(
                f"goal for {self.metric!r} needs exactly one of at_least, at_most, change (rising or falling)"
            )

    @property
    def wanted(self) -> str:
        """The goal in words."""
        if self.change is not None:
            return f"{'up' if self.change == 'rising' else 'down'} every {self.unit}"
        line = self.at_least if self.at_least is not None else self.at_most
        return f"{'at least' if self.at_least is not None else 'at most'} {line:g}"


USUAL_GOALS = (
    Goal("adjusted_rate", at_least=65),
    Goal("engagement", change="rising"),
    Goal("lifetime_value", change="rising", unit="quarter"),
)


def goal_table(goals: Sequence[Goal], histories: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Judge each goal on the newest complete period.

    Parameters
    ----------
    goals
        What is wanted.
    histories
        Unit to a table with one row a period, oldest first: `period`, `complete` and the metrics as columns.

    Returns
    -------
    DataFrame
        `metric`, `unit`, `wanted`, `period`, `value`, `before`, `status` (`reached`, `missed`, or `unknown` without
        a value), `by`, how far on the good side of the line or of the value before (negative: short of it), `since`,
        the first period of the unbroken run with the same status, and `periods`, its length.

    Raises
    ------
    ConfigError
        When a goal names a metric that no table of its unit has.

    Examples
    --------
    >>> history = pd.DataFrame({"period": ["2024-01", "2024-02", "2024-03"], "complete": True,
    ...     "rate": [70.0, 64.0, 61.0]})
    >>> row = goal_table([Goal("rate", at_least=65)], {"month": history}).iloc[0]
    >>> row.status, float(row["by"]), row.since, int(row.periods)
    ('missed', -4.0, '2024-02', 2)
    """
    faults = [
        Fault(
            f"goals: {goal.metric}",
            f"is not measured by {goal.unit}",
            f"known: {_metrics(histories, goal.unit)}",
        )
        for goal in goals
        if goal.metric not in histories.get(goal.unit, pd.DataFrame())
    ]
    if faults:
        raise ConfigError("goals that nothing measures", faults)
    columns = ["metric", "unit", "wanted", "period", "value", "before", "status", "by", "since", "periods"]
    return pd.DataFrame([_judge(goal, histories[goal.unit]) for goal in goals], columns=columns)


def _judge(goal: Goal, history: pd.DataFrame) -> dict[str, object]:
    over = history[history["complete"].astype(bool)]
    values = over[goal.metric].to_numpy(float)
    before = np.concatenate([[np.nan], values[:-1]]) if len(values) else values
    if goal.change is not None:
        margin = values - before if goal.change == "rising" else before - values
        statuses = np.where(np.isnan(margin), "unknown", np.where(margin > 0, "reached", "missed"))
    else:
        margin = values - goal.at_least if goal.at_least is not None else (goal.at_most or 0.0) - values
        statuses = np.where(np.isnan(margin), "unknown", np.where(margin >= 0, "reached", "missed"))
    row: dict[str, object] = {
        "metric": goal.metric,
        "unit": goal.unit,
        "wanted": goal.wanted,
        "status": "unknown",
    }
    if not len(values):
        return row | {
            "period": "",
            "value": np.nan,
            "before": np.nan,
            "by": np.nan,
            "since": "",
            "periods": 0,
        }
    same = int(np.argmin(np.append(statuses[::-1] == statuses[-1], False)))
    labels = over["period"].tolist()
    row |= {"period": labels[-1], "value": values[-1], "before": before[-1], "status": str(statuses[-1])}
    return row | {"by": margin[-1], "since": labels[-same], "periods": same}


def _metrics(histories: Mapping[str, pd.DataFrame], unit: str) -> str:
    table = histories.get(unit, pd.DataFrame())
    return ", ".join(str(c) for c in table.select_dtypes("number").columns) or "none"


@dataclass(frozen=True)
class Benchmark:
    """A figure that people quote: dated context, neither a goal nor a promise."""

    subject: str
    industry: str
    figure: str
    source: str
    year: int | None


_HBR = "Harvard Business Review"
_BAIN = "Bain & Company with Earl Sasser, Harvard Business School"
_MIXPANEL = "Mixpanel product benchmarks"
BENCHMARKS = (
    Benchmark("eight-week product retention", "most industries", "below 20 %", _MIXPANEL, 2017),
    Benchmark(
        "eight-week product retention", "media, finance", "above 25 % counts as elite", _MIXPANEL, 2017
    ),
    Benchmark(
        "eight-week product retention", "SaaS, e-commerce", "above 35 % counts as elite", _MIXPANEL, 2017
    ),
    Benchmark("product-market fit", "any", "40 % or more very disappointed without it", "Sean Ellis", None),
    Benchmark("cost of winning a customer", "any", "5 to 25 times that of keeping one", _HBR, None),
    Benchmark("profit from 5 % more retention", "any", "25 % to 95 % more", _BAIN, None),
    Benchmark(
        "chance to sell", "any", "60-70 % to a customer, 5-20 % to others", "often quoted, no source", None
    ),
)


def benchmark_table(industry: str | None = None) -> pd.DataFrame:
    """Quoted figures with their source and year; those of one industry and of any when it is named.

    Examples
    --------
    >>> benchmark_table("SaaS")["figure"].tolist()[0]
    'above 35 % counts as elite'
    """
    known = [
        b
        for b in BENCHMARKS
        if industry is None or b.industry in ("any",) or industry.lower() in b.industry.lower()
    ]
    rows = [
        (b.subject, b.industry, b.figure, b.source, "undated" if b.year is None else str(b.year))
        for b in known
    ]
    return pd.DataFrame(rows, columns=["subject", "industry", "figure", "source", "dated"])
