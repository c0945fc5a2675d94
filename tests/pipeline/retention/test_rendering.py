"""Figures as text."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.languages.language import Language
from pipeline.languages.said import spoken
from pipeline.retention.rendering import notes_of, percent, show_table, within_a_line


def test_what_is_not_final_is_marked():
    frame = pd.DataFrame(
        {
            "period": ["2024-01", "2024-02", "2024-03"],
            "S": [1200, 1300, 1400],
            "rate": [91.26, 90.0, None],
            "complete": [True, True, False],
            "full_history": [False, True, True],
        }
    )
    assert show_table(frame, ["period", "S", "rate"]).splitlines() == [
        "period                 S    rate",
        "2024-01 *          1,200  91.3 %",
        "2024-02            1,300  90.0 %",
        "2024-03 (running)  1,400       -",
    ]
    notes = "\n".join(notes_of(frame))
    assert "not over" in notes
    assert "do not reach back" in notes


def test_each_kind_of_figure_has_its_digits():
    frame = pd.DataFrame(
        {
            "fact": ["plan"],
            "p_value": [0.00001],
            "change": [2.5],
            "slope": [1234.5678],
            "reached": [True],
            "last_at": [pd.Timestamp("2024-01-02 03:04")],
        }
    )
    assert show_table(frame, {name: name for name in frame}).splitlines()[1].split() == [
        "plan",
        "<0.0001",
        "+2.5",
        "1,234.57",
        "yes",
        "2024-01-02",
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("p_value", 0.0001, "0.0001"),
        ("p_value", 0.00009, "<0.0001"),
        ("rate", 0.0, "0.0 %"),
        ("change", -2.25, "-2.2"),
        ("S", 1234567.0, "1,234,567"),
        ("slope", 2.0, "2.00"),
        ("slope", np.nan, "-"),
        ("reason", None, "-"),
        ("controllable", False, "no"),
        ("since", dt.date(2024, 2, 29), "2024-02-29"),
        ("kind", "nps", "nps"),
    ],
)
def test_a_cell(name, value, shown):
    assert show_table(pd.DataFrame({name: [value]}, dtype=object), [name]).splitlines()[1].strip() == shown


def test_a_reader_s_language_has_its_own_digits_and_words():
    frame = pd.DataFrame({"period": ["2024-02"], "status": ["reached"], "S": [1234], "rate": [91.26]})
    lines = show_table(frame, ["period", "status", "S", "rate"], Language("mr")).splitlines()
    assert "२०२४" in lines[1]
    assert "१,२३४" in lines[1]
    assert "reached" not in lines[1]
    assert not set("0123456789") & set("".join(lines))


def test_only_marks_that_were_made_are_explained():
    frame = pd.DataFrame({"period": ["2024-01"], "complete": [True], "full_history": [True]})
    assert notes_of(frame) == []
    assert notes_of(frame[["period"]]) == []
    assert len(notes_of(frame.assign(complete=False))) == 1
    assert str(notes_of(frame.assign(full_history=False))[0]).startswith("* ")
    assert show_table(frame.assign(complete=False, full_history=False), ["period"]).endswith(
        "2024-01 (running) *"
    )


def test_a_line_says_a_figure_in_both_languages():
    found = within_a_line(percent, 12.34, Language("mr"))
    assert str(found) == "12.3 %"
    assert spoken(found, Language("mr")) == percent(12.34, Language("mr")) != str(found)
