"""One customer step by step: rows that are known, what each column adds, the members, the probability."""

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest

from features.spec import FeatureColumn
from models.prediction.classifier import FittedModel
from models.prediction.explain import Contributions
from models.prediction.steps import scoring_steps
from pipeline.explaining.followed import cell_text, followed
from pipeline.sources.opening import open_sources

RULE = {"name": "rule", "kind": "steps", "inputs": [0], "edges": [5.0], "values": [-1.0, 1.0], "missing": 0.0}
SPEC = {
    "columns": [{"name": "recency_days", "kind": "number"}, {"name": "visits", "kind": "number"}],
    "boosters": [],
    "members": [RULE | {"weight": 0.5}],
    "calibrator": {"kind": "linear", "slope": 2.0, "intercept": -1.5},
}
PURCHASES = "customer_id,occurred_at\na,2024-01-05\na,2024-02-04\nb,2024-01-01\na,2024-03-02\n"


def column(name):
    return FeatureColumn(name, f"label of {name}", "", "", "", "transactions", False)


@pytest.fixture
def steps(tiny):
    sources = open_sources(tiny(transactions=PURCHASES), dt.date(2024, 3, 1))
    row = pd.DataFrame({"recency_days": [25.5], "visits": [np.nan]})
    found = Contributions(("visits", "recency_days"), -0.25, np.array([[0.125, -0.5]]))
    model = scoring_steps(FittedModel(SPEC, ()), row)
    return followed(sources, "a", row, [column("recency_days"), column("visits")], found, model)


def test_rows_columns_and_the_way_through_the_model(steps):
    assert steps.rows == {"transactions": 2}  # the one of the day after is not known yet
    assert steps.features == [
        ("recency_days", "label of recency_days", "25.5", -0.5),
        ("visits", "label of visits", "unknown", 0.125),
    ]
    assert steps.base == -0.25


def test_the_lines_say_what_the_values_say(steps):
    lines = "\n".join(steps.lines)
    assert "1. rows that are known: transactions 2" in lines
    assert "2. 2 columns that the model reads, and what each adds to log-odds of -0.2500" in lines
    assert lines.index("label of recency_days") < lines.index("label of visits")
    assert "4. blended +0.5000; calibrator linear: -0.5000" in lines
    assert lines.endswith(f"5. probability {1 / (1 + math.exp(0.5)):.6f}")
    values = steps.values
    assert values["features"][1] == {
        "column": "visits", "label": "label of visits", "value": "unknown", "adds": 0.125,
    }  # fmt: skip
    assert values["blended"] == 0.5
    json.dumps(values, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "text"), [(1234567.0, "1.23457e+06"), (0.1 + 0.2, "0.3"), (None, "unknown"), ("gold", "gold")]
)
def test_a_single_value_as_text(value, text):
    assert cell_text(pd.Series([value])) == text
