"""Audit of the customers lost in a period: what they have in common, against those who were kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

import ibis
import ibis.expr.types as ir
import pandas as pd
import typer

from configs.errors import DataError
from configs.schema import Churn
from models.statistics.groups import compare_groups
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.definition.involuntary import PAYMENTS, ends_of, with_unpaid
from pipeline.retention.definition.movements import statuses
from pipeline.retention.definition.periods import Period
from pipeline.retention.definition.segments import attributes, in_ranges
from pipeline.retention.rendering import percent, show_table, within_a_line
from pipeline.retention.table import Question, Shown, Table

NONE = N_("(none)")
DIGITS = 6  # the last ones depend on the order of a sum, and would move customers from one range to the next


def audit_table(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    period: Period,
    *,
    min_customers: int = 20,
    max_values: int = 30,
    bands: int = 4,
) -> pd.DataFrame:
    """Compare the lost of a period with the kept, one fact at a time.

    The population are the customers at the start; those who left for a reason that does not count as churn are
    left out. The facts are the customers' attributes, and what was on record at the start: tenure, and of the past
    `active_days` purchases, spend, mean feedback score, contacts, and payments that failed and were not paid.
    Contracts have the days since the last purchase, too; without a contract these are what being lost is defined by.
    Numbers are cut at their quantiles.

    Parameters
    ----------
    tables, churn
        As in `pipeline.retention.tables.rate.retention_of`.
    period
        A period that is over.
    min_customers, max_values
        Groups with fewer customers are not shown, nor more than so many values of one fact (the largest are).
    bands
        Number of ranges that a number is cut into.

    Returns
    -------
    DataFrame
        One row a fact and value, the surest difference first: `fact`, `value`, `customers`, `lost`, `lost_share` in
        percent, `others`, `others_lost`, `risk_ratio` of the group against all others with its 95 % interval
        `low`, `high` (Katz, on the log scale; 0.5 is added to every cell when one is empty), `p_value` (chi-squared,
        Fisher's exact test below five expected), `p_adjusted` for the number of rows (Benjamini and Hochberg).
        A difference is no cause.

    Raises
    ------
    DataError
        When the period is not over, or nobody or everybody was lost in it.
    """
    if not period.complete:
        raise DataError(f"period {period.label} is not over; audit one that is")
    status = statuses(tables, churn, period.start, period.end)
    people = status.filter(status.status.isin(["kept", "lost"]))
    facts = known_at_start(people, tables, churn, period.start).cache()
    total = facts.aggregate(n=facts.count(), lost=facts.lost.sum()).execute().iloc[0]
    everyone, lost = int(total.n), int(total.lost) if total.n else 0
    if not 0 < lost < everyone:
        raise DataError(
            f"{lost} of {everyone} customers were lost in {period.label}: nothing to compare; choose another period"
        )
    names = [c for c in facts.columns if c not in ("customer_id", "lost")]
    parts = [_groups(facts, name, max_values, bands) for name in names]
    table = pd.concat([part for part in parts if len(part) > 1] or parts[:1], ignore_index=True)
    table = table[(table["customers"] >= min_customers) & (table["customers"] < everyone)]
    return compare_groups(table.reset_index(drop=True), everyone, lost)


def known_at_start(
    people: ir.Table, tables: Mapping[str, ir.Table], churn: Churn, start: dt.datetime
) -> ir.Table:
    """The facts of each customer as they were known at the start of the period, and whether it was lost."""
    now = ibis.literal(start)
    tenure = (now.epoch_seconds() - people.first_at.epoch_seconds()) / 86_400.0
    facts = people.select("customer_id", lost=ibis.ifelse(people.status == "lost", 1, 0), tenure_days=tenure)
    own = attributes(tables)
    if own:
        facts = facts.left_join(tables["customers"].select("customer_id", *own), "customer_id")
        facts = facts.drop("customer_id_right")
    for summary in _histories(tables, churn, start):
        facts = facts.left_join(summary, "customer_id").drop("customer_id_right")
    return facts


def _histories(tables: Mapping[str, ir.Table], churn: Churn, start: dt.datetime) -> list[ir.Table]:
    """What was on record of each customer at the start of the period, one table a role."""
    since = start - dt.timedelta(days=churn.active_days)
    past = {}
    for role in ("transactions", "feedback", "contacts", "failed_payments"):
        if role in tables:
            events = tables[role]
            known = events.known_at < ibis.literal(start) if "known_at" in events.columns else True
            inside = (events.occurred_at < ibis.literal(start)) & (events.occurred_at >= ibis.literal(since))
            past[role] = events.filter(inside & known)
    found = []
    if "transactions" in past:
        bought = past["transactions"]
        idle = ibis.literal(start).epoch_seconds() - bought.occurred_at.max().epoch_seconds()
        measures: dict[str, ir.NumericScalar] = {"purchases": bought.count()}
        if churn.kind == "contractual":
            measures["days_since_purchase"] = idle / 86_400.0
        if "amount" in bought.columns:
            measures["spend"] = bought.amount.sum().round(DIGITS)
        found.append(bought.group_by("customer_id").aggregate(**measures))
    if "feedback" in past:
        answers = past["feedback"]
        found.append(answers.group_by("customer_id").aggregate(mean_score=answers.score.mean().round(DIGITS)))
    if "contacts" in past:
        talks = past["contacts"]
        found.append(talks.group_by("customer_id").aggregate(contacts=talks.count()))
    if "failed_payments" in past:
        failed = past["failed_payments"]
        if "recovered_at" in failed.columns:
            failed = failed.filter(
                failed.recovered_at.isnull() | (failed.recovered_at >= ibis.literal(start))
            )
        found.append(failed.group_by("customer_id").aggregate(unpaid_payments=failed.count()))
    return found


def involuntary(tables: Mapping[str, ir.Table], churn: Churn, period: Period, days: int) -> tuple[int, int]:
    """How many of the lost of a period left within `days` days of a payment that failed and was not paid; and all."""
    status = statuses(tables, churn, period.start, period.end)
    ended, more = ends_of(status.filter(status.status == "lost"), tables, churn, period)
    found = with_unpaid(ended, tables, days + more)
    row = found.aggregate(unpaid=found.unpaid.sum(), lost=found.count()).execute().iloc[0]
    return int(row.unpaid or 0), int(row.lost)


def _groups(facts: ir.Table, name: str, max_values: int, bands: int) -> pd.DataFrame:
    column = facts[name]
    if column.type().is_numeric():
        column = in_ranges(facts, column.cast("float64"), bands)
    text = column.cast("string").fill_null(NONE)
    counted = facts.group_by(value=text).aggregate(customers=facts.count(), lost=facts.lost.sum())
    largest = counted.order_by([ibis.desc("customers"), "value"]).limit(max_values).execute()
    frame: pd.DataFrame = largest.astype({"customers": "int64", "lost": "int64"})
    frame.insert(0, "fact", name)
    return frame


def show(
    question: Question,
    period: Annotated[
        str | None,
        typer.Option(metavar="PERIOD", help="Such as 2011-09; the last complete one when left out."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 20,
) -> Shown:
    """What the customers lost in a period have in common, against those kept."""
    scope, as_of = question.scope, question.as_of
    chosen = scope.named(period, as_of) if period else scope.last_complete(as_of)
    frame = audit_table(question.tables, question.config.churn, chosen)
    columns = {
        "fact": N_("fact"),
        "value": N_("value"),
        "customers": N_("customers"),
        "lost": N_("lost"),
        "lost_share": N_("lost share"),
        "risk_ratio": N_("risk ratio"),
        "low": N_("95 % from"),
        "high": N_("to"),
        "p_adjusted": N_("p adjusted"),
    }
    rules = [
        said(
            "lost in {period}: each group against all others; p for {n} comparisons (Benjamini-Hochberg)",
            period=chosen.label,
            n=len(frame),
        ),
        said("a difference is no cause"),
    ]
    more: dict[str, object] = {"period": chosen.label}
    if "failed_payments" in question.tables:
        days = question.config.retention.reasons.dunning_days
        unpaid, lost = involuntary(question.tables, question.config.churn, chosen, days)
        more |= {"involuntary": unpaid, "lost": lost}
        rules.append(
            said(
                "involuntary: of {unpaid} of {lost} lost ({share}) a payment failed near the end and was not paid",
                unpaid=unpaid,
                lost=lost,
                share=within_a_line(percent, 100 * unpaid / max(lost, 1), question.language),
            )
        )
    if len(frame) > rows:
        rules.append(
            said(
                "{n} less certain rows are not shown; {option} N shows more, {out} keeps all",
                n=len(frame) - rows,
                option="--rows",
                out="--out",
            )
        )
    told = frame.head(rows)
    if question.language.code != "en":
        from pipeline.report.worklist import group_name

        told = told.assign(value=[group_name(question.language, value) for value in told["value"]])
    return Shown(frame, show_table(told, columns, question.language), rules, more)


def nightly(question: Question) -> pd.DataFrame:
    """The audit of the newest period that is over."""
    period = question.scope.last_complete(question.as_of)
    return audit_table(question.tables, question.config.churn, period).assign(period=period.label)


EVENT = frozenset({"customer_id", "occurred_at", "known_at"})
READS = {
    "transactions": EVENT | {"amount"},
    "feedback": EVENT | {"score"},
    "contacts": EVENT,
    "failed_payments": EVENT | PAYMENTS,
}
TABLE = Table(show, READS, segment=False, nightly=nightly)
