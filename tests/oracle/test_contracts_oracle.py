"""Contracts, several a customer: the fast expressions against plain loops over the rules."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from contracts_slow import (
    changes,
    company,
    customers_at,
    features,
    is_customer,
    label,
    of_each,
    running,
    spending,
    status_of,
)

from configs.schema import Churn, Config
from features import contracts as rules
from features.definition import customers, unpacked_words
from features.labels import labelled, window_outcomes
from features.tables import derived
from pipeline.dataset.matrix import build_matrix
from pipeline.retention.definition.movements import statuses
from pipeline.sources.opening import open_sources

EXCUSED = ["died"]
AS_OF = dt.date(2025, 6, 1)
DAYS = [dt.date(2024, 3, 1) + dt.timedelta(days=30 * k) for k in range(10)]


def midnight(day):
    return dt.datetime.combine(day, dt.time())


def tables_of(frame, grace):
    return {"contracts": rules.marked(ibis.memtable(frame), [], grace)}


@pytest.fixture(params=[(seed, grace) for seed in (1, 2) for grace in (0, 7)], ids=str)
def case(request):
    seed, grace = request.param
    frame = company(seed)
    return frame, grace, tables_of(frame, grace)


def churn_of(grace, **more):
    return Churn(kind="contractual", horizon_days=45, not_churn_reasons=EXCUSED, grace_days=grace, **more)


def test_who_is_a_customer_when(case):
    frame, grace, tables = case
    times = [midnight(day) for day in DAYS] + [midnight(DAYS[-1]) + dt.timedelta(hours=12)]
    rows = customers(tables, churn_of(grace), times).to_pyarrow()
    ids, there = np.array(rows["customer_id"].to_pylist()), unpacked_words(rows, len(times))
    for i, t in enumerate(times):
        assert set(ids[there[:, i]]) == customers_at(frame, pd.Timestamp(t), grace)


def test_what_a_period_made_of_each(case):
    frame, grace, tables = case
    seen = set()
    for i, j in ((0, 2), (2, 3), (1, 6), (5, 9)):
        start, end = pd.Timestamp(DAYS[i]), pd.Timestamp(DAYS[j])
        found = statuses(tables, churn_of(grace), start.to_pydatetime(), end.to_pydatetime()).execute()
        wanted = {
            who: status
            for who, rows in of_each(running(frame)).items()
            if (status := status_of(rows, start, end, grace, EXCUSED))
        }
        assert dict(zip(found.customer_id, found.status, strict=True)) == wanted
        seen |= set(wanted.values())
    assert seen == {"kept", "lost", "not_churn", "new", "returned"}


def test_labels(case):
    frame, grace, tables = case
    churn = churn_of(grace, gap_days=7)
    days = DAYS[::3]
    found = window_outcomes(tables, churn, days)
    told = set()
    for number, day in enumerate(days):
        t = pd.Timestamp(day)
        start, end = t + pd.Timedelta(days=7), t + pd.Timedelta(days=52)
        wanted = {
            who: label(rows, start, end, grace, EXCUSED)
            for who, rows in of_each(running(frame)).items()
            if is_customer(rows, t, grace)
        }
        asked = ibis.memtable(pd.DataFrame({"customer_id": list(wanted), "snapshot_number": number}))
        rows = labelled(asked, found, churn).to_pyarrow()
        assert dict(zip(rows["customer_id"].to_pylist(), rows["churned"].to_pylist(), strict=True)) == wanted
        told |= set(wanted.values())
    assert told == {0, 1, None}


def test_upgrades_and_downgrades(case):
    frame, grace, tables = case
    found = derived(tables)["contract_changes"].execute().sort_values(["customer_id", "occurred_at"])
    wanted = [
        (who, day, change)
        for who, rows in sorted(of_each(running(frame)).items())
        for day, change in changes(rows, grace)
    ]
    assert list(found.customer_id) == [who for who, _, _ in wanted]
    assert list(found.occurred_at) == [day for _, day, _ in wanted]
    assert np.allclose(found.change, [change for _, _, change in wanted])
    assert {change > 0 for _, _, change in wanted} == {True, False}


def config_of(folder, grace):
    frame = company(1)
    columns = {name: name for name in frame.columns}
    settings = {
        "name": "saas",
        "home": folder,
        "churn": {"kind": "contractual", "horizon_days": 45, "grace_days": grace},
        "sources": {"contracts": {"uri": "contracts.parquet", "columns": columns}},
        "features": {"windows_days": [30, 90]},
        "model": {"threads": 1},
    }
    return Config.model_validate(settings)


@pytest.mark.parametrize("grace", [0, 7])
def test_features(tmp_path, grace):
    frame = company(4, customers=150)
    frame.to_parquet(tmp_path / "contracts.parquet", coerce_timestamps="us")
    config = config_of(tmp_path, grace)
    matrix = build_matrix(open_sources(config, AS_OF), config, DAYS[::3])
    assert set(matrix.frame.first_plan.dropna()) == {"basic", "Pro"}
    names = [c.name for c in matrix.columns if c.source.startswith("contract_")]
    wanted = pd.DataFrame(
        [
            features(frame, who, t, [30, 90], grace)
            for who, t in zip(matrix.frame.customer_id, matrix.frame.snapshot, strict=True)
        ]
    )
    assert set(names) == set(wanted.columns)
    assert len(wanted) > 100
    assert (wanted.nunique() > 1).all()
    pd.testing.assert_frame_equal(matrix.frame[names], wanted[names], check_dtype=False, rtol=1e-6)
    owed = [c for c in matrix.frame if c.startswith("net_spend")]
    spend = [
        spending(frame, who, t, 90)
        for who, t in zip(matrix.frame.customer_id, matrix.frame.snapshot, strict=True)
    ]
    np.testing.assert_allclose(matrix.frame[owed], spend, rtol=1e-5, atol=1e-4)


def test_the_export_of_that_day_gives_the_same(tmp_path):
    """What came after a snapshot, ends that were not known then among it, changes nothing at it."""
    frame = company(5)
    config, day = config_of(tmp_path, 7), pd.Timestamp(DAYS[6])
    frame.to_parquet(tmp_path / "contracts.parquet", coerce_timestamps="us")
    today = build_matrix(open_sources(config, AS_OF), config, [DAYS[6]]).frame
    then = frame[frame.started_at < day].copy()
    then["end_reason"] = then.end_reason.mask(then.ended_at >= day)
    for name in ("ended_at", "paused_at", "resumed_at"):
        then[name] = then[name].mask(then[name] >= day)
    then.to_parquet(tmp_path / "contracts.parquet", coerce_timestamps="us")
    pd.testing.assert_frame_equal(today, build_matrix(open_sources(config, DAYS[6]), config, [DAYS[6]]).frame)
