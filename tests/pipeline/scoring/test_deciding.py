"""What is put before a decision: scores, those who have left, earlier recommendations, and what is odd of a model."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.matrix import Matrix
from models.tracking.registry import Champion
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.outreach.reasons import Reason
from pipeline.scoring import deciding
from pipeline.scoring.ended import LatelyEnded
from pipeline.scoring.scored import Job
from pipeline.sources.opening import open_sources

NIGHT = dt.date(2026, 7, 1)


def champion(**facts):
    return Champion(None, {}, {"as_of": "2026-06-01", **facts}, 1, "run", "digest")


@pytest.mark.parametrize(
    ("trained", "told"),
    [("2026-06-30", ()), ("2026-07-01", ()), ("2026-07-02", ("2026-07-02, after 2026-07-01",))],
)
def test_a_model_that_was_trained_later_has_seen_what_it_predicts(trained, told):
    found = deciding.trained_later(champion(as_of=trained), NIGHT)
    assert len(found) == len(told)
    assert all(part in line for part, line in zip(told, found, strict=True))


def test_who_has_left_stands_below_the_scores_and_has_left_for_sure():
    scores = pd.DataFrame({"customer_id": ["a", "b"], "days": [1.0, 2.0], "churn_probability": [0.2, 0.9]})
    frame = pd.DataFrame({"customer_id": ["z"], "snapshot": [NIGHT], "days": [3.0]})
    gone = LatelyEnded(Matrix(frame, (), "hash"), (Reason("ended", "the contract ended 9 days ago", 0.0),))
    found = deciding._with_ended(scores, gone)
    assert found.to_dict("list") == {
        "customer_id": ["a", "b", "z"],
        "days": [1.0, 2.0, 3.0],
        "churn_probability": [0.2, 0.9, 1.0],
        "left": [False, False, True],
    }
    assert "left" not in scores


@pytest.mark.parametrize(
    ("rest", "back"), [(28, 360), (400, 400)], ids=["a year by default", "as long as the longest rule"]
)
def test_earlier_recommendations_go_as_far_back_as_any_rule_looks(tiny, rest, back):
    config = tiny(
        transactions="customer_id,occurred_at\n1,2026-01-01",
        sections={"outreach": {"repeat_days": rest}},
    )
    layout = layout_of(config, None)
    row = dict.fromkeys(ledger.SCHEMA.names[1:]) | {"chosen": True, "control": False, "usual": False}
    for days in (0, 1, back, back + 1):
        night = NIGHT - dt.timedelta(days=days)
        ledger.append(layout.ledger, night, pd.DataFrame([row | {"customer_id": f"{days} days"}]))
    job = Job(config, NIGHT, champion(), layout, print)
    found = deciding._recommended(job, deciding._context(job, create_key=False))
    assert sorted(found.customer_id) == sorted([f"{back} days", "1 days"])


def test_nobody_is_scored_with_a_chance_that_the_model_does_not_know():
    frame = pd.DataFrame({"customer_id": ["a"], "snapshot": [NIGHT], "days": [3.0]})
    found = deciding._scores(champion(), _scored(Matrix(frame, (), "hash"), np.array([0.3])))
    assert found.to_dict("list") == {"customer_id": ["a"], "days": [3.0], "churn_probability": [0.3]}


def _scored(matrix, probability):
    from pipeline.scoring.night_rates import no_rates
    from pipeline.scoring.score_table import ScoreTable
    from pipeline.scoring.scored import Everybody, Scored

    table = ScoreTable.of(matrix.frame["customer_id"], probability, {})
    return Scored(None, matrix, probability, no_rates(), Everybody(table, matrix.features))


def test_facts_are_those_of_the_config_for_the_customers_of_the_source_and_none_without_one(tiny):
    sales = "customer_id,occurred_at\n1,2026-06-25\n"
    people = "customer_id,owner,secret\n1,Ana,x\n2,Eva,y\n"
    config = tiny(
        transactions=sales,
        customers=people,
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {"facts": ["owner"]}},
    )
    sources = open_sources(config, NIGHT)
    frame = pd.DataFrame({"customer_id": ["1"], "snapshot": [NIGHT]})
    found = replace(_scored(Matrix(frame, (), "hash"), np.array([0.3])), sources=sources)
    facts = deciding._facts(config, found).sort_values("customer_id")
    assert facts.to_dict("list") == {"customer_id": ["1", "2"], "owner": ["Ana", "Eva"]}
    alone = tiny(transactions=sales)
    assert deciding._facts(alone, replace(found, sources=open_sources(alone, NIGHT))) is None
