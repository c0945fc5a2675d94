"""Which recorded customers other rules would have contacted, and what that brought."""

import numpy as np
import pandas as pd
import pytest

from configs.outreach import Outreach
from configs.playbook import Playbook
from pipeline.planning.past import Rules, _Judged, effects_out_of_fold, past


def book(**costs):
    """Actions by name; each has a channel of its name."""
    return Playbook.model_validate(
        {
            "actions": {
                name: {
                    "title": {"en": "Do it"},
                    "channel": name,
                    "cost": cost,
                    "save_rate": {"saved": 10, "lost": 90},
                    "when": [{"drivers": ["silence"]}],
                    "message": {"en": "Quiet."},
                }
                for name, cost in costs.items()
            }
        }
    )


def rules(capacity=10, channels=None, **costs):
    settings = Outreach(capacity=capacity, channel_capacity=channels or {})
    return Rules(settings, book(**costs), typical=100.0, priced=True)


# One night; worth 100 each. Effects of a call and a mail, as they are believed without the row.
ROWS = pd.DataFrame(
    {
        "as_of": ["2026-01-05"] * 4,
        "customer_id": ["a", "b", "c", "d"],
        "action": ["call", "call", "mail", "call"],
        "channel": ["call", "call", "mail", "call"],
        "propensity": [0.5, 0.5, 0.5, 0.5],
        "value": [100.0] * 4,
    }
)
EFFECT = np.array([[0.40, 0.05], [0.30, 0.28], [0.35, 0.20], [0.02, 0.01]])
ALL = np.ones(4, bool)


def chosen(new, old=None):
    before = None if old is None else _Judged(old, ROWS, EFFECT)
    return "".join(ROWS["customer_id"][_Judged(new, ROWS, EFFECT).chosen(ALL, before)])


def test_who_gains_nothing_is_not_chosen():
    assert chosen(rules(call=5, mail=1)) == "abc"  # d: .02 x 100 - 5 < 0


def test_capacity_is_filled_by_gain_and_a_row_uses_its_chance_of_a_contact():
    assert (
        chosen(rules(capacity=1, call=5, mail=1)) == "ab"
    )  # gains 35, 25 and 19; two halves are one contact


def test_a_channel_has_its_own_capacity():
    assert chosen(rules(channels={"call": 0}, call=5, mail=1)) == "c"


def test_a_budget_is_kept():
    settings = Outreach(capacity=10, budget=2.5)
    assert chosen(Rules(settings, book(call=5, mail=1), 100.0, priced=True)) == "a"


def test_a_dearer_action_loses_those_for_whom_another_gains_more_now():
    old = rules(call=1, mail=1)
    assert chosen(old) == "abcd"
    # b gained more by a call before, and by a mail now: nothing is known of b and a mail. c gained more by a call
    # before too and got the mail: so no call was open to c.
    assert chosen(rules(call=5, mail=1), old) == "ac"


def test_an_action_that_is_gone_or_moved_to_another_channel_tells_nothing():
    effect = EFFECT[:, :1]
    judged = _Judged(rules(call=5), ROWS, effect)
    assert "".join(ROWS["customer_id"][judged.chosen(ALL, None)]) == "ab"


def _recorded(effect_of_calls, n=1200, seed=3):
    """Randomised rows: the calls of the wavering (p = .5) prevent, those of the rest do nothing."""
    rng = np.random.default_rng(seed)
    p = np.where(np.arange(n) % 2, 0.5, 0.1)
    listed = rng.random(n) < 0.5
    effect = np.where(p == 0.5, effect_of_calls, 0.0)
    kept = (rng.random(n) < 1 - p + effect * (listed - 0.5)) * 1.0
    return pd.DataFrame(
        {
            "as_of": pd.to_datetime("2026-01-05") + pd.to_timedelta(7 * (np.arange(n) % 10), unit="D"),
            "customer_id": [str(i) for i in range(n)],
            "churn_probability": p,
            "chosen": listed,
            "propensity": 0.5,
            "action": "call",
            "channel": "call",
            "value": 100.0,
            "inputs": [[("churn_probability", x), ("rest", 1.0)] for x in p],
            "residual": kept - (1 - p),
            "noise": p * (1 - p),
            "shown": 1.0,
            "there_residual": kept - (1 - p),
            "there_noise": p * (1 - p),
            "there_shown": 1.0,
            "mature": True,
            "who": np.arange(n),
        }
    )


def test_rows_whose_window_has_not_passed_are_not_judged():
    rows = _recorded(0.4).assign(mature=False)
    found = past(rows, rules(call=0.0), rules(call=1.0))
    assert found.rows == 0
    assert not found.parts["now"].said


def test_a_row_has_no_part_in_what_is_believed_of_it():
    """Another outcome of one customer changes what is believed of others, and nothing of the customer's own."""
    rows = _recorded(0.4)
    first = effects_out_of_fold(rows, book(call=1))
    changed = rows.copy()
    changed.loc[7, ["residual", "there_residual"]] = 50.0
    second = effects_out_of_fold(changed, book(call=1))
    assert second[7] == pytest.approx(first[7])
    assert abs(second - first).max() > 0.01
