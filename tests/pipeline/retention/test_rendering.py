"""Figures as text."""

import pandas as pd

from pipeline.retention.rendering import notes_of, show_table


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
