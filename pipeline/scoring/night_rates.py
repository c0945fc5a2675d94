"""A night's retention tables: computed once, published as files, logged as metrics, forecast kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.errors import ConfigError, DataError
from configs.schema import Config
from pipeline.csv_text import csv_text
from pipeline.dataset.shards import NumberedRows
from pipeline.languages.said import Said, said
from pipeline.report.curves import standalone
from pipeline.report.view import Forecast
from pipeline.retention.definition.at_hand import AtHand, Seen, at_hand
from pipeline.retention.definition.periods import MONTHS
from pipeline.retention.definition.scope import Scope
from pipeline.retention.forecast.expected import (
    RateForecast,
    forecast_losses,
    forecast_rate,
    next_end,
    secure_ids,
)
from pipeline.retention.forecast.track_record import model_errors, track_record
from pipeline.retention.registry import RATE, of_a_night, read_at_night
from pipeline.retention.table import Ahead, Question
from pipeline.scoring.score_table import ScoreTable
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

_DIGITS = 9
HISTORY = ("rate", "adjusted_rate", "S", "N", "E", "lost")
UNSEEN_POINTS = 0.5


@dataclass(frozen=True)
class NightRates:
    """The retention side of a night.

    Parameters
    ----------
    unit
        Length of the periods.
    tables
        Name to table: the rate always, the others where the sources allow.
    drawings
        Name to what draws the table as an element of an HTML page.
    forecasts
        Of the label window and of the classic rate.
    warnings
        What a person should look at.
    """

    unit: str
    tables: Mapping[str, pd.DataFrame]
    drawings: Mapping[str, Callable[[], str]]
    forecasts: tuple[RateForecast, ...]
    warnings: tuple[Said, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The classic rate by period, newest last."""
        return self.tables[RATE]

    @cached_property
    def pictures(self) -> dict[str, str]:
        """Name to drawing."""
        return {name: draw() for name, draw in self.drawings.items()}

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that `write` makes."""
        drawn = (f"{_stem(name)}.svg" for name in self.drawings)
        return (*(f"{_stem(n)}.{ending}" for n in self.tables for ending in ("csv", "parquet")), *drawn)

    def write(self, folder: Path, *, excel: bool = False) -> None:
        """Write every table as CSV and as Parquet; sums are rounded, since their order varies by thread."""
        for name, frame in self.tables.items():
            rounded = frame.assign(**{c: _rounded(frame[c]) for c in frame.select_dtypes("float").columns})
            encoding = "utf-8-sig" if excel else "utf-8"
            (folder / f"{_stem(name)}.csv").write_bytes(csv_text(rounded).encode(encoding))
            rounded.to_parquet(folder / f"{_stem(name)}.parquet", index=False)
        for name, drawn in self.pictures.items():
            (folder / f"{_stem(name)}.svg").write_text(standalone(drawn), encoding="utf-8")

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


def _here(ids: ir.Table) -> ir.Table:
    return ibis.memtable(arrow(ids))


def night_rates(
    sources: Sources,
    config: Config,
    as_of: dt.date,
    scores: ScoreTable,
    kept: Path,
    bring: Callable[[ir.Table], ir.Table] = _here,
    rows: NumberedRows | None = None,
) -> NightRates:
    """Compute the retention tables of a night.

    Parameters
    ----------
    scores
        Of all customers at as-of.
    kept
        Folder of the past forecasts.
    bring
        Makes ids that another engine finds a table beside the scores.
    rows
        Of the sources, where the features have numbered them.
    """
    unit = config.retention.unit
    scope = Scope.of(config.retention)
    tables = at_hand(Seen(sources, read_at_night()), times_of(config, as_of, scope), sources.ids, rows)
    secure = secure_ids(tables, config.churn, as_of, unit)
    if secure is not None:
        secure = bring(tables.with_own_ids(secure) if isinstance(tables, AtHand) else secure)
    window, period = scores.losses(secure, as_of, config.churn, unit)
    past = track_record(kept, tables, config.churn, as_of)
    errors = model_errors(past)
    forecasts = (
        forecast_rate(window, as_of, config.churn, error=errors.get("window", 0.0)),
        forecast_losses(period, as_of, config.retention.unit, error=errors.get("rate", 0.0)),
    )
    question = Question(config, as_of, scope, lambda: tables, Ahead(forecasts, past))
    # Drawings are made when files are: they have no tables, so that the copies at hand are gone by then.
    drawn_later = replace(question, opened=dict)
    made, drawings, warnings = {}, {}, list[Said]()
    for name, table in of_a_night().items():
        if table.nightly is None or not all(map(question.has, table.needs)):
            continue
        try:
            frame = table.nightly(question)
        except (DataError, ConfigError) as error:
            if name == RATE:
                raise
            if isinstance(error, ConfigError):
                why = " ".join(str(error).split())
                warnings.append(said("retention {table}: {why}", table=name, why=why))
            continue  # such as nobody lost, or a history of one period: there is no such table
        if len(frame) or name == RATE:
            made[name] = frame
            if table.drawn is not None:
                drawings[name] = partial(table.drawn, drawn_later, frame)
    return NightRates(scope.unit, made, drawings, forecasts, tuple(warnings))


def times_of(config: Config, as_of: dt.date, scope: Scope) -> list[dt.datetime]:
    """When a night asks who is a customer: at the edges of the periods of rate and goals, and of the next one."""
    now = dt.datetime.combine(as_of, dt.time())
    scopes = [scope, *(scope.plain(rule.unit) for rule in config.retention.goals)]
    periods = [period for each in scopes for period in each.until(as_of)]
    edges = {moment for p in periods for moment in (p.start, min(p.end, now))}
    return sorted(edges | {next_end(as_of, config.retention.unit)})


def no_rates() -> NightRates:
    """Those of a table without dates: the columns of the rate and no period."""
    names = ["period", "start", "end", *HISTORY, "rate_low", "rate_high", "complete"]
    return NightRates("month", {RATE: pd.DataFrame(columns=names)}, {}, (), ())


def _stem(name: str) -> str:
    return "retention" if name == RATE else f"retention_{name}"


def _rounded(column: pd.Series) -> pd.Series:
    return column.map(lambda x: float(f"{x:.{_DIGITS}g}"), na_action="ignore").astype(float)


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
