"""Features of customers whose events stand in the test itself, by the way that a training takes: no file, no door."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from features.matrix import People, assemble, available, declared, select_columns
from features.partials import partials
from features.snapshots import TimeAxis
from features.spec import needed_stats
from features.tables import derived
from pipeline.dataset.engine import different_ids, panel_of

T = dt.date(2024, 7, 1)
TIMES = ("occurred_at", "known_at", "started_at", "ended_at", "paid_at", "resolved_at", "recovered_at")
MORE_TIMES = ("term_ends_at", "paused_at", "resumed_at", "trial_ends_at")


def table_of(rows, **kinds):
    """Rows, a dict each, as a table; what a row does not have is null, and times are written as text."""
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        if name in (*TIMES, *MORE_TIMES):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
        elif name in kinds:
            frame[name] = frame[name].astype(kinds[name])
        elif name != "customer_id" and frame[name].isna().all():
            frame[name] = frame[name].astype("str" if name in ("topic", "agent", "direction") else "float64")
    return ibis.memtable(frame.astype({"customer_id": "str"}))


def features_of(tables, *, windows=(30, 90), t=T, started=None, columns=None):
    """Frame of the features, a row a customer.

    `started` is the day on which each customer started; `columns` are functions beside the catalogue's.
    """
    made = derived(tables)
    axis = TimeAxis.of([t], windows)
    found = available({role: table.columns for role, table in made.items()}) | {"customers.started_at"}
    chosen = select_columns(declared(), found, windows, ()) if columns is None else columns(found)
    stats = {role: needs for role, needs in needed_stats([f for _, f in chosen], made, axis).items() if needs}
    ids = sorted({i for table in tables.values() for i in table.customer_id.execute()} | set(started or ()))
    everybody = different_ids(pa.chunked_array([ids]))
    panels = {
        role: panel_of(
            partials(made[role], role, needs, axis).to_pyarrow().combine_chunks(), everybody, needs, axis
        )
        for role, needs in stats.items()
    }
    days = np.array([(started or {}).get(i) for i in ids], "datetime64[s]")
    since = np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))
    people = People(pa.array(ids), since, np.full(len(ids), np.nan), {})
    frame = assemble(people, panels, axis, [t], chosen, [], np.ones((len(ids), 1), bool))
    return frame.set_index("customer_id")


def at(customer, day, **more):
    """An event."""
    return {"customer_id": customer, "occurred_at": day, **more}
