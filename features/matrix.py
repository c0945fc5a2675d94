"""From panels to the feature matrix: one row per customer and snapshot, one column per feature."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from configs.arrays import Floats
from features import (
    contact_gaps,
    feedback,
    frequency,
    monetary,
    payments,
    recency,
    relationship,
    seasonality,
    subscriptions,
    usage,
)
from features.grid import Grid
from features.panel import Panel
from features.snapshots import DAY, TimeAxis, seconds
from features.spec import CUSTOMERS, At, Feature, FeatureColumn, columns_of
from features.tables import PREDICATES

FAMILIES = (
    *(recency, frequency, seasonality, monetary, feedback, contact_gaps, usage, relationship, payments),
    subscriptions,
)

ColumnOf = tuple[FeatureColumn, Callable[[At], Floats]]


def declared() -> list[Feature]:
    """Every feature of the families, in the order of their modules."""
    return [value for module in FAMILIES for value in vars(module).values() if isinstance(value, Feature)]


def drivers(columns: Iterable[FeatureColumn] = ()) -> set[str]:
    """What reasons may be grouped under: the drivers of all declared features, of attributes, and of these columns."""
    return {f.driver for f in declared()} | {"profile"} | {column.driver for column in columns}


@dataclass(frozen=True)
class People:
    """The customers that a matrix is about.

    Parameters
    ----------
    ids
        Shape (customers,): their ids, ascending; a customer's number is the place in it.
    started_at, ended_at
        Shape (customers,): seconds since 1970, NaN where unknown or not ended.
    attributes
        A column each: float, or pandas category.
    """

    ids: pa.Array
    started_at: Floats
    ended_at: Floats
    attributes: Mapping[str, pd.Series[Any]]


@dataclass(frozen=True)
class Matrix:
    """The feature matrix, sorted by snapshot and customer.

    Parameters
    ----------
    frame
        `customer_id`, `snapshot`, and a column per feature: float32 with NaN for null, or pandas category; also
        the columns of `features.spending`, by which customers are valued.
    columns
        The declaration of each feature column.
    catalogue_hash
        Changes when a declaration does.
    """

    frame: pd.DataFrame
    columns: tuple[FeatureColumn, ...]
    catalogue_hash: str

    @property
    def features(self) -> pd.DataFrame:
        """The feature columns alone."""
        return self.frame[[column.name for column in self.columns]]


def available(tables: Mapping[str, Collection[str]]) -> set[str]:
    """What features may ask for: roles, `role.column`, and `role.predicate`.

    Examples
    --------
    >>> sorted(available({"contacts": ["customer_id", "direction"]}) - {"contacts.customer_id"})
    ['contacts', 'contacts.direction', 'contacts.inbound', 'contacts.outbound']
    """
    found = set(tables)
    for role, columns in tables.items():
        found |= {f"{role}.{column}" for column in columns}
        found |= {
            f"{role}.{name}"
            for name, (needs, _) in PREDICATES.get(role, {}).items()
            if set(needs) <= set(columns)
        }
    return found


def select_columns(
    features: Iterable[Feature], found: Collection[str], windows_days: Sequence[int], exclude: Sequence[str]
) -> list[ColumnOf]:
    """Columns of the features whose sources are there, without the excluded ones."""
    columns = columns_of([f for f in features if set(f.sources) <= set(found)], windows_days)
    return [c for c in columns if not any(fnmatch.fnmatchcase(c[0].name, pattern) for pattern in exclude)]


def attribute_columns(people: People, exclude: Sequence[str]) -> list[FeatureColumn]:
    """Columns of the customers' attributes."""
    return [
        FeatureColumn(
            name,
            name.replace("_", " ").capitalize(),
            "",
            "unknown",
            "profile",
            CUSTOMERS,
            actionable=False,
        )
        for name in people.attributes
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)
    ]


def assemble(
    people: People,
    panels: Mapping[str, Panel | Grid],
    axis: TimeAxis,
    snapshots: Sequence[dt.date],
    columns: Sequence[ColumnOf],
    attributes: Sequence[FeatureColumn],
    there: NDArray[np.bool_],
) -> pd.DataFrame:
    """The frame of a `Matrix`.

    Parameters
    ----------
    snapshots
        Ascending.
    there
        Shape (customers, snapshots): who is a customer at which snapshot, see `features.definition`.
    """
    members = [np.flatnonzero(here) for here in there.T]
    ends = np.cumsum([len(m) for m in members])
    total = int(ends[-1])
    values = np.empty((len(columns), total), np.float32)
    for day, who, end in zip(snapshots, members, ends, strict=True):
        edge = axis.edge(day)
        at = At(
            seconds(day) / DAY,
            edge,
            who,
            {role: panel.known_at(edge) for role, panel in panels.items()},
            np.where(people.started_at[who] < seconds(day), people.started_at[who] / DAY, np.nan),
        )
        for row, (_, function) in zip(values, columns, strict=True):
            row[end - len(who) : end] = function(at)
    everyone = np.concatenate(members)
    frame = pd.DataFrame(values.T, columns=[column.name for column, _ in columns], copy=False)
    days_of_rows = np.repeat(np.array(snapshots, dtype="datetime64[s]"), [len(m) for m in members])
    frame.insert(0, "customer_id", pd.Series(people.ids.take(pa.array(everyone)).to_pandas(), dtype="str"))
    frame.insert(1, "snapshot", days_of_rows)
    # A customer who starts later is not in the customers source yet, though a purchase may already be known.
    midnights = np.repeat([seconds(day) for day in snapshots], [len(m) for m in members])
    later = people.started_at[everyone] >= midnights
    for fact in attributes:
        values_of = people.attributes[fact.name].take(everyone).reset_index(drop=True)
        frame[fact.name] = values_of.mask(later).array
    return frame
