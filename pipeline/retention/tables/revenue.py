"""Revenue retention: gross and net, contraction and expansion, and how much comes from repeat purchases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.errors import ConfigError, DataError, Fault
from features.definition import edge_index
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.definition.periods import Period, Unit, periods_until
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
) -> pd.DataFrame:
    """Revenue of each period against the period before, customer by customer.

    Amounts of the transactions count when they occurred, and cancellations and refunds are taken off when they did: a
    customer to whom more was given back than came in brings less than nothing in that period.

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
    frame = _sums(tables, chosen, segment)
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


def _sums(tables: Mapping[str, ir.Table], chosen: tuple[Period, ...], segment: str | None) -> pd.DataFrame:
    bought = tables["transactions"]
    edges = [p.start for p in chosen] + [chosen[-1].end]
    first = bought.group_by("customer_id").aggregate(first_at=bought.occurred_at.min())
    placed = _placed(bought, edges).inner_join(first, "customer_id")
    again = placed.occurred_at > placed.first_at
    paid = placed.group_by("customer_id", "number").aggregate(
        now=placed.amount.sum().fill_null(0.0),
        again=placed.amount.sum(where=again).fill_null(0.0),
        back=ibis.literal(0.0),
        bought=ibis.literal(1, "int64"),
        bought_again=again.any().cast("int64"),
    )
    if "cancellations" in tables and "amount" in tables["cancellations"].columns:
        paid = _less(paid, _placed(tables["cancellations"], edges))
    each = _beside_the_one_before(paid)
    each = each.filter((each.number >= 1) & (each.number < len(chosen)))
    if segment is not None:
        each = with_segment(each, tables, segment)
    stays, paid_before = each.now > 0, each.before > 0
    less, more = each.now < each.before, each.now > each.before
    sums = {
        "revenue": each.now.sum(),
        "base_revenue": each.before.sum(),
        "lost_revenue": (each.before - each.now).sum(where=paid_before & ~stays),
        "contraction": (each.before - each.now).sum(where=paid_before & stays & less),
        "expansion": (each.now - each.before).sum(where=paid_before & more),
        "won_revenue": (each.now - each.before).sum(where=~paid_before),
        "repeat_revenue": each.again.sum(),
        "given_back": each.back.sum(),
        "buyers": each.bought.sum(),
        "repeat_buyers": each.bought_again.sum(),
    }
    by = ["number", *(["segment"] if segment else [])]
    filled = {name: value.cast("float64").fill_null(0.0) for name, value in sums.items()}
    frame: pd.DataFrame = each.group_by(by).aggregate(**filled).order_by(by).execute()
    return frame


def _placed(rows: ir.Table, edges: list[dt.datetime]) -> ir.Table:
    """Rows of the periods, with the number of theirs."""
    found = rows.select("customer_id", "occurred_at", "amount", place=edge_index(rows.occurred_at, edges))
    found = found.filter((found.place >= 1) & (found.place < len(edges)))
    return found.mutate(number=(found.place - 1).cast("int64"))


def _less(paid: ir.Table, given: ir.Table) -> ir.Table:
    """What each customer paid in each period, less what was given back in it."""
    given = given.group_by("customer_id", "number").aggregate(back=given.amount.sum().fill_null(0.0))
    none = {"again": 0.0, "bought": ibis.literal(0, "int64"), "bought_again": ibis.literal(0, "int64")}
    both = paid.union(given.mutate(now=-given.back, **none).select(*paid.columns))
    sums = ("now", "again", "back", "bought", "bought_again")
    return both.group_by("customer_id", "number").aggregate(**{name: both[name].sum() for name in sums})


def _beside_the_one_before(paid: ir.Table) -> ir.Table:
    """Each customer's sums of a period beside those of the period before."""
    earlier = paid.select("customer_id", number=paid.number + 1, before=paid.now)
    both = paid.outer_join(earlier, ["customer_id", "number"])
    own = ("now", "again", "back", "bought", "bought_again", "before")
    return both.select(
        customer_id=ibis.coalesce(both.customer_id, both.customer_id_right),
        number=ibis.coalesce(both.number, both.number_right),
        **{name: both[name].fill_null(0) for name in own},
    )


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
    return revenue_table(question.tables, question.as_of, scope.unit, segment=scope.segment, **scope.calendar)


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
