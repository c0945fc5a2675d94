import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.playbook import Playbook, load_playbook
from features.matrix import declared
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


def test_who_has_left_is_won_back_and_nothing_else():
    customers = CUSTOMERS.assign(left=[True, False, False])
    assert fits([{"value_top": 1.0}], customers, audience="left") == [True, False, False]
    assert fits([{"value_top": 1.0}], customers) == [False, True, True]


def test_a_sentence_without_its_number_is_left_out():
    call = action([{"value_top": 1}])
    row = {"name": "O'Neill, {x}", "recency_days": np.float32(1234.4), "ratio": 3.14}
    assert message(call, "en", row) == "Hello O'Neill, {x}. Quiet for 1,234 days, 3.1 gaps."
    assert message(call, "en", row | {"ratio": float("nan")}) == "Hello O'Neill, {x}."
    assert message(call, "fa", {"name": "a\r\nb"}) == "Hello a b."
    assert title(call, "mr") == "Call"


def test_numbers_wear_the_digits_of_the_language():
    actions = load_playbook().actions
    row = {"usage_active_days_90d": 12.0, "resolve_wait_mean_days": 1234.56}
    assert message(actions["education"], "fa", row).startswith("در ۹۰ روز گذشته ۱۲ روز")
    assert message(actions["education"], "mr", row).startswith("मागील ९० दिवसांपैकी १२ दिवस")
    assert "۱٬۲۳۴٫۶ روز" in message(actions["faster_support"], "fa", row)
