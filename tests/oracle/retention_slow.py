"""Slow, obvious pandas versions of the retention tables, from the definitions, not from the fast code."""

import datetime as dt
import itertools

import pandas as pd

NEVER = pd.Timestamp.max


def customers_at(frames, churn, t):
    """The set of customers at `t`, straight from the definition."""
    if churn.kind == "contractual":
        c = frames["customers"]
        return set(c.customer_id[(c.started_at < t) & ~(c.ended_at < t)])
    p = frames["transactions"]
    since = t - pd.Timedelta(days=churn.active_days)
    return set(p.customer_id[(p.occurred_at >= since) & (p.occurred_at < t)])


def first_times(frames, churn):
    if churn.kind == "contractual":
        return frames["customers"].set_index("customer_id").started_at.dropna()
    return frames["transactions"].groupby("customer_id").occurred_at.min()


def status_sets(frames, churn, start, end):
    """Kept, lost, not_churn, new, returned and came_and_went as sets."""
    at_start, at_end = customers_at(frames, churn, start), customers_at(frames, churn, end)
    first = first_times(frames, churn)
    fresh = set(first.index[(first >= start) & (first < end)])
    excused = set()
    if churn.kind == "contractual" and churn.not_churn_reasons:
        c = frames["customers"]
        inside = (c.ended_at >= start) & (c.ended_at < end)
        excused = set(c.customer_id[inside & c.end_reason.isin(churn.not_churn_reasons)])
    gone = at_start - at_end
    return {
        "kept": at_start & at_end,
        "lost": gone,
        "not_churn": gone & excused,
        "new": (at_end - at_start) & fresh,
        "returned": (at_end - at_start) - fresh,
        "came_and_went": fresh - at_end,
    }


def retention(frames, churn, periods, as_of, segment=None):
    """One dict of counts a period (and segment value)."""
    now = dt.datetime.combine(as_of, dt.time())
    value_of = {}
    if segment:
        c = frames["customers"]
        value_of = {k: v for k, v in zip(c.customer_id, c[segment], strict=True) if not pd.isna(v)}
    ever = set(first_times(frames, churn).index)
    values = sorted({value_of.get(c, "(none)") for c in ever}) if segment else [None]
    rows = []
    for p in periods:
        sets = status_sets(frames, churn, p.start, min(p.end, now))
        for value in values:
            mine = {c for c in ever if not segment or value_of.get(c, "(none)") == value}
            n = {name: len(members & mine) for name, members in sets.items()}
            row = {"period": p.label} | ({"segment": value} if segment else {})
            n |= {"S": n["kept"] + n["lost"], "N": n["new"] + n["returned"]}
            rows.append(row | n | {"E": n["kept"] + n["N"]})
    return rows


def cohorts(frames, churn, periods, measure):
    """Rows of cohort, age, size and customers."""
    first = first_times(frames, churn)
    rows = []
    for k, p in enumerate(periods):
        mine = set(first.index[(first >= p.start) & (first < p.end)])
        for age, later in enumerate(periods[k:]):
            if measure == "customer":
                there = customers_at(frames, churn, later.end)
            else:
                t = frames["transactions"]
                there = set(t.customer_id[(t.occurred_at >= later.start) & (t.occurred_at < later.end)])
            if mine:
                rows.append((p.label, age, len(mine), len(mine & there)))
    return rows


def lifetimes(frames, churn, as_of):
    """Whole days and whether it ended, of each customer's first time as a customer."""
    now = pd.Timestamp(as_of)
    rows = {}
    if churn.kind == "contractual":
        for c in frames["customers"].itertuples():
            ended = not pd.isna(c.ended_at)
            span = (c.ended_at if ended else now) - c.started_at
            rows[c.customer_id] = (span.days, ended and c.end_reason not in churn.not_churn_reasons)
        return rows
    for customer, times in frames["transactions"].groupby("customer_id").occurred_at:
        until = None
        for t in sorted(times):
            if until is not None and t > until:
                break
            until = t + pd.Timedelta(days=churn.active_days)
        left = until < now
        rows[customer] = (((until if left else now) - times.min()).days, left)
    return rows


def kaplan_meier(durations):
    """Day to survival, by the product limit, one day after another."""
    survival, curve = 1.0, {}
    for day in sorted({d for d, _ in durations}):
        at_risk = sum(d >= day for d, _ in durations)
        survival *= 1 - sum(d == day and left for d, left in durations) / at_risk
        curve[day] = survival
    return curve


def logrank_z(mine, others):
    """The log-rank statistic of two samples from its textbook sums; positive: `mine` leave sooner."""
    both = mine + others
    excess = variance = 0.0
    for day in sorted({d for d, left in both if left}):
        n, n1 = sum(d >= day for d, _ in both), sum(d >= day for d, _ in mine)
        gone = sum(d == day and left for d, left in both)
        excess += sum(d == day and left for d, left in mine) - gone * n1 / n
        if n > 1:
            variance += gone * (n1 / n) * (1 - n1 / n) * (n - gone) / (n - 1)
    return excess / variance**0.5


def revenue(frames, periods):
    """Revenue split of each period against the one before, customer by customer."""
    bought = frames["transactions"]
    first = bought.groupby("customer_id").occurred_at.min().to_dict()
    rows = []
    for before, now in itertools.pairwise(periods):
        money = []
        for p in (before, now):
            inside = bought[(bought.occurred_at >= p.start) & (bought.occurred_at < p.end)]
            net = inside.groupby("customer_id").amount.sum()
            given = frames.get("cancellations", bought.iloc[:0])
            given = given[(given.occurred_at >= p.start) & (given.occurred_at < p.end)]
            money.append(net.sub(given.groupby("customer_id").amount.sum(), fill_value=0.0).to_dict())
        base, paid = money
        row = dict.fromkeys(["lost_revenue", "contraction", "expansion", "won_revenue"], 0.0)
        for customer in set(base) | set(paid):
            a, b = base.get(customer, 0.0), paid.get(customer, 0.0)
            if a <= 0:
                row["won_revenue"] += b - a
            elif b <= 0:
                row["lost_revenue"] += a - b
            else:
                row["contraction"] += max(a - b, 0)
                row["expansion"] += max(b - a, 0)
        again = inside[inside.occurred_at > inside.customer_id.map(first)]
        row |= {"revenue": sum(paid.values()), "base_revenue": sum(base.values())}
        row |= {"given_back": given.amount.sum()}
        row |= {"repeat_revenue": again.amount.sum(), "buyers": inside.customer_id.nunique()}
        rows.append({"period": now.label, **row, "repeat_buyers": again.customer_id.nunique()})
    return pd.DataFrame(rows)
