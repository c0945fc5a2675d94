"""Did it come as was said: calibration and the top tenth, at the edges of what they bear."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.monitoring import outcome
from pipeline.monitoring.outcome import ERRORS, FLOOR_RATE, KEPT_LIFT
from pipeline.outcomes import ledger

NIGHT = dt.date(2024, 5, 1)


def calibration(stated, came, count=2_000):
    y = np.zeros(count)
    y[: round(came * count)] = 1
    return outcome._calibration(np.full(count, stated), y, NIGHT)


@pytest.mark.parametrize(
    ("stated", "came", "outside"),
    [(0.2, 0.2, False), (0.2, 0.249, False), (0.2, 0.251, True), (0.2, 0.149, True), (0.0, 0.04, False)],
)
def test_a_rate_may_move_by_a_floor(stated, came, outside):
    assert calibration(stated, came).outside is outside
    assert FLOOR_RATE == 0.05


def test_of_few_customers_chance_moves_more():
    chance = ERRORS * np.sqrt(0.25 / 200)
    assert not calibration(0.5, 0.5 + chance - 0.005, 200).outside
    assert calibration(0.5, 0.5 + chance + 0.005, 200).outside
    assert calibration(0.02, 0.02, 200).low == 0


def top(share_of_leavers_in_top, promised, leavers=1_000):
    """Ten thousand customers by falling score; so many of those who left stand in the first tenth."""
    y = np.zeros(10_000)
    inside = round(share_of_leavers_in_top * leavers)
    y[:inside] = 1
    y[1_000 : 1_000 + leavers - inside] = 1
    (check,) = outcome._top(np.linspace(1, 0, 10_000), y, NIGHT, promised)
    return check


def test_scores_are_to_keep_a_part_of_what_was_promised_beyond_chance():
    least = 1 + KEPT_LIFT * 2 - 2 / 10
    assert not top((least + 0.02) / 10, 3.0).outside
    assert top((least - 0.02) / 10, 3.0).outside
    assert top(0.1, 3.0).found == pytest.approx(1)


def test_where_little_was_promised_less_than_that_is_not_asked_for():
    assert not top(0.1, 1.0).outside
    assert top(0.09, 1.0).outside


@pytest.mark.parametrize(("promised", "leavers"), [(None, 1_000), (3.0, 199)])
def test_too_few_are_not_judged(promised, leavers):
    assert top(0.1, promised, leavers).verdict == "not judged"


def test_customers_whom_the_list_touched_are_left_out(tmp_path):
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "churn_probability": [0.1, 0.2, np.nan],
            "chosen": [False, True, False],
        }
    )
    for field in ledger.SCHEMA:
        if field.name not in rows and field.name != "as_of":
            rows[field.name] = pd.Series([None] * len(rows), dtype=pd.ArrowDtype(field.type))
    ledger.append(tmp_path, NIGHT, rows)
    assert outcome._untouched(tmp_path, NIGHT).customer_id.tolist() == ["a"]
