"""What the lists changed: against those left alone, against business as usual, and months later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.schema import Config
from models.effects.contact import ContactEffect
from models.effects.sequence import NOTHING, Bounds, bounds
from pipeline.outcomes.drawn import by_chance, churned_within, of_customers
from pipeline.outcomes.learned import ALL
from pipeline.outcomes.learning import drawn_of, usual_arms
from pipeline.outcomes.outcome_tables import Belief, Lasting, LastingRow, OutcomeGroup
from pipeline.sources.opening import Sources

_MONTHS = {3: 90, 6: 180, 12: 360}
STEP = 30


def outcome_groups(rows: pd.DataFrame, found: Mapping[str, Bounds]) -> list[OutcomeGroup]:
    """All whose window has passed, and those of each action.

    Parameters
    ----------
    rows
        Of `learning.judged`, mature, with `contacted`.
    """
    names = [name for name in found if name != ALL]
    whole = _group(ALL, rows, found.get(ALL, NOTHING))
    return [whole, *(_group(n, rows.loc[rows["action"] == n], found[n]) for n in sorted(names))]


def _group(name: str, rows: pd.DataFrame, effect: Bounds) -> OutcomeGroup:
    use = rows.loc[by_chance(rows)]
    listed = use["chosen"].to_numpy(bool)
    e = use["propensity"].to_numpy(np.float64)
    value = use["value"].fillna(0.0).to_numpy(np.float64)
    # Of a customer's value, what was kept beyond expectation.
    scores = (listed - e) * use["residual"].to_numpy(np.float64) * value
    worth = bounds(scores, float((e * (1 - e)).sum()), use["who"].to_numpy(np.int64), max(len(use), 1))
    kept, reached = use["kept"].to_numpy(np.float64), use["contacted"].to_numpy(np.float64)
    return OutcomeGroup(
        name,
        int(listed.sum()),
        int((~listed).sum()),
        _mean(kept[listed]),
        _mean(kept[~listed]),
        effect,
        worth,
        _mean(reached[listed]),
        _mean(reached[~listed]),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else np.nan


def usual_of(rows: pd.DataFrame, found: Bounds | None) -> OutcomeGroup | None:
    """The list against those of whom the team did what it would have done anyway; None without any.

    Parameters
    ----------
    rows
        As in `outcome_groups`.
    found
        Of `learning.against_usual`.
    """
    return None if found is None else _group("business as usual", usual_arms(rows), found)


def beliefs(effect: ContactEffect, rows: pd.DataFrame) -> list[Belief]:
    """What is believed of each action, of those for whom it was chosen."""
    drawn = drawn_of(rows, effect.actions) if len(rows) else None
    found = []
    for number, name in enumerate(effect.actions):
        at = np.flatnonzero(drawn.action == number) if drawn is not None else np.zeros(0, np.int64)
        if drawn is None or not len(at):
            continue
        mean, spread = effect.effect(drawn.situation.take(at), [number])
        leaving = rows["churn_probability"].to_numpy(np.float64)
        risk = float(leaving[rows["action"].to_numpy() == name].mean())
        level = float(mean.mean())
        found.append(Belief(name, len(at), level, float(spread.mean()), level / max(risk, 1e-9)))
    return found


def lasting(sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date) -> Lasting:
    """Whether what the lists kept is still there 3, 6 and 12 months after, in customers, days and money."""
    use = rows.loc[by_chance(rows)] if len(rows) else rows
    found = []
    for months, days in _MONTHS.items():
        end = pd.Timestamp(as_of) - pd.Timedelta(days=days)
        old = use.loc[pd.to_datetime(use["as_of"]) <= end].reset_index(drop=True) if len(use) else use
        if len(old):
            found.append(_lasting(sources, config, old, as_of, months, days))
    return Lasting(tuple(found))


def _lasting(
    sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date, months: int, days: int
) -> LastingRow:
    theirs = of_customers(sources, rows["customer_id"].tolist())
    times = [*range(STEP, days, STEP), days]
    kept = np.column_stack([_kept_at(theirs, config, rows, as_of, day) for day in times])
    money = _money(theirs, rows, days)
    e, listed = rows["propensity"].to_numpy(np.float64), rows["chosen"].to_numpy(np.float64)
    information, who = float((e * (1 - e)).sum()), pd.factorize(rows["customer_id"])[0]

    def effect(y: Floats) -> Bounds:
        y = np.where(np.isfinite(y), y, np.nanmean(y) if np.isfinite(y).any() else 0.0)
        weight = e * (1 - e)
        centre = float((weight * y).sum() / weight.sum())
        return bounds((listed - e) * (y - centre), information, who, max(len(rows), 1))

    spans, now = np.diff([0, *times]), kept[:, -1]
    soon = kept[:, times.index(min(_MONTHS.values()))]
    return LastingRow(
        months,
        len(rows),
        effect(now),
        effect(kept @ spans),
        None if money is None else effect(money),
        effect(soon),
        effect(now - soon / 2),
    )


def _kept_at(sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date, day: int) -> Floats:
    """Still a customer so many days after the list: not ended, or bought within the horizon before."""
    horizon = config.churn.horizon_days
    gap = 0 if config.churn.kind == "contractual" else max(day - horizon, 0)
    return 1 - churned_within(sources, config, rows, as_of, gap, day - gap)


def _money(sources: Sources, rows: pd.DataFrame, days: int) -> Floats | None:
    """Spend of each row's customer within so many days; None where amounts are unknown."""
    table = sources.tables.get("transactions")
    if table is None or "amount" not in table.columns:
        return None
    bought = table.select("customer_id", "occurred_at", "amount").to_pandas().sort_values("occurred_at")
    start = pd.to_datetime(rows["as_of"]).astype("datetime64[us]")
    total = bought.assign(total=bought.groupby("customer_id")["amount"].cumsum())
    total["occurred_at"] = total["occurred_at"].astype("datetime64[us]")
    total["customer_id"] = total["customer_id"].astype("object")

    def until(times: pd.Series) -> Floats:
        asked = pd.DataFrame(
            {"customer_id": rows["customer_id"].astype("object"), "at": times, "n": range(len(rows))}
        )
        merged = pd.merge_asof(
            asked.sort_values("at"),
            total[["customer_id", "occurred_at", "total"]],
            left_on="at",
            right_on="occurred_at",
            by="customer_id",
            allow_exact_matches=False,
        )
        return merged.sort_values("n")["total"].fillna(0.0).to_numpy(np.float64)

    return until(start + pd.Timedelta(days=days)) - until(start)
