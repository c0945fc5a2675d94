"""The retention tables that there are: the files of `pipeline.retention.tables` with a constant `TABLE`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from pipeline.retention import tables
from pipeline.retention.definition.at_hand import Reads, all_reads
from pipeline.retention.table import Table

RATE = "rate"


@cache
def every_table() -> dict[str, Table]:
    """Name to table, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(tables.__path__))
    return {name: found for name in names if (found := table_of(name)) is not None}


def table_of(name: str) -> Table | None:
    """The table of a name, without a look at the others; None when there is none."""
    if not (
        name.isidentifier() and any(name == module.name for module in pkgutil.iter_modules(tables.__path__))
    ):
        return None
    found = getattr(import_module(f"{tables.__name__}.{name}"), "TABLE", None)
    return found if isinstance(found, Table) else None


def of_a_night() -> dict[str, Table]:
    """The tables that a night publishes, the rate first."""
    found = {name: table for name, table in every_table().items() if table.nightly is not None}
    return {RATE: found.pop(RATE), **found}


def read_at_night() -> Reads:
    """What the tables of a night read together."""
    return all_reads(*(table.reads for table in of_a_night().values()))
