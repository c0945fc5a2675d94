"""Attributes that can't be what they are taken for: facts that were known when the customer started.

An export shows a customer as of today. A status, a date of the last order or a number of orders so far says what came
after the snapshots that a model learns from; a name or an address says who it is, and nothing about anybody else.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configs.schema import Config
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

LOOKED_AT = 20_000
FEW_VALUES = 20
ENOUGH_ROWS = 20
NEARLY_ALL = 0.9
SOME = 0.05
GONE = frozenset(
    {
        *(
            "churn",
            "churned",
            "cancelled",
            "canceled",
            "cancellation",
            "inactive",
            "closed",
            "lost",
            "left",
            "lapsed",
        ),
        *(
            "terminated",
            "expired",
            "ended",
            "deactivated",
            "disabled",
            "dormant",
            "former",
            "gone",
            "past_due",
        ),
        *("unpaid", "unsubscribed", "gekündigt", "inaktiv", "résilié"),
    }
)
KEPT_UP = re.compile(
    r"(^|_)(last|latest|recent|recency|since|current|status|churn(ed)?|cancel\w*|inactive|active|lapsed|lifetime|total"
    r"|ltv|clv)(_|$)"
)


@dataclass(frozen=True)
class Suspect:
    """An attribute and why it should not be one."""

    name: str
    reason: str
    named: bool = False

    def __str__(self) -> str:
        """The reason, and the lines that leave it out or keep it."""
        if self.named:
            out = f"write it under sources.customers.facts, or features.exclude: [{self.name}]"
            return f"attribute {self.name} {self.reason}; {out}"
        out = f"write features.exclude: [{self.name}]"
        keep = f"or, if it was known at the start, model.allow_leaks: [{self.name}]"
        return f"attribute {self.name} {self.reason}; {out}, {keep}"


def suspects_of(sources: Sources, config: Config) -> list[Suspect]:
    """The attributes of the config's customers that look like written after the fact, or like names."""
    settings = config.features.exclude, config.model.allow_leaks
    names = [
        name
        for name in sources.attributes
        if not any(fnmatch.fnmatchcase(name, pattern) for patterns in settings for pattern in patterns)
    ]
    if not names:
        return []
    customers = sources.tables["customers"]
    clock = ["started_at"] if "started_at" in customers.columns else []
    some = customers.order_by("customer_id").limit(LOOKED_AT).select(*names, *clock)
    columns = {
        name: column.to_pylist() for name, column in zip([*names, *clock], arrow(some).columns, strict=True)
    }
    return suspicious({name: columns[name] for name in names}, columns.get("started_at"))


def suspicious(columns: Mapping[str, Sequence[Any]], started: Sequence[Any] | None = None) -> list[Suspect]:
    """The suspects among columns of values, each of the same customers.

    Examples
    --------
    >>> for suspect in suspicious({"Status": ["active", "Inactive"], "plan": ["pro", "basic"], "total_orders": [3, 4]}):
    ...     print(suspect.name, suspect.reason)
    Status says 'Inactive' of 1 of 2 customers: it was probably written after they left
    total_orders has the name of something that is kept up to date: it was probably written after the fact
    """
    found = []
    for name, values in columns.items():
        reason = _afterwards(name, values, started)
        if reason:
            found.append(Suspect(name, reason))
        elif _names_customers(values):
            known = [value for value in values if value is not None]
            found.append(
                Suspect(
                    name,
                    f"has {len(set(known)):,} different values in {len(known):,} rows: it says who it is",
                    named=True,
                )
            )
    return found


def _afterwards(name: str, values: Sequence[Any], started: Sequence[Any] | None) -> str:
    words = [str(value).strip() for value in values if isinstance(value, str)]
    kinds = sorted(set(words))
    gone = [word for word in kinds if word.casefold().replace(" ", "_") in GONE]
    if gone and len(kinds) <= FEW_VALUES:
        count = sum(word in gone for word in words)
        told = f"says {', '.join(map(repr, gone))} of {count:,} of {len(values):,} customers"
        return f"{told}: it was probably written after they left"
    if started is not None:
        pairs = [
            (_date(value), start)
            for value, start in zip(values, started, strict=True)
            if isinstance(value, str)
        ]
        dates = [(day, start) for day, start in pairs if day is not None and start is not None]
        later = [day for day, start in dates if day > start.date() + dt.timedelta(days=1)]
        if pairs and len(dates) >= NEARLY_ALL * len(pairs) and len(later) > SOME * len(dates):
            return (
                f"holds days after the customer's start, such as {max(later)}: it was written after the fact"
            )
    if KEPT_UP.search(_snake(name)):
        return "has the name of something that is kept up to date: it was probably written after the fact"
    return ""


def _names_customers(values: Sequence[Any]) -> bool:
    known = [value for value in values if isinstance(value, str)]
    return len(known) >= ENOUGH_ROWS and len(set(known)) >= NEARLY_ALL * len(known)


def _date(text: str) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(text.strip()).date()
    except ValueError:
        return None


def _snake(name: str) -> str:
    """Words of a name joined by '_', in lower case.

    Examples
    --------
    >>> _snake("Last Order Date"), _snake("lastOrder"), _snake("ARPU_total")
    ('last_order_date', 'last_order', 'arpu_total')
    """
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).lower()
