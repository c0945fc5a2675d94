"""The executive's half of a night's page, from the retention tables and from what the lists have taught."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from configs.errors import DataError
from models.effects.sequence import Bounds
from models.statistics.kitagawa import mix_table
from pipeline.outcomes.learned import ALL
from pipeline.outreach.context import Context
from pipeline.outreach.playbook import title
from pipeline.report.overview import (
    AuditRow,
    Change,
    Cohort,
    EffectRow,
    GoalRow,
    Overview,
    PeriodRevenue,
    PointWorth,
    SegmentRow,
    StatedRow,
    SurveyRow,
)
from pipeline.retention.definition.scope import PER_YEAR
from pipeline.retention.registry import RATE
from pipeline.retention.tables.value import point_value

Tables = Mapping[str, pd.DataFrame]

_SURE = 0.05
_ORDER = {False: 0, None: 1, True: 2}
MOST_GROUPS, MOST_COHORTS, MOST_REASONS = 5, 12, 6


def overview_of(tables: Tables, unit: str, margin: float, context: Context) -> Overview:
    """What the night's tables and its evidence say.

    Parameters
    ----------
    tables
        Name to retention table, the rate always among them.
    unit
        Length of the periods.
    margin
        Share of the revenue that is left after costs.
    """
    rate, segments, audit = tables[RATE], _newest_segments(tables), _audit(tables)
    held, past = _forecasts(tables)
    return Overview(
        goals=tuple(
            sorted((_goal(row) for row in _rows(tables, "goals")), key=lambda goal: _ORDER[goal.reached])
        ),
        change=_change(tables),
        money=_money(tables),
        point=_point(tables, unit, margin),
        segments=tuple(_segment(row) for row in segments.itertuples()),
        segments_of=str(segments["period"].iloc[0]) if len(segments) else "",
        surveys=_surveys(tables),
        stated=_stated(tables),
        audit=tuple(audit),
        audit_of=str(tables["audit"]["period"].iloc[0]) if audit else "",
        effects=_effects(context),
        usual=None if (found := context.evidence.usual) is None else _effect("", found),
        cohorts=_cohorts(tables),
        doubtful=frozenset(_without_history(rate)),
        held=held,
        past=past,
    )


def _rows(tables: Tables, name: str) -> Any:
    return tables[name].itertuples() if name in tables else ()


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _without_history(rate: pd.DataFrame) -> list[str]:
    if "full_history" not in rate:
        return []
    return rate.loc[rate["complete"].astype(bool) & ~rate["full_history"].astype(bool), "period"].tolist()


def _goal(row: Any) -> GoalRow:
    reached = {"reached": True, "missed": False}.get(row.status)
    return GoalRow(
        row.metric,
        row.wanted,
        row.period,
        _number(row.value),
        reached,
        _number(row.by),
        row.since,
        int(row.periods),
    )


def _complete(segments: pd.DataFrame, attribute: str) -> pd.DataFrame:
    return segments[(segments["attribute"] == attribute) & segments["complete"].astype(bool)]


def _change(tables: Tables) -> Change | None:
    """The last two periods, by the first attribute of the config."""
    segments = tables.get("by_segment")
    if segments is None or segments.empty:
        return None
    attribute = str(segments["attribute"].iloc[0])
    rows = _complete(segments, attribute)
    labels = list(dict.fromkeys(rows.sort_values("start")["period"]))[-2:]
    if len(labels) < 2:
        return None
    try:
        table = mix_table(rows, labels[0], labels[1])
    except DataError:  # nobody at the start of one of them
        return None
    total = table.iloc[-1]
    return Change(
        attribute,
        labels[0],
        labels[1],
        float(total["change"]),
        float(total["mix_effect"]),
        float(total["rate_effect"]),
    )


def _money(tables: Tables) -> PeriodRevenue | None:
    revenue = tables.get("revenue")
    if revenue is None:
        return None
    known = revenue[revenue["full_history"].astype(bool)]
    if known.empty:
        return None
    row = known.iloc[-1]
    return PeriodRevenue(
        str(row["period"]), *(_number(row[c]) for c in ("gross_retention", "net_retention", "repeat_share"))
    )


def _point(tables: Tables, unit: str, margin: float) -> PointWorth | None:
    """What one point is worth, of everybody's periods that have both a rate and revenue."""
    if "revenue" not in tables or not {"adjusted_rate", "full_history"} <= set(tables[RATE]):
        return None
    both = tables[RATE].merge(tables["revenue"][["period", "revenue"]], on="period")
    value = both["revenue"] / ((both["S"] + both["E"]) / 2).where(lambda n: n > 0)
    try:
        found = point_value(
            both, pd.DataFrame({"customer_value": value}), periods_per_year=PER_YEAR[unit], margin=margin
        )
    except DataError:  # no period has both
        return None
    return PointWorth(
        found.extra_customers,
        found.extra_revenue,
        found.extra_margin,
        found.customers,
        100 * found.rate,
        100 * found.better,
        found.periods,
        found.each,
        100 * margin,
    )


def _newest_segments(tables: Tables) -> pd.DataFrame:
    segments = tables.get("by_segment")
    if segments is None or segments.empty:
        return pd.DataFrame({"period": []})
    over = segments[segments["complete"].astype(bool)]
    return over[over["start"] == over["start"].max()]


def _segment(row: Any) -> SegmentRow:
    low, high = _number(row.rate_low), _number(row.rate_high)
    return SegmentRow(row.attribute, str(row.segment), int(row.S), _number(row.rate), low, high)


def _surveys(tables: Tables) -> tuple[SurveyRow, ...]:
    """The newest period of each kind that is over and has an answer."""
    if "feedback" not in tables:
        return ()
    over = tables["feedback"][tables["feedback"]["complete"].astype(bool)]
    newest = over[over["answered"] > 0].groupby("kind", sort=True).tail(1).sort_values("kind")
    return tuple(
        SurveyRow(
            str(row.kind),
            row.measure,
            row.period,
            int(row.answered),
            float(row.answer_rate),
            _number(row.value),
            _number(row.low),
            _number(row.high),
        )
        for row in newest.itertuples()
    )


def _stated(tables: Tables) -> tuple[StatedRow, ...]:
    """Of all periods together, the most frequent first."""
    if "reasons" not in tables:
        return ()
    total = tables["reasons"].groupby(["reason", "controllable"], as_index=False)["customers"].sum()
    total = total.sort_values(["customers", "reason"], ascending=[False, True])
    everybody = max(int(total["customers"].sum()), 1)
    return tuple(
        StatedRow(row.reason, row.controllable, int(row.customers), 100 * row.customers / everybody)
        for row in total.head(MOST_REASONS).itertuples()
    )


def _audit(tables: Tables) -> list[AuditRow]:
    """The groups whose difference is sure, the surest first."""
    if "audit" not in tables:
        return []
    sure = tables["audit"][tables["audit"]["p_adjusted"] < _SURE].head(MOST_GROUPS)
    return [
        AuditRow(
            row.fact,
            str(row.value),
            int(row.customers),
            row.lost_share,
            row.risk_ratio,
            row.low,
            row.high,
        )
        for row in sure.itertuples()
    ]


def _effects(context: Context) -> tuple[EffectRow, ...]:
    """All together first, then each action that was tried."""
    bounds = context.evidence.bounds
    names = [ALL, *(name for name in context.playbook.actions if name in bounds)]
    actions, language = context.playbook.actions, context.language_of()
    return tuple(
        _effect("" if name == ALL else title(actions[name], language), bounds[name])
        for name in names
        if name in bounds and bounds[name].rows
    )


def _effect(name: str, found: Bounds) -> EffectRow:
    """In points; an interval as wide as can be says nothing yet."""
    if not math.isfinite(found.estimate) or (found.low, found.high) == (-1.0, 1.0):
        return EffectRow(name, found.rows, None, None, None)
    return EffectRow(name, found.rows, 100 * found.estimate, 100 * found.low, 100 * found.high)


def _cohorts(tables: Tables) -> tuple[Cohort, ...]:
    if "cohorts" not in tables:
        return ()
    groups = list(tables["cohorts"].groupby("cohort", sort=True))[-MOST_COHORTS:]
    return tuple(
        Cohort(
            str(name),
            int(rows["size"].iloc[0]),
            tuple(rows.sort_values("age")["rate"].astype(float)[:MOST_COHORTS]),
        )
        for name, rows in groups
    )


def _forecasts(tables: Tables) -> tuple[int, int]:
    if "forecast" not in tables or "inside" not in tables["forecast"]:
        return 0, 0
    known = tables["forecast"]["inside"].dropna()
    return int(known.astype(bool).sum()), len(known)
