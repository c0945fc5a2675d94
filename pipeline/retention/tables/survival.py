"""How long customers stay: Kaplan-Meier curves by segment, with log-rank tests between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.schema import Churn
from features.definition import counts_as_churn, spells
from models.statistics.survival import logrank_table, survival_summary, survival_table
from pipeline.languages import N_
from pipeline.languages.said import Said, said
from pipeline.retention.definition.at_hand import AtHand
from pipeline.retention.definition.purchases import purchases_at_hand
from pipeline.retention.definition.segments import with_segment
from pipeline.retention.rendering import percent, show_table
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables.rate import who_is_a_customer

_ALL = "(all)"
_DAY = 86_400
AGES = (30, 90, 180, 365)


def lifetimes(
    tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, segment: str | None = None
) -> pd.DataFrame:
    """Customers by whole days of their first time as a customer, and by whether it has ended.

    A contract lasts from its start to its end; of several the first time without a gap counts. A buyer stays from the
    first purchase until `active_days` have passed since a purchase without another one, as in the rate. Those who are
    still there at as-of, and those who left for a reason that does not count as churn, are censored: known to have
    stayed so long.

    Returns
    -------
    DataFrame
        `segment`, `days`, `left` (False is censored), `customers`.
    """
    spells = (
        _contracts(tables, churn, as_of) if churn.kind == "contractual" else _purchases(tables, churn, as_of)
    )
    return counted(spells, tables, segment)


def _contracts(tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date) -> ir.Table:
    first = spells(tables)
    first = first.filter(
        first.number == 0, first.started_at < ibis.literal(dt.datetime.combine(as_of, dt.time()))
    )
    # Within the days of grace after a contract nobody knows yet whether another one follows.
    over = (first.ended_at < ibis.literal(dt.datetime.combine(as_of, dt.time()))).fill_null(False)
    left = over & counts_as_churn(first, churn)
    ended = ibis.ifelse(over, first.ended_at, ibis.null(first.ended_at.type()))
    return until(first.mutate(first_at=first.started_at), ended, left, as_of)


def _purchases(tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date) -> ir.Table:
    here = purchases_at_hand(tables, churn) if isinstance(tables, AtHand) else None
    spells = _stays(tables["transactions"], churn) if here is None else here.stays
    over = spells.lapsed_at < ibis.literal(dt.datetime.combine(as_of, dt.time()))
    return until(spells, ibis.ifelse(over, spells.lapsed_at, ibis.null("timestamp")), over, as_of)


def _stays(bought: ir.Table, churn: Churn) -> ir.Table:
    """When each customer bought first, and when no purchase had followed for `active_days`."""
    # No two purchases of one piece of the time axis lie far enough apart for a lapse between them.
    piece = bought.occurred_at.epoch_seconds() // (churn.active_days * _DAY)
    pieces = bought.group_by("customer_id", piece=piece).aggregate(
        begun_at=bought.occurred_at.min(), until=bought.occurred_at.max()
    )
    order = ibis.window(group_by="customer_id", order_by="piece")
    linked = pieces.mutate(
        until=pieces.until + ibis.interval(days=churn.active_days),
        following=pieces.begun_at.lead().over(order),
    )
    last = linked.following.isnull() | (linked.following > linked.until)
    return linked.group_by("customer_id").aggregate(
        first_at=linked.begun_at.min(), lapsed_at=linked.until.min(where=last)
    )


def until(spells: ir.Table, ended_at: ir.TimestampValue, left: ir.BooleanValue, as_of: dt.date) -> ir.Table:
    """Whole days from `first_at` to the end, or to as-of without one."""
    now = ibis.literal(dt.datetime.combine(as_of, dt.time()))
    seconds = ibis.coalesce(ended_at, now).epoch_seconds() - spells.first_at.epoch_seconds()
    return spells.select("customer_id", days=(seconds // _DAY).cast("int64"), left=left)


def counted(spells: ir.Table, tables: Mapping[str, ir.Table], segment: str | None) -> pd.DataFrame:
    """Customers by segment, days and whether it has ended."""
    named = (
        spells.mutate(segment=ibis.literal(_ALL))
        if segment is None
        else with_segment(spells, tables, segment)
    )
    by = ["segment", "days", "left"]
    counted = named.group_by(by).aggregate(customers=named.count()).order_by(by)
    frame: pd.DataFrame = counted.execute()
    return frame


def show(question: Question) -> Shown:
    """How long customers stay: Kaplan-Meier curves, with log-rank tests between segments."""
    churn = question.config.churn
    counts = lifetimes(question.tables, churn, question.as_of, question.scope.segment)
    rules = [
        who_is_a_customer(churn),
        said("Kaplan-Meier; who is still there, or left for no churn, is censored"),
    ]
    return curves(question, counts, rules, "still customers", N_("left"), N_("of those who left"))


def curves(
    question: Question, counts: pd.DataFrame, rules: list[Said], kept: str, happened: str, of_them: str
) -> Shown:
    """The curves of some counts, their summary and the tests between segments.

    Parameters
    ----------
    kept, happened, of_them
        What those in the curve are, what has happened to the others, and whose median stands beside that of all.
    """
    curve, summary, tests = survival_table(counts), survival_summary(counts, AGES), logrank_table(counts)
    segment = question.scope.segment
    ages = {f"survival_{age}d": said("{days} days", days=age) for age in AGES}
    shares = {
        name: (100 * summary[name]).map(partial(percent, language=question.language), na_action="ignore")
        for name in ages
    }
    columns = {"segment": segment or N_("customers of"), "customers": N_("customers"), "left": happened}
    columns |= {"median_days": N_("median days"), "median_days_of_leavers": of_them} | ages
    text = show_table(summary.assign(**shares), columns, question.language)
    if len(tests):
        names = {"segment": segment or "", "customers": N_("customers"), "statistic": N_("log-rank z")}
        text += "\n\n" + show_table(
            tests, names | {"p_value": N_("p"), "p_adjusted": N_("p adjusted")}, question.language
        )
        rules = [*rules, said("log-rank: each against all others; negative: later than the others")]

    def picture() -> str:
        from pipeline.languages.language import Language
        from pipeline.report.curves import survival_chart

        return survival_chart(curve, f"{question.config.name}: {kept}", rules[0], kept, Language("en"))

    return Shown(curve, text, rules, {"rows": summary, "logrank": tests, "curve": curve}, picture)


def nightly(question: Question) -> pd.DataFrame:
    """The curve of all customers."""
    return survival_table(lifetimes(question.tables, question.config.churn, question.as_of))


def _drawn(question: Question, frame: pd.DataFrame) -> str:
    """The curve of a night."""
    from pipeline.languages.language import Language
    from pipeline.report.curves import survival_chart

    language = Language(question.config.language)
    title = language.text("{company}: how long customers stay", company=question.config.name)
    note, kept = language.text("Kaplan-Meier, with its 95% interval"), language.text("still customers")
    return survival_chart(frame, title, note, kept, language)


TABLE = Table(show, span=False, picture=True, nightly=nightly, drawn=_drawn)
