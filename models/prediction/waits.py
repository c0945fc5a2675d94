"""How long customers waited for their next purchase, or stayed until their ending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Bools, Floats


@dataclass(frozen=True)
class Waits:
    """How long each row's customer waited for the next purchase, or stayed until the ending.

    Parameters
    ----------
    days
        From the start of the label window to what happened first, shape (rows,); NaN where nothing did.
    event
        Whether that is what is waited for, and not an ending that does not count; shape (rows,).
    followed
        Days for which each row has been watched; shape (rows,).
    """

    days: Floats
    event: Bools
    followed: Floats

    @classmethod
    def unknown(cls, rows: int) -> Waits:
        """Of rows that nobody has watched yet."""
        return cls(np.full(rows, np.nan), np.zeros(rows, bool), np.zeros(rows))

    def rows(self, keep: Bools | NDArray[np.int64]) -> Waits:
        """Select rows by a mask or by positions."""
        return Waits(self.days[keep], self.event[keep], self.followed[keep])

    def known(self, followed: Floats) -> Waits:
        """As they were known when each row had been watched for so many days only."""
        return Waits(self.days, self.event, np.minimum(self.followed, followed))

    def intervals(self, edges: Sequence[int]) -> tuple[NDArray[np.int64], Bools]:
        """How many intervals between the edges each row has outlasted, and whether the next one holds the event.

        Examples
        --------
        >>> waits = Waits(np.array([3.0, 30.0, np.nan]), np.array([True, True, False]), np.array([9.0, 9.0, 9.0]))
        >>> survived, event = waits.intervals([0, 2, 5, 8])
        >>> survived.tolist(), event.tolist()
        ([1, 3, 3], [True, False, False])
        """
        cut = np.asarray(edges, np.float64)
        seen = np.maximum(np.searchsorted(cut, self.followed, side="right") - 1, 0)
        at = np.searchsorted(cut, np.nan_to_num(self.days, nan=np.inf), side="right") - 1
        return np.minimum(seen, at), self.event & (at < seen)

    def by(self, days: float) -> tuple[Bools, Bools]:
        """Which rows are known at so many days, and for which of them nothing has happened before."""
        waiting = ~(self.days < days)
        return (self.followed >= days) & (waiting | self.event), waiting
