"""What the customer bought at the same time of the year before.

Windows lie on the edges of the periods, so a year is the whole number of periods that comes nearest to 365 days:
364 days where a period has 7, 360 where it has 30, but always one period at least. Windows of more than half a year
have no season, and of a year they would repeat other columns.
"""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.spec import At, feature
from features.worse import Times, Worse

YEAR_DAYS = 365
LONGEST_DAYS = 183


def year_of(period_days: int) -> int:
    """Days of the year in whole periods.

    Examples
    --------
    >>> [year_of(days) for days in (1, 7, 30, 90, 400)]
    [365, 364, 360, 360, 400]
    """
    return max(1, round(YEAR_DAYS / period_days)) * period_days


def _a_year_before(at: At, start_days: int, end_days: int) -> Floats:
    """Purchases in `[t - start_days, t - end_days)`; NaN for who had not bought by the end of it."""
    window = at.purchases.last(start_days - end_days, before=end_days)
    return np.where(at.purchases.first_at() < at.t - end_days, window.count(), np.nan)


@feature(
    "transactions",
    unit="purchases",
    driver="rhythm",
    null="had not bought yet",
    windows=True,
    longest_days=LONGEST_DAYS,
    actionable=False,
    worse=Worse(
        range=Times(above=1.9, of="purchase_count_{days}d"),
        says="{purchase_count_{days}d:purchase} in the last {days} days, {purchase_count_year_ago_{days}d} in the "
        "same days a year before",
        when={"purchase_count_year_ago_{days}d": Range(above=1.5)},
    ),
)
def purchase_count_year_ago(at: At, days: int) -> Floats:
    """Purchases in the same {days} days a year before."""
    year = year_of(at.purchases.panel.axis.period_days)
    return _a_year_before(at, year + days, year)


@feature(
    "transactions",
    unit="purchases",
    driver="rhythm",
    null="had not bought yet",
    windows=True,
    longest_days=LONGEST_DAYS,
    actionable=False,
)
def purchase_count_season(at: At, days: int) -> Floats:
    """Purchases a year before in the {days} days that come now."""
    year = year_of(at.purchases.panel.axis.period_days)
    return _a_year_before(at, year, year - days)
