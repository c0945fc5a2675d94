"""Sentences of reasons: a small table of contributions in, sentences out."""

import pandas as pd

from features.spec import FeatureColumn
from pipeline.outreach.reasons import reasons_of

COLUMNS = [
    FeatureColumn("spend", "spend in 90 days", "money", "none", "value", "transactions", True, None),
    FeatureColumn("visits", "visits in 90 days", "count", "none", "use", "usage", True, None),
]


def told(contributions, values):
    names = [c.name for c in COLUMNS]
    rows = pd.DataFrame([values], columns=names)
    pushes = pd.DataFrame([contributions], columns=names)
    return [r.sentence for r in reasons_of(pushes, rows, {"spend": 100.0, "visits": 4.0}, COLUMNS)[0]]


def test_a_number_that_is_just_the_median_is_no_reason():
    assert told([0.9, 0.2], [100.0, 1.0]) == ["visits in 90 days: 1 (median 4)"]
    assert told([0.9, 0.2], [55.0, 4.0]) == ["spend in 90 days: 55 (median 100)"]


def test_only_what_raises_the_risk_is_a_reason():
    assert told([-0.5, 0.0], [55.0, 1.0]) == []
