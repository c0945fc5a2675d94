"""Measures of feedback by hand and against pandas."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.feedback import Survey, feedback_table

AS_OF = dt.date(2024, 3, 1)


def answers(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "score", "kind"])
    frame = frame.assign(occurred_at=pd.to_datetime(frame.occurred_at), score=frame.score.astype(float))
    plans = pd.DataFrame({"customer_id": ["a", "b"], "plan": ["basic", "plus"]})
    return {"feedback": ibis.memtable(frame), "customers": ibis.memtable(plans)}


def test_measures_by_hand():
    tables = answers(
        ("a", "2024-02-01", 10, "nps"),
        ("b", "2024-02-02", 9, "nps"),
        ("c", "2024-02-03", 8, "nps"),
        ("d", "2024-02-04", 6, "nps"),
        ("e", "2024-02-05", None, "nps"),
        ("a", "2024-02-01", 4, "csat"),
        ("b", "2024-02-01", 3, "csat"),
        ("a", "2024-02-01", 3, "pmf"),
        ("b", "2024-02-01", 1, "pmf"),
        ("c", "2024-02-01", 2, "pmf"),
        ("a", "2024-02-01", 2, "stars"),
        ("a", "2024-03-01", 1, "nps"),
    )
    table = feedback_table(tables, periods_until(AS_OF, "month", 1), AS_OF).set_index("kind")
    assert table.value.round(3).to_dict() == {"csat": 50.0, "nps": 25.0, "pmf": 33.333, "stars": 2.0}
    assert table.loc["nps", ["asked", "answered", "answer_rate"]].tolist() == [5, 4, 80.0]
    assert table.reached.isna().to_dict() == {"csat": True, "nps": True, "pmf": False, "stars": True}
    assert not table.reached["pmf"]
    assert (table.low <= table.value).all()
    assert (table.value <= table.high).all()


def test_interval_of_the_net_promoter_score_is_that_of_the_coded_answers():
    scores = [10, 10, 9, 8, 7, 6, 3, 0, 9]
    tables = answers(*[(f"c{k}", "2024-02-01", s, "nps") for k, s in enumerate(scores)])
    row = feedback_table(tables, periods_until(AS_OF, "month", 1), AS_OF).iloc[0]
    coded = np.array([100 * ((s >= 9) - (s <= 6)) for s in scores])
    assert row.value == pytest.approx(coded.mean())
    half = 1.959963984540054 * coded.std() / len(coded) ** 0.5
    assert (row.low, row.high) == pytest.approx((coded.mean() - half, coded.mean() + half))


def test_surveys_of_the_config_and_segments():
    tables = answers(
        ("a", "2024-02-01", 7, "happy"), ("a", "2024-02-09", None, "happy"), ("b", "2024-02-01", 2, "happy")
    )
    surveys = {"happy": Survey("csat", top=6)}
    table = feedback_table(
        tables, periods_until(AS_OF, "month", 1), AS_OF, surveys=surveys, segment="plan"
    ).set_index("segment")
    assert table.value.to_dict() == {"basic": 100.0, "plus": 0.0}
    assert table.answer_rate.to_dict() == {"basic": 50.0, "plus": 100.0}


def test_asked_and_never_answered_has_no_value():
    tables = answers(("a", "2024-02-01", None, "nps"))
    row = feedback_table(tables, periods_until(AS_OF, "month", 1), AS_OF).iloc[0]
    assert row.answer_rate == 0
    assert np.isnan(row.value)
    assert np.isnan(row.low)


def test_feedback_equals_pandas_on_random_answers():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 40, 800).astype(str),
            "occurred_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 425, 800), "D"),
            "score": np.where(rng.random(800) < 0.3, np.nan, rng.integers(0, 11, 800)),
            "kind": rng.choice(["nps", "csat"], 800),
        }
    )
    periods = periods_until(AS_OF, "month", 13)
    fast = feedback_table({"feedback": ibis.memtable(frame)}, periods, AS_OF).set_index(["period", "kind"])
    for period in periods:
        for kind in ("nps", "csat"):
            mine = frame[
                (frame.kind == kind) & (frame.occurred_at >= period.start) & (frame.occurred_at < period.end)
            ]
            given = mine.score.dropna()
            coded = (given >= 9) * 1.0 - (given <= 6) if kind == "nps" else (given >= 4) * 1.0
            row = fast.loc[(period.label, kind)]
            assert (row.asked, row.answered, row.customers) == (
                len(mine),
                len(given),
                mine.customer_id.nunique(),
            )
            assert row.value == pytest.approx(100 * coded.mean())


def test_without_feedback_there_is_one_clear_line():
    with pytest.raises(ConfigError, match="feedback"):
        feedback_table({}, periods_until(AS_OF), AS_OF)
