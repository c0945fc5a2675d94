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

import numpy as np
import pandas as pd

from configs.schema import Config
from models.prediction.sample import Sample, single_auc
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

_LOOKED_AT = 20_000
_FEW_VALUES = 20
ENOUGH_ROWS = 20
_NEARLY_ALL = 0.9
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
    r"(^|_)(last|latest|recent|recency|since|current|inactive|active|lapsed|lifetime|total|ltv|clv)(_|$)"
)
# Words of names for what is done or noted when somebody leaves.
OUTCOME = re.compile(
    r"(^|_)(status|churn\w*|attrit\w*|cancel\w*|terminat\w*|deactivat\w*|disconnect\w*|retention\w*|retain\w*|win_?back\w*"
    r"|exit\w*|closed|closure|closing|leaving|resign\w*|offboard\w*)(_|$)"
)
PERSONAL = re.compile(
    r"(^|_)(marital|civil|employment|family|relationship|housing|home|smok\w+|health|job|work|student|loyalty)_status"
)
ALMOST_ALONE = 0.95
FEWEST_EQUAL = 20
EQUAL_SHARE = 0.01
# A column is fine with more than so many values, and more than one for every five rows.
MANY_VALUES, MANY_SHARE = 50, 0.2
LATE, OFTEN = 2, 0.5


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
    some = customers.order_by("customer_id").limit(_LOOKED_AT).select(*names, *clock)
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
    if gone and len(kinds) <= _FEW_VALUES:
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
        if pairs and len(dates) >= _NEARLY_ALL * len(pairs) and len(later) > SOME * len(dates):
            return (
                f"holds days after the customer's start, such as {max(later)}: it was written after the fact"
            )
    if KEPT_UP.search(_snake(name)) or near_outcome(name):
        return "has the name of something that is kept up to date: it was probably written after the fact"
    return ""


def near_outcome(name: str) -> bool:
    """Say whether a column has the name of something that is done or noted when a customer leaves.

    Examples
    --------
    >>> [name for name in ("RetentionCalls", "status", "Marital_Status", "Exit survey", "exiting", "plan") if
    ...  near_outcome(name)]
    ['RetentionCalls', 'status', 'Exit survey', 'exiting']
    """
    words = _snake(name)
    return bool(OUTCOME.search(words)) and not PERSONAL.search(words)


def doubts_of_table(sample: Sample, used: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """What makes a table without dates look better than what comes true: a line each.

    Parameters
    ----------
    sample
        All rows with a label.
    used
        The columns that the model gets.
    allowed
        Columns that are known to be in order.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> X = pd.DataFrame({"RetentionCalls": [0.0, 1.0] * 40, "fee": np.arange(80.0)})
    >>> s = Sample(X, X["fee"].to_numpy() % 3 // 2, np.arange(80).astype(str), np.full(80, np.datetime64("2026-01-01")))
    >>> for line in doubts_of_table(s, ["RetentionCalls", "fee"], []):
    ...     print(line.split(";")[0])
    attribute RetentionCalls has the name of something that happens when a customer leaves
    """
    told = []
    for name in used:
        if name in allowed:
            continue
        alone = single_auc(sample.X[name], sample.churned)
        why = "has the name of something that happens when a customer leaves" if near_outcome(name) else ""
        if alone > ALMOST_ALONE:
            why = f"alone separates churned from kept customers with AUC {alone:.3f}"
        if why:
            told.append(
                f"attribute {name} {why}; if it was not known before, write features.exclude: [{name}], "
                f"else model.allow_leaks: [{name}]"
            )
    return told + _equal_rows(sample, used)


def _equal_rows(sample: Sample, used: Sequence[str]) -> list[str]:
    """Rows that say the same of different customers, where a column is too fine for that to be by chance."""
    rows = sample.X[list(used)].assign(churned=sample.churned)
    fine = max(MANY_VALUES, MANY_SHARE * len(rows))
    if all(rows[name].nunique() <= fine for name in used):
        return []
    equal = rows.duplicated().to_numpy() & ~pd.Series(sample.customer).duplicated().to_numpy()
    if equal.sum() < max(FEWEST_EQUAL, EQUAL_SHARE * len(rows)):
        return []
    return [
        f"{equal.sum():,} of {len(rows):,} rows are equal to another in every attribute and in the label, under "
        "another id: where the file holds customers twice, give one row each, else the figures are too good"
    ]


def constant_of_late(sample: Sample, names: Sequence[str]) -> list[str]:
    """Columns that differ between customers at the older snapshots and at none of the two newest: a line each.

    A source that has stopped, or a column that is not filled any more. What is always the same for all customers of a
    snapshot, such as the season, is none.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> day = np.repeat(np.arange("2026-01", "2026-07", dtype="datetime64[M]").astype("datetime64[D]"), 2)
    >>> X = pd.DataFrame({"calls": [1.0, 2.0] * 4 + [0.0] * 4, "fee": [1.0, 2.0] * 6})
    >>> constant_of_late(Sample(X, np.zeros(12), np.array(list("ab") * 6), day), ["calls", "fee"])[0].split(";")[0]
    'calls has one value for all customers since 2026-05-01, and had several before'
    """
    snapshots = sample.snapshots
    if len(snapshots) < LATE + 2:
        return []
    told = []
    for name in names:
        by_day = sample.X[name].groupby(sample.snapshot)
        kinds, known = (
            found.to_numpy()[::-1] for found in (by_day.nunique(), by_day.count() / by_day.size())
        )
        # Few values are normal for what only some customers have, such as the wait for a second purchase.
        stopped = ((kinds == 1) & (known > OFTEN)) | ((kinds == 0) & (np.median(known[LATE:]) > _NEARLY_ALL))
        if stopped[:LATE].all() and (kinds[LATE:] > 1).mean() > OFTEN:
            since = snapshots[int(np.argmin(stopped)) - 1]
            what = "one value" if kinds[0] else "no value"
            told.append(
                f"{name} has {what} for all customers since {since}, and had several before; see whether its source "
                f"is still filled, or write features.exclude: [{name}]"
            )
    return told


def _names_customers(values: Sequence[Any]) -> bool:
    known = [value for value in values if isinstance(value, str)]
    return len(known) >= ENOUGH_ROWS and len(set(known)) >= _NEARLY_ALL * len(known)


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
