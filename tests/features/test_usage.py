"""How much the product is used."""

import numpy as np
import pytest
from literal import at, features_of, table_of


@pytest.fixture(scope="module")
def found():
    rows = [
        *(at("a", f"2024-06-{day} 09:00", event="login", value=2.0) for day in ("21", "21", "22")),
        at("a", "2024-05-31 23:59:59", event="export", value=0.5),
        at("a", "2023-12-01", event="login", value=1.0),
        at("b", "2024-06-30 23:00", event=None, value=None),
        at("c", "2024-07-01", event="login", value=9.0),
    ]
    return features_of({"usage": table_of(rows, event="str")})


def test_days_with_use_are_counted_once_a_day(found):
    assert found.usage_count_30d.tolist() == [3, 1, 0]
    assert found.usage_active_days_30d.tolist() == [2, 1, 0]
    assert found.usage_active_days_change_30d.tolist() == [1, 1, 0]


def test_the_break_against_the_usual_one(found):
    since, first = 9 - 9 / 24, 213
    gap = (first - since) / 4
    np.testing.assert_allclose(found.usage_recency_days, [since, 1 / 24, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.usage_recency_ratio, [since / gap, np.nan, np.nan], rtol=1e-6)


def test_shares_of_the_time_since_the_first_use(found):
    np.testing.assert_allclose(found.usage_active_share, [4 / 213, 1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.usage_rate_ratio_30d, [(3 / 30) / (5 / 213), 1, np.nan], rtol=1e-6)


def test_a_streak_is_of_whole_periods_up_to_now(found):
    assert found.usage_streak_days.tolist() == [60, 30, 0]


def test_kinds_and_values(found):
    assert found.usage_breadth.tolist() == [2, 0, 0]
    assert found.usage_kinds_30d.tolist() == [1, 0, 0]
    np.testing.assert_allclose(found.usage_value_sum_90d, [6.5, 0, 0])
