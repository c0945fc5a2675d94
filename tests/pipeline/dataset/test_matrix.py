"""Which snapshots are learnt from, what the matrix holds, and the reference figures of the real data."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from features.labels import window_of
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix, training_snapshots
from pipeline.sources.opening import open_sources

PURCHASES = """customer_id,occurred_at,amount
007,2024-01-05,10
007,2024-02-04 12:00,20.5
007,2024-03-01,99
۲,2024-02-29 23:59:59,1
"""


def test_a_matrix_by_hand(tiny):
    config = tiny(transactions=PURCHASES)
    sources = open_sources(config, dt.date(2024, 4, 1))
    frame = build_matrix(sources, config, [dt.date(2024, 3, 1)]).frame
    first = frame.iloc[0]
    assert frame.customer_id.tolist() == ["007", "۲"]
    assert frame.snapshot.unique().tolist() == [pd.Timestamp("2024-03-01")]
    assert first.recency_days == 25.5
    assert first.purchase_gap_mean_days == 30.5
    assert (first.purchase_count_30d, first.purchase_count_90d, first.purchase_count_change_30d) == (1, 2, 0)
    assert (first.spend_sum_30d, first.spend_sum_90d, first.spend_change_30d) == (20.5, 30.5, 10.5)
    assert first.purchase_intensity_30d == 1.5
    assert first.purchase_regularity == 1.0
    assert np.isnan(frame.iloc[1].purchase_gap_mean_days)


def test_training_snapshots_are_mature_and_have_history(tiny):
    """As of 2024-07-01, 7 days of gap and 30 of horizon: 2024-05-25 and every 30 days back to 2024-01-05 + 60."""
    config = tiny(
        transactions=PURCHASES,
        churn={"gap_days": 7},
        sections={"snapshots": {"min_history_days": 60, "step_days": 30}},
    )
    as_of = dt.date(2024, 7, 1)
    days = training_snapshots(config, open_sources(config, as_of), as_of)
    assert [str(day) for day in days] == ["2024-05-25", "2024-04-25", "2024-03-26"]
    assert all(window_of(day, 7, 30)[1] <= as_of for day in days)


def test_excluded_columns_are_absent(tiny):
    config = tiny(
        transactions=PURCHASES,
        sections={"features": {"windows_days": [30], "exclude": ["spend_*", "recency_days"]}},
    )
    matrix = build_matrix(open_sources(config, dt.date(2024, 4, 1)), config, [dt.date(2024, 3, 1)])
    names = [c.name for c in matrix.columns]
    assert not [n for n in names if n.startswith("spend_") or n == "recency_days"]
    assert list(matrix.features) == names
    assert "purchase_count_30d" in names


def test_a_role_without_a_source_has_no_features(tiny):
    config = tiny(transactions="customer_id,occurred_at\n1,2024-01-01")
    matrix = build_matrix(open_sources(config, dt.date(2024, 4, 1)), config, [dt.date(2024, 3, 1)])
    assert {c.source for c in matrix.columns} == {"transactions"}


def test_attributes_of_a_customer_without_a_row_are_null(tiny):
    config = tiny(
        transactions="customer_id,occurred_at\n1,2024-01-01\n2,2024-01-01",
        customers="customer_id,plan\n1,basic\n9,gold",
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {"attributes": ["plan"]}},
    )
    frame = build_matrix(open_sources(config, dt.date(2024, 3, 1)), config, [dt.date(2024, 3, 1)]).frame
    assert frame.plan.isna().tolist() == [False, True]
    assert frame.plan.iloc[0] == "basic"


def test_nobody_is_a_customer(tiny):
    config = tiny(transactions="customer_id,occurred_at\n1,2023-01-01")
    assert build_matrix(open_sources(config, dt.date(2024, 3, 1)), config, [dt.date(2024, 3, 1)]).frame.empty


def test_the_catalogue_hash_changes_with_the_catalogue_only(tiny):
    day, later = dt.date(2024, 3, 1), dt.date(2024, 3, 15)
    config = tiny(transactions=PURCHASES)
    sources = open_sources(config, dt.date(2024, 4, 1))
    hashes = {build_matrix(sources, config, days).catalogue_hash for days in ([day], [later], [day, later])}
    wider = config.model_copy(update={"features": config.features.model_copy(update={"windows_days": [30]})})
    assert len(hashes) == 1
    assert build_matrix(sources, wider, [day]).catalogue_hash not in hashes


def total(table, column):
    return table[column].sum().to_pyarrow().as_py()


def test_cdnow_reference_figures(shipped):
    config = shipped("cdnow")
    sources = open_sources(config, config.as_of)
    table = sources.tables["transactions"]
    assert sources.fingerprints["transactions"]["rows"] == 69_659
    assert table.customer_id.nunique().to_pyarrow().as_py() == 23_570
    assert total(table, "amount") == pytest.approx(2_500_315.63, abs=0.005)
    assert (sources.first_day, sources.fingerprints["transactions"]["last"][:10]) == (
        dt.date(1997, 1, 1),
        "1998-06-30",
    )


def test_cdnow_discs(shipped):
    """The third column of the file, read as an amount: 167,881 CDs."""
    config = shipped("cdnow")
    columns = config.sources.transactions.columns
    amount = columns.amount.model_copy(update={"column": "cds"})
    transactions = config.sources.transactions.model_copy(
        update={"columns": columns.model_copy(update={"amount": amount})}
    )
    config = config.model_copy(
        update={"sources": config.sources.model_copy(update={"transactions": transactions})}
    )
    assert total(open_sources(config, config.as_of).tables["transactions"], "amount") == 167_881


def test_cdnow_labels_at_the_reference_snapshot(shipped):
    """REFERENCE: t = 1998-04-01, 90 days: 6,055 rows, 61.5 % churn."""
    config = shipped("cdnow")
    sources = open_sources(config, config.as_of)
    matrix = build_matrix(sources, config, [dt.date(1998, 4, 1)])
    labels = build_labels(sources, config, matrix, config.as_of)
    assert len(matrix.frame) == 6_055
    assert round(100 * labels.mean(), 1) == 61.5


def test_online_retail_reference_figures(shipped, datasets):
    """Purchases less cancellations, of the lines with a customer; 25,900 invoices over all lines."""
    config = shipped("online_retail")
    sources = open_sources(config, config.as_of)
    raw = pd.read_parquet(datasets / "online_retail" / "online_retail.parquet")
    assert raw.InvoiceNo.nunique() == 25_900
    assert (raw.Quantity * raw.UnitPrice).sum() == pytest.approx(9_747_747.93, abs=0.01)
    known = raw[raw.CustomerID.notna()]
    assert len(raw) - len(known) == 135_080
    bought, cancelled = (sources.tables[role] for role in ("transactions", "cancellations"))
    net = total(bought, "amount") - total(cancelled, "amount")
    assert net == pytest.approx((known.Quantity * known.UnitPrice).sum(), abs=0.01)
    rows = sources.fingerprints["transactions"]["rows"] + sources.fingerprints["cancellations"]["rows"]
    assert rows == known.groupby("CustomerID").InvoiceNo.nunique().sum()
    both = bought.select("customer_id").union(cancelled.select("customer_id"), distinct=True)
    assert both.count().to_pyarrow().as_py() == 4_372


def test_online_retail_labels_at_the_reference_snapshot(shipped):
    """REFERENCE: t = 2011-10-10, 60 days: 2,984 rows, 46.3 % churn."""
    config = shipped("online_retail")
    sources = open_sources(config, config.as_of)
    matrix = build_matrix(sources, config, [dt.date(2011, 10, 10)])
    labels = build_labels(sources, config, matrix, config.as_of)
    assert len(matrix.frame) == 2_984
    assert round(100 * labels.mean(), 1) == 46.3


def test_open_university_reference_figures(shipped):
    """2,514 enrolments, 384,545 activity rows, 631 withdrawn, once all of it lies in the past."""
    config = shipped("open_university")
    sources = open_sources(config, dt.date(2016, 1, 1))
    rows = {role: print_["rows"] for role, print_ in sources.fingerprints.items()}
    customers = sources.tables["customers"]
    assert rows == {"customers": 2_514, "usage": 384_545}
    assert customers.filter(customers.end_reason == "withdrawn").count().to_pyarrow().as_py() == 631
