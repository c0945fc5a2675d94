"""Slow, obvious pandas versions of the retention tables, from the definitions, not from the fast code."""

import datetime as dt

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
