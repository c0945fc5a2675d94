"""A night's retention tables: computed once, published as files, logged as metrics, forecast kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.errors import ConfigError, DataError
from configs.schema import Config
from pipeline.report.curves import cohort_chart, standalone, survival_chart
from pipeline.report.render import Forecast
from pipeline.retention import rate_tables
from pipeline.retention.forecasts import model_errors, track_record
from pipeline.retention.losses import Losses
from pipeline.retention.lost import audit_table
from pipeline.retention.periods import MONTHS
from pipeline.retention.rate_forecast import (
    RateForecast,
    check_forecasts,
    forecast_losses,
    forecast_rate,
    lost_in_period,
    secure_customers,
)
from pipeline.retention.rate_scope import Scope
from pipeline.retention.reported import at_hand, reported
from pipeline.retention.survival import lifetimes, survival_table
from pipeline.sources.opening import Sources

DIGITS = 9
DRAWN = {"cohorts": "who is left of the new customers", "survival": "how long customers stay"}
HISTORY = ("rate", "adjusted_rate", "S", "N", "E", "lost")
UNSEEN_POINTS = 0.5


@dataclass(frozen=True)
class NightRates:
    """The retention side of a night.

    Parameters
    ----------
    company, unit
        Name of the config, and length of the periods.
    tables
        Name to table: `retention` always, the others where the sources allow.
    forecasts
        Of the label window and of the classic rate.
    warnings
        What a person should look at.
    """

    company: str
    unit: str
    tables: Mapping[str, pd.DataFrame]
    forecasts: tuple[RateForecast, ...]
    warnings: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The classic rate by period, newest last."""
        return self.tables["retention"]

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that `write` makes."""
        drawn = (f"{_stem(name)}.svg" for name in self.pictures)
        return (*(f"{_stem(n)}.{ending}" for n in self.tables for ending in ("csv", "parquet")), *drawn)

    def write(self, folder: Path) -> None:
        """Write every table as CSV and as Parquet; sums are rounded, since their order varies by thread."""
        for name, frame in self.tables.items():
            rounded = frame.assign(**{c: _rounded(frame[c]) for c in frame.select_dtypes("float").columns})
            rounded.to_csv(folder / f"{_stem(name)}.csv", index=False)
            rounded.to_parquet(folder / f"{_stem(name)}.parquet", index=False)
        for name, drawn in self.pictures.items():
            (folder / f"{_stem(name)}.svg").write_text(standalone(drawn), encoding="utf-8")

    @cached_property
    def pictures(self) -> dict[str, str]:
        """Name to drawing, as an element of an HTML page."""
        return {name: self._drawn(name) for name in DRAWN if name in self.tables}

    def _drawn(self, name: str) -> str:
        title = f"{self.company}: {DRAWN[name]}"
        if name == "cohorts":
            return cohort_chart(self.tables[name], title, f"by the {self.unit} of the start", self.unit)
        return survival_chart(
            self.tables[name], title, "Kaplan-Meier, with its 95 % interval", "still customers"
        )

    @property
    def forecast(self) -> Forecast | None:
        """That of the classic rate, for the report; None where endings that are no churn set it apart from the rate."""
        recent = self.table[self.table["complete"].astype(bool)].tail(3)
        rate = next((f for f in self.forecasts if f.measure == "rate"), None)
        apart = (recent["adjusted_rate"] - recent["rate"]).abs().max()
        if rate is None or apart > UNSEEN_POINTS:
            return None
        return Forecast(_label(rate.start, rate.end, self.unit), rate.rate, rate.low, rate.high)

    @property
    def metrics(self) -> dict[str, float]:
        """The newest period's figures and the forecast, for the tracking store."""
        table = self.table
        newest = table[table["complete"] & table["rate"].notna()].tail(1)
        found = {f"retention/{c}": float(newest[c].iloc[0]) for c in HISTORY if len(newest)}
        for forecast in self.forecasts:
            for part in ("rate", "low", "high"):
                found[f"forecast/{forecast.measure}_{part}"] = float(getattr(forecast, part))
        if "goals" in self.tables:
            found["retention/goals_missed"] = float((self.tables["goals"]["status"] == "missed").sum())
        if "revenue" in self.tables:
            money = self.tables["revenue"].iloc[-1]
            found |= {f"retention/{c}": float(money[c]) for c in ("gross_retention", "net_retention")}
        return found

    @property
    def steps(self) -> dict[str, list[tuple[int, int, float]]]:
        """The rate's history: one step a period, numbered from 1970, at the period's end."""
        table = self.table[self.table["complete"].astype(bool)]
        found = {}
        for column in HISTORY:
            found[f"retention_by_{self.unit}/{column}"] = [
                (_ordinal(start, self.unit), int(end.timestamp() * 1000), float(value))
                for start, end, value in zip(table["start"], table["end"], table[column], strict=True)
            ]
        return found


def night_rates(
    sources: Sources,
    config: Config,
    as_of: dt.date,
    customers: Sequence[str],
    probability: npt.NDArray[np.float64],
    kept: Path,
) -> NightRates:
    """Compute the retention tables of a night.

    Parameters
    ----------
    customers, probability
        Ids of all customers at as-of and their churn probabilities, in the same order.
    kept
        Folder of the past forecasts.
    """

    def losses() -> tuple[Losses, Losses]:
        unit = config.retention.unit
        safe = secure_customers(reported(sources), config.churn, as_of, unit, customers)
        lost = np.where(safe, 0.0, lost_in_period(probability, as_of, config.churn, unit))
        return Losses.of(probability), Losses.of(lost)

    return rates_of(sources, config, as_of, losses, kept)


def rates_of(
    sources: Sources,
    config: Config,
    as_of: dt.date,
    losses: Callable[[], tuple[Losses, Losses]],
    kept: Path,
) -> NightRates:
    """Compute the retention tables of a night whose customers need not be here.

    Parameters
    ----------
    losses
        How many of the customers at as-of are expected to be lost: in the label window, and by the classic rate.
    kept
        Folder of the past forecasts.
    """
    scope = Scope.of(config.retention)
    tables = at_hand(reported(sources), rate_tables.times_of(config, as_of, scope))
    past = track_record(kept, tables, config.churn, as_of)
    errors, (window, period) = model_errors(past), losses()
    forecasts = (
        forecast_rate(window, as_of, config.churn, error=errors.get("window", 0.0)),
        forecast_losses(period, as_of, config.retention.unit, error=errors.get("rate", 0.0)),
    )
    wanted: dict[str, Callable[[], pd.DataFrame]] = {
        "by_segment": lambda: _by_segment(tables, config, as_of, scope),
        "cohorts": lambda: rate_tables.cohorts(tables, config, as_of, scope),
        "survival": lambda: survival_table(lifetimes(tables, config.churn, as_of)),
        "goals": lambda: rate_tables.goals(tables, config, as_of, scope),
        "audit": lambda: _audit(tables, config, as_of, scope),
        "forecast": lambda: _beside_past(past, forecasts, tables, config, as_of),
    }
    if rate_tables.has_amounts(tables):
        wanted["revenue"] = lambda: rate_tables.revenue(tables, as_of, scope)
    if "feedback" in tables:
        wanted["feedback"] = lambda: rate_tables.feedback(tables, config, as_of, scope)
    if {"ended_at", "end_reason"} <= set(getattr(tables.get("customers"), "columns", ())):
        wanted["reasons"] = lambda: rate_tables.reasons(tables, config, as_of, scope)
    made, warnings = {"retention": rate_tables.retention(tables, config, as_of, scope)}, []
    for name, make in wanted.items():
        try:
            frame = make()
        except DataError:  # such as nobody lost, or a history of one period: there is no such table
            continue
        except ConfigError as error:
            warnings.append(f"retention {name}: {' '.join(str(error).split())}")
            continue
        if len(frame):
            made[name] = frame
    return NightRates(config.name, scope.unit, made, forecasts, tuple(warnings))


def no_rates() -> NightRates:
    """Those of a table without dates: the columns of the rate and no period."""
    names = ["period", "start", "end", *HISTORY, "rate_low", "rate_high", "complete"]
    return NightRates("", "month", {"retention": pd.DataFrame(columns=names)}, (), ())


def _by_segment(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    parts = []
    for name in config.retention.segments:
        part = rate_tables.retention(tables, config, as_of, replace(scope, segment=name))
        part.insert(0, "attribute", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _audit(tables: Mapping[str, ir.Table], config: Config, as_of: dt.date, scope: Scope) -> pd.DataFrame:
    period = rate_tables.last_complete(as_of, scope)
    return audit_table(tables, config.churn, period).assign(period=period.label)


def _beside_past(
    past: pd.DataFrame,
    forecasts: Sequence[RateForecast],
    tables: Mapping[str, ir.Table],
    config: Config,
    as_of: dt.date,
) -> pd.DataFrame:
    today = check_forecasts(pd.DataFrame(map(vars, forecasts)), tables, config.churn, as_of)
    return pd.concat([past, today], ignore_index=True) if len(past) else today


def _stem(name: str) -> str:
    return name if name == "retention" else f"retention_{name}"


def _rounded(column: pd.Series) -> pd.Series:
    return column.map(lambda x: float(f"{x:.{DIGITS}g}"), na_action="ignore").astype(float)


def _label(start: dt.date, end: dt.date, unit: str) -> str:
    """The calendar period's name where it is one, else its last day."""
    if unit == "month" and start.day == 1:
        return f"{start:%Y-%m}"
    return str(end - dt.timedelta(days=1))


def _ordinal(start: pd.Timestamp, unit: str) -> int:
    if unit == "week":
        return int((start - pd.Timestamp(1970, 1, 5)).days // 7)
    # The middle of a period is in the right month whatever the time zone.
    middle = start + pd.Timedelta(days=14)
    return int(((middle.year - 1970) * 12 + middle.month - 1) // MONTHS[unit])
