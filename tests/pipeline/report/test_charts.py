"""The charts of the report: round numbers at the axes, the newest tick always named, and the colours of the page."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report import charts
from pipeline.report.charts import ChartMark, calibration_chart, round_places, trend_chart


def percent(value):
    return f"{value:.0f} %"


def marks(*values, **last):
    """Months of 2025 and 2026 with an interval of four points."""
    found = [
        ChartMark(f"M{i}", "2025" if i < 12 else "2026", value, value - 2, value + 2)
        for i, value in enumerate(values)
    ]
    return [*found[:-1], ChartMark(**{**vars(found[-1]), **last})]


def trend(*values, width=540, **last):
    return trend_chart(marks(*values, **last), percent, 'Rate of "A & B"', width, 230)


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [
        (0.0, 5.5, [0, 1, 2, 3, 4, 5, 6]),
        (0.0, 5.6, [0, 2, 4, 6]),
        (88.5, 97.5, [88, 90, 92, 94, 96, 98]),
        (0.0, 100.0, [0, 20, 40, 60, 80, 100]),
        (3.0, 3.0, [3]),
        (3.2, 3.4, [3, 4]),
    ],
)
def test_round_numbers_around_what_there_is(low, high, places):
    assert round_places(low, high) == places


@given(st.floats(0, 100), st.floats(0, 100))
def test_there_are_seven_places_at_most_and_nothing_lies_outside(one, other):
    low, high = sorted((one, other))
    places = round_places(low, high)
    assert 1 <= len(places) <= 8
    assert places[0] <= low
    assert places[-1] >= high
    assert all(place == round(place) for place in places)


@pytest.mark.parametrize(
    ("room", "named"),
    [
        (20, [f"M{i}" for i in range(14)]),
        (7, ["M1", "M3", "M5", "M7", "M9", "M11", "M13"]),
        (3, ["M3", "M8", "M13"]),
        (1, ["M13"]),
    ],
)
def test_the_newest_tick_is_named_and_the_year_where_it_changes(room, named):
    places, names = charts._ticks(marks(*range(14)), room)
    assert [name.split("\n")[0] for name in names] == named
    assert places[-1] == 13
    years = [name.split("\n")[1] for name in names if "\n" in name]
    assert years == (["2025", "2026"] if places[0] < 12 else ["2026"])


def test_the_newest_value_is_written_above_a_rise_and_below_a_fall():
    def height(chart):
        """Pixels from the top of the drawing at which the newest value stands."""
        found = re.search(
            r'<text[^>]*?y="([\d.]+)"[^>]*>80 %</text>|translate\([\d.]+ ([\d.]+)\)[^>]*>80 %<', chart
        )
        return float(found[1] or found[2])

    assert height(trend(78.0, 80.0)) < height(trend(82.0, 80.0))


def test_a_drawing_has_the_page_s_colours_its_label_and_the_same_bytes_every_time():
    chart = trend(90.0, 92.0, 91.0)
    assert chart == trend(90.0, 92.0, 91.0)
    assert chart.startswith(
        '<svg class="chart" role="img" aria-label="Rate of &quot;A &amp; B&quot;" viewBox='
    )
    assert chart.endswith("</svg>")
    assert not re.search(r"#[0-9a-f]{6}\b|font-family|<script|<style", chart)
    assert {name for name in charts.VARIABLES.values() if f"var(--{name})" in chart} >= {
        "accent",
        "line",
        "muted",
    }


def test_two_drawings_of_a_page_share_no_id():
    one, two = (set(re.findall(r'id="([^"]+)"', trend(90.0, 91.0, width=width))) for width in (540, 330))
    assert one
    assert not one & two


def test_a_forecast_and_a_doubt_are_drawn_apart_from_what_was_measured():
    plain = trend(90.0, 92.0, 91.0)
    assert trend(90.0, 92.0, 91.0, forecast=True) != plain
    assert "stroke-dasharray: 4.5,4.5" in trend(90.0, 92.0, 91.0, forecast=True)
    assert "stroke-dasharray" not in plain
    assert "91 %" in plain  # the newest measured value
    assert trend(90.0, 92.0, 91.0, doubtful=True) != plain


def test_periods_without_a_rate_leave_a_gap_and_none_at_all_an_empty_scale():
    assert "nan" not in trend(90.0, math.nan, 91.0)
    empty = trend(math.nan, math.nan)
    assert "100 %" in empty
    assert "0 %" in empty


def test_a_calibration_reaches_from_nothing_to_beyond_the_largest_share():
    chart = calibration_chart([0.02, 0.18], [0.03, 0.31], percent, ("Stated", "Left"), "Calibration")
    assert all(f">{text}<" in chart for text in ("Stated", "Left", "0 %", "40 %"))
    assert "50 %" not in chart
    small = calibration_chart([0.001], [0.002], percent, ("Stated", "Left"), "Calibration")
    assert ">5 %<" in small
