"""The next rate from the model's summed probabilities, and how past forecasts came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from configs.errors import DataError
from configs.schema import Churn
from pipeline.membership import customers_at

EXACT_UP_TO = 2_000


@dataclass(frozen=True)
class RateForecast:
    """The retention rate of the customers at as-of over the label window `[start, end)`.

    Parameters
    ----------
    as_of, start, end
        The snapshot and its label window.
    customers
        S, the customers at as-of.
    expected_lost
        Sum of their probabilities.
    rate, low, high
        Expected rate in percent and its interval.
    """

    as_of: dt.date
    start: dt.date
    end: dt.date
    customers: int
    expected_lost: float
    rate: float
    low: float
    high: float


def forecast_rate(
    probabilities: npt.ArrayLike, as_of: dt.date, churn: Churn, *, error: float = 0.0, level: float = 0.95
) -> RateForecast:
    """Forecast the rate from the churn probabilities of all customers at as-of.

    The number lost is Poisson-binomial: a sum of independent draws with different probabilities. Its interval is
    exact for up to 2,000 customers and normal above, where both agree. It holds chance alone; `error` widens it by the
    model's own error.

    Parameters
    ----------
    probabilities
        Calibrated, one for each customer at as-of, shape (n,).
    as_of, churn
        The snapshot, and the gap and horizon of its labels.
    error
        Standard error of the mean probability, such as the root mean square of past `error` values of
        `check_forecasts` over 100.
    level
        Coverage of the interval.

    Raises
    ------
    DataError
        Without customers, or when a probability is not in 0..1.

    Examples
    --------
    >>> churn = Churn(kind="contractual", horizon_days=30)
    >>> forecast = forecast_rate([0.1, 0.2, 0.3, 0.4], dt.date(2024, 3, 1), churn)
    >>> forecast.rate, forecast.low, forecast.high, str(forecast.end)
    (75.0, 25.0, 100.0, '2024-03-31')
    """
    p = np.asarray(probabilities, float)
    if p.size == 0 or not np.all((p >= 0) & (p <= 1)):
        wrong = int(np.sum(~((p >= 0) & (p <= 1))))
        raise DataError(f"{p.size} customers, {wrong} without a probability in 0..1: no rate can be forecast")
    expected, n = float(p.sum()), p.size
    variance = float((p * (1 - p)).sum()) + (error * n) ** 2
    if n <= EXACT_UP_TO and error == 0:
        reached = np.cumsum(poisson_binomial(p))
        fewest, most = (
            float(np.searchsorted(reached, tail - 1e-12)) for tail in ((1 - level) / 2, (1 + level) / 2)
        )
    else:
        half = float(stats.norm.ppf((1 + level) / 2)) * variance**0.5
        fewest, most = max(expected - half, 0.0), min(expected + half, float(n))
    start = as_of + dt.timedelta(days=churn.gap_days)
    return RateForecast(
        as_of=as_of,
        start=start,
        end=start + dt.timedelta(days=churn.horizon_days),
        customers=n,
        expected_lost=expected,
        rate=100 * (1 - expected / n),
        low=100 * (1 - most / n),
        high=100 * (1 - fewest / n),
    )


def poisson_binomial(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Chances of 0, 1, ..., n hits in n independent draws with different probabilities.

    SciPy's distribution computes the same, but its quantiles stop at 61 draws.

    Examples
    --------
    >>> poisson_binomial(np.array([0.5, 0.5])).tolist()
    [0.25, 0.5, 0.25]
    """
    chances = np.zeros(p.size + 1)
    chances[0] = 1.0
    for k, one in enumerate(p, start=1):
        chances[1 : k + 1] = chances[1 : k + 1] * (1 - one) + chances[:k] * one
        chances[0] *= 1 - one
    return chances


def window_rate(tables: Mapping[str, ir.Table], churn: Churn, snapshot: dt.date) -> tuple[int, int]:
    """Customers at a snapshot whose label is known, and how many of them churned, on the definition of the labels.

    The tables must reach to the end of the label window. Contractual: an ending in the window that counts as churn;
    one that does not count, or that falls into the gap, takes the customer out. Non-contractual: no purchase in the
    window. Without a gap, contractual customers kept over [t, t + horizon) are those of the rate; for purchases the
    label asks for a purchase in the window itself, which is the stricter question while horizon < active_days.
    """
    t = dt.datetime.combine(snapshot, dt.time())
    start = t + dt.timedelta(days=churn.gap_days)
    end = start + dt.timedelta(days=churn.horizon_days)
    here = customers_at(tables, churn, t)
    if churn.kind == "contractual":
        customers = tables["customers"]
        own = here.inner_join(customers, "customer_id")
        over = own.ended_at.notnull() & (own.ended_at < ibis.literal(end))
        counts = own.ended_at >= ibis.literal(start)
        if churn.not_churn_reasons:
            counts &= own.end_reason.fill_null("").notin(churn.not_churn_reasons)
        sums = own.aggregate(known=(~over | counts).sum(), churned=(over & counts).sum())
    else:
        bought = tables["transactions"]
        inside = (bought.occurred_at >= ibis.literal(start)) & (bought.occurred_at < ibis.literal(end))
        back = here.semi_join(bought.filter(inside), "customer_id")
        both = here.aggregate(known=here.count()).cross_join(back.aggregate(back=back.count()))
        sums = both.select("known", churned=both.known - both.back)
    row = sums.execute().iloc[0]
    return int(row.known or 0), int(row.churned or 0)


def check_forecasts(
    forecasts: pd.DataFrame, tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date
) -> pd.DataFrame:
    """Past forecasts beside what came.

    Parameters
    ----------
    forecasts
        One row a forecast, with the fields of `RateForecast`, such as the ledger keeps.
    tables, churn
        As known at `as_of`.
    as_of
        That midnight UTC is now; windows that are not over stay open.

    Returns
    -------
    DataFrame
        The forecasts with `came` in percent of `known` customers, `error` = came - forecast in points and `inside` the
        interval or not; null while the window is not over.
    """
    rows = []
    for forecast in forecasts.itertuples():
        snapshot = pd.Timestamp(forecast.as_of).date()
        over = snapshot + dt.timedelta(days=churn.gap_days + churn.horizon_days) <= as_of
        known, churned = window_rate(tables, churn, snapshot) if over else (0, 0)
        came = 100 * (1 - churned / known) if known else np.nan
        inside = None if np.isnan(came) else bool(forecast.low <= came <= forecast.high)
        rows.append((known if over else None, came, came - forecast.rate, inside))
    found = pd.DataFrame(rows, columns=["known", "came", "error", "inside"], index=forecasts.index)
    return forecasts.assign(
        **found.astype({"known": "Int64", "came": float, "error": float, "inside": "boolean"}).to_dict(
            "series"
        )
    )
