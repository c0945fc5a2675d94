"""A night's page: the model's facts, the periods and the nights before as the plain values that it shows."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from models.tracking.registry import Champion
from pipeline.outcomes.learned import NightCheck
from pipeline.report.view import CalibrationBin, Contender, NightOutcome, PeriodRow
from pipeline.scoring import page

FACTS = {
    "as_of": "2026-06-01",
    "test_snapshot": "2026-04-01",
    "test_rows": 1234,
    "contenders": {
        "model": {"auc": 0.8, "log_loss": 0.3, "lift_top_tenth": 4.0, "ece": 0.01, "brier": 0.1},
        "base rate": {"auc": 0.5, "log_loss": 0.4},
        "challenger": {"auc": 0.9},
    },
    "calibration": [[0.1, 0.12], [0.5, 0.45]],
}


def test_the_model_stands_beside_the_simple_rules_that_were_tested():
    found = page._model(Champion(None, {}, FACTS, 7, "run", "digest"))
    assert (found.version, found.trained_as_of, found.test_customers) == ("7", dt.date(2026, 6, 1), 1234)
    assert found.contenders == (
        Contender("model", 0.8, 0.3, 4.0, 0.01),
        Contender("base rate", 0.5, 0.4, None, None),
    )
    assert found.calibration == (CalibrationBin(0.1, 0.12), CalibrationBin(0.5, 0.45))


def test_what_is_not_known_of_a_period_is_none():
    columns = ["period", "S", "N", "E", "lost", "rate", "rate_low", "rate_high", "complete"]
    rows = [
        ["2026-05", 100.0, 10.0, 95.0, 15.0, 85.0, 80.0, 89.0, True],
        ["2026-06", 95, 3, 90, 8, np.nan, np.nan, np.nan, False],
    ]
    assert page._periods(pd.DataFrame(rows, columns=columns)) == (
        PeriodRow("2026-05", 100, 10, 95, 15, 85.0, 80.0, 89.0, True),
        PeriodRow("2026-06", 95, 3, 90, 8, None, None, None, False),
    )


def test_past_nights_are_shown_oldest_first_as_shares_and_without_those_of_nobody():
    newest = NightCheck(dt.date(2026, 6, 1), 200, 5, 30.0, 20, 0.7, 0.3, 0.05, 3.0)
    nobody = NightCheck(dt.date(2026, 5, 1), 0, 0, 0.0, 0, np.nan, np.nan, np.nan, np.nan)
    oldest = NightCheck(dt.date(2026, 4, 1), 100, 5, 10.0, 0, np.nan, 0.3, 0.05, np.nan)
    assert page._past([newest, nobody, oldest]) == (
        NightOutcome(dt.date(2026, 4, 1), 100, 0.1, 0.0, None),
        NightOutcome(dt.date(2026, 6, 1), 200, 0.15, 0.1, 3.0),
    )


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-06-30 23:59:59", dt.date(2026, 6, 30)),
        ("2026-06-30", dt.date(2026, 6, 30)),
        ("", None),
        ("NaT", None),
    ],
)
def test_the_newest_row_of_a_source_has_a_day_where_there_is_a_row(moment, day):
    assert page._day(moment) == day


@pytest.mark.parametrize(("value", "text"), [(np.nan, ""), (None, ""), ("gold", "gold"), (3, "3"), (0, "0")])
def test_a_fact_as_text(value, text):
    assert page._text(value) == text
