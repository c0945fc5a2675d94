"""The group-by that reduces a source to (customer, period) statistics, in the engine that holds it; or its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ibis
import ibis.expr.types as ir

from features import dialects
from features.panel import Stat
from features.snapshots import DAY, TimeAxis, seconds
from features.tables import PREDICATES

DISTINCT_LIMIT = 62


def partials(table: ir.Table, role: str, stats: Iterable[Stat], axis: TimeAxis) -> ir.Table:
    """The group-by that reduces a source to (customer, period, known) statistics.

    Returns
    -------
    ibis.Table
        customer_id; period int32; known int32, the period in which the rows became known, never before
        `period`; and a column per statistic. Times are seconds since 1970.
    """
    stats = sorted(set(stats))
    engine = dialects.engine_of(table)
    rows, keys = _placed(table, axis)
    late = "known" in keys
    rows = dialects.computed_once(rows, engine)
    for column in {s.column for s in stats if s.kind == "bits"}:
        # Values are numbered as they became known, so that a later value never renumbers an earlier one.
        since = rows[keys[-1]].min().over(ibis.window(group_by=[rows.customer_id, rows[column]]))
        rows = rows.mutate(since_=since)
        order = ibis.window(group_by=rows.customer_id, order_by=[rows.since_, rows[column]])
        rank = ibis.dense_rank().over(order)
        bit = dialects.one_bit(ibis.least(rank, DISTINCT_LIMIT), engine)
        rows = rows.mutate(**{f"bit_{column}": ibis.ifelse(rows[column].notnull(), bit, 0)})
    if engine != "duckdb":
        for stat in (stat for stat in stats if stat.kind == "last"):
            known = _known(rows[stat.column], _where(rows, role, stat))
            newest_of = dialects.in_newest_row(rows, stat.column, "at_", known, keys)
            rows = rows.mutate(**{f"{stat.name}_": newest_of})
    found = rows.group_by(keys).agg(
        **{stat.name: _aggregate(rows, role, stat, engine) for stat in stats if stat.kind != "active_days"}
    )
    if Stat("active_days") not in stats:
        return found
    # A day belongs to the first moment at which it was known: it counts once, however late its other rows come.
    known_since = {"known": rows.known.min()} if late else {"rows_": rows.count()}
    days = rows.group_by("customer_id", "period", day_=rows.at_ // DAY).agg(**known_since)
    counted = days.group_by(keys).agg(active_days=days.count())
    return found.left_join(counted, keys).select(*found.columns, "active_days")


def moments(table: ir.Table, role: str, stats: Iterable[Stat], axis: TimeAxis) -> ir.Table:
    """The rows of a source as `features.reduction` reads them, where they are brought here one by one.

    Returns
    -------
    ibis.Table
        customer_id; period and known as in `partials`; at_, seconds since 1970; `of_...` for each column that a
        statistic reads, numbers as float64; `where_...` for each of their predicates.
    """
    rows, keys = _placed(table, axis)
    values = {key: rows[key] for key in keys} | {"at_": rows.at_}
    for stat in sorted(set(stats)):
        if stat.where:
            values[f"where_{stat.where}"] = _where(rows, role, stat).fill_null(False)
        if stat.column:
            column = rows[stat.column]
            values[f"of_{stat.column}"] = column.cast("float64") if column.type().is_numeric() else column
    return rows.select(**values)


def _placed(table: ir.Table, axis: TimeAxis) -> tuple[ir.Table, list[str]]:
    """The rows before the newest snapshot with `at_`, `period` and, where it may be later, `known`; and their keys."""
    newest = ibis.timestamp(axis.newest.isoformat())
    late = "known_at" in table.columns
    past = table.filter(table.occurred_at < newest, *([table.known_at < newest] if late else []))
    length = axis.period_days * DAY
    origin = seconds(axis.origin)
    engine = dialects.engine_of(table)
    at = dialects.epoch(past.occurred_at, engine)
    rows = past.mutate(period=((at - origin) // length).cast("int32"), at_=at)
    if not late:
        return rows, ["customer_id", "period"]
    known = ibis.greatest(dialects.epoch(past.known_at, engine), at)
    rows = rows.mutate(known=((known - origin) // length).cast("int32"))
    return rows, ["customer_id", "period", "known"]


def _aggregate(rows: Any, role: str, stat: Stat, engine: str) -> Any:
    column: Any = rows[stat.column] if stat.column else None
    where = _where(rows, role, stat)
    match stat.kind:
        case "count":
            return rows.count(where=where) if column is None else column.count(where=where)
        case "sum":
            return dialects.exact_sum(column, where, engine)
        case "min":
            return column.min(where=where)
        case "max":
            return column.max(where=where)
        case "first_at":
            return rows.at_.min(where=_known(column, where))
        case "last_at":
            return rows.at_.max(where=_known(column, where))
        case "last":
            if f"{stat.name}_" in rows.columns:
                return rows[f"{stat.name}_"].max()
            # Of several values at one moment the largest counts, so that the order of rows does not matter.
            return column.argmax(ibis.struct({"at": rows.at_, "value": column}), where=_known(column, where))
        case "active_days":
            raise ValueError("active days are counted over the days, not over the rows")
        case "bits":
            return dialects.any_bits(rows[f"bit_{stat.column}"], where, engine)


def _where(rows: Any, role: str, stat: Stat) -> Any:
    return PREDICATES[role][stat.where][1](rows) if stat.where else None


def _known(column: Any, where: Any) -> Any:
    if column is None:
        return where
    return column.notnull() if where is None else column.notnull() & where
