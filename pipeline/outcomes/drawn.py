"""Customers whom chance put on the list or kept from it, and what became of them so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Floats
from configs.schema import Config
from features.matrix import Matrix
from features.snapshots import newest_mature
from features.tables import by_us
from models.effects.control_group import reached
from models.effects.expected import alive
from pipeline.dataset.cluster_jobs import only_of
from pipeline.dataset.labelling import build_labels
from pipeline.outcomes import ledger
from pipeline.outcomes.situation import GONE, there_of
from pipeline.sources.opening import Sources

_COLUMNS = [
    "as_of",
    "customer_id",
    "churn_probability",
    "chosen",
    "control",
    "usual",
    "trial",
    "propensity",
    "action",
    "channel",
    "value",
    "inputs",
]
# Outcomes younger than this say next to nothing; and after so many horizons much else has happened to a customer.
YOUNGEST = 7
OLDEST = 3


def drawn_rows(folder: Path, config: Config, as_of: dt.date) -> pd.DataFrame:
    """Rows of everybody who was chosen and then listed or left alone, and of whom something can be known by now.

    Nights of an earlier version, which drew in another way and lack the mark of the trial, teach nothing. `age` is the
    number of days of the label window that have passed, at most the horizon; `days` goes on, see `days_counted`.
    """
    end = as_of - dt.timedelta(days=config.churn.gap_days + YOUNGEST - 1)
    rows = ledger.read_ledger(
        folder, end=end, columns=_COLUMNS, only=lambda field: field("chosen") | field("control")
    )
    rows = rows.loc[rows["trial"].notna()].reset_index(drop=True)
    rows = rows.astype({"usual": "bool", "trial": "bool"})
    passed = (pd.Timestamp(as_of) - pd.to_datetime(rows["as_of"])).dt.days - config.churn.gap_days
    ages = {"age": np.minimum(passed, config.churn.horizon_days), "days": days_counted(config, passed)}
    return rows.assign(**{name: days.astype(np.int64) for name, days in ages.items()})


def days_counted(config: Config, passed: Any) -> Any:
    """Days since a list after which it is asked who is still there: all of them, for `OLDEST` horizons at most.

    Of contracts in steps of a quarter of the horizon from there on: each number of days is asked for by itself.
    """
    horizon = config.churn.horizon_days
    days = np.minimum(passed, OLDEST * horizon)
    if config.churn.kind != "contractual":
        return days
    quarters = (days - horizon) * 4 // horizon
    return np.where(days > horizon, horizon + quarters * horizon // 4, days)


def of_customers(sources: Sources, customers: Sequence[str]) -> Sources:
    """The rows of these customers alone, brought here once: outcomes are looked up many times."""
    theirs, asked = only_of(sources, customers), sorted(set(customers))
    tables = dict(theirs.tables)
    for role in {"transactions", "customers", "contracts"} & set(tables):
        among = ibis.memtable({"customer_id": asked}, schema={"customer_id": "string"})
        tables[role] = ibis.memtable(theirs.local[role].semi_join(among, "customer_id").to_pyarrow())
    return replace(theirs, tables=tables)


def churned(sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date) -> Floats:
    """Labels of ledger rows by the rules of training: 1 churned, 0 kept, NaN censored or not mature.

    A contractual customer who is no longer in the customers source is unknown.
    """
    frame = pd.DataFrame(
        {"customer_id": rows["customer_id"].to_numpy(), "snapshot": pd.to_datetime(rows["as_of"]).to_numpy()}
    )
    labels = build_labels(sources, config, Matrix(frame, (), ""), as_of)
    if config.churn.kind == "contractual":
        known = set(sources.tables["customers"].customer_id.to_pyarrow().to_pylist())
        labels = np.where([c in known for c in rows["customer_id"]], labels, np.nan)
    return labels


def churned_within(
    sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date, gap: int, days: int
) -> Floats:
    """The same with another label window: `[night + gap, night + gap + days)`."""
    churn = config.churn.model_copy(update={"gap_days": gap, "horizon_days": days})
    return churned(sources, config.model_copy(update={"churn": churn}), rows, as_of)


def kept_so_far(
    sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date, until: str = "age"
) -> Floats:
    """1 where a row's customer is kept by what is known at `as_of`, 0 where lost so far, NaN where unknown.

    The label window ends at `as_of` where it has not passed yet: of a contract, that it has not ended; of purchases,
    that there was one.

    Parameters
    ----------
    until
        Column with the length of each row's window: `age`, or `days`.
    """
    found = np.full(len(rows), np.nan)
    for age, at in rows.groupby(until).indices.items():
        some = rows.iloc[at]
        found[at] = 1 - churned_within(sources, config, some, as_of, config.churn.gap_days, int(age))
    return _not_won_back(sources, config, rows, found)


def still_there_now(
    sources: Sources, config: Config, rows: pd.DataFrame, kept: Floats, as_of: dt.date
) -> Floats:
    """Chance that each row's customer is still there at `as_of`; NaN where unknown. Of a contract, 1 or 0.

    Parameters
    ----------
    sources
        Of these customers, see `of_customers`.
    rows
        Of `drawn_rows`.
    kept
        Of `kept_so_far`.
    """
    if config.churn.kind == "contractual":
        found, on = kept.copy(), (rows["days"] > rows["age"]).to_numpy()
        found[on] = kept_so_far(sources, config, rows.loc[on], as_of, "days")
        return found
    bought = sources.tables["transactions"]
    newest = bought.group_by("customer_id").agg(last=bought.occurred_at.max()).to_pandas()
    last = rows["customer_id"].map(newest.set_index("customer_id")["last"])
    silence = (pd.Timestamp(as_of) - last) / pd.Timedelta(days=config.churn.horizon_days)
    p = rows["churn_probability"].to_numpy(np.float64)
    return alive(p, there_of(rows["inputs"]), silence.to_numpy(np.float64))


def _not_won_back(sources: Sources, config: Config, rows: pd.DataFrame, kept: Floats) -> Floats:
    """The same, 0 for who had left by contract before the list and has none again: the labels do not know them."""
    unknown = np.flatnonzero(np.isnan(kept))
    if config.churn.kind != "contractual" or not len(unknown):
        return kept
    known = set(sources.tables["customers"].customer_id.to_pyarrow().to_pylist())
    some = rows.iloc[unknown]
    left = [
        who in known and inputs is not None and dict(inputs).get(GONE, 0.0) > 0
        for who, inputs in zip(some["customer_id"], some["inputs"], strict=True)
    ]
    kept[unknown[left]] = 0.0
    return kept


def by_chance(rows: pd.DataFrame) -> pd.Series[bool]:
    """Of whom chance decided: all of `drawn_rows` but those who were listed for certain."""
    return rows["propensity"].between(0, 1, inclusive="neither")


def is_mature(config: Config, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each row's whole label window has passed."""
    return np.asarray(rows["age"] >= config.churn.horizon_days)


def in_contact_log(sources: Sources, rows: pd.DataFrame, days: int) -> Floats | None:
    """Whether the contact log has a contact by us within so many days of each row; None without a log."""
    table = sources.contact_log
    if table is None:
        return None
    log = table.filter(by_us(table), table.customer_id.isin(rows["customer_id"].unique().tolist()))
    found = log.select("customer_id", "occurred_at").to_pandas()
    return _reached(rows["customer_id"], rows["as_of"], days, found["customer_id"], found["occurred_at"])


def _reached(who: pd.Series, start: pd.Series, days: int, contacted: pd.Series, on: pd.Series) -> Floats:
    codes, _ = pd.factorize(pd.concat([who.astype(object), contacted.astype(object)], ignore_index=True))
    from_day, on_day = (
        pd.to_datetime(times).to_numpy().astype("datetime64[D]").astype(np.int64) for times in (start, on)
    )
    return reached(codes[: len(who)], from_day, days, codes[len(who) :], on_day).astype(np.float64)


def mature_nights(folder: Path, config: Config, as_of: dt.date) -> list[dt.date]:
    """Recorded nights whose label window has passed, oldest first."""
    last = newest_mature(as_of, config.churn.gap_days, config.churn.horizon_days)
    return [night for night in ledger.dates(folder) if night <= last]
