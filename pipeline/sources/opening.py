"""URIs -> checked Ibis tables: what every other module reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.errors import ConfigError, DataError, Fault
from configs.schema import Config
from pipeline.languages.said import Said
from pipeline.layout import layout_of
from pipeline.log import Say, logged_stage
from pipeline.sources import agreements, matching
from pipeline.sources.accounts import Account
from pipeline.sources.connections import Connections
from pipeline.sources.contacted import Mark, read_marks, with_marks
from pipeline.sources.cut import Opened
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.freshness import Freshness
from pipeline.sources.ids import Ids, nobodies, shortened, twins
from pipeline.sources.local import LocalTables
from pipeline.sources.matching import Match
from pipeline.sources.one_source import open_source
from pipeline.sources.parts import Parts
from pipeline.sources.quarantine import Quarantine
from pipeline.sources.readers import connect_duckdb
from pipeline.sources.store import sweep


@dataclass(frozen=True)
class Sources:
    """The roles' tables as they were known at the as-of date.

    Parameters
    ----------
    connection
        The local DuckDB: it reads files, and receives what other engines have reduced.
    tables
        Role to table, with the columns of `configs.roles` that are mapped. No row, ending or answer
        that occurred or became known at the as-of date or later is in them.
    attributes
        Names of the customers' attributes.
    fingerprints
        Role to rows, first and last time, a digest that does not depend on the rows' order, and the columns that the
        source has, mapped or not.
    first_day
        The day of the first start or purchase.
    notes
        What was left out, a line each.
    look
        What a person should look at before the figures are believed, a line each.
    matches
        How many of each role's customers are known from the other roles.
    ids
        The customers of all roles, and of each.
    freshness
        How far the data reach.
    share
        Of the customers, drawn at random, whose rows are in the tables.
    marks
        Contacts that were marked in the report.
    quarantine
        Bad rows that were put aside.
    parts
        The parts of a role's files, by its table, where something is kept of them.
    reread
        What was read again that might have been kept, a line a role.
    """

    connection: Backend
    tables: Mapping[str, ir.Table]
    attributes: tuple[str, ...]
    fingerprints: Mapping[str, Mapping[str, Any]]
    first_day: dt.date
    notes: tuple[Said, ...]
    look: tuple[Said, ...]
    matches: tuple[Match, ...]
    ids: Ids
    freshness: Freshness
    share: float = 1.0
    marks: tuple[Mark, ...] = ()
    quarantine: Quarantine = field(default_factory=Quarantine)
    parts: Mapping[str, Parts] = field(default_factory=dict)
    reread: tuple[str, ...] = ()

    @cached_property
    def local(self) -> Mapping[str, ir.Table]:
        """The tables on one engine, where they can be joined; see `pipeline.sources.local`."""
        return LocalTables(self.connection, self.tables)

    @cached_property
    def contact_log(self) -> ir.Table | None:
        """The contacts, with those that were marked in the report; None without any."""
        return with_marks(self.local.get("contacts"), self.marks, self.freshness.as_of)

    @property
    def accounts(self) -> dict[str, Account]:
        """Where every row of each role went."""
        return {role: Account(**found["account"]) for role, found in self.fingerprints.items()}

    @property
    def event_rows(self) -> int:
        """Events of all roles together, of a sample about so many."""
        rows = sum(found["rows"] for role, found in self.fingerprints.items() if role != "customers")
        return round(rows * self.share)


def open_sources(config: Config, as_of: dt.date, *, dated: bool = True) -> Sources:
    """Open, check and cut every source of the config.

    Parameters
    ----------
    dated
        Whether the caller needs dates; `pipeline.dataset.labelled` alone does not.

    Raises
    ------
    ConfigError
        When a table without dates meets a caller that needs them.
    DataError
        With all faults of all sources at once.
    TryAgainError
        When a database is away.
    """
    if dated and config.churn.kind == "labelled":
        raise ConfigError(
            "churn.kind labelled reads a table without dates: there is features, train and score, "
            "and nothing that needs to know when; with dates choose contractual or non_contractual"
        )
    connection = connect_duckdb(config.model.threads, config.engine.memory_gb)
    faults: list[Fault] = []
    opened: dict[str, Opened] = {}
    others: Connections = {}
    for role, source in config.sources.given.items():
        try:
            result = open_source(connection, others, role, source, config, as_of)
        except UnreadableError as error:
            faults += error.faults
            continue
        faults += result.faults
        opened[role] = result
    _refuse(faults)
    base = config.sources.base(config.churn.kind)
    tables = {role: o.table for role, o in opened.items()}
    parts = {role: o.parts for role, o in opened.items() if o.parts is not None}
    ids = Ids.of(connection, tables, matching.compared(config) if dated else {}, parts)
    for unused in ("*/*", "*/*/.*.tmp"):  # parts, and what a run that was killed has begun to write
        sweep(layout_of(config).store, unused)
    _refuse(shortened(ids, config))
    matches = matching.matches(ids, config) if dated else ()
    _refuse(matching.faults_of_matches(matches))
    fresh = _freshness(opened, config, as_of) if dated else Freshness(None, as_of)
    odd = [*nobodies(ids, config), *twins(ids, config)] if dated else []
    stand = {role: int(o.fingerprint["account"]["in_source"]) for role, o in opened.items()}
    aside = Quarantine(tuple(part for o in opened.values() for part in o.aside), stand)
    return Sources(
        connection,
        agreements.with_people(connection, tables, config, as_of),
        config.attributes,
        {role: o.fingerprint for role, o in opened.items()},
        dt.date.fromisoformat((opened[base].fingerprint["first"] or as_of.isoformat())[:10]),
        tuple(note for o in opened.values() for note in o.notes),
        (
            *(line for o in opened.values() for line in o.look),
            *fresh.looks,
            *matching.looks_of(matches, config),
            *odd,
            *aside.lines,
        ),
        matches,
        ids,
        fresh,
        marks=read_marks(layout_of(config).contacted),
        quarantine=aside,
        parts=parts,
        reread=tuple(o.reread for o in opened.values() if o.reread),
    )


def read_sources(config: Config, as_of: dt.date, say: Say, *, dated: bool = True) -> Sources:
    """The same as a stage of a command, which says how many rows there are."""
    with logged_stage("sources", say) as counted:
        sources = open_sources(config, as_of, dated=dated)
        counted(**{role: int(found["rows"]) for role, found in sources.fingerprints.items()})
    for line in sources.reread:
        say(line)
    return sources


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise DataError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the data", faults)


def _freshness(opened: Mapping[str, Opened], config: Config, as_of: dt.date) -> Freshness:
    """By the purchases; with contracts, which may go on for long without a row, by all roles."""
    bought = config.churn.kind == "non_contractual"
    days = [o.newest for role, o in opened.items() if role == "transactions" or not bought]
    window = config.churn.gap_days + config.churn.horizon_days if bought else None
    return Freshness(max((day for day in days if day), default=None), as_of, window)
