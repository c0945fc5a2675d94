"""Revenue retention: gross and net, contraction and expansion, and how much comes from repeat purchases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.errors import ConfigError, DataError, Fault
from configs.schema import Churn
from features.dialects import engine_of, exact_sum
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.definition.paid import paid_by_period
from pipeline.retention.definition.periods import Unit, periods_until
from pipeline.retention.definition.segments import with_segment
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table

SUMS = (
    "revenue",
    "base_revenue",
    "lost_revenue",
    "contraction",
    "expansion",
    "won_revenue",
    "repeat_revenue",
    "given_back",
    "buyers",
    "repeat_buyers",
)


def revenue_table(
    tables: Mapping[str, ir.Table],
    as_of: dt.date,
    unit: Unit = "month",
    *,
    periods: int = 12,
    segment: str | None = None,
    time_zone: str = "UTC",
    first_weekday: int = 0,
    churn: Churn | None = None,
) -> pd.DataFrame:
    """Revenue of each period against the period before, customer by customer.

    Amounts of the transactions count when they occurred, and cancellations and refunds are taken off when they did: a
    customer to whom more was given back than came in brings less than nothing in that period.

    Parameters
    ----------
    churn
        What churn means here; of tables at hand it saves a look for the first purchases.

    Returns
    -------
    DataFrame
        One row a period (and segment): `period`, `start`, `end`, `segment`, then

        - `revenue`, and `base_revenue`, that of the period before;
        - `lost_revenue`: what those bring less who paid nothing this time; `contraction`, `expansion`: what the
          others paid less or more; `won_revenue`: what those bring more who paid nothing the time before. revenue =
          base - lost - contraction + expansion + won;
        - `gross_retention` = (base - lost - contraction) / base and `net_retention` = gross + expansion / base, in
          percent, null without a base;
        - `repeat_revenue` and `repeat_share`: from purchases after a customer's first, in percent of all purchases,
          both before anything is given back; `given_back`: cancellations and refunds;
        - `buyers`, `repeat_buyers`: customers with a purchase, and with one that was not their first;
        - `full_history`: the records cover the period before.

    Raises
    ------
    ConfigError
        When no amounts are mapped.
    DataError
        When the parts do not add up to the revenue.
    """
    if "transactions" not in tables or "amount" not in tables["transactions"].columns:
        raise ConfigError("revenue needs sources.transactions with the column amount; map it")
    chosen = periods_until(as_of, unit, periods + 1, time_zone=time_zone, first_weekday=first_weekday)
    if len(chosen) < 2:
        raise DataError(
            "revenue retention compares two complete periods; there are fewer before the as-of date"
        )
    edges = [p.start for p in chosen] + [chosen[-1].end]
    parts = [_added(each, tables, segment) for each in paid_by_period(tables, edges, churn)]
    frame = pd.concat(parts, ignore_index=True)
    by_number = pd.DataFrame(
        {
            "number": range(len(chosen)),
            "period": [p.label for p in chosen],
            "start": pd.to_datetime([p.start for p in chosen]),
            "end": pd.to_datetime([p.end for p in chosen]),
            "before": pd.to_datetime([chosen[0].start] + [p.start for p in chosen[:-1]]),
        }
    )
    rows = by_number[1:].merge(frame, how="left" if segment is None else "inner", on="number")
    rows = rows.fillna(dict.fromkeys(SUMS, 0.0))
    _check(rows)
    known_since = pd.Timestamp(tables["transactions"].occurred_at.min().execute()).floor("D")
    with np.errstate(divide="ignore", invalid="ignore"):
        base = rows["base_revenue"].where(rows["base_revenue"] > 0)
        bought = rows["revenue"] + rows["given_back"]
        gross = 100 * (base - rows["lost_revenue"] - rows["contraction"]) / base
        rates = {
            "gross_retention": gross,
            "net_retention": gross + 100 * rows["expansion"] / base,
            "repeat_share": 100 * rows["repeat_revenue"] / bought.where(bought > 0),
        }
    keys = ["period", "start", "end", *(["segment"] if segment else [])]
    full = rows["before"] >= known_since
    return (
        rows[[*keys, *SUMS]].assign(**rates, full_history=full).astype({"buyers": int, "repeat_buyers": int})
    )


def _added(each: ir.Table, tables: Mapping[str, ir.Table], segment: str | None) -> pd.DataFrame:
    """The sums over the customers of each period (and segment)."""
    if segment is not None:
        each = with_segment(each, tables, segment)
    stays, paid_before = each.now > 0, each.before > 0
    less, more = each.now < each.before, each.now > each.before
    engine = engine_of(each)

    def total(amount: ir.NumericValue, where: ir.BooleanValue | None = None) -> ir.NumericValue:
        # To the same digits whatever the order of the rows, which differs from night to night.
        return exact_sum(amount, where, engine).cast("float64").fill_null(0.0)

    sums = {
        "revenue": total(each.now),
        "base_revenue": total(each.before),
        "lost_revenue": total(each.before - each.now, paid_before & ~stays),
        "contraction": total(each.before - each.now, paid_before & stays & less),
        "expansion": total(each.now - each.before, paid_before & more),
        "won_revenue": total(each.now - each.before, ~paid_before),
        "repeat_revenue": total(each.again),
        "given_back": total(each.back),
        "buyers": each.bought.cast("int64").sum().cast("float64"),
        "repeat_buyers": each.bought_again.cast("int64").sum().cast("float64"),
    }
    by = ["number", *(["segment"] if segment else [])]
    frame: pd.DataFrame = each.group_by(by).aggregate(**sums).order_by(by).execute()
    return frame


def _check(rows: pd.DataFrame) -> None:
    parts = rows["base_revenue"] - rows["lost_revenue"] - rows["contraction"] + rows["expansion"]
    parts += rows["won_revenue"]
    off = ~np.isclose(parts, rows["revenue"], rtol=1e-9, atol=1e-6 * max(1.0, rows["revenue"].abs().max()))
    if off.any():
        faults = [
            Fault(str(p), "the parts do not add up to the revenue") for p in rows.loc[off, "period"][:5]
        ]
        raise DataError("revenue retention is inconsistent", faults)


def of_question(question: Question) -> pd.DataFrame:
    """Gross and net revenue retention of the question's periods."""
    scope = question.scope
    return revenue_table(
        question.tables,
        question.as_of,
        scope.unit,
        segment=scope.segment,
        churn=question.config.churn,
        **scope.calendar,
    )


def show(question: Question) -> Shown:
    """Gross and net revenue retention, and how much comes from repeat purchases."""
    frame = of_question(question)
    columns = {
        "period": N_("period"),
        **({"segment": N_("segment")} if "segment" in frame else {}),
        "base_revenue": N_("before"),
        "lost_revenue": N_("lost"),
        "contraction": N_("less"),
        "expansion": N_("more"),
        "won_revenue": N_("won"),
        "revenue": N_("revenue"),
        "gross_retention": N_("gross"),
        "net_retention": N_("net"),
        "repeat_share": N_("repeat"),
    }
    rules = [
        said("revenue, net of cancellations and refunds = before - lost - less + more + won"),
        said("gross = (before - lost - less) / before; net adds more"),
        said("repeat: share of all purchases, before refunds, that was not a customer's first"),
    ]
    return Shown(frame, show_table(frame, columns, question.language), rules)


READS = {
    "transactions": frozenset({"amount"}),
    "cancellations": frozenset({"customer_id", "occurred_at", "amount"}),
}
TABLE = Table(show, READS, nightly=of_question, needs=("transactions.amount",))
