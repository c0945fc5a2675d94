import re

import numpy as np
import pandas as pd
import pytest

from configs.base import Range
from configs.errors import ConfigError
from configs.playbook import Playbook, load_playbook
from configs.sentence_fields import fields_of
from features.matrix import declared
from pipeline.languages.language import Language
from pipeline.outreach.playbook import check_playbook, fitting, masks, message, title

DRIVERS = {feature.driver for feature in declared()} | {"profile"}


def action(when, **changes):
    given = {
        "title": {"en": "Call"},
        "channel": "phone",
        "cost": 1,
        "save_rate": {"saved": 1, "lost": 9},
        "when": when,
        "message": {"en": ["Hello {name}.", "Quiet for {recency_days} days, {ratio:1} gaps."]},
    }
    return Playbook.model_validate({"actions": {"call": given | changes}}).actions["call"]


def fits(when, customers, drivers=None, probability=None, rank=None, **changes):
    n = len(customers)
    p = np.full(n, 0.5) if probability is None else np.array(probability)
    return fitting(
        action(when, **changes), customers, p, np.zeros(n) if rank is None else np.array(rank), drivers
    ).tolist()


def test_the_shipped_playbook_names_drivers_and_columns_that_exist():
    columns = {"tenure_days", "anniversary_days", "open_issue_count"} | {f.name for f in declared()}
    assert check_playbook(load_playbook(), columns) == ()


def test_actions_that_the_data_never_call_for_are_told():
    lines = check_playbook(load_playbook(), {"recency_days"}, DRIVERS)
    assert "action celebrate_milestone never fits: the data have no anniversary_days, tenure_days" in lines
    assert not any("write_after_silence" in line for line in lines)


def test_unknown_drivers_are_refused_with_the_nearest():
    book = Playbook(actions={"call": action([{"drivers": ["silense", "xyz"]}])})
    with pytest.raises(ConfigError) as caught:
        check_playbook(book, set(), {"silence"})
    assert [str(f) for f in caught.value.faults] == [
        "actions.call.when.drivers: unknown driver 'silense'; did you mean 'silence'?",
        "actions.call.when.drivers: unknown driver 'xyz'; known: silence",
    ]


CUSTOMERS = pd.DataFrame(
    {"gap": [10.0, 50.0, np.nan], "plan": pd.Categorical(["basic", "premium", None]), "left": [False] * 3}
)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ([{"columns": {"gap": {"above": 20}}}], [False, True, False]),
        ([{"columns": {"gap": {"above": 10, "below": 50}}}], [False, False, False]),
        ([{"segments": {"plan": ["basic", "gold"]}}], [True, False, False]),
        ([{"columns": {"absent": {"above": 0}}}], [False, False, False]),
        ([{"segments": {"absent": ["x"]}}], [False, False, False]),
        ([{"columns": {"gap": {"above": 20}}}, {"segments": {"plan": ["basic"]}}], [True, True, False]),
        ([{"columns": {"gap": {"above": 20}}, "segments": {"plan": ["basic"]}}], [False, False, False]),
    ],
)
def test_situations(when, expected):
    assert fits(when, CUSTOMERS, {}) == expected


def test_drivers_probability_and_value():
    drivers = masks([["silence"], ["spend", "silence"], ["tenure"]])
    assert fits([{"drivers": ["spend", "tenure"]}], CUSTOMERS, drivers) == [False, True, True]
    assert fits([{"drivers": ["never seen"]}], CUSTOMERS, drivers) == [False] * 3
    assert fits([{"drivers": ["spend"]}], CUSTOMERS, None) == [True] * 3
    assert fits([{"probability": {"above": 0.4}}], CUSTOMERS, {}, probability=[0.4, 0.5, 0.1]) == [
        False,
        True,
        False,
    ]
    assert fits([{"value_top": 0.2}], CUSTOMERS, {}, rank=[0.0, 0.2, 0.1]) == [True, False, True]


def test_reasons_that_speak_against_an_action():
    drivers = masks([["usage"], ["usage", "complaints"], ["complaints"]])
    when = [{"drivers": ["usage"], "without_drivers": ["complaints", "never seen"]}]
    assert fits(when, CUSTOMERS, drivers) == [True, False, False]
    assert fits(when, CUSTOMERS, None) == [True] * 3


def test_who_has_left_is_won_back_and_nothing_else():
    customers = CUSTOMERS.assign(left=[True, False, False])
    assert fits([{"value_top": 1.0}], customers, audience="left") == [True, False, False]
    assert fits([{"value_top": 1.0}], customers) == [False, True, True]


def test_a_sentence_without_its_number_is_left_out():
    call = action([{"value_top": 1}])
    row = {"name": "O'Neill, {x}", "recency_days": np.float32(1234.4), "ratio": 3.14}
    assert message(call, Language("en"), row) == "Hello O'Neill, {x}. Quiet for 1,234 days, 3.1 gaps."
    assert message(call, Language("en"), row | {"ratio": float("nan")}) == "Hello O'Neill, {x}."
    assert message(call, Language("fa"), {"name": "a\r\nb"}) == "Hello a b."
    assert title(call, Language("mr")) == "Call"


def test_numbers_wear_the_digits_of_the_language():
    said = {"en": "Day {a}", "fa": "روز {a} از 90، {b:1}", "mr": "दिवस {a} पैकी 90"}
    call = action([{"value_top": 1}], message=said)
    row = {"a": 12.0, "b": 1234.56}
    assert message(call, Language("fa"), row) == "روز ۱۲ از ۹۰، ۱٬۲۳۴٫۶"
    assert message(call, Language("mr"), row) == "दिवस १२ पैकी ९०"


def test_a_number_outside_its_range_is_not_told():
    call = action([{"value_top": 1}], message={"en": ["{recency_days:day} ago.", "How are you?"]})
    numbers = {"recency_days": Range(above=14)}
    assert message(call, Language("en"), {"recency_days": 15.0}, numbers) == "15 days ago. How are you?"
    for days in (2.0, 14.0, float("nan"), None, "many"):
        assert message(call, Language("en"), {"recency_days": days}, numbers) == "How are you?"


LOYAL = {
    "recency_days": 2, "recency_ratio": 0.3, "purchase_count_ever": 5, "purchase_tenure_days": 300,
    "tenure_days": 300, "anniversary_days": 65, "contact_gap_days": 9, "contact_gap_ratio": 0.5,
    "contact_outbound_gap_days": 9, "contact_people_count": 3, "feedback_silence_days": 20,
    "open_issue_count": 0, "resolve_wait_mean_days": 1, "usage_breadth": 5,
}  # fmt: skip


@pytest.mark.parametrize("probability", [0.05, 0.95])
def test_no_shipped_action_fits_who_has_no_reason_to_leave(probability):
    customer = pd.DataFrame([LOYAL])
    actions = load_playbook().actions.items()
    assert [n for n, a in actions if fitting(a, customer, np.array([probability]), np.zeros(1), {})[0]] == []


ODD = [float("nan"), float("inf"), None, pd.NaT, 0, 0.4, 1, 1.4, 2, 15, 100.5, 12_345]
WRONG = re.compile(
    r"nan|None|NaT|\binf\b|[{}]|\b1 \w+s\b|\b([02-9]|\d{2,}) (day|time|request)\b|\b0\b|\bno day", re.I
)


@pytest.mark.parametrize("name", load_playbook().actions)
def test_shipped_messages_stay_sentences_whatever_the_numbers_are(name):
    book = load_playbook()
    sentences = book.actions[name].message["en"]
    columns = {column for text in sentences for _, column, _ in fields_of(text) if column}
    for number in ODD:
        text = message(book.actions[name], Language("en"), dict.fromkeys(columns, number), book.numbers)
        assert text.endswith((".", "?", "!"))
        assert not WRONG.search(text), text


def test_own_texts_come_before_those_of_the_catalogue():
    shipped = load_playbook().actions["win_back"]
    own = shipped.model_copy(update={"title": {**shipped.title, "fa": "برگرد"}})
    assert title(own, Language("fa")) == "برگرد"
    assert title(shipped, Language("fa")) == "بازگرداندن مشتری"
    assert message(shipped, Language("mr"), {}).startswith("तुमची उणीव जाणवते")
