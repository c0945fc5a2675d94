"""The outreach list: whom it chooses, every limit, who is tried and left alone, and that the same night is the same."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outreach_data import DAY, action, contacts, customers, night, playbook, rules

from configs.errors import DataError
from configs.outreach import Outreach
from models.decision.worth import concave
from models.effects.contact import prevented
from models.effects.sequence import Bounds
from pipeline.outcomes import ledger
from pipeline.outcomes.learned import ALL, belief
from pipeline.outreach.eligibility import Rule, contact_units
from pipeline.outreach.reasons import Reason

SILENCE = Reason("silence", "because of silence", 0.5)
HARM = Bounds(500, -0.1, -0.15, -0.05, -0.14, -0.06)
WORKS = Bounds(5_000, 0.1, 0.05, 0.15, 0.06, 0.14)
CONTROLLED = {"control": {"share": 0.2}, "capacity": 100, "start": "full"}
PILOT = {"control": {"share": 0.2}, "capacity": 100}


def certain(book, **gain):
    """The playbook's belief, as if it had been measured in very many rows; level of some actions, where given."""
    known = belief(book)
    mean = known.mean.copy()
    for name, level in gain.items():
        mean[2 + len(known.actions) + known.actions.index(name)] = level
    return replace(known, mean=mean, covariance=known.covariance * 1e-12, rows=10_000)


def loss_prevented(probability, rate=0.1):
    """By the prior, of customers of whom no contact is known."""
    p = np.array(probability)
    return rate * prevented(p, np.ones(len(p)), np.full(len(p), np.inf), np.zeros(len(p)))


def test_the_list_is_the_highest_gain_not_the_highest_risk():
    scores = customers(3, churn_probability=[0.9, 0.5, 0.2], spend_sum_180d=[100.0, 1_000.0, 90.0])
    found = night(scores, capacity=2).chosen
    assert found.customer_id.tolist() == ["0001", "0002"]
    assert found["rank"].tolist() == [1, 2]
    worth = concave(np.array([1_000.0, 90.0]), typical=100.0)
    assert found.expected_gain.tolist() == pytest.approx(list(loss_prevented([0.5, 0.2]) * worth - 1))
    assert found.value.tolist() == [1_000.0, 90.0]
    assert found.value_at_risk.tolist() == [500, 18]


def test_at_equal_value_the_wavering_come_before_the_gone_and_the_safe():
    scores = customers(
        4,
        churn_probability=[0.98, 0.05, 0.5, 0.6],
        spend_sum_180d=[500.0] * 4,
        still_there=[0.3, 1.0, 0.95, 0.95],
    )
    assert night(scores).chosen.customer_id.tolist() == ["0002", "0003", "0001", "0000"]


def test_one_whale_does_not_carry_the_list():
    scores = customers(
        50, churn_probability=[0.5] * 50, spend_sum_180d=[100_000.0, *np.linspace(80, 120, 49)]
    )
    gain = night(scores, capacity=20).chosen.expected_gain
    assert gain.max() / gain.sum() < 0.4


def test_each_contact_of_ours_lowers_what_the_next_prevents():
    scores = customers(3, churn_probability=[0.5] * 3, spend_sum_180d=[500.0] * 3)
    past = contacts(
        *[("0000", day, "email", "outbound") for day in ("2026-06-20", "2026-06-10", "2026-05-25")],
        *[("0001", day, "email", "outbound") for day in ("2026-06-20", "2026-05-25")],
        ("0002", "2026-06-20", "email", "inbound"),
    )
    assert night(scores, contacts=past).chosen.customer_id.tolist() == ["0002", "0001", "0000"]


def test_a_recommendation_counts_as_a_contact_although_the_log_does_not_have_it():
    scores = customers(3, churn_probability=[0.5] * 3, spend_sum_180d=[500.0] * 3)
    history = pd.DataFrame(
        {
            "as_of": [DAY - dt.timedelta(40)] * 2,
            "customer_id": ["0000", "0001"],
            "control": [False, True],
            "usual": [False, False],
            "trial": [False, False],
        }
    )
    found = night(scores, history=history, max_contacts={"days": 45}, rhythm_days=90).chosen
    gain = dict(zip(found.customer_id, found.expected_gain, strict=False))
    assert gain["0000"] < gain["0002"]
    assert "0001" not in gain  # left alone until its outcome is known


def test_a_row_of_the_list():
    scores = customers(1, churn_probability=[0.5], spend_sum_180d=[1_000.0], recency_days=[74.0])
    past = contacts(("0000", "2026-04-01 10:00", "email", "outbound", "Eva"))
    found = night(scores, contacts=past).chosen
    row = found.iloc[0]
    assert (row.block, row.action, row.title, row.channel, row.owner) == (
        "keep", "call", "Do it", "phone", "Eva",
    )  # fmt: skip
    assert row.message == "Quiet for 74 days, says Eva."
    assert (row.reason_1, row.reason_2) == ("because of silence", "")
    assert (row.last_contact, row.contact_gap_days) == (pd.Timestamp("2026-04-01"), 91)
    assert row.due_date == pd.Timestamp("2026-07-04")
    assert not {"propensity", "control", "trial", "usual"} & set(found.columns)


def test_nobody_is_contacted_at_a_loss_and_the_list_is_short():
    scores = customers(2, churn_probability=[0.5, 0.5], spend_sum_180d=[1_000.0, 1.0])
    found = night(scores, capacity=2)
    assert found.chosen.customer_id.tolist() == ["0000"]
    assert rules(found) == {"0001": Rule.NO_GAIN}


def test_a_cost_above_every_gain_leaves_the_list_empty():
    found = night(customers(50), playbook(call=action(cost=1e6)))
    assert found.chosen.empty
    assert set(rules(found).values()) == {Rule.NO_GAIN}
    assert not found.ledger.eligible.any()


def test_the_action_with_the_highest_gain_is_taken():
    book = playbook(
        call=action(cost=20, rate=0.2),
        mail=action(channel="email", cost=0, rate=0.05),
        gift=action(rate=0.01),
    )
    scores = customers(2, churn_probability=[0.5, 0.5], spend_sum_180d=[1_000.0, 100.0])
    assert night(scores, book).chosen.action.tolist() == ["call", "mail"]


def test_what_was_learned_replaces_the_playbook():
    book = playbook(call=action(), mail=action(channel="email"))
    scores = customers(20)
    learned = certain(book, call=-0.2, mail=0.02)
    assert set(night(scores, book, effect=learned).chosen.action) == {"mail"}
    nothing_works = certain(book, call=-0.2, mail=-0.2)
    assert night(scores, book, effect=nothing_works).chosen.empty


def test_an_action_needs_its_driver_among_the_reasons():
    found = night(customers(1), drivers=("tenure",))
    assert found.chosen.empty
    assert rules(found) == {"0000": Rule.NO_ACTION}


def test_everybody_is_judged_by_the_own_reasons():
    """Whatever the order of the customers: somebody else's reasons would list others, or tell others' sentences."""
    scores = customers(40, churn_probability=np.linspace(0.9, 0.1, 40)).sample(frac=1, random_state=3)
    ids = scores.customer_id.tolist()
    why = {c: (Reason("silence" if c in ids[:9] else "tenure", f"says {c}", 0.5),) for c in ids}
    found = night(scores, why=why)
    assert set(found.chosen.customer_id) == set(ids[:9])
    assert (found.chosen.reason_1 == "says " + found.chosen.customer_id).all()
    assert (found.ledger.reasons == "says " + found.ledger.customer_id).all()


def test_without_amounts_all_are_worth_one_and_that_is_said():
    found = night(customers(3).drop(columns=["net_spend_180d", "net_spend_before_180d"]), capacity=2)
    assert found.chosen.value.tolist() == [1, 1]
    assert (
        "no amounts are known: every customer counts as worth 1, and costs are left out of the gain"
    ) in found.notes
    assert len(found.chosen) == 2


@pytest.mark.parametrize(
    ("limit", "listed"),
    [
        ({"capacity": 4}, 4),
        ({"channel_capacity": {"phone": 3}}, 3),
        ({"channel_capacity": {"phone": 0}}, 0),
        ({"channel_capacity": {"email": 3}}, 10),
        ({"owner_capacity": {"default": 2}}, 2),
        ({"owner_capacity": {"account manager": 5, "default": 1}}, 5),
        ({"budget": 6.5}, 6),
        ({"budget": 0}, 0),
    ],
)
def test_each_limit(limit, listed):
    found = night(customers(10, spend_sum_180d=np.linspace(300, 400, 10)), **limit)
    assert len(found.chosen) == listed
    assert set(rules(found).values()) <= {Rule.FULL}
    best = found.ledger.sort_values("expected_gain", ascending=False).customer_id[:listed]
    assert sorted(found.chosen.customer_id) == sorted(best)


def test_an_owner_is_the_column_or_the_team():
    scores = customers(3, manager=["Eva", "Tom", None])
    book = playbook(call=action())
    found = night(scores, book, columns={"owner": "manager"}, teams={"account_manager": "desk"}).chosen
    assert dict(zip(found.customer_id, found.owner, strict=True)) == {
        "0000": "Eva",
        "0001": "Tom",
        "0002": "desk",
    }
    team = night(scores, playbook(call=action(owner="senior")), teams={"senior": "سارا"}).chosen
    assert set(team.owner) == {"سارا"}


def test_quiet_time_depends_on_the_channel_of_the_last_contact():
    past = contacts(
        ("0000", "2026-06-25", "phone", "outbound"),
        ("0001", "2026-06-25", "email", "outbound"),
        ("0002", "2026-06-25", "phone", "inbound"),
    )
    limits = {
        "contacts": past,
        "quiet_days": {"phone": 10, "default": 3},
        "book": playbook(call=action(cost=0)),
    }
    assert rules(night(customers(4), **limits)) == {
        "0000": Rule.QUIET
    }  # whoever has just asked may be answered
    assert rules(night(customers(4), **limits, quiet_after="any")) == {"0000": Rule.QUIET, "0002": Rule.QUIET}


def test_at_most_so_many_contacts_by_us_in_so_many_days():
    rows = [("0000", f"2026-06-0{i}", "email", "outbound") for i in (1, 2, 3)]
    rows += [("0001", "2026-05-31", "email", "outbound"), *[("0001", "2026-06-02", "email", "inbound")] * 5]
    found = night(customers(3), contacts=contacts(*rows), max_contacts={"count": 3, "days": 30})
    assert rules(found) == {"0000": Rule.TOO_MANY}


def test_opt_outs_and_consent_by_channel():
    book = playbook(call=action(rate=0.3), mail=action(channel="email"))
    scores = customers(
        5,
        churn_probability=[0.5] * 5,
        spend_sum_180d=[900.0] * 5,
        no_mail=["no", "no", "Yes", None, "who knows"],
        may_call=["yes", "no", "no", "yes", None],
    )
    found = night(scores, book, opt_out={"email": "no_mail"}, consent={"phone": "may_call"})
    assert dict(zip(found.chosen.customer_id, found.chosen.action, strict=True)) == {
        "0000": "call",
        "0001": "mail",
        "0003": "call",
    }
    assert rules(found)["0002"].startswith(Rule.OPTED_OUT)
    assert rules(found)["0004"].startswith(Rule.OPTED_OUT)


def test_do_not_contact_by_list_and_column():
    scores = customers(4, stop=[1.0, 0.0, np.nan, 0.0])
    found = night(scores, do_not_contact={"0001", "0003"}, columns={"do_not_contact": "stop"})
    assert found.chosen.customer_id.tolist() == ["0002"]
    assert set(rules(found).values()) == {Rule.DO_NOT_CONTACT}


def test_without_a_record_nobody_is_contacted_where_consent_is_asked_for():
    facts = pd.DataFrame({"customer_id": ["0000"], "no": [None]})
    found = night(customers(2), facts=facts, opt_out={"phone": "no"})
    assert found.chosen.customer_id.tolist() == ["0000"]
    assert rules(found) == {"0001": Rule.NO_RECORD}
    assert len(night(customers(2), facts=facts).chosen) == 2


def test_missing_columns_are_refused_all_at_once():
    with pytest.raises(DataError) as caught:
        night(
            customers(2, household=["a", "b"]),
            columns={"household": "houshold"},
            opt_out={"email": "no_mail"},
            consent={"all": "agreed"},
        )
    assert len(caught.value.faults) == 3
    assert "did you mean 'household'?" in str(caught.value)


def test_facts_serve_the_list_and_ids_of_the_crm_reach_it():
    facts = pd.DataFrame(
        {"customer_id": ["0002", "0000", "0001"], "no": ["x", None, None], "crm_id": ["C", "A", "B"]}
    )
    found = night(customers(3), facts=facts, opt_out={"all": "no"}, crm={"ours": {"Id": "crm_id"}})
    assert dict(zip(found.chosen.customer_id, found.chosen.crm_id, strict=True)) == {"0000": "A", "0001": "B"}


def test_an_open_complaint_goes_to_service_first():
    book = playbook(call=action(rate=0.5), recover=action(rate=0.05, owner="senior", settles_complaints=True))
    past = contacts(
        ("0000", "2026-06-30", "phone", "inbound", None, "Complaint: late"),
        ("0001", "2026-06-30", "phone", "inbound", None, "Complaint: late", "2026-06-30"),
        ("0002", "2026-05-01", "phone", "inbound", None, "invoice"),
    )
    found = night(customers(3), book, contacts=past)
    assert dict(zip(found.chosen.customer_id, found.chosen.action, strict=True)) == {
        "0000": "recover",
        "0001": "call",
        "0002": "call",
    }
    quiet = night(customers(3), book, contacts=past, quiet_after="any")
    assert rules(quiet) == {"0001": Rule.QUIET}
    assert rules(night(customers(3), playbook(call=action()), contacts=past))["0000"] == Rule.COMPLAINT


def test_the_reason_that_the_action_answers_is_told_first():
    both = (SILENCE, Reason("complaints", "2 complaints", 0.1))
    book = playbook(recover=action(when=[{"drivers": ["complaints"]}]))
    row = night(customers(1), book, why={"0000": both}).chosen.iloc[0]
    assert [row.reason_1, row.reason_2] == ["2 complaints", "because of silence"]


def test_one_of_a_household():
    scores = customers(5, home=["h1", "h1", "h2", None, " "])
    found = night(scores, columns={"household": "home"})
    assert len(found.chosen) == 4
    assert set(rules(found).values()) == {Rule.HOUSEHOLD}


def test_a_household_rests_when_one_of_it_was_listed_and_is_left_alone_when_one_of_it_is():
    scores = customers(5, home=["h1", "h1", "h2", "h2", None])
    history = pd.DataFrame(
        {
            "as_of": [DAY - dt.timedelta(3)] * 2,
            "customer_id": ["0000", "0002"],
            "control": [False, True],
            "usual": [False, False],
            "trial": [False, False],
        }
    )
    given = {"columns": {"household": "home"}, "history": history, "repeat_days": 14}
    assert rules(night(scores, playbook(call=action(cost=0)), **given)) == {
        "0000": Rule.REPEAT,
        "0001": Rule.REPEAT,
        "0002": Rule.HELD,
        "0003": Rule.HELD,
    }


def test_what_was_recommended_rests_for_listed_and_left_alone_alike():
    history = pd.DataFrame(
        {
            "as_of": [DAY - dt.timedelta(d) for d in (3, 3, 14, 59, 60)] + [DAY],
            "customer_id": ["0000", "0001", "0002", "0003", "0004", "0005"],
            "control": [False, True, False, True, True, True],
            "usual": [False, False, False, True, True, False],
            "trial": [False, False, False, False, False, False],
        }
    )
    found = night(customers(6), playbook(call=action(cost=0)), history=history, repeat_days=14)
    assert rules(found) == {"0000": Rule.REPEAT, "0001": Rule.HELD, "0003": Rule.USUAL}


def test_who_was_left_alone_and_complains_is_left_alone_no_longer():
    history = pd.DataFrame(
        {
            "as_of": [DAY - dt.timedelta(3)] * 3,
            "customer_id": ["0000", "0001", "0002"],
            "control": [True, True, False],
            "usual": [False, True, False],
            "trial": [False, False, False],
        }
    )
    past = contacts(*[(f"000{i}", "2026-06-30", "phone", "inbound", None, "Complaint") for i in range(3)])
    found = night(
        customers(3),
        playbook(recover=action(cost=0, settles_complaints=True)),
        history=history,
        contacts=past,
    )
    assert sorted(found.chosen.customer_id) == ["0000", "0001"]
    assert rules(found) == {"0002": Rule.REPEAT}  # it was listed: service knows


def test_every_rule_is_told():
    past = contacts(*[("0000", f"2026-06-{day}", "phone", "outbound") for day in (29, 30)])
    found = night(customers(1), contacts=past, do_not_contact=["0000"], max_contacts={"count": 2})
    assert rules(found) == {"0000": f"{Rule.DO_NOT_CONTACT}; {Rule.QUIET}; {Rule.TOO_MANY}"}


def test_some_of_the_sure_are_left_alone_and_their_room_given_to_others():
    found = night(customers(600), **CONTROLLED, exploration=0)
    rows = found.ledger
    assert len(found.chosen) == rows.chosen.sum() == 100
    assert not (rows.chosen & rows.control).any()
    assert 10 <= rows.control.sum() <= 45
    assert {rules(found)[c] for c in rows.customer_id[rows.control & ~rows.usual]} == {Rule.CONTROL}
    assert {rules(found)[c] for c in rows.customer_id[rows.usual]} == {Rule.USUAL}
    best = rows[rows.chosen | rows.control]
    assert set(best.propensity) == {0.8}
    others = rows[~rows.chosen & ~rows.control]
    assert (others.propensity == 0).all()
    assert best.expected_gain.min() >= others.expected_gain.max()


def piloted(scores, *given, **settings):
    """The first night of a pilot."""
    return night(scores, *given, **PILOT | settings)


@pytest.mark.parametrize("key", [f"{i}".encode() for i in range(12)])
def test_no_draw_leaves_a_pilot_without_a_trial(key):
    """Where every contact is expected to gain somebody is tried, however tonight's draw falls."""
    found = night(customers(600), key=key, **PILOT)
    assert found.ledger.trial.sum() >= 20
    assert len(found.chosen) > 0


@pytest.mark.parametrize("candidates", [5_000, 50])
def test_who_waits_for_a_pilot_to_learn_is_not_said_to_be_left_out_by_capacity(candidates):
    found = piloted(customers(600), candidates=candidates)
    assert len(found.chosen) < PILOT["capacity"]
    waits = found.ledger.customer_id[~found.ledger.chosen & ~found.ledger.control]
    assert {rules(found)[c] for c in waits if c in rules(found)} >= {Rule.NOT_SURE}
    assert Rule.FULL not in set(rules(found).values())


def test_before_anything_is_known_the_list_is_a_pilot_with_one_half_left_alone():
    found = piloted(customers(600))
    rows = found.ledger
    assert found.figures["stage"] == "pilot"
    assert 0 < rows.chosen.sum() == rows.trial[rows.chosen].sum() < 100
    assert rows.trial[rows.control].all()
    assert set(rows.propensity[rows.trial]) == {0.5}
    assert any(note.startswith("pilot: ") for note in found.notes)
    assert any("at worst" in note and "by driving customers away" in note for note in found.notes)


def test_what_is_known_fills_the_list_and_a_part_of_it_tries():
    book = playbook(call=action(), mail=action(channel="email", rate=0.05))
    known = certain(book)
    unsure = replace(known, covariance=np.diag([0, 0, 0, 0, 0, 0.1**2, 0, 0]) + known.covariance)
    found = night(customers(600), book, effect=unsure, **PILOT | {"exploration": 0.2})
    rows = found.ledger
    assert len(found.chosen) == 100
    assert 0 < rows.trial[rows.chosen].sum() <= 20
    assert set(rows.action[rows.chosen & ~rows.trial]) == {"call"}
    assert set(rows.propensity[rows.trial]) == {0.5}
    assert set(rows.propensity[(rows.chosen | rows.control) & ~rows.trial]) == {0.8}


def test_before_anything_is_known_a_complaint_that_nobody_answered_is_on_the_list_beside_the_trial():
    """Of the few who told us of trouble the gain is sure enough; of the others it is only tried."""
    told = np.arange(600) < 20
    scores = customers(600, churn_probability=0.5, complaint_count_90d=1.0 * told)
    scores = scores.assign(contact_inbound_gap_days=5.0)
    book = playbook(recover=action(cost=0, settles_complaints=True), offer=action(cost=0))
    rows = piloted(scores, book).ledger
    theirs = (rows.customer_id < "0020") & (rows.chosen | rows.control)
    assert theirs.sum() >= 15
    assert set(rows.action[theirs & ~rows.trial]) == {"recover"}
    assert rows.trial[(rows.customer_id >= "0020") & (rows.chosen | rows.control)].all()


def test_before_anything_is_known_whom_an_action_is_called_for_is_on_the_list():
    """One in six disputes an invoice and is likelier to leave; what anybody gets stays a matter of the trial."""
    sign = np.arange(600) % 6 == 0
    scores = customers(600, churn_probability=np.where(sign, 0.5, 0.1), cancellation_count_90d=1.0 * sign)
    answers = [{"columns": {"cancellation_count_90d": {"above": 0}}}]
    book = playbook(discount=action(cost=0, when=answers), hello=action(cost=0))
    rows = piloted(scores, book).ledger
    sure = (rows.chosen | rows.control) & ~rows.trial
    assert sure.sum() >= 40
    assert set(rows.action[sure]) == {"discount"}
    asked = rows[sure].inputs.map(dict).map(lambda told: told["called_for"])
    assert asked.between(0.6, 0.8).all()


def test_a_pilot_tries_what_takes_the_least_effort():
    book = playbook(call=action(cost=3.0, rate=0.3), mail=action(channel="email", cost=0.1, rate=0.1))
    rows = piloted(customers(600), book).ledger
    assert set(rows.action[rows.trial]) == {"mail"}
    full = night(customers(600), book, **CONTROLLED).ledger
    assert "call" in set(full.action[full.chosen])


def test_a_trial_differs_from_night_to_night_and_not_within_one():
    nights = [
        night(customers(600), as_of=DAY + dt.timedelta(day), **PILOT).ledger for day in (0, 0, *range(1, 9))
    ]
    tried = [frozenset(rows.customer_id[rows.trial]) for rows in nights]
    assert tried[0] == tried[1]
    assert len(set(tried[1:])) > 2


def test_the_most_valuable_are_not_put_at_risk_in_a_pilot():
    scores = customers(400)
    top = set(scores.nlargest(8, "spend_sum_180d").customer_id)
    rows = piloted(scores).ledger
    assert not top & set(rows.customer_id[rows.trial])
    full = night(scores, **CONTROLLED).ledger
    assert top & set(full.customer_id[full.chosen | full.control])


def test_the_most_valuable_who_are_not_tried_take_no_place_of_others():
    scores = customers(3_000)
    few = piloted(scores, candidates=50).ledger
    assert few.trial.sum() >= 20


def test_where_all_pay_the_same_a_pilot_tries_nevertheless():
    rows = piloted(customers(400, spend_sum_180d=100.0)).ledger
    assert rows.trial.sum() >= 20


def test_a_pilot_without_amounts_tries_although_nobody_is_worth_more():
    rows = piloted(customers(400).drop(columns=["net_spend_180d", "net_spend_before_180d"])).ledger
    assert rows.trial.sum() >= 20


def test_nobody_is_left_alone_where_nothing_can_be_learned():
    found = night(customers(60), control={"share": 0.2}, capacity=100)
    assert found.figures["stage"] == "belief"
    assert not found.ledger.control.any()
    assert (found.ledger.propensity[found.ledger.chosen] == 1).all()
    assert any("60 customers give at most" in note for note in found.notes)


def test_an_open_complaint_is_never_left_alone():
    past = contacts(*[(f"{i:04d}", "2026-06-30", "phone", "inbound", None, "Complaint") for i in range(200)])
    book = playbook(recover=action(settles_complaints=True))
    for start in ("pilot", "full"):
        settings = {"control": {"share": 0.5}, "capacity": 300, "start": start}
        rows = piloted(customers(400), book, contacts=past, **settings).ledger
        complaining, taken = rows.customer_id < "0200", rows.chosen | rows.control
        assert (complaining & rows.chosen).any()
        assert not (complaining & rows.control).any()
        assert set(rows.propensity[complaining & taken]) == {1}
        assert (~complaining & rows.control).any()


def test_the_recorded_propensity_is_how_often_it_happens():
    """Over many keys: of the nights on which somebody was chosen, the share of those on the list."""
    scores, book = customers(160), playbook(call=action(), mail=action(channel="email", rate=0.05))
    settings = {
        "capacity": 30,
        "channel_capacity": {"phone": 15},
        "exploration": 0.4,
        "control": {"share": 0.25},
        "start": "full",
    }
    runs = [night(scores, book, key=f"key {i}".encode(), **settings).ledger for i in range(25)]
    rows = pd.concat(runs)
    taken = rows[rows.chosen | rows.control]
    assert len(taken) > 500
    for chance, group in taken.groupby("propensity"):
        spread = np.sqrt(chance * (1 - chance) / len(group))
        assert group.chosen.mean() == pytest.approx(chance, abs=4 * spread)
    assert set(taken.propensity) == {0.5, 0.75}


def test_households_share_their_fate():
    scores = customers(400, home=[f"h{i // 2}" for i in range(400)])
    found = night(scores, **CONTROLLED, columns={"household": "home"})
    rows = found.ledger.assign(home=scores.home)
    assert rows.control.any()
    assert rows[rows.chosen | rows.control].home.is_unique


def test_who_has_probably_left_gets_win_back_or_nothing():
    scores = customers(6, churn_probability=[0.9] * 6, still_there=[0.9, 0.9, 0.02, 0.02, 0.05, 0.5])
    book = playbook(
        call=action(),
        win_back=action(
            channel="email", audience="left", when=[{"drivers": ["silence"]}, {"value_top": 0.4}]
        ),
    )
    found = night(scores, book, win_back_capacity=2, capacity=10)
    listed = found.chosen.set_index("customer_id")
    assert listed.block.to_dict() == {"0000": "keep", "0001": "keep", "0005": "keep"} | dict.fromkeys(
        listed.index[listed.action == "win_back"], "win back"
    )
    assert (listed.action == "win_back").sum() == 2
    assert listed.block.tolist() == ["keep"] * 3 + ["win back"] * 2  # they come last
    without = night(scores, playbook(call=action()))
    assert set(without.chosen.customer_id) == {"0000", "0001", "0005"}
    assert rules(without)["0002"] == Rule.NO_ACTION


def test_winning_back_takes_no_room_of_those_who_are_still_there():
    scores = customers(40, churn_probability=[0.5] * 40, still_there=[1.0] * 20 + [0.01] * 20)
    book = playbook(call=action(), win_back=action(audience="left"))
    found = night(scores, book, capacity=10, win_back_capacity=3)
    assert found.chosen.block.tolist() == ["keep"] * 10 + ["win back"] * 3


def test_an_action_that_is_proven_to_harm_is_taken_no_more():
    book = playbook(call=action(), mail=action(channel="email"))
    found = night(customers(20), book, bounds={"call": HARM, ALL: WORKS})
    assert set(found.chosen.action) == {"mail"}
    assert found.figures["stopped"] == ["call"]
    assert any("`churn outcomes --resume call`" in note for note in found.notes)


def test_a_list_that_is_proven_to_harm_stops():
    found = night(customers(20), bounds={ALL: HARM}, **CONTROLLED)
    assert found.chosen.empty
    assert not found.ledger.control.any()
    assert set(rules(found).values()) == {Rule.STOPPED}
    assert any("`churn outcomes --resume all`" in note for note in found.notes)


def test_fewer_are_left_alone_once_the_list_is_proven_to_work():
    rows = night(customers(600), bounds={ALL: WORKS}, **CONTROLLED, exploration=0).ledger
    assert set(rows.propensity[rows.chosen]) == {0.9}


def test_the_business_as_usual_part_is_a_share_of_those_left_alone():
    settings = {"control": {"share": 0.5, "usual": 0.3}, "capacity": 400, "start": "full", "exploration": 0}
    rows = night(customers(900), **settings).ledger
    assert not (rows.usual & ~rows.control).any()
    assert rows.usual.sum() / rows.control.sum() == pytest.approx(0.3, abs=0.08)
    nobody = night(customers(900), **settings | {"control": {"share": 0.5, "usual": 0}}).ledger
    assert not nobody.usual.any()


def test_the_ledger_keeps_what_the_effect_was_computed_from():
    scores = customers(300, plan=["gold", "basic", None] * 100)
    rows = night(scores, matrix=["recency_days", "plan"], **CONTROLLED).ledger
    taken = rows.chosen | rows.control
    assert rows.inputs[~taken].isna().all()
    kept = dict(rows.inputs[taken].iloc[0])
    one = scores[scores.customer_id == rows.customer_id[taken].iloc[0]].iloc[0]
    assert kept["recency_days"] == one.recency_days
    assert kept["plan: gold"] == float(one.plan == "gold")
    assert kept["churn_probability"] == one.churn_probability


def test_at_most_so_many_compete_for_the_list():
    scores = customers(500)
    found = night(scores, candidates=50, capacity=10)
    assert found.figures["candidates"] == 50
    assert len(found.chosen) == 10
    whole = night(scores, capacity=10)
    assert found.chosen.customer_id.tolist() == whole.chosen.customer_id.tolist()


def test_the_same_night_is_the_same_in_any_order_of_rows(tmp_path):
    scores = customers(300, home=[f"h{i // 3}" for i in range(300)])
    limits = CONTROLLED | {"columns": {"household": "home"}, "capacity": 20, "budget": 15.0}
    one = night(scores, **limits)
    two = night(scores.sample(frac=1, random_state=1), **limits)
    pd.testing.assert_frame_equal(one.chosen, two.chosen)
    pd.testing.assert_frame_equal(one.suppressed, two.suppressed)
    assert one.figures == two.figures
    for done in (one, two):
        written = ledger.append(tmp_path, DAY, done.ledger.assign(model_version="1"))
    assert written.state == "same"


def test_everybody_is_on_the_list_or_has_a_rule_and_is_in_the_ledger():
    found = night(customers(200), **CONTROLLED)
    listed, left_out = set(found.chosen.customer_id), set(found.suppressed.customer_id)
    assert listed | left_out == set(found.ledger.customer_id)
    assert not listed & left_out
    assert (found.suppressed.rules != "").all()


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_anybody(n):
    found = night(customers(n), exploration=0.5, control={"share": 0.5})
    assert len(found.chosen) + len(found.suppressed) == len(found.ledger) == n


def test_arguments_stay_as_they_are():
    scores = customers(30, home=["h"] * 30)
    before = scores.copy(deep=True)
    night(scores, columns={"household": "home"}, **CONTROLLED)
    pd.testing.assert_frame_equal(scores, before)


words = st.sampled_from(["yes", "no", "Y", "0", "true", "", "maybe", None])


@given(data=st.data(), n=st.integers(1, 25), key=st.binary(min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_nobody_who_opted_out_ever_appears(data, n, key):
    def column():
        return data.draw(st.lists(words, min_size=n, max_size=n))

    scores = customers(
        n, seed=data.draw(st.integers(0, 9)), no_mail=column(), may_call=column(), never=column()
    )
    listed = data.draw(st.sets(st.sampled_from(scores.customer_id.tolist())))
    book = playbook(call=action(), mail=action(channel="email", rate=0.2), visit=action(channel="meeting"))
    found = night(
        scores,
        book,
        key=key,
        do_not_contact=listed,
        opt_out={"email": "no_mail", "all": "never"},
        consent={"phone": "may_call"},
        start=data.draw(st.sampled_from(["pilot", "full"])),
        exploration=data.draw(st.sampled_from([0, 0.5])),
        control={"share": data.draw(st.sampled_from([0, 0.3]))},
        capacity=data.draw(st.integers(1, n)),
    )
    rows = found.chosen.merge(scores, on="customer_id")
    assert not set(rows.customer_id) & listed
    assert rows.never.isin(["no", "0", ""]).where(rows.never.notna(), True).all()
    mailed, called = rows[rows.channel == "email"], rows[rows.channel == "phone"]
    assert (mailed.no_mail.isna() | mailed.no_mail.isin(["no", "0", ""])).all()
    assert called.may_call.isin(["yes", "Y", "true"]).all()
    alone = found.ledger[found.ledger.control]
    assert not set(alone.customer_id) & set(rows.customer_id)


def test_units_tell_households_from_customers():
    scores = customers(2, home=["0001", None])
    section = Outreach(columns={"household": "home"})
    assert contact_units(scores, section) == ["household 0001", "customer 0001"]
