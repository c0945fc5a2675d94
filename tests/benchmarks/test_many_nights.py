"""The company of the many nights: a day is always the same, and only what has happened is there."""

import datetime as dt

import pandas as pd

from benchmarks.nights import FIRST, HISTORY, Company, trend


def test_a_day_adds_a_file_and_is_always_the_same(tmp_path):
    company = Company(tmp_path, customers=200, purchases=40.0, contacts=10.0)
    company.begin(training_rows=1_000)
    known = pd.read_parquet(tmp_path / "purchases")
    first, last = known["at"].min().date(), known["at"].max().date()
    assert FIRST - dt.timedelta(HISTORY) <= first <= last < FIRST
    assert len(known) > 200 * 40
    company.add(FIRST)
    file = tmp_path / "purchases" / f"{FIRST}.parquet"
    day = pd.read_parquet(file)
    assert set(day["at"].dt.date) == {FIRST}
    assert set(day["id"]) <= set(pd.read_parquet(tmp_path / "customers.parquet")["id"])
    company.add(FIRST)
    pd.testing.assert_frame_equal(pd.read_parquet(file), day)
    (tmp_path / "again").mkdir()
    again = Company(tmp_path / "again", customers=200, purchases=40.0, contacts=10.0)
    again.add(FIRST)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "again" / "purchases" / file.name), day)


def test_growth_shows():
    assert trend([100.0, 100.0, 100.0, 120.0, 150.0, 150.0]) == "100 to 150 (+50.0%)"
    assert trend([100.0] * 6) == "100 to 100 (+0.0%)"
