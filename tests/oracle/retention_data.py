"""Tables for the retention tests: random companies and the real data sets."""

import datetime as dt
import os
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.schema import Churn

ROOT = Path(__file__).parents[2]


def dataset(name):
    """A file of the real data; skips with a reason when it is absent, fails where it is required."""
    folder = Path(os.environ.get("CHURN_DATASETS", ROOT.parent / "shared" / "datasets"))
    path = folder / name
    if not path.exists():
        reason = f"real data absent: {name}; set CHURN_DATASETS to the folder that holds it"
        if os.environ.get("CHURN_REQUIRE_DATASETS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def as_tables(frames):
    """Frames of a company as tables on one DuckDB connection."""
    connection = ibis.duckdb.connect()
    return {role: connection.create_table(role, frame) for role, frame in frames.items()}


def shop(seed=0, customers=40, purchases=300, days=400):
    """A company of purchases with awkward times: midnights, repeats and exact window lengths."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"{k:04d}" for k in range(customers)])
    day = rng.integers(0, days, purchases)
    second = rng.choice([0, 0, 1, 43_200, 86_399], purchases)
    at = pd.Timestamp("2023-01-01") + pd.to_timedelta(day, "D") + pd.to_timedelta(second, "s")
    bought = pd.DataFrame(
        {
            "customer_id": rng.choice(ids, purchases),
            "occurred_at": at,
            "amount": rng.integers(0, 50, purchases) / 4,
        }
    )
    facts = pd.DataFrame(
        {
            "customer_id": ids[: customers - 3],
            "plan": rng.choice(["basic", "plus", None], customers - 3),
            "size": rng.integers(1, 500, customers - 3).astype(float),
        }
    )
    frames = {"transactions": bought.assign(known_at=bought.occurred_at), "customers": facts}
    return frames, Churn(kind="non_contractual", horizon_days=30, active_days=45)


def club(seed=0, customers=120, days=400):
    """A company of contracts, some of which end, some for reasons that do not count."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, days, customers), "D")
    end = start + pd.to_timedelta(rng.integers(0, 250, customers), "D")
    open_ = (rng.random(customers) < 0.4) | (end >= pd.Timestamp("2023-01-01") + pd.Timedelta(days=days))
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(customers)],
            "started_at": start,
            "ended_at": end.where(~open_),
            "end_reason": np.where(open_, None, rng.choice(["price", "died", "moved"], customers)),
            "plan": rng.choice(["basic", "plus"], customers),
            "size": rng.integers(1, 500, customers).astype(float),
        }
    )
    churn = Churn(kind="contractual", horizon_days=30, not_churn_reasons=["died"])
    return {"customers": frame}, churn


def online_retail():
    """Online Retail: a transaction an invoice, cancellations apart; the country as attribute."""
    lines = pd.read_parquet(dataset("online_retail/online_retail.parquet"))
    lines = lines[lines.CustomerID.notna() & ~lines.InvoiceNo.str.startswith("C")].drop_duplicates()
    lines = lines.assign(
        customer_id=lines.CustomerID.astype(int).astype(str), amount=lines.Quantity * lines.UnitPrice
    )
    bought = lines.groupby(["customer_id", "InvoiceNo"], as_index=False).agg(
        occurred_at=("InvoiceDate", "min"), amount=("amount", "sum")
    )
    facts = lines.groupby("customer_id", as_index=False).agg(country=("Country", "first"))
    facts["country"] = facts.country.where(facts.country == "United Kingdom", "abroad")
    frames = {"transactions": bought.assign(known_at=bought.occurred_at), "customers": facts}
    churn = Churn(kind="non_contractual", horizon_days=60, active_days=180)
    return frames, churn, dt.date(2011, 12, 10)


def cdnow():
    """CDNOW: the master file, one row a transaction."""
    columns = ["customer_id", "day", "cds", "amount"]
    raw = pd.read_csv(
        dataset("cdnow/CDNOW_master.txt"), sep=r"\s+", names=columns, dtype={"customer_id": str, "day": str}
    )
    bought = raw.assign(occurred_at=pd.to_datetime(raw.day, format="%Y%m%d")).drop(columns="day")
    frames = {"transactions": bought.assign(known_at=bought.occurred_at)}
    return frames, Churn(kind="non_contractual", horizon_days=90, active_days=180), dt.date(1998, 7, 1)


def open_university():
    """Open University: enrolments with an end and a reason; `completed` does not count."""
    raw = pd.read_parquet(dataset("open_university/enrolments.parquet"))
    frame = raw.rename(columns={"enrolment_id": "customer_id", "registered_at": "started_at"})
    as_of = dt.date(2014, 6, 1)
    frame = frame[frame.started_at < pd.Timestamp(as_of)]
    frame = frame.assign(ended_at=frame.ended_at.where(frame.ended_at < pd.Timestamp(as_of)))
    churn = Churn(kind="contractual", horizon_days=28, not_churn_reasons=["completed"])
    return {"customers": frame.reset_index(drop=True)}, churn, as_of
