"""What a matrix takes: statistics of each source, columns, snapshots; and the frame of one piece of the customers.

A plan is made once, from names alone. The frame of a piece is computed here or on a worker of a cluster, by the
same lines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from configs.errors import ConfigError, Fault
from configs.roles import ROLES, renamed
from configs.schema import Config
from features import definition
from features.definition import unpacked_words
from features.matrix import ColumnOf, People, assemble, attribute_columns, available, declared, select_columns
from features.panel import Stat
from features.snapshots import TimeAxis
from features.spec import FeatureColumn, catalogue_hash, needed_stats
from features.spending import spending_columns
from pipeline.dataset import engine
from pipeline.dataset.extra import load_extra, require_columns

MEMBERS = "members"


@dataclass(frozen=True)
class Plan:
    """What a matrix takes.

    Parameters
    ----------
    axis, snapshots
        The periods, and the as-of dates on their edges.
    columns
        Declaration and function of each feature column.
    spending
        The same of the columns that customers are valued by; no features.
    stats
        The statistics that the columns read, by role.
    attributes
        Names of the customers' attributes that are there.
    facts
        Declarations of those that are columns.
    code
        Digests of the user's own features.
    """

    axis: TimeAxis
    snapshots: tuple[dt.date, ...]
    columns: tuple[ColumnOf, ...]
    spending: tuple[ColumnOf, ...]
    stats: Mapping[str, frozenset[Stat]]
    attributes: tuple[str, ...]
    facts: tuple[FeatureColumn, ...]
    code: tuple[str, ...]

    @classmethod
    def of(
        cls,
        config: Config,
        snapshots: Sequence[dt.date],
        tables: Mapping[str, ir.Table],
        attributes: Sequence[str],
    ) -> Plan:
        """Choose the columns for which the sources are there, and what they need.

        Parameters
        ----------
        tables
            Role to table, with the derived ones; only their columns' names are looked at.
        """
        windows, exclude = config.features.windows_days, config.features.exclude
        active_days = config.churn.active_days if config.churn.kind == "non_contractual" else None
        # The step is among them so that one snapshot has the same periods as many.
        lengths = [*windows, config.snapshots.step_days, *([active_days] if active_days else [])]
        axis = TimeAxis.of(snapshots, lengths)
        found = available({role: table.columns for role, table in tables.items()})
        events = [role for role in tables if role not in ROLES or ROLES[role].clock == "occurred_at"]
        extra = load_extra(config)
        own = select_columns(extra.features, found, windows, exclude)
        require_columns(own, tables, events, axis)
        columns = (*select_columns(declared(), found, windows, exclude), *own)
        _refuse_taken_names(config, [column.name for column, _ in columns])
        spending = spending_columns(found, windows, config.outreach.value_days)
        stats = needed_stats([function for _, function in (*columns, *spending)], events, axis)
        nobody = np.zeros(0)
        someone = People(pa.array([], pa.string()), nobody, nobody, dict.fromkeys(attributes, pd.Series()))
        return cls(
            axis,
            tuple(sorted(snapshots)),
            columns,
            spending,
            {role: frozenset(wanted) for role, wanted in stats.items()},
            tuple(attributes),
            tuple(attribute_columns(someone, exclude)),
            extra.code,
        )

    @property
    def catalogue(self) -> tuple[FeatureColumn, ...]:
        """The declaration of each column of the matrix."""
        return (*(column for column, _ in self.columns), *self.facts)

    @property
    def digest(self) -> str:
        """Changes when a declaration does, or the code of a user's own."""
        return catalogue_hash(self.catalogue, self.code)

    def frame(self, reduced: Mapping[str, Any], customers: Any, kinds: Mapping[str, Any]) -> pd.DataFrame:
        """The rows of the matrix of some customers.

        Parameters
        ----------
        reduced
            Arrow table of the partial statistics of each role, and of who is a customer when, see `members`.
        customers
            Arrow table of these customers' rows of the customers source, None without one.
        kinds
            The attributes with their types; see `engine.kinds_of`.
        """
        members = reduced[MEMBERS]
        ids = engine.different_ids(members["customer_id"])
        named = members["customer_id"].cast(pa.string()).combine_chunks()
        members = members.take(pc.index_in(ids, value_set=named))
        there = unpacked_words(members, len(self.snapshots))
        people = engine.people_of(customers, kinds, ids)
        panels = {
            role: engine.panel_of(table, ids, self.stats[role], self.axis)
            for role, table in reduced.items()
            if role != MEMBERS
        }
        columns = (*self.columns, *self.spending)
        return assemble(people, panels, self.axis, self.snapshots, columns, self.facts, there)


def members(tables: Mapping[str, ir.Table], config: Config, snapshots: Sequence[dt.date]) -> ir.Table:
    """Who is a customer at which of the snapshots, by what was known then; those who never are have no row."""
    times = [dt.datetime.combine(day, dt.time()) for day in sorted(snapshots)]
    found = definition.customers(tables, config.churn, times, as_known_then=True)
    return found.filter(definition.any_bit(found)).select("customer_id", *definition.names_of(found.columns))


def _refuse_taken_names(config: Config, features: Sequence[str]) -> None:
    """An attribute or a fact with the name of a feature would stand in its place, or the feature in its."""
    customers = config.sources.customers
    if customers is None:
        return
    faults = [
        Fault(
            f"sources.customers.{section}.{name}",
            "the name is taken by a feature",
            f"write {renamed(name, rule)} instead, or leave it out",
        )
        for section in ("attributes", "facts")
        for name, rule in getattr(customers, section).items()
        if name in features
    ]
    if faults:
        raise ConfigError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the config", faults)
