"""What follows from contracts, several a customer: when somebody is one, what became larger or smaller, trials, pauses.

The rules, which hold wherever contracts are read:

- A contract **runs** from `started_at` to `ended_at`. A **trial** does not: a contract that is a trial as a whole never
  runs, one that is a trial until `trial_ends_at` runs from then on, if it has not ended by then: it **converted**.
  Contracts whose status says that they never began don't run either, nor do those that end when they start.
- Somebody is a **customer** while a contract runs, and for `grace_days` after the last one has ended: a gap that is no
  longer is bridged. At its end nobody else follows, so that is when the customer is **lost**; whoever has a contract
  again later has **returned**. Nothing of this asks at a time for what comes later.
- The customer's **level** is the sum of the amounts of the running contracts, or of the places of their plans. Day by
  day, and across bridged gaps, a rise is an **upgrade** and a fall a **downgrade**; a first contract, a return and a
  loss are none.
- A **pause** is a time from `paused_at` to `resumed_at`, in which a contract runs on, or a bridged gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.roles import TRUE_WORDS
from features.dialects import engine_of, epoch
from features.snapshots import DAY

ON_TRIAL = ("trial", "trialing", "trialling", "in_trial", "on_trial", "in trial", "free trial")
NEVER_BEGAN = ("incomplete", "incomplete_expired", "pending", "future", "draft", "failed")
OVER = (
    "canceled",
    "cancelled",
    "ended",
    "expired",
    "churned",
    "terminated",
    "closed",
    "inactive",
    "finished",
)
PAUSED = ("paused", "on_hold", "on hold", "suspended")
OPEN = dt.datetime(9999, 1, 1)
_SMALLEST = 1e-6


def marked(contracts: ir.Table, plans: Sequence[str], grace_days: int) -> ir.Table:
    """The contracts with what the rules above say of each; columns that say nothing more are gone.

    Parameters
    ----------
    contracts
        One row a contract, with the columns of the role that are mapped.
    plans
        From the smallest to the largest; empty where an amount tells the level, or nothing does.
    grace_days
        See the rules.

    Returns
    -------
    Table
        With `paid_at`, the time from which it runs, null when it never does; `grace_days`; where the columns tell it
        `tried`, whether it began as a trial, and `level`.

    Examples
    --------
    >>> import pandas as pd
    >>> start, end = pd.to_datetime(["2024-01-01"] * 2), pd.to_datetime([None, "2024-01-20"])
    >>> rows = pd.DataFrame({"customer_id": ["a", "b"], "started_at": start, "ended_at": end})
    >>> rows["trial_ends_at"] = pd.Timestamp("2024-01-15")
    >>> marked(ibis.memtable(rows.assign(plan=["Pro", "free"])), ["free", "pro"], 7).to_pandas().paid_at.dt.day.tolist()
    [15, 15]
    """
    rows, names = contracts, contracts.columns
    status = rows.status.lower() if "status" in names else ibis.literal("")
    whole = status.fill_null("").isin(ON_TRIAL)
    if "trial" in names:
        whole |= rows.trial.fill_null("").isin(TRUE_WORDS)
    never = ibis.null(rows.started_at.type())
    paid = ibis.ifelse(whole, never, rows.started_at)
    tried = whole
    if "trial_ends_at" in names:
        paid = ibis.ifelse(
            rows.trial_ends_at.isnull(), paid, ibis.greatest(rows.started_at, rows.trial_ends_at)
        )
        tried |= (rows.trial_ends_at > rows.started_at).fill_null(False)
    begun = ~status.fill_null("").isin(NEVER_BEGAN)
    runs = begun & (rows.ended_at.isnull() | (rows.ended_at > paid))
    told: dict[str, Any] = {}
    if {"status", "trial", "trial_ends_at"} & set(names):
        told["tried"] = begun & tried
    if "paused_at" in names and "resumed_at" not in names:
        told["resumed_at"] = ibis.null(rows.paused_at.type())
    if "amount" in names:
        told["level"] = rows.amount.fill_null(0.0)
    elif plans:
        places = [(name.lower(), float(place)) for place, name in enumerate(plans, 1)]
        told["level"] = ibis.cases(*((rows.plan.lower() == name, place) for name, place in places), else_=0.0)
    return rows.mutate(
        paid_at=ibis.ifelse(runs, paid, never), grace_days=ibis.literal(grace_days, "int32"), **told
    ).drop(*{"contract_id", "status", "trial"} & set(names))


def running(contracts: ir.Table) -> ir.Table:
    """The contracts that ever run, with `started_at` at the time from which they do."""
    return contracts.filter(contracts.paid_at.notnull()).mutate(started_at=contracts.paid_at)


def contract_spells(contracts: ir.Table) -> ir.Table:
    """The times at which somebody is a customer: contracts that run side by side or follow each other are one.

    Parameters
    ----------
    contracts
        As of `marked`.

    Returns
    -------
    Table
        One row a customer and spell: `customer_id`, `number` from 0, `started_at`, `ended_at` with the days of grace,
        null while it is open, `next_at`, the start of the customer's next spell, and, where there are reasons,
        `end_reason` of the contract that ended last.

    Examples
    --------
    >>> import pandas as pd
    >>> start = pd.to_datetime(["2024-01-01", "2024-02-05", "2024-06-01"])
    >>> end = pd.to_datetime(["2024-02-01", "2024-03-01", None])
    >>> rows = ibis.memtable(pd.DataFrame({"customer_id": "a", "started_at": start, "ended_at": end}))
    >>> found = contract_spells(marked(rows, [], 7)).order_by("number").to_pandas()
    >>> [str(day.date()) for day in found.started_at], [str(day.date()) for day in found.ended_at.dropna()]
    (['2024-01-01', '2024-06-01'], ['2024-03-08'])
    """
    rows = running(contracts)
    over = ibis.coalesce(rows.ended_at + rows.grace_days.as_interval("D"), ibis.literal(OPEN))
    reasons = {"end_reason": rows.end_reason} if "end_reason" in rows.columns else {}
    each = rows.select("customer_id", "started_at", until=over, **reasons)
    order = {"group_by": "customer_id", "order_by": ["started_at", "until"]}
    reach = each.until.max().over(ibis.window(**order, preceding=(None, 1)))
    each = each.mutate(opens=(reach.isnull() | (each.started_at > reach)).cast("int32"))
    so_far = each.opens.sum().over(ibis.window(**order, preceding=None, following=0))
    each = each.mutate(number=(so_far - 1).cast("int32"))
    each = each.mutate(at_last=each.until.max().over(ibis.window(group_by=["customer_id", "number"])))
    told = {"end_reason": each.end_reason.max(where=each.until == each.at_last)} if reasons else {}
    found = each.group_by("customer_id", "number").agg(
        started_at=each.started_at.min(), until=each.until.max(), **told
    )
    following = found.started_at.lead().over(ibis.window(group_by="customer_id", order_by="number"))
    ended = found.until.nullif(ibis.literal(OPEN))
    return found.mutate(ended_at=ended, next_at=following).drop("until")


def people(contracts: ir.Table, as_of: dt.datetime) -> ir.Table:
    """One row for everybody who was a customer before a time.

    Returns
    -------
    Table
        `customer_id`; `started_at` of the first spell; `ended_at` and, where there are reasons, `end_reason` of the
        last one, null while it is open; with plans `first_plan`, that of the first contract, the first in the alphabet
        of several.
    """
    midnight = ibis.literal(as_of)
    begun = contract_spells(contracts)
    begun = begun.filter(begun.started_at < midnight)
    newest = begun.number.max().over(ibis.window(group_by="customer_id"))
    begun = begun.mutate(over=(begun.number == newest) & (begun.ended_at < midnight).fill_null(False))
    told = {"end_reason": begun.end_reason.max(where=begun.over)} if "end_reason" in begun.columns else {}
    found = begun.group_by("customer_id").agg(
        started_at=begun.started_at.min(), ended_at=begun.ended_at.max(where=begun.over), **told
    )
    if "plan" not in contracts.columns:
        return found
    rows = running(contracts)
    rows = rows.mutate(first_at=rows.started_at.min().over(ibis.window(group_by="customer_id")))
    plans = (
        rows.filter(rows.started_at == rows.first_at).group_by("customer_id").agg(first_plan=rows.plan.min())
    )
    both = found.left_join(plans, "customer_id")
    return both.select(*found.columns, "first_plan")


def changes(contracts: ir.Table) -> ir.Table:
    """Upgrades and downgrades: `customer_id`, `occurred_at`, the first moment of the day, and `change` of the level.

    Examples
    --------
    >>> import pandas as pd
    >>> start, end = pd.to_datetime(["2024-01-01", "2024-02-01"]), pd.to_datetime(["2024-02-01", None])
    >>> rows = pd.DataFrame({"customer_id": "a", "started_at": start, "ended_at": end, "amount": [10.0, 25.0]})
    >>> changes(marked(ibis.memtable(rows), [], 0)).to_pandas().change.tolist()
    [15.0]
    """
    rows = running(contracts)
    ended = rows.filter(rows.ended_at.notnull())
    sides = [
        side.select(
            "customer_id", "grace_days", day=moment.truncate("D"), level=sign * side.level, running=number
        )
        for side, moment, sign, number in (
            (rows, rows.started_at, 1.0, ibis.literal(1)),
            (ended, ended.ended_at, -1.0, ibis.literal(-1)),
        )
    ]
    both = ibis.union(*sides)
    days = both.group_by("customer_id", "day").agg(
        level=both.level.sum(), running=both.running.sum(), grace_days=both.grace_days.max()
    )
    past = ibis.window(group_by="customer_id", order_by="day", preceding=None, following=0)
    order = ibis.window(group_by="customer_id", order_by="day")
    days = days.mutate(
        level=days.level.sum().over(past),
        running=days.running.sum().over(past),
        until=days.day.lead().over(order),
    )
    held = days.filter(days.running > 0)
    held = held.mutate(before=held.level.lag().over(order), left=held.until.lag().over(order))
    engine = engine_of(contracts)
    gap = (epoch(held.day, engine) - epoch(held.left, engine)) / DAY
    moved = held.mutate(change=held.level - held.before)
    moved = moved.filter((gap <= moved.grace_days) & (moved.change.abs() > _SMALLEST))
    return moved.select("customer_id", "change", occurred_at=moved.day)


def starts(contracts: ir.Table) -> ir.Table:
    """The contracts at the time from which they run, with their amounts."""
    rows = running(contracts)
    return rows.select("customer_id", *_amount(rows), occurred_at=rows.started_at)


def _amount(rows: ir.Table) -> list[str]:
    return ["amount"] if "amount" in rows.columns else []


def contract_terms(contracts: ir.Table) -> ir.Table:
    """The fixed terms at the time from which they run, with `term_day`, the day since 1970 on which they end."""
    rows = running(contracts)
    rows = rows.filter(rows.term_ends_at.notnull())
    return rows.select(
        "customer_id", occurred_at=rows.started_at, term_day=epoch(rows.term_ends_at, engine_of(rows)) / DAY
    )


def ends(contracts: ir.Table) -> ir.Table:
    """The contracts that ran at the time at which they ended."""
    rows = running(contracts)
    return rows.filter(rows.ended_at.notnull()).select(
        "customer_id", *_amount(rows), occurred_at=rows.ended_at
    )


def trials(contracts: ir.Table) -> ir.Table:
    """The trials at the time at which they began."""
    return contracts.filter(contracts.tried).select("customer_id", occurred_at=contracts.started_at)


def conversions(contracts: ir.Table) -> ir.Table:
    """Customers who began with a trial, at the time from which their first contract runs.

    Examples
    --------
    >>> import pandas as pd
    >>> start = pd.to_datetime(["2024-01-01", "2024-01-20", "2024-02-01"])
    >>> rows = pd.DataFrame({"customer_id": ["a", "a", "b"], "started_at": start, "trial": ["yes", "no", "no"]})
    >>> rows = ibis.memtable(rows.assign(ended_at=pd.to_datetime([None] * 3)))
    >>> [(row.customer_id, row.occurred_at.day) for row in conversions(marked(rows, [], 0)).to_pandas().itertuples()]
    [('a', 20)]
    """
    rows = contracts.group_by("customer_id").agg(
        tried_at=contracts.started_at.min(where=contracts.tried), occurred_at=contracts.paid_at.min()
    )
    return rows.filter(rows.tried_at <= rows.occurred_at).drop("tried_at")


def pauses(contracts: ir.Table) -> ir.Table:
    """The pauses of contracts, at the time at which they began."""
    rows = running(contracts)
    paused = rows.filter(rows.paused_at.notnull())
    return paused.select("customer_id", occurred_at=paused.paused_at)


def resumptions(contracts: ir.Table) -> ir.Table:
    """The ends of pauses: the contract went on, or ended."""
    rows = running(contracts)
    paused = rows.filter(rows.paused_at.notnull())
    again = ibis.least(
        ibis.coalesce(paused.resumed_at, paused.ended_at), ibis.coalesce(paused.ended_at, paused.resumed_at)
    )
    over = paused.mutate(again=ibis.greatest(again, paused.paused_at)).filter(again.notnull())
    return over.select("customer_id", occurred_at=over.again)
