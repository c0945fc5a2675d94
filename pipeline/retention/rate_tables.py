"""The retention tables of a config, as frames: what the commands print and what a night publishes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.errors import ConfigError
from configs.schema import Config
from features.tables import ROLES
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
from pipeline.sources.opening import Sources


class _Reported(Mapping[str, ir.Table]):
    """The local tables, with only those columns of the customers that are their own or an attribute."""

    def __init__(self, sources: Sources) -> None:
        self._local = sources.local
        self._shown = {*ROLES["customers"], "known_at", *sources.attributes}

    def __getitem__(self, role: str) -> ir.Table:
        table = self._local[role]
        if role != "customers":
            return table
        return table.select(*(name for name in table.columns if name in self._shown))

    def __iter__(self) -> Iterator[str]:
        return iter(self._local)

    def __len__(self) -> int:
        return len(self._local)


def reported(sources: Sources) -> Mapping[str, ir.Table]:
    """The tables that figures are made of: names and addresses of the customers are not among them."""
    return _Reported(sources)


def retention(sources: Sources, config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """The classic rate by period (and segment)."""
    return retention_of(reported(sources), config.churn, scope.until(as_of), as_of, scope.segment)


def cohorts(
    sources: Sources, config: Config, as_of: dt.date, scope: Scope, measure: Measure = "customer"
) -> pd.DataFrame:
    """Who is left of those who started together."""
    return cohort_table(
        reported(sources),
        config.churn,
        as_of,
        scope.unit,
        measure=measure,
        segment=scope.segment,
        **scope.calendar,
    )


def has_amounts(sources: Sources) -> bool:
    """Whether the sources tell what customers paid."""
    return "transactions" in reported(sources) and "amount" in reported(sources)["transactions"].columns


def revenue(sources: Sources, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Gross and net revenue retention."""
    return revenue_table(reported(sources), as_of, scope.unit, segment=scope.segment, **scope.calendar)


def reasons(sources: Sources, config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Stated reasons of endings, coded."""
    coded = config.retention.reasons
    return reason_table(
        reported(sources),
        scope.until(as_of),
        as_of,
        codes=coded.codes,
        controllable=coded.controllable,
        not_churn_reasons=config.churn.not_churn_reasons,
        segment=scope.segment,
    )


def feedback(sources: Sources, config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Measures of each kind of feedback."""
    return feedback_table(
        reported(sources), scope.until(as_of), as_of, surveys=surveys(config), segment=scope.segment
    )


def surveys(config: Config) -> dict[str, Survey] | None:
    """How the config reads each kind of feedback; None for the usual way."""
    rules = config.retention.surveys
    if rules is None:
        return None
    return {kind: Survey(rule.measure, rule.top or 0.0, rule.bottom or 0.0) for kind, rule in rules.items()}


def goals(sources: Sources, config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """The config's goals, judged on the newest period that is over and fully on record."""
    wanted = [Goal(**rule.model_dump()) for rule in config.retention.goals]
    histories: dict[str, pd.DataFrame] = {
        unit: history(sources, config, as_of, replace(scope, unit=unit))
        for unit in sorted({rule.unit for rule in config.retention.goals})
    }
    return goal_table(wanted, histories)


def history(sources: Sources, config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    """Everything that a goal can name, one row a calendar period; `complete` asks for full records, too."""
    scope = replace(scope, segment=None, rolling=False, running=False)
    rate = retention(sources, config, as_of, scope)
    moves = activity_table(reported(sources), scope.until(as_of), as_of, rate)
    frame = rate.merge(moves.drop(columns=["start", "complete"]), on="period")
    frame["complete"] = frame["complete"] & frame["full_history"]
    if has_amounts(sources) and len(scope.until(as_of)) > 1:
        money = revenue(sources, as_of, scope)
        shares = ["gross_retention", "net_retention", "repeat_share"]
        money[shares[:2]] = money[shares[:2]].where(money["full_history"])
        frame = frame.merge(money[["period", *shares]], how="left", on="period")
    if "feedback" in reported(sources):
        asked = feedback(sources, config, as_of, scope)
        for kind, rows in asked.groupby("kind"):
            by_period = rows.set_index("period")
            for name, column in ((str(kind), "value"), (f"{kind}_answer_rate", "answer_rate")):
                if name not in frame:
                    frame[name] = frame["period"].map(by_period[column]).astype(np.float64)
    return frame


def worth(
    sources: Sources, config: Config, as_of: dt.date, scope: Scope, points: float, margin: float
) -> PointValue:
    """What a higher rate is worth over the coming year.

    Raises
    ------
    ConfigError
        When the sources have no amounts.
    """
    if not has_amounts(sources):
        raise ConfigError("the worth of a point needs sources.transactions with the column amount; map it")
    scope = replace(scope, segment=None, rolling=False, running=False)
    rate = retention(sources, config, as_of, scope)
    moves = activity_table(reported(sources), scope.until(as_of), as_of, rate)
    return point_value(rate, moves, periods_per_year=PER_YEAR[scope.unit], points=points, margin=margin)


def last_complete(as_of: dt.date, scope: Scope) -> Period:
    """The newest period that is over."""
    return replace(scope, periods=1, running=False).until(as_of)[-1]
