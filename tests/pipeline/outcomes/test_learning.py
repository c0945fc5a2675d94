"""From the rows of the ledger and what happened to what is believed and proven."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from outcomes_data import ACTION, NIGHT, after, night, record, subscribers

from configs.playbook import load_playbook
from pipeline.layout import layout_of
from pipeline.outcomes import learned
from pipeline.outcomes.learning import drawn_of, expected_rows, has_news, judged_rows, learn, proven
from pipeline.sources.opening import open_sources

LATER = dt.date(2026, 3, 1)
FOUR = np.arange(4)


def judge(config, as_of=LATER):
    return judged_rows(open_sources(config, as_of), config, layout_of(config).ledger, as_of)


def test_rows_of_the_ledger_and_what_became_of_them(tiny):
    """Customer 0 is listed and stays, 1 is listed and leaves, 2 is left alone and leaves, nobody drew for 3."""
    config = subscribers(tiny, [None, "2026-01-20", "2026-01-20", None])
    record(config, night(4, listed=FOUR < 2, alone=FOUR == 2))
    rows = judge(config)
    assert rows[["customer_id", "chosen", "kept", "mature", "shown", "who"]].to_numpy().tolist() == [
        ["0000", True, 1.0, True, 1.0, 0],
        ["0001", True, 0.0, True, 1.0, 1],
        ["0002", False, 0.0, True, 1.0, 2],
    ]
    expected = rows["kept"] - rows["residual"]
    assert expected.nunique() == 1  # the same chance and age
    assert rows["noise"].tolist() == pytest.approx(list(expected * (1 - expected)))


def test_a_window_that_has_not_passed_counts_as_far_as_it_goes(tiny):
    config = subscribers(tiny, [None, "2026-01-20", "2026-01-20", None])
    record(config, night(4, listed=FOUR < 2, alone=FOUR == 2))
    early, soon = judge(config, NIGHT + dt.timedelta(10)), judge(config, NIGHT + dt.timedelta(20))
    assert early["kept"].tolist() == [1, 1, 1]
    assert soon["kept"].tolist() == [1, 0, 0]
    assert not soon["mature"].any()
    assert soon["age"].tolist() == [20] * 3
    assert ((early["shown"] < soon["shown"]) & (soon["shown"] < 1)).all()
    assert len(judge(config, NIGHT + dt.timedelta(6))) == 0  # says next to nothing


def test_nothing_that_happens_on_the_day_or_later_is_seen(tiny):
    day = NIGHT + dt.timedelta(15)
    ended = [None, day.isoformat(), (day - dt.timedelta(1)).isoformat(), None]
    config = subscribers(tiny, ended)
    record(config, night(4, listed=FOUR < 2, alone=FOUR >= 2))
    assert judge(config, day)["kept"].tolist() == [1, 1, 0, 1]
    record(config, night(4, listed=FOUR < 2, alone=FOUR >= 2), day)
    record(config, night(4, listed=FOUR < 2, alone=FOUR >= 2), day + dt.timedelta(40))
    assert set(judge(config, day)["as_of"]) == {NIGHT}


def test_of_purchases_one_within_the_window_so_far_is_enough(tiny):
    bought = ["0000,2025-12-01", "0001,2025-12-01", "0000,2026-01-15", "0001,2026-01-27"]
    config = tiny(transactions="customer_id,occurred_at\n" + "\n".join(bought) + "\n")
    record(config, night(2, listed=[True, False], alone=[False, True]))
    assert judge(config, NIGHT + dt.timedelta(20))["kept"].tolist() == [1, 0]
    assert judge(config, NIGHT + dt.timedelta(30))["kept"].tolist() == [1, 1]


def test_censored_customers_teach_nothing(tiny):
    """An ending that does not count as churn, and a customer who is no longer in the source."""
    people = "customer_id,started_at,ended_at,end_reason\n"
    people += "0000,2025-01-01,2026-01-20,died\n0001,2025-01-01,2026-01-20,price\n0002,2025-01-01,,\n"
    config = tiny(kind="contractual", customers=people, churn={"not_churn_reasons": ["died"]})
    record(config, night(4, listed=FOUR < 2, alone=FOUR >= 2))
    rows = judge(config)
    assert rows[["customer_id", "kept"]].to_numpy().tolist() == [["0001", 0.0], ["0002", 1.0]]


def test_who_had_left_before_the_list_is_won_back_or_lost(tiny):
    """0 has a contract again, 1 has none; 2 was no customer, and nobody knows why it is in the ledger."""
    rows = "customer_id,started_at,ended_at\n0000,2026-01-20,\n"
    rows += "".join(f"{who},2025-01-01,2026-01-02\n" for who in ("0000", "0001", "0002"))
    config = tiny(kind="contractual", customers="customer_id\n0000\n0001\n0002\n", contracts=rows)
    left = np.array([1.0, 1.0, 0.0])
    record(config, night(3, listed=[True, False, True], alone=[False, True, False], left=left))
    assert judge(config)[["customer_id", "kept"]].to_numpy().tolist() == [["0000", 1.0], ["0001", 0.0]]


def test_nights_of_an_earlier_version_teach_nothing(tiny):
    config = subscribers(tiny, [None] * 4)
    record(config, night(4, listed=FOUR < 2, alone=FOUR >= 2).assign(trial=None, usual=None, inputs=None))
    found, rows = learn(open_sources(config, LATER), config, layout_of(config).ledger, LATER)
    assert len(rows) == found.effect.rows == 0
    assert not found.bounds["all"].rows


def test_the_model_takes_rows_that_were_drawn_of_actions_that_still_exist(tiny):
    config = subscribers(tiny, [None] * 6)
    rows = night(6, listed=np.arange(6) < 3, alone=np.arange(6) >= 3, plan=np.arange(6))
    rows.loc[1, "action"] = "no_more"
    rows.loc[2, "propensity"] = 1.0  # an open complaint
    rows.at[3, "inputs"] = None
    record(config, rows)
    some = drawn_of(judge(config), tuple(load_playbook().actions))
    assert some.treated.tolist() == [1, 0, 0]
    assert some.propensity.tolist() == [0.5] * 3
    assert some.situation.inputs["plan"].tolist() == [0, 4, 5]
    assert {list(load_playbook().actions)[a] for a in some.action} == {ACTION}


def trial(tiny, kept_listed, kept_alone, n=400, days=15):
    """Half listed, half left alone; shares of them stay."""
    listed = np.arange(n) % 2 == 0
    rank = np.arange(n) // 2 / (n / 2)
    leaves = rank >= np.where(listed, kept_listed, kept_alone)
    config = subscribers(tiny, after(days, leaves))
    record(config, night(n, listed, ~listed, probability=1 - kept_alone))
    return config


def test_a_contact_that_keeps_and_one_that_drives_away(tiny):
    config = trial(tiny, kept_listed=0.8, kept_alone=0.5)
    found, rows = learn(open_sources(config, LATER), config, layout_of(config).ledger, LATER)
    assert found.bounds["all"].estimate == pytest.approx(0.3)
    assert found.bounds["all"].helps
    assert found.bounds[ACTION].helps
    worse = trial(tiny, kept_listed=0.3, kept_alone=0.6)
    harm, rows = learn(open_sources(worse, LATER), worse, layout_of(worse).ledger, LATER)
    assert harm.bounds["all"].harms
    drawn = drawn_of(rows, harm.effect.actions)
    number = harm.effect.actions.index(ACTION)
    assert (harm.effect.effect(drawn.situation, [number])[0] < 0).all()
    assert (found.effect.effect(drawn.situation, [number])[0] > 0.05).all()


def test_no_effect_is_claimed_of_windows_that_have_not_passed(tiny):
    config = trial(tiny, kept_listed=0.9, kept_alone=0.2, days=8)
    day = NIGHT + dt.timedelta(20)
    found, _ = learn(open_sources(config, day), config, layout_of(config).ledger, day)
    assert found.bounds["all"].rows == 0
    assert found.effect.rows > 0  # what shows so far is learned from


def test_what_was_resumed_counts_newer_rows_only(tiny):
    config = trial(tiny, kept_listed=0.3, kept_alone=0.6)
    rows = judge(config)
    assert proven(rows, config, {})["all"].harms
    assert proven(rows, config, {"all": NIGHT})["all"].harms
    fresh = proven(rows, config, {"all": NIGHT + dt.timedelta(1)})
    assert fresh["all"].rows == 0
    assert fresh[ACTION].harms
    learned.resume_learned(layout_of(config).ledger, "all", LATER)
    found, _ = learn(open_sources(config, LATER), config, layout_of(config).ledger, LATER)
    assert not found.bounds["all"].harms
    day = LATER - dt.timedelta(1)  # as if it were the day before: nobody had resumed it
    found, _ = learn(open_sources(config, day), config, layout_of(config).ledger, day)
    assert found.bounds["all"].harms


def test_rows_of_a_year_are_foreseen_from_the_first_window_alone(tiny):
    config = subscribers(tiny, [None] * 4)
    days = [0, 10, 29, 30, 200]
    rows = pd.DataFrame({"as_of": [NIGHT + dt.timedelta(d) for d in days], "propensity": 0.5})
    assert expected_rows(rows, config) == pytest.approx(3 * 365 / 30)
    # Who is listed for certain, because of an open complaint, is no randomised row.
    assert expected_rows(rows.assign(propensity=[0.5, 1.0, 0.5, 0.5, 0.5]), config) == pytest.approx(
        2 * 365 / 30
    )
    assert expected_rows(rows[:0], config) == 0


def test_what_was_learned_is_kept_beside_the_ledger(tiny):
    config = trial(tiny, kept_listed=0.8, kept_alone=0.5)
    found, _ = learn(open_sources(config, LATER), config, layout_of(config).ledger, LATER)
    back = learned.read_learned(layout_of(config).ledger, load_playbook(), LATER)
    assert back.effect.to_json() == found.effect.to_json()
    assert back.bounds == found.bounds


def test_there_is_news_once_a_list_is_older_than_the_gap(tiny):
    config = subscribers(tiny, [None] * 4, churn={"gap_days": 5})
    folder = layout_of(config).ledger
    assert not has_news(folder, config, LATER)
    record(config, night(4, listed=FOUR < 2, alone=FOUR >= 2))
    assert [has_news(folder, config, NIGHT + dt.timedelta(d)) for d in (0, 5, 6)] == [False, False, True]
