"""What the model of an effect is told: rest, trouble, columns; and that the ledger gives back what it was given."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.outreach import Outreach
from pipeline.outcomes.situation import (
    CALLED,
    CHANCE,
    GONE,
    RECENT,
    REST,
    THERE,
    TOLD,
    from_record,
    inputs_of,
    recorded,
    rested,
    situation,
    told_us,
)

TODAY = dt.date(2024, 3, 31)
SETTINGS = Outreach(rhythm_days=15)
DAYS = SETTINGS.max_contacts.days


def facts(*rows):
    """Last contact of ours, contacts lately and the usual gap of the customers a, b, c, ..."""
    names = ["last_ours", "recent_contacts", "usual_gap_days"]
    frame = pd.DataFrame(rows, columns=names).astype({"last_ours": "datetime64[ns]", "usual_gap_days": float})
    return frame, pd.Series(list("abcdef")[: len(rows)])


def listed(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "as_of", "control"])


def test_rest_is_counted_in_the_usual_gap_within_three_times_the_agreed_one():
    known, ids = facts(
        ("2024-03-01", 1, 10.0),
        (None, 0, 10.0),
        ("2024-03-01", 0, None),
        ("2024-03-01", 0, 1.0),
        ("2024-03-01", 0, 900.0),
    )
    days, gaps, recent = rested(known, None, ids, SETTINGS, TODAY)
    assert days.tolist() == [30, np.inf, 30, 30, 30]
    assert gaps.tolist() == pytest.approx([3, np.inf, 2, 6, 30 / 45])
    assert recent.tolist() == [1, 0, 0, 0, 0]


def test_a_recommendation_counts_as_a_contact_and_a_draw_for_the_control_group_does_not():
    known, ids = facts(("2024-03-01", 1, None), (None, 0, None), (None, 0, None), ("2024-03-29", 0, None))
    old = TODAY - dt.timedelta(days=DAYS + 1)
    edge = TODAY - dt.timedelta(days=DAYS)
    history = listed(
        ("a", dt.date(2024, 3, 21), False),
        ("a", edge, False),
        ("b", old, False),
        ("c", dt.date(2024, 3, 30), True),
        ("d", dt.date(2024, 3, 11), False),
    )
    days, _, recent = rested(known, history, ids, SETTINGS, TODAY)
    assert days.tolist() == [10, DAYS + 1, np.inf, 2]
    assert recent.tolist() == [2, 0, 0, 1]


def test_a_contact_of_tomorrow_leaves_no_negative_rest():
    known, ids = facts(("2024-04-01", 1, None))
    assert rested(known, None, ids, SETTINGS, TODAY)[0].tolist() == [0]


def test_trouble_is_an_open_complaint_or_a_fresh_one_that_nobody_has_answered():
    frame = pd.DataFrame(
        {
            "complaint_count_90d": [1, 1, 0, 0, 1, 1, 1],
            "contact_inbound_gap_days": [0.0, 5.0, 5.0, 5.0, np.nan, 14.0, 28.0],
            "open_issue_count": [0, 0, 0, 2, 0, 0, 0],
        }
    )
    days = np.array([0.1, 5.0, 9.0, 0.0, 9.0, 99.0, 99.0])
    assert told_us(frame, days).tolist() == [1, 0, 0, 1, 0, 0.5, 0.25]
    assert told_us(frame.assign(open_issue_count=1), days).tolist() == [1] * 7
    forgotten = frame.assign(
        open_issue_count=1, contact_inbound_gap_days=[0.0, 90.0, 91.0, 700.0, np.nan, 5.0, 5.0]
    )
    assert told_us(forgotten, np.zeros(7)).tolist() == [1, 1, 0, 0, 1, 1, 1]
    assert told_us(frame[["open_issue_count"]], np.zeros(7)).tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert told_us(pd.DataFrame(index=range(2)), np.zeros(2)).tolist() == [0, 0]


def test_of_each_feature_one_window_and_of_each_word_a_yes_or_no():
    frame = pd.DataFrame(
        {
            "spend_sum_30d": [1.0, 2.0],
            "spend_sum_120d": [3.0, 4.0],
            "spend_sum_365d": [5.0, 6.0],
            "tenure_days": [7, 8],
            "plan": pd.Categorical(["gold", None], categories=["basic", "gold"]),
            "city": ["x", "y"],
        }
    )
    found = inputs_of(frame, [c for c in frame if c != "city"])
    assert found.to_dict("list") == {
        "spend_sum_120d": [3.0, 4.0],
        "tenure_days": [7.0, 8.0],
        "plan: gold": [1.0, 0.0],
    }
    many = pd.DataFrame({"word": [str(i) for i in range(9)]})
    assert inputs_of(many, ["word"]).shape == (9, 0)
    assert inputs_of(many.head(8), ["word"]).shape == (8, 8)


def test_who_has_left_wavers_and_is_there():
    frame = pd.DataFrame({CHANCE: [0.2, 0.9], THERE: [1.0, 0.4], GONE: [False, True]})
    found = situation(frame, pd.DataFrame(index=range(2)), np.array([2.0, 50.0]), np.zeros(2), np.zeros(2))
    assert found.there.tolist() == [1, 1]
    assert found.swing.tolist() == pytest.approx([2 * 0.4, 1.0])
    # The columns keep what was known, with rest bounded so that infinity is a number.
    assert found.inputs[CHANCE].tolist() == [0.2, 0.9]
    assert found.inputs[THERE].tolist() == [1.0, 0.4]
    assert found.inputs["rest"].tolist() == [2.0, 10.0]


NUMBERS = st.floats(0.01, 0.99)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(NUMBERS, NUMBERS, st.booleans(), st.floats(0, 400), st.integers(0, 5), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    gold=st.floats(-5, 5) | st.just(np.nan),
)
def test_the_ledger_gives_back_the_situation_that_it_was_given(rows, gold):
    chance, there, gone, rest, recent, told = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    frame = pd.DataFrame({CHANCE: chance, THERE: there, GONE: gone > 0})
    inputs = pd.DataFrame({"spend": np.append(np.full(len(rows) - 1, 1.0), gold)})
    given_ = situation(frame, inputs, rest, recent, told)
    back = from_record(recorded(given_, frame, rest, np.arange(len(rows))))
    for name in ("shape", "there", "swing", "told"):
        np.testing.assert_allclose(getattr(back, name), getattr(given_, name))
    shared = [c for c in given_.inputs if c in back.inputs]
    pd.testing.assert_frame_equal(back.inputs[shared], given_.inputs[shared], check_dtype=False)
    assert set(given_.inputs) - set(back.inputs) <= {"spend"}  # nobody has one


def test_an_older_record_without_what_came_later_is_read_with_the_usual():
    found = from_record([[(CHANCE, 0.3)]])
    assert found.there.tolist() == [1]
    assert found.told.tolist() == [0]
    assert found.inputs["rest"].tolist() == [10]


def test_a_record_of_before_a_column_was_kept_takes_what_is_usual():
    """Nobody was contacted, nothing told, nobody called, and everybody was there."""
    old = from_record([[(CHANCE, 0.3)], [(CHANCE, 0.4), ("x", 2.0)]])
    whole = [(THERE, 1.0), (REST, np.inf), (RECENT, 0.0), (TOLD, 0.0), (CALLED, 0.0), (GONE, 0.0)]
    new = from_record([[(CHANCE, 0.3), *whole], [(CHANCE, 0.4), *whole, ("x", 2.0)]])
    for name, value in vars(old).items():
        other = getattr(new, name)
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, other)
        else:
            np.testing.assert_array_equal(value, other)
    np.testing.assert_array_equal(old.called, np.zeros((2, 1)))
