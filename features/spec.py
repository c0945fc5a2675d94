"""A feature's declaration, and the catalogue of all of them.

A feature is one function on the data as known at a snapshot. Its name gives the column, its docstring's first
line the label that reports show. Which statistics it needs is found by running it once on empty data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats, Ints
from features.grid import Grid
from features.panel import Panel, Stat, Window
from features.snapshots import DAY, TimeAxis, seconds
from features.worse import Worse

CUSTOMERS = "customers"


@dataclass(frozen=True)
class At:
    """What is known at a snapshot about some customers: the argument of every feature function.

    Parameters
    ----------
    t
        The snapshot, in days since 1970.
    edge
        Its edge on the time axis.
    members
        Shape (n,): numbers of the customers.
    panels
        Panel by role.
    started_at
        Shape (n,): day on which each customer started, NaN where unknown.
    """

    t: float
    edge: int
    members: Ints
    panels: Mapping[str, Panel | Grid]
    started_at: Floats
    _events: dict[str, Window] = field(default_factory=dict, repr=False, compare=False)

    def events(self, role: str) -> Window:
        """All events of a role before the snapshot."""
        if role not in self._events:
            self._events[role] = Window(self.panels[role], self.members, None, self.edge)
        return self._events[role]

    @property
    def purchases(self) -> Window:
        """All purchases before the snapshot."""
        return self.events("transactions")

    @property
    def feedback(self) -> Window:
        """All feedback before the snapshot."""
        return self.events("feedback")

    @property
    def contacts(self) -> Window:
        """All contacts before the snapshot."""
        return self.events("contacts")

    @property
    def usage(self) -> Window:
        """All usage before the snapshot."""
        return self.events("usage")


@dataclass(frozen=True)
class Feature:
    """One declared feature; see `feature`."""

    name: str
    sources: tuple[str, ...]
    unit: str
    null: str
    label: str
    driver: str
    windows: bool
    actionable: bool
    worse: Worse | None
    function: Callable[..., Floats]
    longest_days: int | None = None


@dataclass(frozen=True)
class FeatureColumn:
    """One column of the feature matrix.

    `worse` says which numbers are a reason to leave; None: no number of it is.
    """

    name: str
    label: str
    unit: str
    null: str
    driver: str
    source: str
    actionable: bool
    worse: Worse | None = None

    def plain(self) -> dict[str, Any]:
        """The declaration as values that JSON knows."""
        return {
            **asdict(replace(self, worse=None)),
            "worse": None if self.worse is None else self.worse.model_dump(),
        }


def feature(
    *sources: str,
    unit: str,
    driver: str,
    null: str = "never null",
    windows: bool = False,
    actionable: bool = True,
    worse: Worse | None = None,
    longest_days: int | None = None,
) -> Callable[[Callable[..., Floats]], Feature]:
    """Declare a feature.

    Parameters
    ----------
    sources
        Roles that it reads; it is absent when one of them is.
    unit
        Unit of its values.
    driver
        The group under which reasons are shown, such as 'silence'.
    null
        What a missing value means.
    windows
        Whether there is one column for each configured window; the function then takes `days` too, and
        `{days}` stands for it in the label and in `worse`.
    actionable
        Whether a team can act on it.
    worse
        Which numbers are a reason to leave, and how a manager would say it. Without it none is.
    longest_days
        Windows longer than this have no column.

    Examples
    --------
    >>> @feature("transactions", unit="purchases", driver="frequency", windows=True)
    ... def purchase_count(at, days):
    ...     '''Purchases in the last {days} days.'''
    ...     return at.purchases.last(days).count()
    >>> [column.label for column, _ in columns_of([purchase_count], [30])]
    ['Purchases in the last 30 days']
    """

    def declare(function: Callable[..., Floats]) -> Feature:
        lines = (function.__doc__ or "").strip().splitlines()
        if not lines:
            raise TypeError(f"feature {function.__name__} needs a docstring: its first line is the label")
        label = lines[0].strip().rstrip(".")
        return Feature(
            function.__name__,
            sources,
            unit,
            null,
            label,
            driver,
            windows,
            actionable,
            worse,
            function,
            longest_days,
        )

    return declare


def columns_of(
    features: Iterable[Feature], windows_days: Sequence[int]
) -> list[tuple[FeatureColumn, Callable[[At], Floats]]]:
    """Each column of the features with the function that computes it."""
    result: list[tuple[FeatureColumn, Callable[[At], Floats]]] = []
    for f in features:
        lengths = [days for days in windows_days if f.longest_days is None or days <= f.longest_days]
        for days in lengths if f.windows else (None,):
            column = FeatureColumn(
                f.name if days is None else f"{f.name}_{days}d",
                f.label if days is None else f.label.replace("{days}", str(days)),
                f.unit,
                f.null,
                f.driver,
                "+".join(f.sources) or CUSTOMERS,
                f.actionable,
                f.worse if days is None or f.worse is None else f.worse.over(days),
            )
            result.append((column, _bound(f.function, days)))
    return result


def _bound(function: Callable[..., Floats], days: int | None) -> Callable[[At], Floats]:
    return function if days is None else lambda at: function(at, days)


def catalogue_hash(columns: Iterable[FeatureColumn], code: Sequence[str] = ()) -> str:
    """Sixteen hexadecimal digits that change when a column's declaration does, or the code of a user's own."""
    text = json.dumps([column.plain() for column in columns], sort_keys=True) + "".join(code)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Recorder(dict[Stat, NDArray[Any]]):
    """Stands in for a panel's statistics, has none of any, and remembers which were asked for."""

    def __missing__(self, stat: Stat) -> NDArray[Any]:
        whole = stat.kind in ("count", "bits", "active_days")
        self[stat] = np.zeros(0, dtype=np.int64 if whole else np.float64)
        return self[stat]


def needed_stats(
    functions: Iterable[Callable[[At], Floats]], roles: Iterable[str], axis: TimeAxis
) -> dict[str, set[Stat]]:
    """The statistics of each role that the functions read, found by running them on nobody."""
    nobody = np.zeros(0, dtype=np.int64)
    none = np.zeros(0, dtype=np.int32)
    recorders = {role: _Recorder() for role in roles}
    panels: dict[str, Panel | Grid] = {
        role: Panel(axis, np.zeros(1, np.int64), none, none, recorder) for role, recorder in recorders.items()
    }
    at = At(seconds(axis.newest) / DAY, axis.edge(axis.newest), nobody, panels, np.zeros(0))
    for function in functions:
        function(at)
    return {role: set(recorder) for role, recorder in recorders.items()}
