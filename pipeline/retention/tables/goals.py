"""Goals from the config: reached or missed, by how much, since when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from configs.errors import ConfigError, Fault
from pipeline.languages.said import said
from pipeline.retention.definition.at_hand import all_reads
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables import activity, feedback, rate, revenue


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


def of_question(question: Question) -> pd.DataFrame:
    """The config's goals, judged on the newest period that is over and fully on record."""
    rules = question.config.retention.goals
    wanted = [Goal(**rule.model_dump()) for rule in rules]
    histories: dict[str, pd.DataFrame] = {}
    for unit in {rule.unit: None for rule in rules}:
        metrics = {goal.metric for goal in wanted if goal.unit == unit}
        plain = replace(question, scope=question.scope.plain(unit))
        histories[unit] = history(plain, metrics)
    return goal_table(wanted, histories)


def history(question: Question, metrics: Collection[str]) -> pd.DataFrame:
    """What goals can name, one row a calendar period; `complete` asks for full records, too.

    Parameters
    ----------
    metrics
        Those that are wanted: no further table is made when they are there.
    """
    rates = rate.by_period(question)
    periods = question.scope.until(question.as_of)
    frame = rates.assign(complete=rates["complete"] & rates["full_history"])
    makers: tuple[Callable[[], pd.DataFrame], ...] = (
        lambda: activity.activity_table(
            question.tables, periods, question.as_of, rates, question.config.churn
        ),
        lambda: _answers(question),
        lambda: _money(question),
    )
    for make in makers:
        if not set(metrics) <= set(frame):
            found = make()
            new = [column for column in found if column not in frame]
            frame = frame.merge(found[["period", *new]], how="left", on="period")
    return frame


def _answers(question: Question) -> pd.DataFrame:
    """A column with the value of each kind of feedback, and one with its answer rate."""
    frame = pd.DataFrame({"period": [period.label for period in question.scope.until(question.as_of)]})
    if not question.has("feedback"):
        return frame
    for kind, rows in feedback.of_question(question).groupby("kind"):
        by_period = rows.set_index("period")
        for name, column in ((str(kind), "value"), (f"{kind}_answer_rate", "answer_rate")):
            frame[name] = frame["period"].map(by_period[column]).astype(np.float64)
    return frame


def _money(question: Question) -> pd.DataFrame:
    """Shares of the revenue, those that compare with the period before only where that is on record."""
    if not question.has("transactions.amount") or len(question.scope.until(question.as_of)) < 2:
        return pd.DataFrame({"period": []}, dtype=str)
    found = revenue.of_question(question)
    shares = ["gross_retention", "net_retention"]
    found[shares] = found[shares].where(found["full_history"])
    return found[["period", *shares, "repeat_share"]]


def show(question: Question) -> Shown:
    """The config's goals: reached or missed, by how much, since when."""
    frame = of_question(question)
    columns = ["metric", "unit", "wanted", "period", "value", "before", "status", "by", "since", "periods"]
    rule = said("judged on the newest period that is over and fully on record; by: how far on the good side")
    told = frame
    if question.language.code != "en":
        from pipeline.report.worklist import goal_in_words

        told = frame.assign(wanted=[goal_in_words(question.language, goal) for goal in frame["wanted"]])
    return Shown(frame, show_table(told, columns, question.language), [rule])


READS = all_reads(activity.READS, feedback.READS, revenue.READS)
TABLE = Table(show, READS, segment=False, nightly=of_question)
