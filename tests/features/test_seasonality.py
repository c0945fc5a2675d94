"""The same days a year before, in whole periods."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from literal import T, at, features_of, table_of

from features.seasonality import LONGEST_DAYS, year_of


@given(st.integers(1, 2_000))
def test_a_year_is_whole_periods_and_the_nearest_ones(period):
    year = year_of(period)
    assert year % period == 0
    assert year >= period
    nearest = min((n * period for n in range(1, 400)), key=lambda days: abs(days - 365))
    assert abs(year - 365) == abs(nearest - 365)


def test_windows_of_more_than_half_a_year_have_no_season():
    found = features_of({"transactions": table_of([at("a", "2023-01-01")])}, windows=(90, 180, 270))
    seasons = {name for name in found if "season" in name or "year_ago" in name}
    assert seasons == {
        f"purchase_count_{what}_{days}d" for what in ("season", "year_ago") for days in (90, 180)
    }
    assert LONGEST_DAYS < 365 / 2 + 1


@pytest.mark.parametrize(
    ("days_ago", "ago", "season"),
    [
        (
            359,
            np.nan,
            1,
        ),  # within the days that come, seen from a year before; nobody had bought before those
        (361, 1, 0),
        (390, 1, 0),
        (391, 0, 0),
    ],
)
def test_the_edges_of_the_windows(days_ago, ago, season):
    day = np.datetime64(T) - np.timedelta64(days_ago, "D")
    found = features_of({"transactions": table_of([at("a", str(day))])}).iloc[0]
    np.testing.assert_equal(
        [found.purchase_count_year_ago_30d, found.purchase_count_season_30d],
        [ago, np.nan if days_ago < 330 else season],
    )
