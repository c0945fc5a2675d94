"""Features of people, points, seasons and streaks on tables that fit a screen."""

import datetime as dt

import pandas as pd
import pytest

from pipeline.dataset.matrix import build_matrix
from pipeline.sources.opening import open_sources

T = dt.date(2024, 7, 1)
PURCHASES = "customer_id,occurred_at\n1,2024-06-20\n"


def row(config, customer="1"):
    """The features of a customer at T."""
    frame = build_matrix(open_sources(config, T), config, [T]).frame
    return frame.set_index("customer_id").loc[customer].to_dict()


def test_people_on_both_sides_and_the_agent_that_changed(tiny):
    contacts = """customer_id,occurred_at,known_at,agent,contact_person
1,2024-01-01,2024-01-01,Ada,Eve
1,2024-02-01,2024-02-01,Ada,
1,2024-06-01,2024-06-11,Bo,Finn
1,2024-06-21,2024-06-21,Bo,Eve
1,2024-05-01,2024-07-02,Cyd,Gus
2,2024-03-01,2024-03-01,Ada,
"""
    config = tiny(transactions=f"{PURCHASES}2,2024-06-20\n", contacts=contacts)
    found = row(config)
    assert (found["contact_people_count"], found["contact_customer_people_count"]) == (2, 2)
    assert found["contact_new_person_days"] == 20  # Bo was known from 11 June on
    alone = row(config, "2")
    assert (alone["contact_people_count"], alone["contact_customer_people_count"]) == (1, 0)
    assert pd.isna(alone["contact_new_person_days"])


def test_points_of_the_lines_of_a_purchase_are_added(tiny):
    purchases = """customer_id,occurred_at,transaction_id,amount,points
1,2024-06-01,a,5,100
1,2024-06-01,a,6,50
1,2024-06-11,b,1,-30
2,2024-06-11,c,1,
"""
    config = tiny(transactions=purchases)
    found, never = row(config), row(config, "2")
    assert (found["points_balance"], found["points_redeemed_gap_days"]) == (120, 20)
    assert never["points_balance"] == 0
    assert pd.isna(never["points_redeemed_gap_days"])


@pytest.mark.parametrize(
    ("day", "ago", "season"),
    [
        ("2023-06-06", 0, 0),
        ("2023-06-07", 1, 0),
        ("2023-07-06", 1, 0),
        ("2023-07-07", None, 1),  # T less 360 days: a year is 12 periods of 30 days
        ("2023-08-05", None, 1),
        ("2023-08-06", None, None),
    ],
)
def test_the_same_days_a_year_before(tiny, day, ago, season):
    found = row(tiny(transactions=f"{PURCHASES}1,{day}\n"))
    wanted = {"purchase_count_year_ago_30d": ago, "purchase_count_season_30d": season}
    assert {k: None if pd.isna(found[k]) else found[k] for k in wanted} == wanted


def test_streak_breadth_and_decline_of_use(tiny):
    days = ["2024-01-02", "2024-04-02", "2024-05-10", "2024-06-10", "2024-06-30"]  # no use in March
    kinds = ["a", "b", "c", "a", "b"]
    usage = "customer_id,occurred_at,event\n" + "".join(
        f"1,{d},{k}\n" for d, k in zip(days, kinds, strict=True)
    )
    customers = "customer_id,started_at\n1,2024-01-01\n2,2024-01-01\n"
    found = row(tiny(transactions=PURCHASES, usage=usage, customers=customers))
    assert found["usage_streak_days"] == 90
    assert (found["usage_kinds_30d"], found["usage_kinds_90d"], found["usage_breadth"]) == (2, 3, 3)
    assert found["usage_active_share"] == pytest.approx(5 / 181)
    assert found["usage_rate_ratio_30d"] == pytest.approx((2 / 30) / (5 / 181))
    assert pd.isna(found["first_use_wait_days"])


def test_what_a_new_customer_has_not_done_yet(tiny):
    customers = "customer_id,started_at\n1,2024-06-01\n2,2024-01-01\n"
    usage = "customer_id,occurred_at\n2,2024-01-02\n"
    found = row(tiny(transactions=PURCHASES, usage=usage, customers=customers))
    assert found["first_use_wait_days"] == 30
    assert found["second_purchase_wait_days"] == 11
    assert found["usage_streak_days"] == 0


def test_returns_by_amount_and_requests_without_an_answer(tiny):
    config = tiny(
        transactions="customer_id,occurred_at,amount\n1,2024-06-20,60\n1,2024-01-20,40\n",
        cancellations="customer_id,occurred_at,amount\n1,2024-06-25,15\n1,2024-02-01,10\n",
        feedback="customer_id,occurred_at,score\n1,2024-06-25,\n1,2024-06-20,9\n1,2024-05-01,\n",
    )
    found = row(config)
    assert found["cancellation_sum_30d"] == 15
    assert found["cancellation_spend_share"] == 0.25
    assert (found["feedback_unanswered_count_30d"], found["feedback_unanswered_count_90d"]) == (1, 2)
