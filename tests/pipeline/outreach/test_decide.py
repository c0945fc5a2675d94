"""The outreach list: what it chooses, every limit, the control group, and that the same night is the same."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outreach_data import DAY, action, contacts, customers, night, playbook, rules

from configs.errors import DataError
from configs.outreach import Outreach
from pipeline.outcomes import ledger
from pipeline.outreach.context import Context
from pipeline.outreach.decide import in_control, units
from pipeline.outreach.eligibility import Rule


def test_the_list_is_the_highest_gain_not_the_highest_risk():
    scores = customers(3, churn_probability=[0.9, 0.5, 0.2], spend_sum_180d=[100.0, 1_000.0, 90.0])
    found = night(scores, capacity=2).chosen
    assert found.customer_id.tolist() == ["0001", "0000"]
    assert found["rank"].tolist() == [1, 2]
    assert found.expected_gain.tolist() == pytest.approx([0.5 * 0.1 * 1_000 - 1, 0.9 * 0.1 * 100 - 1])
    assert found.value_at_risk.tolist() == pytest.approx([500, 90])


def test_a_row_of_the_list():
    scores = customers(1, churn_probability=[0.5], spend_sum_180d=[1_000.0], recency_days=[74.0])
    past = contacts(("0000", "2026-06-01 10:00", "email", "outbound", "Eva"))
    row = night(scores, contacts=past).chosen.iloc[0]
    assert (row.action, row.title, row.channel, row.owner) == ("call", "Do it", "phone", "Eva")
    assert row.message == "Quiet for 74 days, says Eva."
    assert (row.reason_1, row.reason_2) == ("because of silence", "")
    assert (row.last_contact, row.contact_gap_days) == (pd.Timestamp("2026-06-01"), 29)
    assert row.due_date == pd.Timestamp("2026-07-04")
    assert row.propensity == 1


def test_nobody_is_contacted_at_a_loss():
    scores = customers(2, churn_probability=[0.5, 0.5], spend_sum_180d=[1_000.0, 10.0])
    found = night(scores)
    assert found.chosen.customer_id.tolist() == ["0000"]
    assert rules(found) == {"0001": Rule.NO_GAIN}


def test_the_action_with_the_highest_gain_is_taken():
    book = playbook(
        call=action(cost=20, rate=0.2),
        mail=action(channel="email", cost=0, rate=0.05),
        gift=action(rate=0.01),
    )
    scores = customers(2, churn_probability=[0.5, 0.5], spend_sum_180d=[1_000.0, 100.0])
    assert night(scores, book).chosen.action.tolist() == ["call", "mail"]


def test_measured_save_rates_replace_the_belief():
    book = playbook(call=action(), mail=action(channel="email"))
    assert night(customers(1), book, save_rates={"mail": (30, 70)}).chosen.action.tolist() == ["mail"]


def test_a_model_of_the_effect_replaces_risk():
    scores = customers(3, churn_probability=[0.9, 0.5, 0.2], spend_sum_180d=[500.0] * 3)
    found = night(scores, effect=np.array([-0.05, 0.01, 0.08]))
    assert found.chosen.customer_id.tolist() == ["0002", "0001"]
    assert found.chosen.expected_gain.tolist() == pytest.approx([0.08 * 500 - 1, 0.01 * 500 - 1])


def test_an_action_needs_its_driver_among_the_reasons():
    found = night(customers(1), drivers=("tenure",))
    assert found.chosen.empty
    assert rules(found) == {"0000": Rule.NO_ACTION}


def test_without_amounts_all_are_worth_one_and_that_is_said():
    found = night(customers(3).drop(columns=["net_spend_180d", "net_spend_before_180d"]), capacity=2)
    assert found.chosen.value.tolist() == [1, 1]
    assert found.notes == (
        "no amounts are known: every customer counts as worth 1, and costs are left out of the gain",
    )
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
    limits = {"contacts": past, "quiet_days": {"phone": 10, "default": 3}}
    assert rules(night(customers(4), **limits)) == {"0000": Rule.QUIET, "0002": Rule.QUIET}
    assert rules(night(customers(4), **limits, quiet_after="outbound")) == {"0000": Rule.QUIET}


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
    found = night(scores, listed={"0001", "0003"}, columns={"do_not_contact": "stop"})
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
        "0002": "call",
    }
    assert rules(found) == {"0001": Rule.QUIET}
    assert rules(night(customers(3), playbook(call=action()), contacts=past))["0000"] == Rule.COMPLAINT


def test_one_of_a_household():
    scores = customers(5, home=["h1", "h1", "h2", None, " "])
    found = night(scores, columns={"household": "home"})
    assert len(found.chosen) == 4
    assert set(rules(found).values()) == {Rule.HOUSEHOLD}


def test_what_was_recommended_rests_for_listed_and_left_alone_alike():
    history = pd.DataFrame(
        {
            "as_of": [DAY - dt.timedelta(d) for d in (3, 3, 14, 59, 60)] + [DAY],
            "customer_id": ["0000", "0001", "0002", "0003", "0004", "0005"],
            "control": [False, True, False, True, True, True],
        }
    )
    found = night(customers(6), history=history, repeat_days=14)
    assert rules(found) == {"0000": Rule.REPEAT, "0001": f"{Rule.REPEAT}; {Rule.HELD}", "0003": Rule.HELD}


def test_every_rule_is_told():
    past = contacts(*[("0000", "2026-06-30", "phone", "outbound")] * 4)
    found = night(customers(1), contacts=past, listed=["0000"], max_contacts={"count": 2})
    assert rules(found) == {"0000": f"{Rule.DO_NOT_CONTACT}; {Rule.QUIET}; {Rule.TOO_MANY}"}


CONTROLLED = {"control": {"share": 0.2}, "capacity": 100, "exploration": 0.1}


def test_the_control_group_is_left_alone_and_its_room_given_to_others():
    found = night(customers(600), **CONTROLLED)
    rows = found.ledger
    assert len(found.chosen) == rows.chosen.sum() == 100
    assert not (rows.chosen & rows.control).any()
    assert set(rows.customer_id[rows.control]).isdisjoint(found.chosen.customer_id)
    assert 10 <= rows.control.sum() <= 45
    assert {rules(found)[c] for c in rows.customer_id[rows.control]} == {Rule.CONTROL}
    best = rows[~rows.explored & (rows.chosen | rows.control)]
    others = rows[~rows.chosen & ~rows.control]
    assert best.expected_gain.min() >= others.expected_gain.max()


def test_the_control_group_lasts_and_has_the_same_share_in_each_segment():
    ids = [f"customer {i}" for i in range(40_000)]

    def group(as_of, key=b"key"):
        section = Outreach(control={"share": 0.1, "days": 180})
        return in_control(ids, Context(as_of, section, playbook(), key, 60, {}))

    first = dt.date.fromordinal(4_110 * 180)
    today = group(first)
    assert (group(first + dt.timedelta(179)) == today).all()
    later = group(first + dt.timedelta(180))
    assert np.mean(today & later) == pytest.approx(0.01, abs=0.003)
    assert np.mean(today & group(first, b"other")) == pytest.approx(0.01, abs=0.003)
    for segment in np.array_split(np.random.default_rng(1).permutation(40_000), 4):
        assert today[segment].mean() == pytest.approx(0.1, abs=0.012)


def test_households_share_their_fate():
    scores = customers(400, home=[f"h{i // 2}" for i in range(400)])
    found = night(scores, **CONTROLLED, columns={"household": "home"})
    rows = found.ledger.assign(home=scores.home)
    assert rows[rows.chosen | rows.control].home.is_unique


def test_exploration_is_random_recorded_and_has_its_share():
    nights = [
        night(customers(600), as_of=DAY + dt.timedelta(d), capacity=55, exploration=0.1) for d in range(12)
    ]
    counts = [int((n.ledger.explored & n.ledger.chosen).sum()) for n in nights]
    assert np.mean(counts) == pytest.approx(5.5, abs=0.6)
    assert set(counts) == {5, 6}
    drawn = [frozenset(n.ledger.customer_id[n.ledger.explored]) for n in nights]
    assert len(set(drawn)) == len(drawn)
    rows = nights[0].ledger
    waiting = rows[rows.eligible & ~(rows.chosen & ~rows.explored)]
    assert waiting.propensity.to_numpy() == pytest.approx(counts[0] / len(waiting))
    assert (rows.propensity[rows.chosen & ~rows.explored] == 1).all()


def test_the_recorded_propensity_is_how_often_it_happens():
    """Over many keys: the share of nights on the list equals the mean recorded chance."""
    scores, book = customers(60), playbook(call=action(), mail=action(channel="email", rate=0.05))
    limits = {
        "capacity": 12,
        "channel_capacity": {"phone": 6},
        "exploration": 0.4,
        "control": {"share": 0.25},
    }
    runs = [night(scores, book, key=f"key {i}".encode(), **limits).ledger for i in range(150)]
    happened = np.mean([r.chosen for r in runs], axis=0)
    recorded = np.mean([r.propensity for r in runs], axis=0)
    assert np.abs(happened - recorded).mean() < 0.05
    assert happened.mean() == pytest.approx(recorded.mean(), rel=0.06)


def test_too_many_candidates_are_sampled_for_the_random_part():
    found = night(customers(500), candidates=50, capacity=10, exploration=0.2)
    rows = found.ledger
    assert found.figures["candidates"] == 50
    assert len(found.chosen) == 10
    best = rows[rows.chosen & ~rows.explored]
    assert best.expected_gain.min() >= np.sort(rows.expected_gain.dropna())[-10]
    assert rows.propensity[rows.eligible & ~rows.chosen].mean() == pytest.approx(2 / 492, rel=0.2)


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
        listed=listed,
        opt_out={"email": "no_mail", "all": "never"},
        consent={"phone": "may_call"},
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
    assert units(scores, section) == ["household 0001", "customer 0001"]
