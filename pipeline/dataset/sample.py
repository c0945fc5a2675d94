"""So many customers that a training stays within its bound, drawn where the data are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

import ibis.expr.types as ir

from configs.schema import Config
from features.dialects import engine_of
from pipeline.languages.said import said
from pipeline.sources.databases import arrow
from pipeline.sources.digests import hash_of
from pipeline.sources.opening import Sources

_BUCKETS = 1_000_000


def bounded(
    sources: Sources, config: Config, snapshots: Sequence[dt.date], say: Callable[[str], None]
) -> Sources:
    """The sources of so many customers that their matrix stays within `model.max_training_rows`.

    Customers are drawn by a hash of their id, the same ones every time, before anything is computed for them. The
    sources are given back as they are when they fit, or when they are on engines that hash differently.
    """
    role = config.sources.base(config.churn.kind)
    limit = config.model.max_training_rows / max(len(snapshots), 1)
    tables = sources.tables
    one_hash = len({engine_of(table) for table in tables.values()}) == 1
    if not one_hash or sources.fingerprints[role]["rows"] <= limit:
        return sources
    base = tables[role]
    people = arrow(base.aggregate(n=base.customer_id.nunique()))["n"][0].as_py()
    share = limit / max(people, 1)
    if share >= 1.0 or hash_of(base.customer_id, base) is None:
        return sources
    told = said(
        "a sample: {share:.2%} of {n} customers, within `model.max_training_rows`", share=share, n=people
    )
    say(told)
    drawn = {name: _drawn(table, share) for name, table in tables.items()}
    ids = sources.ids
    if engine_of(ids.table) == engine_of(base):
        ids = replace(ids, table=_drawn(ids.table, share))
    return replace(sources, tables=drawn, ids=ids, notes=(*sources.notes, told), share=share)


def _drawn(table: ir.Table, share: float) -> ir.Table:
    bucket = ((hash_of(table.customer_id, table) % _BUCKETS) + _BUCKETS) % _BUCKETS
    return table.filter(bucket < int(share * _BUCKETS))
