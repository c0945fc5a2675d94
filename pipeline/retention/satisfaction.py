"""What customers say: NPS, satisfaction, product-market fit, answer rates, trends, and who stopped answering."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.errors import ConfigError
from models.statistics.intervals import Z_95, wilson
from pipeline.retention.membership import edge_index, with_segment
from pipeline.retention.periods import Period

ALL = "(all)"
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
    asked = _asked(tables)
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


def customer_trends(tables: Mapping[str, ir.Table], as_of: dt.date, min_answers: int = 3) -> ir.Table:
    """Each customer's trend over all answers of a kind, by least squares.

    Returns
    -------
    Table
        `customer_id`, `kind`, `answers`, `mean_score`, `last_score`, `last_at`, `slope` in score points per 90 days
        (null when all answers came at once). One row a customer and kind with at least `min_answers`; not executed,
        since it can be large.
    """
    answers = _asked(tables).filter(lambda t: t.score.notnull())
    now = ibis.literal(dt.datetime.combine(as_of, dt.time())).epoch_seconds()
    quarters = (answers.occurred_at.epoch_seconds() - now) / (90 * 86_400.0)
    dated = answers.mutate(x=quarters)
    sums = dated.group_by("customer_id", "kind").aggregate(
        answers=dated.count(),
        mean_score=dated.score.mean(),
        last_score=dated.score.argmax(dated.occurred_at),
        last_at=dated.occurred_at.max(),
        shared=dated.x.cov(dated.score, how="pop"),
        spread=dated.x.var(how="pop"),
    )
    slope = ibis.ifelse(sums.spread > 1e-12, sums.shared / sums.spread, ibis.null("float64"))
    kept = sums.filter(sums.answers >= min_answers).mutate(slope=slope)
    return kept.select("customer_id", "kind", "answers", "mean_score", "last_score", "last_at", "slope")


def trend_table(
    tables: Mapping[str, ir.Table],
    as_of: dt.date,
    *,
    segment: str | None = None,
    min_answers: int = 3,
    flat: float = 0.1,
) -> pd.DataFrame:
    """How many customers' scores fall, stay or rise, by kind (and segment).

    Returns
    -------
    DataFrame
        `segment`, `kind`, `customers`, `falling`, `steady`, `rising` (a slope of less than `flat` points per 90 days
        is steady), `mean_slope`.
    """
    trends = customer_trends(tables, as_of, min_answers).filter(lambda t: t.slope.notnull())
    if segment is not None:
        trends = with_segment(trends, tables, segment)
    by = [*(["segment"] if segment else []), "kind"]
    counted = trends.group_by(by).aggregate(
        customers=trends.count(),
        falling=(trends.slope <= -flat).sum(),
        steady=(trends.slope.abs() < flat).sum(),
        rising=(trends.slope >= flat).sum(),
        mean_slope=trends.slope.mean(),
    )
    frame: pd.DataFrame = counted.order_by(by).execute()
    return frame


def stopped_answering(
    tables: Mapping[str, ir.Table],
    among: ir.Table | None = None,
    *,
    min_unanswered: int = 2,
    limit: int = 1_000,
) -> pd.DataFrame:
    """Customers who used to answer and have left at least `min_unanswered` requests since without an answer.

    Parameters
    ----------
    tables
        With the role `feedback`.
    among
        A table of `customer_id` to stay with, such as that of `pipeline.retention.membership.customers_at`.
    min_unanswered, limit
        How many requests, and at most how many rows.

    Returns
    -------
    DataFrame
        `customer_id`, `answers`, `last_answer_at`, `last_score`, `unanswered`, `last_asked_at`; the most
        unanswered first.
    """
    asked = _asked(tables)
    if among is not None:
        asked = asked.semi_join(among, "customer_id")
    answered = asked.filter(asked.score.notnull())
    last = answered.group_by("customer_id").aggregate(
        answers=answered.count(),
        last_answer_at=answered.occurred_at.max(),
        last_score=answered.score.argmax(answered.occurred_at),
    )
    silent = asked.filter(asked.score.isnull()).inner_join(last, "customer_id")
    silent = silent.filter(silent.occurred_at > silent.last_answer_at)
    summed = silent.group_by("customer_id", "answers", "last_answer_at", "last_score").aggregate(
        unanswered=silent.count(), last_asked_at=silent.occurred_at.max()
    )
    order = [ibis.desc("unanswered"), "customer_id"]
    frame: pd.DataFrame = (
        summed.filter(summed.unanswered >= min_unanswered).order_by(order).limit(limit).execute()
    )
    return frame


def _asked(tables: Mapping[str, ir.Table]) -> ir.Table:
    if "feedback" not in tables:
        raise ConfigError("these figures need sources.feedback; map it")
    feedback = tables["feedback"]
    kind = feedback.kind.fill_null(ALL) if "kind" in feedback.columns else ibis.literal(ALL)
    return feedback.select("customer_id", "occurred_at", "score", kind=kind)


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
