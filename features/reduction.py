"""Rows of a source straight to a panel, by NumPy: a cell for each customer and period, every row added to its cell.

The same statistics as the group-by of `features.partials`, for rows that are here already; nothing has to be sorted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from configs.arrays import Floats, Ints
from features.grid import Grid
from features.panel import WHOLE, Panel, Stat
from features.partials import DISTINCT_LIMIT
from features.snapshots import DAY, TimeAxis

# Where there would be more cells, the keys of the rows are sorted to find those that have any.
_MOST_CELLS = 4_000_000
_CELLS_A_ROW = 4
_FEW_CELLS = 1_000_000
_WHOLE_LIMIT = 1e12
_TENTH_DECIMAL = 1e10
_EXACT = 9e5  # up to here a sum with ten decimals is a whole number of them below 2**53


def reduced(
    rows: pa.Table, numbers: Ints, customers: int, stats: Collection[Stat], axis: TimeAxis
) -> Panel | Grid:
    """The panel of rows that `features.partials.moments` made.

    Parameters
    ----------
    rows
        `period`, `known` where it may be later, `at_`, and `of_...`, `where_...` as the statistics need them.
    numbers
        Shape (rows,): the customers' numbers; rows with a number below 0 are left out.
    """
    period = rows["period"].to_numpy()
    if not len(period):
        empty = {stat: np.zeros(0, np.int64 if stat.kind in WHOLE else np.float64) for stat in stats}
        return Panel(axis, np.zeros(customers + 1, np.int64), period, period, empty)
    # Nobody in particular stands behind the last customer, and is cut off.
    numbers = np.where(numbers < 0, customers, numbers)
    late = rows["known"].to_numpy() - period if "known" in rows.column_names else np.zeros(1, np.int32)
    first, lags = int(period.min()), int(late.max()) + 1
    width = (int(period.max()) - first + 1) * lags
    if lags == 1 and (customers + 1) * width <= _MOST_CELLS:
        shape = width, customers + 1
        found = _Cells(
            rows, numbers, (period - first) * (customers + 1) + numbers, late, width * (customers + 1)
        )
        cells = {stat: found.stat(stat).reshape(shape)[:, :customers] for stat in {*stats, Stat("count")}}
        return Grid(axis, first, cells[Stat("count")], cells)
    cell, present = _cells(numbers * width + (period - first) * lags + late, (customers + 1) * width)
    found = _Cells(rows, numbers, cell, late, len(present))
    present = present[: np.searchsorted(present, customers * width)]
    owner, place = np.divmod(present, width)
    when, lag = np.divmod(place, lags)
    occurred = (when + first).astype(np.int32)
    known = (occurred + lag).astype(np.int32) if lags > 1 else occurred
    start = np.searchsorted(owner, np.arange(customers + 1))
    return Panel(axis, start, occurred, known, {stat: found.stat(stat)[: len(present)] for stat in stats})


def _cells(key: Ints, size: int) -> tuple[Ints, Ints]:
    """The number of each row's cell, counting only cells with rows, and the keys of these, ascending.

    Parameters
    ----------
    key
        Shape (rows,): from 0 to below `size`.
    """
    if size > max(_FEW_CELLS, _CELLS_A_ROW * len(key)):
        present, cell = np.unique(key, return_inverse=True)
        return cell, present
    there = np.zeros(size, bool)
    there[key] = True
    return (np.cumsum(there) - 1)[key], np.flatnonzero(there)


@dataclass(frozen=True)
class _Cells:
    """Rows with the customer, the cell and the periods from happening to being known of each; and how many cells."""

    rows: pa.Table
    numbers: Ints
    cell: Ints
    late: NDArray[np.int32]
    count: int

    @property
    def at(self) -> Floats:
        """Seconds since 1970."""
        return self.rows["at_"].to_numpy()

    def stat(self, stat: Stat) -> NDArray[Any]:
        """Shape (cells,): whole numbers, or floats with NaN where no row has a value."""
        if stat.kind == "active_days":
            return self._active_days()
        if stat.kind == "bits":
            return self._bits(stat.column)
        which = self._which(stat)
        if stat.kind == "count" and which is None:
            return self._rows
        cell = self.cell if which is None else self.cell[which]
        if stat.kind == "count":
            return np.bincount(cell, minlength=self.count)
        values = self.at if stat.kind in ("first_at", "last_at") else self._values(stat.column)
        values = values if which is None else values[which]
        match stat.kind:
            case "sum":
                return self._sum(cell, values)
            case "min" | "first_at":
                return self._extreme(np.fmin, cell, values)
            case "max" | "last_at":
                return self._extreme(np.fmax, cell, values)
            case _:
                at = self.at if which is None else self.at[which]
                newest = at == self._extreme(np.fmax, cell, at)[cell]
                # Of several values at one moment the largest counts, so that the order of rows does not matter.
                return self._extreme(np.fmax, cell[newest], values[newest])

    @cached_property
    def _rows(self) -> Ints:
        """Shape (cells,): the number of rows."""
        return np.bincount(self.cell, minlength=self.count)

    def _which(self, stat: Stat) -> NDArray[np.bool_] | None:
        """The rows that count for a statistic: those of its predicate, with a value in its column; None for all."""
        which: NDArray[np.bool_] | None = None
        if stat.where:
            which = self.rows[f"where_{stat.where}"].to_numpy()
        column = self.rows[f"of_{stat.column}"] if stat.column else None
        if column is not None and column.null_count:
            known = column.is_valid().to_numpy()
            which = known if which is None else which & known
        return which

    def _values(self, column: str) -> Floats:
        values: Floats = self.rows[f"of_{column}"].to_numpy().astype(np.float64, copy=False)
        return values

    def _extreme(self, ufunc: np.ufunc, cell: Ints, values: Floats) -> Floats:
        found = np.full(self.count, np.nan)
        ufunc.at(found, cell, values)
        return found

    def _sum(self, cell: Ints, values: Floats) -> Floats:
        """Sums to ten decimals, the same for every order of the rows; in floats where numbers are too large."""

        def added(parts: Floats) -> Floats:
            sums: Floats = np.bincount(cell, weights=parts, minlength=self.count).astype(
                np.float64, copy=False
            )
            return sums

        small = np.abs(values) < _WHOLE_LIMIT
        near = values if small.all() else np.where(small, values, 0.0)
        whole = np.trunc(near)
        fraction = added(np.rint((near - whole) * _TENTH_DECIMAL))
        total = added(whole)
        exact = (total * _TENTH_DECIMAL + fraction) / _TENTH_DECIMAL
        found = np.where(np.abs(total) < _EXACT, exact, total + fraction / _TENTH_DECIMAL)
        return found if near is values else found + added(np.where(small, 0.0, values))

    def _active_days(self) -> Ints:
        """Days with a row: a day belongs to the first period in which one of its rows was known."""
        day = (self.at // DAY).astype(np.int64)
        first, width = int(day.min()), int(day.max() - day.min()) + 1
        each, days = _cells(self.numbers * width + day - first, (int(self.numbers.max()) + 1) * width)
        known = np.full(len(days), np.iinfo(np.int32).max, np.int32)
        late = np.broadcast_to(self.late, each.shape)
        np.minimum.at(known, each, late)
        # Any of the day's rows that were known first stands for it: they are in the same cell.
        here = late == known[each]
        cell = np.empty(len(days), np.int64)
        cell[each[here]] = self.cell[here]
        return np.bincount(cell, minlength=self.count)

    def _bits(self, column: str) -> Ints:
        """Sets of values: a customer's values are numbered as they became known, so that a later one moves none."""
        coded = self.rows[f"of_{column}"].combine_chunks().dictionary_encode()
        known = coded.is_valid().to_numpy(zero_copy_only=False)
        rank = pc.rank(coded.dictionary, tiebreaker="dense").to_numpy().astype(np.int64)
        value = rank[coded.indices.filter(pa.array(known)).to_numpy()]
        numbers, cell = self.numbers[known], self.cell[known]
        since = self.rows["known" if "known" in self.rows.column_names else "period"].to_numpy()[known]
        pairs, pair = np.unique(numbers * (len(rank) + 1) + value, return_inverse=True)
        earliest = np.full(len(pairs), np.iinfo(np.int32).max, np.int32)
        np.minimum.at(earliest, pair, since)
        owner = pairs // (len(rank) + 1)
        order = np.lexsort((pairs, earliest, owner))
        place = np.arange(len(pairs)) - np.searchsorted(owner, owner)
        bit = np.empty(len(pairs), np.int64)
        bit[order] = np.left_shift(1, np.minimum(place, DISTINCT_LIMIT))
        found = np.zeros(self.count, np.int64)
        np.bitwise_or.at(found, cell, bit[pair])
        return found
