"""From which number on each feature is a reason to leave: just beyond its bounds it is told, on them it is not."""

import numpy as np
import pandas as pd
import pytest

from features.matrix import declared
from features.spec import columns_of
from pipeline.outreach.reasons import reasons_of

COLUMNS = {column.name: column for column, _ in columns_of(declared(), [30])}

# Of each column: what is usual, a customer's numbers, the sentence, and changes of which each ends the reason.
BEGINS = {
    "recency_days": (
        20.1,
        {"recency_days": 30.2, "recency_ratio": 1.6},
        "no purchase for 30 days",
        [
            {"usual": 20.2},
            {"recency_days": 30},
            {"recency_ratio": 1.5},
            {"purchase_gap_mean_days": 1.6},
        ],
    ),
    "recency_ratio": (
        np.nan,
        {
            "recency_ratio": 1.6,
            "recency_days": 14.1,
            "purchase_gap_mean_days": 1.6,
            "purchase_count_ever": 3,
        },
        "no purchase for 14 days, before that one about every 2 days",
        [
            {"recency_ratio": 1.5},
            {"recency_days": 14},
            {"purchase_gap_mean_days": 1.5},
            {"purchase_count_ever": 2},
        ],
    ),
    "recency_share": (
        np.nan,
        {"recency_share": 0.61, "recency_days": 31, "purchase_count_ever": 2},
        "only two purchases so far, the last one 31 days ago",
        [
            {"recency_share": 0.6},
            {"recency_days": 30},
            {"purchase_count_ever": 1},
            {"purchase_count_ever": 3},
        ],
    ),
    "purchase_count_change_30d": (
        np.nan,
        {"purchase_count_30d": 2, "purchase_count_change_30d": -2},
        "2 purchases in the last 30 days, 2 fewer than in the 30 days before",
        [{"purchase_count_change_30d": -1}, {"purchase_count_30d": 3}],
    ),
    "purchase_count_year_ago_30d": (
        np.nan,
        {"purchase_count_30d": 1, "purchase_count_year_ago_30d": 2},
        "1 purchase in the last 30 days, 2 in the same days a year before",
        [
            {"purchase_count_30d": 2},
            {"purchase_count_30d": 0, "purchase_count_year_ago_30d": 1},
        ],
    ),
    "spend_change_30d": (
        np.nan,
        {
            "spend_sum_30d": 10,
            "spend_change_30d": -6,
            "purchase_count_30d": 2,
            "purchase_count_change_30d": 0,
        },
        "spends less per purchase: 10 in the last 30 days, 6 less than in the 30 days before",
        [
            {"spend_change_30d": -5},
            {"spend_sum_30d": 0.5},
            {"purchase_count_30d": 1},
            {"purchase_count_change_30d": -1},
        ],
    ),
    "cancellation_count_30d": (
        np.nan,
        {"cancellation_count_30d": 2, "cancellation_share": 0.21, "cancellation_recency_days": 179},
        "2 purchases cancelled or returned in the last 30 days",
        [{"cancellation_count_30d": 1}, {"cancellation_share": 0.2}, {"cancellation_recency_days": 180}],
    ),
    "cancellation_spend_share": (
        np.nan,
        {"cancellation_spend_share": 1, "cancellation_recency_days": 179},
        "100% of the money spent was cancelled or returned",
        [
            {"cancellation_spend_share": 1.01},
            {"cancellation_spend_share": 0.2},
            {"cancellation_recency_days": 180},
        ],
    ),
    "cancellation_recency_days": (
        np.nan,
        {"cancellation_recency_days": 29, "cancellation_share": 0.21},
        "cancelled or returned a purchase 29 days ago",
        [{"cancellation_recency_days": 30}, {"cancellation_recency_days": 0.5}, {"cancellation_share": 0.2}],
    ),
    "feedback_score_last": (
        8.1,
        {"feedback_score_last": 6, "feedback_silence_days": 179},
        "gave a score of 6 in the last survey, most customers give about 8.1",
        [{"usual": 8}, {"feedback_silence_days": 180}],
    ),
    "feedback_score_trend": (
        np.nan,
        {
            "feedback_score_trend": -1,
            "feedback_score_mean_ever": 4.9,
            "feedback_score_last": 3,
            "feedback_silence_days": 179,
        },
        "gave a score of 3 in the last survey, 1 less than usual",
        [
            {"feedback_score_mean_ever": 5},
            {"feedback_score_trend": -0.05, "feedback_score_mean_ever": 0.1},
            {"feedback_silence_days": 180},
        ],
    ),
    "feedback_low_share": (
        np.nan,
        {"feedback_low_share": 0.51, "feedback_silence_days": 179},
        "gave mostly low scores in surveys so far",
        [{"feedback_low_share": 0.5}, {"feedback_silence_days": 180}],
    ),
    "feedback_unanswered_count_30d": (
        1,
        {"feedback_unanswered_count_30d": 2},
        "did not answer 2 surveys in the last 30 days",
        [{"usual": 2}, {"feedback_unanswered_count_30d": 1, "usual": 0}],
    ),
    "feedback_silence_days": (
        np.nan,
        {"feedback_silence_days": 91, "feedback_asked_gap_days": 89},
        "has answered no survey for 91 days, though asked",
        [{"feedback_silence_days": 90}, {"feedback_asked_gap_days": 90}],
    ),
    "feedback_asked_gap_days": (
        np.nan,
        {"feedback_asked_gap_days": 181},
        "nobody has asked for feedback for 181 days",
        [{"feedback_asked_gap_days": 180}],
    ),
    "contact_gap_days": (
        np.nan,
        {"contact_gap_days": 121, "contact_gap_ratio": 1.5},
        "no contact for 121 days",
        [{"contact_gap_days": 120}, {"contact_gap_ratio": 1.4}],
    ),
    "contact_gap_ratio": (
        np.nan,
        {"contact_gap_days": 31, "contact_gap_mean_days": 2, "contact_gap_ratio": 1.6},
        "no contact for 31 days, before that one about every 2 days",
        [{"contact_gap_ratio": 1.5}, {"contact_gap_days": 30}, {"contact_gap_mean_days": 1.5}],
    ),
    "contact_outbound_gap_days": (
        np.nan,
        {"contact_outbound_gap_days": 121, "contact_gap_ratio": 1.5},
        "we last called or wrote 121 days ago",
        [{"contact_outbound_gap_days": 120}, {"contact_gap_ratio": 1.4}],
    ),
    "contact_people_count": (
        1.4,
        {"contact_people_count": 1},
        "knows only one person of ours",
        [{"usual": 1.3}, {"contact_people_count": 0}, {"contact_people_count": 2, "usual": 4}],
    ),
    "complaint_count_30d": (
        0,
        {"complaint_count_30d": 1, "contact_inbound_gap_days": 90, "contact_gap_days": 90},
        "1 complaint in the last 30 days",
        [
            {"complaint_count_30d": 0},
            {"usual": 1},
            {"contact_inbound_gap_days": 91},
            {"contact_gap_days": 91},
        ],
    ),
    "open_issue_count": (
        np.nan,
        {"open_issue_count": 1, "contact_inbound_gap_days": 90, "contact_gap_days": 90},
        "1 request still open",
        [{"open_issue_count": 0}, {"contact_inbound_gap_days": 91}, {"contact_gap_days": 91}],
    ),
    "resolve_wait_mean_days": (
        np.nan,
        {"resolve_wait_mean_days": 6, "contact_inbound_gap_days": 90, "contact_gap_days": 90},
        "had to wait about 6 days for a solution",
        [{"resolve_wait_mean_days": 5}, {"contact_inbound_gap_days": 91}, {"contact_gap_days": 91}],
    ),
    "usage_recency_days": (
        14.4,
        {"usage_recency_days": 29, "usage_recency_ratio": 2},
        "has not used the product for 29 days",
        [
            {"usual": 14.5},
            {"usage_recency_days": 28, "usual": 1},
            {"usage_recency_ratio": 1.9},
        ],
    ),
    "usage_active_days_change_30d": (
        np.nan,
        {"usage_active_days_30d": 3, "usage_active_days_change_30d": -3},
        "used the product on 3 days of the last 30, 3 fewer than in the 30 days before",
        [
            {"usage_active_days_30d": 4},
            {"usage_active_days_change_30d": -2, "usage_active_days_30d": 1},
            {"usage_active_days_30d": 0},
        ],
    ),
    "usage_recency_ratio": (
        np.nan,
        {"usage_recency_ratio": 3.1, "usage_recency_days": 8},
        "has not used the product for 8 days, a much longer break than usual",
        [{"usage_recency_ratio": 3}, {"usage_recency_days": 7}],
    ),
    "usage_active_share": (
        0.42,
        {"usage_active_share": 0.2},
        "uses the product on about 20% of the days, most customers on about 42%",
        [{"usual": 0.4}, {"usage_active_share": 0.005}],
    ),
    "usage_rate_ratio_30d": (
        np.nan,
        {"usage_rate_ratio_30d": 0.49},
        "used the product less than half as much in the last 30 days as usual",
        [{"usage_rate_ratio_30d": 0.5}, {"usage_rate_ratio_30d": 0}],
    ),
    "usage_breadth": (
        5.1,
        {"usage_breadth": 3, "tenure_days": 30},
        "has used only 3 functions of the product so far, most customers about 5",
        [{"usual": 5}, {"tenure_days": 29}, {"usage_breadth": 0}],
    ),
    "usage_kinds_30d": (
        3,
        {"usage_kinds_30d": 2, "usage_breadth": 4},
        "used 2 functions of the product in the last 30 days, 4 before",
        [
            {"usage_breadth": 3.5},
            {"usual": 2.5},
            {"usage_kinds_30d": 0},
            {"usage_kinds_30d": 1, "usage_breadth": 2},
        ],
    ),
    "purchase_tenure_days": (
        np.nan,
        {"purchase_tenure_days": 89, "recency_days": 30},
        "a new customer, first purchase 89 days ago",
        [
            {"purchase_tenure_days": 90},
            {"purchase_tenure_days": 0.5},
            {"tenure_days": 1},
            {"recency_days": 31},
        ],
    ),
    "tenure_days": (
        np.nan,
        {"tenure_days": 89, "recency_days": 30},
        "a new customer, with us for 89 days",
        [{"tenure_days": 90}, {"tenure_days": 0.5}, {"recency_days": 31}],
    ),
    "first_use_wait_days": (
        np.nan,
        {"first_use_wait_days": 8},
        "with us for 8 days and has not used the product yet",
        [{"first_use_wait_days": 7}],
    ),
    "second_purchase_wait_days": (
        np.nan,
        {"second_purchase_wait_days": 31},
        "only one purchase so far, 31 days ago",
        [{"second_purchase_wait_days": 30}],
    ),
    "points_balance": (
        2,
        {"points_balance": 4},
        "4 loyalty points not used",
        [{"points_balance": 3}, {"points_balance": 0.5, "usual": 0}],
    ),
    "points_redeemed_gap_days": (
        np.nan,
        {"points_redeemed_gap_days": 181, "points_balance": 1},
        "last used loyalty points 181 days ago",
        [{"points_redeemed_gap_days": 180}, {"points_balance": 0.5}],
    ),
    "contact_customer_people_count": (
        1.4,
        {"contact_customer_people_count": 1},
        "we know only one person on the customer's side",
        [
            {"usual": 1.3},
            {"contact_customer_people_count": 0},
            {"contact_customer_people_count": 2, "usual": 4},
        ],
    ),
    "contact_new_person_days": (
        np.nan,
        {"contact_new_person_days": 89, "contact_outbound_gap_days": 89},
        "another person of ours took over 89 days ago",
        [
            {"contact_new_person_days": 90},
            {"contact_new_person_days": 0.5},
            {"contact_outbound_gap_days": 90},
            {"contact_outbound_gap_days": np.nan},
        ],
    ),
    "open_failed_payment_count": (
        np.nan,
        {"open_failed_payment_count": 1},
        "failed and unpaid so far: 1 payment",
        [{"open_failed_payment_count": 0}],
    ),
    "failed_payment_count_30d": (
        np.nan,
        {"failed_payment_count_30d": 1, "open_failed_payment_count": 1},
        "1 payment failed in the last 30 days",
        [{"failed_payment_count_30d": 0}, {"open_failed_payment_count": 0}],
    ),
    "downgrade_count_30d": (
        np.nan,
        {"downgrade_count_30d": 1},
        "took a smaller contract in the last 30 days",
        [{"downgrade_count_30d": 0}],
    ),
    "paused_contract_count": (
        np.nan,
        {"paused_contract_count": 1},
        "has paused 1 contract",
        [{"paused_contract_count": 0}],
    ),
    "term_left_days": (
        np.nan,
        {"term_left_days": 44},
        "the fixed term ends in 44 days",
        [{"term_left_days": 45}, {"term_left_days": 0.5}],
    ),
}


def told_of(name, usual, numbers):
    """The sentences of a customer of whom the column alone is looked at."""
    numbers = dict(numbers)
    usual = numbers.pop("usual", usual)
    found = reasons_of(
        pd.DataFrame({name: [1.0]}), pd.DataFrame([numbers], dtype=float), {name: usual}, [COLUMNS[name]]
    )
    return [reason.sentence for reason in found[0]]


@pytest.mark.parametrize("name", BEGINS)
def test_a_reason_begins_just_beyond_its_bounds(name):
    usual, numbers, sentence, ends = BEGINS[name]
    assert told_of(name, usual, numbers) == [sentence]
    for change in ends:
        assert told_of(name, usual, numbers | change) == [], change


def test_every_column_that_can_be_a_reason_is_here():
    assert set(BEGINS) == {name for name, column in COLUMNS.items() if column.worse}


def test_what_a_team_can_not_change_comes_after_what_it_can():
    fixed = {name for name, column in COLUMNS.items() if not column.actionable}
    assert fixed == {
        "anniversary_days",
        "purchase_count_ever",
        "purchase_count_season_30d",
        "purchase_count_year_ago_30d",
        "purchase_gap_mean_days",
        "purchase_tenure_days",
        "spend_max",
        "spend_mean",
        "spend_sum_ever",
        "tenure_days",
        "trial_count_ever",
    }
