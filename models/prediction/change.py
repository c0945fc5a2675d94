"""The smallest change that would bring a row to the other side of a probability, taken from a row that is there.

Made-up rows contradict themselves: no purchase for a month, and three in it. So the change comes from the nearest
unlike neighbour (Keane and Smyth 2020), and of what sets that one apart as little is taken as suffices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.arrays import Bools, Floats
from models.prediction.classifier import FittedModel

NEIGHBOURS = 20


@dataclass(frozen=True)
class SmallestChange:
    """What would be different.

    Parameters
    ----------
    groups
        The groups of columns that change, the one that does most first.
    row
        The row after the change, one row.
    probability
        Of that row.
    """

    groups: tuple[str, ...]
    row: pd.DataFrame
    probability: float


def smallest_change(
    model: FittedModel,
    row: pd.DataFrame,
    others: pd.DataFrame,
    target: float,
    groups: Mapping[str, Sequence[str]],
) -> SmallestChange | None:
    """Find it among the rows on the other side of `target`; None where there is nobody.

    Parameters
    ----------
    row
        One matrix row.
    others
        Rows of other customers at the same snapshot.
    target
        Probability that is to be crossed.
    groups
        Name to the columns that change together.

    Examples
    --------
    >>> rule = {"name": "r", "kind": "steps", "inputs": [0], "edges": [5.0], "values": [-1.0, 1.0], "missing": 0.0,
    ...         "weight": 1.0}
    >>> spec = {"columns": [{"name": "silence", "kind": "number"}, {"name": "age", "kind": "number"}], "boosters": [],
    ...         "members": [rule], "calibrator": {"kind": "none"}}
    >>> others = pd.DataFrame({"silence": [1.0, 4.0, 9.0], "age": [7.0, 2.0, 8.0]})
    >>> found = smallest_change(FittedModel(spec, ()), others.iloc[[2]], others, 0.5, {"a": ["age"], "s": ["silence"]})
    >>> found.groups, found.row.iloc[0].tolist()
    (('s',), [4.0, 8.0])
    """
    above = bool(model.probability(row)[0] > target)

    def across(p: Floats) -> Bools:
        return np.asarray(p <= target if above else p > target)

    there = others.loc[across(model.probability(others))]
    if not len(there):
        return None
    nearest = there.iloc[np.argsort(_distance(row, there, others), kind="stable")[:NEIGHBOURS]]
    sign = 1 if above else -1
    found: list[SmallestChange] = []
    for place in range(len(nearest)):
        changed, left = row, dict(groups)
        taken: list[str] = []
        while left:
            tried = [_moved(changed, nearest.iloc[[place]], columns) for columns in left.values()]
            chances = model.probability(pd.concat(tried, ignore_index=True))
            best = int(np.argmin(sign * chances))
            name = list(left)[best]
            left.pop(name)
            changed, p, taken = tried[best], float(chances[best]), [*taken, name]
            if across(np.array([p]))[0]:
                found.append(SmallestChange(tuple(taken), changed, p))
                break
    return min(
        found,
        key=lambda one: (len(one.groups), float(_distance(row, one.row, others)[0])),
        default=None,
    )


def _moved(row: pd.DataFrame, donor: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The row with some columns of another one."""
    return row.assign(**{name: donor[name].to_numpy() for name in columns if name in row})


def _distance(row: pd.DataFrame, rows: pd.DataFrame, among: pd.DataFrame) -> Floats:
    """Mean difference over the columns: of ranks among all, or of being another text."""
    total = np.zeros(len(rows))
    for name in row.columns:
        own, theirs = row[name], rows[name]
        if pd.api.types.is_numeric_dtype(own):
            every = np.sort(among[name].dropna().to_numpy(np.float64))
            ranks = [np.searchsorted(every, c.to_numpy(np.float64, na_value=-np.inf)) for c in (own, theirs)]
            total += np.abs(ranks[1] - ranks[0][0]) / max(len(every), 1)
        else:
            total += theirs.astype(str).to_numpy() != str(own.iloc[0])
    return total / max(len(row.columns), 1)
