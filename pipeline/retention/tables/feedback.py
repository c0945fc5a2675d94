"""What customers say, by period: NPS, satisfaction, product-market fit and answer rates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import typer

from configs.errors import ConfigError
from configs.schema import Config
from features.definition import customers_at, edge_index
from models.statistics.intervals import Z_95, wilson
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.definition.periods import Period, utc_midnight
from pipeline.retention.definition.segments import with_segment
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables.trends import customer_trends, requests, stopped_answering, trend_table

PMF_LINE = 40.0


@dataclass(frozen=True)
class Survey:
    """How the answers of one kind of feedback are read.

    Parameters
    ----------
    measure
        `nps`: share of promoters less share of detractors, in points. `csat`, `pmf`: share at or above `top`.
        `mean`: the average score.
    top
        The lowest score of a promoter, of a satisfied customer, of one very disappointed without the product.
    bottom
        `nps`: the highest score of a detractor.
    """

    measure: Literal["nps", "csat", "pmf", "mean"] = "mean"
    top: float = 0.0
    bottom: float = 0.0


NPS = Survey("nps", top=9, bottom=6)
CSAT = Survey("csat", top=4)
PMF = Survey("pmf", top=3)
USUAL_SURVEYS = {"nps": NPS, "csat": CSAT, "pmf": PMF}


def feedback_table(
    tables: Mapping[str, ir.Table],
    periods: Sequence[Period],
    as_of: dt.date,
    *,
    surveys: Mapping[str, Survey] | None = None,
    segment: str | None = None,
) -> pd.DataFrame:
    """Measures of each kind of feedback by period.

    Parameters
    ----------
    tables
        With the role `feedback`: a row without a score was asked and not answered.
    periods
        Consecutive periods, oldest first.
    as_of
        That midnight UTC is now.
    surveys
        Kind of feedback to how it is read; other kinds show their mean. Absent: the kinds `nps` (0 to 10), `csat`
        (1 to 5) and `pmf` (3 is very disappointed). Without a column `kind` there is one kind, `(all)`.
    segment
        A customer attribute.

    Returns
    -------
    DataFrame
        `period`, `complete`, `segment`, `kind`, `measure`, `asked`, `answered`, `customers` asked, `answer_rate` in
        percent, `mean_score`, `value` of the measure (percent, points or score) with its 95 % interval `low`, `high`
        (Wilson for shares, normal otherwise), and `reached`, for `pmf`: whether `value` is at the 40 % line.

    Raises
    ------
    ConfigError
        Without the role `feedback`.
    """
    asked = requests(tables)
    read = USUAL_SURVEYS if surveys is None else surveys
    now = dt.datetime.combine(as_of, dt.time())
    edges = [p.start for p in periods] + [min(periods[-1].end, now)]
    asked = asked.mutate(number=edge_index(asked.occurred_at, edges).cast("int64") - 1)
    asked = asked.filter((asked.number >= 0) & (asked.number < len(periods)))
    if segment is not None:
        asked = with_segment(asked, tables, segment)
    tops = [(asked.kind == kind, asked.score >= survey.top) for kind, survey in read.items()]
    bottoms = [(asked.kind == kind, asked.score <= survey.bottom) for kind, survey in read.items()]
    by = ["number", *(["segment"] if segment else []), "kind"]
    counted = asked.group_by(by).aggregate(
        asked=asked.count(),
        answered=asked.score.count(),
        customers=asked.customer_id.nunique(),
        mean_score=asked.score.mean(),
        spread=asked.score.var(how="pop"),
        top=ibis.cases(*tops, else_=False).cast("int64").sum().fill_null(0),
        bottom=ibis.cases(*bottoms, else_=False).cast("int64").sum().fill_null(0),
    )
    frame: pd.DataFrame = counted.order_by(by).execute()
    values = pd.DataFrame([_value(read.get(row["kind"], Survey()), row) for row in frame.to_dict("records")])
    frame = frame.assign(
        period=[periods[k].label for k in frame["number"]],
        complete=[periods[k].complete for k in frame["number"]],
        answer_rate=100 * frame["answered"] / frame["asked"],
        **{name: values[name] if len(values) else [] for name in ("measure", "value", "low", "high")},
    )
    frame["reached"] = (frame["value"] >= PMF_LINE).where(frame["measure"] == "pmf").astype("boolean")
    first = ["period", "complete", *by[1:], "measure", "asked", "answered", "customers"]
    return frame[[*first, "answer_rate", "mean_score", "value", "low", "high", "reached"]]


def _value(survey: Survey, row: Mapping[str, Any]) -> dict[str, object]:
    """The measure of one row of counts; null without an answer."""
    answered, top, bottom = (float(row[name]) for name in ("answered", "top", "bottom"))
    found: dict[str, object] = {"measure": survey.measure, "value": np.nan, "low": np.nan, "high": np.nan}
    if answered == 0:
        return found
    if survey.measure in ("csat", "pmf"):
        low, high = wilson(top, answered)
        return found | {"value": 100 * top / answered, "low": 100 * float(low), "high": 100 * float(high)}
    if survey.measure == "nps":
        score = (top - bottom) / answered
        half = Z_95 * float(np.sqrt(((top + bottom) / answered - score**2) / answered))
        return found | {"value": 100 * score, "low": 100 * (score - half), "high": 100 * (score + half)}
    mean, half = float(row["mean_score"]), Z_95 * float(np.sqrt(row["spread"] / answered))
    return found | {"value": mean, "low": mean - half, "high": mean + half}


def surveys(config: Config) -> dict[str, Survey] | None:
    """How the config reads each kind of feedback; None for the usual way."""
    rules = config.retention.surveys
    if rules is None:
        return None
    return {kind: Survey(rule.measure, rule.top or 0.0, rule.bottom or 0.0) for kind, rule in rules.items()}


def of_question(question: Question) -> pd.DataFrame:
    """Measures of each kind of feedback, read as the config says."""
    scope, as_of = question.scope, question.as_of
    return feedback_table(
        question.tables, scope.until(as_of), as_of, surveys=surveys(question.config), segment=scope.segment
    )


def show(
    question: Question,
    table: Annotated[
        str, typer.Option(help="measures, trend, customers (their trends) or stopped (answering).")
    ] = "measures",
) -> Shown:
    """NPS, satisfaction, product-market fit, answer rates, trends, and who stopped answering."""
    kinds = {"measures": _measures, "trend": _trend, "customers": _customers, "stopped": _stopped}
    if table not in kinds:
        raise ConfigError(f"--table {table!r} is unknown; use measures, trend, customers or stopped")
    return kinds[table](question)


def _measures(question: Question) -> Shown:
    frame = of_question(question)
    keys = ("period", "segment", "kind", "measure", "asked", "answered")
    columns = {name: name for name in keys if name in frame}
    columns |= {
        "answer_rate": N_("answer rate"),
        "value": N_("value"),
        "low": N_("95 % from"),
        "high": N_("to"),
    }
    if frame["reached"].notna().any():
        columns["reached"] = N_("at 40 %")
    rule = said(
        "nps in points, csat and pmf in percent of the answers; {option}, {second} or {third} for more",
        option="--table trend",
        second="customers",
        third="stopped",
    )
    return Shown(frame, show_table(frame, columns, question.language), [rule])


def _trend(question: Question) -> Shown:
    frame = trend_table(question.tables, question.as_of, segment=question.scope.segment)
    rule = said("by least squares over all answers of a customer; steady: less than 0.1 points in 90 days")
    return Shown(frame, show_table(frame, list(frame.columns), question.language), [rule])


def _customers(question: Question) -> Shown:
    trends = customer_trends(question.tables, question.as_of)
    frame = trends.order_by(["slope", "customer_id", "kind"]).execute()
    text = show_table(frame.head(20), list(frame.columns), question.language)
    return Shown(frame, text, [said("slope in points per 90 days, the steepest fall first; 20 shown")])


def _stopped(question: Question) -> Shown:
    here = customers_at(question.tables, question.config.churn, utc_midnight(question.as_of))
    frame = stopped_answering(question.tables, here)
    rule = said("customers who used to answer and have left two or more requests since")
    return Shown(frame, show_table(frame.head(20), list(frame.columns), question.language), [rule])


READS = {"feedback": frozenset({"customer_id", "occurred_at", "score", "kind"})}
TABLE = Table(show, READS, nightly=of_question, needs=("feedback",))
