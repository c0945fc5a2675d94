"""Who enters and leaves the list by a change, and why: two nights of a company of six."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from pipeline.planning.plan import changes_of

NO = None
FULL, GAIN = "capacity or budget used up", "no action is worth its cost"


def night(*rows):
    """Of each customer: id, action when listed, gain, rules when not listed."""
    frame = pd.DataFrame(rows, columns=["customer_id", "action", "expected_gain", "rules"])
    listed = frame["rules"].isna()
    ledger = frame.assign(chosen=listed, expected_gain=frame["expected_gain"].astype(float))
    suppressed = frame.loc[~listed, ["customer_id", "rules"]]
    return SimpleNamespace(
        decision=SimpleNamespace(ledger=ledger.drop(columns="rules"), suppressed=suppressed)
    )


BEFORE = night(
    ("a", "call", 9.0, NO),
    ("b", "call", 8.0, NO),
    ("c", "mail", 7.0, NO),
    ("d", NO, 6.0, FULL),
    ("e", NO, np.nan, GAIN),
    ("f", "mail", 5.0, "control group"),
)


def told(now):
    found = changes_of(BEFORE, now).astype(object)
    return [tuple(None if pd.isna(x) else x for x in row) for row in found.itertuples(index=False)]


def test_the_same_night_changes_nothing():
    assert told(BEFORE) == []


def test_a_larger_list_takes_whom_there_was_no_room_for():
    now = night(
        ("a", "call", 9.0, NO),
        ("b", "call", 8.0, NO),
        ("c", "mail", 7.0, NO),
        ("d", "mail", 6.0, NO),
        ("e", NO, np.nan, GAIN),
        ("f", "mail", 5.0, "control group"),
    )
    assert told(now) == [
        ("enters", "d", None, "mail", 6.0, 6.0, "before: capacity or budget used up by others"),
    ]


def test_dearer_calls_and_cheaper_mails():
    now = night(
        ("a", "mail", 5.0, NO),
        ("b", NO, np.nan, GAIN),
        ("c", "mail", 8.0, NO),
        ("d", NO, 2.0, FULL),
        ("e", "mail", 1.0, NO),
        ("f", "mail", 6.0, NO),
    )
    assert told(now) == [
        ("enters", "f", None, "mail", 5.0, 6.0, "before: control group"),
        ("enters", "e", None, "mail", None, 1.0, "before: no action is worth its cost"),
        ("leaves", "b", "call", None, 8.0, None, "no action is worth its cost"),
        ("other action", "a", "call", "mail", 9.0, 5.0, "the other action gains more now"),
    ]


def test_who_enters_to_be_tried_does_not_enter_for_a_gain():
    now = night(
        ("a", "call", 9.0, NO),
        ("b", "call", 8.0, NO),
        ("c", "mail", 7.0, NO),
        ("d", NO, 6.0, FULL),
        ("e", "mail", -2.3, NO),
        ("f", NO, 5.0, "control group"),
    )
    why = "tried: nothing is expected of it, and it could gain"
    assert told(now) == [("enters", "e", None, "mail", None, -2.3, why)]


def test_who_is_overtaken_leaves_because_others_gain_more():
    now = night(
        ("a", "call", 9.0, NO),
        ("b", "call", 8.0, NO),
        ("c", NO, 5.5, FULL),
        ("d", "mail", 6.5, NO),
        ("e", NO, np.nan, GAIN),
        ("f", "mail", 5.0, "control group"),
    )
    assert told(now) == [
        ("enters", "d", None, "mail", 6.0, 6.5, "gains more than before"),
        ("leaves", "c", "mail", None, 7.0, 5.5, "gains less than others now"),
    ]
