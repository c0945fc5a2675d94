"""How customers pause: gaps between purchase days, and who comes back after a silence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from configs.arrays import Ints
from configs.schema import Churn
from features.definition import customers_at
from features.labels import labelled, window_outcomes
from features.snapshots import EPOCH

_NEARLY_ALL = 0.95


@dataclass(frozen=True)
class PurchaseDays:
    """Days on which customers bought, by customer and day.

    Parameters
    ----------
    customer
        Number of the customer, shape (rows,), ascending.
    day
        Days since 1970-01-01, shape (rows,), ascending within a customer.
    """

    customer: Ints
    day: Ints

    @classmethod
    def of(cls, purchases: ir.Table) -> PurchaseDays:
        """From the purchases on the local DuckDB: a customer's purchases of one day are one."""
        days = purchases.select("customer_id", day=purchases.occurred_at.epoch_seconds() // 86_400).distinct()
        found = days.to_pyarrow()
        codes = found["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy()
        day = found["day"].to_numpy().astype(np.int64)
        order = np.lexsort((day, codes))
        return cls(codes[order].astype(np.int64), day[order])

    @property
    def next_day(self) -> Ints:
        """Day of the customer's next purchase; -1 after the last."""
        following = np.full(len(self.day), -1, dtype=np.int64)
        same = self.customer[1:] == self.customer[:-1]
        following[:-1][same] = self.day[1:][same]
        return following


def returned_within(purchases: PurchaseDays, end: int, days: Ints) -> NDArray[np.float64]:
    """Share of purchases that another one follows within so many days (Kaplan and Meier 1958).

    Gaps that still run at `end` count for as long as they have lasted: leaving them out would make every gap short
    when the history is.

    Parameters
    ----------
    end
        The as-of date, in days since 1970.
    days
        Where the share is wanted, ascending, shape (n,).

    Examples
    --------
    >>> p = PurchaseDays(np.array([0, 0, 1]), np.array([0, 10, 5]))
    >>> returned_within(p, end=50, days=np.array([9, 10, 20])).round(2)
    array([0.  , 0.33, 0.33])
    """
    following = purchases.next_day
    closed = following >= 0
    length = np.where(closed, following, end) - purchases.day
    at, position = np.unique(length, return_inverse=True)
    returns = np.bincount(position, weights=closed, minlength=len(at))
    leaving = np.bincount(position, minlength=len(at))
    at_risk = len(length) - np.cumsum(leaving) + leaving
    silent = np.cumprod(1 - returns / np.maximum(at_risk, 1))
    place = np.searchsorted(at, days, side="right") - 1
    return np.where(place >= 0, 1 - silent[np.maximum(place, 0)], 0.0)


@dataclass(frozen=True)
class Horizon:
    """What a candidate horizon would mean.

    Parameters
    ----------
    days
        The horizon.
    snapshot
        Day of the snapshot that is looked at, since 1970.
    customers
        Customers at it.
    churned
        Those who bought nothing in the horizon.
    returned
        Those of them who bought in the `followed` days after it.
    followed
        Days, the same for all candidates.
    """

    days: int
    snapshot: int
    customers: int
    churned: int
    returned: int
    followed: int

    @property
    def return_share(self) -> float:
        """Share of the churned who came back; NaN without any."""
        return self.returned / self.churned if self.churned else float("nan")

    @property
    def churn_share(self) -> float:
        """Share of the customers who churned; NaN without any."""
        return self.churned / self.customers if self.customers else float("nan")


def horizon_of(purchases: ir.Table, end: int, days: int, followed: int, active_days: int) -> Horizon:
    """Look at the newest snapshot that leaves room for the horizon and for coming back.

    Parameters
    ----------
    purchases
        With `customer_id` and `occurred_at`.

    Examples
    --------
    >>> import ibis
    >>> at = [dt.datetime(1970, 1, 1 + day) for day in (0, 20, 5)]
    >>> rows = ibis.memtable({"customer_id": ["a", "a", "b"], "occurred_at": at})
    >>> h = horizon_of(rows, end=30, days=10, followed=10, active_days=20)
    >>> (h.customers, h.churned, h.returned)
    (2, 2, 1)
    """
    day = end - followed - days
    snapshot, tables = EPOCH + dt.timedelta(days=day), {"transactions": purchases}
    silent = Churn(kind="non_contractual", horizon_days=days, active_days=active_days)
    afterwards = silent.model_copy(update={"gap_days": days, "horizon_days": followed})
    rows = customers_at(tables, silent, dt.datetime.combine(snapshot, dt.time())).mutate(snapshot_number=0)
    for name, churn in (("left", silent), ("stayed_away", afterwards)):
        rows = labelled(rows, window_outcomes(tables, churn, [snapshot]), churn).rename({name: "churned"})
    returned = (rows.left == 1) & (rows.stayed_away == 0)
    found = rows.aggregate(
        customers=rows.count(), churned=rows.left.sum().fill_null(0), returned=returned.sum().fill_null(0)
    )
    return Horizon(days, day, followed=followed, **found.to_pyarrow().to_pylist()[0])


def active_days_for(purchases: PurchaseDays, end: int, candidates: Ints) -> int:
    """The first candidate within which nearly all of those who come back have come back."""
    share = returned_within(purchases, end, candidates)
    enough = share >= _NEARLY_ALL * share[-1]
    return int(candidates[np.argmax(enough)])
