"""How each customer's scores move, and who stopped answering."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.errors import ConfigError
from features.dialects import newest_value
from pipeline.retention.definition.segments import with_segment

_ALL = "(all)"


def customer_trends(tables: Mapping[str, ir.Table], as_of: dt.date, min_answers: int = 3) -> ir.Table:
    """Each customer's trend over all answers of a kind, by least squares.

    Returns
    -------
    Table
        `customer_id`, `kind`, `answers`, `mean_score`, `last_score`, `last_at`, `slope` in score points per 90 days
        (null when all answers came at once). One row a customer and kind with at least `min_answers`; not executed,
        since it can be large.
    """
    answers = requests(tables).filter(lambda t: t.score.notnull())
    now = ibis.literal(dt.datetime.combine(as_of, dt.time())).epoch_seconds()
    quarters = (answers.occurred_at.epoch_seconds() - now) / (90 * 86_400.0)
    dated = answers.mutate(x=quarters)
    keys = ["customer_id", "kind"]
    dated, last_score = newest_value(dated, "score", "occurred_at", dated.score.notnull(), keys)
    sums = dated.group_by(keys).aggregate(
        answers=dated.count(),
        mean_score=dated.score.mean(),
        last_score=last_score,
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
        A table of `customer_id` to stay with, such as that of `features.definition.customers_at`.
    min_unanswered, limit
        How many requests, and at most how many rows.

    Returns
    -------
    DataFrame
        `customer_id`, `answers`, `last_answer_at`, `last_score`, `unanswered`, `last_asked_at`; the most
        unanswered first.
    """
    asked = requests(tables)
    if among is not None:
        asked = asked.semi_join(among, "customer_id")
    answered = asked.filter(asked.score.notnull())
    answered, last_score = newest_value(
        answered, "score", "occurred_at", answered.score.notnull(), ["customer_id"]
    )
    last = answered.group_by("customer_id").aggregate(
        answers=answered.count(),
        last_answer_at=answered.occurred_at.max(),
        last_score=last_score,
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


def requests(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Requests for feedback, by kind; a row without a score was not answered."""
    if "feedback" not in tables:
        raise ConfigError("these figures need sources.feedback; map it")
    feedback = tables["feedback"]
    kind = feedback.kind.fill_null(_ALL) if "kind" in feedback.columns else ibis.literal(_ALL)
    return feedback.select("customer_id", "occurred_at", "score", kind=kind)
