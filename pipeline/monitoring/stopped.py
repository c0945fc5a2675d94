"""Ids that stop joining: are the customers of a source's newest rows known as well as those of the weeks before?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import numpy as np

from configs.roles import ROLES
from configs.schema import Config
from features.dialects import engine_of
from pipeline.languages.said import said
from pipeline.monitoring.checks import Check, judged_by_band
from pipeline.sources.databases import arrow
from pipeline.sources.matching import compared
from pipeline.sources.opening import Sources

NEWEST, BEFORE = 7, 56
FEWEST, FALL, ERRORS = 15, 0.3, 4.0


def stopped_of(sources: Sources, config: Config) -> Iterator[Check]:
    """Share of the newest customers of each source who are known from the others, against those of the weeks before."""
    for role, others in compared(config).items():
        table, clock = sources.tables[role], ROLES[role].clock
        last = sources.fingerprints.get(role, {}).get("last", "")[:10]
        known = [other for other in others if other in sources.ids]
        if clock not in table.columns or not last[:4].isdigit() or not known:
            continue
        end = dt.date.fromisoformat(last) + dt.timedelta(days=1)
        theirs = sources.ids.of_any(known)
        newest = end - dt.timedelta(days=NEWEST)
        now, then = _known(sources, table, clock, newest - dt.timedelta(days=BEFORE), newest, end, theirs)
        if now[1] < FEWEST or then[1] < FEWEST:
            continue
        found, was = now[0] / now[1], then[0] / then[1]
        fall = max(FALL, ERRORS * float(np.sqrt(was * (1 - was) / now[1])))
        key = f"sources.{role}.columns.customer_id"
        what = said("see how `{key}` is written in the newest rows", key=key)
        yield judged_by_band(
            "ids",
            f"{role} newest",
            found,
            max(was - fall, 0.0),
            1.0,
            said("of the customers of the last {n} days known elsewhere", n=NEWEST),
            what,
            (was - found) / fall,
        )


def _known(
    sources: Sources,
    table: ir.Table,
    clock: str,
    start: dt.date,
    newest: dt.date,
    end: dt.date,
    theirs: ir.Table,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Customers of the newest days who are known from other sources, and all of them; the same of the days before."""
    since, edge, until = (ibis.timestamp(day.isoformat()) for day in (start, newest, end))
    of_days = table.filter((table[clock] >= since) & (table[clock] < until))
    fresh = of_days[clock] >= edge
    # A yes or no becomes a number by cases: PostgreSQL casts none to a large integer.
    ids = of_days.group_by("customer_id").agg(
        now=ibis.ifelse(fresh, 1, 0).max(), then=ibis.ifelse(fresh, 0, 1).max()
    )
    if engine_of(table) != "pyspark" and table.get_backend() is not sources.connection:
        ids = ibis.memtable(arrow(ids))
    both = ids.left_join(theirs.mutate(met=ibis.literal(1, "int64")), "customer_id")
    sums = {name: both[name].sum() for name in ("now", "then")}
    sums |= {f"{name}_met": (both[name] * both.met).sum() for name in ("now", "then")}
    (found,) = arrow(both.aggregate(**sums)).to_pylist()
    of = {name: int(value or 0) for name, value in found.items()}
    return (of["now_met"], of["now"]), (of["then_met"], of["then"])
