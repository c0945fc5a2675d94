"""The retention tables of a config, as frames: what the commands print and what a night publishes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.errors import ConfigError
from configs.retention import PeriodUnit
from configs.schema import Config
from pipeline.retention.activity import activity_table
from pipeline.retention.cohorts import Measure, cohort_table
from pipeline.retention.goals import Goal, goal_table
from pipeline.retention.leaving_reasons import reason_table
from pipeline.retention.periods import Period
from pipeline.retention.point_value import PointValue, point_value
from pipeline.retention.rate import retention_of
from pipeline.retention.rate_scope import PER_YEAR, Scope
from pipeline.retention.revenue import revenue_table
from pipeline.retention.satisfaction import Survey, feedback_table


def retention(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """The classic rate by period (and segment)."""
    return retention_of(tables, config.churn, scope.until(as_of), as_of, scope.segment)


def cohorts(
    tables: Mapping[str, ir.Table],
    config: Config,
    as_of: dt.date,
    scope: Scope,
    measure: Measure = "customer",
) -> pd.DataFrame:
    """Who is left of those who started together."""
    return cohort_table(
        tables,
        config.churn,
        as_of,
        scope.unit,
        measure=measure,
        segment=scope.segment,
        **scope.calendar,
    )


def has_amounts(tables: Mapping[str, ir.Table]) -> bool:
    """Whether the sources tell what customers paid."""
    return "transactions" in tables and "amount" in tables["transactions"].columns


def revenue(tables: Mapping[str, ir.Table], as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Gross and net revenue retention."""
    return revenue_table(tables, as_of, scope.unit, segment=scope.segment, **scope.calendar)


def reasons(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Stated reasons of endings, coded."""
    coded = config.retention.reasons
    return reason_table(
        tables,
        scope.until(as_of),
        as_of,
        codes=coded.codes,
        controllable=coded.controllable,
        not_churn_reasons=config.churn.not_churn_reasons,
        segment=scope.segment,
    )


def feedback(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Measures of each kind of feedback."""
    return feedback_table(tables, scope.until(as_of), as_of, surveys=surveys(config), segment=scope.segment)


def surveys(config: Config) -> dict[str, Survey] | None:
    """How the config reads each kind of feedback; None for the usual way."""
    rules = config.retention.surveys
    if rules is None:
        return None
    return {kind: Survey(rule.measure, rule.top or 0.0, rule.bottom or 0.0) for kind, rule in rules.items()}


def goals(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """The config's goals, judged on the newest period that is over and fully on record."""
    wanted = [Goal(**rule.model_dump()) for rule in config.retention.goals]
    histories: dict[str, pd.DataFrame] = {}
    for unit in {rule.unit: None for rule in config.retention.goals}:
        metrics = {goal.metric for goal in wanted if goal.unit == unit}
        histories[unit] = history(tables, config, as_of, replace(scope, unit=unit), metrics)
    return goal_table(wanted, histories)


def history(
    tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope, metrics: Collection[str]
) -> pd.DataFrame:
    """What goals can name, one row a calendar period; `complete` asks for full records, too.

    Parameters
    ----------
    metrics
        Those that are wanted: no further table is made when they are there.
    """
    scope = _plain(scope, scope.unit)
    rate = retention(tables, config, as_of, scope)
    frame = rate.assign(complete=rate["complete"] & rate["full_history"])
    makers: tuple[Callable[[], pd.DataFrame], ...] = (
        lambda: activity_table(tables, scope.until(as_of), as_of, rate),
        lambda: _answers(tables, config, as_of, scope),
        lambda: _money(tables, as_of, scope),
    )
    for make in makers:
        if not set(metrics) <= set(frame):
            found = make()
            new = [column for column in found if column not in frame]
            frame = frame.merge(found[["period", *new]], how="left", on="period")
    return frame


def _answers(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """A column with the value of each kind of feedback, and one with its answer rate."""
    frame = pd.DataFrame({"period": [period.label for period in scope.until(as_of)]})
    if "feedback" not in tables:
        return frame
    for kind, rows in feedback(tables, config, as_of, scope).groupby("kind"):
        by_period = rows.set_index("period")
        for name, column in ((str(kind), "value"), (f"{kind}_answer_rate", "answer_rate")):
            frame[name] = frame["period"].map(by_period[column]).astype(np.float64)
    return frame


def _money(tables: Mapping[str, ir.Table], as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Shares of the revenue, those that compare with the period before only where that is on record."""
    if not has_amounts(tables) or len(scope.until(as_of)) < 2:
        return pd.DataFrame({"period": []}, dtype=str)
    found = revenue(tables, as_of, scope)
    shares = ["gross_retention", "net_retention"]
    found[shares] = found[shares].where(found["full_history"])
    return found[["period", *shares, "repeat_share"]]


def worth(
    tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope, points: float, margin: float
) -> PointValue:
    """What a higher rate is worth over the coming year.

    Raises
    ------
    ConfigError
        When the sources have no amounts.
    """
    if not has_amounts(tables):
        raise ConfigError("the worth of a point needs sources.transactions with the column amount; map it")
    scope = _plain(scope, scope.unit)
    rate = retention(tables, config, as_of, scope)
    moves = activity_table(tables, scope.until(as_of), as_of, rate)
    return point_value(rate, moves, periods_per_year=PER_YEAR[scope.unit], points=points, margin=margin)


def times_of(config: Config, as_of: dt.date, scope: Scope) -> list[dt.datetime]:
    """When the tables of a night ask who is a customer: at the edges of the periods of the rate and of the goals."""
    now = dt.datetime.combine(as_of, dt.time())
    scopes = [scope, *(_plain(scope, rule.unit) for rule in config.retention.goals)]
    periods = [period for each in scopes for period in each.until(as_of)]
    return sorted({moment for p in periods for moment in (p.start, min(p.end, now))})


def last_complete(as_of: dt.date, scope: Scope) -> Period:
    """The newest period that is over."""
    return replace(scope, periods=1, running=False).until(as_of)[-1]


def _plain(scope: Scope, unit: PeriodUnit) -> Scope:
    """Calendar periods of a unit that are over, of everybody."""
    return replace(scope, unit=unit, segment=None, rolling=False, running=False)
