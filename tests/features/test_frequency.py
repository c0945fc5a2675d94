"""How often somebody buys, and whether that changes."""

import numpy as np
import pytest
from literal import at, features_of, table_of

DAYS = ["2024-06-30", "2024-06-01", "2024-05-31", "2024-05-02", "2024-05-01", "2023-07-02"]


@pytest.fixture(scope="module")
def found():
    return features_of({"transactions": table_of([*(at("a", day) for day in DAYS), at("b", "2024-07-02")])})


def test_windows_count_back_from_the_snapshot_in_half_open_pieces(found):
    """The last 30 days begin on 1 June and the 30 before them on 2 May: 31 May and 2 May lie in those."""
    assert found.purchase_count_30d.tolist() == [2, 0]
    assert found.purchase_count_90d.tolist() == [5, 0]
    assert found.purchase_count_ever.tolist() == [6, 0]


def test_the_change_is_against_the_window_before(found):
    assert found.purchase_count_change_30d.tolist() == [2 - 2, 0]
    assert found.purchase_count_change_90d.tolist() == [5 - 0, 0]


def test_an_event_weighs_half_as_much_a_half_life_later(found):
    """Periods of 30 days: ages 0, 0, 30, 30, 60 and 360."""
    want = 2 + 2 * 0.5 + 0.5**2 + 0.5**12
    np.testing.assert_allclose(found.purchase_intensity_30d, [want, 0], rtol=1e-6)


def test_purchases_a_year_since_the_first(found):
    np.testing.assert_allclose(found.purchase_rate, [6 * 365.25 / 365, np.nan], rtol=1e-6)


def test_the_share_of_periods_with_a_purchase(found):
    """365 days are 13 begun periods of 30; four of them have purchases."""
    np.testing.assert_allclose(found.purchase_regularity, [4 / 13, 0], rtol=1e-6)
