"""Labelled rows, and the guards that they must pass before anything is fitted on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools, Dates
from configs.errors import HistoryError
from models.statistics.metrics import auc

_MIN_ROWS = 50
MIN_OF_EACH = 10
LEAK_AUC = 0.99
LEAK_ROWS = 50_000
SHORTEST_ID = 100_000


@dataclass(frozen=True)
class Sample:
    """Customers at snapshots, with what became of them.

    Parameters
    ----------
    X
        One row per customer and snapshot; float columns (NaN is unknown) and `category` columns.
    churned
        1 churned, 0 kept; shape (rows,).
    customer
        Customer ids; shape (rows,).
    snapshot
        Snapshot dates as `datetime64[D]`; shape (rows,).
    weight
        For how many rows each stands, shape (rows,); None where each stands for itself.

    Examples
    --------
    >>> s = Sample(pd.DataFrame({"a": [1.0, 2.0]}), np.array([0.0, 1.0]), np.array(["x", "y"]),
    ...            np.array(["2026-01-01", "2026-02-01"], dtype="datetime64[D]"))
    >>> len(s), len(s.rows(s.churned == 1))
    (2, 1)
    """

    X: pd.DataFrame
    churned: NDArray[np.float64]
    customer: NDArray[np.str_]
    snapshot: Dates
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.churned)

    def rows(self, keep: Bools | NDArray[np.int64]) -> Sample:
        """Select rows by a mask or by positions."""
        weight = None if self.weight is None else self.weight[keep]
        X = self.X.iloc[_positions(keep)]
        return Sample(X, self.churned[keep], self.customer[keep], self.snapshot[keep], weight)

    def columns(self, names: list[str]) -> Sample:
        """Select columns."""
        return Sample(self.X[names], self.churned, self.customer, self.snapshot, self.weight)

    @property
    def snapshots(self) -> list[np.datetime64]:
        """Distinct snapshot dates, newest first."""
        return list(np.unique(self.snapshot)[::-1])

    def at_most(self, rows: int, seed: int) -> Sample:
        """Drop whole customers, chosen by chance, until at most `rows` rows are left."""
        return self if len(self) <= rows else self.rows(self.chosen(rows, seed))

    def chosen(self, rows: int, seed: int) -> Bools:
        """Mask of the rows that `at_most` keeps."""
        if len(self) <= rows:
            return np.ones(len(self), bool)
        ids, position, counts = np.unique(self.customer, return_inverse=True, return_counts=True)
        order = np.random.default_rng(seed).permutation(len(ids))
        kept = np.zeros(len(ids), dtype=bool)
        kept[order[np.cumsum(counts[order]) <= rows]] = True
        return kept[position]


def _positions(keep: Bools | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(keep) if keep.dtype == np.bool_ else keep.astype(np.int64)


def enough(churned: NDArray[np.float64]) -> bool:
    """Say whether a fit on these labels is allowed.

    Examples
    --------
    >>> enough(np.array([0.0] * 45 + [1.0] * 10)), enough(np.array([0.0] * 500))
    (True, False)
    """
    ones = int(churned.sum())
    return len(churned) >= _MIN_ROWS and min(ones, len(churned) - ones) >= MIN_OF_EACH


def require_enough(churned: NDArray[np.float64], where: str) -> None:
    """Refuse too few rows, too few of one class, or one class only.

    Raises
    ------
    HistoryError
        With the numbers found and needed.
    """
    if enough(churned):
        return
    ones = int(churned.sum())
    kept = len(churned) - ones
    found = f"{len(churned):,} rows, {ones:,} churned and {kept:,} kept"
    if len(churned) and min(ones, kept) == 0:
        what = "every customer churned" if ones else "no customer churned"
        raise HistoryError(
            f"{where}: {what} ({found}); a model needs both. "
            "Check churn.horizon_days and churn.active_days, or the mapping of the endings"
        )
    raise HistoryError(
        f"{where}: {found}; at least {_MIN_ROWS} rows with {MIN_OF_EACH} of each are needed. "
        "Give more history, or shorten churn.horizon_days or snapshots.step_days"
    )


def held_back(sample: Sample, window: np.timedelta64) -> tuple[Bools, Bools] | None:
    """Masks of rows to fit on and of later ones to look at meanwhile; of other customers where there is no time.

    Parameters
    ----------
    window
        Gap plus horizon: labels of the rows to fit on end before the newest snapshot, which is held back.

    Returns
    -------
    fitted, held back
        None when neither way leaves enough of each class.

    Examples
    --------
    >>> day = np.repeat(np.array(["2026-01-01", "2026-02-01", "2026-03-01"], dtype="datetime64[D]"), 60)
    >>> s = Sample(pd.DataFrame(index=range(180)), np.tile([0.0, 1.0, 0.0], 60), np.arange(180).astype(str), day)
    >>> [int(rows.sum()) for rows in held_back(s, np.timedelta64(59, "D"))]
    [60, 60]
    """
    newest = sample.snapshot.max()
    ids, position = np.unique(sample.customer, return_inverse=True)
    fifth = (np.random.default_rng(len(ids)).permutation(len(ids)) % 5 == 0)[position]
    in_time = (sample.snapshot + window <= newest, sample.snapshot == newest)
    for fitted, back in (in_time, (~fifth, fifth)):
        if enough(sample.churned[fitted]) and enough(sample.churned[back]):
            return fitted, back
    return None


def faded(sample: Sample, window: np.timedelta64) -> NDArray[np.float64] | None:
    """Weights by which a row counts half as much for each window that its snapshot is older; shape (rows,).

    Parameters
    ----------
    window
        Gap plus horizon: after so long everything that a snapshot has to say is known.

    Returns
    -------
    ndarray or None
        None where all snapshots lie within one window, and would hardly fade.

    Examples
    --------
    >>> day = np.array(["2026-01-01", "2026-03-01", "2026-03-01"], dtype="datetime64[D]")
    >>> s = Sample(pd.DataFrame(index=range(3)), np.zeros(3), np.array(list("aab")), day)
    >>> faded(s, np.timedelta64(59, "D")).tolist(), faded(s, np.timedelta64(60, "D"))
    ([0.5, 1.0, 1.0], None)
    """
    age = (sample.snapshot.max() - sample.snapshot) / window
    if age.max() < 1:
        return None
    weight = 0.5**age
    return weight if sample.weight is None else weight * sample.weight


@dataclass(frozen=True)
class ColumnReport:
    """Which columns are used, and which are not and why.

    Parameters
    ----------
    used
        Names in the order of the matrix.
    empty
        Columns without a single value.
    constant
        Columns with one value only.
    identifying
        Columns that say who it is: texts with (nearly) one value for each customer, running numbers.
    leaking
        Column name to the AUC that it alone reaches.
    """

    used: tuple[str, ...]
    empty: tuple[str, ...]
    constant: tuple[str, ...]
    identifying: tuple[str, ...]
    leaking: dict[str, float]


def inspect_columns(sample: Sample) -> ColumnReport:
    """Find the columns that cannot help, and those that know too much.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 40)
    >>> X = pd.DataFrame({"a": 2 * np.arange(80.0), "b": 1.0, "told": y})
    >>> s = Sample(X, y, np.arange(80).astype(str), np.full(80, np.datetime64("2026-01-01")))
    >>> inspect_columns(s).used, inspect_columns(s).constant, inspect_columns(s).leaking
    (('a', 'told'), ('b',), {'told': 1.0})
    """
    used: list[str] = []
    empty: list[str] = []
    constant: list[str] = []
    identifying: list[str] = []
    leaking: dict[str, float] = {}
    first = ~pd.Series(sample.customer).duplicated().to_numpy()
    customers = int(first.sum())
    some = sample.at_most(LEAK_ROWS, seed=0)
    for name in sample.X.columns:
        column = sample.X[name]
        distinct = column.nunique(dropna=True)
        if distinct == 0:
            empty.append(name)
        elif distinct == 1 and not column.isna().any():
            constant.append(name)
        elif distinct > max(50, 0.5 * customers) and (not _is_number(column) or _numbers_rows(column[first])):
            identifying.append(name)
        else:
            used.append(name)
            alone = single_auc(some.X[name], some.churned)
            if alone > LEAK_AUC:
                leaking[name] = alone
    return ColumnReport(tuple(used), tuple(empty), tuple(constant), tuple(identifying), leaking)


def _numbers_rows(column: pd.Series) -> bool:
    """Say whether a number is the customer's own: every value once and whole, and hardly any left out or all as long.

    Examples
    --------
    >>> _numbers_rows(pd.Series(range(7, 99))), _numbers_rows(pd.Series([15634602, 15647311, 15619304]))
    (True, True)
    >>> _numbers_rows(pd.Series([120, 40, 1930])), _numbers_rows(pd.Series([1.5, 2.5]))
    (False, False)
    """
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if len(np.unique(values)) < len(values) or not np.array_equal(values, np.floor(values)):
        return False
    low, high = float(values.min()), float(values.max())
    of_one_length = low >= SHORTEST_ID and len(str(int(low))) == len(str(int(high)))
    return high - low < 1.05 * len(values) or of_one_length


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column))


def single_auc(column: pd.Series, churned: NDArray[np.float64]) -> float:
    """AUC of one column alone, whichever way round, also by its being unknown.

    A text is ranked by the churn rate of its levels.
    """
    missing = column.isna().to_numpy()
    if _is_number(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        rates = pd.Series(churned).groupby(column.astype("str").to_numpy()).mean()
        values = column.astype("str").map(rates).to_numpy(dtype=np.float64)
    best = 0.5
    known = ~missing
    candidates = [missing.astype(np.float64)] if missing.any() else []
    if known.any():
        low, high = values[known].min() - 1, values[known].max() + 1
        candidates += [np.where(missing, low, values), np.where(missing, high, values)]
    for candidate in candidates:
        reached = auc(churned, candidate)
        best = max(best, reached, 1 - reached)
    return best
