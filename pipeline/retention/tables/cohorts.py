"""Cohorts: customers by the period they started in, and how many are left after each further period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd
import typer

from configs.errors import ConfigError, DataError
from configs.schema import Churn
from features.definition import EXCUSED, any_of, bit_set, edge_index, names_of, words
from features.dialects import engine_of
from models.statistics.intervals import wilson
from pipeline.languages.names import in_words
from pipeline.languages.said import figure, said
from pipeline.retention.definition.movements import memberships
from pipeline.retention.definition.periods import Unit, periods_until
from pipeline.retention.definition.segments import with_segment
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables.rate import who_is_a_customer

_Measure = Literal["customer", "purchase"]


def cohort_table(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    as_of: dt.date,
    unit: Unit = "month",
    *,
    periods: int = 12,
    measure: _Measure = "customer",
    segment: str | None = None,
    time_zone: str = "UTC",
    first_weekday: int = 0,
) -> pd.DataFrame:
    """How many of those who started in a period are left, by periods since.

    Parameters
    ----------
    tables, churn, as_of
        As in `pipeline.retention.tables.rate.retention_of`.
    unit, periods, time_zone, first_weekday
        Which complete periods, as in `pipeline.retention.definition.periods.periods_until`.
    measure
        `customer`: is a customer at the end of the period, on the definition of the rate. `purchase`: bought in
        the period; of periods that are not over nothing is shown.
    segment
        A customer attribute to split the cohorts by.

    Returns
    -------
    DataFrame
        One row a cohort (and segment) and `age`, the number of whole periods after the one it started in:
        `cohort`, `started` (naive UTC), `segment`, `size`, `age`, `customers`, `rate` in percent of `size` with its
        95 % Wilson interval `rate_low`, `rate_high`.

    Raises
    ------
    ConfigError
        When purchases are wanted of a company that has none.
    DataError
        When the as-of date lies before the first period.
    """
    if measure == "purchase" and "transactions" not in tables:
        raise ConfigError("cohorts by purchase need sources.transactions; use measure customer")
    chosen = periods_until(as_of, unit, periods, time_zone=time_zone, first_weekday=first_weekday)
    if not chosen:
        raise DataError("no period to report; the as-of date lies before the first one")
    edges = [p.start for p in chosen] + [chosen[-1].end]
    members = memberships(tables, churn, edges)
    if measure == "purchase":
        starts = members.select("customer_id", "first_at", "first_index")
        members = starts.inner_join(_bought(tables["transactions"], edges), "customer_id")
    if segment is not None:
        members = with_segment(members, tables, segment)
    counted = _count(members, len(chosen), segment is not None)
    named = counted.assign(
        cohort=counted["number"].map(dict(enumerate(p.label for p in chosen))),
        started=counted["number"].map(dict(enumerate(pd.Timestamp(p.start) for p in chosen))),
        rate=100 * counted["customers"] / counted["size"],
    )
    low, high = wilson(named["customers"], named["size"])
    columns = ["cohort", "started", *(["segment"] if segment else []), "size", "age", "customers", "rate"]
    return named[columns].assign(rate_low=100 * low, rate_high=100 * high)


def cohort_matrix(table: pd.DataFrame, value: str = "rate") -> pd.DataFrame:
    """The long table as a triangle: cohorts down, ages across; null where it is not over yet."""
    rows = ["cohort", *(["segment"] if "segment" in table else []), "size"]
    return table.pivot(index=rows, columns="age", values=value)


def _bought(purchases: ir.Table, edges: list[dt.datetime]) -> ir.Table:
    """Bit `k + 1` of a customer's words: bought in period `k`."""
    at = purchases.select("customer_id", place=edge_index(purchases.occurred_at, edges))
    return any_of(at, words(at["place"], at["place"] + 1, len(edges) + 1, engine_of(at)))


def _count(members: ir.Table, periods: int, by_segment: bool) -> pd.DataFrame:
    """Size and customers by cohort number, segment and age.

    Edge `number + 1` ends the cohort's own period, and the bit of a period's purchases has the number of the edge that
    ends it: one index serves both measures.
    """
    started = members.filter((members.first_index >= 1) & (members.first_index <= periods))
    keys = [
        c
        for c in started.columns
        if c not in ("customer_id", "first_at", *names_of(members.columns, EXCUSED))
    ]
    histories = started.group_by(keys).aggregate(n=ibis._.count())
    ages = ibis.memtable([(k,) for k in range(periods)], schema={"age": "int64"})
    each = histories.cross_join(ages)
    each = each.filter(each.first_index + each.age <= periods)
    each = each.mutate(number=each.first_index - 1, there=bit_set(each, each.first_index + each.age))
    by = ["number", *(["segment"] if by_segment else []), "age"]
    counted = each.group_by(by).aggregate(
        size=each.n.sum(), customers=each.n.sum(where=each.there).fill_null(0)
    )
    frame: pd.DataFrame = counted.order_by(by).execute()
    return frame.astype({"number": "int64", "size": "int64", "customers": "int64"})


def of_question(question: Question, measure: _Measure = "customer") -> pd.DataFrame:
    """The cohorts of the question's periods."""
    scope = question.scope
    return cohort_table(
        question.tables,
        question.config.churn,
        question.as_of,
        scope.unit,
        measure=measure,
        segment=scope.segment,
        **scope.calendar,
    )


def show(
    question: Question,
    measure: Annotated[
        str, typer.Option(help="customer: still one at a period's end; purchase: bought in it.")
    ] = "customer",
) -> Shown:
    """Who is left of the customers who started together."""
    unit = in_words("units", question.scope.unit)
    rules = {
        "customer": said(
            "percent of those who started: still customers at the end of the k-th {unit} after", unit=unit
        ),
        "purchase": said("percent of those who started: with a purchase in the k-th {unit} after", unit=unit),
    }
    if measure not in rules:
        raise ConfigError(f"--measure {measure!r} is unknown; use customer or purchase")
    rule = rules[measure]
    frame = of_question(question, "purchase" if measure == "purchase" else "customer")
    triangle = cohort_matrix(frame).reset_index()
    ages = [column for column in triangle.columns if isinstance(column, int)]
    told = {
        f"age {a}": triangle[a].map(
            partial(figure, spec=".1f", language=question.language), na_action="ignore"
        )
        for a in ages
    }
    keys = [c for c in ("cohort", "segment", "size") if c in triangle]
    text = show_table(
        triangle.assign(**told), {k: k for k in keys} | {f"age {a}": str(a) for a in ages}, question.language
    )

    def picture() -> str:
        from pipeline.languages.language import Language
        from pipeline.report.curves import cohort_chart

        if question.scope.segment:
            raise ConfigError("--picture draws all cohorts of one kind; leave --segment out")
        title = f"{question.config.name}: who is left of each {unit}'s new customers"
        return cohort_chart(frame, title, rule, unit, Language("en"))

    return Shown(frame, text, [rule, who_is_a_customer(question.config.churn)], picture=picture)


def _drawn(question: Question, frame: pd.DataFrame) -> str:
    """The cohorts of a night."""
    from pipeline.languages.language import Language
    from pipeline.languages.names import name
    from pipeline.report.curves import cohort_chart

    unit, language = question.scope.unit, Language(question.config.language)
    title = language.text("{company}: who is left of the new customers", company=question.config.name)
    note = language.text("by the {unit} of the start", unit=name(language, "units", unit))
    return cohort_chart(frame, title, note, unit, language)


TABLE = Table(show, picture=True, nightly=of_question, drawn=_drawn)
