"""The group-by of a source against a plain loop over its rows."""

import datetime as dt
from collections import defaultdict

import ibis
import numpy as np
import pandas as pd
import pytest

from features.panel import Stat
from features.partials import DISTINCT_LIMIT, moments, partials
from features.snapshots import TimeAxis

T = dt.date(2024, 3, 1)
AXIS = TimeAxis.of([T], [30])
STATS = [
    Stat("count"), Stat("active_days"), Stat("first_at"), Stat("last_at"),
    *(Stat(kind, "value") for kind in ("count", "sum", "min", "max", "last", "last_at")),
    Stat("count", "", "inbound"), Stat("sum", "value", "inbound"),
]  # fmt: skip


def events(seed, late):
    rng = np.random.default_rng(seed)
    n = 120
    at = (
        pd.Timestamp(T)
        - pd.to_timedelta(rng.integers(-5, 120, n), unit="D")
        + pd.to_timedelta(rng.integers(0, 3, n) * 6, unit="h")
    )
    frame = pd.DataFrame(
        {
            "customer_id": rng.choice(["a", "b", "c"], n),
            "occurred_at": at.astype("datetime64[us]"),
            "value": np.where(rng.random(n) < 0.3, np.nan, rng.integers(-3, 9, n) / 10),
            "direction": rng.choice(["inbound", "outbound"], n),
        }
    )
    if late:
        wait = pd.to_timedelta(rng.choice([0, 1, 40], n), unit="D")
        frame["known_at"] = (frame.occurred_at + wait).astype("datetime64[us]")
    return frame


def by_loop(frame):
    """(customer, period, known) to its rows."""
    cells = defaultdict(list)
    for row in frame.to_dict("records"):
        known = max(row.get("known_at", row["occurred_at"]), row["occurred_at"])
        if known < pd.Timestamp(T):
            places = [
                (moment - pd.Timestamp(AXIS.origin)).days // 30 for moment in (row["occurred_at"], known)
            ]
            cells[(row["customer_id"], *places)].append(row)
    return cells


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_each_cell_is_the_sum_of_its_rows(seed, late):
    frame = events(seed, late)
    table = ibis.duckdb.connect().create_table("contacts", frame)
    stats = [s for s in STATS if not (late and s.kind == "active_days")]
    found = partials(table, "contacts", stats, AXIS).to_pandas()
    want = by_loop(frame)
    keys = [(r.customer_id, r.period, r.known if late else r.period) for r in found.itertuples()]
    assert sorted(keys) == sorted(want)
    for key, row in zip(keys, found.to_dict("records"), strict=True):
        rows = want[key]
        values = sorted((r["occurred_at"], r["value"]) for r in rows if not np.isnan(r["value"]))
        assert row["count"] == len(rows)
        assert row["count_value"] == len(values)
        assert row["count_inbound"] == sum(r["direction"] == "inbound" for r in rows)
        if not late:
            assert row["active_days"] == len({r["occurred_at"].date() for r in rows})
        assert row["last_at"] == max(r["occurred_at"] for r in rows).timestamp()
        assert row["first_at"] == min(r["occurred_at"] for r in rows).timestamp()
        if values:
            assert row["sum_value"] == pytest.approx(sum(v for _, v in values))
            assert (row["min_value"], row["max_value"]) == (
                min(v for _, v in values),
                max(v for _, v in values),
            )
            assert row["last_value"] == values[-1][1]


def test_what_lies_at_or_after_the_newest_snapshot_is_not_read():
    at = pd.to_datetime(["2024-02-29 23:59:59", "2024-03-01", "2024-03-02"], format="ISO8601")
    table = ibis.memtable(pd.DataFrame({"customer_id": "a", "occurred_at": at}))
    assert partials(table, "contacts", [Stat("count")], AXIS).to_pandas()["count"].tolist() == [1]
    assert len(moments(table, "contacts", [Stat("count")], AXIS).to_pandas()) == 1


def test_active_days_are_added_as_knowledge_comes():
    """8 o'clock was known at once, 9 o'clock a period later: one day, that counts where it was first known."""
    rows = pd.DataFrame(
        {
            "customer_id": "a",
            "occurred_at": pd.to_datetime(["2023-12-10 08:00", "2023-12-10 09:00", "2023-12-11 10:00"]),
            "known_at": pd.to_datetime(["2023-12-10", "2024-02-10", "2024-02-10"]),
        }
    )
    found = partials(ibis.memtable(rows), "contacts", [Stat("active_days"), Stat("count")], AXIS).to_pandas()
    assert found.sort_values("known")[["count", "active_days"]].to_numpy().tolist() == [[1, 1], [2, 1]]


def test_bits_number_values_as_they_became_known():
    n = DISTINCT_LIMIT + 10
    at = pd.Timestamp("2024-02-01") + pd.to_timedelta(range(n), unit="min")
    rows = pd.DataFrame({"customer_id": "a", "occurred_at": at, "kind": [f"k{i}" for i in range(n)]})
    found = partials(ibis.memtable(rows), "usage", [Stat("bits", "kind")], AXIS).to_pandas()
    # Beyond the limit values share the last bit.
    assert (
        int(np.bitwise_count(np.bitwise_or.reduce(found.bits_kind.to_numpy(np.int64)))) <= DISTINCT_LIMIT + 1
    )
    later = rows.assign(occurred_at=rows.occurred_at.where(rows.kind != "k3", pd.Timestamp("2024-02-20")))
    one, two = (
        partials(ibis.memtable(some), "usage", [Stat("bits", "kind")], AXIS).to_pandas().bits_kind.sum()
        for some in (rows[:5], later[:5])
    )
    assert one == two


def test_an_empty_cell_is_no_kind():
    rows = pd.DataFrame(
        {"customer_id": "a", "occurred_at": pd.Timestamp("2024-02-01"), "kind": ["x", None, "y"]}
    )
    found = partials(ibis.memtable(rows), "usage", [Stat("bits", "kind")], AXIS).to_pandas()
    assert int(np.bitwise_count(np.int64(found.bits_kind.iloc[0]))) == 2


def test_rows_are_brought_with_what_statistics_read_of_them():
    table = ibis.memtable(events(3, late=True).assign(value=1))
    found = moments(table, "contacts", [Stat("count", "", "inbound"), Stat("sum", "value")], AXIS)
    assert list(found.columns) == ["customer_id", "period", "known", "at_", "where_inbound", "of_value"]
    assert str(found.schema()["of_value"]) == "float64"
    assert found.to_pandas().where_inbound.notna().all()
