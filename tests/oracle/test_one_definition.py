"""Matrix, labels, rate, forecast, advisor and cluster agree on who is a customer and who churned.

At t = 2024-03-01 a purchase counts in [2023-12-02, 2024-03-01); the label looks at [2024-03-08, 2024-04-07).
"""

import datetime as dt
import os
import sqlite3

import numpy as np
import pandas as pd
import pytest

from configs.schema import Config
from features.definition import customers_at
from features.snapshots import seconds
from pipeline.dataset.extract import write_matrix
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.retention.definition.movements import statuses
from pipeline.retention.forecast.came import window_rate
from pipeline.sources.opening import open_sources
from pipeline.training.gaps import horizon_of

T, AS_OF = dt.date(2024, 3, 1), dt.date(2024, 5, 1)
MIDNIGHT = dt.datetime.combine(T, dt.time())
NOBODY = "no customer"

BUYERS = {  # purchases, label
    "first second": (["2023-12-02 00:00:00"], 1),
    "a second too early": (["2023-12-01 23:59:59"], NOBODY),
    "last second": (["2024-02-29 23:59:59"], 1),
    "at t": (["2024-03-01 00:00:00"], NOBODY),
    "back in the gap": (["2024-02-20 00:00:00", "2024-03-07 23:59:59"], 1),
    "back at the start": (["2024-02-20 00:00:00", "2024-03-08 00:00:00"], 0),
    "back in the last second": (["2024-02-20 00:00:00", "2024-04-06 23:59:59"], 0),
    "back at the end": (["2024-02-20 00:00:00", "2024-04-07 00:00:00"], 1),
}
CONTRACTS = {  # start, end, reason, label
    "started at t": ("2024-03-01 00:00:00", None, None, NOBODY),
    "just started": ("2024-02-29 23:59:59", None, None, 0),
    "ended before t": ("2023-01-01 00:00:00", "2024-02-29 23:59:59", "left", NOBODY),
    "ended at t": ("2023-01-01 00:00:00", "2024-03-01 00:00:00", "left", None),
    "ended in the gap": ("2023-01-01 00:00:00", "2024-03-07 23:59:59", "left", None),
    "ended at the start": ("2023-01-01 00:00:00", "2024-03-08 00:00:00", "left", 1),
    "ended in the last second": ("2023-01-01 00:00:00", "2024-04-06 23:59:59", "left", 1),
    "ended at the end": ("2023-01-01 00:00:00", "2024-04-07 00:00:00", "left", 0),
    "ended without a reason": ("2023-01-01 00:00:00", "2024-03-20 00:00:00", None, 1),
    "died in the window": ("2023-01-01 00:00:00", "2024-03-20 00:00:00", "died", None),
    "died at the end": ("2023-01-01 00:00:00", "2024-04-07 00:00:00", "died", 0),
}
SEVERAL = {  # start, end, reason, amount of each contract; label. A gap of ten days is bridged
    "two at once": ([("2023-01-01", "2024-03-20", "left", 5), ("2023-05-01", None, None, 5)], 0),
    "changed the plan": ([("2023-01-01", "2024-03-20", "upgrade", 5), ("2024-03-20", None, None, 9)], 0),
    "a short gap at t": ([("2023-01-01", "2024-02-24", "left", 5), ("2024-03-05", None, None, 5)], 0),
    "grace is over at t": ([("2023-01-01", "2024-02-20", "left", 5)], None),
    "grace ends before t": ([("2023-01-01", "2024-02-19 23:59:59", "left", 5)], NOBODY),
    "a long gap at t": ([("2023-01-01", "2024-01-20", "left", 5), ("2024-04-20", None, None, 5)], NOBODY),
    "returned in time": ([("2023-01-01", "2024-03-02", "left", 5), ("2024-04-01", None, None, 5)], 0),
    "returned too late": ([("2023-01-01", "2024-03-02", "left", 5), ("2024-04-20", None, None, 5)], 1),
    "only grace left": ([("2023-01-01", "2024-03-27", "left", 5)], 1),
    "grace lasts to the end": ([("2023-01-01", "2024-03-28", "left", 5)], 0),
    "lost in the gap": ([("2023-01-01", "2024-02-26", "left", 5)], None),
    "the last one died": (
        [("2023-01-01", "2024-03-11", "left", 5), ("2023-02-01", "2024-03-12", "died", 5)],
        None,
    ),
    "died, came and left": (
        [("2023-01-01", "2024-03-02", "died", 5), ("2024-03-13", "2024-03-15", "left", 5)],
        1,
    ),
    "left, came and died": (
        [("2023-01-01", "2024-03-02", "left", 5), ("2024-03-13", "2024-03-15", "died", 5)],
        None,
    ),
    "on trial at t": ([("2024-02-20", "2024-04-20", None, 0)], NOBODY),
}
FRAMES = {
    "non_contractual": {
        "transactions": pd.DataFrame(
            [(who, at) for who, (times, _) in BUYERS.items() for at in times],
            columns=["customer_id", "occurred_at"],
        )
    },
    "contractual": {
        "customers": pd.DataFrame(
            [(who, *row[:3]) for who, row in CONTRACTS.items()],
            columns=["customer_id", "started_at", "ended_at", "end_reason"],
        ),
        "usage": pd.DataFrame([("just started", T)], columns=["customer_id", "occurred_at"]).astype(str),
    },
    "contracts": {
        "contracts": pd.DataFrame(
            [
                (who, *row, who.startswith("on trial"))
                for who, (contracts, _) in SEVERAL.items()
                for row in contracts
            ],
            columns=["customer_id", "started_at", "ended_at", "end_reason", "amount", "trial"],
        ).astype({"trial": "int64"}),
        "usage": pd.DataFrame([("two at once", T)], columns=["customer_id", "occurred_at"]).astype(str),
    },
}
LABELS = {
    kind: {who: row[-1] for who, row in rows.items() if row[-1] != NOBODY}
    for kind, rows in (("non_contractual", BUYERS), ("contractual", CONTRACTS), ("contracts", SEVERAL))
}


def company(folder, kind, engine):
    """The config of the rows above, as text files, as a SQLite database or as Parquet files that Spark reads."""
    sources = {}
    for role, frame in FRAMES[kind].items():
        if engine == "sqlite":
            with sqlite3.connect(folder / "shop.db") as connection:
                frame.to_sql(role, connection, index=False)
            uri = f"sqlite:///{folder}/shop.db#{role}"
        elif engine == "spark":
            uri = str(folder / f"{role}.parquet")
            times = {
                name: pd.to_datetime(frame[name], format="mixed") for name in frame if name.endswith("_at")
            }
            frame.assign(**times).to_parquet(uri, coerce_timestamps="us")
        else:
            uri = str(folder / f"{role}.csv")
            frame.to_csv(uri, index=False)
        sources[role] = {"uri": uri, "columns": {name: name for name in frame}}
    churn = {"kind": kind, "gap_days": 7, "horizon_days": 30, "active_days": 90}
    if kind != "non_contractual":
        churn |= {"kind": "contractual", "not_churn_reasons": ["died", "completed"]}
    if kind == "contracts":
        churn["grace_days"] = 10
    local = {"kind": "spark", "master": "local[1]", "options": {"spark.sql.shuffle.partitions": "1"}}
    more = {"engine": local} if engine == "spark" else {}
    windows = {"windows_days": [30, 90]}
    more["snapshots"] = {"step_days": 61}  # from the as-of date to t
    return Config.model_validate(
        {"name": "tiny", "home": folder, "churn": churn, "sources": sources, "features": windows} | more
    )


@pytest.fixture(params=[(kind, engine) for kind in FRAMES for engine in ("duckdb", "sqlite")], ids="-".join)
def opened(request, tmp_path):
    kind, engine = request.param
    config = company(tmp_path, kind, engine)
    return LABELS[kind], config, open_sources(config, AS_OF)


@pytest.fixture(params=FRAMES)
def on_spark(request, tmp_path):
    if os.environ.get("CHURN_REQUIRE_DATASETS") != "1":
        pytest.importorskip("pyspark")
    config = company(tmp_path, request.param, "spark")
    yield LABELS[request.param], config, open_sources(config, AS_OF)
    from pyspark.sql import SparkSession

    SparkSession.active().stop()


def test_everybody_agrees(opened):
    everybody_agrees(*opened)


@pytest.mark.slow
def test_spark_agrees(on_spark, tmp_path):
    wanted, config, sources = on_spark
    everybody_agrees(wanted, config, sources)
    write_matrix(config, AS_OF, 2, tmp_path / "matrix.parquet", labels=True, say=lambda line: None)
    every = pd.read_parquet(tmp_path / "matrix.parquet")
    assert plain(every[pd.to_datetime(every["snapshot"]) == pd.Timestamp(T)]) == wanted


def plain(frame):
    """Customer -> label, None where it is not known."""
    return {
        who: None if np.isnan(y) else int(y) for who, y in zip(frame.customer_id, frame.churned, strict=True)
    }


def everybody_agrees(wanted, config, sources):
    churn = config.churn
    matrix = build_matrix(sources, config, [T, AS_OF])
    labels = build_labels(sources, config, matrix, AS_OF)
    at_t = matrix.frame["snapshot"] == pd.Timestamp(T)
    assert plain(matrix.frame.assign(churned=labels)[at_t]) == wanted
    assert np.isnan(labels[~at_t]).all()
    for tables in (sources.tables, sources.local):
        assert set(customers_at(tables, churn, MIDNIGHT).customer_id.execute()) == set(wanted)
    status = statuses(sources.local, churn, MIDNIGHT, MIDNIGHT + dt.timedelta(days=37)).execute()
    assert set(status[status["status"].isin(["kept", "lost", "not_churn"])].customer_id) == set(wanted)
    known = [label for label in wanted.values() if label is not None]
    assert window_rate(sources.local, churn, T, AS_OF) == (len(known), sum(known))
    assert window_rate(sources.local, churn, T, dt.date(2024, 4, 6)) is None


def test_the_advisor_counts_the_same_customers(tmp_path):
    """Without a gap: bought in [03-01, 03-31)? And in the 31 days after?"""
    sources = open_sources(company(tmp_path, "non_contractual", "duckdb"), AS_OF)
    found = horizon_of(
        sources.local["transactions"], seconds(AS_OF) // 86_400, 30, followed=31, active_days=90
    )
    assert found.snapshot == seconds(T) // 86_400
    assert (found.customers, found.churned, found.returned) == (6, 4, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["online_retail", "cdnow", "open_university"])
def test_rate_matrix_and_labels_agree_on_real_data(shipped, name):
    config = shipped(name)
    sources = open_sources(config, config.as_of)
    for back in (100, 101, 250):
        snapshot = config.as_of - dt.timedelta(days=back)
        matrix = build_matrix(sources, config, [snapshot])
        moment = dt.datetime.combine(snapshot, dt.time())
        here = customers_at(sources.tables, config.churn, moment).customer_id.execute()
        assert sorted(matrix.frame["customer_id"]) == sorted(here)
        labels = build_labels(sources, config, matrix, config.as_of)
        found = window_rate(sources.tables, config.churn, snapshot, config.as_of)
        assert (int(np.isfinite(labels).sum()), int((labels == 1).sum())) == found
        assert found[0] > 0
