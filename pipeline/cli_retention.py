"""`churn retention`: the classic rate and what a team asks next. Everything heavy is imported inside a command."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from configs.errors import ConfigError
from pipeline.cli_common import Common, command

retention_app = typer.Typer(
    help="The classic retention rate, and what a team asks next.", rich_markup_mode=None
)

Segment = Annotated[str | None, typer.Option("--segment", help="An attribute of the customers.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the table to this .csv or .parquet file.")
]
Picture = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Draw the curves into this .svg file.")
]


@dataclass(frozen=True)
class Span:
    """Which periods; what is left out comes from the config."""

    unit: Annotated[str | None, typer.Option(help="Length of a period: week, month, quarter or year.")] = None
    periods: Annotated[int | None, typer.Option(min=1, max=600, help="How many complete periods.")] = None
    time_zone: Annotated[str | None, typer.Option(help="Where midnight is, such as Europe/London.")] = None
    first_weekday: Annotated[
        int | None, typer.Option(min=0, max=6, help="The day that opens a week; 0 is Monday.")
    ] = None


def _asked(common: Common, span: Span | None = None, *, out: Path | None = None, **scope: Any) -> Any:
    from pipeline.retention.rate_result import Asked
    from pipeline.retention.rate_scope import Scope

    config, as_of = common.settings()
    given = (asdict(span) if span else {}) | scope
    return Asked(config, as_of, Scope.of(config.retention, **given), out, common.detail)


def _print(common: Common, result: Any) -> None:
    common.result(result.text, result.values)


@command(retention_app, default=True)
def retention(
    common: Common,
    span: Span,
    segment: Segment = None,
    rolling: Annotated[
        bool | None,
        typer.Option("--rolling/--calendar", help="Count periods back from as-of, or by calendar."),
    ] = None,
    running: Annotated[
        bool, typer.Option("--running", help="Add the period that is not over yet, marked.")
    ] = False,
    out: Out = None,
) -> int | None:
    """The classic rate by period, from the config's customers."""
    asked = _asked(common, span, out=out, segment=segment, rolling=rolling, running=running)
    from pipeline.retention import rates

    _print(common, rates.by_period(asked))
    return None


@command(retention_app, "rate")
def rate(
    common: Common,
    start: Annotated[int, typer.Option(help="S: customers at the start.")],
    new: Annotated[int, typer.Option(help="N: customers acquired during the period.")],
    end: Annotated[int, typer.Option(help="E: customers at its end.")],
) -> int | None:
    """(E - N) / S x 100 of three numbers."""
    from pipeline.retention.rate import rate as rate_of

    value = rate_of(start, new, end)
    common.result(f"{value:.2f} %", {"rate": value, "start": start, "new": new, "end": end})
    return None


@command(retention_app, "mix")
def mix(
    common: Common,
    span: Span,
    segment: Segment = None,
    before: Annotated[str | None, typer.Option(metavar="PERIOD", help="Such as 2011-09 or 2011-Q3.")] = None,
    after: Annotated[str | None, typer.Option(metavar="PERIOD", help="The later one.")] = None,
    out: Out = None,
) -> int | None:
    """Why the rate moved: other customers (mix), or the same kinds kept differently (rate)."""
    asked = _asked(common, span, out=out, segment=segment)
    from pipeline.retention import rates

    _print(common, rates.mix(asked, before, after))
    return None


@command(retention_app, "cohorts")
def cohorts(
    common: Common,
    span: Span,
    measure: Annotated[
        str, typer.Option(help="customer: still one at a period's end; purchase: bought in it.")
    ] = "customer",
    segment: Segment = None,
    picture: Picture = None,
    out: Out = None,
) -> int | None:
    """Who is left of the customers who started together."""
    if measure not in ("customer", "purchase"):
        raise ConfigError(f"--measure {measure!r} is unknown; use customer or purchase")
    asked = _asked(common, span, out=out, segment=segment)
    from pipeline.retention import rates

    _print(common, rates.cohorts(asked, "purchase" if measure == "purchase" else "customer", picture))
    return None


@command(retention_app, "survival")
def survival(common: Common, segment: Segment = None, picture: Picture = None, out: Out = None) -> int | None:
    """How long customers stay: Kaplan-Meier curves, with log-rank tests between segments."""
    asked = _asked(common, out=out, segment=segment)
    from pipeline.retention import rate_studies

    _print(common, rate_studies.survival(asked, picture))
    return None


@command(retention_app, "second")
def second(common: Common, segment: Segment = None, picture: Picture = None, out: Out = None) -> int | None:
    """How long it takes from the first to the second purchase."""
    asked = _asked(common, out=out, segment=segment)
    from pipeline.retention import rate_studies

    _print(common, rate_studies.second(asked, picture))
    return None


@command(retention_app, "revenue")
def revenue(common: Common, span: Span, segment: Segment = None, out: Out = None) -> int | None:
    """Gross and net revenue retention, and how much comes from repeat purchases."""
    asked = _asked(common, span, out=out, segment=segment)
    from pipeline.retention import rates

    _print(common, rates.revenue(asked))
    return None


@command(retention_app, "audit")
def audit(
    common: Common,
    span: Span,
    period: Annotated[
        str | None,
        typer.Option(metavar="PERIOD", help="Such as 2011-09; the last complete one when left out."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 20,
    out: Out = None,
) -> int | None:
    """What the customers lost in a period have in common, against those kept."""
    asked = _asked(common, span, out=out)
    from pipeline.retention import rates

    _print(common, rates.audit(asked, period, rows))
    return None


@command(retention_app, "reasons")
def reasons(common: Common, span: Span, segment: Segment = None, out: Out = None) -> int | None:
    """The reasons that customers stated for leaving, coded and counted."""
    asked = _asked(common, span, out=out, segment=segment)
    from pipeline.retention import rates

    _print(common, rates.reasons(asked))
    return None


@command(retention_app, "feedback")
def feedback(
    common: Common,
    span: Span,
    segment: Segment = None,
    table: Annotated[
        str, typer.Option(help="measures, trend, customers (their trends) or stopped (answering).")
    ] = "measures",
    out: Out = None,
) -> int | None:
    """NPS, satisfaction, product-market fit, answer rates, trends, and who stopped answering."""
    asked = _asked(common, span, out=out, segment=segment)
    from pipeline.retention import rate_studies

    _print(common, rate_studies.feedback(asked, table))
    return None


@command(retention_app, "goals")
def goals(common: Common, span: Span, out: Out = None) -> int | None:
    """The config's goals: reached or missed, by how much, since when."""
    asked = _asked(common, span, out=out)
    from pipeline.retention import rates

    _print(common, rates.goals(asked))
    return None


@command(retention_app, "benchmarks")
def benchmarks(
    common: Common,
    industry: Annotated[str | None, typer.Option(help="Only of this industry, and of any.")] = None,
    out: Out = None,
) -> int | None:
    """Figures that people quote, with source and year: context, not goals."""
    asked = _asked(common, out=out)
    from pipeline.retention import rates

    _print(common, rates.benchmarks(asked, industry))
    return None


@command(retention_app, "value")
def value(
    common: Common,
    span: Span,
    points: Annotated[float, typer.Option(min=0, max=100, help="Percentage points more retention.")] = 1.0,
    margin: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the revenue that is left after costs.")
    ] = None,
    out: Out = None,
) -> int | None:
    """What a point of retention is worth over a year, in this company's own numbers."""
    asked = _asked(common, span, out=out)
    from pipeline.retention import rates

    _print(common, rates.value(asked, points, margin))
    return None


@command(retention_app, "forecast")
def forecast(
    common: Common,
    periods: Annotated[int | None, typer.Option(min=1, help="How many past forecasts.")] = None,
    out: Out = None,
) -> int | None:
    """The newest forecast of the rate, and what came of the past ones."""
    asked = _asked(common, out=out, periods=periods)
    from pipeline.retention import rate_studies

    _print(common, rate_studies.forecast(asked))
    return None
