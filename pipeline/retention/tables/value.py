"""What one point of retention is worth, in this company's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from configs.errors import ConfigError, DataError
from pipeline.languages.names import in_words
from pipeline.languages.said import Said, said
from pipeline.retention.definition.scope import PER_YEAR
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables import activity, rate


@dataclass(frozen=True)
class PointValue:
    """Worth of a higher rate over the coming year.

    Parameters
    ----------
    points
        By how many percentage points the rate of each period is higher.
    extra_customers
        More customers at the end of the year.
    extra_revenue, extra_margin
        More revenue, and what is left of it, over the year.
    customers, rate, better, periods, per_year, each, margin
        What goes in: customers today, the shares of them that are kept in a period, now and with the points more, of
        how many complete periods the first is the mean, periods a year, revenue of a customer and period, and the
        share of it that is left after costs.
    """

    points: float
    extra_customers: float
    extra_revenue: float
    extra_margin: float
    customers: int
    rate: float
    better: float
    periods: int
    per_year: int
    each: float
    margin: float

    @property
    def assumptions(self) -> tuple[Said, ...]:
        """Everything that went in, one line each: to be printed beside the figures."""
        return (
            said("{n} customers today", n=self.customers),
            said(
                "{rate:.2f} % kept per period, the mean of the last {periods} complete ones",
                rate=100 * self.rate,
                periods=self.periods,
            ),
            said(
                "{rate:.2f} % kept with {points} more, in every one of {periods} periods",
                rate=100 * self.better,
                points=_points(self.points),
                periods=self.per_year,
            ),
            said(
                "{amount:.2f} revenue per customer and period, the mean of the same periods", amount=self.each
            ),
            said("{share} % of the revenue is left after costs", share=100 * self.margin),
            said(
                "a customer who is kept buys like the average one; new customers and the cost of keeping are not "
                "counted"
            ),
        )


def _points(points: float) -> Said:
    return said("{points} point", points=points) if points == 1 else said("{points} points", points=points)


def point_value(
    retention: pd.DataFrame,
    activity: pd.DataFrame,
    *,
    periods_per_year: int = 12,
    points: float = 1.0,
    margin: float = 1.0,
) -> PointValue:
    """Follow today's customers for a year at the own average rate, and at one that is higher.

    With C customers today, v the mean revenue per customer and period, r the mean rate: the sum over the year's
    periods k of C v (r' ^ k - r ^ k), where r' = r + points, at most 1. A customer who is kept is worth a customer's
    average; nobody new is counted.

    Parameters
    ----------
    retention, activity
        Tables of the same periods, from `pipeline.retention.tables.rate` and `pipeline.retention.tables.activity`.
    periods_per_year
        12 for months, 4 for quarters, 52 for weeks, 1 for years.
    points
        Percentage points more.
    margin
        Share of the revenue that is left after costs.

    Raises
    ------
    DataError
        Without a complete period that has a rate and revenue.

    Examples
    --------
    >>> retention = pd.DataFrame({"E": [1000], "adjusted_rate": [90.0], "complete": [True], "full_history": [True]})
    >>> activity = pd.DataFrame({"customer_value": [10.0]})
    >>> worth = point_value(retention, activity, periods_per_year=2)
    >>> round(worth.extra_revenue, 2), round(worth.extra_customers, 1)
    (281.0, 18.1)
    """
    table = retention.reset_index(drop=True).assign(customer_value=activity["customer_value"].to_numpy(float))
    usable = table[table["complete"] & table["full_history"]].dropna(
        subset=["adjusted_rate", "customer_value"]
    )
    usable = usable.tail(periods_per_year)
    if usable.empty:
        raise DataError("no complete period has both a rate and revenue: the worth of a point is not known")
    rate, value = usable["adjusted_rate"].mean() / 100, usable["customer_value"].mean()
    customers = int(usable["E"].iloc[-1])
    better = min(rate + points / 100, 1.0)
    k = np.arange(1, periods_per_year + 1)
    revenue = float(customers * value * (better**k - rate**k).sum())
    extra = float(customers * (better**periods_per_year - rate**periods_per_year))
    return PointValue(
        points,
        extra,
        revenue,
        revenue * margin,
        customers,
        float(rate),
        float(better),
        len(usable),
        periods_per_year,
        float(value),
        margin,
    )


def of_question(question: Question, points: float, margin: float) -> PointValue:
    """What a higher rate is worth over the coming year, of everybody.

    Raises
    ------
    ConfigError
        When the sources have no amounts.
    """
    if not question.has("transactions.amount"):
        raise ConfigError("the worth of a point needs sources.transactions with the column amount; map it")
    plain, as_of = replace(question, scope=question.scope.plain()), question.as_of
    rates = rate.by_period(plain)
    moves = activity.activity_table(plain.tables, plain.scope.until(as_of), as_of, rates)
    return point_value(
        rates, moves, periods_per_year=PER_YEAR[plain.scope.unit], points=points, margin=margin
    )


def show(
    question: Question,
    points: Annotated[float, typer.Option(min=0, max=100, help="Percentage points more retention.")] = 1.0,
    margin: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the revenue that is left after costs.")
    ] = None,
) -> Shown:
    """What a point of retention is worth over a year, in this company's own numbers."""
    share = question.config.margin if margin is None else margin
    found = of_question(question, points, share)
    names = ("points", "extra_customers", "extra_revenue", "extra_margin")
    frame = pd.DataFrame([{name: getattr(found, name) for name in names}])
    text = said(
        "{points} more retention in every {unit} of a year: {customers:.0f} more customers at its end, "
        "{revenue:.0f} more revenue, {margin:.0f} of it left",
        points=_points(found.points),
        unit=in_words("units", question.scope.unit),
        customers=found.extra_customers,
        revenue=found.extra_revenue,
        margin=found.extra_margin,
    )
    lines = [said("assumed: {line}", line=line) for line in found.assumptions]
    return Shown(frame, text, lines, {"assumptions": list(found.assumptions)})


TABLE = Table(show, activity.READS, segment=False)
