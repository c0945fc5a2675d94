"""Spend, and what was given back."""

import numpy as np
import pytest
from literal import at, features_of, table_of


@pytest.fixture(scope="module")
def found():
    bought = [
        at("a", "2024-06-20", amount=40.0),
        at("a", "2024-06-01", amount=0.1),
        at("a", "2024-05-20", amount=100.0),
        at("a", "2023-01-01", amount=60.0),
        at("b", "2024-06-20", amount=None),  # a purchase whose amount nobody knows
    ]
    back = [at("a", "2024-06-25", amount=10.0), at("a", "2024-05-01", amount=40.0)]
    return features_of({"transactions": table_of(bought), "cancellations": table_of(back)})


def test_sums_of_windows_and_their_change(found):
    np.testing.assert_allclose(found.spend_sum_30d, [40.1, 0], rtol=1e-6)
    np.testing.assert_allclose(found.spend_change_30d, [40.1 - 100, 0], rtol=1e-6)
    np.testing.assert_allclose(found.spend_sum_ever, [200.1, 0], rtol=1e-6)


def test_the_mean_counts_known_amounts_alone(found):
    np.testing.assert_allclose(found.spend_mean, [200.1 / 4, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.spend_max, [100, np.nan], rtol=1e-6)


def test_what_was_given_back(found):
    assert found.cancellation_count_30d.tolist() == [1, 0]
    assert found.cancellation_sum_90d.tolist() == [50, 0]
    assert found.cancellation_recency_days.iloc[0] == 6
    assert np.isnan(found.cancellation_recency_days.iloc[1])


def test_shares_are_of_all_that_was_bought(found):
    np.testing.assert_allclose(found.cancellation_spend_share, [50 / 200.1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.cancellation_share, [2 / 4, 0], rtol=1e-6)
