"""The next rate from the model's summed probabilities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from configs.schema import Churn
from features.definition import bit_set
from models.statistics.losses import Losses
from pipeline.retention.definition.movements import memberships
from pipeline.retention.definition.periods import Unit, shift

_Measure = Literal["window", "rate"]


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
    measure: _Measure = "window"


def forecast_rate(
    probabilities: npt.ArrayLike | Losses,
    as_of: dt.date,
    churn: Churn,
    *,
    error: float = 0.0,
    level: float = 0.95,
) -> RateForecast:
    """Forecast the rate from the churn probabilities of all customers at as-of.

    The interval is that of `models.statistics.losses.Losses`; it holds chance alone, `error` widens it by the model's
    own error.

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
        Shape (n,): whether nothing in the period can make a loss of the customer, see `secure_ids`.
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
    """Chance of being lost over the coming unit, of those who are not secure; of a number or an array."""
    days = period_days(as_of, churn, unit)
    if churn.kind == "contractual":
        return 1 - (1 - p) ** (days / churn.horizon_days)
    return p ** (days / churn.horizon_days)


def period_days(as_of: dt.date, churn: Churn, unit: Unit) -> int:
    """Days of the coming unit that decide whether somebody who is not secure is lost.

    Examples
    --------
    >>> period_days(dt.date(2026, 7, 1), Churn(kind="contractual", horizon_days=90), "month")
    31
    """
    days = (shift(as_of, unit, 1) - as_of).days
    return days if churn.kind == "contractual" else min(days, churn.active_days)


def forecast_losses(
    losses: Losses, as_of: dt.date, unit: Unit, *, error: float = 0.0, level: float = 0.95
) -> RateForecast:
    """Forecast the classic rate as `forecast_period` does, from the losses that `lost_in_period` leads to."""
    return _forecast(losses, "rate", (as_of, as_of, shift(as_of, unit, 1)), error, level)


def secure_ids(tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, unit: Unit) -> ir.Table | None:
    """`customer_id` of those whom the rate counts as kept over the next unit whatever happens: they bought recently.

    The table is where the purchases are; None where nobody can be secure.
    """
    if churn.kind == "contractual":
        return None
    # They are customers at the end of the period already, by what they have bought until now.
    members = memberships(tables, churn, [next_end(as_of, unit)])
    return members.filter(bit_set(members, 0)).select("customer_id")


def next_end(as_of: dt.date, unit: Unit) -> dt.datetime:
    """The end of the period that begins at as-of."""
    return dt.datetime.combine(shift(as_of, unit, 1), dt.time())


def _forecast(
    losses: Losses,
    measure: _Measure,
    days: tuple[dt.date, dt.date, dt.date],
    error: float,
    level: float,
) -> RateForecast:
    n = losses.customers
    fewest, most = losses.interval(level, error)
    return RateForecast(
        *days,
        customers=n,
        expected_lost=losses.expected,
        rate=100 * (1 - losses.expected / n),
        low=100 * (1 - most / n),
        high=100 * (1 - fewest / n),
        chance=100 * losses.variance**0.5 / n,
        measure=measure,
    )
