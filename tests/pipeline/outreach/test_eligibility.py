"""Who may be contacted at all: every rule by a literal customer, its edge on both sides."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import DataError
from configs.outreach import Outreach
from pipeline.outreach.eligibility import (
    NO,
    YES,
    Rule,
    asks_consent,
    blocked,
    check_columns,
    contact_units,
    joined,
    open_channels,
    said_yes,
)

TODAY = dt.date(2024, 3, 31)
CHANNELS = ["phone", "email"]


def ago(days):
    return TODAY - dt.timedelta(days=days)


def rules_of(*, settings=None, history=None, stopped=(), open_=None, unrecorded=None, hold=60, **facts):
    """The rules that stand against each of the customers a, b, c; facts are a value each."""
    n = 3
    customers = pd.DataFrame({"customer_id": list("abc"), "home": ["h", "h", None]})
    usual = {"open_complaint": [False] * n, "quiet_until": [pd.NaT] * n, "recent_contacts": [0] * n}
    known = pd.DataFrame({**usual, **facts}).astype({"quiet_until": "datetime64[ns]"})
    channels = np.ones((n, 2), bool) if open_ is None else open_
    found = blocked(
        customers, known, channels, history, stopped, settings or Outreach(), TODAY, hold, unrecorded
    )
    return {name: mask.tolist() for name, mask in found.items() if mask.any()}


def past(*rows, trial=False):
    return pd.DataFrame(rows, columns=["customer_id", "as_of", "control", "usual"]).assign(trial=trial)


def test_nothing_stands_against_a_customer_of_whom_nothing_is_known():
    assert rules_of() == {}


def test_the_do_not_contact_list_and_closed_channels():
    assert rules_of(stopped={"b", "x"}) == {Rule.DO_NOT_CONTACT: [False, True, False]}
    channels = np.array([[0, 0], [0, 1], [1, 1]], bool)
    assert rules_of(open_=channels) == {Rule.OPTED_OUT: [True, False, False]}


def test_quiet_time_ends_on_its_last_day_and_too_many_begins_at_the_number():
    most = Outreach().max_contacts.count
    quiet = [ago(-1), ago(0), ago(1)]
    assert rules_of(quiet_until=quiet) == {Rule.QUIET: [True, False, False]}
    assert rules_of(recent_contacts=[most, most - 1, 0]) == {Rule.TOO_MANY: [True, False, False]}


def test_an_open_complaint_is_heard_at_any_time_but_for_a_list_that_was_made_lately():
    days = Outreach().repeat_days
    history = past(("a", ago(1), True, False), ("b", ago(1), True, True), ("c", ago(days - 1), False, False))
    busy = {"quiet_until": [ago(-9)] * 3, "recent_contacts": [99] * 3}
    assert rules_of(history=history, open_complaint=[True] * 3, **busy) == {Rule.REPEAT: [False, False, True]}
    calm = rules_of(history=history, **busy)
    assert set(calm) == {Rule.QUIET, Rule.TOO_MANY, Rule.REPEAT, Rule.HELD, Rule.USUAL}


@pytest.mark.parametrize(("days", "held"), [(59, True), (60, False)])
def test_who_is_left_alone_stays_so_until_the_outcome_is_known(days, held):
    history = past(
        ("a", ago(days), True, False), ("b", ago(days), True, True), ("c", ago(days), False, False)
    )
    found = rules_of(history=history)
    assert found.get(Rule.HELD, [False])[0] == held
    assert found.get(Rule.USUAL, [False, False])[1] == held
    assert Rule.REPEAT not in found


@pytest.mark.parametrize(("trial", "hold"), [(False, 0), (True, 0), (True, 60)])
@pytest.mark.parametrize("rule", [Rule.REPEAT, Rule.HELD, Rule.USUAL])
def test_a_recommendation_is_not_repeated_for_some_days_nor_is_who_was_left_alone_for_a_trial(
    rule, trial, hold
):
    days, control, usual = Outreach().repeat_days, rule is not Rule.REPEAT, rule is Rule.USUAL
    history = past(("a", ago(days - 1), control, usual), ("b", ago(days), control, usual), trial=trial)
    assert rules_of(history=history, hold=hold) == {rule: [True, False, False]}


def test_the_newest_night_counts_and_one_of_today_does_not():
    history = past(("a", ago(90), True, False), ("a", ago(10), True, False), ("b", ago(0), True, False))
    assert rules_of(history=history, hold=60)[Rule.HELD] == [True, False, False]


def test_one_contact_rests_the_household():
    settings = Outreach(columns={"household": "home"})
    history = past(("a", ago(1), False, False), ("c", ago(99), False, False))
    assert rules_of(history=history, settings=settings) == {Rule.REPEAT: [True, True, False]}
    people = pd.DataFrame({"customer_id": ["a", "b", "h"], "home": ["h", " ", None]})
    assert contact_units(people, settings) == ["household h", "customer b", "customer h"]
    assert contact_units(people, Outreach()) == ["customer a", "customer b", "customer h"]


def test_without_a_record_nobody_is_contacted_where_the_config_asks_for_consent():
    lost = np.array([True, False, False])
    asks = Outreach(consent={"email": "mails"})
    assert asks_consent(asks)
    assert not asks_consent(Outreach())
    assert rules_of(settings=asks, unrecorded=lost) == {Rule.NO_RECORD: [True, False, False]}
    assert rules_of(unrecorded=lost) == {}


def test_an_opt_out_closes_a_channel_unless_it_says_no_and_consent_opens_it_only_by_yes():
    words = ["yes", "no", "perhaps", None]
    people = pd.DataFrame({"stop": words, "may": words})

    def opened(**settings):
        return open_channels(CHANNELS, people, Outreach(**settings)).T.tolist()

    phone, email = opened(opt_out={"phone": "stop"}, consent={"email": "may"})
    assert phone == [False, True, False, True]
    assert email == [True, False, False, False]
    assert opened(opt_out={"all": "stop"}) == [phone, phone]
    assert opened(opt_out={"phone": "stop"}, consent={"phone": "may"})[0] == [False] * 4


@given(st.sampled_from(sorted(YES | NO - {""})), st.sampled_from([str.upper, str.title, "  {} ".format]))
def test_yes_and_no_are_read_in_any_case_and_with_blanks_around(word, changed):
    column = pd.Series([changed(word), changed(word)])
    for unknown in (True, False):
        assert said_yes(column, unknown=unknown, missing=False).tolist() == [word in YES] * 2


def test_words_of_mail_tools_say_the_same_in_columns_of_consents_and_of_opt_outs():
    words = ["SUBSCRIBED", "Opted-in", "UNSUBSCRIBED", "never subscribed", "revoked", "pending", None]
    column = pd.Series(words)
    assert said_yes(column, unknown=False, missing=False).tolist() == [True] * 2 + [False] * 5
    assert said_yes(column, unknown=True, missing=False).tolist() == [False] * 2 + [True] * 4 + [False]


def test_every_column_that_is_not_there_is_named_at_once():
    settings = Outreach(
        columns={"owner": "owner", "name": "nme"}, opt_out={"email": "stop"}, value={"segment": "plan"}
    )
    check_columns(["owner", "nme", "stop", "plan"], settings)
    with pytest.raises(DataError) as error:
        check_columns(["owner", "name"], settings)
    assert [(fault.where, fault.fix) for fault in error.value.faults] == [
        ("outreach.columns.name", "did you mean 'name'?"),
        ("outreach.opt_out.email", "add it to the attributes of sources.customers"),
        ("outreach.value.segment", "add it to the attributes of sources.customers"),
    ]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=6))
def test_all_rules_of_a_customer_are_said_in_their_order(rows):
    names = [Rule.QUIET, Rule.FULL, Rule.USUAL]
    masks = {rule: np.array([row[i] for row in rows], bool) for i, rule in enumerate(names)}
    said = ["; ".join(rule for rule, there in zip(names, row, strict=True) if there) for row in rows]
    assert joined(masks, len(rows)).tolist() == said
