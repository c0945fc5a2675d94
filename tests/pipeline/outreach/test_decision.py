"""A selection as tables: in which words each owner reads, every rule that applied, and what the ledger keeps of it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outreach_data import DAY, action, contacts, context, customers, night, playbook, rules

from pipeline.outreach.decision import LIST_COLUMNS
from pipeline.outreach.eligibility import Rule
from pipeline.outreach.reasons import Reason

FULL = {"start": "full", "capacity": 100}


def listed(**given):
    return night(customers(6), playbook(call=action(), mail=action(channel="email", cost=0.0)), **given)


def test_the_list_has_its_columns_in_their_order_best_first():
    found = listed().chosen
    assert set(found.columns) == LIST_COLUMNS
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert found["expected_gain"].is_monotonic_decreasing
    np.testing.assert_allclose(found["value_at_risk"], found["churn_probability"] * found["value"])


def test_due_dates_follow_the_action():
    book = playbook(call=action(within_days=1))
    assert set(night(customers(3), book).chosen["due_date"]) == {pd.Timestamp(DAY + dt.timedelta(days=1))}


def test_each_owner_reads_in_the_own_language():
    book = playbook(
        call=action(title={"en": "Call", "fa": "تماس"}, message={"en": "Call them.", "fa": "زنگ بزنید."})
    )
    frame = customers(2, owner=["Ana", "Reza"])
    found = night(frame, book, columns={"owner": "owner"}, owner_languages={"Reza": "fa"}).chosen
    told = {row.owner: (row.title, row.message) for row in found.itertuples()}
    assert told == {"Ana": ("Call", "Call them."), "Reza": ("تماس", "زنگ بزنید.")}


def test_owners_without_a_language_read_in_the_companys():
    found = context(owner_languages={"Reza": "fa"})
    assert (found.language_of("Ana").code, found.language_of().code) == ("en", "en")
    assert found.language_of("Reza").code == "fa"


def test_the_channels_are_the_playbooks_each_once():
    book = playbook(a=action("phone"), b=action("email"), c=action("phone"))
    assert context(book).channels == ["email", "phone"]
    assert [a.channel for a in context(book).actions] == ["phone", "email", "phone"]


def test_a_message_counts_days_since_the_contact_on_record():
    book = playbook(call=action(message={"en": "Last heard {contact_gap_days} days ago."}))
    past = contacts(("0000", "2026-06-01", "email", "outbound", "Eva"))
    found = night(customers(1), book, contacts=past).chosen.iloc[0]
    assert found.message == "Last heard 30 days ago."
    assert (found.contact_gap_days, found.last_contact) == (30, pd.Timestamp("2026-06-01"))
    # A reason of the same row counts from the hour, too.
    late = contacts(("0000", "2026-06-01 23:00", "email", "outbound", "Eva"))
    assert night(customers(1), book, contacts=late).chosen.iloc[0].message == "Last heard 29 days ago."


def test_columns_of_an_import_stand_behind_the_others():
    frame = customers(2, hubspot_id=["h0", "h1"], unused=["x", "y"])
    found = night(frame, crm={"hubspot": {"Record ID": "hubspot_id", "Task": "title"}}).chosen
    assert found.columns[-1] == "hubspot_id"
    assert "unused" not in found
    assert dict(zip(found.customer_id, found.hubspot_id, strict=True)) == {"0000": "h0", "0001": "h1"}


def test_the_name_by_which_messages_speak_is_the_column_that_the_config_says():
    book = playbook(call=action(message={"en": "Ask for {name}."}))
    found = night(customers(1, full_name=["Zoë"]), book, columns={"name": "full_name"}).chosen
    assert found.message.tolist() == ["Ask for Zoë."]


def test_who_is_not_listed_has_the_rule_that_kept_them_off():
    frame = customers(4, churn_probability=[0.5] * 4, spend_sum_180d=[900.0, 800.0, 1.0, 700.0])
    why = {"0003": (Reason("spend", "because of spend", 0.5),)}  # no action answers it
    found = night(frame, why=why, capacity=1, start="full")
    assert found.chosen.customer_id.tolist() == ["0000"]
    assert rules(found) == {"0001": Rule.FULL, "0002": Rule.NO_GAIN, "0003": Rule.NO_ACTION}


def test_all_rules_of_a_customer_are_told_together():
    frame = customers(2, out=[True, False])
    told = rules(night(frame, do_not_contact=["0000"], opt_out={"all": "out"}, **FULL))
    assert told == {"0000": f"{Rule.DO_NOT_CONTACT}; {Rule.OPTED_OUT}; {Rule.NO_ACTION}"}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.sampled_from([0.0, 0.2, 0.5]))
def test_everybody_is_on_the_list_or_left_out_once_and_the_ledger_agrees(seed, n, share):
    found = night(
        customers(n, seed), control={"share": share}, capacity=5, start="full", key=str(seed).encode()
    )
    on, off = set(found.chosen.customer_id), list(found.suppressed.customer_id)
    assert len(off) == len(set(off))
    assert on.isdisjoint(off)
    assert len(on) + len(off) == n
    rows = found.ledger.set_index("customer_id")
    assert set(rows.index[rows.chosen]) == on
    assert not (rows.chosen & rows.control).any()
    assert ((rows.propensity > 0) | ~rows.chosen).all()
    assert rows.action[rows.chosen].notna().all()
    assert rows.action[~(rows.chosen | rows.control)].isna().all()
    assert found.suppressed.rules.str.len().gt(0).all()


def test_the_ledger_keeps_the_reasons_of_all_who_competed():
    why = {"0000": (Reason("silence", "quiet for long", 0.5), Reason("spend", "spends less", 0.2))}
    found = night(customers(2), why=why, capacity=1, start="full").ledger.set_index("customer_id")
    assert found.reasons["0000"].count("quiet for long") == 1
    assert "spends less" in found.reasons["0000"]
    assert found.reasons["0001"] == "because of silence"


def test_figures_are_those_of_the_tables():
    found = night(customers(40), control={"share": 0.3}, capacity=10, start="full")
    told = found.figures
    assert told["listed"] == len(found.chosen)
    assert told["left_alone"] == int(found.ledger.control.sum())
    assert told["expected_gain"] == pytest.approx(found.chosen.expected_gain.sum())
    assert told["cost"] == pytest.approx(1.0 * len(found.chosen))
    assert told["trial"] == int((found.ledger.trial & found.ledger.chosen).sum())
    assert told["first_choice_gain"] <= told["first_choice_bound"] + 1e-9
    assert "key" not in told["control"]


def test_what_a_trial_may_cost_is_told_in_money_where_there_is_money():
    found = night(customers(800), control={"share": 0.2}, capacity=100)
    trial = found.figures["trial"]
    assert trial > 0
    (line,) = [line for line in found.notes if line.startswith("trial: ")]
    start = (
        f"trial: {trial} of {len(found.chosen)} contacts try what is not sure yet; they cost {trial:.2f}, "
    )
    assert line.startswith(f"{start}and at worst ")
    bare = customers(800).drop(columns=["spend_sum_180d", "net_spend_180d", "net_spend_before_180d"])
    (free,) = [line for line in night(bare, control={"share": 0.2}, capacity=100).notes if "trial: " in line]
    assert free.endswith(" contacts try what is not sure yet")
