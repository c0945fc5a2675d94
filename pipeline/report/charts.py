"""Charts of the report as inline SVG: no font, colour or script of their own, and no bytes that change by the day."""

from __future__ import annotations

import html
import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

# Colours that stand for variables of the style sheet, so that one drawing serves light, dark and print.
INK, MUTED, LINE, ACCENT, SURFACE = "#010101", "#020202", "#030303", "#040404", "#050505"
VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", ACCENT: "accent", SURFACE: "surface"}
LABEL_WIDTH = 40
Printed = Callable[[float], str]


@dataclass(frozen=True)
class ChartMark:
    """A value with its interval, at one place of the time axis.

    Parameters
    ----------
    name, year
        The two lines below the axis; the second is written where it changes.
    value, low, high
        In percent; NaN leaves a gap.
    forecast
        Drawn hollow and dashed, apart from what has been measured.
    doubtful
        Drawn grey and hollow: the records do not reach back far enough for it.
    """

    name: str
    year: str
    value: float
    low: float
    high: float
    forecast: bool = False
    doubtful: bool = False


def trend_chart(marks: Sequence[ChartMark], percent: Printed, label: str, width: int, height: int) -> str:
    """Rate by period with its interval; the newest measured point carries its value.

    Parameters
    ----------
    marks
        Oldest first; those with `forecast` last.
    percent
        Writes a value of 0..100 in the reader's language.
    label
        What a screen reader says instead of the picture.
    width, height
        In pixels; text is 12 pixels high in a chart shown at this width.

    Examples
    --------
    >>> marks = [ChartMark("Aug", "2025", 93, 91, 95), ChartMark("Sep", "2025", 94, 92, 96)]
    >>> trend_chart(marks, lambda x: f"{x:.0f} %", "Rate", 540, 230)[:31]
    '<svg class="chart" role="img" a'
    """
    past = [(i, m) for i, m in enumerate(marks) if not m.forecast]
    with drawing(f"trend-{width}"):
        figure = Figure(figsize=(width / 72, height / 72))
        axes = figure.add_axes((46 / width, 40 / height, 1 - 62 / width, 1 - 54 / height))
        at = [i for i, _ in past]
        values = [m.value for _, m in past]
        axes.fill_between(
            at, [m.low for _, m in past], [m.high for _, m in past], color=ACCENT, alpha=0.16, lw=0
        )
        axes.plot(at, values, color=ACCENT, lw=2, marker="o", ms=4.5)
        known = [(i, m) for i, m in past if math.isfinite(m.value)]
        doubts = [(i, m.value) for i, m in known if m.doubtful]
        if doubts:
            at, values = (list(each) for each in zip(*doubts, strict=True))
            axes.plot(at, values, color=MUTED, lw=0, marker="o", ms=6, mfc=SURFACE, mew=1.6)
        for i, mark in enumerate(marks):
            if mark.forecast:
                _draw_forecast(axes, i, mark, known[-1] if known else None)
        if known:
            _name_newest(
                axes, *known[-1], percent, falls=len(known) > 1 and known[-2][1].value > known[-1][1].value
            )
        _scale(axes, marks, percent)
        axes.set_xlim(-0.4, len(marks) - 0.6)
        axes.set_xticks(*_ticks(marks, max(1, (width - 62) // LABEL_WIDTH)))
        return svg_of(figure, label)


def calibration_chart(
    predicted: Sequence[float],
    observed: Sequence[float],
    percent: Printed,
    names: tuple[str, str],
    label: str,
) -> str:
    """Share that left against the probability stated, by group of customers, with the line of perfect agreement.

    Parameters
    ----------
    predicted, observed
        Of each group, 0..1.
    percent
        Writes a value of 0..100.
    names
        Titles of the horizontal and of the vertical axis.
    label
        What a screen reader says instead of the picture.

    Examples
    --------
    >>> chart = calibration_chart([0.1, 0.6], [0.12, 0.55], lambda x: f"{x:.0f} %", ("Stated", "Left"), "Calibration")
    >>> "Stated" in chart
    True
    """
    places = round_places(0.0, 100 * max([*predicted, *observed, 0.05]))
    top = places[-1]
    with drawing("calibration"):
        figure = Figure(figsize=(330 / 72, 300 / 72))
        axes = figure.add_axes((58 / 330, 48 / 300, 260 / 330, 240 / 300))
        axes.plot([0, top], [0, top], color=MUTED, lw=1.2, ls=(0, (4, 3)))
        at, seen = [100 * p for p in predicted], [100 * p for p in observed]
        axes.plot(at, seen, color=ACCENT, lw=0, marker="o", ms=6.5, mec=SURFACE, mew=1, clip_on=False)
        axes.grid(axis="both", color=LINE, lw=0.8)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(places, [percent(p) for p in places])
        axes.set(xlim=(0, top), ylim=(0, top))
        axes.set_xlabel(names[0], color=MUTED)
        axes.set_ylabel(names[1], color=MUTED)
        return svg_of(figure, label)


@contextmanager
def drawing(salt: str) -> Iterator[None]:
    """Draw with matplotlib's own defaults and ours: a matplotlibrc of the machine must not change the report.

    Parameters
    ----------
    salt
        Tells the ids of this drawing from those of others on the same page.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.hashsalt": f"churn-{salt}",
                "svg.fonttype": "none",
                "text.parse_math": False,
                "font.size": 12,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.spines.left": False,
                "axes.edgecolor": MUTED,
                "axes.axisbelow": True,
                "xtick.color": MUTED,
                "ytick.color": MUTED,
                "xtick.major.size": 3,
                "ytick.major.size": 0,
            }
        )
        yield


def _draw_forecast(axes: mpl.axes.Axes, at: int, mark: ChartMark, last: tuple[int, ChartMark] | None) -> None:
    if last:
        axes.plot([last[0], at], [last[1].value, mark.value], color=MUTED, lw=1.5, ls=(0, (3, 3)))
    axes.plot([at, at], [mark.low, mark.high], color=MUTED, lw=1.5)
    axes.plot([at], [mark.value], color=INK, lw=0, marker="D", ms=6.5, mfc=SURFACE, mew=1.6)


def _name_newest(axes: mpl.axes.Axes, at: int, mark: ChartMark, percent: Printed, falls: bool) -> None:
    # The line comes from the left: the text stands on its other side.
    axes.plot([at], [mark.value], color=ACCENT, marker="o", ms=8, mec=SURFACE, mew=1.5)
    axes.annotate(
        percent(mark.value),
        (at, mark.value),
        xytext=(5, -10 if falls else 10),
        textcoords="offset points",
        color=INK,
        weight="bold",
        ha="right",
        va="top" if falls else "bottom",
    )


def _scale(axes: mpl.axes.Axes, marks: Sequence[ChartMark], percent: Printed) -> None:
    """Room around what there is, within 0..100; a rate that hardly moves is not blown up to fill the height."""
    known = [v for m in marks for v in (m.value, m.low, m.high) if math.isfinite(v)] or [0.0, 100.0]
    low, high = min(known), max(known)
    room = max(0.12 * (high - low), (4 - (high - low)) / 2, 0.5)
    low, high = max(0.0, low - room), min(100.0, high + room)
    places = round_places(low, high)
    low, high = places[0], places[-1]
    axes.set_ylim(low, high + 0.04 * (high - low))
    axes.set_yticks(places, [percent(p) for p in places])
    axes.grid(axis="y", color=LINE, lw=0.8)


def round_places(low: float, high: float) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, at most eight."""
    step = next(s for s in (1, 2, 5, 10, 20, 25) if (high - low) / s <= 5.5)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(step * i) for i in range(first, last + 1)]


def _ticks(marks: Sequence[ChartMark], room: int) -> tuple[list[int], list[str]]:
    """Places and names of at most `room` ticks, the newest always among them."""
    every = math.ceil(len(marks) / room)
    places = [i for i in range(len(marks)) if (len(marks) - 1 - i) % every == 0]
    names = []
    year = ""
    for i in places:
        names.append(f"{marks[i].name}\n{marks[i].year}" if marks[i].year != year else marks[i].name)
        year = marks[i].year
    return places, names


def svg_of(figure: Figure, label: str) -> str:
    """The drawing as an element of an HTML page: its colours are the page's, its ids cannot collide."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with warnings.catch_warnings():
        # Texts stay texts, and are drawn by the reader's fonts: that ours lack a letter means nothing.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    box = re.search(r'viewBox="[^"]*"', text)
    body = text[text.index("</defs>") + len("</defs>") :]
    body = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", body)
    body = re.sub(r"#0[1-5]0\d0\d\b", lambda m: f"var(--{VARIABLES[m.group()]})", body)
    body = re.sub(r"\s*\n\s*", " ", body).replace("xlink:href", "href").replace("> <", "><")
    head = f'<svg class="chart" role="img" aria-label="{html.escape(label)}" {box.group() if box else ""}>'
    return head + body.strip()
