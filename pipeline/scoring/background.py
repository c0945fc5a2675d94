"""What whoever works through the list wants to know of a customer: the last contacts, and the chance night by night."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from pipeline.outcomes import ledger
from pipeline.report.view import Talk
from pipeline.sources.databases import arrow

TALKS = 3
NIGHTS = 12
NIGHTS_APART = 7
_WORDS = ("channel", "direction", "agent", "topic")


@dataclass(frozen=True)
class Background:
    """By customer: the last contacts, newest first, and night and probability of past nights, oldest first."""

    talks: dict[str, tuple[Talk, ...]] = field(default_factory=dict)
    chances: dict[str, tuple[tuple[dt.date, float], ...]] = field(default_factory=dict)


def background(
    contacts: ir.Table | None, record: Path, customers: Collection[str], as_of: dt.date
) -> Background:
    """What is on record of the customers of a list.

    Parameters
    ----------
    contacts
        The contact log as known at `as_of`; None without one.
    record
        The ledger's folder.
    """
    if not customers:
        return Background()
    return Background(last_talks(contacts, customers), past_chances(record, customers, as_of))


def last_talks(contacts: ir.Table | None, customers: Collection[str]) -> dict[str, tuple[Talk, ...]]:
    """The last `TALKS` contacts of each customer, newest first.

    Examples
    --------
    >>> log = ibis.memtable({"customer_id": ["7", "7"], "occurred_at": pd.to_datetime(["2026-06-01", "2026-06-09"]),
    ...     "direction": ["outbound", None]})
    >>> [(str(talk.day), talk.ours) for talk in last_talks(log, ["7"])["7"]]
    [('2026-06-09', None), ('2026-06-01', True)]
    """
    if contacts is None:
        return {}
    names = [name for name in _WORDS if name in contacts.columns]
    theirs = contacts.filter(contacts.customer_id.isin(sorted(customers)))
    order = [ibis.desc("occurred_at"), *names]
    numbered = theirs.select(
        "customer_id",
        "occurred_at",
        *names,
        place_=ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order)),
    )
    newest = numbered.filter(numbered.place_ < TALKS).order_by(["customer_id", "place_"])
    found: dict[str, list[Talk]] = {}
    for row in arrow(newest).to_pylist():
        said = {name: row.get(name) for name in _WORDS}
        ours = None if said["direction"] is None else said["direction"] == "outbound"
        talk = Talk(
            row["occurred_at"].date(),
            said["channel"] or "",
            ours,
            said["agent"] or "",
            said["topic"] or "",
        )
        found.setdefault(row["customer_id"], []).append(talk)
    return {customer: tuple(talks) for customer, talks in found.items()}


def past_chances(
    record: Path, customers: Collection[str], as_of: dt.date
) -> dict[str, tuple[tuple[dt.date, float], ...]]:
    """The chance of leaving as the ledger has it, of up to `NIGHTS` nights before `as_of`, a week or more apart."""
    names = sorted(customers)
    parts = [
        ledger.read_ledger(
            record,
            night,
            night + dt.timedelta(days=1),
            columns=["as_of", "customer_id", "churn_probability"],
            only=lambda field: field("customer_id").isin(names),
        )
        for night in spaced(ledger.dates(record), as_of)
    ]
    if not parts:
        return {}
    rows = pd.concat(parts).dropna()
    return {
        str(customer): tuple(zip(found["as_of"], found["churn_probability"].astype(float), strict=True))
        for customer, found in rows.groupby("customer_id", sort=False)
    }


def spaced(nights: Collection[dt.date], as_of: dt.date) -> list[dt.date]:
    """The nights before `as_of` that a small chart shows, oldest first.

    Examples
    --------
    >>> nights = [dt.date(2026, 6, day) for day in range(1, 31)]
    >>> [night.day for night in spaced(nights, dt.date(2026, 6, 30))]
    [2, 9, 16, 23]
    """
    kept = [as_of]
    for night in sorted(nights, reverse=True):
        if len(kept) <= NIGHTS and (kept[-1] - night).days >= NIGHTS_APART:
            kept.append(night)
    return kept[:0:-1]
