"""The next rate from the model's summed probabilities, and how past forecasts came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from configs.schema import Churn
from pipeline.retention.losses import Losses, poisson_binomial
from pipeline.retention.membership import customers_at
from pipeline.retention.periods import Period, Unit, shift
from pipeline.retention.rate import retention_of

EXACT_UP_TO = 2_000
Measure = Literal["window", "rate"]


@dataclass(frozen=True)
class RateForecast:
    """The share of the customers at as-of who are kept over `[start, end)`.

    Parameters
    ----------
    as_of, start, end
        The snapshot and the time that is looked at.
    customers
        S, the customers at as-of.
    expected_lost
        Sum of their probabilities.
    rate, low, high
        Expected rate in percent and its interval.
    chance
        Standard deviation of the rate by chance alone, in points.
    measure
        `window`: not churned in the label window, as the model is trained. `rate`: still a customer at the end, as the
        classic rate counts, endings that are no churn left out.
    """

    as_of: dt.date
    start: dt.date
    end: dt.date
    customers: int
    expected_lost: float
    rate: float
    low: float
    high: float
    chance: float = 0.0
    measure: Measure = "window"


def forecast_rate(
    probabilities: npt.ArrayLike | Losses,
    as_of: dt.date,
    churn: Churn,
    *,
    error: float = 0.0,
    level: float = 0.95,
) -> RateForecast:
    """Forecast the rate from the churn probabilities of all customers at as-of.

    The number lost is Poisson-binomial: a sum of independent draws with different probabilities. Its interval is
    exact for up to 2,000 customers and normal above, where both agree. It holds chance alone; `error` widens it by the
    model's own error.

    Parameters
    ----------
    probabilities
        Calibrated, one for each customer at as-of, shape (n,); or their sums.
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
    losses = probabilities if isinstance(probabilities, Losses) else Losses.of(probabilities)
    start = as_of + dt.timedelta(days=churn.gap_days)
    return _forecast(
        losses, "window", (as_of, start, start + dt.timedelta(days=churn.horizon_days)), error, level
    )


def forecast_period(
    probabilities: npt.ArrayLike,
    secure: npt.ArrayLike,
    as_of: dt.date,
    churn: Churn,
    unit: Unit = "month",
    *,
    error: float = 0.0,
    level: float = 0.95,
) -> RateForecast:
    """Forecast the classic rate of the period of one unit that begins at as-of.

    The probability p speaks of H = `churn.horizon_days` days, the period has d. A contract is taken to end at an even
    rate: 1 - (1 - p)^(d / H). A buyer is lost when there is no purchase in the last `active_days` of the period; those
    who bought late enough already are secure, for the others purchases are taken to come at an even rate:
    p^(d / H) with d at most `active_days`. With d = H nothing is taken for granted.

    Parameters
    ----------
    probabilities
        As in `forecast_rate`.
    secure
        Shape (n,): whether nothing in the period can make a loss of the customer, see `secure_customers`.
    unit
        Length of the period.

    Examples
    --------
    >>> churn = Churn(kind="non_contractual", horizon_days=62, active_days=180)
    >>> forecast = forecast_period([0.49, 0.64, 0.9], [False, False, True], dt.date(2024, 3, 1), churn)
    >>> str(forecast.end), round(forecast.expected_lost, 6), forecast.measure
    ('2024-04-01', 1.5, 'rate')
    """
    p = Losses.of(probabilities).each
    lost = np.where(np.asarray(secure, bool), 0.0, lost_in_period(p, as_of, churn, unit))
    return forecast_losses(Losses.of(lost), as_of, unit, error=error, level=level)


def lost_in_period(p: Any, as_of: dt.date, churn: Churn, unit: Unit) -> Any:
    """Chance of being lost over the coming unit, of those who are not secure; of numbers or a cluster's column."""
    days = (shift(as_of, unit, 1) - as_of).days
    if churn.kind == "contractual":
        return 1 - (1 - p) ** (days / churn.horizon_days)
    return p ** (min(days, churn.active_days) / churn.horizon_days)


def forecast_losses(
    losses: Losses, as_of: dt.date, unit: Unit, *, error: float = 0.0, level: float = 0.95
) -> RateForecast:
    """Forecast the classic rate as `forecast_period` does, from the losses that `lost_in_period` leads to."""
    return _forecast(losses, "rate", (as_of, as_of, shift(as_of, unit, 1)), error, level)


def secure_customers(
    tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, unit: Unit, customers: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Whether the rate counts each customer as kept over the next unit whatever happens: they bought recently."""
    found = secure_ids(tables, churn, as_of, unit)
    if found is None:
        return np.zeros(len(customers), bool)
    secure = found.to_pyarrow()["customer_id"]
    is_in = pc.is_in(pa.array(customers, pa.string()), value_set=secure)
    return np.asarray(is_in.to_numpy(zero_copy_only=False), bool)


def secure_ids(tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, unit: Unit) -> ir.Table | None:
    """Ids of those whom `secure_customers` finds, where the purchases are; None where nobody can be secure."""
    if churn.kind == "contractual":
        return None
    end = dt.datetime.combine(shift(as_of, unit, 1), dt.time())
    since = ibis.literal(end - dt.timedelta(days=churn.active_days))
    bought = tables["transactions"]
    return bought.filter(bought.occurred_at >= since).select("customer_id").distinct()


def _forecast(
    losses: Losses,
    measure: Measure,
    days: tuple[dt.date, dt.date, dt.date],
    error: float,
    level: float,
) -> RateForecast:
    expected, n, by_chance = losses.expected, losses.customers, losses.variance
    if losses.each is not None and n <= EXACT_UP_TO and error == 0:
        reached = np.cumsum(poisson_binomial(losses.each))
        fewest, most = (
            float(np.searchsorted(reached, tail - 1e-12)) for tail in ((1 - level) / 2, (1 + level) / 2)
        )
    else:
        half = float(stats.norm.ppf((1 + level) / 2)) * (by_chance + (error * n) ** 2) ** 0.5
        fewest, most = max(expected - half, 0.0), min(expected + half, float(n))
    return RateForecast(
        *days,
        customers=n,
        expected_lost=expected,
        rate=100 * (1 - expected / n),
        low=100 * (1 - most / n),
        high=100 * (1 - fewest / n),
        chance=100 * by_chance**0.5 / n,
        measure=measure,
    )


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
    whole = _rates_that_came(forecasts, tables, churn, as_of)
    rows = []
    for forecast in forecasts.itertuples():
        if getattr(forecast, "measure", "window") == "rate":
            known, churned = whole.get((forecast.as_of, forecast.end), (0, 0))
            over = known > 0
        else:
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


def _rates_that_came(
    forecasts: pd.DataFrame, tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date
) -> dict[tuple[dt.date, dt.date], tuple[int, int]]:
    """Customers and lost of the periods that are over, for all forecasts of the classic rate in one pass."""
    if "measure" not in forecasts:
        return {}
    of_rate = forecasts[forecasts["measure"] == "rate"]
    spans = [
        (start, end) for start, end in zip(of_rate["as_of"], of_rate["end"], strict=True) if end <= as_of
    ]
    if not spans:
        return {}
    midnight = dt.time()
    periods = [
        Period(str(a), dt.datetime.combine(a, midnight), dt.datetime.combine(b, midnight)) for a, b in spans
    ]
    table = retention_of(tables, churn, periods, as_of)
    known, lost = table["S"] - table["not_churn"], table["lost"] - table["not_churn"]
    return {span: (int(n), int(k)) for span, n, k in zip(spans, known, lost, strict=True)}
