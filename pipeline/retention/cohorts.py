"""Cohorts: customers by the period they started in, and how many are left after each further period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.errors import ConfigError, DataError
from configs.schema import Churn
from features.dialects import any_bits, engine_of
from models.statistics.intervals import wilson
from pipeline.retention.membership import bit, edge_index, memberships, with_segment, words
from pipeline.retention.periods import Unit, periods_until

Measure = Literal["customer", "purchase"]


def cohort_table(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    as_of: dt.date,
    unit: Unit = "month",
    *,
    periods: int = 12,
    measure: Measure = "customer",
    segment: str | None = None,
    time_zone: str = "UTC",
    first_weekday: int = 0,
) -> pd.DataFrame:
    """How many of those who started in a period are left, by periods since.

    Parameters
    ----------
    tables, churn, as_of
        As in `pipeline.retention.rate.retention_of`.
    unit, periods, time_zone, first_weekday
        Which complete periods, as in `pipeline.retention.periods.periods_until`.
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
    bits = words(at["place"], at["place"] + 1, len(edges) + 1)
    engine = engine_of(at)
    found = {name: any_bits(word, None, engine) for name, word in bits.items()}
    return at.group_by("customer_id").aggregate(**found)


def _count(members: ir.Table, periods: int, by_segment: bool) -> pd.DataFrame:
    """Size and customers by cohort number, segment and age.

    Edge `number + 1` ends the cohort's own period, and the bit of a period's purchases has the number of the edge that
    ends it: one index serves both measures.
    """
    started = members.filter((members.first_index >= 1) & (members.first_index <= periods))
    keys = [c for c in started.columns if c not in ("customer_id", "first_at", "excused_index")]
    histories = started.group_by(keys).aggregate(n=ibis._.count())
    ages = ibis.memtable([(k,) for k in range(periods)], schema={"age": "int64"})
    each = histories.cross_join(ages)
    each = each.filter(each.first_index + each.age <= periods)
    each = each.mutate(number=each.first_index - 1, there=bit(each, each.first_index + each.age))
    by = ["number", *(["segment"] if by_segment else []), "age"]
    counted = each.group_by(by).aggregate(
        size=each.n.sum(), customers=each.n.sum(where=each.there).fill_null(0)
    )
    frame: pd.DataFrame = counted.order_by(by).execute()
    return frame.astype({"number": "int64", "size": "int64", "customers": "int64"})
