"""`churn features --check`: prove on the user's own data that no feature at a snapshot sees what lies after it.

The matrix is built once, and again for each snapshot t with everything at or after t taken away, and with all of it
changed: what occurred or became known then, endings, resolutions, and the attributes of who started then. A column that
differs in the least in the rows at t or before leaks. What a feature reads beside its tables, such as a file, is not
put to the test.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.errors import HistoryError
from configs.roles import ROLES
from configs.schema import Config
from features.matrix import Matrix
from features.snapshots import back_from
from pipeline.dataset.matrix import build_matrix
from pipeline.dataset.sample import bounded
from pipeline.progress import progress
from pipeline.result import Result, table
from pipeline.sources.opening import open_sources

SNAPSHOTS = 3
_KEYS = ["snapshot", "customer_id"]
LIMITS = (
    "Taken for granted: attributes were known when the customer started, and rows of a source without known_at "
    "when they occurred."
)


@dataclass(frozen=True)
class Leak:
    """A column whose values at or before a snapshot depend on what lies after it.

    Parameters
    ----------
    column, source
        The column, and the sources that it declares.
    snapshot
        The snapshot.
    change
        What was done to the future: 'taken away' or 'changed'.
    rows
        Number of rows that differ.
    customer, before, after
        One of them: the value with the data as they are, and with the other future.
    """

    column: str
    source: str
    snapshot: str
    change: str
    rows: int
    customer: str
    before: Any
    after: Any


def check_features(config: Config, as_of: dt.date, count: int, say: Callable[[str], None]) -> Result:
    """Put every feature of the config to the test.

    Parameters
    ----------
    count
        Number of snapshots at the least; three are checked in any case, as far as the history goes.

    Returns
    -------
    Result
        Exit code 1 when a feature leaks.

    Raises
    ------
    HistoryError
        When all history is newer than one step before `as_of`, or so old that nobody was a customer any more.
    """
    sources = open_sources(config, as_of)
    # What lies between the snapshots and `as_of` is the future that may leak, so `as_of` is in every matrix.
    days = back_from(as_of, config.snapshots.step_days, max(count, SNAPSHOTS) + 1)
    checked = [day for day in days[1:] if day > sources.first_day]
    if not checked:
        raise HistoryError(
            f"history from {sources.first_day} to {as_of} is too short for the check: it takes a snapshot "
            f"{config.snapshots.step_days} days earlier (snapshots.step_days)"
        )
    say(f"features at {len(checked)} snapshots, {checked[-1]} to {checked[0]}")
    sources = bounded(sources, config, [as_of, *checked], say)
    whole = build_matrix(sources, config, [as_of, *checked])
    if not (whole.frame["snapshot"] <= pd.Timestamp(checked[0])).any():
        raise HistoryError(
            f"nobody was a customer from {checked[-1]} to {checked[0]}, so that nothing can be checked: the newest row "
            f"is of {max(f['last'] for f in sources.fingerprints.values())}; give a date soon after it by --as-of"
        )
    futures: list[tuple[dt.date, str, Future]] = [
        (day, change, how)
        for day in checked
        for change, how in (("taken away", without), ("changed", changed))
    ]
    leaks: list[Leak] = []
    for day, change, how in progress(futures, "check", len(futures), unit="matrices"):
        tables = {role: how(role, rows, day) for role, rows in sources.tables.items()}
        other = build_matrix(replace(sources, tables=tables), config, [as_of, *checked])
        leaks += differences(whole, other, day, change)
    return _told(whole, checked, leaks)


Future = Callable[[str, ir.Table, dt.date], ir.Table]


def without(role: str, rows: ir.Table, day: dt.date) -> ir.Table:
    """A role's table as it looked on a day."""
    midnight = ibis.timestamp(day.isoformat())
    kept = rows.filter(~_later(rows, midnight))
    hidden = _clocks(role, kept, midnight, None, None)
    return kept.mutate(**hidden) if hidden else kept


def changed(role: str, rows: ir.Table, day: dt.date) -> ir.Table:
    """A role's table with other values in all that was not known on a day."""
    midnight = ibis.timestamp(day.isoformat())
    later = _later(rows, midnight)
    values: dict[str, Any] = {}
    for name, kind in rows.schema().items():
        if name == "customer_id":
            continue
        if kind.is_string():
            values[name] = ibis.ifelse(later, "changed", rows[name])
        elif kind.is_floating():
            values[name] = ibis.ifelse(later, 7.0 - 3.0 * rows[name].fill_null(0.0), rows[name])
        elif kind.is_boolean():
            values[name] = ibis.ifelse(later, True, rows[name])
    next_day = ibis.timestamp((day + dt.timedelta(days=1)).isoformat())
    return rows.mutate(**{**values, **_clocks(role, rows, midnight, next_day, "changed")})


def _later(rows: ir.Table, midnight: Any) -> Any:
    clocks = [rows[c] >= midnight for c in ("started_at", "occurred_at", "known_at") if c in rows.columns]
    return reduce(or_, [clock.fill_null(False) for clock in clocks], ibis.literal(False))


def _clocks(role: str, rows: ir.Table, midnight: Any, moment: Any, reason: str | None) -> Mapping[str, Any]:
    """Endings and resolutions from midnight on, at another moment and for another reason, or not at all."""
    found = {}
    for name in rows.columns:
        time = ROLES[role].column(name).known_at
        if time in rows.columns:
            other = moment if name == time else reason
            open_ = rows[time].isnull() | (rows[time] >= midnight)
            value = ibis.null(rows[name].type()) if other is None else ibis.literal(other)
            found[name] = ibis.ifelse(open_, value, rows[name])
    return found


def differences(whole: Matrix, other: Matrix, day: dt.date, change: str) -> list[Leak]:
    """Columns that differ in a row at a day or before, with an example of each."""
    left, right = (m.frame[m.frame["snapshot"] <= pd.Timestamp(day)].set_index(_KEYS) for m in (whole, other))
    found = []
    surplus = left.index.symmetric_difference(right.index)
    if len(surplus):
        who = str(surplus[0][1])
        found.append(
            Leak("customer_id", "customers at a snapshot", str(day), change, len(surplus), who, None, None)
        )
        both = left.index.intersection(right.index)
        left, right = left.loc[both], right.loc[both]
    for column in whole.columns:
        differ = _differ(left[column.name], right[column.name])
        if differ.any():
            row = int(np.argmax(differ))
            found.append(
                Leak(
                    column.name,
                    column.source,
                    str(day),
                    change,
                    int(differ.sum()),
                    str(left.index[row][1]),
                    _plain(left[column.name].iloc[row]),
                    _plain(right[column.name].iloc[row]),
                )
            )
    return found


def _differ(left: pd.Series[Any], right: pd.Series[Any]) -> NDArray[np.bool_]:
    a, b = (s.astype(object) if isinstance(s.dtype, pd.CategoricalDtype) else s for s in (left, right))
    return np.asarray((a.to_numpy() != b.to_numpy()) & ~(a.isna() & b.isna()).to_numpy(), dtype=bool)


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)


def _told(whole: Matrix, checked: list[dt.date], leaks: list[Leak]) -> Result:
    columns = list(dict.fromkeys(leak.column for leak in leaks))
    newest = pd.Timestamp(checked[0])
    values = {
        "columns": len(whole.columns),
        "snapshots": [str(day) for day in checked],
        "rows": int((whole.frame["snapshot"] <= newest).sum()),
        "leaks": [vars(leak) for leak in leaks],
    }
    looked = f"{values['columns']} columns, {values['rows']:,} rows, {len(checked)} snapshots"
    if not leaks:
        text = f"no feature sees the future: {looked}, with all after each of them taken away, and changed"
        return Result(f"{text}\n{LIMITS}", values)
    rows = [
        [
            leak.column,
            leak.snapshot,
            leak.change,
            str(leak.rows),
            f"{leak.customer}: {_shown(leak.before)} became {_shown(leak.after)}",
        ]
        for leak in (next(leak for leak in leaks if leak.column == column) for column in columns)
    ]
    head = f"{len(columns)} column{'s see' if len(columns) > 1 else ' sees'} the future ({looked}):"
    shown = table(["column", "snapshot", "what came after was", "rows", "for customer"], rows)
    return Result(f"{head}\n\n{shown}", values, 1)


def _shown(value: Any) -> str:
    return "null" if value is None else f"{value:,.6g}" if isinstance(value, float) else str(value)
