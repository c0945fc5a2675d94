"""The statistics of one source as a grid of periods and customers: every window is a few rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.snapshots import DAY, TimeAxis, seconds

if TYPE_CHECKING:
    from configs.arrays import Floats, Ints
    from features.panel import Stat, Window

# Of so many windows the rows are gone through; a night asks for fewer, a training of many snapshots for more.
_FEW_WINDOWS = 16


@dataclass(frozen=True)
class Grid:
    """Like a `Panel`, of rows that were known as they occurred, with a cell for every period of every customer.

    What is asked of all customers at once is arithmetic on whole rows, without look-ups. It is for few periods: with
    many most cells would be empty.

    Parameters
    ----------
    axis
        The periods.
    first
        The period of the first row of the grid.
    rows
        Shape (periods, customers): the number of events.
    stats
        Shape (periods, customers) each; NaN, of sums 0, where a statistic has no rows.
    """

    axis: TimeAxis
    first: int
    rows: Ints
    stats: Mapping[Stat, NDArray[Any]]
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def customers(self) -> int:
        """Number of customers."""
        return self.rows.shape[1]

    def known_at(self, edge: int) -> Grid:
        """The grid as it was known at an edge: the same, nothing became known later than it occurred."""
        return self

    def _between(self, window: Window) -> tuple[int, int]:
        """The rows of the grid that lie in a window."""
        last = len(self.rows)
        from_edge = self.first if window.from_edge is None else window.from_edge
        low, high = (min(max(edge - self.first, 0), last) for edge in (from_edge, window.to_edge))
        return low, max(low, high)

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def _few(self, what: Any) -> bool:
        """Whether this has been asked of few windows yet: to go through their rows costs less than to prepare all."""
        self._cache["asked", what] = asked = self._cache.get(("asked", what), 0) + 1
        return bool(asked <= _FEW_WINDOWS)

    def _summed(self, window: Window, what: Any, values: NDArray[Any]) -> Floats:
        low, high = self._between(window)
        # Floats never by running sums: those of the past would leave their rounding in a window without it.
        if values.dtype.kind == "f" or self._few(what):
            found = np.add.reduce(values[low:high], axis=0)
        else:
            running = self._once(("running", what), lambda: _running(values))
            found = running[high] - running[low]
        return found.astype(np.float64, copy=False)[window.members]

    def added(self, window: Window, stat: Stat) -> Floats:
        """Shape (members,): a statistic that adds up."""
        return self._summed(window, stat, self.stats[stat])

    def active_periods(self, window: Window) -> Floats:
        """Shape (members,): number of periods with an event."""
        return self._summed(window, "active", self._once("there", lambda: self.rows > 0))

    def periods_in_a_row(self, window: Window) -> Floats:
        """Shape (members,): number of periods with an event, without a gap, up to the end of the window."""
        low, high = self._between(window)
        there = self.rows[low:high] > 0
        if high - low < window.to_edge - max(self.first + low, 0) or not len(there):
            return np.zeros(len(window.members))
        found = np.logical_and.accumulate(there[::-1], axis=0).sum(axis=0)
        return found.astype(np.float64)[window.members]

    def nearest(self, window: Window, stat: Stat, side: Literal["before", "after"]) -> Floats:
        """Shape (members,): the last or the first value in the window, NaN without any."""
        low, high = self._between(window)
        outermost = {("last_at", "before"): np.fmax, ("first_at", "after"): np.fmin}.get((stat.kind, side))
        if outermost is not None and self._few((side, stat)):
            return self.reduced(window, outermost, stat, np.nan)
        time = replace(stat, kind="last_at") if stat.kind == "last" else stat
        edge = high if side == "before" else low
        found, at = (self._carried(one, side)[edge] for one in (stat, time))
        begins, ends = (self._seconds(self.first + place) for place in (low, high))
        inside = (at >= begins) & (at < ends)
        result: Floats = np.where(inside, found, np.nan)[window.members]
        return result

    def _seconds(self, edge: int) -> int:
        return seconds(self.axis.origin) + edge * self.axis.period_days * DAY

    def _carried(self, stat: Stat, side: Literal["before", "after"]) -> Floats:
        """Shape (periods + 1, customers): at each edge the newest value before it, or the next one after it."""

        def carry() -> Floats:
            values: Floats = self.stats[stat]
            found = np.full((len(values) + 1, values.shape[1]), np.nan)
            ahead = side == "before"
            # Of moments the newest is the latest and the next one the earliest, which takes no look at what is there.
            ends = {("last_at", True): np.fmax, ("first_at", False): np.fmin}.get((stat.kind, ahead))
            for row in range(len(values)) if ahead else reversed(range(len(values))):
                here, there = (row + 1, row) if ahead else (row, row + 1)
                if ends is not None:
                    ends(values[row], found[there], out=found[here])
                else:
                    found[here] = np.where(np.isnan(values[row]), found[there], values[row])
            return found

        carried: Floats = self._once((side, stat), carry)
        return carried

    def reduced(self, window: Window, ufunc: np.ufunc, stat: Stat, nothing: float) -> NDArray[Any]:
        """Shape (members,): the smallest, the largest, or what is there at all."""
        low, high = self._between(window)
        values = self.stats[stat]
        if low == high:
            return np.full(len(window.members), nothing, dtype=values.dtype)
        found: NDArray[Any] = ufunc.reduce(values[low:high], axis=0)[window.members]
        return found

    def decayed_count(self, window: Window, stat: Stat, half_life_days: int) -> Floats:
        """Shape (members,): events, each counted 0.5 ** (age of the end of its period / half-life)."""
        low, high = self._between(window)
        ages = (window.to_edge - 1 - self.first - np.arange(low, high)) * self.axis.period_days
        weights = np.exp2(-ages / half_life_days)
        found: Floats = np.add.reduce(self.stats[stat][low:high] * weights[:, None], axis=0)[window.members]
        return found


def _running(values: NDArray[Any]) -> Ints:
    """Shape (periods + 1, customers): entry i is the sum of the rows before i."""
    found = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    # Row by row: NumPy's own running sum down the rows takes ten times as long.
    for row, here in enumerate(values):
        np.add(found[row], here, out=found[row + 1])
    return found
