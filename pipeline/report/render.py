"""What a night found, as one page that opens anywhere: no network, no script, same bytes for the same input."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.report.charts import Mark, calibration_chart, trend_chart
from pipeline.report.templates.language import Language

LIST_ROWS = 200
BANNER_LINES = 3


@dataclass(frozen=True)
class ListRow:
    """One customer of the outreach list.

    Parameters
    ----------
    rank
        From 1.
    customer_id
        As in the sources, unchanged.
    probability
        Of leaving, 0..1.
    value
        What the customer is worth, in the unit of the sources; None when no amounts are known.
    reasons
        Up to three sentences, the strongest first.
    last_contact
        None when there was none; the column is shown when `contacts` is among the sources.
    expected_gain, action
        None for all rows: the column is left out.
    """

    rank: int
    customer_id: str
    probability: float
    value: float | None
    reasons: tuple[str, ...]
    last_contact: dt.date | None = None
    expected_gain: float | None = None
    action: str | None = None


@dataclass(frozen=True)
class PeriodRow:
    """Retention of one period: S, N, E and lost are customers; the rate and its 95 % interval are percent.

    `period` is the label of `pipeline.retention.definition.periods`. The rate is shown as final only when `complete`.
    """

    period: str
    S: int
    N: int
    E: int
    lost: int
    rate: float | None
    low: float | None
    high: float | None
    complete: bool


@dataclass(frozen=True)
class Forecast:
    """Rate expected of a coming period, with its 95 % interval, all in percent."""

    period: str
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Contender:
    """Figures of the model or of a simple rule on the rows of the test snapshot; None is not known."""

    name: str
    auc: float | None
    log_loss: float | None
    lift: float | None
    ece: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """A group of customers: mean probability stated and share that left, both 0..1."""

    predicted: float
    observed: float


@dataclass(frozen=True)
class ModelFacts:
    """The model that scored. `contenders`: itself first, then the recency rule and the base rate."""

    version: str
    trained_as_of: dt.date
    test_snapshot: dt.date
    test_customers: int
    contenders: tuple[Contender, ...]
    calibration: tuple[CalibrationBin, ...] = ()


@dataclass(frozen=True)
class Count:
    """Customers for whom `name` holds: a rule that kept them off the list, or a driver as first reason."""

    name: str
    customers: int


@dataclass(frozen=True)
class SourceRow:
    """How fresh a source is. `newest` is None for an empty one; `stale` is None when nobody judged.

    `known` is the percent of its customers that the other sources have too; None when nobody compared.
    """

    role: str
    rows: int
    newest: dt.date | None
    stale: bool | None = None
    known: float | None = None


@dataclass(frozen=True)
class ReportView:
    """Everything that the report shows, as plain values.

    Parameters
    ----------
    company
        Name of the config.
    as_of
        That midnight UTC is now.
    horizon_days, gap_days
        The label window is `[as_of + gap, as_of + gap + horizon)`.
    customers, expected_to_leave
        How many were scored, and the sum of their probabilities.
    model
        What scored them.
    outreach
        Best first; the page shows the first `LIST_ROWS`.
    suppressed
        Customers kept off the list, by rule.
    retention
        Oldest period first; one that is running may be the last.
    forecast
        Of the next period.
    drivers
        By first reason, over all who were explained.
    sources, warnings
        Freshness by role; lines that a person should read.
    files
        Names of the files published beside the report.
    tracking_url
        Linked when it is http(s), else shown.
    active_days
        Without a purchase for so many days the rate counts a customer as lost; None where contracts end.
    pictures
        Drawings of the retention, elements of an HTML page.
    value_days
        Spend in so many days is a customer's value; None when the value is something else.
    language
        Of the page; see `templates/report.*.yaml`.
    """

    company: str
    as_of: dt.date
    horizon_days: int
    customers: int
    expected_to_leave: float
    model: ModelFacts
    outreach: tuple[ListRow, ...] = ()
    suppressed: tuple[Count, ...] = ()
    retention: tuple[PeriodRow, ...] = ()
    forecast: Forecast | None = None
    drivers: tuple[Count, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tracking_url: str | None = None
    gap_days: int = 0
    active_days: int | None = None
    pictures: tuple[str, ...] = ()
    value_days: int | None = None
    language: str = "en"


def render_report(view: ReportView) -> str:
    """The page as HTML text; whatever comes from the data is escaped.

    Parameters
    ----------
    view
        What to show.

    Raises
    ------
    ConfigError
        For a language without text.

    Examples
    --------
    >>> day = dt.date(2025, 11, 21)
    >>> model = ModelFacts("3", day, dt.date(2025, 9, 22), 900, ())
    >>> page = render_report(ReportView("demo", day, 60, 1000, 120.4, model))
    >>> page.splitlines()[1]
    '<html lang="en" dir="ltr">'
    """
    language = Language(view.language)
    environment = Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["path"] = quote
    template = environment.get_template("report.html.j2")
    return template.render(
        v=view,
        l=language,
        t=language.text,
        period=lambda label: " ".join(language.period(label)).strip(),
        shown=view.outreach[:LIST_ROWS],
        banner=view.warnings[:BANNER_LINES],
        amounts=_amounts(view),
        with_action=any(row.action for row in view.outreach),
        with_contact=any(source.role == "contacts" for source in view.sources)
        or any(row.last_contact for row in view.outreach),
        window=_window(view),
        linked=view.tracking_url is not None and urlsplit(view.tracking_url).scheme in ("http", "https"),
        **_headline(view),
        **_charts(view, language),
    )


def _window(view: ReportView) -> tuple[dt.date, dt.date]:
    """First and last day on which those who are about to leave would do so."""
    first = view.as_of + dt.timedelta(days=view.gap_days)
    return first, first + dt.timedelta(days=view.horizon_days - 1)


def _amounts(view: ReportView) -> dict[str, Any]:
    """Sums over the whole list, None where nothing is known, and how many digits amounts need."""
    by_name = {
        "value": _known([row.value for row in view.outreach]),
        "gain": _known([row.expected_gain for row in view.outreach]),
    }
    largest = max((abs(x) for known in by_name.values() for x in known), default=0.0)
    sums = {name: sum(known) if known else None for name, known in by_name.items()}
    return {**sums, "digits": 2 if 0 < largest < 100 else 0}


def _headline(view: ReportView) -> dict[str, Any]:
    """The newest complete period, and by how many points its rate differs from the period before."""
    final = [row for row in view.retention if row.complete]
    rates = _known([row.rate for row in final[-2:]])
    return {
        "newest": final[-1] if final else None,
        "before": final[-2] if len(final) > 1 else None,
        "change": rates[1] - rates[0] if len(rates) == 2 else None,
    }


def _known(values: Iterable[float | None]) -> list[float]:
    return [x for x in values if x is not None and math.isfinite(x)]


def _charts(view: ReportView, language: Language) -> dict[str, str | None]:
    """The trend in two widths, of which the style sheet shows one, and the calibration; None without data."""

    def number(value: float | None) -> float:
        return math.nan if value is None else value

    def percent(value: float) -> str:
        return language.percent(value, 0 if abs(value - round(value)) < 1e-9 else 1)

    marks = [
        Mark(*language.period(r.period), number(r.rate), number(r.low), number(r.high))
        for r in view.retention
        if r.complete
    ]
    charts: dict[str, str | None] = {"trend_wide": None, "trend_narrow": None, "calibration": None}
    if marks:
        if f := view.forecast:
            marks.append(Mark(*language.period(f.period), f.rate, f.low, f.high, forecast=True))
        label = language.text("trend_alt", n=sum(not m.forecast for m in marks))
        for name, width, height in (("trend_wide", 560, 264), ("trend_narrow", 330, 230)):
            charts[name] = trend_chart(marks, percent, label, width, height)
    if bins := view.model.calibration:
        charts["calibration"] = calibration_chart(
            [b.predicted for b in bins],
            [b.observed for b in bins],
            percent,
            (language.text("stated"), language.text("left")),
            language.text("calibration_alt"),
        )
    return charts
