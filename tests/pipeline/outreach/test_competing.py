"""Who competes for the list: the most promising of those against whom nothing stands, and rules for the others."""

import numpy as np
import pandas as pd
import pytest
from outreach_data import action, context, customers, playbook

from pipeline.outreach import competing
from pipeline.outreach.competing import least_gain, prepare
from pipeline.outreach.decide import decide
from pipeline.outreach.eligibility import Rule
from pipeline.outreach.reasons import Reason

SILENCE = Reason("silence", "because of silence", 0.5)


def said(prepared):
    """The rules of each customer, by id."""
    ids = prepared.customers.customer_id
    return {name: {rule for rule, hit in prepared.rules.items() if hit[i]} for i, name in enumerate(ids)}


def test_the_rows_to_explain_are_the_candidates():
    scores = customers(60).sample(frac=1, random_state=5)
    prepared = prepare(scores, context(candidates=10), columns=[])
    asked = scores.customer_id.iloc[prepared.explain].tolist()
    assert asked == prepared.customers.customer_id.iloc[prepared.candidates].tolist()
    assert len(asked) == 10


def test_the_candidates_are_those_who_gain_the_most_by_expectation_or_draw():
    prepared = prepare(customers(200), context(candidates=15), columns=[])
    everybody = prepare(customers(200), context(), columns=[])
    assert len(everybody.candidates) > 15
    best = np.fmax(everybody.gain(everybody.effect), everybody.gain(everybody.drawn)).max(axis=1)
    top = everybody.candidates[np.argsort(-best)[:15]]
    assert prepared.candidates.tolist() == sorted(top)
    again = (
        prepared.gain(prepared.effect),
        everybody.gain(everybody.effect)[np.isin(everybody.candidates, top)],
    )
    assert np.array_equal(*again)


def test_the_effects_of_all_follow_from_one_draw_in_whatever_blocks_they_are_worked_out(monkeypatch):
    book = playbook(call=action(), mail=action("email", rate=0.05))
    whole = prepare(customers(200), context(book), columns=[])
    monkeypatch.setattr(competing, "_BLOCK", 7)
    parts = prepare(customers(200), context(book), columns=[])
    assert len(whole.candidates) > 100
    assert parts.candidates.tolist() == whole.candidates.tolist()
    for name in ("effect", "spread", "drawn"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)


def test_facts_are_those_of_the_first_row_of_each_customer_in_whatever_order():
    facts = pd.DataFrame(
        {"customer_id": ["0002", "0000", "0002"], "owner": ["Ana", "Bo", "Cy"], "crm": [1, 2, 3]}
    )
    scores = customers(4).iloc[[3, 1, 0, 2]]
    prepared = prepare(scores, context(), columns=[], facts=facts)
    found = prepared.customers.set_index("customer_id")
    assert found.owner.fillna("").to_dict() == {"0000": "Bo", "0001": "", "0002": "Ana", "0003": ""}
    assert found.crm.dropna().to_dict() == {"0000": 2, "0002": 1}
    strict = context(columns={"do_not_contact": "owner"})
    unknown = prepare(scores, strict, columns=[], facts=facts.assign(owner="no"))
    assert [Rule.NO_RECORD in said(unknown)[name] for name in found.index] == [False, True, False, True]


def test_the_least_gain_is_that_of_the_last_candidate():
    prepared = prepare(customers(500), context(candidates=50), columns=[])
    everybody = prepare(customers(500), context(), columns=[])
    assert least_gain(everybody) == -np.inf
    ledger_rows = decide(prepared, [(SILENCE,)] * 50).ledger
    assert least_gain(prepared) == pytest.approx(ledger_rows.expected_gain.min())


def test_who_can_not_gain_has_a_rule_and_does_not_compete():
    scores = customers(3, spend_sum_180d=[1_000.0, 900.0, 0.01], churn_probability=[0.5] * 3)
    book = playbook(call=action(cost=1.0, when=[{"drivers": ["silence"]}]))
    prepared = prepare(scores, context(book), columns=[], do_not_contact=["0001"])
    assert prepared.customers.customer_id.iloc[prepared.candidates].tolist() == ["0000"]
    assert said(prepared) == {"0000": set(), "0001": {Rule.DO_NOT_CONTACT}, "0002": {Rule.NO_GAIN}}


def test_without_a_contact_log_an_open_issue_is_an_open_complaint():
    scores = customers(2, open_issue_count=[1, 0])
    prepared = prepare(scores, context(), columns=[])
    assert prepared.facts.open_complaint.tolist() == [True, False]
    assert said(prepared) == {"0000": {Rule.COMPLAINT}, "0001": set()}


def test_a_fact_never_takes_the_place_of_a_scored_column():
    facts = pd.DataFrame({"customer_id": ["0001"], "churn_probability": [0.0], "owner": ["Ana"]})
    scores = customers(2, churn_probability=[0.5, 0.6])
    prepared = prepare(scores, context(), columns=[], facts=facts)
    assert prepared.customers.churn_probability.tolist() == [0.5, 0.6]
    assert prepared.customers.owner.tolist()[1] == "Ana"
    assert pd.isna(prepared.customers.owner.tolist()[0])


def test_who_has_probably_left_is_marked_by_the_model_or_by_the_source():
    scores = customers(3, still_there=[0.9, 0.1, 0.9], left=[False, False, True])
    assert prepare(scores, context(gone_below=0.2), columns=[]).customers.left.tolist() == [False, True, True]
