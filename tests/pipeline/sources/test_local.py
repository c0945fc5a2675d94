"""Sources on one engine: tables of databases are brought once, rows with many events by the quarter of an hour."""

import datetime as dt
import zoneinfo

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.local import QUARTER_HOUR, LocalTables
from pipeline.sources.readers import connect_duckdb


@pytest.fixture(scope="module")
def here():
    return connect_duckdb(1)


def bought():
    at = ["2024-01-01 10:00", "2024-01-01 10:14:59", "2024-01-01 10:15", "2024-01-02 10:00"]
    return pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "occurred_at": pd.to_datetime(at, format="ISO8601"),
            "amount": [1.0, 2.0, 4.0, 8.0],
        }
    )


def elsewhere(name, frame):
    return ibis.sqlite.connect().create_table(name, frame)


def test_local_tables_stay_as_they_are(here):
    table = here.create_table("mine", bought(), temp=True, overwrite=True)
    tables = LocalTables(here, {"transactions": table})
    assert tables["transactions"] is table
    assert (list(tables), len(tables)) == (["transactions"], 1)
    with pytest.raises(KeyError):
        tables["usage"]


def test_events_come_by_customer_and_quarter_of_an_hour(here):
    tables = LocalTables(here, {"transactions": elsewhere("t", bought())})
    found = tables["transactions"].order_by("customer_id", "occurred_at", ibis.desc("amount")).to_pandas()
    assert [(r.customer_id, str(r.occurred_at), r.amount) for r in found.itertuples()] == [
        (
            "a",
            "2024-01-01 10:00:00",
            3.0,
        ),  # the sum stands on the first row, and there are as many as there were
        ("a", "2024-01-01 10:00:00", 0.0),
        ("a", "2024-01-01 10:15:00", 4.0),
        ("b", "2024-01-02 10:00:00", 8.0),
    ]
    assert tables["transactions"] is tables["transactions"]


def test_people_come_row_by_row(here):
    frame = pd.DataFrame({"customer_id": ["a", "b"], "plan": ["x", None]})
    found = LocalTables(here, {"customers": elsewhere("c", frame)})["customers"]
    assert found.get_backend() is here
    assert found.order_by("customer_id").to_pandas().plan.isna().tolist() == [False, True]


@given(
    zone=st.sampled_from(
        ["Asia/Kathmandu", "Europe/London", "America/St_Johns", "Asia/Tehran", "Pacific/Chatham"]
    ),
    day=st.dates(dt.date(1990, 1, 1), dt.date(2035, 1, 1)),
)
def test_midnight_of_every_zone_lies_on_a_quarter_of_an_hour(zone, day):
    midnight = dt.datetime.combine(day, dt.time(), zoneinfo.ZoneInfo(zone))
    assert midnight.timestamp() % QUARTER_HOUR == 0
