"""Customer x period statistics of one source, and every window of every snapshot from them.

A source is reduced once, by one group-by, to statistics of (customer, period) that can be added up. The rows of
a panel are sorted by customer and period, so that a window of a snapshot is a run of rows `[lo, hi)`: counts are
differences of running sums, first and last are look-ups, and only sums, extremes and distinct sets visit the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats, Ints
from features.grid import Grid
from features.snapshots import DAY, TimeAxis

_Kind = Literal["count", "sum", "min", "max", "first_at", "last_at", "last", "active_days", "bits"]

WHOLE = ("count", "active_days", "bits")  # the kinds that are whole numbers, 0 without rows


@dataclass(frozen=True, order=True)
class Stat:
    """A statistic of one source: what, of which column, of which rows.

    Examples
    --------
    >>> Stat("sum", "amount").name
    'sum_amount'
    """

    kind: _Kind
    column: str = ""
    where: str = ""

    @property
    def name(self) -> str:
        """Name of the statistic's column in the partials."""
        return "_".join(part for part in (self.kind, self.column, self.where) if part)


@dataclass(frozen=True)
class Panel:
    """The partials of one source, sorted by customer and period.

    Parameters
    ----------
    axis
        The periods.
    start
        Shape (customers + 1,): the rows of customer c are `start[c]` to `start[c + 1]`.
    period, known
        Shape (rows,): the period in which the events occurred, and in which they became known.
    stats
        Shape (rows,) each; NaN where a statistic has no rows.
    """

    axis: TimeAxis
    start: Ints
    period: NDArray[np.int32]
    known: NDArray[np.int32]
    stats: Mapping[Stat, NDArray[Any]]
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        axis: TimeAxis,
        customers: int,
        codes: Ints,
        period: NDArray[np.int32],
        known: NDArray[np.int32],
        stats: Mapping[Stat, NDArray[Any]],
    ) -> Panel:
        """Sort partials into a panel; `codes` are the customers' numbers, those below 0 are left out."""
        width = axis.edge(axis.newest) + 1
        # One key instead of three sorts: customer, then period, then the period of knowledge.
        key = codes * width + period
        order = np.argsort(key if known is period else key * width + known)
        order = order[np.searchsorted(codes[order], 0) :]
        start = np.searchsorted(codes[order], np.arange(customers + 1))
        return cls(axis, start, period[order], known[order], {k: v[order] for k, v in stats.items()})

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.start) - 1

    def known_at(self, edge: int) -> Panel:
        """The panel as it was known at an edge: one row a customer and period, without later knowledge."""
        if "late" not in self._cache:
            self._cache["late"] = bool(np.any(self.known > self.period))
        if not self._cache["late"]:
            return self
        seen = np.flatnonzero((self.known < edge) & (self.period < edge))
        owner = np.repeat(np.arange(self.customers), np.diff(self.start))[seen]
        period = self.period[seen]
        first = np.flatnonzero(
            np.diff(owner, prepend=-1).astype(bool) | np.diff(period, prepend=-1).astype(bool)
        )
        start = np.searchsorted(owner[first], np.arange(self.customers + 1))
        stats = {stat: _merge(stat, self.stats, seen, first) for stat in self.stats}
        return Panel(self.axis, start, period[first], period[first], stats)

    def position(self, edge: int) -> Ints:
        """Shape (customers,): the first row of each customer at or after an edge."""
        if ("edge", edge) not in self._cache:
            if "key" not in self._cache:
                owner = np.repeat(np.arange(self.customers), np.diff(self.start))
                self._cache["key"] = owner * self._width + self.period
            wanted = np.arange(self.customers) * self._width + min(max(edge, 0), self._width - 1)
            self._cache["edge", edge] = np.searchsorted(self._cache["key"], wanted)
        found: Ints = self._cache["edge", edge]
        return found

    @property
    def _width(self) -> int:
        return self.axis.edge(self.axis.newest) + 1

    def running_sum(self, stat: Stat) -> Ints:
        """Shape (rows + 1,): entry i + 1 is the sum of a statistic in whole numbers up to row i, all customers'."""
        if ("sum", stat) not in self._cache:
            running = np.zeros(len(self.period) + 1, np.int64)
            np.cumsum(self.stats[stat], out=running[1:])
            self._cache["sum", stat] = running
        result: Ints = self._cache["sum", stat]
        return result

    def filled(self, stat: Stat) -> Floats:
        """Shape (rows,): a statistic, 0 where it has no rows."""
        if ("filled", stat) not in self._cache:
            self._cache["filled", stat] = zero_for_nan(self.stats[stat])
        result: Floats = self._cache["filled", stat]
        return result

    def decayed(self, stat: Stat, half_life_days: int) -> Floats:
        """Shape (rows,): a statistic, each row counting 0.5 ** (age / half-life).

        The age is taken from the newest edge, so that weights are at most 1.
        """
        if (stat, half_life_days) not in self._cache:
            age = (self._width - 2 - np.arange(self._width)) * self.axis.period_days
            self._cache[stat, half_life_days] = self.stats[stat] * np.exp2(-age / half_life_days)[self.period]
        result: Floats = self._cache[stat, half_life_days]
        return result

    def _nearest_row(self, stat: Stat, side: Literal["before", "after"]) -> Ints:
        """Shape (rows,): the nearest row with a value, from each row backwards or onwards; -1 or rows if none."""
        if (side, stat) not in self._cache:
            has = ~np.isnan(self.stats[stat])
            rows = np.arange(len(has))
            if has.all():
                self._cache[side, stat] = rows
            elif side == "before":
                self._cache[side, stat] = np.maximum.accumulate(np.where(has, rows, -1))
            else:
                self._cache[side, stat] = np.minimum.accumulate(np.where(has, rows, len(has))[::-1])[::-1]
        found: Ints = self._cache[side, stat]
        return found

    def _between(self, window: Window) -> tuple[Ints, Ints]:
        """Shape (members,) each: the first row of each customer in a window, and the one behind the last."""
        begins = self.start[:-1] if window.from_edge is None else self.position(window.from_edge)
        return begins[window.members], self.position(window.to_edge)[window.members]

    def added(self, window: Window, stat: Stat) -> Floats:
        """Shape (members,): a statistic that adds up."""
        if self.stats[stat].dtype.kind == "f":
            # Not by running sums: one customer's rounding must not depend on another's events.
            found: Floats = self._visited(window, np.add, self.filled(stat), 0.0)
            return found
        running = self.running_sum(stat)
        lo, hi = self._between(window)
        return (running[hi] - running[lo]).astype(np.float64)

    def active_periods(self, window: Window) -> Floats:
        """Shape (members,): number of periods with an event."""
        lo, hi = self._between(window)
        return (hi - lo).astype(np.float64)

    def periods_in_a_row(self, window: Window) -> Floats:
        """Shape (members,): number of periods with an event, without a gap, up to the end of the window."""
        rows = np.arange(len(self.period))
        begins = np.diff(self.period, prepend=-2) != 1
        begins[self.start[self.start < len(rows)]] = True
        began = np.append(np.maximum.accumulate(np.where(begins, rows, 0)), 0)
        lo, hi = self._between(window)
        newest = np.where(hi > lo, hi - 1, -1)
        unbroken = np.append(self.period, -1)[newest] == window.to_edge - 1
        length = newest - np.maximum(began[newest], lo) + 1
        return np.where(unbroken, length, 0).astype(np.float64)

    def nearest(self, window: Window, stat: Stat, side: Literal["before", "after"]) -> Floats:
        """Shape (members,): the last or the first value in the window, NaN without any."""
        values, (lo, hi) = self.stats[stat], self._between(window)
        if not len(values):
            return np.full(len(lo), np.nan)
        from_row = np.clip(hi - 1 if side == "before" else lo, 0, len(values) - 1)
        row = self._nearest_row(stat, side)[from_row]
        inside = (row >= lo) & (row < hi) & (hi > lo)
        return np.where(inside, values[np.where(inside, row, 0)], np.nan)

    def reduced(self, window: Window, ufunc: np.ufunc, stat: Stat, nothing: float) -> NDArray[Any]:
        """Shape (members,): the smallest, the largest, or what is there at all."""
        return self._visited(window, ufunc, self.stats[stat], nothing)

    def _visited(self, window: Window, ufunc: np.ufunc, values: NDArray[Any], nothing: float) -> NDArray[Any]:
        lo, hi = self._between(window)
        if not len(values) or not len(lo):
            return np.full(len(lo), nothing, dtype=values.dtype)
        padded = np.append(values, np.array([nothing], dtype=values.dtype))
        bounds = np.column_stack([lo, hi]).ravel()
        return np.where(hi > lo, ufunc.reduceat(padded, bounds)[::2], nothing).astype(values.dtype)

    def decayed_count(self, window: Window, stat: Stat, half_life_days: int) -> Floats:
        """Shape (members,): events, each counted 0.5 ** (age of the end of its period / half-life)."""
        since = (self._width - 1 - window.to_edge) * self.axis.period_days
        counted = self.decayed(stat, half_life_days)
        found: Floats = self._visited(window, np.add, counted, 0.0) * np.exp2(since / half_life_days)
        return found


def _merge(stat: Stat, stats: Mapping[Stat, NDArray[Any]], seen: Ints, first: Ints) -> NDArray[Any]:
    """One value for each run of rows of `seen` that starts at `first`."""
    values: NDArray[Any] = stats[stat][seen]
    if not len(seen):
        return values
    match stat.kind:
        case "first_at" | "min":
            return np.fmin.reduceat(values, first)
        case "last_at" | "max":
            return np.fmax.reduceat(values, first)
        case "bits":
            return np.bitwise_or.reduceat(values, first)
        case "last":
            at = stats[Stat("last_at", stat.column)][seen]
            owner = np.repeat(np.arange(len(first)), np.diff([*first, len(seen)]))
            order = np.lexsort((np.nan_to_num(values, nan=-np.inf), np.nan_to_num(at, nan=-np.inf), owner))
            newest: NDArray[Any] = values[order[np.append(first[1:], len(seen)) - 1]]
            return newest
        case _:
            return np.add.reduceat(zero_for_nan(values), first)


@dataclass(frozen=True)
class Window:
    """The rows of a panel that lie in `[from_edge, to_edge)`, for some customers.

    Every method returns shape (n,) float64, NaN where there is nothing to tell. What several features ask for is
    computed once.
    """

    panel: Panel | Grid
    members: Ints
    from_edge: int | None
    to_edge: int
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def last(self, days: int, before: int = 0) -> Window:
        """The window of the last `days` days, ending `before` days earlier than this one."""
        if (days, before) not in self._cache:
            to_edge = self.to_edge - self.panel.axis.periods(before)
            from_edge = to_edge - self.panel.axis.periods(days)
            self._cache[days, before] = Window(self.panel, self.members, from_edge, to_edge)
        window: Window = self._cache[days, before]
        return window

    def stat(self, stat: Stat) -> NDArray[Any]:
        """The panel's column of a statistic."""
        return self.panel.stats[stat]

    def _added(self, stat: Stat) -> Floats:
        if stat not in self._cache:
            self._cache[stat] = self.panel.added(self, stat)
        added: Floats = self._cache[stat]
        return added

    def count(self, column: str = "", where: str = "") -> Floats:
        """Number of events, or of those with a value in `column`."""
        return self._added(Stat("count", column, where))

    def sum(self, column: str, where: str = "") -> Floats:
        """Sum of a column; 0 without events."""
        return self._added(Stat("sum", column, where))

    def mean(self, column: str, where: str = "") -> Floats:
        """Mean of a column; NaN without values."""
        return ratio(self.sum(column, where), self.count(column, where))

    def active_days(self) -> Floats:
        """Number of different days with an event."""
        return self._added(Stat("active_days"))

    def active_periods(self) -> Floats:
        """Number of periods with an event."""
        return self.panel.active_periods(self)

    def periods_in_a_row(self) -> Floats:
        """Number of periods with an event, without a gap, up to the end of the window."""
        return self.panel.periods_in_a_row(self)

    def first_at(self, column: str = "", where: str = "") -> Floats:
        """Day (since 1970, with its fraction) of the first event."""
        return self.panel.nearest(self, Stat("first_at", column, where), "after") / DAY

    def last_at(self, column: str = "", where: str = "") -> Floats:
        """Day (since 1970, with its fraction) of the last event."""
        return self.panel.nearest(self, Stat("last_at", column, where), "before") / DAY

    def last_value(self, column: str) -> Floats:
        """The newest value of a column."""
        self.stat(Stat("last_at", column))
        return self.panel.nearest(self, Stat("last", column), "before")

    def max(self, column: str) -> Floats:
        """Largest value of a column."""
        return self.panel.reduced(self, np.fmax, Stat("max", column), np.nan).astype(np.float64)

    def min(self, column: str) -> Floats:
        """Smallest value of a column."""
        return self.panel.reduced(self, np.fmin, Stat("min", column), np.nan).astype(np.float64)

    def distinct(self, column: str) -> Floats:
        """Number of different values of a column, exact up to 61 a customer."""
        return np.bitwise_count(self.panel.reduced(self, np.bitwise_or, Stat("bits", column), 0)).astype(
            np.float64
        )

    def mean_gap(self, column: str = "", where: str = "") -> Floats:
        """Mean days between successive events: (last - first) / (n - 1); NaN below two events."""
        n = self.count(column, where)
        span = self.last_at(column, where) - self.first_at(column, where)
        return np.where(n >= 2, span / np.maximum(n - 1, 1), np.nan)

    def decayed_count(self, half_life_days: int) -> Floats:
        """Events, each counted 0.5 ** (age / half-life); the age is that of the end of the event's period."""
        return self.panel.decayed_count(self, Stat("count"), half_life_days)


def zero_for_nan(values: NDArray[Any]) -> NDArray[Any]:
    """The values, 0 for NaN."""
    return np.where(np.isnan(values), 0, values) if values.dtype.kind == "f" else values


def ratio(over: Floats, under: Floats) -> Floats:
    """`over / under`, NaN where `under` is 0 or unknown.

    Examples
    --------
    >>> ratio(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    array([nan, 0.5])
    """
    known = (under != 0) & ~np.isnan(under)
    return np.where(known, over / np.where(known, under, 1.0), np.nan)
