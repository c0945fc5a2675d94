"""How long ago somebody bought, against the own rhythm: T is 1 July 2024."""

import numpy as np
import pytest
from literal import at, features_of, table_of


@pytest.fixture(scope="module")
def found():
    rows = [
        # a: every ten days, silent for 31 of them
        *(at("a", day) for day in ("2024-05-11", "2024-05-21", "2024-05-31")),
        at("b", "2024-06-30 12:00"),
        *(at("c", f"2024-06-01 {hour}:00") for hour in ("08", "09", "10")),  # three on one day
        at("d", "2024-07-01"),  # at T, which is not known yet
    ]
    return features_of({"transactions": table_of(rows)})


def test_days_since_the_last_purchase_have_their_fraction(found):
    np.testing.assert_allclose(found.recency_days, [31, 0.5, 30 - 10 / 24, np.nan], rtol=1e-6)


def test_the_usual_gap_needs_two_purchases(found):
    np.testing.assert_allclose(found.purchase_gap_mean_days, [10, np.nan, 1 / 24, np.nan], rtol=1e-6)


def test_the_silence_in_usual_gaps_takes_a_gap_below_a_day_for_a_day(found):
    np.testing.assert_allclose(found.recency_ratio, [3.1, np.nan, 30 - 10 / 24, np.nan], rtol=1e-6)


def test_the_silence_as_a_share_of_the_time_since_the_first(found):
    np.testing.assert_allclose(
        found.recency_share, [31 / 51, 1, (30 - 10 / 24) / (30 - 8 / 24), np.nan], rtol=1e-6
    )
