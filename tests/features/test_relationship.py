"""How long somebody is a customer, and what was achieved together."""

import datetime as dt

import numpy as np
import pytest
from literal import T, at, features_of, table_of


@pytest.fixture(scope="module")
def found():
    bought = [
        at("a", "2024-06-01", points=100.0),
        at("a", "2024-06-11", points=-30.0),
        at("b", "2024-05-02", points=None),
    ]
    started = {"a": dt.date(2023, 7, 1), "b": dt.date(2024, 5, 1), "c": T}
    used = table_of([at("a", "2024-01-01")])
    return features_of({"transactions": table_of(bought), "usage": used}, started=started)


def test_tenure_counts_from_the_start_and_from_the_first_purchase(found):
    np.testing.assert_allclose(
        found.tenure_days, [366, 61, np.nan]
    )  # who starts at T has not started before it
    np.testing.assert_allclose(found.purchase_tenure_days, [30, 60, np.nan])


def test_what_has_not_been_done_yet(found):
    np.testing.assert_allclose(found.first_use_wait_days, [np.nan, 61, np.nan])
    np.testing.assert_allclose(found.second_purchase_wait_days, [np.nan, 60, np.nan])


def test_points(found):
    assert found.points_balance.tolist() == [70, 0, 0]
    np.testing.assert_allclose(found.points_redeemed_gap_days, [20, np.nan, np.nan])


@pytest.mark.parametrize(("days", "nearest"), [(1, 1), (182, 182), (183, 182.25), (365, 0.25), (400, 34.75)])
def test_the_nearest_anniversary(days, nearest):
    found = features_of(
        {"transactions": table_of([at("a", "2024-06-01")])}, started={"a": T - dt.timedelta(days=days)}
    )
    assert found.anniversary_days.iloc[0] == pytest.approx(nearest, abs=1e-4)
