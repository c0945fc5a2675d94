"""Customers who left because a payment failed: they did not decide to leave."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from configs.schema import Churn
from features.definition import spells
from pipeline.retention.definition.periods import Period

PAYMENTS = frozenset({"customer_id", "occurred_at", "recovered_at"})


def with_unpaid(ended: ir.Table, tables: Mapping[str, ir.Table], days: int) -> ir.Table:
    """Add `unpaid`: a payment failed in the last `days` days before the end and was not paid by then.

    Parameters
    ----------
    ended
        With `customer_id` and `ended_at`.
    tables
        Role to table; without `failed_payments` nobody has left unpaid.

    Examples
    --------
    >>> import pandas as pd
    >>> ended = ibis.memtable({"customer_id": ["a", "b"], "ended_at": [pd.Timestamp("2024-03-01")] * 2})
    >>> failed = ibis.memtable({"customer_id": ["a", "b"], "occurred_at": pd.to_datetime(["2024-02-10", "2024-01-10"])})
    >>> found = with_unpaid(ended, {"failed_payments": failed}, 30).order_by("customer_id")
    >>> found.to_pyarrow()["unpaid"].to_pylist()
    [True, False]
    """
    if "failed_payments" not in tables:
        return ended.mutate(unpaid=ibis.literal(False))
    failed = tables["failed_payments"]
    paid = failed.recovered_at if "recovered_at" in failed.columns else ibis.null(failed.occurred_at.type())
    payments = failed.select("customer_id", failed_at=failed.occurred_at, paid_at=paid)
    both = ended.select("customer_id", "ended_at").inner_join(payments, "customer_id")
    near = (both.failed_at <= both.ended_at) & (both.failed_at + ibis.interval(days=days) >= both.ended_at)
    open_ = both.paid_at.isnull() | (both.paid_at > both.ended_at)
    hits = (
        both.filter(near & open_).select("customer_id", "ended_at").distinct().mutate(hit=ibis.literal(True))
    )
    found = ended.left_join(hits, ["customer_id", "ended_at"])
    return found.select(*(ended[name] for name in ended.columns), unpaid=found.hit.fill_null(False))


def ends_of(
    lost: ir.Table, tables: Mapping[str, ir.Table], churn: Churn, period: Period
) -> tuple[ir.Table, int]:
    """When each of the lost of a period was lost, and the days before in which a purchase would have kept it.

    Without a contract the end comes `active_days` after the last purchase; a payment that failed since then may have
    been the next one.
    """
    if churn.kind == "contractual":
        ended, days, moment = spells(tables), churn.grace_days, "ended_at"
    else:
        ended, days, moment = tables["transactions"], churn.active_days, "occurred_at"
        ended = ended.mutate(occurred_at=ended.occurred_at + ibis.interval(days=days))
    inside = ended.filter(ended[moment] < ibis.literal(period.end)).semi_join(lost, "customer_id")
    return inside.group_by("customer_id").agg(ended_at=inside[moment].max()), days
