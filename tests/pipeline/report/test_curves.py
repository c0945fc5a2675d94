"""Curves of who stays, read from the axes that are drawn: cohorts by age, and survival by day."""

import re

import pandas as pd
import pytest

from pipeline.languages.language import Language
from pipeline.report import curves

ENGLISH = Language("en")


@pytest.fixture
def axes(monkeypatch):
    """The axes of the sheets that were drawn."""
    sheets, begin = [], curves._sheet

    def keep(*texts):
        figure, found = begin(*texts)
        sheets.append(found)
        return figure, found

    monkeypatch.setattr(curves, "_sheet", keep)
    return sheets


def survival(names, days=(0, 10, 40)):
    shares = [1.0, 0.8, 0.5][: len(days)]
    return pd.concat(
        pd.DataFrame({"segment": n, "days": days, "survival": shares, "low": shares, "high": shares})
        for n in names
    )


def test_survival_is_a_step_in_percent_from_the_first_day_to_the_last(axes):
    text = curves.survival_chart(survival(["(all)"]), "Who stays", "note", "still customers", ENGLISH)
    (line,) = axes[0].lines
    assert line.get_xydata().tolist() == [[0, 100], [10, 80], [40, 50]]
    assert line.get_drawstyle() == "steps-post"
    assert axes[0].get_xlim() == (0, 40)
    assert axes[0].get_legend() is None  # one curve needs no name
    assert 'role="img"' in text
    assert "Who stays" in text


def test_of_many_segments_the_six_with_the_most_steps_each_dashed_in_its_own_way(axes):
    short = survival(["rare", "scarce"], days=(0, 10))
    frame = pd.concat([short, survival([f"s{i}" for i in range(6)])])
    curves.survival_chart(frame, "t", "", "kept", ENGLISH)
    assert [line.get_label() for line in axes[0].lines] == [f"s{i}" for i in range(6)]
    assert axes[0].get_legend() is not None
    assert len({str(line._dash_pattern) for line in axes[0].lines}) == 6


def cohorts():
    return pd.DataFrame(
        {
            "cohort": ["2026-01"] * 3 + ["2026-02"] * 2,
            "size": [10] * 3 + [30] * 2,
            "age": [0, 1, 2, 0, 1],
            "customers": [10, 6, 3, 30, 24],
            "rate": [100, 60, 30, 100, 80],
        }
    )


def test_a_line_a_cohort_the_newest_strongest_and_all_together_by_size(axes):
    curves.cohort_chart(cohorts(), "t", "", "month", ENGLISH)
    old, new, whole = axes[0].lines
    assert old.get_ydata().tolist() == [100, 60, 30]
    assert new.get_alpha() > old.get_alpha()
    assert whole.get_xydata().tolist() == [[0, 100], [1, 75], [2, 30]]
    assert axes[0].get_xlim() == (0, 3)
    assert axes[0].get_xlabel() == "months since the start"
    assert [note.get_text() for note in axes[0].texts] == ["Jan 2026", "Feb 2026"]


def test_the_axis_speaks_the_language(axes):
    curves.cohort_chart(cohorts(), "t", "", "month", Language("fa"))
    assert axes[0].get_xlabel() != "months since the start"
    assert [label.get_text() for label in axes[0].get_yticklabels()][-1] == "۱۰۰٪"


def test_a_picture_that_stands_alone_says_what_it_is_and_brings_its_colours():
    alone = curves.standalone(curves.survival_chart(survival(["(all)"]), "t", "", "kept", ENGLISH))
    assert re.match(r'<svg class="chart"[^>]*xmlns="http://www.w3.org/2000/svg"', alone)
    used = set(re.findall(r"var\(--(\w+)\)", alone))
    assert used <= set(re.findall(r"--(\w+):", curves.STYLE))
