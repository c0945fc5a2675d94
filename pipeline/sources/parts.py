"""What an earlier run has read of the files of a role is not read again: answers, customers and divided rows.

A part is some of the files. What is kept of it adds up with what is kept of the others; which parts there are is said
in `pipeline.sources.known_files`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from pipeline.publish import sha256_of
from pipeline.sources.databases import arrow
from pipeline.sources.store import HOURS_UNUSED, Entry, open_entry, sweep, used, write_entry


@dataclass(frozen=True, eq=False)
class SeenFile:
    """A file as it was found when its digest was made.

    Parameters
    ----------
    digest
        SHA-256 of its bytes.
    stat
        Bytes, times of the last changes in nanoseconds, and the number of the file.
    """

    path: Path
    digest: str
    stat: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> SeenFile:
        """The file at a path."""
        stat = _stat(path)
        return cls(path, sha256_of(path), stat)

    @property
    def differs(self) -> bool:
        """Whether somebody has written it since."""
        return _stat(self.path) != self.stat

    @property
    def fresh(self) -> bool:
        """Whether it may well be written again: what is kept of it would be of no use then."""
        return self.stat[1] / 1e9 > time.time() - HOURS_UNUSED * 3_600


def _stat(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


@dataclass(frozen=True, eq=False)
class Part:
    """Some files of a role.

    Parameters
    ----------
    rows
        Their rows, as they stand there.
    folder
        Where what is known of them is kept; None when nothing is.
    """

    rows: ir.Table
    folder: Path | None
    files: Sequence[SeenFile]

    def kept(
        self, name: str, make: Callable[[], Iterable[pa.Table]], told: Mapping[str, Any] | None = None
    ) -> Entry | None:
        """What is kept by a name, made if it is not there or not whole; None where it can't be kept."""
        if self.folder is None:
            return None
        path = self.folder / name
        if (found := open_entry(path)) is not None:
            used(path)
            return found
        # Rows with other columns or in other shards, which nobody has asked for of late.
        sweep(self.folder, f"{name.partition('-')[0]}-*")
        try:
            write_entry(path, make(), told or {})
            if any(file.differs for file in self.files):
                path.unlink()
        except OSError:
            return None
        return open_entry(path)


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a role.

    Parameters
    ----------
    connection
        The local DuckDB, which reads the files.
    role
        The role.
    raw
        The rows of all of them, as they stand in the files.
    table
        The role's table, which is made of them.
    parts
        Each file is in one of them.
    """

    connection: Backend
    role: str
    raw: ir.Table
    table: ir.Table
    parts: Sequence[Part]

    def of(self, part: Part, query: ir.Table) -> ir.Table:
        """A query of the rows, asked of a part."""
        asked: ir.Table = query.op().replace({self.raw.op(): part.rows.op()}).to_expr()
        return asked

    def customers(self, table: ir.Table, name: str) -> ir.Table:
        """The customers of a table of the rows, each with the number of its rows in a column of that name."""
        found = self._each("ids", table.group_by("customer_id").agg(**{name: table.count()}))
        query = found.group_by("customer_id").agg(**{name: found[name].sum().cast("int64")})
        return self.connection.create_table(f"{self.role}_ids", query, temp=True, overwrite=True)

    def answers(self, name: str, query: ir.Table, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The answers to what is asked of the rows, which add up."""
        found = self._each(name, query)
        whole = {n: _together(value, found[n]).cast(value.type()) for n, value in asked.items()}
        answers: dict[str, Any] = self.connection.to_pyarrow(found.aggregate(**whole)).to_pylist()[0]
        return answers

    def _each(self, name: str, query: ir.Table) -> ir.Table:
        """The results of a query for all parts, one after another."""

        def of(part: Part) -> pa.Table:
            entry = part.kept(name, lambda: [arrow(self.of(part, query))])
            return arrow(self.of(part, query)) if entry is None else entry.table(0)

        return ibis.memtable(pa.concat_tables(of(part) for part in self.parts))


def _together(value: ir.Value, parts: ir.Column) -> ir.Value:
    """The aggregate of all rows, made of those of the parts."""
    if isinstance(value.op(), ops.Min):
        return parts.min()
    return parts.max() if isinstance(value.op(), ops.Max) else parts.sum()


def add_up(asked: Mapping[str, Any]) -> bool:
    """Whether the aggregates of all rows follow exactly from those of parts of them.

    Examples
    --------
    >>> t = ibis.table({"amount": "float64", "n": "int64"}, name="t")
    >>> add_up({"rows": t.count(), "n": t.n.sum(), "largest": t.amount.max()})
    True
    >>> add_up({"total": t.amount.sum()}), add_up({"different": t.n.nunique()})
    (False, False)
    """
    return all(
        isinstance(op := value.op(), ops.Count | ops.CountStar | ops.Min | ops.Max)
        or (isinstance(op, ops.Sum) and not op.arg.dtype.is_floating())
        for value in asked.values()
    )


def answers_of(parts: Parts | None, name: str, table: ir.Table, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a table is aggregated to: in one pass, or from what is kept of its parts by a name."""
    query = table.aggregate(**asked)
    if parts is not None and add_up(asked):
        return parts.answers(name, query, asked)
    answers: dict[str, Any] = arrow(query).to_pylist()[0]
    return answers
