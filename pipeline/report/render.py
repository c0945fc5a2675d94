"""What a night found, as one page that opens anywhere: no network, and the same bytes for the same input."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import math
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.languages.names import name
from pipeline.report.charts import ChartMark, calibration_chart, trend_chart
from pipeline.report.past import outcomes_chart
from pipeline.report.view import ReportView
from pipeline.report.worklist import choices_of, goal_in_words, group_name, spark, worklist_columns
from pipeline.sources.contacted import OUTCOMES

LIST_ROWS = 1_000
BANNER_LINES = 3
_PAST = (N_("Chance stated"), N_("Share that left"), N_("Lift, top tenth"))


def render_report(view: ReportView) -> str:
    """The page as HTML text; whatever comes from the data is escaped.

    Parameters
    ----------
    view
        What to show.

    Raises
    ------
    ConfigError
        For a language without a catalogue.

    Examples
    --------
    >>> from pipeline.report.view import ModelFacts
    >>> day = dt.date(2025, 11, 21)
    >>> model = ModelFacts("3", day, dt.date(2025, 9, 22), 900, ())
    >>> page = render_report(ReportView("demo", day, 60, 1000, 120.4, model))
    >>> page.splitlines()[1]
    '<html lang="en" dir="ltr">'
    """
    language = Language(view.language, view.currency)
    environment, script = _templates()
    shown, amounts = view.outreach[:LIST_ROWS], _amounts(view)
    template = environment.get_template("report.html.j2")
    return template.render(
        v=view,
        l=language,
        t=language.text,
        nt=language.several,
        w=language.word,
        name=lambda group, key: name(language, group, key),
        wanted=goal_in_words,
        group_name=group_name,
        period=lambda label: " ".join(language.period(label)).strip(),
        shown=shown,
        columns=worklist_columns(
            shown,
            language,
            valued=amounts["value"] is not None,
            gains=amounts["gain"] is not None,
        ),
        choices=choices_of(shown),
        outcomes=OUTCOMES,
        # The policy of the page lets this script run and no other.
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        most_found=max((n for night in view.nights for _, n in night.found), default=0) or 1,
        banner=view.warnings[:BANNER_LINES],
        amounts=amounts,
        with_contact=any(source.role == "contacts" for source in view.sources)
        or any(row.last_contact for row in view.outreach),
        window=_window(view),
        linked=view.tracking_url is not None and urlsplit(view.tracking_url).scheme in ("http", "https"),
        **_headline(view),
        **_charts(view, language),
    )


@cache
def _templates() -> tuple[Environment, str]:
    """The templates and the script of the page; a night compiles them once for all of its pages."""
    loader = PackageLoader("pipeline.report", "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"path": quote, "spark": spark, "dict": dict}
    script = "".join(loader.get_source(environment, name)[0] for name in ("worklist.js", "marks.js"))
    return environment, script


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
        ChartMark(
            *language.period(r.period),
            number(r.rate),
            number(r.low),
            number(r.high),
            doubtful=r.period in view.overview.doubtful,
        )
        for r in view.retention
        if r.complete
    ]
    charts: dict[str, str | None] = {
        "trend_wide": None,
        "trend_narrow": None,
        "calibration": None,
        "past_chart": None,
    }
    if marks:
        if f := view.forecast:
            marks.append(ChartMark(*language.period(f.period), f.rate, f.low, f.high, forecast=True))
        label = language.several(
            "Line chart of the retention rate of {n} period; the figures are in the table below.",
            "Line chart of the retention rate over {n} periods; the figures are in the table below.",
            sum(not m.forecast for m in marks),
        )
        for key, width, height in (("trend_wide", 560, 264), ("trend_narrow", 330, 230)):
            charts[key] = trend_chart(marks, percent, label, width, height)
    if bins := view.model.calibration:
        charts["calibration"] = calibration_chart(
            [b.predicted for b in bins],
            [b.observed for b in bins],
            percent,
            (language.text("Chance stated"), language.text("Share that left")),
            language.text(
                "Scatter chart of the share of customers that left against the chance stated, by group."
            ),
        )
    if past := view.past:
        charts["past_chart"] = outcomes_chart(
            [language.period(str(night.day))[0] for night in past],
            ([night.predicted for night in past], [night.observed for night in past]),
            [number(night.lift) for night in past],
            (percent, lambda value: language.number(value, 1)),
            tuple(language.text(name) for name in _PAST),
            language.text(
                "Line charts by night: the chance stated, the share that left, and the lift of the top tenth; "
                "the figures are in the table beside them."
            ),
        )
    return charts
