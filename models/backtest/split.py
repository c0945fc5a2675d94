"""Rolling-origin folds: test on a snapshot that no training label reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.prediction.sample import Sample


@dataclass(frozen=True)
class Fold:
    """One origin: train on snapshots whose label windows ended by then, test on the snapshot itself.

    Parameters
    ----------
    test
        The snapshot that is tested.
    first, last
        First and last training snapshot.
    train_rows, test_rows
        Positions in the sample.
    crossed
        Number of folds of a cross-validation, whose rows have no dates and are trained on and tested in turn.
    """

    test: np.datetime64
    first: np.datetime64
    last: np.datetime64
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    crossed: int = 0

    def __str__(self) -> str:
        if self.crossed:
            return f"{self.crossed}-fold cross-validation by customer over {len(self.test_rows):,} rows, no dates"
        return (
            f"test {self.test} ({len(self.test_rows):,} rows), "
            f"train {self.first}..{self.last} ({len(self.train_rows):,} rows)"
        )


def reach(gap_days: int, horizon_days: int) -> np.timedelta64:
    """Time from a snapshot to the end of its label window."""
    return np.timedelta64(gap_days + horizon_days, "D")


def fold_at(sample: Sample, test: np.datetime64, gap_days: int, horizon_days: int) -> Fold | None:
    """Make the fold of one origin; None when no label window ended by then.

    Examples
    --------
    >>> import pandas as pd
    >>> days = np.array(["2026-01-01", "2026-02-01", "2026-03-01"], dtype="datetime64[D]")
    >>> s = Sample(pd.DataFrame(index=range(3)), np.zeros(3), np.array(list("abc")), days)
    >>> print(fold_at(s, days[2], 0, 31))
    test 2026-03-01 (1 rows), train 2026-01-01..2026-01-01 (1 rows)
    """
    train = np.flatnonzero(sample.snapshot + reach(gap_days, horizon_days) <= test)
    if not len(train):
        return None
    dates = sample.snapshot[train]
    return Fold(test, dates.min(), dates.max(), train, np.flatnonzero(sample.snapshot == test))


def origins(
    snapshots: Sequence[np.datetime64], gap_days: int, horizon_days: int, tests: int
) -> list[np.datetime64]:
    """Choose the origins to fit at, newest first, the newest snapshot included.

    Three to a label window at most, so that they differ; enough of them that the oldest of `tests` origins has four
    older ones whose labels were known by then: blend and calibrator of an origin are learned on those.

    Examples
    --------
    >>> days = list(np.arange("2025-01-01", "2026-01-01", 30, dtype="datetime64[D]")[::-1])
    >>> [str(d) for d in origins(days, 0, 60, 1)][:3]
    ['2025-12-27', '2025-11-27', '2025-10-28']
    """
    if len(snapshots) < 2:
        return list(snapshots)
    ordered = np.sort(np.array(snapshots, dtype="datetime64[D]"))[::-1]
    step = float(np.median(-np.diff(ordered).astype(np.float64)))
    window = gap_days + horizon_days
    stride = max(1, round(window / (3 * step)))
    wanted = tests + math.ceil(window / (stride * step)) + 3
    return list(ordered[::stride][:wanted])
