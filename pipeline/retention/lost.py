"""Audit of the customers lost in a period: what they have in common, against those who were kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from configs.errors import DataError
from configs.schema import Churn
from models.statistics.intervals import Z_95
from pipeline.retention.membership import attributes, in_ranges, statuses
from pipeline.retention.periods import Period

NONE = "(none)"
DIGITS = 6  # the last ones depend on the order of a sum, and would move customers from one range to the next


def audit_table(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    period: Period,
    *,
    min_customers: int = 20,
    max_values: int = 30,
    bands: int = 4,
) -> pd.DataFrame:
    """Compare the lost of a period with the kept, one fact at a time.

    The population are the customers at the start; those who left for a reason that does not count as churn are
    left out. The facts are the customers' attributes, and what was on record at the start: tenure, and of the past
    `active_days` purchases, spend, mean feedback score and contacts. Contracts have the days since the last
    purchase, too; without a contract these are what being lost is defined by. Numbers are cut at their quantiles.

    Parameters
    ----------
    tables, churn
        As in `pipeline.retention.rate.retention_of`.
    period
        A period that is over.
    min_customers, max_values
        Groups with fewer customers are not shown, nor more than so many values of one fact (the largest are).
    bands
        Number of ranges that a number is cut into.

    Returns
    -------
    DataFrame
        One row a fact and value, the surest difference first: `fact`, `value`, `customers`, `lost`, `lost_share` in
        percent, `others`, `others_lost`, `risk_ratio` of the group against all others with its 95 % interval
        `low`, `high` (Katz, on the log scale; 0.5 is added to every cell when one is empty), `p_value` (chi-squared,
        Fisher's exact test below five expected), `p_adjusted` for the number of rows (Benjamini and Hochberg).
        A difference is no cause.

    Raises
    ------
    DataError
        When the period is not over, or nobody or everybody was lost in it.
    """
    if not period.complete:
        raise DataError(f"period {period.label} is not over; audit one that is")
    status = statuses(tables, churn, period.start, period.end)
    people = status.filter(status.status.isin(["kept", "lost"]))
    facts = _with_facts(people, tables, churn, period.start).cache()
    total = facts.aggregate(n=facts.count(), lost=facts.lost.sum()).execute().iloc[0]
    everyone, lost = int(total.n), int(total.lost) if total.n else 0
    if not 0 < lost < everyone:
        raise DataError(
            f"{lost} of {everyone} customers were lost in {period.label}: nothing to compare; choose another period"
        )
    names = [c for c in facts.columns if c not in ("customer_id", "lost")]
    parts = [_groups(facts, name, max_values, bands) for name in names]
    table = pd.concat([part for part in parts if len(part) > 1] or parts[:1], ignore_index=True)
    table = table[(table["customers"] >= min_customers) & (table["customers"] < everyone)]
    return compare_groups(table.reset_index(drop=True), everyone, lost)


def compare_groups(groups: pd.DataFrame, everyone: int, lost: int) -> pd.DataFrame:
    """Add risk ratio, interval and p-values to groups with `customers` and `lost`, each against all the others.

    Examples
    --------
    >>> groups = pd.DataFrame({"fact": "plan", "value": ["basic"], "customers": [40], "lost": [20]})
    >>> row = compare_groups(groups, everyone=100, lost=26).iloc[0]
    >>> float(row.risk_ratio), int(row.others), round(float(row.p_value), 6)
    (5.0, 60, 8e-06)
    """
    n1, l1 = groups["customers"].to_numpy(float), groups["lost"].to_numpy(float)
    n0, l0 = everyone - n1, lost - l1
    half = np.where((l1 == 0) | (l0 == 0), 0.5, 0.0)
    a, b, m, n = l1 + half, l0 + half, n1 + 2 * half, n0 + 2 * half
    ratio = (a / m) / (b / n)
    error = np.sqrt(np.maximum(1 / a - 1 / m + 1 / b - 1 / n, 0))
    p_values = np.array([_p_value(*cells) for cells in zip(l1, n1 - l1, l0, n0 - l0, strict=True)])
    table = groups.assign(
        lost_share=100 * l1 / n1,
        others=n0.astype(int),
        others_lost=l0.astype(int),
        risk_ratio=ratio,
        low=ratio * np.exp(-Z_95 * error),
        high=ratio * np.exp(Z_95 * error),
        p_value=p_values,
        p_adjusted=stats.false_discovery_control(p_values) if len(p_values) else p_values,
    )
    return table.sort_values(["p_value", "fact", "value"], ignore_index=True)


def _p_value(lost: float, kept: float, others_lost: float, others_kept: float) -> float:
    cells = np.array([[lost, kept], [others_lost, others_kept]])
    expected = np.outer(cells.sum(1), cells.sum(0)) / cells.sum()
    if expected.min() < 5:
        return float(stats.fisher_exact(cells.astype(int)).pvalue)
    return float(stats.chi2_contingency(cells, correction=False).pvalue)


def _with_facts(
    people: ir.Table, tables: Mapping[str, ir.Table], churn: Churn, start: dt.datetime
) -> ir.Table:
    now = ibis.literal(start)
    tenure = (now.epoch_seconds() - people.first_at.epoch_seconds()) / 86_400.0
    facts = people.select("customer_id", lost=(people.status == "lost").cast("int64"), tenure_days=tenure)
    own = attributes(tables)
    if own:
        facts = facts.left_join(tables["customers"].select("customer_id", *own), "customer_id")
        facts = facts.drop("customer_id_right")
    for summary in _histories(tables, churn, start):
        facts = facts.left_join(summary, "customer_id").drop("customer_id_right")
    return facts


def _histories(tables: Mapping[str, ir.Table], churn: Churn, start: dt.datetime) -> list[ir.Table]:
    """What was on record of each customer at the start of the period, one table a role."""
    since = start - dt.timedelta(days=churn.active_days)
    past = {}
    for role in ("transactions", "feedback", "contacts"):
        if role in tables:
            events = tables[role]
            known = events.known_at < ibis.literal(start) if "known_at" in events.columns else True
            inside = (events.occurred_at < ibis.literal(start)) & (events.occurred_at >= ibis.literal(since))
            past[role] = events.filter(inside & known)
    found = []
    if "transactions" in past:
        bought = past["transactions"]
        idle = ibis.literal(start).epoch_seconds() - bought.occurred_at.max().epoch_seconds()
        measures: dict[str, ir.NumericScalar] = {"purchases": bought.count()}
        if churn.kind == "contractual":
            measures["days_since_purchase"] = idle / 86_400.0
        if "amount" in bought.columns:
            measures["spend"] = bought.amount.sum().round(DIGITS)
        found.append(bought.group_by("customer_id").aggregate(**measures))
    if "feedback" in past:
        answers = past["feedback"]
        found.append(answers.group_by("customer_id").aggregate(mean_score=answers.score.mean().round(DIGITS)))
    if "contacts" in past:
        talks = past["contacts"]
        found.append(talks.group_by("customer_id").aggregate(contacts=talks.count()))
    return found


def _groups(facts: ir.Table, name: str, max_values: int, bands: int) -> pd.DataFrame:
    column = facts[name]
    if column.type().is_numeric():
        column = in_ranges(facts, column.cast("float64"), bands)
    text = column.cast("string").fill_null(NONE)
    counted = facts.group_by(value=text).aggregate(customers=facts.count(), lost=facts.lost.sum())
    largest = counted.order_by([ibis.desc("customers"), "value"]).limit(max_values).execute()
    frame: pd.DataFrame = largest.astype({"customers": "int64", "lost": "int64"})
    frame.insert(0, "fact", name)
    return frame
