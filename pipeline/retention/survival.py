"""How long customers stay: Kaplan-Meier curves, log-rank tests, and the time to the second purchase."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from configs.errors import ConfigError, DataError
from configs.schema import Churn
from pipeline.retention.membership import with_segment

ALL = "(all)"
DAY = 86_400


def lifetimes(
    tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, segment: str | None = None
) -> pd.DataFrame:
    """Customers by whole days of their first time as a customer, and by whether it has ended.

    A contract lasts from its start to its end. A buyer stays from the first purchase until `active_days` have
    passed since a purchase without another one, as in the rate. Those who are still there at as-of, and those who
    left for a reason that does not count as churn, are censored: known to have stayed so long.

    Returns
    -------
    DataFrame
        `segment`, `days`, `left` (False is censored), `customers`.
    """
    spells = (
        _contracts(tables, churn, as_of) if churn.kind == "contractual" else _purchases(tables, churn, as_of)
    )
    return _counted(spells, tables, segment)


def second_purchases(
    tables: Mapping[str, ir.Table], as_of: dt.date, segment: str | None = None
) -> pd.DataFrame:
    """Customers by whole days from the first to the second purchase; `left` is False for those still without.

    Purchases at the same instant are one. The shape is that of `lifetimes`, so that the same curve can be drawn.
    """
    if "transactions" not in tables:
        raise ConfigError("the time to the second purchase needs sources.transactions; map it")
    bought = tables["transactions"]
    first = bought.group_by("customer_id").aggregate(first_at=bought.occurred_at.min())
    later = bought.inner_join(first, "customer_id").filter(lambda t: t.occurred_at > t.first_at)
    second = later.group_by("customer_id").aggregate(ended_at=later.occurred_at.min())
    spells = first.left_join(second, "customer_id").select("customer_id", "first_at", "ended_at")
    return _counted(_until(spells, spells.ended_at, spells.ended_at.notnull(), as_of), tables, segment)


def survival_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Kaplan-Meier estimate by segment.

    Parameters
    ----------
    counts
        What `lifetimes` or `second_purchases` returned.

    Returns
    -------
    DataFrame
        `segment`, `days`, `at_risk` just before, `left` on that day, `survival` and its 95 % log-log interval
        `low`, `high`, as shares; one row for day 0 and each day on which somebody left or was censored.

    Examples
    --------
    >>> counts = pd.DataFrame({"segment": "(all)", "days": [10, 20, 20], "left": [True, True, False],
    ...     "customers": [1, 1, 2]})
    >>> survival_table(counts)[["days", "at_risk", "left", "survival"]].values.tolist()
    [[0.0, 4.0, 0.0, 1.0], [10.0, 4.0, 1.0, 0.75], [20.0, 3.0, 1.0, 0.5]]
    """
    parts = []
    for segment, rows in counts.groupby("segment", sort=True):
        curve = stats.ecdf(_sample(rows)).sf
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of shares of 0 and 1, whose interval is null
            interval = curve.confidence_interval(method="log-log")
        by_day = rows.assign(gone=rows["customers"].where(rows["left"], 0)).groupby("days")
        here, gone = by_day["customers"].sum(), by_day["gone"].sum()
        part = {
            "segment": segment,
            "days": here.index.to_numpy(),
            "at_risk": here[::-1].cumsum()[::-1].to_numpy(),
            "left": gone.to_numpy(),
            "survival": curve.probabilities,
            "low": interval.low.probabilities,
            "high": interval.high.probabilities,
        }
        opening = {"segment": segment, "days": 0, "at_risk": here.sum(), "left": 0}
        opening |= dict.fromkeys(("survival", "low", "high"), 1.0)
        parts.append(pd.concat([pd.DataFrame([opening] if here.index[0] > 0 else []), pd.DataFrame(part)]))
    if not parts:
        raise DataError("no customer has started before the as-of date; there is no survival curve")
    return pd.concat(parts, ignore_index=True)


def survival_summary(counts: pd.DataFrame, at_days: Sequence[int] = (30, 90, 180, 365)) -> pd.DataFrame:
    """Customers, leavers, median days and survival at some ages, by segment.

    `median_days` is null while more than half are still there. Ages that nobody has been watched for are null.
    `median_days_of_leavers` is the plain median among those who left: shorter than the truth, since the others
    are still to come.
    """
    curves = survival_table(counts)
    rows = []
    for segment, curve in curves.groupby("segment", sort=True):
        mine = counts[counts["segment"] == segment]
        gone = mine[mine["left"]]
        below = curve.loc[curve["survival"] <= 0.5 + 1e-12, "days"]
        row: dict[str, object] = {
            "segment": segment,
            "customers": int(mine["customers"].sum()),
            "left": int(gone["customers"].sum()),
            "median_days": float(below.iloc[0]) if len(below) else np.nan,
            "median_days_of_leavers": float(np.median(np.repeat(gone["days"], gone["customers"])))
            if len(gone)
            else np.nan,
        }
        for age in at_days:
            before = curve.loc[curve["days"] <= age, "survival"]
            seen = age <= curve["days"].max()
            row[f"survival_{age}d"] = (float(before.iloc[-1]) if len(before) else 1.0) if seen else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def logrank_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Log-rank test of each segment against all others, adjusted for the number of tests.

    Returns
    -------
    DataFrame
        `segment`, `customers`, `statistic` (negative: leaves later than the others), `p_value`, `p_adjusted`
        (Benjamini-Hochberg). Empty with fewer than two segments.
    """
    rows = []
    segments = sorted(counts["segment"].unique())
    for segment in segments if len(segments) > 1 else []:
        mine = counts["segment"] == segment
        result = stats.logrank(_sample(counts[mine]), _sample(counts[~mine]))
        size = int(counts.loc[mine, "customers"].sum())
        rows.append((segment, size, float(result.statistic), float(result.pvalue)))
    table = pd.DataFrame(rows, columns=["segment", "customers", "statistic", "p_value"])
    adjusted = stats.false_discovery_control(table["p_value"].fillna(1.0)) if rows else []
    return table.assign(p_adjusted=adjusted)


def _sample(counts: pd.DataFrame) -> stats.CensoredData:
    days = np.repeat(counts["days"].to_numpy(float), counts["customers"])
    left = np.repeat(counts["left"].to_numpy(bool), counts["customers"])
    return stats.CensoredData.right_censored(days, ~left)


def _contracts(tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date) -> ir.Table:
    customers = tables["customers"].filter(lambda t: t.started_at.notnull())
    left = customers.ended_at.notnull()
    if churn.not_churn_reasons:
        left &= ~customers.end_reason.fill_null("").isin(churn.not_churn_reasons)
    spells = customers.mutate(first_at=customers.started_at)
    return _until(spells, customers.ended_at, left, as_of)


def _purchases(tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date) -> ir.Table:
    bought = tables["transactions"]
    # No two purchases of one piece of the time axis lie far enough apart for a lapse between them.
    piece = bought.occurred_at.epoch_seconds() // (churn.active_days * DAY)
    pieces = bought.group_by("customer_id", piece=piece).aggregate(
        begun_at=bought.occurred_at.min(), until=bought.occurred_at.max()
    )
    order = ibis.window(group_by="customer_id", order_by="piece")
    linked = pieces.mutate(
        until=pieces.until + ibis.interval(days=churn.active_days),
        following=pieces.begun_at.lead().over(order),
    )
    last = linked.following.isnull() | (linked.following > linked.until)
    spells = linked.group_by("customer_id").aggregate(
        first_at=linked.begun_at.min(), lapsed_at=linked.until.min(where=last)
    )
    over = spells.lapsed_at < ibis.literal(dt.datetime.combine(as_of, dt.time()))
    return _until(spells, ibis.ifelse(over, spells.lapsed_at, ibis.null("timestamp")), over, as_of)


def _until(spells: ir.Table, ended_at: ir.TimestampValue, left: ir.BooleanValue, as_of: dt.date) -> ir.Table:
    now = ibis.literal(dt.datetime.combine(as_of, dt.time()))
    seconds = ibis.coalesce(ended_at, now).epoch_seconds() - spells.first_at.epoch_seconds()
    return spells.select("customer_id", days=(seconds // DAY).cast("int64"), left=left)


def _counted(spells: ir.Table, tables: Mapping[str, ir.Table], segment: str | None) -> pd.DataFrame:
    named = (
        spells.mutate(segment=ibis.literal(ALL)) if segment is None else with_segment(spells, tables, segment)
    )
    by = ["segment", "days", "left"]
    counted = named.group_by(by).aggregate(customers=named.count()).order_by(by)
    frame: pd.DataFrame = counted.execute()
    return frame
