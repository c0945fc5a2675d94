"""Curves of who stays: cohorts by age, and survival by day, in the style of the report's charts."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.report.charts import ACCENT, INK, LINE, MUTED, drawing, svg_of

WIDTH, HEIGHT = 660, 340
DASHES = ((0, ()), (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)), (0, (9, 3)), (0, (3, 1, 1, 1, 1, 1)))
SHADES = (ACCENT, INK, MUTED)
_MOST = 6
SINCE = {
    "week": N_("weeks since the start"),
    "month": N_("months since the start"),
    "quarter": N_("quarters since the start"),
    "year": N_("years since the start"),
}
# The colours of templates/report.css, for a picture that stands alone.
STYLE = (
    "<style>svg{--ink:#17202b;--muted:#55606e;--line:#dce1e7;--accent:#175a88;--surface:#ffffff;"
    "background:var(--surface);font-family:system-ui,sans-serif}@media(prefers-color-scheme:dark){svg{--ink:#e7ecf2;"
    "--muted:#a6b1be;--line:#323c48;--accent:#7cbbea;--surface:#181f27}}</style>"
)


def survival_chart(curves: pd.DataFrame, title: str, note: str, kept: str, language: Language) -> str:
    """Kaplan-Meier curves with their 95 % interval, at most six segments.

    Parameters
    ----------
    curves
        Of `models.statistics.survival.survival_table`.
    title, note
        The lines above the picture; a screen reader says the first.
    kept
        Title of the vertical axis, such as `still customers`.

    Examples
    --------
    >>> curves = pd.DataFrame({"segment": "(all)", "days": [0, 10], "survival": [1.0, 0.5], "low": [1.0, 0.2],
    ...     "high": [1.0, 0.8]})
    >>> survival_chart(curves, "Survival", "", "still customers", Language("en"))[:24]
    '<svg class="chart" role='
    """
    with drawing("survival"):
        figure, axes = _sheet(title, note)
        names = curves.groupby("segment")["days"].size().sort_values(ascending=False).index[:_MOST]
        for i, (name, rows) in enumerate(curves[curves["segment"].isin(names)].groupby("segment", sort=True)):
            days, color = rows["days"].to_numpy(), SHADES[i % len(SHADES)]
            low, high = (100 * rows[c].to_numpy(float) for c in ("low", "high"))
            axes.fill_between(days, low, high, step="post", color=color, alpha=0.14, lw=0)
            axes.step(
                days, 100 * rows["survival"], where="post", color=color, lw=1.8, ls=DASHES[i], label=str(name)
            )
        _finish(axes, language.text("days since the start"), kept, language, legend=len(names) > 1)
        axes.set_xlim(0, max(1, curves["days"].max()))
        return svg_of(figure, title)


def cohort_chart(table: pd.DataFrame, title: str, note: str, unit: str, language: Language) -> str:
    """Who is left of each cohort by age: a line a cohort, the newest strongest, and all together.

    Parameters
    ----------
    table
        Of `pipeline.retention.tables.cohorts.cohort_table`, without segment.
    title, note
        The lines above the picture.
    unit
        Of an age: week, month, quarter or year.

    Examples
    --------
    >>> table = pd.DataFrame({"cohort": "2026-01", "size": 10, "age": [0, 1], "customers": [9, 6], "rate": [90, 60]})
    >>> "months since the start" in cohort_chart(table, "Cohorts", "", "month", Language("en"))
    True
    """
    with drawing("cohorts"):
        figure, axes = _sheet(title, note)
        cohorts = [rows for _, rows in table.groupby("cohort", sort=True)]
        named = {0, max((i for i, rows in enumerate(cohorts) if len(rows) > 1), default=0)}
        for i, rows in enumerate(cohorts):
            strength = 0.25 + 0.55 * (i + 1) / len(cohorts)
            axes.plot(rows["age"], rows["rate"], color=ACCENT, alpha=strength, lw=1.2, marker="o", ms=2.5)
            if i in named:
                _name_end(axes, rows, language, above=i > 0)
        sums = table.groupby("age")[["customers", "size"]].sum()
        axes.plot(
            sums.index,
            100 * sums["customers"] / sums["size"],
            color=INK,
            lw=2.2,
            label=language.text("all cohorts"),
        )
        _finish(axes, language.word(SINCE[unit]), language.text("customers left"), language, legend=True)
        axes.set_xlim(0, table["age"].max() + 1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return svg_of(figure, title)


def standalone(svg: str) -> str:
    """An inline drawing as a file of its own."""
    head, _, body = svg.partition(">")
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{head} {names}>{STYLE}{body}\n"


def _sheet(title: str, note: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    axes = figure.add_axes((76 / WIDTH, 48 / HEIGHT, 1 - 100 / WIDTH, 1 - 108 / HEIGHT))
    figure.text(20 / WIDTH, 1 - 24 / HEIGHT, title, color=INK, fontsize=13)
    figure.text(20 / WIDTH, 1 - 42 / HEIGHT, note, color=MUTED, fontsize=10)
    return figure, axes


def _name_end(axes: Axes, rows: pd.DataFrame, language: Language, *, above: bool) -> None:
    axes.annotate(
        " ".join(language.period(str(rows["cohort"].iloc[0]))).strip(),
        (rows["age"].iloc[-1], rows["rate"].iloc[-1]),
        xytext=(0, 9 if above else -9),
        textcoords="offset points",
        color=MUTED,
        fontsize=9,
        ha="center",
        va="bottom" if above else "top",
    )


def _finish(axes: Axes, across: str, up: str, language: Language, *, legend: bool) -> None:
    axes.set_ylim(0, 102)
    axes.set_yticks(range(0, 101, 20), [language.percent(y, 0) for y in range(0, 101, 20)])
    axes.xaxis.set_major_formatter(lambda x, _: language.number(x))
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.set_xlabel(across, color=MUTED)
    axes.set_ylabel(up, color=MUTED)
    if legend:
        axes.legend(
            frameon=False,
            labelcolor=INK,
            fontsize=10,
            loc="lower right",
            bbox_to_anchor=(1.03, 1.0),
            ncols=_MOST,
        )
