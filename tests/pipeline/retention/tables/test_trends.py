"""Trends of scores, and who stopped answering."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from pipeline.retention.tables.trends import customer_trends, stopped_answering, trend_table

AS_OF = dt.date(2024, 3, 1)


def answers(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "score", "kind"])
    frame = frame.assign(occurred_at=pd.to_datetime(frame.occurred_at), score=frame.score.astype(float))
    plans = pd.DataFrame({"customer_id": ["a", "b"], "plan": ["basic", "plus"]})
    return {"feedback": ibis.memtable(frame), "customers": ibis.memtable(plans)}


def test_trends_are_least_squares():
    days = [0, 10, 40, 90]
    rows = [
        ("a", pd.Timestamp("2023-06-01") + pd.Timedelta(days=d), s, "nps")
        for d, s in zip(days, (9, 8, 6, 2), strict=True)
    ]
    rows += [("b", "2024-01-01", 5, "nps"), ("b", "2024-01-01", 6, "nps"), ("b", "2024-01-01", 7, "nps")]
    rows += [("c", "2024-01-01", 5, "nps"), ("c", "2024-01-09", None, "nps")]
    tables = answers(*rows)
    trends = customer_trends(tables, AS_OF).execute().set_index("customer_id")
    assert set(trends.index) == {"a", "b"}
    assert trends.slope["a"] == pytest.approx(90 * np.polyfit(days, [9, 8, 6, 2], 1)[0])
    assert np.isnan(trends.slope["b"])
    assert trends.last_score["a"] == 2
    row = trend_table(tables, AS_OF, segment="plan").iloc[0]
    assert (row.segment, row.customers, row.falling, row.rising) == ("basic", 1, 1, 0)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_answers_at_one_moment_the_order_of_the_rows_decides_nothing(order):
    rows = [("a", "2024-01-01", 9, "nps"), ("a", "2024-02-01", 3, "nps"), ("a", "2024-02-01", 7, "nps")]
    tables = answers(*rows[::order], ("a", "2024-02-09", None, "nps"))
    assert customer_trends(tables, AS_OF).execute().last_score.tolist() == [7]
    assert stopped_answering(tables, min_unanswered=1).last_score.tolist() == [7]


def test_each_kind_has_its_own_trend_and_answers_without_a_kind_are_one():
    """Scores of one kind rise, those of another fall, those of no kind stay; without the column all are one kind."""
    rows = [
        ("a", f"2024-0{month}-01", 5 + slope * month, kind)
        for kind, slope in (("nps", 1), ("csat", -1), (None, 0))
        for month in (1, 2, 3)
    ]
    tables = answers(*rows)
    trends = customer_trends(tables, dt.date(2024, 4, 1)).execute().set_index("kind")
    assert np.sign(trends.slope.round(6)).to_dict() == {"nps": 1, "csat": -1, "(all)": 0}
    without = {**tables, "feedback": tables["feedback"].drop("kind")}
    (whole,) = customer_trends(without, dt.date(2024, 4, 1)).execute().itertuples()
    assert (whole.kind, whole.answers) == ("(all)", 9)


def test_who_stopped_answering():
    tables = answers(
        ("stopped", "2024-01-01", 8, "nps"),
        ("stopped", "2024-01-05", None, "nps"),
        ("stopped", "2024-02-05", None, "nps"),
        ("never answered", "2024-01-05", None, "nps"),
        ("never answered", "2024-02-05", None, "nps"),
        ("answered again", "2024-01-05", None, "nps"),
        ("answered again", "2024-02-05", None, "nps"),
        ("answered again", "2024-02-06", 7, "nps"),
        ("once silent", "2024-01-06", 7, "nps"),
        ("once silent", "2024-02-06", None, "nps"),
    )
    table = stopped_answering(tables)
    assert table[["customer_id", "answers", "last_score", "unanswered"]].values.tolist() == [
        ["stopped", 1, 8.0, 2]
    ]
    others = ibis.memtable(pd.DataFrame({"customer_id": ["once silent"]}))
    assert stopped_answering(tables, others).empty
