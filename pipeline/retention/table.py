"""What a retention table declares: its command, what it reads, and whether every night publishes it.

A table is one file in `pipeline.retention.tables` with a constant `TABLE`. `churn retention` and the night find it
there: the command is called like the file, and so is the file of the night.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from configs.schema import Config
from pipeline.languages.language import Language
from pipeline.retention.definition.at_hand import Reads
from pipeline.retention.definition.scope import Scope
from pipeline.retention.forecast.expected import RateForecast


@dataclass(frozen=True)
class Ahead:
    """A night's forecasts, and how past ones came out.

    Parameters
    ----------
    made
        Tonight's.
    past
        As of `pipeline.retention.forecast.track_record.track_record`.
    """

    made: tuple[RateForecast, ...]
    past: pd.DataFrame


@dataclass(frozen=True)
class Question:
    """What a table is about.

    Parameters
    ----------
    config, as_of
        Whose figures, and when.
    scope
        Periods and segment.
    opened
        Gives the tables of the sources; called when the first one is asked for.
    ahead
        Only at night.
    """

    config: Config
    as_of: dt.date
    scope: Scope
    opened: Callable[[], Mapping[str, ir.Table]]
    ahead: Ahead | None = None

    @cached_property
    def language(self) -> Language:
        """That of the config, for what a person reads."""
        return Language(self.config.language)

    @cached_property
    def tables(self) -> Mapping[str, ir.Table]:
        """Role to table, as known at as-of, with the columns that the table declares."""
        return self.opened()

    def has(self, name: str) -> bool:
        """Whether the sources have a role, or the column of a role, such as `transactions.amount`."""
        role, _, column = name.partition(".")
        return role in self.tables and (not column or column in self.tables[role].columns)


@dataclass(frozen=True)
class Shown:
    """How a table comes out: for a person, for a machine, as a drawing.

    Parameters
    ----------
    frame
        The table.
    text
        The table for a terminal.
    rules
        What the figures mean, a line each.
    more
        More values for `--json`.
    picture
        Draws the table as SVG.
    """

    frame: pd.DataFrame
    text: str
    rules: Sequence[str]
    more: Mapping[str, Any] = field(default_factory=dict)
    picture: Callable[[], str] | None = None


Show = Callable[..., Shown]


@dataclass(frozen=True)
class Table:
    """The declaration of a table.

    Parameters
    ----------
    show
        The command: `show(question, ...)`. Its first line of documentation is the help; the parameters after the
        question are the command's own options. None for a table that only nights publish.
    reads
        Columns by role, beside those of the customers; no others are there, in a command as at night.
    span, segment, picture
        Whether the command takes the options of the periods, of the segment, of the picture.
    nightly
        What a night publishes as `retention_<name>.csv`; None when it does not.
    needs
        Roles or columns, such as `transactions.amount`, without which a night has no such table.
    drawn
        Draws what the night publishes, for the report and as `retention_<name>.svg`.
    """

    show: Show | None
    reads: Reads = field(default_factory=dict)
    span: bool = True
    segment: bool = True
    picture: bool = False
    nightly: Callable[[Question], pd.DataFrame] | None = None
    needs: tuple[str, ...] = ()
    drawn: Callable[[Question, pd.DataFrame], str] | None = None
