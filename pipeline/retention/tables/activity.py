"""Engagement and customer value by period: the measures beside the rate that teams set goals for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.schema import Churn
from features.definition import edge_index
from pipeline.retention.definition.at_hand import AtHand
from pipeline.retention.definition.periods import Period
from pipeline.retention.definition.purchases import purchases_at_hand


def activity_table(
    tables: Mapping[str, ir.Table],
    periods: Sequence[Period],
    as_of: dt.date,
    retention: pd.DataFrame,
    churn: Churn | None = None,
) -> pd.DataFrame:
    """Events and money per customer.

    Parameters
    ----------
    tables
        With `transactions`, `usage` or both.
    periods
        Consecutive periods, oldest first.
    as_of
        That midnight UTC is now.
    retention
        The table of `pipeline.retention.tables.rate.retention_of` for the same periods, without segment.
    churn
        What churn means here; of tables at hand it saves a look at the purchases.

    Returns
    -------
    DataFrame
        One row a period: `period`, `start`, `complete`, `average_customers` = (S + E) / 2, `purchases`, `revenue`,
        `usage_events`; `engagement`, usage events per average customer, or purchases where usage is not recorded;
        `customer_value`, revenue per average customer; `lifetime_value`, customer_value / churn rate: what a
        customer brings until it leaves if nothing changes, null when nobody was lost. Measures of an absent source,
        and of a period that is not over, are null.
    """
    now = dt.datetime.combine(as_of, dt.time())
    edges = [p.start for p in periods] + [min(periods[-1].end, now)]
    sums = pd.DataFrame({"number": range(len(periods))})
    for role, count, amount in (("transactions", "purchases", "amount"), ("usage", "usage_events", None)):
        if role in tables:
            here = _here(tables, edges, churn) if role == "transactions" else None
            each = _per_period(tables[role], edges, count, amount) if here is None else here
            sums = sums.merge(each, how="left", on="number")
            sums[count] = sums[count].fillna(0)
            if "revenue" in sums:
                sums["revenue"] = sums["revenue"].fillna(0.0)
    sums = sums.reindex(columns=["number", "purchases", "revenue", "usage_events"])
    average = (retention["S"] + retention["E"]).to_numpy(float) / 2
    over = np.array([p.complete for p in periods])
    divisor = np.where(over & (average > 0), average, np.nan)
    churned = 1 - retention["adjusted_rate"].to_numpy(float) / 100
    events = sums["usage_events"] if "usage" in tables else sums["purchases"]
    value = sums["revenue"].to_numpy(float) / divisor
    return sums.drop(columns="number").assign(
        period=[p.label for p in periods],
        start=pd.to_datetime([p.start for p in periods]),
        complete=over,
        average_customers=average,
        engagement=events.to_numpy(float) / divisor,
        customer_value=value,
        lifetime_value=value / np.where(churned > 0, churned, np.nan),
    )[
        [
            "period",
            "start",
            "complete",
            "average_customers",
            "purchases",
            "revenue",
            "usage_events",
            "engagement",
            "customer_value",
            "lifetime_value",
        ]
    ]


def _here(
    tables: Mapping[str, ir.Table], edges: Sequence[dt.datetime], churn: Churn | None
) -> pd.DataFrame | None:
    """Purchases and revenue by number of the period, as gathered of tables at hand; None where nothing is."""
    if not (isinstance(tables, AtHand) and set(edges) <= set(tables.times)):
        return None
    found = (
        purchases_at_hand(tables, churn) if churn is not None and churn.kind == "non_contractual" else None
    )
    if found is None:
        return None
    counts, paid = found.between(edges)
    sums = {"purchases": counts} | ({"revenue": paid} if "amount" in tables["transactions"].columns else {})
    return pd.DataFrame({"number": range(len(counts)), **sums})


def _per_period(events: ir.Table, edges: list[dt.datetime], count: str, amount: str | None) -> pd.DataFrame:
    has_amount = amount is not None and amount in events.columns
    # Rows of other times go before anything is asked of them: engines pass over most of these unread.
    inside = (events.occurred_at >= ibis.literal(edges[0])) & (events.occurred_at < ibis.literal(edges[-1]))
    placed = events.filter(inside).select(
        number=edge_index(events.occurred_at, edges).cast("int64") - 1,
        amount=events[amount] if has_amount else ibis.literal(0.0),
    )
    sums = {count: placed.count()} | ({"revenue": placed.amount.sum()} if has_amount else {})
    frame: pd.DataFrame = placed.group_by("number").aggregate(**sums).execute()
    return frame


READS = {
    "transactions": frozenset({"customer_id", "occurred_at", "amount"}),
    "usage": frozenset({"occurred_at"}),
}
